from django.http import HttpRequest


def shell(request: HttpRequest) -> dict[str, object]:
    """What the navigation around every page shows."""
    return {}
