"""What stands in the way of a handover, and where each thing is cured. Reads only."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from datetime import date, datetime

from django.urls import reverse
from django.utils import timezone
from django.utils.formats import date_format
from django.utils.functional import Promise
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy, pgettext_lazy

from accounts.permissions import is_member
from compliance.workflow import LIVE
from customers.models import Import
from customers.workflow import ImportState
from handover import abroad
from handover.findings import findings_of
from handover.gates import Board, Turn, gate_url, named, review_url, turns_of
from handover.legal import basis_obstacle
from handover.models import Backup, Execution, Handover, Step
from handover.permissions import may_sell, may_stop
from handover.selectors import current_step, step_of
from handover.services import executing, holding_out, rehearsing, renewing, screening
from handover.workflow import BackupState, ExecutionState, Side, StepKind, StepState


@dataclass(frozen=True, slots=True)
class Blocker:
    """What stands in the way, why, whom it waits for, and the page of its cure. `soft`: a date or a word of warning.
    `yours`: you can cure it now. `here`: the cure is on the gate's own page."""

    title: str
    cure_url: str
    cure_label: str
    why: str = ""
    by: str = ""
    soft: bool = False
    yours: bool = False
    here: bool = False


def is_hindered(handover: Handover, now: datetime) -> bool:
    """Whether a start of the transfer would be refused now, whoever gave it."""
    return current_step(handover).kind == StepKind.EXECUTION and bool(executing.obstacle(handover, now))


def blockers_of(board: Board, now: datetime) -> list[Blocker]:
    """Everything that stands before the current gate, what the reader can cure first. None in a closed handover."""
    if not board.open:
        return []
    step = board.current
    found = [
        *_absent(board),
        *_waits(board, step),
        *_found(board, step),
        *_failed(board, step),
        *_basis(board, step),
        *_notice(board, step, now),
        *_mechanism(board, step, now),
        *_content(board, step),
        *_dry_run(board, step),
        *_book(board, step),
        *_dates(board, step, timezone.localdate(now)),
    ]
    return sorted(found, key=lambda blocker: (not blocker.yours, blocker.soft))


# ---- the buyer is not here yet


def buyer_is_here(handover: Handover) -> bool:
    """Whether anybody belongs to the buyer. Uses the prefetch of `selectors.with_gates`."""
    return any(place.user.is_active for place in handover.buyer.memberships.all())


def _absent(board: Board) -> Iterator[Blocker]:
    handover = board.handover
    if buyer_is_here(handover):
        return
    yield Blocker(
        _("The buyer has not come yet"),
        reverse("handover:buyer_invitation", args=[handover.pk]),
        _("See the invitation"),
        why=_("Its first lead was invited by mail. Gates that need the buyer wait until then."),
        by=_("Waits for %(names)s") % {"names": handover.buyer.contact_name},
        yours=may_sell(board.user, handover.seller_id),
    )


# ---- somebody must act

