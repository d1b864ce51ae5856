"""Threads about a scope as pages show them, and what waits in them. Reads only."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from django.db.models import OuterRef, QuerySet, Subquery
from django.utils.functional import Promise
from django.utils.translation import gettext as _

from accounts.models import User
from handover.fields import LABELS
from handover.models import Handover, ScopeMessage, ScopeQuestion, ScopeReading
from handover.selectors import handovers_visible_to
from handover.workflow import Side


@dataclass(frozen=True, slots=True)
class Thread:
    """`unread`: messages of others since the reader was last here; `waits`: the reader's side is to answer."""

    question: ScopeQuestion
    label: str | Promise
    messages: Sequence[ScopeMessage]
    unread: int
    waits: bool

    @property
    def settled(self) -> bool:
        return self.question.resolved_at is not None


def questions_visible_to(user: User) -> QuerySet[ScopeQuestion]:
    """The questions of the handovers that a person sees."""
    return ScopeQuestion.objects.filter(handover__in=handovers_visible_to(user)).select_related("handover")


def label_of_field(key: str) -> str | Promise:
    """The field that a question is about."""
    return LABELS.get(key) or _("The whole scope")


def threads_of(handover: Handover, user: User, side: Side | None) -> list[Thread]:
    """All threads, those that are open first; in each what was written first."""
    questions = ScopeQuestion.objects.filter(handover=handover).select_related("proposal", "resolved_by")
    since = read_until(handover, user)
    found = [
        _thread(question, user, side, since)
        for question in questions.order_by("pk").prefetch_related("messages__author")
    ]
    return sorted(found, key=lambda thread: thread.settled)


def _thread(question: ScopeQuestion, user: User, side: Side | None, since: datetime | None) -> Thread:
    messages = sorted(question.messages.all(), key=lambda message: message.pk)
    unread = sum(1 for one in messages if one.author_id != user.pk and (since is None or one.at > since))
    waits = question.resolved_at is None and side is not None and question.answers == side
    return Thread(question, label_of_field(question.field), messages, unread, waits)


def read_until(handover: Handover, user: User) -> datetime | None:
    """Until when a person has read the threads; None: never."""
    return ScopeReading.objects.filter(handover=handover, user=user).values_list("at", flat=True).first()


def unanswered(handover: Handover, side: Side) -> int:
    """How many questions wait for an answer of a side."""
    return ScopeQuestion.objects.filter(handover=handover, answers=side, resolved_at=None).count()


def unread_by(user: User, handover: Handover) -> int:
    """How many messages of others came in since the person was last there."""
    seen = ScopeReading.objects.filter(handover=OuterRef("question__handover"), user=user).values("at")
    messages = ScopeMessage.objects.filter(question__handover=handover).exclude(author=user)
    messages = messages.annotate(seen=Subquery(seen[:1]))
    return sum(1 for at, read in messages.values_list("at", "seen") if read is None or at > read)


def open_on(threads: Sequence[Thread]) -> dict[str, int]:
    """How many open threads each field has."""
    found: dict[str, int] = {}
    for thread in threads:
        if not thread.settled:
            found[thread.question.field] = found.get(thread.question.field, 0) + 1
    return found
