"""What waits for a person in the handovers of their business, and the handovers on the home page.

Reviews wait in the review queue; the compliance room says so."""

from collections.abc import Iterator, Sequence
from datetime import datetime

from django.db.models import Count, Q
from django.urls import reverse
from django.utils import timezone
from django.utils.functional import Promise
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy, ngettext

from accounts.models import Membership, User
from accounts.panels import Panel
from accounts.permissions import is_member
from accounts.selectors import memberships, organizations_of
from accounts.waiting import Waiting
from handover.after_duties import after_waiting
from handover.blockers import cure_of, is_hindered
from handover.clearance import may_take_package
from handover.content import newest_proposal
from handover.gates import Board, Turn, acts_of, gate_url, turns_of
from handover.lines import lines_of
from handover.models import Delivery, Handover, Step, TransferPlan
from handover.selectors import (
    handovers_visible_to,
    handovers_with_stopped_push,
    handovers_without_place,
    step_of,
    with_gates,
)
from handover.services import holding_out, screening
from handover.services.questions import speaks_for
from handover.threads import unanswered
from handover.waiting_lines import ANSWERS, BLOCKS, INFORMS, waiting_line
from handover.workflow import HandoverState, Side, StepKind, StepState

_LISTED = 6
_S, _K = StepState, StepKind

_TITLES: dict[tuple[StepKind, StepState], Promise] = {
    (_K.NECESSITY, _S.DRAFT): gettext_lazy("Write why the buyer needs the data"),
    (_K.NECESSITY, _S.SUBMITTED): gettext_lazy("Approve the necessity"),
    (_K.SCOPE, _S.DRAFT): gettext_lazy("Propose which fields cross"),
    (_K.SCOPE, _S.SUBMITTED): gettext_lazy("Answer the proposed scope"),
    (_K.PLAN, _S.DRAFT): gettext_lazy("Write the plan of the transfer"),
    (_K.PLAN, _S.SUBMITTED): gettext_lazy("Approve the plan of the transfer"),
    (_K.BACKUP, _S.DRAFT): gettext_lazy("Start the backup"),
    (_K.BACKUP, _S.SUBMITTED): gettext_lazy("Approve the backup"),
    (_K.EXECUTION, _S.DRAFT): gettext_lazy("Give your start of the transfer"),
    (_K.EXECUTION, _S.SUBMITTED): gettext_lazy("Give the second start of the transfer"),
}
_AGAIN: dict[StepKind, Promise] = {
    _K.NECESSITY: gettext_lazy("The necessity was sent back: change it"),
    _K.SCOPE: gettext_lazy("The scope was sent back: propose another version"),
    _K.PLAN: gettext_lazy("The plan was sent back: change it"),
    _K.BACKUP: gettext_lazy("The backup was sent back: start another"),
}


def handovers_waiting(user: User, now: datetime) -> Sequence[Waiting]:
    """What a person of a seller or a buyer can do now so that a handover goes on."""
    own = organizations_of(user)
    if not own:
        return []
    parties = Q(seller__in=own) | Q(buyer__in=own)
    found = with_gates(Handover.objects.filter(parties, state=HandoverState.OPEN).select_related(*Side, "book", "plan"))
    waiting = [item for handover in found for item in _of(Board(handover, user), now)]
    return waiting + list(_packages(user)) + list(after_waiting(user, now))


def _of(board: Board, now: datetime) -> Iterator[Waiting]:
    step = board.current
    yield from _screening(board, step)
    yield from _telling(board, step)
    yield from _questions(board, step)
    if is_hindered(board.handover, now):
        return
    mine = [turn for turn in turns_of(board, step) if turn.yours and turn.side is not Side.REVIEWER]
    yield from (_turn(board, step, turn) for turn in mine[:1])
    if not mine and step.kind == _K.SCOPE and step.state == _S.SUBMITTED:
        yield from _answer(board, step)


def _turn(board: Board, step: Step, turn: Turn) -> Waiting:
    kind, state = StepKind(step.kind), StepState(step.state)
    title = _AGAIN[kind] if step.remark and state is _S.DRAFT else _TITLES[kind, state]
    url, button = cure_of(board, step, turn)
    return waiting_line(board.handover, title, url, button, BLOCKS)


