"""The queue as its people use it: who sees what, filters, claim, work, decide, the next one; nothing typed is lost."""

from datetime import timedelta
from urllib.parse import urlencode
from uuid import uuid4

import pytest
from allauth.mfa.totp.internal.auth import TOTP
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from accounts.models import Membership, Organization
from compliance import services
from compliance.models import Finding, Review, ScreeningHit
from compliance.workflow import ReviewState

Kind = Review.Kind
CARD = "card 6222 0202 0011 2230"
QUEUE = "/reviews/"


def page(review, act="", **query):
    return f"/reviews/{review.pk}/{act}" + (f"?{urlencode(query)}" if query else "")


def listed(response):
    return [row.reference for row, _, _ in response.context["rows"]]


def answers(review, answer="pass", **more):
    return {f"answer-{item.code}": answer for item in review.items.all()} | more


@pytest.fixture
def reviewer(cast, client_of):
    return client_of(cast.reviewer)


@pytest.fixture
def queue_of(raise_review):
    """`queue_of("A", "B")`: waiting reviews with these references, due one day after the other."""

    def made(*references):
        return [
            raise_review(reference=reference, due_at=timezone.now() + timedelta(days=place, hours=1))
            for place, reference in enumerate(references)
        ]

    return made


# ---- who sees what


def test_only_who_is_concerned_sees_a_review(cast, client_of, raise_review, stranger_of):
    review = raise_review(reference="HO-2026-0001")
    for user in (cast.reviewer, cast.second_reviewer, cast.seller_lead, cast.buyer_clerk, cast.agent):
        assert client_of(user).get(page(review)).status_code == 200
        assert listed(client_of(user).get(QUEUE)) == ["HO-2026-0001"]
    for kind, role in [
        (Organization.Kind.BUSINESS, Membership.Role.LEAD),
        (Organization.Kind.REVIEWER, Membership.Role.REVIEWER),
    ]:
        stranger = client_of(stranger_of(kind, role))
        assert stranger.get(page(review)).status_code == 404
        assert listed(stranger.get(QUEUE)) == []
        for act in ("claim/", "release/", "work/"):
            assert stranger.post(page(review, act), answers(review)).status_code == 404
    assert Review.objects.get(pk=review.pk).state == ReviewState.WAITING


def test_nobody_without_signing_in(client, raise_review):
    review = raise_review()
    for path in (QUEUE, page(review)):
        assert client.get(path)["Location"].startswith("/accounts/login/")
    for act in ("claim/", "release/", "work/"):
        assert client.post(page(review, act))["Location"].startswith("/accounts/login/")


def test_a_review_that_is_not_there_is_404(reviewer):
    assert reviewer.get(f"/reviews/{uuid4()}/").status_code == 404


def test_writing_needs_a_post(reviewer, raise_review):
    for act in ("claim/", "release/", "work/"):
        assert reviewer.get(page(raise_review(), act)).status_code == 405


def test_a_party_reads_but_is_offered_nothing(cast, client_of, claimed):
    review = claimed()
    text = client_of(cast.seller_lead).get(page(review)).content.decode()
    assert "data-work" not in text
    assert 'class="claim' not in text
    refused = client_of(cast.seller_lead).post(page(review, "work/"), answers(review, decision="approved"))
    assert "Only a reviewer of the review firm may do this." in refused.content.decode()
    assert Review.objects.get(pk=review.pk).state == ReviewState.CLAIMED


# ---- the list


def test_soonest_due_comes_first_and_the_first_stands_open(reviewer, queue_of):
    first, *_ = queue_of("HO-1", "HO-2", "HO-3")
    shown = reviewer.get(QUEUE)
    assert listed(shown) == ["HO-1", "HO-2", "HO-3"]
    assert shown.context["review"] == first


def test_an_empty_queue_says_what_fills_it(reviewer):
    text = reviewer.get(QUEUE).content.decode()
    assert "When a handover asks for a review, it stands here with its due date." in text


