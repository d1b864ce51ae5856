"""Go or no-go: every condition of the six gates, done, open or not its time yet, and who waits on whom. Reads only."""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime

from django.db.models import TextChoices
from django.urls import reverse
from django.utils import timezone
from django.utils.formats import date_format
from django.utils.functional import Promise
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy, pgettext, pgettext_lazy

from compliance import law
from compliance.assessing import assessment_of
from handover import abroad
from handover.blockers import Blocker, blockers_of
from handover.content import SUBJECT, newest_proposal, proven_backup, proven_execution
from handover.findings import Found, findings_of
from handover.gates import Board, approvals_of, gate_url, number_of, organization_on, turns_of
from handover.legal import basis_obstacle, demanding
from handover.models import Step
from handover.selectors import steps_of
from handover.services import holding_out, rehearsing, screening
from handover.services.plan import lacking
from handover.workflow import ORDER, REQUIRED, HandoverState, Side, StepKind, StepState


class Mark(TextChoices):
    DONE = "done", pgettext_lazy("condition", "Done")
    BLOCKED = "blocked", pgettext_lazy("condition", "Open")
    LATER = "later", pgettext_lazy("condition", "Not yet")


@dataclass(frozen=True, slots=True)
class Condition:
    """One condition of a gate. `why`: what is missing; `url`: where it is cured or read."""

    title: str | Promise
    mark: Mark
    url: str
    why: str = ""


@dataclass(frozen=True, slots=True)
class Gate:
    """The conditions of one gate. `passed`: nothing of it is open any more."""

    number: int
    label: str | Promise
    url: str
    passed: bool
    conditions: Sequence[Condition]


@dataclass(frozen=True, slots=True)
class Wait:
    """Somebody waits on somebody: `on` must act, `waits` cannot go on before."""

    on: str
    waits: str
    what: str
    yours: bool


@dataclass(frozen=True, slots=True)
class Readiness:
    """A handover as a whole. `go`: every condition before the two starts is met."""

    go: bool
    gates: Sequence[Gate]
    waits: Sequence[Wait]
    blockers: Sequence[Blocker]

    @property
    def open(self) -> int:
        """How many conditions are still to be met before the transfer may start."""
        return sum(one.mark != Mark.DONE for one in self._before())

    @property
    def done(self) -> int:
        return sum(one.mark == Mark.DONE for gate in self.gates for one in gate.conditions)

    @property
    def total(self) -> int:
        return sum(len(gate.conditions) for gate in self.gates)

    def _before(self) -> list[Condition]:
        last = number_of(StepKind.EXECUTION)
        return [one for gate in self.gates if gate.number <= last for one in gate.conditions]


def readiness_of(board: Board, now: datetime) -> Readiness:
    """How ready a handover is as its reader sees it."""
    findings = findings_of(board.handover)
    gates = [_gate(board, step, findings, now) for step in steps_of(board.handover)]
    last = number_of(StepKind.EXECUTION)
    before = [one for gate in gates if gate.number <= last for one in gate.conditions if one.title not in _STARTS]
    go = board.open and all(one.mark == Mark.DONE for one in before)
    return Readiness(go, gates, list(_waits(board)), blockers_of(board, now))


_STARTS = (gettext_lazy("The seller gives its start"), gettext_lazy("The buyer gives its start"))
_Found = Iterator[tuple[str | Promise, bool, str, str]]  # title, met, address, why not


def _gate(board: Board, step: Step, findings: Sequence[Found], now: datetime) -> Gate:
    kind = StepKind(step.kind)
    url, passed = gate_url(board.handover, kind), step.state == StepState.PASSED
    reached = ORDER.index(kind) <= ORDER.index(StepKind(board.current.kind))
    asked = reached and (step.state != StepState.DRAFT or kind == StepKind.EXECUTION)
    found = [(one, reached) for one in [*_CONDITIONS[kind](board, step, now), *_found(findings, kind)]]
    found += [(one, asked) for one in _approvals(board, step, asked)]
    conditions = [
        Condition(title, _mark(met or passed, due and board.open), where, "" if met or passed else why)
        for (title, met, where, why), due in found
    ]
    return Gate(number_of(kind), kind.label, url, passed, conditions)


def _found(findings: Sequence[Found], kind: StepKind) -> _Found:
    for one in findings:
        if one.gate == kind:
            title = _("What the audit found is cured: %(severity)s")
            yield title % {"severity": one.finding.get_severity_display()}, one.cured, one.url, one.finding.text


def _mark(met: bool, reached: bool) -> Mark:
    if met:
        return Mark.DONE
    return Mark.BLOCKED if reached else Mark.LATER


