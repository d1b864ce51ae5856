"""An audit that is not approved leads back to the gate that its findings name, and every gate behind is shut."""

from dataclasses import replace

import pytest
from django.utils import timezone
from stand import stand_at

from compliance.errors import ComplianceError
from compliance.models import Finding
from compliance.services import Noticed, claim, decide
from compliance.workflow import Decision
from customers.models import Customer
from customers.workflow import BookState
from handover import demo
from handover.blockers import blockers_of
from handover.findings import findings_of
from handover.gates import Board
from handover.models import Approval, Execution, Notice
from handover.notice_workflow import NoticeState
from handover.readiness import readiness_of
from handover.selectors import handovers_visible_to, with_gates
from handover.services import approving, notices
from handover.services.reviewing import live_review
from handover.workflow import ORDER, ExecutionState, HandoverState, Side, StepKind, StepState
from ledger.models import Entry

N, S, P, B, E, A = StepKind
TEXT = "Addresses crossed that should not have."


@pytest.fixture(scope="module")
def made(keep):
    return keep(lambda cast: stand_at(cast, A, 6))


@pytest.fixture
def stand(kept_stand):
    return kept_stand


def decided(stand, decision, *places, severity="major", resolve=False):
    """The reviewer decides the audit with a finding for each of the places."""
    now, reviewer = timezone.now(), stand.cast.reviewer
    review = claim(actor=reviewer, review=live_review(stand.step(A)), now=now)
    work = replace(demo._answers(review), findings=[Noticed(severity, TEXT, place=place) for place in places])
    decide(actor=reviewer, review=review, decision=decision, reason="See the findings.", work=work, now=now)
    return review


def seen_by(stand, person):
    """The handover as its pages read it."""
    return with_gates(handovers_visible_to(person)).get(pk=stand.handover.pk)


# Gates before the one it goes back to have passed, those behind are shut; the audit alone keeps all of them.
def states(gate):
    if gate == A:
        return {kind: StepState.SUBMITTED if kind == A else StepState.PASSED for kind in ORDER}
    place = ORDER.index(gate)
    ways = [StepState.PASSED] * place + [StepState.DRAFT] + [StepState.SHUT] * (len(ORDER) - place - 1)
    return dict(zip(ORDER, ways, strict=True))


# Decision, the places of its findings, where the handover goes.
WAYS = [
    (Decision.SENT_BACK, [], A),
    (Decision.SENT_BACK, [""], A),
    *((Decision.SENT_BACK, [gate], gate) for gate in ORDER),
    (Decision.SENT_BACK, [E, P, A], P),
    (Decision.REFUSED, [], E),
    (Decision.REFUSED, [A], E),
    (Decision.REFUSED, ["", S], S),
]


@pytest.mark.parametrize(("decision", "places", "gate"), WAYS)
def test_it_goes_back_to_the_first_gate_that_is_named(stand, decision, places, gate):
    decided(stand, decision, *places)
    assert {kind: stand.step(kind).state for kind in ORDER} == states(gate)
    assert stand.handover.state == HandoverState.OPEN
    behind = ORDER[ORDER.index(gate) :]
    assert not Approval.objects.filter(step__kind__in=behind, voided_at=None).exists()
    execution = Execution.objects.select_related("target").get()
    if gate == A:
        assert execution.state == ExecutionState.PROVEN
        return
    assert (execution.state, execution.problem) == (ExecutionState.ROLLED_BACK, "See the findings.")
    assert not Customer.objects.filter(book=execution.target).exists()
    assert Entry.objects.filter(verb=f"handover.{gate}.returned").count() == 1
    frozen = BookState.FROZEN if gate == E else BookState.OPEN
    assert stand.handover.book.state == frozen
    if gate != E:
        assert (stand.step(gate).remark, stand.step(gate).remark_by) == ("See the findings.", stand.cast.reviewer)


@pytest.mark.parametrize("gate", ORDER)
def test_both_sides_see_what_was_found_and_where_it_is_cured(stand, client_of, gate):
    decided(stand, Decision.SENT_BACK, gate)
    now = timezone.now()
    for person in (stand.cast.seller_lead, stand.cast.buyer_lead, stand.cast.reviewer):
        board = Board(seen_by(stand, person), person)
        found = [one for one in readiness_of(board, now).gates[ORDER.index(gate)].conditions if one.why == TEXT]
        assert [(one.mark, one.url) for one in found] == [("blocked", f"/handovers/{stand.handover.pk}/{gate}/")]
        assert [one.why for one in blockers_of(board, now)].count(TEXT) == 1
        page = client_of(person).get(f"/handovers/{stand.handover.pk}/{gate}/").content.decode()
        assert TEXT in page
        assert TEXT in client_of(person).get(f"/handovers/{stand.handover.pk}/audit/").content.decode()


@pytest.mark.parametrize("first", [N, S, B])
def test_it_is_walked_again_from_there_and_certified(stand, first):
    decided(stand, Decision.SENT_BACK, first, E, severity="minor")
    screened = Entry.objects.filter(verb="screening.started").count()
    now, clerk = timezone.now(), stand.cast.seller_clerk
    for gate in ORDER[ORDER.index(first) : ORDER.index(A)]:
        if gate == S:
            approving.submit(actor=clerk, step=stand.step(S), side=Side.SELLER, now=now)
            stand.approve(S, Side.BUYER)
            stand.approve(S, Side.SELLER)
        else:
            stand.pass_gate(gate)
        found = findings_of(seen_by(stand, stand.cast.seller_lead))
        assert [one.cured for one in found] == [True, gate == E]
    # The book was open meanwhile: its free text is read once more.
    assert Entry.objects.filter(verb="screening.started").count() == screened + 1
    stand.pass_gate(A)
    assert stand.handover.state == HandoverState.CERTIFIED
    assert Execution.objects.count() == 2
    assert not findings_of(seen_by(stand, stand.cast.seller_lead))


@pytest.mark.parametrize("gate", [P, E])
def test_what_customers_were_told_ends_with_the_terms(stand, gate):
    day, now = timezone.localdate(), timezone.now()
    notice = Notice.objects.create(
        handover=stand.handover, version=1, state=NoticeState.CLOSED, answer_until=day, author=stand.cast.seller_clerk,
        created_at=now,
    )  # fmt: skip
    decided(stand, Decision.SENT_BACK, gate)
    notice.refresh_from_db()
    assert notice.state == (NoticeState.CLOSED if gate == E else NoticeState.WITHDRAWN)
    assert len(notices.versions_of(stand.handover)) == 1


def test_findings_lead_nowhere_else(stand):
    with pytest.raises(ComplianceError, match="Choose where the finding is to be cured"):
        decided(stand, Decision.SENT_BACK, "anywhere")
    assert not Finding.objects.exists()


def test_the_reviewer_chooses_the_gate_on_the_page(stand, client_of, prove):
    review = claim(actor=stand.cast.reviewer, review=live_review(stand.step(A)), now=timezone.now())
    client = client_of(stand.cast.reviewer)
    prove(client, stand.cast.reviewer)
    address = f"/reviews/{review.pk}/"
    assert 'name="finding_place"' in client.get(address).content.decode()
    said = {"finding_text": TEXT, "finding_severity": "major", "finding_place": "plan", "reason": "See it."}
    client.post(f"{address}work/", {"decision": "", **said})
    assert "To be cured at: Plan" in client.get(address).content.decode()
    client.post(f"{address}work/", {"decision": "sent_back", "reason": "See it."})
    assert stand.step(P).state == StepState.DRAFT
    assert Entry.objects.filter(verb="handover.plan.returned").count() == 1