@pytest.fixture
def mixed(cast, now, queue_of, raise_review):
    """Reviews of every state, named by what they are."""
    queue_of("HO-free")
    for reference, reviewer in (("HO-mine", cast.reviewer), ("HO-theirs", cast.second_reviewer)):
        review = raise_review(Kind.PLAN, reference=reference, due_at=timezone.now() + timedelta(days=4))
        services.claim(actor=reviewer, review=review, now=now)
    raise_review(Kind.AUDIT, reference="HO-late", due_at=timezone.now() - timedelta(days=1))
    done = services.claim(actor=cast.reviewer, review=raise_review(Kind.BACKUP, reference="HO-done"), now=now)
    services.decide(actor=cast.reviewer, review=done, decision="refused", reason="No.", now=timezone.now())
    gone = raise_review(reference="HO-gone", parties=["Wuxi", "Meilin & Co"])
    services.withdraw_review(actor=None, review=gone, now=now)


@pytest.mark.parametrize(
    ("query", "references"),
    [
        ({}, {"HO-late", "HO-free", "HO-mine", "HO-theirs"}),
        ({"show": "waiting"}, {"HO-late", "HO-free"}),
        ({"show": "mine"}, {"HO-mine"}),
        ({"show": "late"}, {"HO-late"}),
        ({"show": "decided"}, {"HO-done"}),
        ({"show": "all"}, {"HO-late", "HO-free", "HO-mine", "HO-theirs", "HO-done", "HO-gone"}),
        ({"kind": "plan"}, {"HO-mine", "HO-theirs"}),
        ({"q": "ho-free"}, {"HO-free"}),
        ({"q": "jinghe LANQUAN"}, {"HO-late", "HO-free", "HO-mine", "HO-theirs"}),
        ({"q": "meilin & co", "show": "all"}, {"HO-gone"}),
        ({"q": "100%_"}, set()),
        ({"q": "theirs", "kind": "audit"}, set()),
        ({"show": "nonsense", "kind": "nonsense", "q": "\0"}, {"HO-late", "HO-free", "HO-mine", "HO-theirs"}),
    ],
)
def test_the_filter_stands_in_the_address(reviewer, mixed, query, references):
    assert set(listed(reviewer.get(QUEUE, query))) == references


def test_a_filter_without_result_leads_back(reviewer, mixed):
    text = reviewer.get(QUEUE, {"q": "nothing like it"}).content.decode()
    assert "No review matches this filter." in text
    assert "Show all open reviews" in text


def test_the_heading_counts(cast, reviewer, mixed):
    figures = reviewer.get(QUEUE).context["figures"]
    assert (figures.live, figures.late, figures.colleagues) == (4, 1, 1)


def test_the_filter_is_kept_from_page_to_page(reviewer, queue_of):
    first, _ = queue_of("HO-1", "HO-2")
    query = {"show": "waiting", "q": "HO"}
    assert f'href="{page(first)}?show=waiting&amp;q=HO"' in reviewer.get(QUEUE, query).content.decode()
    assert reviewer.post(page(first, "claim/", **query))["Location"] == page(first, **query)


def test_the_number_of_queries_does_not_grow_with_rows(cast, now, reviewer, raise_review, connection_queries):
    def some(count):
        for _ in range(count):
            services.claim(actor=cast.second_reviewer, review=raise_review(actor=cast.seller_lead), now=now)
            raise_review()

    some(2)
    few = connection_queries(lambda: reviewer.get(QUEUE))
    some(20)
    assert connection_queries(lambda: reviewer.get(QUEUE)) == few <= 21


def test_the_number_of_queries_does_not_grow_with_hits(cast, now, reviewer, screened, connection_queries):
    few, many = (services.claim(actor=cast.reviewer, review=screened(*[CARD] * count), now=now) for count in (2, 30))
    counts = [connection_queries(lambda shown=shown: reviewer.get(page(shown))) for shown in (few, many)]
    assert counts[0] == counts[1] <= 30


@pytest.fixture
def connection_queries(db):
    """`connection_queries(call)`: how many queries a call makes."""

    def counted(call):
        with CaptureQueriesContext(connection) as captured:
            call()
        return len(captured)

    return counted


# ---- claim, work, decide, the next one


