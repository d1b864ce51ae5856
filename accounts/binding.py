"""The rights of whoever asks, bound to the request: PostgreSQL shows no other rows, whatever a query forgets."""

from collections.abc import Callable, Iterable, Iterator
from dataclasses import replace
from typing import Any

from django.contrib.auth.models import AnonymousUser
from django.http import HttpRequest
from django.http.response import HttpResponseBase, StreamingHttpResponse

from accounts.models import User
from accounts.selectors import is_agency, organizations_of
from tenancy import rights
from tenancy.rights import Rights

# Here people work with their own books: nothing of a shared handover belongs on these pages.
OWN_ROWS_ONLY = frozenset({"customers"})


def rights_of(user: User | AnonymousUser) -> Rights:
    """What a person may touch: the rows of their organizations, for the agency all. Nobody signed in: nothing."""
    if isinstance(user, AnonymousUser):
        return rights.NOTHING
    return Rights(
        organizations=frozenset(organizations_of(user)),
        person=user.pk,
        cases=True,
        everything=user.is_staff or is_agency(user),
    )


class RowRightsMiddleware:
    """Behind the one that says who asks. Sign-in itself needs no rights: it reads the register alone."""

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponseBase]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponseBase:
        found = rights_of(request.user)
        with rights.bound(found):
            response = self.get_response(request)
        if isinstance(response, StreamingHttpResponse):
            # Its rows are read after this returns, piece by piece.
            kept = replace(found, cases=found.cases and _shares(request))
            response.streaming_content = _bound(kept, response.streaming_content)  # type: ignore[arg-type]
        return response

    @staticmethod
    def process_view(request: HttpRequest, view: object, args: object, kwargs: object) -> None:
        """Within `__call__`, which takes back what is bound here."""
        if not _shares(request):
            rights.narrow()


def _shares(request: HttpRequest) -> bool:
    match = request.resolver_match
    return match is None or OWN_ROWS_ONLY.isdisjoint(match.namespaces)


def _bound(kept: Rights, content: Iterable[Any]) -> Iterator[Any]:
    parts = iter(content)
    while True:
        with rights.bound(kept):
            part = next(parts, None)
        if part is None:
            return
        yield part
