"""What somebody leaves behind who goes: what waits for them, what they started, and what they took out lately. The
rooms above register what only they know in `AppConfig.ready()`."""

from collections.abc import Callable, Iterable
from dataclasses import asdict, dataclass
from datetime import datetime, timedelta

from django.db.models import TextChoices
from django.urls import reverse
from django.utils.formats import date_format
from django.utils.timezone import localtime
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy, pgettext

from accounts.models import Membership, User
from accounts.selectors import as_member_of, members_of
from accounts.waiting import waiting_for
from jobs.selectors import jobs_visible_to, title_of
from jobs.workflow import JobState
from ledger.models import Entry
from ledger.vocabulary import sentence

LATELY = timedelta(days=30)
LISTED = 50
# Values opened and taken out: whoever goes may still have them.
TAKEN_OUT = ("customer.revealed", "book.exported", "review.texts_opened", "handover.delivery.downloaded")
_COLLEAGUES = 30


class Kind(TextChoices):
    WAITING = "waiting", gettext_lazy("Waits for this person")
    STARTED = "started", gettext_lazy("Was begun by this person")
    TAKEN = "taken", gettext_lazy("Was opened or taken out in the last 30 days")


@dataclass(frozen=True, slots=True)
class Left:
    """One thing. `others`: the colleagues for whom it waits as well."""

    kind: Kind
    title: str
    detail: str = ""
    url: str = ""
    others: tuple[str, ...] = ()

    @property
    def blocks(self) -> bool:
        """Whether somebody has to take it over; the rest is for checking."""
        return self.kind != Kind.TAKEN

    def as_record(self) -> dict[str, object]:
        """As a departure keeps it, in the language in which it was read."""
        return asdict(self) | {"kind": str(self.kind.value), "others": list(self.others)}


Provider = Callable[[Membership, datetime], Iterable[Left]]
GiveBack = Callable[[User, Membership, datetime], None]
_providers: list[Provider] = []
_backs: list[GiveBack] = []


def register(provider: Provider | None = None, give_back: GiveBack | None = None) -> None:
    """`provider`: names more of what is left. `give_back`: frees what the person had taken for themselves, in the
    transaction of the offboarding."""
    if provider and provider not in _providers:
        _providers.append(provider)
    if give_back and give_back not in _backs:
        _backs.append(give_back)


def left_by(membership: Membership, now: datetime) -> list[Left]:
    """Everything that the person leaves at this organization; what they do for others is not in it."""
    provided = [one for provider in _providers for one in provider(membership, now)]
    return [*_waiting(membership, now), *_jobs(membership), *provided, *_taken_out(membership, now)]


def hand_back(actor: User, membership: Membership, now: datetime) -> None:
    """Free everything that the person had taken for themselves."""
    for give_back in _backs:
        give_back(actor, membership, now)


def _waiting(membership: Membership, now: datetime) -> list[Left]:
    items = [one for one in waiting_for(as_member_of(membership), now) if one.section != "clearance"]
    if not items:
        return []
    others = members_of(membership.organization).filter(user__is_active=True).exclude(pk=membership.pk)[:_COLLEAGUES]
    can = {one.user.name: {item.url for item in waiting_for(as_member_of(one), now)} for one in others}
    return [
        Left(
            Kind.WAITING,
            str(one.title),
            str(one.detail),
            one.url,
            tuple(name for name, urls in can.items() if one.url in urls),
        )
        for one in items
    ]


def _jobs(membership: Membership) -> list[Left]:
    running = jobs_visible_to([membership.organization_id]).filter(started_by=membership.user_id)
    running = running.filter(state__in=(JobState.PLANNED, JobState.RUNNING, JobState.CANCELING))
    detail = _("A job that runs. It goes on by itself; what follows it needs a person.")
    return [Left(Kind.STARTED, str(title_of(job)), detail, reverse("jobs:detail", args=[job.pk])) for job in running]


def _taken_out(membership: Membership, now: datetime) -> list[Left]:
    found = Entry.objects.filter(
        actor=membership.user_id,
        verb__in=TAKEN_OUT,
        at__gt=now - LATELY,
        audience__contains=[membership.organization_id],
    )
    form = pgettext("date format", "j M Y, H:i")
    return [
        Left(Kind.TAKEN, sentence(entry), date_format(localtime(entry.at), form))
        for entry in found.order_by("-id")[:LISTED]
    ]