def test_claim_work_decide_and_land_on_the_next(cast, reviewer, queue_of, room):
    first, second, _ = queue_of("HO-1", "HO-2", "HO-3")
    claimed = reviewer.post(page(first, "claim/"))
    assert claimed["Location"] == page(first)
    assert "data-work" in reviewer.get(page(first)).content.decode()
    saved = reviewer.post(page(first, "work/"), answers(first, decision="", reason="Not yet."))
    assert saved["Location"] == page(first)
    again = reviewer.get(page(first))
    assert "Saved. The claim stays with you." in again.content.decode()
    assert again.context["form"].answered == 5
    assert again.context["form"]["reason"].value() == "Not yet."
    decided = reviewer.post(page(first, "work/"), answers(first, decision="approved"))
    assert decided["Location"] == page(second)
    assert room.told == [(first.pk, "approved", "", cast.reviewer)]
    shown = reviewer.get(page(second))
    assert "Decided: Necessity, HO-1." in shown.content.decode()
    assert listed(shown) == ["HO-2", "HO-3"]


def test_the_next_review_is_one_that_the_reviewer_may_work_on(cast, now, reviewer, queue_of, raise_review):
    first, second, third = queue_of("HO-1", "HO-2", "HO-3")
    services.claim(actor=cast.second_reviewer, review=second, now=now)
    raise_review(actor=cast.reviewer, reference="HO-own", due_at=timezone.now())
    services.claim(actor=cast.reviewer, review=first, now=now)
    decided = reviewer.post(page(first, "work/"), {"decision": "refused", "reason": "No basis."})
    assert decided["Location"] == page(third)


def test_after_the_last_comes_the_first_that_was_passed_over(cast, now, reviewer, queue_of):
    first, last = queue_of("HO-1", "HO-2")
    services.claim(actor=cast.reviewer, review=last, now=now)
    assert reviewer.post(page(last, "work/"), {"decision": "release"})["Location"] == page(first)


def test_after_the_only_one_comes_the_empty_queue(cast, now, reviewer, claimed):
    review = claimed()
    decided = reviewer.post(
        page(review, "work/", kind="necessity"), {"decision": "sent_back", "reason": "Narrow the purpose."}
    )
    assert decided["Location"] == f"{QUEUE}?kind=necessity"


def test_a_claim_that_comes_too_late_says_who_was_first(cast, now, reviewer, raise_review):
    review = raise_review()
    services.claim(actor=cast.second_reviewer, review=review, now=now)
    text = reviewer.post(page(review, "claim/"), follow=True).content.decode()
    assert "He Rui has claimed this review. Take the next one." in text


def test_the_agency_releases_for_an_absent_reviewer(cast, client_of, claimed):
    review, agent = claimed(), client_of(cast.agent)
    assert "Release the claim" in agent.get(page(review)).content.decode()
    agent.post(page(review, "release/"))
    assert Review.objects.get(pk=review.pk).state == ReviewState.WAITING
    assert "Only a reviewer" in agent.post(page(review, "claim/"), follow=True).content.decode()


def test_an_error_keeps_everything_that_was_typed(reviewer, claimed):
    review = claimed()
    typed = answers(
        review,
        decision="approved",
        reason="Almost there.",
        finding_text="The notice lacks a contact.",
        finding_severity="minor",
        finding_item="purpose",
        **{"answer-fields": "fail", "note-fields": "The birthday is not needed."},
    )
    shown = reviewer.post(page(review, "work/"), typed)
    text = shown.content.decode()
    assert shown.status_code == 200
    assert "A question of the checklist failed. Send the review back or refuse it." in text
    assert "<title>Error:" in text
    for name, value in typed.items():
        if name != "decision":
            assert shown.context["form"][name].value() == value
    assert not Finding.objects.exists()
    assert {item.answer for item in review.items.all()} == {""}


