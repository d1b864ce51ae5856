"""A decision needs everything answered and judged, and takes what it causes along, or nothing happens."""

import pytest

from compliance import services
from compliance.errors import ComplianceError
from compliance.models import ChecklistItem, Finding, Review, ScreeningHit
from compliance.services import Answered, Noticed, Work
from compliance.services.decisions import why_not_approve
from compliance.workflow import Decision, ReviewState
from ledger.models import Entry

Answer, Severity, Judgment = ChecklistItem.Answer, Finding.Severity, ScreeningHit.Judgment
CARD = "refund to 6222 0202 0011 2230"


@pytest.fixture
def decide(cast, now):
    def decided(review, decision=Decision.APPROVED, reason="", **more):
        return services.decide(actor=cast.reviewer, review=review, decision=decision, reason=reason, now=now, **more)

    return decided


def test_an_approval_is_stored_told_and_recorded(cast, now, claimed, passes, decide, room, verbs_of):
    review = claimed()
    decide(review, work=passes(review))
    stored = Review.objects.get(pk=review.pk)
    assert (stored.state, stored.decision, stored.reason) == (ReviewState.DECIDED, Decision.APPROVED, "")
    assert (stored.decided_by, stored.decided_at) == (cast.reviewer, now)
    assert room.told == [(review.pk, "approved", "", cast.reviewer)]
    assert verbs_of(review)[-1] == "review.approved"


@pytest.mark.parametrize("decision", [Decision.SENT_BACK, Decision.REFUSED])
def test_no_other_decision_without_a_reason(claimed, decide, room, decision):
    review = claimed()
    for nothing in ("", "  \n"):
        with pytest.raises(ComplianceError, match="Write the reason"):
            decide(review, decision, nothing)
    assert not room.told
    decide(review, decision, " The purpose is too wide. ")
    stored = Review.objects.get(pk=review.pk)
    assert (stored.decision, stored.reason) == (decision, "The purpose is too wide.")
    assert room.told[0][1:3] == (decision, "The purpose is too wide.")


@pytest.mark.parametrize("decision", ["", "approve", "waiting"])
def test_only_the_three_decisions(claimed, passes, decide, decision):
    review = claimed()
    with pytest.raises(ComplianceError, match="Choose to approve"):
        decide(review, decision, "Because.", work=passes(review))
    assert Review.objects.get(pk=review.pk).state == ReviewState.CLAIMED


def test_each_missing_answer_stands_against_approving(claimed, passes, decide):
    review = claimed()
    for code in passes(review).answers:
        work = Work(answers={**passes(review).answers, code: Answered("")})
        with pytest.raises(ComplianceError, match="Answer every question"):
            decide(review, work=work)
    assert {item.answer for item in review.items.all()} == {""}


def test_a_failed_answer_stands_against_approving(claimed, passes, decide):
    review = claimed()
    work = Work(answers={**passes(review).answers, "fields": Answered(Answer.FAIL, "The birthday is not needed.")})
    with pytest.raises(ComplianceError, match="A question of the checklist failed"):
        decide(review, work=work)
    decide(review, Decision.SENT_BACK, "Leave the birthday out.", work=work)
    assert review.items.get(code="fields").note == "The birthday is not needed."


def test_not_applicable_is_an_answer(claimed, passes, decide):
    review = claimed()
    assert decide(review, work=passes(review, Answer.NOT_APPLICABLE)).decision == Decision.APPROVED


def test_an_open_hit_stands_against_approving(cast, now, screened, passes, decide):
    review = services.claim(actor=cast.reviewer, review=screened(CARD, "nothing", CARD), now=now)
    first, second = review.screening.hits.all()
    with pytest.raises(ComplianceError, match="Judge every screening hit"):
        decide(review, work=passes(review, judgments={first.pk: Judgment.CONFIRMED}))
    assert not ScreeningHit.objects.exclude(judgment=Judgment.OPEN).exists()
    judged = {first.pk: Judgment.CONFIRMED, second.pk: Judgment.FALSE_ALARM}
    assert decide(review, work=passes(review, judgments=judged)).decision == Decision.APPROVED


