"""Customers' notice: written by one person of the seller, approved and sent by a lead who did not write it."""

from datetime import date, datetime
from uuid import UUID

from django.db import transaction
from django.utils import timezone
from django.utils.formats import date_format
from django.utils.translation import gettext as _

from accounts.models import User
from handover.errors import HandoverError
from handover.models import Handover, Notice, Step
from handover.notice_content import LANGUAGES, PURPOSE, TITLE, WORDS, digest_of
from handover.notice_workflow import NoticeMove, NoticeState, find_move
from handover.permissions import has_rank
from handover.services.holding_out import is_told_here, live_notice
from handover.services.moving import lock_handover, record
from handover.workflow import HandoverState, Rank, Side, StepKind, StepState

Texts = dict[str, dict[str, str]]
_LIMITS = {"title": TITLE, "words": WORDS, "purpose": PURPOSE}


@transaction.atomic
def write(
    *, actor: User, handover: Handover, texts: Texts, reach: str, answer_until: date, seen: bytes, now: datetime
) -> Notice:
    """Keep the notice of the handover, the first or a changed one; what was approved of it counts no more. `seen`: the
    digest of what the form began with, empty for a new one.

    Raises HandoverError when a text is missing, the day is not possible, somebody else has saved meanwhile, `actor` may
    not write, or the notice has been sent."""
    handover = _locked(handover, actor, find_move("write"))
    _check_texts(texts, reach)
    _check_day(handover, answer_until, now)
    notice = live_notice(handover)
    if notice is None:
        version = Notice.objects.filter(handover=handover).count() + 1
        notice = Notice(handover=handover, version=version, created_at=now, author=actor, answer_until=answer_until)
    else:
        notice.handover = handover
        _check_state(notice, find_move("write"))
        if seen != bytes(notice.digest):
            raise HandoverError(_("Somebody has saved another text since you opened the page. Compare it, then save."))
    notice.texts, notice.reach, notice.answer_until = texts, " ".join(reach.split()), answer_until
    notice.author, notice.state, notice.approved_by, notice.approved_at = actor, NoticeState.DRAFT, None, None
    notice.digest = digest_of(notice)
    notice.save()
    record(actor, "handover.notice.written", handover, now, version=notice.version, digest=bytes(notice.digest).hex())
    return notice


@transaction.atomic
def approve(*, actor: User, notice: Notice, digest: bytes, now: datetime) -> Notice:
    """Say yes to exactly what was read. Raises HandoverError for who wrote it, and when it is no longer that text."""
    notice = locked(notice, actor, "approve")
    if notice.author_id == actor.pk:
        raise HandoverError(_("You wrote this notice, so another lead of the seller approves it."))
    check_digest(notice, digest)
    notice.state, notice.approved_by, notice.approved_at = NoticeState.APPROVED, actor, now
    notice.save(update_fields=["state", "approved_by", "approved_at"])
    record(actor, "handover.notice.approved", notice.handover, now, version=notice.version, digest=digest.hex())
    return notice


@transaction.atomic
def withdraw(*, actor: User, notice: Notice, now: datetime) -> None:
    """Take a notice back: its links end, answers to it are carried to the next version if they object. Raises
    HandoverError while it is being sent, and once the transfer has begun."""
    notice = locked(notice, actor, "withdraw")
    notice.state, notice.ended_at = NoticeState.WITHDRAWN, now
    notice.save(update_fields=["state", "ended_at"])
    record(actor, "handover.notice.withdrawn", notice.handover, now, version=notice.version)


def take_back(*, actor: User, handover: Handover, now: datetime) -> None:
    """End the notice that counts, because what it says is no longer agreed. Within the transaction of a caller that
    holds the handover's lock; no notice is being sent then."""
    notice = live_notice(handover)
    if notice is not None:
        notice.state, notice.ended_at = NoticeState.WITHDRAWN, now
        notice.save(update_fields=["state", "ended_at"])
        record(actor, "handover.notice.withdrawn", handover, now, version=notice.version)


@transaction.atomic
def announce(*, actor: User, notice: Notice, day: date, where: str, now: datetime) -> None:
    """Keep that the notice was also published where everybody could read it: whom no message reached counts as told.
    Raises HandoverError for a day to come or without the place."""
    notice = _lock(notice)
    _check_right(actor, notice.handover, Rank.LEAD)
    if notice.state != NoticeState.OPEN:
        raise HandoverError(_("An announcement is kept while customers may answer."))
    if day > timezone.localdate(now) or not where.strip() or len(where) > 500:
        raise HandoverError(_("Enter the day on which it was published, not later than today, and where."))
    notice.announced_on, notice.announced_where = day, where.strip()
    notice.save(update_fields=["announced_on", "announced_where"])
    record(actor, "handover.notice.announced", notice.handover, now, version=notice.version, day=day.isoformat())