def _approvals(board: Board, step: Step, asked: bool) -> _Found:
    url = gate_url(board.handover, StepKind(step.kind))
    for row in approvals_of(board, step):
        if step.kind == StepKind.EXECUTION:
            title: str | Promise = _STARTS[REQUIRED[StepKind.EXECUTION].index(row.side)]
        else:
            title = _("%(organization)s has approved") % {"organization": row.organization}
        why = _("Waits for %(names)s") % {"names": row.person} if asked else str(row.person)
        yield title, row.at is not None, row.url or url, why


# ---- the conditions of each gate


def _necessity(board: Board, step: Step, now: datetime) -> _Found:
    handover = board.handover
    url = gate_url(handover, StepKind.NECESSITY)
    yield _("The book has customers"), handover.book.customers.exists(), url, _("Import a file into the book first.")
    yield _("The necessity is written"), step.author_id is not None, url, _("The seller writes it.")


def _scope(board: Board, step: Step, now: datetime) -> _Found:
    proposed = newest_proposal(board.handover) is not None
    yield (
        _("A version of the scope is on the table"),
        proposed,
        gate_url(board.handover, StepKind.SCOPE),
        _("Either side proposes one."),
    )


def _plan(board: Board, step: Step, now: datetime) -> _Found:
    handover = board.handover
    url, plan = gate_url(handover, StepKind.PLAN), getattr(handover, "plan", None)
    yield _("The plan is written"), plan is not None, url, _("The seller writes it.")
    if demanding(handover, law.ASSESSMENT):
        assessed = assessment_of(SUBJECT, handover.pk) is not None
        where = reverse("handover:assessment", args=[handover.pk])
        yield _("The impact assessment is written"), assessed, where, _("The seller writes it, before the plan.")
    if plan is None:
        yield _("The plan has what the law asks"), False, url, ""
        return
    wrong = list(lacking(plan, now, assessed=False))
    yield _("The plan has what the law asks"), not wrong, url, " ".join(wrong)


def _backup(board: Board, step: Step, now: datetime) -> _Found:
    handover = board.handover
    # One of before the gate was sent back, or shut, counts no more.
    proven = proven_backup(handover) is not None and step.state in {StepState.SUBMITTED, StepState.PASSED}
    url = gate_url(handover, StepKind.BACKUP)
    yield _("A test restore has proven the backup"), proven, url, _("The seller starts the backup.")


def _execution(board: Board, step: Step, now: datetime) -> _Found:
    handover = board.handover
    plan, url = getattr(handover, "plan", None), gate_url(handover, StepKind.EXECUTION)
    if plan is not None:
        unlawful = basis_obstacle(handover)
        where = gate_url(handover, StepKind.PLAN)
        yield _("The legal basis serves customers of the book"), not unlawful, where, unlawful
        early = plan.starts_on > timezone.localdate(now)
        text = _("Not before %(date)s, as the plan says.") % {"date": date_format(plan.starts_on)} if early else ""
        yield _("The first day of the plan has come"), not early, url, text
        leaving = abroad.obstacle(handover, now)
        where = reverse("handover:mechanism", args=[handover.pk])
        yield _("A mechanism covers those who leave their country"), not leaving, where, leaving
    told = holding_out.obstacle(handover, now) if plan is not None else ""
    notices = reverse("handover:notices", args=[handover.pk])
    yield _("Customers are told, and their time to answer is over"), plan is not None and not told, notices, told
    free = screening.obstacle(handover)
    begun = screening.latest_screening(handover) is not None
    why = free if begun else _("Reading it begins with the backup.")
    yield _("The free text of the book is cleared"), not free, gate_url(handover, StepKind.BACKUP), why
    shut = step.state == StepState.SHUT
    untried = rehearsing.obstacle(handover)
    yield _("A dry run has counted what would cross"), not shut and not untried, url, untried


def _audit(board: Board, step: Step, now: datetime) -> _Found:
    proven = proven_execution(board.handover) is not None
    url = gate_url(board.handover, StepKind.AUDIT)
    yield _("What arrived was read back and is equal"), proven, url, _("It happens by itself after the transfer.")


_CONDITIONS: dict[StepKind, Callable[[Board, Step, datetime], _Found]] = {
    StepKind.NECESSITY: _necessity,
    StepKind.SCOPE: _scope,
    StepKind.PLAN: _plan,
    StepKind.BACKUP: _backup,
    StepKind.EXECUTION: _execution,
    StepKind.AUDIT: _audit,
}


# ---- who waits on whom


def _waits(board: Board) -> Iterator[Wait]:
    """For each side that must act at the gate that is open: who waits for it."""
    if board.handover.state != HandoverState.OPEN:
        return
    gate = turns_of(board, board.current)
    acting = {turn.side for turn in gate}
    others = [organization_on(board.handover, side).name for side in Side if side not in acting]
    waits = pgettext("list", ", ").join(others) or _("The other sides")
    for turn in gate:
        yield Wait(turn.organization, waits, turn.sentence, turn.yours)
