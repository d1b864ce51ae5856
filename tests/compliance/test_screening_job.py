"""The screening of a whole book: sealed notes and addresses are read chunk by chunk, and end in a content review."""

from datetime import timedelta
from uuid import UUID, uuid4

import pytest
from django.db import connection, transaction

from accounts.clearance import Need, clearance_for
from compliance import handlers, services
from compliance.excerpts import Excerpt, around, excerpts_of
from compliance.models import Review, Screening, ScreeningHit
from compliance.screening import matches
from compliance.services.screenings import digest_of, read_chunk
from compliance.workflow import ReviewState
from customers.models import Category, Customer
from customers.records import read_records
from customers.sample.catalog import SENSITIVE_NOTES
from handover import demo
from jobs import services as jobs
from jobs.models import Chunk, Job
from jobs.services import run_now
from jobs.workflow import JobState
from ledger.models import Entry
from vault.services import destroy_data_keys

CARD, IDENTITY = "card 6222 0202 0011 2230", "证件 11010519491231002X"
EVERY_ID = (UUID(int=0), UUID(int=2**128 - 1))


def start(cast, book, now, **changes):
    given = {
        "actor": cast.seller_lead,
        "book": book,
        "subject_type": "thing",
        "subject_id": uuid4(),
        "reference": "HO-2026-0417",
        "parties": [cast.seller.name, cast.buyer.name],
        "audience": [cast.seller.pk, cast.buyer.pk, cast.reviewers.pk],
        "due_at": now + timedelta(days=3),
        "now": now,
    }
    return services.screen_book(**given | changes)


def run(screening):
    job = run_now(Job.objects.get(pk=screening.job))
    screening.refresh_from_db()
    return job


@pytest.fixture
def sample(cast):
    return demo.import_sample(cast, "Members of the shop", 230, sensitive_notes=6)


def test_a_book_of_the_sample_is_read_in_chunks_and_exactly_its_sensitive_notes_are_found(
    cast, now, sample, monkeypatch
):
    monkeypatch.setattr(handlers, "CUSTOMERS_PER_CHUNK", 50)
    screening = start(cast, sample, now)
    job = run(screening)
    assert (job.state, Chunk.objects.filter(job=job).count()) == (JobState.DONE, 5)
    notes = {record.id: record.basic[5] for record in read_records(sample, *EVERY_ID)}
    found = set(screening.hits.values_list("customer_id", "column", "rule", "start", "end"))
    assert found == {
        (customer, "note", match.rule, match.start, match.end)
        for customer, note in notes.items()
        for match in matches(note)
    }
    assert {customer for customer, note in notes.items() if note in SENSITIVE_NOTES} <= {place[0] for place in found}
    assert (screening.state, screening.records) == (Screening.State.DONE, 230)
    assert screening.counts == {"identity_number": 2, "bank_card": 2, "term": len(found) - 4}


def test_it_ends_in_one_content_review_that_nobody_wrote(cast, now, book_with):
    screening = start(cast, book_with(CARD, "nothing"), now)
    assert not Review.objects.exists()
    run(screening)
    review = Review.objects.get()
    assert (review.kind, review.state, review.raised_by) == (Review.Kind.CONTENT, ReviewState.WAITING, None)
    assert (review.subject_type, review.subject_id) == ("thing", screening.subject_id)
    assert (review.reference, review.parties) == ("HO-2026-0417", [cast.seller.name, cast.buyer.name])
    assert (review.due_at, review.screening) == (screening.due_at, screening)
    assert bytes(review.digest) == digest_of(screening)
    done = Entry.objects.get(verb="screening.done")
    assert (done.data["records"], done.data["hits"], done.actor_name) == (2, 1, "")


def test_a_chunk_that_is_read_twice_doubles_nothing(cast, now, book_with):
    book = book_with(CARD, IDENTITY)
    screening = start(cast, book, now)
    run(screening)
    before = list(screening.hits.values())
    records = read_records(book, *EVERY_ID)
    with transaction.atomic():
        read_chunk(screening=screening, records=records)
    assert list(screening.hits.values()) == before
    assert len(before) == 2


def test_addresses_are_read_as_notes_are(cast, now, book_with):
    book = book_with("")
    record = read_records(book, *EVERY_ID)[0]
    with transaction.atomic():
        screening = start(cast, book, now)
        record.basic = (*record.basic[:4], f"收件 {CARD}", CARD)
        assert read_chunk(screening=screening, records=[record]) == 2
    assert set(screening.hits.values_list("column", "start")) == {("note", 5), ("address", 8)}