@pytest.mark.parametrize(
    ("typed", "says"),
    [
        ({"finding_text": "No contact."}, "Choose how severe the finding is."),
        ({"finding_severity": "major"}, "Describe the finding"),
        ({"reason": "x" * 4001}, "at most 4000 characters"),
        ({"answer-purpose": "perhaps"}, "is not one of the available choices"),
        ({"resolved": "not an id"}, "is not one of the available choices"),
        ({"reason": "The note holds 11010519491231002X."}, "holds an identity or card number"),
        ({"decision": "applaud", "reason": "Good."}, "Choose to approve, to send back or to refuse."),
    ],
)
def test_bad_input_is_answered_in_words(reviewer, claimed, typed, says):
    review = claimed()
    shown = reviewer.post(page(review, "work/"), {"decision": "", **typed})
    assert shown.status_code == 200
    assert says in shown.content.decode()
    assert Review.objects.get(pk=review.pk).reason == ""


def test_when_the_claim_is_gone_what_was_typed_is_kept_and_can_be_saved(cast, now, reviewer, claimed):
    review = claimed()
    services.release(actor=cast.agent, review=review, now=now)
    typed = answers(review, reason="Typed for an hour.")
    shown = reviewer.post(page(review, "work/"), typed | {"decision": "approved"})
    text = shown.content.decode()
    assert "Claim this review first." in text
    assert "Typed for an hour." in text
    assert 'value="claim"' in text
    assert 'value="approved"' not in text
    assert reviewer.post(page(review, "work/"), typed | {"decision": "claim"})["Location"] == page(review)
    stored = Review.objects.get(pk=review.pk)
    assert (stored.claimed_by, stored.reason) == (cast.reviewer, "Typed for an hour.")


def test_when_somebody_else_has_the_claim_what_was_typed_can_be_copied(cast, now, reviewer, claimed):
    review = claimed()
    services.release(actor=cast.agent, review=review, now=now)
    services.claim(actor=cast.second_reviewer, review=review, now=now)
    text = reviewer.post(page(review, "work/"), {"reason": "Typed for an hour.", "decision": ""}).content.decode()
    assert "Somebody else has claimed this review. Take the next one." in text
    assert "Typed for an hour." in text
    assert "Nothing here is saved." in text
    assert Review.objects.get(pk=review.pk).reason == ""


def test_a_refusal_of_the_room_above_is_shown(reviewer, claimed, room):
    review, room.refusal = claimed(), "The scope has changed since this review was raised."
    shown = reviewer.post(page(review, "work/"), answers(review, decision="approved"))
    assert room.refusal in shown.content.decode()
    assert Review.objects.get(pk=review.pk).state == ReviewState.CLAIMED


def test_a_decided_review_shows_how_it_ended_to_both_sides(cast, now, client_of, claimed):
    review = claimed()
    services.decide(actor=cast.reviewer, review=review, decision="sent_back", reason="Narrow it.\nPlease.", now=now)
    for user in (cast.seller_clerk, cast.buyer_lead, cast.reviewer):
        text = client_of(user).get(page(review)).content.decode()
        assert "Decided by Lin Shuyi" in text
        assert "Narrow it.<br>Please." in text
        assert "data-work" not in text


def test_a_draft_of_the_reason_is_for_the_claimant_alone(cast, now, client_of, claimed):
    review = claimed()
    services.save_work(actor=cast.reviewer, review=review, work=services.Work(reason="Draft thought."), now=now)
    assert "Draft thought." in client_of(cast.reviewer).get(page(review)).content.decode()
    for user in (cast.seller_lead, cast.buyer_lead, cast.second_reviewer, cast.agent):
        assert "Draft thought." not in client_of(user).get(page(review)).content.decode()


# ---- screening hits


def test_texts_are_shown_to_the_claimant_alone_and_numbers_are_masked(cast, now, client_of, screened):
    review = services.claim(actor=cast.reviewer, review=screened(f"退款 {CARD}"), now=now)
    mine = client_of(cast.reviewer).get(page(review)).content.decode()
    assert "622* **** **** 2230" in mine
    assert "退款" in mine
    assert "6222 0202" not in mine
    for user in (cast.second_reviewer, cast.seller_lead, cast.buyer_lead, cast.agent):
        text = client_of(user).get(page(review)).content.decode()
        assert "Hidden until claimed" in text
        assert "2230" not in text
        assert "退款" not in text