def test_hits_of_another_screening_are_not_touched(cast, now, screened, passes, decide):
    other = screened(CARD).screening.hits.get()
    review = services.claim(actor=cast.reviewer, review=screened("nothing"), now=now)
    decide(review, work=passes(review, judgments={other.pk: Judgment.CONFIRMED}, rest=Judgment.FALSE_ALARM))
    other.refresh_from_db()
    assert other.judgment == Judgment.OPEN


@pytest.mark.parametrize("state", ["running", "stopped"])
def test_a_screening_that_has_not_read_everything_stands_against_approving(cast, now, screened, passes, decide, state):
    review = services.claim(actor=cast.reviewer, review=screened("nothing"), now=now)
    type(review.screening).objects.update(state=state)
    with pytest.raises(ComplianceError, match="has not read everything"):
        decide(review, work=passes(review))


def test_an_open_major_finding_stands_against_approving(claimed, passes, decide):
    review = claimed()
    with pytest.raises(ComplianceError, match="A major finding is open"):
        decide(review, work=passes(review, findings=[Noticed(Severity.MAJOR, "No basis for children.", "children")]))
    assert not review.findings.exists()


@pytest.mark.parametrize("severity", [Severity.NOTE, Severity.MINOR])
def test_a_smaller_finding_does_not(claimed, passes, decide, severity):
    review = claimed()
    decide(review, work=passes(review, findings=[Noticed(severity, "Name the contact in the notice.")]))
    assert review.findings.get().text == "Name the contact in the notice."


def test_a_resolved_major_finding_does_not(cast, now, claimed, passes, decide):
    review = claimed()
    services.add_finding(actor=cast.reviewer, review=review, severity=Severity.MAJOR, text="No basis.", now=now)
    services.save_work(actor=cast.reviewer, review=review, work=passes(review), now=now)
    assert "A major finding is open" in why_not_approve(review)
    decide(review, work=passes(review, resolved=[review.findings.get().pk]))
    assert review.findings.get().state == Finding.State.RESOLVED


@pytest.mark.parametrize("number", ["11010519491231002X", "6222 0202 0011 2230"])
def test_no_number_of_a_person_goes_into_a_text_for_both_sides(cast, now, claimed, passes, decide, number):
    review, text = claimed(), f"The note names {number}."
    calls = [
        lambda: decide(review, Decision.SENT_BACK, text),
        lambda: decide(review, work=passes(review, findings=[Noticed(Severity.NOTE, text)])),
        lambda: services.answer_item(
            actor=cast.reviewer, review=review, code="fields", answer="fail", note=text, now=now
        ),
        lambda: services.save_work(actor=cast.reviewer, review=review, work=Work(reason=text), now=now),
    ]
    for call in calls:
        with pytest.raises(ComplianceError, match="holds an identity or card number"):
            call()
    assert not Review.objects.exclude(reason="").exists()
    assert not Finding.objects.exists()
    assert not ChecklistItem.objects.exclude(note="").exists()


def test_the_author_cannot_decide(cast, now, raise_review, passes, decide):
    review = raise_review(actor=cast.reviewer)
    with pytest.raises(ComplianceError, match="You raised this review"):
        services.claim(actor=cast.reviewer, review=review, now=now)
    with pytest.raises(ComplianceError, match="You raised this review"):
        decide(review, work=passes(review))
    assert Review.objects.get(pk=review.pk).state == ReviewState.WAITING


def test_when_the_room_above_refuses_nothing_is_saved(claimed, passes, decide, room):
    review, entries = claimed(), Entry.objects.count()
    room.refusal = "The scope has changed since. Reload the page."
    with pytest.raises(ComplianceError, match="The scope has changed since"):
        decide(review, work=passes(review, findings=[Noticed(Severity.NOTE, "Fine.")], reason="Written."))
    stored = Review.objects.get(pk=review.pk)
    assert (stored.state, stored.decision, stored.reason) == (ReviewState.CLAIMED, "", "")
    assert {item.answer for item in stored.items.all()} == {""}
    assert not stored.findings.exists()
    assert Entry.objects.count() == entries


def test_a_closed_review_is_not_decided_again(claimed, passes, decide, room):
    review = claimed()
    decide(review, work=passes(review))
    with pytest.raises(ComplianceError, match="closed"):
        decide(review, Decision.REFUSED, "On second thought.")
    assert len(room.told) == 1
