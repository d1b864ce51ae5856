"""What a reviewer notes before the decision is kept, whoever goes on with it."""

from uuid import uuid4

import pytest

from compliance import services
from compliance.errors import ComplianceError
from compliance.models import ChecklistItem, Finding, Review, ScreeningHit
from compliance.services import Answered, Noticed, Work
from compliance.workflow import ReviewState
from ledger.models import Entry
from ledger.vocabulary import sentence

Judgment, CARD = ScreeningHit.Judgment, "card 6222 0202 0011 2230"


@pytest.fixture
def save(cast, now):
    def saved(review, **work):
        return services.save_work(actor=cast.reviewer, review=review, work=Work(**work), now=now)

    return saved


def test_answers_findings_and_reason_are_kept(cast, now, claimed, save, verbs_of):
    review = claimed()
    save(
        review,
        answers={"purpose": Answered("pass"), "fields": Answered("fail", "The birthday is not needed.")},
        findings=[Noticed("minor", "Say who keeps the list.", "purpose"), Noticed("note", "Well written.")],
        reason="Leave the birthday out.",
    )
    stored = Review.objects.get(pk=review.pk)
    assert stored.state == ReviewState.CLAIMED
    assert stored.reason == "Leave the birthday out."
    assert dict(stored.items.exclude(answer="").values_list("code", "answer")) == {"purpose": "pass", "fields": "fail"}
    first, second = stored.findings.all()
    assert (first.item.code, first.severity, first.added_by, first.state) == ("purpose", "minor", cast.reviewer, "open")
    assert second.item is None
    assert verbs_of(review)[2:] == ["review.finding_added", "review.finding_added"]


def test_an_answer_can_be_taken_back(claimed, save):
    review = claimed()
    save(review, answers={"purpose": Answered("pass")})
    save(review, answers={"purpose": Answered("")})
    assert review.items.get(code="purpose").answer == ""


def test_work_that_names_no_reason_leaves_it(claimed, save):
    review = claimed()
    save(review, reason="First thought.")
    save(review, answers={"purpose": Answered("pass")})
    assert Review.objects.get(pk=review.pk).reason == "First thought."


@pytest.mark.parametrize(
    ("work", "says"),
    [
        ({"answers": {"nobody asked": Answered("pass")}}, "checklist has changed"),
        ({"answers": {"purpose": Answered("maybe")}}, "checklist has changed"),
        ({"findings": [Noticed("terrible", "Text.")]}, "how severe"),
        ({"findings": [Noticed("note", "  ")]}, "how severe"),
    ],
)
def test_what_makes_no_sense_is_refused_and_nothing_is_kept(claimed, save, work, says):
    review = claimed()
    with pytest.raises(ComplianceError, match=says):
        save(review, reason="Kept?", **{"answers": {"fields": Answered("pass")}, **work})
    assert not ChecklistItem.objects.exclude(answer="").exists()
    assert not Finding.objects.exists()
    assert Review.objects.get(pk=review.pk).reason == ""


def test_a_finding_is_resolved_once(cast, now, claimed, save, verbs_of):
    review = claimed()
    save(review, findings=[Noticed("major", "No notice yet.")])
    finding = review.findings.get()
    for _ in range(2):
        services.resolve_finding(actor=cast.reviewer, review=review, finding_id=finding.pk, now=now)
    finding.refresh_from_db()
    assert finding.state == Finding.State.RESOLVED
    assert verbs_of(review).count("review.finding_resolved") == 1


def test_a_finding_of_another_review_is_not_touched(cast, now, claimed, save):
    other, review = claimed(), claimed()
    save(other, findings=[Noticed("major", "No notice yet.")])
    services.resolve_finding(actor=cast.reviewer, review=review, finding_id=other.findings.get().pk, now=now)
    services.resolve_finding(actor=cast.reviewer, review=review, finding_id=uuid4(), now=now)
    assert other.findings.get().state == Finding.State.OPEN


