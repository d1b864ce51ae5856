"""Pages that go on by themselves when the platform has done its part."""

from django.http import HttpRequest, HttpResponse


def answer(request: HttpRequest, seen: str) -> HttpResponse | None:
    """What a page hears that asks whether anything has changed (`handover/watching.html`): nothing, or to load again.

    None when the page itself is wanted. People who may watch a job have its panel instead, which does the same.
    """
    asked = request.GET.get("seen")
    if asked is None or "HX-Request" not in request.headers:
        return None
    response = HttpResponse(status=204)
    if asked != seen:
        response["HX-Refresh"] = "true"
    return response
