"""Questions about a scope, which customers cross, comparing any two versions, and what a version would do."""

from datetime import date
from decimal import Decimal
from uuid import UUID

import pytest
from asked import approved, begun, by_platform, sent
from clearing import nothing_opens
from django.core import mail
from django.utils import timezone
from stand import everybody, refused, stand_at

from customers.fields import EVERYTHING
from customers.models import Customer
from handover.content import agreed_fields, newest_proposal
from handover.duties import handovers_waiting
from handover.effects import effect_of
from handover.fields import SCOPE_FIELDS
from handover.models import Addressee, ScopeMessage, ScopeQuestion
from handover.segmenting import EVERYBODY, Row, Segment, customers_outside, holds, segment_from, sentences
from handover.services import approving, holding_out, questions, scope
from handover.threads import threads_of, unanswered, unread_by
from handover.workflow import Side, StepKind
from jobs.services import run_now
from ledger.models import Entry

S = StepKind.SCOPE
PEOPLE = ("buyer_clerk", "seller_clerk", "reviewer")
AS_IS = dict.fromkeys(EVERYTHING, "as_is")


@pytest.fixture(scope="module")
def made(keep):
    return keep(lambda cast: stand_at(cast, S))


@pytest.fixture
def stand(kept_stand):
    return kept_stand


def propose(stand, segment=EVERYBODY, by="buyer_clerk", side=Side.BUYER, answers=0, **changes):
    crossings = [
        scope.Crossing(field.category, field.name, changes.get(field.name, "as_is"), "Needed.")
        for field in SCOPE_FIELDS
    ]
    return scope.propose(
        actor=getattr(stand.cast, by),
        step=stand.step(S),
        side=side,
        crossings=crossings,
        note="",
        answers=answers,
        segment=segment,
        now=timezone.now(),
    )


def ask(stand, by="buyer_clerk", field="basic.phone", text="Why no phones?"):
    actor = getattr(stand.cast, by)
    return questions.ask(actor=actor, step=stand.step(S), field=field, text=text, now=timezone.now())


def address(stand, *parts):
    return "/".join([f"/handovers/{stand.handover.pk}/scope", *map(str, parts), ""])


# ---- questions and answers


def test_a_question_waits_for_the_other_side_until_it_is_answered_and_settled(stand):
    cast = stand.cast
    question = ask(stand, text="  Why no phones? ")
    assert unanswered(stand.handover, Side.SELLER) == 1
    assert unanswered(stand.handover, Side.BUYER) == 0
    assert any("Answer 1 question" in str(one.title) for one in handovers_waiting(cast.seller_clerk, timezone.now()))
    assert not any("question" in str(one.title) for one in handovers_waiting(cast.buyer_clerk, timezone.now()))
    questions.reply(actor=cast.seller_clerk, question=question, text="Nobody calls.", now=timezone.now())
    assert unanswered(stand.handover, Side.BUYER) == 1
    with refused("The side that asked"):
        questions.resolve(actor=cast.seller_clerk, question=question, now=timezone.now())
    questions.resolve(actor=cast.buyer_lead, question=question, now=timezone.now())
    assert unanswered(stand.handover, Side.BUYER) == unanswered(stand.handover, Side.SELLER) == 0
    with refused("settled already"):
        questions.resolve(actor=cast.buyer_lead, question=question, now=timezone.now())
    questions.reply(actor=cast.seller_lead, question=question, text="One thing more.", now=timezone.now())
    assert ScopeQuestion.objects.get().resolved_at is None, "written into, it is open again"
    assert [one.text for one in ScopeMessage.objects.order_by("pk")] == [
        "Why no phones?",
        "Nobody calls.",
        "One thing more.",
    ]


def test_the_ledger_says_who_asked_about_what_and_no_word_of_it(stand):
    question = ask(stand, text="Is Han Meimei among them?")
    questions.reply(actor=stand.cast.seller_clerk, question=question, text="Han Meimei is.", now=timezone.now())
    entries = Entry.objects.filter(verb__in=["handover.scope.asked", "handover.scope.answered"]).order_by("id")
    assert [(one.verb, one.data["field"]) for one in entries] == [
        ("handover.scope.asked", "basic.phone"),
        ("handover.scope.answered", "basic.phone"),
    ]
    assert not any("Meimei" in str(one.data) for one in entries)