def locked(notice: Notice, actor: User, name: str) -> Notice:
    """The notice, locked with its handover, if `actor` may make this move now. Raises HandoverError."""
    move, notice = find_move(name), _lock(notice)
    _check_open(notice.handover)
    _check_right(actor, notice.handover, move.rank)
    _check_state(notice, move)
    return notice


def locked_sent(notice: Notice, actor: User) -> Notice:
    """The notice, locked with its handover, if it was sent and `actor` may say what became of it, also after the last
    day. Raises HandoverError."""
    notice = _lock(notice)
    _check_open(notice.handover)
    _check_right(actor, notice.handover, Rank.LEAD)
    if notice.state not in {NoticeState.OPEN, NoticeState.CLOSED}:
        message = _("The notice is now: %(state)s. Reload the page to see what can be done with it.")
        raise HandoverError(message % {"state": notice.get_state_display()})
    return notice


def by_id(notice_id: UUID) -> Notice:
    """The notice with what its content needs."""
    found = Notice.objects.select_related("handover__seller", "handover__buyer", "handover__plan", "handover__book")
    return found.get(pk=notice_id)


def check_digest(notice: Notice, digest: bytes) -> None:
    """That this is what was read, and that nothing it is made of has changed since. Raises HandoverError."""
    if digest != bytes(notice.digest) or digest_of(notice) != digest:
        raise HandoverError(_("The notice is no longer what you read. Read it again; if in doubt, have it saved anew."))


def may(user: User, handover: Handover, name: str) -> bool:
    """Whether a person may make a move of the notice, its state aside."""
    step = _gate(handover)
    rank = find_move(name).rank
    return rank is not None and has_rank(user, step, Side.SELLER, rank)


def _gate(handover: Handover) -> Step:
    # The notice belongs to what the execution waits for: the permissions of that gate apply.
    step = Step.objects.get(handover=handover, kind=StepKind.EXECUTION)
    step.handover = handover
    return step


def _lock(notice: Notice) -> Notice:
    handover = lock_handover(notice.handover_id)
    notice = Notice.objects.select_for_update(of=("self",)).get(pk=notice.pk)
    notice.handover = handover
    return notice


def _locked(handover: Handover, actor: User, move: NoticeMove) -> Handover:
    handover = lock_handover(handover.pk)
    _check_open(handover)
    _check_right(actor, handover, move.rank)
    return handover


def _check_open(handover: Handover) -> None:
    plan = Step.objects.get(handover=handover, kind=StepKind.PLAN)
    if handover.state != HandoverState.OPEN or plan.state != StepState.PASSED or not is_told_here(handover):
        raise HandoverError(_("Customers are told from here once a plan is agreed that says so, while it is open."))
    if _gate(handover).state in {StepState.RUNNING, StepState.PASSED}:
        raise HandoverError(_("The transfer has begun. What customers were told cannot change any more."))


def _check_right(actor: User, handover: Handover, rank: Rank | None) -> None:
    if rank is None or not has_rank(actor, _gate(handover), Side.SELLER, rank):
        raise HandoverError(
            _("Only leads of the seller may do this; its people write the notice. Ask a lead of the seller.")
            if rank is Rank.LEAD
            else _("Only people of the seller write the notice.")
        )


def _check_state(notice: Notice, move: NoticeMove) -> None:
    if notice.state not in move.before:
        message = _("The notice is now: %(state)s. Reload the page to see what can be done with it.")
        raise HandoverError(message % {"state": notice.get_state_display()})


def _check_texts(texts: Texts, reach: str) -> None:
    if set(texts) != set(LANGUAGES) or not all(set(one) == set(_LIMITS) for one in texts.values()):
        raise HandoverError(_("The notice needs title, words and purpose in Chinese and in English."))
    for one in texts.values():
        if not all(one[name].strip() and len(one[name]) <= limit for name, limit in _LIMITS.items()):
            raise HandoverError(_("The notice needs title, words and purpose in Chinese and in English."))
    if not reach.strip() or len(reach) > 300:
        raise HandoverError(_("Write how customers reach you, at most 300 characters."))


def _check_day(handover: Handover, answer_until: date, now: datetime) -> None:
    agreed = handover.plan.answer_until
    if agreed is not None and answer_until < agreed:
        message = _("The plan gives customers until %(date)s. The notice may give them longer, not shorter.")
        raise HandoverError(message % {"date": date_format(agreed)})
    if answer_until <= timezone.localdate(now):
        raise HandoverError(
            _("The last day to answer must lie ahead, so that customers have time. Choose a later day.")
        )


def versions_of(handover: Handover) -> list[Notice]:
    """All versions, the newest first."""
    found = Notice.objects.filter(handover=handover).select_related("author", "approved_by")
    return list(found.order_by("-version"))
