"""What waits for a person. The rooms above register providers in `AppConfig.ready()`; home and navigation ask here."""

from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from weakref import WeakKeyDictionary

from django.http import HttpRequest
from django.utils import timezone
from django.utils.functional import Promise

from accounts.models import User

LAST = datetime.max.replace(tzinfo=UTC)


@dataclass(frozen=True)
class Waiting:
    """One thing that one person should do next. `weight`: what blocks more comes first (10 blocks a
    handover, 0 informs). `section`: where the navigation counts it, one of "handovers", "reviews", "customers",
    "incidents", "clearance"."""

    title: str | Promise
    detail: str | Promise
    url: str
    icon: str = "handover"
    due: datetime | None = None
    button: str | Promise = ""
    weight: int = 0
    section: str = ""


Provider = Callable[[User, datetime], Sequence[Waiting]]
_providers: list[Provider] = []
# One evaluation a request, though page and navigation both ask.
_evaluated: WeakKeyDictionary[HttpRequest, list[Waiting]] = WeakKeyDictionary()


def register(provider: Provider) -> None:
    """Ask this provider too. A provider returns only what this user can act on now."""
    if provider not in _providers:
        _providers.append(provider)


def waiting_for(user: User, now: datetime) -> list[Waiting]:
    """Everything that waits for a user: what blocks most first, then by date."""
    found = [waiting for provider in _providers for waiting in provider(user, now)]
    return sorted(found, key=lambda waiting: (-waiting.weight, waiting.due or LAST))


def waiting_in(request: HttpRequest) -> list[Waiting]:
    """What waits for the signed-in user of a request, evaluated once."""
    if not isinstance(request.user, User):
        return []
    if request not in _evaluated:
        _evaluated[request] = waiting_for(request.user, timezone.now())
    return _evaluated[request]


def counts(waiting: Sequence[Waiting]) -> Mapping[str, int]:
    """How many of them each section of the navigation shows."""
    return Counter(item.section for item in waiting)