@pytest.mark.parametrize(
    ("by", "field", "text", "message"),
    [
        ("buyer_clerk", "basic.secret", "What?", "Choose the field"),
        ("buyer_clerk", "basic.phone", "  ", "Write something"),
        ("buyer_clerk", "", "x" * 2001, "Write something"),
        ("reviewer", "", "May I?", "Only people of the seller and the buyer"),
        ("agent", "", "May I?", "Only people of the seller and the buyer"),
    ],
)
def test_a_question_that_is_not_possible(stand, by, field, text, message):
    with refused(message):
        ask(stand, by, field, text)
    assert not ScopeQuestion.objects.exists()


def test_agreed_it_can_be_read_and_no_longer_written(stand):
    question = ask(stand)
    propose(stand)
    stand.approve(S, Side.SELLER)
    stand.approve(S, Side.BUYER)
    with refused("The scope is not negotiated now"):
        questions.reply(actor=stand.cast.seller_clerk, question=question, text="Late.", now=timezone.now())
    with refused("The scope is not negotiated now"):
        ask(stand)
    assert len(threads_of(stand.handover, stand.cast.reviewer, None)) == 1


def test_the_pages_of_the_threads(stand, client_of):
    buyer, seller, reviewer = (client_of(getattr(stand.cast, one)) for one in PEOPLE)
    url = address(stand, "questions")
    page = buyer.post(url, {"field": "basic.phone", "text": ""})
    assert page.status_code == 422
    assert "Write something" in page.content.decode()
    asked = buyer.post(url, {"field": "basic.phone", "text": "Why?"}, follow=True)
    assert "Your question is open." in asked.content.decode()
    propose(stand)
    assert "1 waits for your answer" in seller.get(address(stand)).content.decode()
    assert unread_by(stand.cast.seller_clerk, stand.handover) == 1
    page = seller.get(url).content.decode()
    assert "Waits for your answer" in page
    assert "1 new message" in page
    assert unread_by(stand.cast.seller_clerk, stand.handover) == 0
    question = ScopeQuestion.objects.get()
    written = seller.post(f"/handovers/scope/questions/{question.pk}/reply/", {"text": "x" * 2001})
    assert written.status_code == 422
    assert "x" * 2001 in written.content.decode(), "what was typed is kept"
    seller.post(f"/handovers/scope/questions/{question.pk}/reply/", {"text": "<b>Because</b>"})
    page = reviewer.get(url).content.decode()
    assert "&lt;b&gt;Because&lt;/b&gt;" in page
    assert '<form class="form"' not in page, "who only reads is not asked to write"
    assert (
        "The question is settled."
        in buyer.post(f"/handovers/scope/questions/{question.pk}/resolve/", follow=True).content.decode()
    )


# ---- which customers


def test_a_segment_is_data_in_one_notation():
    whole = Segment(
        jurisdictions=("US", "CN"),
        collected_from=date(2025, 1, 1),
        collected_until=date(2025, 12, 31),
        purchases=2,
        bought_since=date(2025, 6, 1),
        spent=Decimal("1000.50"),
        currency="CNY",
    )
    data = whole.data()
    assert data["jurisdictions"] == ["CN", "US"]
    assert data["spent"] == "1000.5"
    assert segment_from(data).data() == data
    assert not EVERYBODY
    assert EVERYBODY.data() == {}
    assert len(sentences(data, {})) == 6


@pytest.mark.parametrize(
    ("segment", "inside"),
    [
        (Segment(purchases=3), 4),
        (Segment(jurisdictions=("US",)), 0),
        (Segment(jurisdictions=("CN",)), 12),
        (Segment(bought_since=date(2025, 2, 1)), 8),
        (Segment(spent=Decimal(20), currency="CNY"), 3),
        (Segment(spent=Decimal(20), currency="USD"), 0),
        (Segment(collected_from=date(2100, 1, 1)), 0),
        (Segment(collected_until=date(2100, 1, 1)), 12),
    ],
)
def test_who_is_inside_is_the_same_for_the_whole_book_and_one_by_one(stand, segment, inside):
    apart = customers_outside(stand.handover, segment.data())
    assert 12 - len(apart) == inside
    rows = {one.pk: Row(one.collected_on, one.source_id) for one in Customer.objects.filter(book=stand.handover.book)}
    for record in everybody(stand.handover.book):
        assert holds(segment, record, rows[record.id]) is (record.id not in apart)


@pytest.mark.parametrize(
    ("segment", "message"),
    [
        (Segment(collected_from=date(2025, 2, 1), collected_until=date(2025, 1, 1)), "lies after the last"),
        (Segment(spent=Decimal(10)), "in which currency"),
        (Segment(sources=(UUID(int=7),)), "not one of this book"),
    ],
)
def test_a_segment_that_is_not_possible(stand, segment, message):
    with refused(message):
        propose(stand, segment)


