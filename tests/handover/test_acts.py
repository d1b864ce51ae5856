"""What people do, by the services that the pages call: each act is let through for whom the table names, for nobody
else, and every refusal leaves everything as it was."""

from collections.abc import Callable
from typing import Any, NamedTuple

import move_table as table
import pytest
from django.db import transaction
from django.utils import timezone
from move_table import PLACES
from stand import Stand, watched

from accounts.services import add_membership, add_person
from handover import demo
from handover.content import digest_of
from handover.errors import HandoverError
from handover.fields import SCOPE_FIELDS
from handover.models import Step
from handover.services import approving, backing_up, executing, necessity, plan, scope
from handover.workflow import MOVES, Side, StepKind, StepState


class Act(NamedTuple):
    """How a gate comes to where the act is possible, and the act. `side`: the only one that the service knows."""

    prepare: Callable[[Stand], Any]
    do: Callable[[Stand, Any, Any], Any]
    side: Side | None = None


def _crossings():
    return [
        scope.Crossing(field.category, field.name, "as_is" if field.always else "drop", "The number.")
        for field in SCOPE_FIELDS
    ]


def _save_necessity(stand, actor, _side):
    texts = {"basic": "To deliver."}
    step = stand.step(StepKind.NECESSITY)
    necessity.save_draft(actor=actor, step=step, purpose="Deliveries.", categories=texts, now=timezone.now())


def _save_plan(stand, actor, _side):
    terms = plan.PlanTerms(
        method="inside",
        recipient_key="",
        file_format="",
        legal_basis="pipl22",
        starts_on=timezone.localdate(),
        chunk_size=50,
        retention_months=12,
        disposition="keep",
        safeguards="Sealed.",
        telling="outside",
        answer_until=None,
        told_on=timezone.localdate(),
        told_how="Letter.",
        contract_reference="Agreement 7",
        contract_on=timezone.localdate(),
    )
    plan.save_draft(actor=actor, step=stand.step(StepKind.PLAN), terms=terms, now=timezone.now())


def _assess_and_save_plan(stand):
    demo.assess(stand.demo)
    _save_plan(stand, stand.cast.seller_clerk, None)


def _propose(stand, actor, side):
    step = stand.step(StepKind.SCOPE)
    scope.propose(actor=actor, step=step, side=side, crossings=_crossings(), note="", answers=0, now=timezone.now())


def _send_scope_back(stand):
    demo.propose_scope(stand.demo)
    step = stand.step(StepKind.SCOPE)
    approving.send_back(
        actor=stand.cast.seller_lead, step=step, side=Side.SELLER, reason="Fewer fields.", now=timezone.now()
    )


def _approve(kind):
    def do(stand, actor, side):
        step = stand.step(kind)
        approving.approve(actor=actor, step=step, side=side, digest=bytes(step.digest), now=timezone.now())

    return do


def _send_back(kind):
    def do(stand, actor, side):
        step = stand.step(kind)
        approving.send_back(actor=actor, step=step, side=side, reason="Not yet.", now=timezone.now())

    return do


def _start(stand, actor, side):
    step = stand.step(StepKind.EXECUTION)
    executing.start(actor=actor, step=step, side=side, digest=digest_of(step), now=timezone.now())


def _start_backup(stand, actor, side):
    backing_up.start_backup(actor=actor, step=stand.step(StepKind.BACKUP), side=side, now=timezone.now())


def _nothing(_stand):
    pass


def _both(kind, prepare):
    return {(kind, "approve"): Act(prepare, _approve(kind)), (kind, "send_back"): Act(prepare, _send_back(kind))}


