from django.conf import settings
from django.http import HttpRequest
from django.utils.functional import SimpleLazyObject

from accounts.navigation import shell_of


def shell(request: HttpRequest) -> dict[str, object]:
    """What the navigation around every page shows; nothing is asked of the database before a template looks."""
    return {"shell": SimpleLazyObject(lambda: shell_of(request)), "demo_open": settings.DEMO and settings.DEBUG}
