from django.conf import settings
from django.http import HttpRequest
from django.utils.functional import SimpleLazyObject

from accounts.navigation import Shell, shell_of
from tenancy import rights


def shell(request: HttpRequest) -> dict[str, object]:
    """What the navigation around every page shows; nothing is asked of the database before a template looks."""
    return {"shell": SimpleLazyObject(lambda: _shell(request)), "demo_open": settings.DEMO and settings.DEBUG}


def _shell(request: HttpRequest) -> Shell:
    # It counts what waits in shared handovers too, also on pages that show own rows only.
    with rights.cases():
        return shell_of(request)
