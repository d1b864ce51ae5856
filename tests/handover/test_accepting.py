"""After the certificate: accepted by a lead or the calendar, or given back whole."""

from datetime import timedelta

import pytest
from django.utils import timezone
from stand import refused, stand_at

from customers.models import Customer
from customers.workflow import BookState
from handover.content import proven_execution
from handover.models import Acceptance, OnboardingTask
from handover.selectors import books_to_hand_over
from handover.services import accepting, stopping
from handover.services.opening import Terms, open_handover
from handover.verifying import verdict_on
from handover.workflow import ExecutionState, HandoverState, StepKind
from ledger.models import Entry
from vault.models import DataKey

ACTORS = ["seller_lead", "seller_clerk", "buyer_lead", "buyer_clerk", "reviewer", "agent"]


@pytest.fixture(scope="module")
def made(keep):
    def build(cast):
        stand = stand_at(cast, StepKind.AUDIT, 7, acceptance_days=10)
        stand.pass_gate(StepKind.AUDIT)
        return stand

    return keep(build)


def give_back(stand, name="buyer_lead", reason="The books do not fit."):
    return accepting.roll_back(
        actor=getattr(stand.cast, name), handover=stand.handover, reason=reason, now=timezone.now()
    )


def accept(stand, name="buyer_lead"):
    return accepting.accept(actor=getattr(stand.cast, name), handover=stand.handover, now=timezone.now())


def test_it_is_certified_and_waits_for_the_buyer(kept_stand):
    acceptance = kept_stand.handover.acceptance
    assert (acceptance.until, acceptance.accepted_at) == (timezone.localdate() + timedelta(days=10), None)
    assert kept_stand.handover.book.state == BookState.FROZEN
    assert OnboardingTask.objects.filter(handover=kept_stand.handover).count() == 6


@pytest.mark.parametrize("name", ACTORS)
def test_who_accepts(kept_stand, name):
    if name == "buyer_lead":
        assert accept(kept_stand).accepted_by == kept_stand.cast.buyer_lead
        with refused("was accepted on"):
            accept(kept_stand)
        with refused("was accepted on"):
            give_back(kept_stand)
        return
    with refused("Only a lead of the buyer"):
        accept(kept_stand, name)


def test_the_calendar_accepts_after_the_last_day(kept_stand):
    now = timezone.now()
    assert accepting.accept_due(now=now + timedelta(days=10)) == 0
    assert accepting.accept_due(now=now + timedelta(days=11)) == 1
    assert accepting.accept_due(now=now + timedelta(days=12)) == 0
    acceptance = Acceptance.objects.get()
    assert acceptance.accepted_at
    assert acceptance.accepted_by is None
    assert Entry.objects.filter(verb="handover.accepted_by_calendar", object_id=kept_stand.handover.pk).count() == 1


@pytest.mark.parametrize("name", [one for one in ACTORS if one != "buyer_lead"])
def test_who_does_not_give_back(kept_stand, name):
    with refused("Only a lead of the buyer"):
        give_back(kept_stand, name)


def test_given_back_nothing_stays_with_the_buyer_and_the_record_does(kept_stand):
    stand = kept_stand
    target = proven_execution(stand.handover).target
    arrived = list(target.customers.values_list("pk", flat=True))
    before = set(stand.handover.book.customers.values_list("pk", flat=True))
    give_back(stand)
    handover = stand.handover
    assert (handover.state, handover.stop_reason) == (HandoverState.ROLLED_BACK, "The books do not fit.")
    assert not Customer.objects.filter(pk__in=arrived).exists()
    assert not DataKey.objects.filter(subject__in=arrived, wrapped__isnull=False).exists()
    target.refresh_from_db()
    assert (target.state, handover.book.state) == (BookState.DISCARDED, BookState.OPEN)
    assert set(handover.book.customers.values_list("pk", flat=True)) == before
    assert DataKey.objects.filter(subject__in=before, wrapped__isnull=False).count() == 3 * len(before)
    assert handover.executions.get().state == ExecutionState.ROLLED_BACK
    verdict = verdict_on(bytes(handover.certificate.digest))
    assert verdict.holds
    assert verdict.revoked_at
    assert not OnboardingTask.objects.filter(handover=handover).exists()
    assert "do not fit" not in str(list(Entry.objects.values_list("data", flat=True)))


def test_what_the_buyer_added_stays(kept_stand):
    target = proven_execution(kept_stand.handover).target
    own = target.customers.first()
    Customer.objects.filter(pk=own.pk).update(origin=None)
    give_back(kept_stand)
    target.refresh_from_db()
    assert list(target.customers.values_list("pk", flat=True)) == [own.pk]
    assert target.state == BookState.OPEN


def test_not_while_the_buyers_book_is_in_another_handover(kept_stand):
    target = proven_execution(kept_stand.handover).target
    type(target).objects.filter(pk=target.pk).update(state=BookState.FROZEN)
    with refused("in another handover"):
        give_back(kept_stand)


def test_a_book_that_can_be_given_back_is_not_sold_on(kept_stand):
    cast, target = kept_stand.cast, proven_execution(kept_stand.handover).target
    due = timezone.localdate() + timedelta(days=30)
    terms = Terms("The shop, again", cast.buyer, cast.seller, cast.reviewers, target, due, "asset")
    with refused("can still be given back"):
        open_handover(actor=cast.buyer_lead, terms=terms, now=timezone.now())
    assert target not in books_to_hand_over(cast.buyer_lead)
    accept(kept_stand)
    assert target in books_to_hand_over(cast.buyer_lead)
    assert open_handover(actor=cast.buyer_lead, terms=terms, now=timezone.now()).seller == cast.buyer


def test_the_seller_asks_and_the_buyer_agrees(kept_stand):
    stand, now = kept_stand, timezone.now()
    with refused("Only a lead of the seller"):
        accepting.ask_back(actor=stand.cast.buyer_lead, handover=stand.handover, reason="Off.", now=now)
    with refused("Write why"):
        accepting.ask_back(actor=stand.cast.seller_lead, handover=stand.handover, reason=" ", now=now)
    with refused("Write why"):
        give_back(stand, reason="")
    accepting.ask_back(actor=stand.cast.seller_lead, handover=stand.handover, reason="The price fell.", now=now)
    with refused("has asked already"):
        accepting.ask_back(actor=stand.cast.seller_lead, handover=stand.handover, reason="Again.", now=now)
    assert give_back(stand, reason="").stop_reason == "The price fell."


def test_rolled_back_it_is_over(kept_stand):
    give_back(kept_stand)
    with refused("is now: Rolled back"):
        accept(kept_stand)
    with refused("is now: Rolled back"):
        give_back(kept_stand)
    with refused("This handover is closed"):
        stopping.stop(actor=kept_stand.cast.buyer_lead, handover=kept_stand.handover, reason="Off.", now=timezone.now())