def test_what_was_found_stands_in_the_digest(cast, now, book_with):
    screening = start(cast, book_with(CARD, CARD), now)
    run(screening)
    before = digest_of(screening)
    ScreeningHit.objects.filter(pk=screening.hits.first().pk).update(start=1)
    assert digest_of(screening) != before


def test_a_second_screening_of_a_subject_withdraws_the_first_review(cast, now, book_with):
    book, subject = book_with(CARD), uuid4()
    for _ in range(2):
        run(start(cast, book, now, subject_id=subject))
    states = Review.objects.order_by("raised_at", "pk").values_list("state", flat=True)
    assert list(states) == [ReviewState.WITHDRAWN, ReviewState.WAITING]


def test_a_canceled_screening_raises_no_review(cast, now, book_with):
    screening = start(cast, book_with(CARD), now)
    jobs.cancel(actor=cast.seller_lead, job=Job.objects.get(pk=screening.job), now=now)
    screening.refresh_from_db()
    assert screening.state == Screening.State.STOPPED
    assert not Review.objects.exists()
    assert Entry.objects.filter(verb="screening.stopped", object_id=screening.pk).exists()


def test_an_empty_book_is_read_too(cast, now, book_with):
    screening = start(cast, book_with(), now)
    run(screening)
    assert (screening.state, screening.records, screening.counts) == (Screening.State.DONE, 0, {})
    assert Review.objects.get().kind == Review.Kind.CONTENT


def test_no_text_of_a_customer_is_stored_or_recorded(screened):
    review = screened(CARD, IDENTITY, "糖尿病患者")
    with connection.cursor() as cursor:
        for table in ("compliance_screening", "compliance_screeninghit", "compliance_review", "ledger_entry"):
            cursor.execute(f"SELECT string_agg(t::text, '') FROM {table} t")
            written = cursor.fetchone()[0]
            assert not [text for text in ("6222", "1101051949", "糖尿病") if text in written], table
    assert review.screening.hits.count() == 3


@pytest.fixture
def cleared(cast, now):
    return clearance_for(cast.reviewer, Need(cast.reviewers.pk), now)


def test_excerpts_lead_to_the_place_and_mask_numbers(screened, django_assert_num_queries, cleared):
    review = screened("退款到卡 6222 0202 0011 2230，电话 13800138000", "zhang@mail.example 患有糖尿病，需注意")
    hits = review.screening.hits.select_related("customer").order_by("rule")
    with django_assert_num_queries(2):  # the hits, and all their keys
        (_, card), (_, term) = excerpts_of(hits, cleared)
    assert card == Excerpt("退款到卡 ", "622* **** **** 2230", "，电话 ***********", "")
    assert (term.inside, term.after) == ("糖尿病", "，需注意")
    assert "zhang" not in term.before
    assert term.before.endswith("mail.example 患有")


def test_a_destroyed_key_leaves_a_notice(screened, now, cleared):
    review = screened(CARD)
    hit = review.screening.hits.select_related("customer").get()
    destroy_data_keys([hit.customer_id], [Category.BASIC], now)
    assert excerpts_of([hit], cleared) == [(hit, Excerpt(problem="destroyed"))]


def test_a_broken_seal_leaves_a_notice(screened, cleared):
    review = screened(CARD, CARD)
    first, second = Customer.objects.all()
    note = bytes(second.sealed("note"))
    with connection.cursor() as cursor:
        cursor.execute("UPDATE customers_customer SET note = %s WHERE id = %s", [note, first.pk])
    hits = review.screening.hits.select_related("customer").filter(customer=first)
    assert [excerpt for _, excerpt in excerpts_of(hits, cleared)] == [Excerpt(problem="broken")]


def test_a_text_that_became_shorter_leaves_a_notice(screened, cleared):
    hit = screened(CARD).screening.hits.select_related("customer").get()
    hit.end = 500
    assert excerpts_of([hit], cleared)[0][1] == Excerpt(problem="changed")


@pytest.mark.parametrize(
    ("text", "inside", "masked"),
    [
        ("证 11010519491231002X", (2, 20), "110***********002X"),
        ("card 6222-0202-0011-2230.", (5, 24), "622*-****-****-2230"),
        ("卡６２２２０２０２００１１２２３０", (1, 17), "６２２*********２２３０"),
    ],
)
def test_a_number_keeps_its_first_three_and_last_four_characters(text, inside, masked):
    assert around(text, *inside, is_term=False).inside == masked


def test_a_long_text_is_cut_around_the_place():
    text = "a" * 40 + "HIV" + "b" * 40
    assert around(text, 40, 43, is_term=True) == Excerpt("…" + "a" * 18, "HIV", "b" * 18 + "…", "")
