"""What every page of a handover says: the six gates, who acts next by name, who has approved, and what I may do.

Reads only. A handover read by `selectors.with_gates` costs no query here but for what `acts_of` must ask.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime
from uuid import UUID

from django.urls import reverse
from django.utils import timezone
from django.utils.formats import date_format
from django.utils.functional import Promise
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy, ngettext, pgettext

from accounts.models import Membership, Organization, User
from compliance.models import Review
from handover.models import Approval, Handover, Step
from handover.permissions import is_permitted, side_for
from handover.selectors import BackupLeft, current_step, standing_approvals, steps_of
from handover.workflow import ORDER, REQUIRED, HandoverState, Rank, Right, Side, StepKind, StepState, find

_NAMED = 3  # people that a sentence names before it counts the rest
_LEADS = {Side.REVIEWER: Membership.Role.REVIEWER}


@dataclass(frozen=True, slots=True)
class Turn:
    """A side that must act now. `sentence` names its people, `yours`: you are one of them."""

    side: Side
    organization: str
    people: tuple[User, ...]
    names: str
    sentence: str
    yours: bool


@dataclass(frozen=True, slots=True)
class Gate:
    """One gate in the stepper. `doing`: how it stands, in words; `who`: the people who passed it or will have to."""

    number: int
    kind: StepKind
    label: str | Promise
    state: StepState
    url: str
    now: bool
    doing: str
    who: str
    turns: tuple[Turn, ...] = ()


@dataclass(frozen=True, slots=True)
class Row:
    """One line of the approvals. `person`: who approved, or who may; `at` None: not given. `state` is a tag's word and
    `kind` its color."""

    side: Side
    organization: str
    person: str
    state: str
    kind: str
    at: datetime | None = None
    url: str = ""


@dataclass(frozen=True, slots=True)
class Acts:
    """What the reader of the page may do with a step as it stands: the side on which, or None."""

    draft: Side | None = None
    submit: Side | None = None
    approve: Side | None = None
    send_back: Side | None = None
    start_backup: Side | None = None
    start: Side | None = None
    review_url: str = ""
    why_not_approve: str = ""


@dataclass(frozen=True, slots=True)
class Board:
    """A handover as one reader sees it. `hindered`: a start of the transfer would be refused now (`blockers`). `left`:
    the backup of one that was stopped."""

    handover: Handover
    user: User
    reviews: Mapping[UUID, Review] = field(default_factory=dict)
    hindered: bool = False
    left: BackupLeft | None = None

    @property
    def current(self) -> Step:
        return current_step(self.handover)

    @property
    def current_url(self) -> str:
        """The page of the gate at which the handover stands."""
        return gate_url(self.handover, self.current.kind)

    @property
    def open(self) -> bool:
        return self.handover.state == HandoverState.OPEN


def gate_url(handover: Handover, kind: str) -> str:
    """The page of a gate."""
    return reverse(f"handover:{kind}", args=[handover.pk])


def number_of(kind: str) -> int:
    """1 to 6."""
    return ORDER.index(StepKind(kind)) + 1


def gates_of(board: Board) -> list[Gate]:
    """The six gates in their order."""
    current = board.current
    return [_gate(board, step, step.pk == current.pk and board.open) for step in steps_of(board.handover)]


def _gate(board: Board, step: Step, is_now: bool) -> Gate:
    kind = StepKind(step.kind)
    return Gate(
        number=number_of(kind),
        kind=kind,
        label=kind.label,
        state=StepState(step.state),
        url=gate_url(board.handover, kind),
        now=is_now,
        doing=doing(step),
        who=_who(step),
        turns=tuple(turns_of(board, step)) if is_now else (),
    )


# ---- how a gate stands, in words

_DOING: dict[tuple[StepKind, StepState], str | Promise] = {
    (StepKind.SCOPE, StepState.DRAFT): gettext_lazy("No version is on the table"),
    (StepKind.BACKUP, StepState.DRAFT): gettext_lazy("Not started yet"),
    (StepKind.BACKUP, StepState.RUNNING): gettext_lazy("The book is being copied and restored"),
    (StepKind.EXECUTION, StepState.DRAFT): gettext_lazy("Waits for two starts"),
    (StepKind.EXECUTION, StepState.SUBMITTED): gettext_lazy("Waits for the second start"),
    (StepKind.EXECUTION, StepState.RUNNING): gettext_lazy("Customers are crossing"),
    (StepKind.AUDIT, StepState.SUBMITTED): gettext_lazy("Waits for the reviewer"),
}


def doing(step: Step) -> str:
    """How a gate stands, as a short sentence without its name."""
    kind, state = StepKind(step.kind), StepState(step.state)
    if state is StepState.PASSED and step.passed_at:
        return _("Passed %(date)s") % {"date": day(step.passed_at)}
    if step.handover.state == HandoverState.STOPPED:
        return _("Not reached") if state is StepState.SHUT else _("Stopped here")
    if state is StepState.SHUT:
        return _("Opens after gate %(number)s") % {"number": number_of(kind) - 1}
    return _working(step, kind, state)


def _working(step: Step, kind: StepKind, state: StepState) -> str:
    if state is StepState.DRAFT and step.remark:
        return _("Sent back, to be changed")
    if (kind, state) in _DOING:
        return str(_DOING[kind, state])
    if state is StepState.SUBMITTED:
        return _given(len(standing_approvals(step)), len(REQUIRED[kind]))
    return str(state.label)


def _given(given: int, needed: int) -> str:
    if not given:
        return _("Waits for approval")
    return _("Approved by %(given)s of %(needed)s") % {"given": given, "needed": needed}


def day(at: datetime) -> str:
    """A date as it stands in the stepper."""
    return date_format(timezone.localtime(at), pgettext("date format", "j M"))


def _who(step: Step) -> str:
    given = [approval.user.name for approval in standing_approvals(step)]
    if step.state == StepState.PASSED:
        return _listed(given)
    if step.handover.state != HandoverState.OPEN:
        return ""
    sides = [str(Side(side).label) for side in REQUIRED[StepKind(step.kind)]]
    if step.kind == StepKind.EXECUTION:
        return _("Starts: %(sides)s") % {"sides": _listed(sides)}
    return _("Approval: %(sides)s") % {"sides": _listed(sides)}


def _listed(names: Sequence[str]) -> str:
    return pgettext("list", ", ").join(names)


# ---- who acts next

_SENTENCES: dict[str, str | Promise] = {
    "draft": gettext_lazy("%(names)s prepares it"),
    "redraft": gettext_lazy("%(names)s changes it and submits it again"),
    "propose": gettext_lazy("%(names)s may propose a version"),
    "submit": gettext_lazy("%(names)s submits it"),
    "approve": gettext_lazy("%(names)s approves"),
    "answer": gettext_lazy("%(names)s approves or answers"),
    "review": gettext_lazy("%(names)s decides the review"),
    "start_backup": gettext_lazy("%(names)s starts the backup"),
    "start": gettext_lazy("%(names)s gives the start"),
    "start_later": gettext_lazy("%(names)s gives the start when nothing stands in the way"),
}


def turns_of(board: Board, step: Step) -> list[Turn]:
    """The sides that must act now so that a step goes on; empty when the platform works or the step is not open."""
    if not board.open:
        return []
    if step.state == StepState.DRAFT:
        return _to_prepare(board, step)
    if step.state == StepState.SUBMITTED:
        return [_to_approve(board, step, side) for side in missing_sides(step)]
    return []


def missing_sides(step: Step) -> list[Side]:
    """The sides whose approval or start a step still needs."""
    given = {approval.side for approval in standing_approvals(step)}
    return [side for side in REQUIRED[StepKind(step.kind)] if side not in given]


def _to_prepare(board: Board, step: Step) -> list[Turn]:
    kind = StepKind(step.kind)
    if kind is StepKind.EXECUTION:
        return [_start(board, step, side) for side in REQUIRED[kind]]
    if kind is StepKind.AUDIT:
        return []
    if kind is StepKind.BACKUP:
        return [_turn(board, Side.SELLER, "start_backup", _writers(board, step, Side.SELLER, "start_backup"))]
    if kind is StepKind.SCOPE:
        sides = (Side.SELLER, Side.BUYER)
        return [_turn(board, side, "propose", _writers(board, step, side, "draft")) for side in sides]
    # Whoever wrote the impact assessment is a writer of a plan that may not be there yet.
    written = step.author_id and (kind is not StepKind.PLAN or hasattr(board.handover, "plan"))
    if written and not step.remark:
        return [_turn(board, Side.SELLER, "submit", _actors(step, Side.SELLER))]
    verb = "redraft" if step.remark else "draft"
    return [_turn(board, Side.SELLER, verb, _writers(board, step, Side.SELLER, "draft"))]


def _to_approve(board: Board, step: Step, side: Side) -> Turn:
    if step.kind == StepKind.EXECUTION:
        return _start(board, step, side)
    if side is Side.REVIEWER:
        review = board.reviews.get(step.pk)
        claimed = [review.claimed_by] if review and review.claimed_by else []
        return _turn(board, side, "review", claimed or _leads(board, step, side))
    return _turn(board, side, "answer" if step.kind == StepKind.SCOPE else "approve", _leads(board, step, side))


def _start(board: Board, step: Step, side: Side) -> Turn:
    turn = _turn(board, side, "start_later" if board.hindered else "start", _leads(board, step, side))
    return replace(turn, yours=turn.yours and not board.hindered)


def organization_on(handover: Handover, side: Side) -> Organization:
    """The organization that stands on a side."""
    places = {Side.SELLER: handover.seller, Side.BUYER: handover.buyer, Side.REVIEWER: handover.reviewer}
    return places[side]


def _turn(board: Board, side: Side, verb: str, people: Iterable[User]) -> Turn:
    found = tuple(people)
    organization = organization_on(board.handover, side).name
    names = named(found, board.user)
    if found:
        sentence = str(_SENTENCES[verb]) % {"names": names}
    else:
        sentence = _("Nobody at %(organization)s may do this yet") % {"organization": organization}
    yours = any(person.pk == board.user.pk for person in found)
    return Turn(side, organization, found, names, sentence, yours)


def named(people: Sequence[User], user: User) -> str:
    """People by name, the reader first and marked."""
    ordered = sorted(people, key=lambda person: person.pk != user.pk)
    names = [_("%(name)s (you)") % {"name": one.name} if one.pk == user.pk else one.name for one in ordered]
    if len(names) > _NAMED:
        rest = len(names) - _NAMED + 1
        more = ngettext("%(count)s more", "%(count)s more", rest) % {"count": rest}
        names = [*names[: _NAMED - 1], more]
    return pgettext("between names: one of them", " or ").join(names)


def _actors(step: Step, side: Side) -> list[User]:
    people = (place.user for place in _places(step.handover, side))
    return [person for person in people if is_permitted(person, step, side, Right.ACT)]


def _places(handover: Handover, side: Side) -> list[Membership]:
    places = organization_on(handover, side).memberships.all()
    return sorted((place for place in places if place.user.is_active), key=lambda place: place.user.name)


def _binding(step: Step, side: Side) -> list[User]:
    role = _LEADS.get(side, Membership.Role.LEAD)
    people = (place.user for place in _places(step.handover, side) if place.role == role)
    return [person for person in people if is_permitted(person, step, side, Right.APPROVE)]


def _leads(board: Board, step: Step, side: Side) -> list[User]:
    """Who may approve or start for a side: nobody approves what they wrote, or for two sides."""
    out = {writer.pk for writer in step.writers.all()} | {step.author_id}
    out |= {approval.user_id for approval in standing_approvals(step)}
    return [lead for lead in _binding(step, side) if lead.pk not in out]


def _writers(board: Board, step: Step, side: Side, name: str) -> list[User]:
    """Who may write for a side: not its only lead, if the side must approve, because then nobody could."""
    move = find(step.kind, name)
    people, leads = _actors(step, side), _binding(step, side)
    if move is None or side not in move.sides:
        return []
    if move.rank is Rank.LEAD:
        return leads
    if move.writes and side in REQUIRED[StepKind(step.kind)] and len(leads) == 1:
        return [person for person in people if person.pk != leads[0].pk]
    return people


# ---- who has approved


def approvals_of(board: Board, step: Step) -> list[Row]:
    """A line for every side that must approve the step, in the order of `workflow.REQUIRED`."""
    given = {approval.side: approval for approval in standing_approvals(step)}
    return [_row(board, step, side, given.get(side)) for side in REQUIRED[StepKind(step.kind)]]


def _row(board: Board, step: Step, side: Side, given: Approval | None) -> Row:
    organization = organization_on(board.handover, side).name
    if given is not None:
        word = _("Start given") if step.kind == StepKind.EXECUTION else _("Approved")
        return Row(side, organization, named([given.user], board.user), word, "ok", given.at)
    people = named(_leads(board, step, side), board.user) or _("Nobody yet")
    if step.state == StepState.SUBMITTED and board.open:
        url = review_url(board, step) if side is Side.REVIEWER else ""
        return Row(side, organization, people, _("Waiting"), "wait", url=url)
    return Row(side, organization, people, _("Not asked yet"), "")


def review_url(board: Board, step: Step) -> str:
    """The review of a step in the review queue, or an empty text when none waits."""
    review = board.reviews.get(step.pk)
    return reverse("compliance:review", args=[review.pk]) if review else ""


# ---- what I may do


def acts_of(board: Board, step: Step) -> Acts:
    """What the reader may do with a step now. Asks the permissions, so it is what the services will say too."""
    moves = {name: side_for(board.user, step, name) for name in ("draft", "submit", "start_backup")}
    approve, start = _own_missing(board, step, "approve"), _own_missing(board, step, "start")
    reviewer = Side.REVIEWER in missing_sides(step) and step.state == StepState.SUBMITTED
    decides = reviewer and board.user in _leads(board, step, Side.REVIEWER)
    back = side_for(board.user, step, "send_back")
    wrote = board.user.pk in {step.author_id, *(writer.pk for writer in step.writers.all())}
    return Acts(
        **moves,
        approve=None if wrote else approve,
        send_back=None if back is Side.REVIEWER else back,
        start=None if wrote else start,
        review_url=review_url(board, step) if decides else "",
        why_not_approve=_("You wrote a part of this, so another lead approves it.") if wrote and approve else "",
    )


def _own_missing(board: Board, step: Step, name: str) -> Side | None:
    """The side whose missing yes the reader could give; the reviewer's is given in the review queue."""
    if side_for(board.user, step, name) is None:
        return None
    sides = [side for side in missing_sides(step) if side is not Side.REVIEWER]
    return next((side for side in sides if board.user in _binding(step, side)), None)