def test_a_changed_segment_alone_is_another_version_and_voids_the_approvals(stand):
    propose(stand)
    stand.approve(S, Side.SELLER)
    before = bytes(stand.step(S).digest)
    assert propose(stand, Segment(purchases=1), answers=1).segment == {"purchases": 1}
    assert bytes(stand.step(S).digest) != before
    with refused("has changed since you opened the page"):
        approving.approve(
            actor=stand.cast.seller_lead, step=stand.step(S), side=Side.SELLER, digest=before, now=timezone.now()
        )
    with refused("Nothing differs"):
        propose(stand, Segment(purchases=1), answers=2)


def test_a_field_becomes_only_what_it_admits(stand):
    with refused("“Quantity” cannot become that"):
        propose(stand, quantity="mask")
    with refused("“Customer number” cannot become that"):
        propose(stand, number="mask")


def test_who_does_not_cross_is_not_told(stand):
    propose(stand, Segment(purchases=2))
    stand.approve(S, Side.SELLER)
    stand.approve(S, Side.BUYER)
    stand.options = by_platform()
    stand.pass_gate(StepKind.PLAN)
    notice = sent(stand)
    told = set(Addressee.objects.filter(notice=notice).values_list("customer", flat=True))
    assert told == {record.id for record in everybody(stand.handover.book) if len(record.purchases) >= 2}
    notice.refresh_from_db()
    assert notice.outside == 4
    waiting = Addressee.objects.filter(notice=notice, state="waiting").count()
    assert holding_out.untold(stand.handover, notice) == waiting == 4, "letters; of who stays nobody is missed"


def test_who_spent_too_little_is_found_by_the_job_and_nobody_is_told_twice(stand, monkeypatch):
    """Values are opened by the worker alone; one that is killed after its messages left makes the same rows again."""
    propose(stand, Segment(spent=Decimal(9), currency="CNY"))
    stand.approve(S, Side.SELLER)
    stand.approve(S, Side.BUYER)
    stand.options = by_platform()
    stand.pass_gate(StepKind.PLAN)
    notice = approved(stand)
    with nothing_opens():
        job = begun(stand, notice)
    assert not Addressee.objects.exists()
    update, lost = Addressee.objects.bulk_update, []

    def dies(*args, **named):
        if not lost:
            lost.append(len(mail.outbox))
            raise SystemError("killed")
        return update(*args, **named)

    monkeypatch.setattr(type(Addressee.objects), "bulk_update", lambda _self, *a, **k: dies(*a, **k))
    assert run_now(job).state == "done"
    people = everybody(stand.handover.book)
    wanted = {one.id for one in people if sum(Decimal(row[3]) for row in one.purchases) >= Decimal(9)}
    told = Addressee.objects.filter(notice=notice)
    assert 0 < len(wanted) < 12 and set(told.values_list("customer", flat=True)) == wanted
    assert lost == [len(mail.outbox)] and lost[0] == told.filter(state="sent", channel="email").count() > 0
    notice.refresh_from_db()
    assert (notice.state, notice.outside) == ("open", 12 - len(wanted))
    assert holding_out.untold(stand.handover, notice) == told.filter(state="waiting").count()


# ---- what a version does


def test_the_seller_sees_records_before_and_after_and_the_buyer_after_alone(stand):
    crossings = AS_IS | {"basic.phone": "mask", "basic.name": "pseudonymize", "basic.note": "drop"}
    sold = effect_of(stand.handover, crossings, EVERYBODY, stand.cast.seller_clerk, timezone.now())
    bought = effect_of(stand.handover, crossings, EVERYBODY, stand.cast.buyer_clerk, timezone.now())
    assert (sold.total, sold.customers.count, len(sold.records)) == (12, 12, 3)
    assert [number.count for _label, _fields, number in sold.rows] == [12, 24, 12]
    shown = {str(one.label): one for one in sold.records[0]}
    assert (shown["Name"].before, shown["Name"].after[:2]) == ("韩**", "P-")
    assert shown["Phone"].after.startswith("139****")
    assert shown["Note"].after == ""
    theirs = {str(one.label): one for one in bought.records[0]}
    assert all(one.before == "" for one in theirs.values())
    assert set(theirs["Customer number"].after) == {"*"}
    plain = {value for record in everybody(stand.handover.book) for value in record.basic[1:] if value}
    for effect in (sold, bought):
        for one in (one for record in effect.records for one in record):
            assert one.after not in plain
            assert one.before not in plain


