"""What the pages of a handover share: reading it for the signed-in person, and the frame of a gate's page."""

from collections.abc import Mapping
from typing import cast
from uuid import UUID

from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, render
from django.utils import timezone
from django.utils.translation import gettext as _

from accounts.models import User
from handover.blockers import blockers_of, is_hindered
from handover.clearance import clearance_on
from handover.content import digest_of
from handover.findings import findings_of
from handover.gates import Board, acts_of, approvals_of, gates_of, turns_of
from handover.models import Handover, Step
from handover.permissions import sides_of
from handover.selectors import backup_left, handovers_visible_to, live_reviews, step_of, steps_of, with_gates
from handover.workflow import HandoverState, Side, StepKind
from ledger.models import Entry
from ledger.selectors import entries_of

_READ, _SHOWN = 200, 10
# At these gates values are opened or work begins that opens them.
_OPENING = {StepKind.BACKUP, StepKind.EXECUTION, StepKind.AUDIT}


def user_of(request: HttpRequest) -> User:
    """The signed-in person of a view behind `login_required`."""
    return cast(User, request.user)


def visible(request: HttpRequest, handover_id: UUID) -> Handover:
    """The handover with its gates, or 404. Read it again after a refused change: a service may have touched it."""
    return get_object_or_404(with_gates(handovers_visible_to(user_of(request))), pk=handover_id)


def board_of(request: HttpRequest, handover: Handover) -> Board:
    """The handover as the signed-in person sees it."""
    hindered = handover.state == HandoverState.OPEN and is_hindered(handover, timezone.now())
    left = backup_left(handover, timezone.localdate()) if handover.state == HandoverState.STOPPED else None
    return Board(handover, user_of(request), live_reviews(steps_of(handover)), hindered, left)


def own_side(request: HttpRequest, handover: Handover) -> Side:
    """The side in whose name a person without the right asks: the service answers why not. Never the reviewer's, whose
    yes is a decided review."""
    sides = [side for side in sides_of(user_of(request), handover) if side is not Side.REVIEWER]
    return sides[0] if sides else Side.SELLER


def saved_meanwhile(request: HttpRequest, step: Step) -> str:
    """What to tell a person whose form began with another draft than the one that is saved now; or an empty text."""
    seen = request.POST.get("seen", "")
    if not seen or seen == digest_of(step).hex() or step.author is None:
        return ""
    message = _("%(name)s has saved another draft since you opened the page. Compare it; what you wrote is still here.")
    return message % {"name": step.author.name}


def gate_page(
    request: HttpRequest,
    handover: Handover,
    kind: StepKind,
    template: str,
    *,
    context: Mapping[str, object] | None = None,
    status: int = 200,
) -> HttpResponse:
    """Render a template that extends `handover/gate_base.html`.

    The frame gives it: board, handover, step, gate, gates, turns, blockers, findings, approvals, acts, clearance,
    entries.
    """
    board, step = board_of(request, handover), step_of(handover, kind)
    gates = gates_of(board)
    is_current = board.open and step.pk == board.current.pk
    blockers = blockers_of(board, timezone.now()) if is_current else []
    found = findings_of(handover)
    frame = {
        "findings": [one for one in found if kind in {one.gate, StepKind.AUDIT}],
        "board": board,
        "handover": handover,
        "step": step,
        "gate": next(gate for gate in gates if gate.kind == kind),
        "gates": gates,
        "turns": turns_of(board, step),
        "blockers": [blocker for blocker in blockers if not blocker.here],
        "approvals": approvals_of(board, step),
        "acts": acts_of(board, step),
        "clearance": clearance_on(board.user, handover, timezone.now()) if kind in _OPENING else None,
        "entries": _entries(handover, kind),
    }
    return render(request, template, {**frame, **(context or {})}, status=status)


def _entries(handover: Handover, kind: StepKind) -> list[Entry]:
    entries = entries_of("handover", handover.pk, _READ)
    return [entry for entry in entries if entry.verb.startswith(f"handover.{kind}.")][:_SHOWN]