def test_judgments_name_their_judge_and_are_recorded_once(cast, now, screened, save, verbs_of):
    review = services.claim(actor=cast.reviewer, review=screened(CARD, CARD, CARD), now=now)
    first, second, third = review.screening.hits.all()
    judged = {first.pk: Judgment.CONFIRMED, second.pk: Judgment.FALSE_ALARM, third.pk: Judgment.OPEN}
    for _ in range(2):
        save(review, judgments=judged)
    first.refresh_from_db()
    assert (first.judgment, first.judged_by, first.judged_at) == (Judgment.CONFIRMED, cast.reviewer, now)
    assert verbs_of(review).count("review.hits_judged") == 1
    entry = Entry.objects.get(verb="review.hits_judged")
    assert (entry.data["judged"], entry.data["confirmed"]) == (2, 1)


def test_the_rest_is_judged_as_one_and_says_so(cast, now, screened, save):
    review = services.claim(actor=cast.reviewer, review=screened(*[CARD] * 4), now=now)
    first = review.screening.hits.first()
    save(review, judgments={first.pk: Judgment.CONFIRMED}, rest=Judgment.FALSE_ALARM)
    assert sorted(review.screening.hits.values_list("judgment", flat=True)) == ["confirmed"] + ["false_alarm"] * 3
    assert Entry.objects.get(verb="review.rest_judged").data["judged"] == 3


@pytest.mark.parametrize("work", [{"rest": "open"}, {"rest": "maybe"}])
def test_only_a_judgment_judges(cast, now, screened, save, work):
    review = services.claim(actor=cast.reviewer, review=screened(CARD), now=now)
    with pytest.raises(ComplianceError, match="confirmed or false alarm"):
        save(review, **work)
    hit = review.screening.hits.get()
    with pytest.raises(ComplianceError, match="confirmed or false alarm"):
        save(review, judgments={hit.pk: "maybe"})


def test_release_keeps_what_was_noted_for_the_next_reviewer(cast, now, claimed, verbs_of):
    review = claimed()
    work = Work(answers={"purpose": Answered("pass")}, reason="So far so good.")
    services.release(actor=cast.reviewer, review=review, work=work, now=now)
    taken = services.claim(actor=cast.second_reviewer, review=review, now=now)
    assert taken.claimed_by == cast.second_reviewer
    assert (taken.reason, taken.items.get(code="purpose").answer) == ("So far so good.", "pass")
    assert verbs_of(review) == ["review.opened", "review.claimed", "review.released", "review.claimed"]


def test_the_agency_releases_for_an_absent_reviewer_but_notes_nothing(cast, now, claimed):
    review = claimed()
    with pytest.raises(ComplianceError):
        services.release(actor=cast.agent, review=review, work=Work(reason="Mine."), now=now)
    services.release(actor=cast.agent, review=review, now=now)
    stored = Review.objects.get(pk=review.pk)
    assert (stored.state, stored.claimed_by, stored.claimed_at, stored.reason) == (ReviewState.WAITING, None, None, "")


def test_claim_with_work_takes_both_or_nothing(cast, now, raise_review, claimed):
    review, work = raise_review(), Work(reason="Typed while the claim was gone.")
    services.claim(actor=cast.reviewer, review=review, work=work, now=now)
    assert Review.objects.get(pk=review.pk).reason == "Typed while the claim was gone."
    other = raise_review()
    with pytest.raises(ComplianceError):
        services.claim(actor=cast.reviewer, review=other, work=Work(answers={"?": Answered("pass")}), now=now)
    assert Review.objects.get(pk=other.pk).state == ReviewState.WAITING


def test_opening_the_texts_is_in_the_ledger(cast, now, screened, raise_review, verbs_of):
    review = services.claim(actor=cast.reviewer, review=screened(CARD, CARD), now=now)
    entry = Entry.objects.get(object_id=review.pk, verb="review.texts_opened")
    assert entry.actor_name == cast.reviewer.name
    assert cast.seller.pk in entry.audience
    assert sentence(entry) == "Lin Shuyi opened the text around 2 screening hits to judge them for HO-2026-0417"
    plain = services.claim(actor=cast.reviewer, review=raise_review(), now=now)
    assert "review.texts_opened" not in verbs_of(plain)