SIDES: dict[Side, Promise] = {
    Side.SELLER: pgettext_lazy("inside a sentence", "seller"),
    Side.BUYER: pgettext_lazy("inside a sentence", "buyer"),
    Side.REVIEWER: pgettext_lazy("inside a sentence", "reviewer"),
}
_START = gettext_lazy("The start of the %(side)s is missing")
_WAITS: dict[tuple[StepKind, StepState], Promise] = {
    (StepKind.NECESSITY, StepState.DRAFT): gettext_lazy("The necessity is not submitted yet"),
    (StepKind.SCOPE, StepState.DRAFT): gettext_lazy("No version of the scope is on the table"),
    (StepKind.PLAN, StepState.DRAFT): gettext_lazy("The plan is not submitted yet"),
    (StepKind.BACKUP, StepState.DRAFT): gettext_lazy("The backup is not started yet"),
    (StepKind.EXECUTION, StepState.DRAFT): _START,
    (StepKind.NECESSITY, StepState.SUBMITTED): gettext_lazy("The %(side)s has not approved the necessity yet"),
    (StepKind.SCOPE, StepState.SUBMITTED): gettext_lazy("The %(side)s has not answered the scope yet"),
    (StepKind.PLAN, StepState.SUBMITTED): gettext_lazy("The %(side)s has not approved the plan yet"),
    (StepKind.BACKUP, StepState.SUBMITTED): gettext_lazy("The %(side)s has not approved the backup yet"),
    (StepKind.EXECUTION, StepState.SUBMITTED): _START,
    (StepKind.AUDIT, StepState.SUBMITTED): gettext_lazy("The %(side)s has not approved the audit yet"),
}
_ON_ITS_PAGE: dict[tuple[StepKind, StepState], Promise] = {
    (StepKind.NECESSITY, StepState.DRAFT): gettext_lazy("Write the necessity"),
    (StepKind.SCOPE, StepState.DRAFT): gettext_lazy("Propose a version"),
    (StepKind.PLAN, StepState.DRAFT): gettext_lazy("Write the plan"),
    (StepKind.BACKUP, StepState.DRAFT): gettext_lazy("Start the backup"),
    (StepKind.EXECUTION, StepState.DRAFT): gettext_lazy("Give the start"),
    (StepKind.EXECUTION, StepState.SUBMITTED): gettext_lazy("Give the start"),
    (StepKind.SCOPE, StepState.SUBMITTED): gettext_lazy("Read and answer"),
}


def _waits(board: Board, step: Step) -> list[Blocker]:
    """One blocker for each side that must act; one for all where any of them may."""
    turns = turns_of(board, step)
    if step.state == StepState.DRAFT and step.remark:
        return [_sent_back(board, step, turns)]
    if step.kind == StepKind.SCOPE and step.state == StepState.DRAFT:
        return [_any_of(board, step, turns)]
    return [_waits_for(board, step, turn) for turn in turns]


def _waits_for(board: Board, step: Step, turn: Turn) -> Blocker:
    title = str(_WAITS[StepKind(step.kind), StepState(step.state)]) % {"side": SIDES[turn.side]}
    url, label = cure_of(board, step, turn)
    if turn.people:
        by = _("Waits for %(names)s") % {"names": turn.names}
        return Blocker(title, url, label, by=by, yours=turn.yours, here=True)
    why = _("Nobody at %(organization)s may do this. The agency adds people, and who wrote a part may not approve it.")
    return Blocker(title, url, label, why=why % {"organization": turn.organization}, here=True)


def _any_of(board: Board, step: Step, turns: Sequence[Turn]) -> Blocker:
    people = [person for turn in turns for person in turn.people]
    first = next((turn for turn in turns if turn.yours), turns[0])
    title = str(_WAITS[StepKind(step.kind), StepState(step.state)])
    url, label = cure_of(board, step, first)
    by = _("Waits for %(names)s") % {"names": named(people, board.user)} if people else first.sentence
    return Blocker(title, url, label, by=by, yours=first.yours, here=True)


def _sent_back(board: Board, step: Step, turns: Sequence[Turn]) -> Blocker:
    name = step.remark_by.name if step.remark_by else _("The platform")
    title = _("%(name)s sent it back") % {"name": name}
    return replace(_any_of(board, step, turns), title=title, why=step.remark)


def cure_of(board: Board, step: Step, turn: Turn) -> tuple[str, str]:
    """Where a turn is taken and what the button says; for everybody else the page where it can be read."""
    kind, state = StepKind(step.kind), StepState(step.state)
    url = gate_url(board.handover, kind)
    if not turn.yours:
        return url, _("Read it") if state is StepState.SUBMITTED else _("See the gate")
    if turn.side is Side.REVIEWER:
        return review_url(board, step) or url, _("Decide the review")
    if step.remark and state is StepState.DRAFT:
        return url, _("Change it")
    if (kind, state) in _ON_ITS_PAGE:
        return url, str(_ON_ITS_PAGE[kind, state])
    return reverse("handover:approve", args=[board.handover.pk, kind]), _("Read and approve")


# ---- what the last audit found