def _answer(board: Board, step: Step) -> Iterator[Waiting]:
    """The other side's clerks cannot approve the version on the table, but may answer it with another."""
    newest, side = newest_proposal(board.handover), acts_of(board, step).draft
    if newest is None or side is None or side == newest.side:
        return
    title = _("Read version %(version)s of the scope and answer it if it does not fit") % {"version": newest.version}
    yield waiting_line(board.handover, title, gate_url(board.handover, _K.SCOPE), _("Read it"), ANSWERS)


def _questions(board: Board, step: Step) -> Iterator[Waiting]:
    """Questions of the other side about the scope, while it is negotiated."""
    side = speaks_for(board.user, step) if step.kind == _K.SCOPE else None
    if side is not None and (count := unanswered(board.handover, side)):
        title = ngettext(
            "Answer %(count)s question about the scope", "Answer %(count)s questions about the scope", count
        )
        url = reverse("handover:scope_questions", args=[board.handover.pk])
        yield waiting_line(board.handover, title % {"count": count}, url, _("Answer"), ANSWERS)


def _screening(board: Board, step: Step) -> Iterator[Waiting]:
    """Free text that nobody has cleared and that nobody reads any more."""
    begun = step.kind == _K.EXECUTION or (step.kind == _K.BACKUP and step.state in {_S.RUNNING, _S.SUBMITTED})
    handover = board.handover
    mine = begun and screening.may_screen(board.user, step_of(handover, _K.BACKUP))
    if mine and screening.needs_another(handover):
        url = gate_url(handover, _K.BACKUP)
        yield waiting_line(handover, _("Screen the free text of the book again"), url, _("Screen it again"), BLOCKS)


def _telling(board: Board, step: Step) -> Iterator[Waiting]:
    """Customers who are still to be told, for the people of the seller."""
    due = step.kind in {_K.BACKUP, _K.EXECUTION} and step.state != _S.RUNNING
    handover = board.handover
    if due and is_member(board.user, handover.seller_id) and holding_out.waits_for_seller(handover):
        url = reverse("handover:notices", args=[handover.pk])
        yield waiting_line(
            handover, _("Tell the customers that their data crosses"), url, _("Tell the customers"), BLOCKS
        )


def _packages(user: User) -> Iterator[Waiting]:
    """Packages that nobody has taken yet, and places that are to be stated for them, for the buyer's leads."""
    led = [place.organization_id for place in memberships(user) if place.role == Membership.Role.LEAD]
    ready = Delivery.objects.filter(handover__buyer__in=led, ready_at__isnull=False, destroyed_at=None, downloads=0)
    ready = ready.filter(handover__plan__method=TransferPlan.Method.PACKAGE)
    for delivery in ready.select_related(*(f"handover__{side}" for side in Side)):
        if not may_take_package(user, delivery.handover):
            continue
        url = reverse("handover:package", args=[delivery.handover_id])
        yield waiting_line(delivery.handover, _("Download the encrypted package"), url, _("Download"), INFORMS)
    for handover in handovers_without_place(led):
        url = reverse("handover:target", args=[handover.pk])
        title = _("Say where the package of the customers' data goes")
        yield waiting_line(handover, title, url, _("State the place"), ANSWERS)
    for handover in handovers_with_stopped_push(led):
        url = reverse("handover:package", args=[handover.pk])
        yield waiting_line(handover, _("The sending of the package stopped"), url, _("See why"), ANSWERS)


def handovers_panel(user: User, now: datetime) -> Sequence[Panel]:
    """The open handovers that the person sees, the ones due first on top."""
    visible = handovers_visible_to(user).filter(state=HandoverState.OPEN)
    first = visible.order_by("due_on", "created_at").annotate(customers_count=Count("book__customers"))
    lines = lines_of(list(with_gates(first)[:_LISTED]), user, timezone.localdate(now))
    if not lines:
        return []
    return [Panel("handover/panel.html", {"lines": lines, "open": visible.count()}, order=10)]
