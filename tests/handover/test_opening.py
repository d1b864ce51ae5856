"""Opening a handover: who may, of which book, for whom; reference numbers; one open handover for a book."""

from dataclasses import replace
from datetime import date, timedelta

import pytest
from django.db import IntegrityError, transaction
from django.utils import timezone
from stand import refused, terms_of

from customers.models import Book
from customers.services.books import create_book, move_book
from customers.workflow import BookState
from handover.models import Step
from handover.services import opening, stopping
from handover.workflow import ORDER, HandoverState, StepKind, StepState
from ledger.models import Entry


@pytest.fixture
def terms(cast, book_of):
    return terms_of(cast, book_of(3))


def test_a_new_handover_has_six_gates_and_the_first_is_open(cast, terms):
    now = timezone.now()
    handover = opening.open_handover(actor=cast.seller_lead, terms=terms, now=now)
    handover.refresh_from_db()
    assert handover.state == HandoverState.OPEN
    assert handover.reference == f"HO-{timezone.localdate(now).year}-0001"
    assert (handover.opened_by, handover.created_at, handover.ended_at) == (cast.seller_lead, now, None)
    states = dict(Step.objects.filter(handover=handover).values_list("kind", "state"))
    assert states == dict.fromkeys(ORDER, StepState.SHUT) | {StepKind.NECESSITY: StepState.DRAFT}
    entries = Entry.objects.filter(object_id=handover.pk).order_by("pk")
    assert [entry.verb for entry in entries] == ["handover.opened", "handover.necessity.open"]
    assert set(entries[0].audience) == {cast.seller.pk, cast.buyer.pk, cast.reviewers.pk}
    # The book stays in use until its backup.
    assert Book.objects.get(pk=terms.book.pk).state == BookState.OPEN


def test_the_agency_opens_for_a_seller(cast, terms):
    assert opening.open_handover(actor=cast.agent, terms=terms, now=timezone.now()).seller == cast.seller


@pytest.mark.parametrize("name", ["seller_clerk", "buyer_lead", "buyer_clerk", "reviewer"])
def test_nobody_else_opens(cast, terms, name):
    with refused("Only a lead of the seller or the agency"):
        opening.open_handover(actor=getattr(cast, name), terms=terms, now=timezone.now())


def test_the_parties_must_fit(cast, terms):
    wrong = {
        "Seller and buyer are the same": {"buyer": cast.seller},
        "must be businesses": {"buyer": cast.agency},
        "must be a review firm": {"reviewer": cast.buyer},
        "The date is in the past": {"due_on": timezone.localdate() - timedelta(days=1)},
        "more than ten years away": {"due_on": date(9999, 12, 31)},
    }
    for message, change in wrong.items():
        with refused(message):
            opening.open_handover(actor=cast.seller_lead, terms=replace(terms, **change), now=timezone.now())


def test_the_book_must_be_the_sellers_own_and_open(cast, terms):
    now = timezone.now()
    others = create_book(actor=cast.buyer_lead, organization=cast.buyer, name="Theirs", now=now)
    with refused("does not belong to the seller"):
        opening.open_handover(actor=cast.seller_lead, terms=replace(terms, book=others), now=now)
    move_book(actor=cast.seller_lead, book=terms.book, to=BookState.FROZEN, now=now)
    with refused("Only an open book"):
        opening.open_handover(actor=cast.seller_lead, terms=terms, now=now)


def test_a_book_is_in_one_open_handover(cast, terms):
    now = timezone.now()
    first = opening.open_handover(actor=cast.seller_lead, terms=terms, now=now)
    with refused(f"This book is in handover {first.reference}"):
        opening.open_handover(actor=cast.seller_lead, terms=terms, now=now)
    stopping.stop(actor=cast.seller_lead, handover=first, reason="The sale is off.", now=now)
    assert opening.open_handover(actor=cast.seller_lead, terms=terms, now=now).reference.endswith("-0002")


def test_the_database_keeps_a_book_in_one_open_handover(cast, terms):
    first = opening.open_handover(actor=cast.seller_lead, terms=terms, now=timezone.now())
    first.pk, first.reference = None, "HO-2026-9999"
    with pytest.raises(IntegrityError, match="handover_one_open_per_book"), transaction.atomic():
        first.save(force_insert=True)


def test_references_begin_anew_each_year(cast, book_of, now):
    for year, number in ((0, "0001"), (0, "0002"), (1, "0001")):
        at = now.replace(year=now.year + year)
        terms = replace(terms_of(cast, book_of(1)), due_on=timezone.localdate(at))
        assert opening.open_handover(actor=cast.agent, terms=terms, now=at).reference == f"HO-{at.year}-{number}"