def _found(board: Board, step: Step) -> Iterator[Blocker]:
    cures = any(turn.yours for turn in turns_of(board, step))
    for one in findings_of(board.handover):
        if one.gate == step.kind and not one.cured:
            label = _("Cure it") if cures else _("See the gate")
            title = _("The audit found something that is cured at this gate: %(severity)s")
            severity = one.finding.get_severity_display()
            yield Blocker(title % {"severity": severity}, one.url, label, why=one.finding.text, here=True)


# ---- something went wrong


def _failed(board: Board, step: Step) -> Iterator[Blocker]:
    if step.state != StepState.DRAFT:
        return
    if step.kind == StepKind.BACKUP:
        backup = Backup.objects.filter(handover=board.handover).order_by("-created_at").first()
        if backup is not None and backup.state == BackupState.FAILED:
            url = gate_url(board.handover, StepKind.BACKUP)
            yield Blocker(_("The last backup failed"), url, _("See what failed"), why=backup.problem, here=True)
    if step.kind == StepKind.EXECUTION:
        execution = Execution.objects.filter(handover=board.handover).order_by("-number").first()
        if execution is not None and execution.state == ExecutionState.ROLLED_BACK:
            url = gate_url(board.handover, StepKind.EXECUTION)
            yield Blocker(_("The last transfer was undone"), url, _("See why"), why=execution.problem, here=True)


# ---- the law or the customers changed since the plan was agreed


def _basis(board: Board, step: Step) -> Iterator[Blocker]:
    """From the agreed plan on: there is no way back to it, so the handover begins anew."""
    if step.kind not in {StepKind.BACKUP, StepKind.EXECUTION} or step.state == StepState.RUNNING:
        return
    if problem := basis_obstacle(board.handover):
        stops = may_stop(board.user, board.handover)
        yield Blocker(
            _("The legal basis serves none of the customers any more"),
            reverse("handover:stop", args=[board.handover.pk]) if stops else gate_url(board.handover, StepKind.PLAN),
            _("Stop this handover") if stops else _("See the plan"),
            why=problem,
            by=_("Waits for who may stop this handover: leads of a side, the reviewer and the agency"),
            yours=stops,
        )


# ---- what customers are told and answer


def _notice(board: Board, step: Step, now: datetime) -> Iterator[Blocker]:
    """From the agreed plan on: who must tell the customers, or until when they may answer."""
    if step.kind not in {StepKind.BACKUP, StepKind.EXECUTION} or step.state == StepState.RUNNING:
        return
    if problem := holding_out.obstacle(board.handover, now):
        seller = is_member(board.user, board.handover.seller_id)
        calendar = not holding_out.waits_for_seller(board.handover)
        yield Blocker(
            _("The customers' answer period runs") if calendar else _("The customers are not all told yet"),
            reverse("handover:notices", args=[board.handover.pk]),
            _("Tell the customers") if seller and not calendar else _("See the notice"),
            why=problem,
            by=_("Waits for the calendar") if calendar else _("Waits for the seller"),
            soft=calendar,
            yours=seller and not calendar,
        )


# ---- persons who leave their country


def _mechanism(board: Board, step: Step, now: datetime) -> Iterator[Blocker]:
    """From the agreed plan on: a mechanism that expired, or covers too few, is renewed."""
    if step.kind not in {StepKind.BACKUP, StepKind.EXECUTION} or step.state == StepState.RUNNING:
        return
    if problem := abroad.obstacle(board.handover, now):
        seller = renewing.may_record(board.user, board.handover)
        yield Blocker(
            _("No mechanism covers those who leave their country"),
            reverse("handover:mechanism", args=[board.handover.pk]),
            _("Record the renewal") if seller else _("See the mechanism"),
            why=problem,
            by=_("Waits for the seller and a lead of each side"),
            yours=seller,
        )


# ---- the free text of the book


