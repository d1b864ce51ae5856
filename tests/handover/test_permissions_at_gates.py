"""What a team may not do at a gate nobody of it does, whatever their role; and nobody does more than their role."""

import pytest
from clearing import nothing_opens
from django.utils import timezone
from pyrage import x25519
from stand import refused, stand_at

from accounts.models import Team, User
from accounts.services import grant, make_team
from customers.models import BookGroupPermission
from handover.clearance import may_take_package
from handover.errors import HandoverError
from handover.gates import Board, acts_of, turns_of
from handover.granting import HANDOVERS
from handover.models import Delivery, Execution, Handover, HandoverGroupPermission
from handover.permissions import has_rank, holders_of, leads_of, side_for
from handover.selectors import handovers_visible_to, step_of, with_gates
from handover.services import auditing, necessity, screening, tickets
from handover.workflow import PERMITS, Rank, Right, Side, StepKind, permit
from jobs import services as jobs

RECIPIENT = str(x25519.Identity.generate().to_public())
pytestmark = pytest.mark.django_db


def close(handover, role, organization, *permits):
    """The team of the role loses these permissions, or all."""
    rows = HandoverGroupPermission.objects.filter(
        content_object=handover, group__team__role=role, group__team__organization=organization
    )
    (rows.filter(permission__codename__in=permits) if permits else rows).delete()


def seen_by(user, handover):
    return with_gates(handovers_visible_to(user)).get(pk=handover.pk)


def test_a_new_handover_is_open_to_its_sides_as_before(open_at, cast):
    handover = open_at(StepKind.NECESSITY).handover
    ranks = {
        (name, kind): {
            (side, rank) for side in Side for rank in Rank if has_rank(user, step_of(handover, kind), side, rank)
        }
        for name, user in vars(cast).items()
        if isinstance(user, User)
        for kind in StepKind
    }
    both, act = set(Rank), {Rank.MEMBER}
    wanted = {
        "seller_lead": (Side.SELLER, both),
        "seller_clerk": (Side.SELLER, act),
        "buyer_lead": (Side.BUYER, both),
        "buyer_clerk": (Side.BUYER, act),
        "reviewer": (Side.REVIEWER, both),
        "second_reviewer": (Side.REVIEWER, both),
    }
    for (name, _kind), found in ranks.items():
        side, allowed = wanted.get(name, (None, set()))
        assert found == {(side, rank) for rank in allowed}, name


def test_who_may_not_act_writes_nothing_and_is_not_named(open_at, cast, now):
    stand = open_at(StepKind.NECESSITY)
    close(stand.handover, "clerk", cast.seller, "act_necessity")
    step = stand.step(StepKind.NECESSITY)
    assert side_for(cast.seller_clerk, step, "draft") is None
    with refused("Only people of these sides"):
        necessity.save_draft(actor=cast.seller_clerk, step=step, purpose="x", categories={}, now=now)
    seen = seen_by(cast.seller_clerk, stand.handover)
    step = step_of(seen, StepKind.NECESSITY)
    assert acts_of(Board(seen, cast.seller_clerk), step).draft is None
    names = [person for turn in turns_of(Board(seen, cast.seller_clerk), step) for person in turn.people]
    assert cast.seller_clerk not in names


def test_who_may_not_approve_binds_nobody(open_at, cast):
    handover = open_at(StepKind.NECESSITY).handover
    step = step_of(handover, StepKind.PLAN)
    assert leads_of(step, Side.SELLER) == [cast.seller_lead]
    close(handover, "lead", cast.seller, "approve_plan")
    step = step_of(Handover.objects.get(pk=handover.pk), StepKind.PLAN)
    assert leads_of(step, Side.SELLER) == []
    assert not has_rank(cast.seller_lead, step, Side.SELLER, Rank.LEAD)
    assert has_rank(cast.seller_lead, step, Side.SELLER, Rank.MEMBER)
    other = step_of(step.handover, StepKind.BACKUP)
    assert has_rank(cast.seller_lead, other, Side.SELLER, Rank.LEAD)