def test_numbers_of_a_choice_are_told_to_the_buyer_by_tens(stand):
    often = Segment(purchases=3)
    sold = effect_of(stand.handover, AS_IS, often, stand.cast.seller_clerk, timezone.now())
    bought = effect_of(stand.handover, AS_IS, often, stand.cast.buyer_clerk, timezone.now())
    assert (sold.customers.count, sold.customers.about) == (4, False)
    assert (bought.customers.count, bought.customers.few) == (0, True)
    # Nor tells a record, nor a nought, of one person.
    assert (len(sold.records), bought.records) == (3, [])
    assert "Fewer than ten" in bought.closed
    nobody = effect_of(stand.handover, AS_IS, Segment(purchases=99), stand.cast.buyer_clerk, timezone.now())
    assert nobody.customers == bought.customers
    rich = effect_of(
        stand.handover, AS_IS, Segment(spent=Decimal(20), currency="CNY"), stand.cast.seller_clerk, timezone.now()
    )
    assert (rich.customers.count, rich.read) == (3, 12)


def test_without_clearance_no_record_is_opened(stand, monkeypatch):
    monkeypatch.setattr("handover.effects.read_records", lambda *_a, **_k: pytest.fail("a value was opened"))
    stranger = effect_of(stand.handover, AS_IS, EVERYBODY, stand.cast.agent, timezone.now())
    assert not stranger.records
    assert stranger.closed


def test_the_form_shows_what_it_would_do_and_keeps_nothing(stand, client_of):
    client = client_of(stand.cast.buyer_clerk)
    form = {"answers": "0", "note": "", "purchases": "3", "preview": "1"}
    for field in SCOPE_FIELDS:
        form |= {f"transform-{field.key}": "as_is", f"reason-{field.key}": "Needed."}
    form |= {"transform-basic.address": "generalize", "transform-purchases.time": "generalize"}
    page = client.post(address(stand, "propose"), form).content.decode()
    assert "What it does" in page
    assert "fewer than ten" in page
    assert newest_proposal(stand.handover) is None
    del form["preview"]
    assert client.post(address(stand, "propose"), form).status_code == 302
    proposal = newest_proposal(stand.handover)
    assert proposal.segment == {"purchases": 3}
    assert len(agreed_fields(stand.handover)) == len(SCOPE_FIELDS)
    page = client.get(address(stand)).content.decode()
    assert "Crosses generalized" in page
    assert "At least 3 purchases" in page


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"spent": "10"}, "in which currency"),
        ({"currency": "yuan", "spent": "10"}, "Select a valid choice"),
        ({"collected_from": "yesterday"}, "Enter a valid date"),
        ({"jurisdictions": "XX"}, "Select a valid choice"),
        ({"collected_from": "2025-02-01", "collected_until": "2025-01-01"}, "lies after the last"),
    ],
)
def test_a_choice_that_does_not_fit_is_said(stand, client_of, changes, message):
    form = {"answers": "0", "note": "", **changes}
    for field in SCOPE_FIELDS:
        form |= {f"transform-{field.key}": "as_is", f"reason-{field.key}": "Needed."}
    response = client_of(stand.cast.buyer_clerk).post(address(stand, "propose"), form)
    assert response.status_code == 422
    assert message in response.content.decode()


def test_any_two_versions_are_compared_and_who_signed_which_stands_there(stand, client_of):
    propose(stand)
    stand.approve(S, Side.SELLER)
    propose(stand, by="seller_clerk", side=Side.SELLER, answers=1, phone="mask")
    propose(stand, Segment(purchases=2), answers=2, phone="mask", email="drop")
    client = client_of(stand.cast.seller_lead)
    page = client.get(address(stand, "compare") + "?before=1&after=3").content.decode()
    assert "Scope: version 3 answers version 1" in page
    assert page.count("≠ Differs") == 3
    assert "Void: changed or sent back since" in page
    assert client.get(address(stand, "compare") + "?before=3&after=1").content.decode().count("≠ Differs") == 3
    for bad in ("before=1&after=1", "before=9&after=1", "before=x&after=1", ""):
        assert client.get(address(stand, "compare") + f"?{bad}").status_code == 302
    stand.approve(S, Side.SELLER)
    stand.approve(S, Side.BUYER)
    assert "Agreed: both sides signed version 3." in client.get(address(stand)).content.decode()