N, S, P, B, E, A = StepKind
ACTS: dict[tuple[StepKind, str], Act] = {
    (N, "draft"): Act(_nothing, _save_necessity, Side.SELLER),
    (N, "submit"): Act(
        lambda stand: _save_necessity(stand, stand.cast.seller_clerk, None),
        lambda stand, actor, _side: necessity.submit(actor=actor, step=stand.step(N), now=timezone.now()),
        Side.SELLER,
    ),
    **_both(N, lambda stand: stand.submit(N)),
    (S, "draft"): Act(_nothing, _propose),
    (S, "submit"): Act(
        _send_scope_back,
        lambda stand, actor, side: approving.submit(actor=actor, step=stand.step(S), side=side, now=timezone.now()),
    ),
    **_both(S, lambda stand: stand.submit(S)),
    (P, "draft"): Act(_nothing, _save_plan, Side.SELLER),
    (P, "submit"): Act(
        _assess_and_save_plan,
        lambda stand, actor, _side: plan.submit(actor=actor, step=stand.step(P), now=timezone.now()),
        Side.SELLER,
    ),
    **_both(P, lambda stand: stand.submit(P)),
    (B, "start_backup"): Act(_nothing, _start_backup),
    **_both(B, lambda stand: stand.submit(B)),
    (E, "start"): Act(_nothing, _start),
    **_both(A, _nothing),
}


def _word_of_the_reviewer(name, side):
    """While a review waits, the reviewer's side approves and sends back by deciding it."""
    return side == Side.REVIEWER and name in {"approve", "send_back"}


def test_every_move_that_people_make_is_an_act():
    assert set(ACTS) == {(kind, move.name) for move in MOVES if move.sides for kind in move.kinds}


@pytest.mark.parametrize(("kind", "name"), ACTS)
def test_who_may_do_it(open_at, cast, actors, kind, name):
    stand, act, complaints = open_at(kind), ACTS[kind, name], []
    act.prepare(stand)
    before, state = watched(), StepState(stand.step(kind).state)
    for actor in PLACES:
        for side in [act.side] if act.side else [None, *Side]:
            if actors[actor] is None:
                continue
            may = table.allowed(kind, state, name, actor, side) and not _word_of_the_reviewer(name, side)
            with transaction.atomic():
                try:
                    act.do(stand, actors[actor], side)
                    changed = watched() != before
                    complaints += [] if may else [f"{actor} did it for {side}"]
                    complaints += [] if changed else [f"{actor} did it for {side} and nothing happened"]
                except HandoverError as error:
                    complaints += [f"{actor} was refused for {side}: {error}"] if may else []
                    complaints += [f"{actor} was refused and something changed"] if watched() != before else []
                transaction.set_rollback(True)
    assert not complaints, complaints
    _by_people_who_left(stand, act, cast)
    assert watched() == before


def _by_people_who_left(stand, act, cast):
    """The same people, the same moment, without their memberships."""
    for name in ("seller_lead", "seller_clerk", "buyer_lead"):
        with transaction.atomic():
            person = getattr(cast, name)
            person.memberships.all().delete()
            gone = type(person).objects.get(pk=person.pk)
            with pytest.raises(HandoverError):
                act.do(stand, gone, act.side or PLACES[name][0])
            transaction.set_rollback(True)


def test_a_lead_writes_when_a_second_one_can_approve(open_at, cast, now):
    stand = open_at(N)
    second = add_person(actor=None, email="qian.yu@jinghe.example", name="Qian Yu", is_staff=False, now=now)
    add_membership(actor=None, person=second, organization=cast.seller, role="lead", now=now)
    _save_necessity(stand, cast.seller_lead, None)
    assert stand.step(N).author == cast.seller_lead
    type(second).objects.filter(pk=second.pk).update(is_active=False)
    with pytest.raises(HandoverError, match="only lead of your side"):
        _save_necessity(stand, cast.seller_lead, None)


def test_no_gate_is_stuck_because_of_who_wrote(open_at):
    """After every act of writing somebody is left who may approve for each side that must."""
    stand = open_at()
    for kind in StepKind:
        stand.pass_gate(kind)
        assert Step.objects.get(handover=stand.handover, kind=kind).state == StepState.PASSED