def test_a_permission_gives_nothing_that_the_role_does_not(open_at, cast, now):
    """A clerk in a team that may approve approves nothing; a team counts for the side of its organization alone."""
    handover = open_at(StepKind.NECESSITY).handover
    team = make_team(actor=cast.seller_lead, organization=cast.seller, name="X", people=[cast.seller_clerk], now=now)
    grant(
        actor=cast.seller_lead, kind=HANDOVERS, team=team, item=handover, permits=PERMITS, until=None, reason="x",
        now=now,
    )  # fmt: skip
    step = step_of(Handover.objects.get(pk=handover.pk), StepKind.SCOPE)
    assert not has_rank(cast.seller_clerk, step, Side.SELLER, Rank.LEAD)
    assert not any(has_rank(cast.seller_clerk, step, Side.BUYER, rank) for rank in Rank)
    assert f"{permit(Right.APPROVE, StepKind.SCOPE)}:{cast.seller.pk}" in holders_of(step.handover)


def test_the_list_reads_what_the_gates_ask(open_at, cast):
    handover = open_at(StepKind.NECESSITY).handover
    annotated, alone = seen_by(cast.seller_lead, handover), Handover.objects.get(pk=handover.pk)
    assert holders_of(annotated) == holders_of(alone)
    close(handover, "clerk", cast.buyer)
    HandoverGroupPermission.objects.filter(group__team__role="reviewer").update(expires_at="2020-01-01T00:00Z")
    annotated, alone = seen_by(cast.seller_lead, handover), Handover.objects.get(pk=handover.pk)
    assert holders_of(annotated) == holders_of(alone)
    assert not [key for key in holders_of(alone) if key.endswith(str(cast.reviewers.pk))]


def test_the_screening_needs_the_gate_of_the_backup(open_at, cast, now):
    stand = open_at(StepKind.BACKUP)
    close(stand.handover, "lead", cast.seller, "act_backup", "approve_backup")
    with refused("Only people of the seller start"):
        screening.screen_again(actor=cast.seller_lead, handover=stand.handover, now=now)
    close(stand.handover, "reviewer", cast.reviewers)
    with pytest.raises(HandoverError, match="None of your teams may approve"):
        screening.check_approver(cast.reviewer, Handover.objects.get(pk=stand.handover.pk))


def test_sample_and_package_are_closed_too(cast, now):
    stand = stand_at(cast, StepKind.AUDIT, recipient_key=RECIPIENT)
    execution = Execution.objects.select_related("handover", "source", "target").get()
    close(stand.handover, "clerk", cast.seller, "act_audit")
    with nothing_opens(), refused("None of your teams may act at this gate"):
        auditing.compared(actor=cast.seller_clerk, execution=execution, now=timezone.now())
    assert auditing.compared(actor=cast.buyer_clerk, execution=execution, now=timezone.now())
    stand.pass_gate(StepKind.AUDIT)
    jobs.run_now(stand.handover.delivery.job)
    delivery = Delivery.objects.get()
    assert may_take_package(User.objects.get(pk=cast.buyer_lead.pk), stand.handover)
    rows = BookGroupPermission.objects.filter(content_object=execution.target, group__team__role="lead")
    rows.filter(permission__codename="export_habits").delete()
    lead = User.objects.get(pk=cast.buyer_lead.pk)
    assert not may_take_package(lead, stand.handover)
    with refused("None of your teams has the permission"):
        tickets.issue(actor=lead, delivery=delivery, purpose="Move", now=timezone.now())


def test_no_grant_to_who_has_no_part(open_at, cast, now):
    handover = open_at(StepKind.NECESSITY).handover
    assert set(HANDOVERS.parties_of(handover)) == {cast.seller.pk, cast.buyer.pk, cast.reviewers.pk}
    assert not HANDOVERS.items_of(cast.agency.pk).exists()
    assert Team.objects.filter(organization=cast.agency, role="agent").exists()