def test_hits_are_judged_on_the_page(cast, now, reviewer, screened):
    review = services.claim(actor=cast.reviewer, review=screened(CARD, CARD), now=now)
    first, second = review.screening.hits.all()
    reviewer.post(page(review, "work/"), {f"hit-{first.pk}": "confirmed", "hit-99999": "confirmed", "hit-x": "?"})
    judgments = dict(ScreeningHit.objects.values_list("pk", "judgment"))
    assert judgments == {first.pk: "confirmed", second.pk: "open"}
    shown = reviewer.get(page(review))
    assert [hit.pk for hit, _, _ in shown.context["hits"]] == [second.pk, first.pk]
    assert shown.context["hits_open"] == 1


def test_a_refused_decision_keeps_the_hits_that_nobody_judged(cast, now, reviewer, screened):
    review = services.claim(actor=cast.reviewer, review=screened(CARD, CARD), now=now)
    first, second = review.screening.hits.all()
    refused = reviewer.post(
        page(review, "work/"), answers(review, decision="approved", **{f"hit-{second.pk}": "confirmed"})
    )
    assert {hit.pk for hit, _, _ in refused.context["hits"]} == {first.pk, second.pk}
    assert "Judge every screening hit" in refused.content.decode()


def test_more_hits_than_fit_are_judged_as_one_or_page_by_page(cast, now, reviewer, screened):
    review = services.claim(actor=cast.reviewer, review=screened(*[CARD] * 53), now=now)
    text = reviewer.get(page(review)).content.decode()
    assert "50 of 53 hits are shown, those to judge first." in text
    typed = answers(review, decision="approved", rest="false_alarm")
    assert reviewer.post(page(review, "work/"), typed)["Location"] == QUEUE
    assert set(review.screening.hits.values_list("judgment", flat=True)) == {"false_alarm"}


def test_a_screening_without_hits_says_so(cast, now, reviewer, screened):
    assert "No rule matched in 2 records." in reviewer.get(page(screened("", ""))).content.decode()


# ---- home


def test_home_names_what_waits_for_a_reviewer_and_nobody_else(cast, now, client_of, claimed, raise_review):
    claimed(reference="HO-mine")
    raise_review(reference="HO-late", due_at=timezone.now() - timedelta(days=2))
    raise_review(reference="HO-free", due_at=timezone.now() + timedelta(days=2))
    home = client_of(cast.reviewer).get("/").content.decode()
    for text in (
        "Decide: Necessity, HO-mine",
        "Late: Necessity, HO-late",
        "1 review waits in the queue",
        "Nobody has claimed it yet",
    ):
        assert text in home
    assert "HO-mine" not in client_of(cast.agent).get("/").content.decode()


def test_the_admin_reads_but_does_not_write(cast, client_of, screened):
    review, agent = screened(CARD), client_of(cast.agent)
    for path in ("review/", f"review/{review.pk}/change/", "screening/", f"screening/{review.screening.pk}/change/"):
        shown = agent.get(f"/admin/compliance/{path}")
        assert shown.status_code == 200
        assert 'name="_save"' not in shown.content.decode()
    assert agent.get("/admin/compliance/review/add/").status_code == 403


# ---- the second factor


def test_a_decision_wants_a_fresh_second_factor_and_keeps_what_was_typed(
    cast, reviewer, queue_of, room, settings, prove
):
    (first,) = queue_of("HO-1")
    reviewer.post(page(first, "claim/"))
    settings.SECOND_FACTOR = True
    TOTP.activate(cast.reviewer, "A" * 32)
    prove(reviewer, cast.reviewer, 16 * 60)
    refusal = {"decision": "refused", "reason": "There is no basis for it."}
    answer = reviewer.post(page(first, "work/"), refusal)
    text = answer.content.decode()
    assert "There is no basis for it." in text
    assert 'href="/accounts/again/code/?next=' in text
    assert not room.told
    assert reviewer.post(page(first, "work/"), {"decision": "", "reason": "Not yet."})["Location"] == page(first)
    prove(reviewer, cast.reviewer, 60)
    reviewer.post(page(first, "work/"), refusal)
    assert room.told == [(first.pk, "refused", "There is no basis for it.", cast.reviewer)]