def _content(board: Board, step: Step) -> Iterator[Blocker]:
    """From the backup's start on: what the screening of the free text still needs before gate 5."""
    begun = step.kind == StepKind.EXECUTION or (step.kind == StepKind.BACKUP and step.state != StepState.DRAFT)
    if not begun or (step.state == StepState.RUNNING and step.kind == StepKind.EXECUTION):
        return
    if problem := screening.obstacle(board.handover):
        url, label, yours = _content_cure(board)
        title = _("The free text of the book is not cleared for gate 5 yet")
        yield Blocker(title, url, label, why=problem, yours=yours)


def _content_cure(board: Board) -> tuple[str, str, bool]:
    handover, user = board.handover, board.user
    found = screening.latest_screening(handover)
    review = screening.review_of(found) if found else None
    if review is not None and review.state in LIVE and is_member(user, handover.reviewer_id):
        return reverse("compliance:review", args=[review.pk]), _("Decide the review"), True
    again = screening.needs_another(handover) and screening.may_screen(user, step_of(handover, StepKind.BACKUP))
    return gate_url(handover, StepKind.BACKUP), _("Screen it again") if again else _("See the screening"), again


# ---- the dry run


def _dry_run(board: Board, step: Step) -> Iterator[Blocker]:
    if step.kind != StepKind.EXECUTION:
        return
    if problem := rehearsing.obstacle(board.handover):
        on_its_way = rehearsing.running(board.handover) is not None
        yours = not on_its_way and rehearsing.may_rehearse(board.user, step)
        title = _("The dry run is on its way") if on_its_way else _("The dry run is missing")
        label = _("Start the dry run") if yours else _("See the dry run")
        url = gate_url(board.handover, StepKind.EXECUTION) + "#dry-run"
        yield Blocker(title, url, label, why=problem, soft=on_its_way, yours=yours)


# ---- the book itself


def _book(board: Board, step: Step) -> Iterator[Blocker]:
    before = step.kind in {StepKind.NECESSITY, StepKind.SCOPE, StepKind.PLAN}
    if not before and not (step.kind == StepKind.BACKUP and step.state == StepState.DRAFT):
        return
    book, mine = board.handover.book, is_member(board.user, board.handover.seller_id)
    if not book.customers.exists():
        title = _("The book “%(book)s” has no customers") % {"book": book.name}
        why = _("Without customers there is nothing to back up or to hand over.")
        url = reverse("customers:import_upload", args=[book.pk]) if mine else gate_url(board.handover, step.kind)
        label = _("Import a file") if mine else _("Read it")
        yield Blocker(title, url, label, why=why, soft=before, yours=mine and not before)
    storing = Import.objects.filter(book=book, state=ImportState.STORING).defer("problems", "head").first()
    if storing is not None:
        why = _("Wait until it is done, then start the backup.")
        url = reverse("customers:import", args=[storing.pk]) if mine else gate_url(board.handover, step.kind)
        label = _("See the import") if mine else _("Read it")
        yield Blocker(_("A file is being stored in the book"), url, label, why=why, soft=before)


# ---- the calendar


def _dates(board: Board, step: Step, today: date) -> Iterator[Blocker]:
    handover = board.handover
    plan, url = getattr(handover, "plan", None), gate_url(handover, StepKind.PLAN)
    ahead = step.kind in {StepKind.BACKUP, StepKind.EXECUTION} and step.state != StepState.RUNNING
    if plan is not None and ahead and plan.starts_on > today:
        title = _("The transfer starts on %(date)s at the earliest") % {"date": date_format(plan.starts_on)}
        by = _("Waits for the calendar: the plan says so")
        yield Blocker(title, url, _("See the plan"), by=by, soft=True)
    if plan is not None and step.kind == StepKind.PLAN and step.state == StepState.DRAFT and plan.starts_on < today:
        title = _("The plan starts in the past, on %(date)s") % {"date": date_format(plan.starts_on)}
        yield Blocker(title, url, _("Change the day"), here=True)
    if handover.due_on < today:
        title = _("The handover was to be completed by %(date)s") % {"date": date_format(handover.due_on)}
        label = _("See what is open")
        yield Blocker(title, gate_url(handover, step.kind), label, soft=True)
