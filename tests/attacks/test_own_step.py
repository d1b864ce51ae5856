"""Attacks on the rule of two: approving what one wrote, standing for two sides, sending an old approval again, and
coming at the same moment."""

from concurrent.futures import ThreadPoolExecutor
from threading import Barrier

import pytest
from django.db import connection
from django.test import Client
from django.urls import reverse
from django.utils import timezone
from world import certified

from accounts.demo import make_cast
from accounts.models import Membership
from accounts.services import add_membership, change_membership, publish_agreement, remove_membership, sign
from customers.services.books import create_book
from handover import demo
from handover.content import digest_of
from handover.errors import HandoverError
from handover.models import Approval, Delivery
from handover.services import approving, tickets
from handover.workflow import Side, StepKind, StepState


@pytest.fixture
def proposed(cast):
    """A scope that the buyer's clerk wrote and that waits for both leads."""
    run = demo.open_demo(cast, demo.import_sample(cast, "Depot", 2), "Depot")
    demo.pass_necessity(run)
    demo.propose_scope(run)
    return run


def _address(run, page: str = "approve") -> str:
    return reverse(f"handover:{page}", args=[run.handover.pk, "scope"])


def _send(client: Client, run):
    """The form as the page would send it, whether the page is shown or not."""
    return client.post(_address(run), {"digest": digest_of(run.step(StepKind.SCOPE)).hex()})


def _approvals(run) -> list[str]:
    return sorted(Approval.objects.filter(step=run.step(StepKind.SCOPE), voided_at=None).values_list("side", flat=True))


def _become(person, organization, role, now):
    Membership.objects.filter(user=person, organization=organization).delete()
    add_membership(actor=None, person=person, organization=organization, role=role, now=now)


@pytest.mark.parametrize("how", ["promoted", "moved to the seller", "lead of both sides", "reviewer besides"])
def test_who_wrote_it_does_not_approve_it_whatever_they_become(cast, client_of, proposed, now, how):
    clerk = cast.buyer_clerk
    if how == "promoted":
        own = Membership.objects.get(user=clerk)
        change_membership(actor=None, membership=own, role="lead", now=now)
    if how == "moved to the seller":
        remove_membership(actor=None, membership=Membership.objects.get(user=clerk), now=now)
    if how != "promoted":
        _become(clerk, cast.seller, "lead", now)
    if how == "lead of both sides":
        _become(clerk, cast.buyer, "lead", now)
    if how == "reviewer besides":
        _become(clerk, cast.reviewers, "reviewer", now)
    client = client_of(type(clerk).objects.get(pk=clerk.pk))
    _send(client, proposed)
    step = proposed.step(StepKind.SCOPE)
    for side in Side:
        with pytest.raises(HandoverError):
            approving.approve(actor=clerk, step=step, side=side, digest=bytes(step.digest), now=timezone.now())
    assert _approvals(proposed) == []


def test_a_lead_of_both_sides_approves_for_one_only(cast, client_of, proposed, now):
    _become(cast.seller_lead, cast.buyer, "lead", now)
    client = client_of(cast.seller_lead)
    for _time in range(3):
        _send(client, proposed)
    assert len(_approvals(proposed)) == 1
    step = proposed.step(StepKind.SCOPE)
    assert step.state == StepState.SUBMITTED


@pytest.mark.parametrize("side", ["seller", "reviewer", "agency", "", "SELLER ", "both"])
def test_a_side_that_is_typed_counts_for_nothing(cast, client_of, proposed, side):
    client = client_of(cast.buyer_lead)
    sent = {"digest": digest_of(proposed.step(StepKind.SCOPE)).hex(), "side": side, "user": str(cast.seller_lead.pk)}
    client.post(_address(proposed), sent)
    assert _approvals(proposed) == ["buyer"]


def test_an_approval_that_is_sent_again_is_not_a_second_one(cast, client_of, proposed):
    """The same form from the same browser, twice; and again after the gate was sent back and proposed anew."""
    client, form = client_of(cast.seller_lead), {"digest": digest_of(proposed.step(StepKind.SCOPE)).hex()}
    client.post(_address(proposed), form)
    client.post(_address(proposed), form)
    assert _approvals(proposed) == ["seller"]
    client_of(cast.buyer_lead).post(_address(proposed, "send_back"), {"reason": "Not the note."})
    client.post(_address(proposed), form)
    assert _approvals(proposed) == []


def test_somebody_who_left_does_not_approve_by_a_page_that_was_open(cast, client_of, proposed, now):
    client = client_of(cast.seller_lead)
    assert client.get(_address(proposed)).status_code == 200
    remove_membership(actor=None, membership=Membership.objects.get(user=cast.seller_lead), now=now)
    assert _send(client, proposed).status_code == 404
    assert _approvals(proposed) == []


def test_the_agency_approves_nothing(cast, client_of, proposed):
    _send(client_of(cast.agent), proposed)
    step = proposed.step(StepKind.SCOPE)
    for side in Side:
        with pytest.raises(HandoverError):
            approving.approve(actor=cast.agent, step=step, side=side, digest=bytes(step.digest), now=timezone.now())
    pages = ("/admin/handover/approval/add/", "/admin/handover/step/add/", f"/admin/handover/step/{step.pk}/change/")
    answers = {page: client_of(cast.agent).post(page, {"state": "passed"}).status_code for page in pages}
    assert set(answers.values()) <= {302, 403, 404}, answers
    assert _approvals(proposed) == []


def _at_once(acts):
    """These acts in threads that start together, each with its own connection; their results or refusals."""
    barrier = Barrier(len(acts))

    def run(act):
        try:
            barrier.wait(10)
            return act()
        except HandoverError as error:
            return error
        finally:
            connection.close()

    with ThreadPoolExecutor(len(acts)) as pool:
        return list(pool.map(run, acts))


@pytest.mark.django_db(transaction=True)
def test_one_lead_of_both_sides_at_once_gives_one_approval():
    """Two browsers of one person, one for each side: the lock comes before the look."""
    now = timezone.now()
    cast = make_cast(now)
    run = demo.open_demo(cast, create_book(actor=None, organization=cast.seller, name="Book", now=now), "Depot")
    demo.pass_necessity(run)
    demo.propose_scope(run)
    add_membership(actor=None, person=cast.seller_lead, organization=cast.buyer, role="lead", now=now)
    step = run.step(StepKind.SCOPE)

    def approve(side):
        return lambda: approving.approve(
            actor=cast.seller_lead, step=run.step(StepKind.SCOPE), side=side, digest=bytes(step.digest), now=now
        )

    _at_once([approve(Side.SELLER), approve(Side.BUYER), approve(Side.SELLER), approve(Side.BUYER)])
    assert len(_approvals(run)) == 1
    assert run.step(StepKind.SCOPE).state == StepState.SUBMITTED


@pytest.mark.django_db(transaction=True)
def test_a_version_published_at_once_gets_one_number():
    now = timezone.now()
    cast = make_cast(now)

    def publish(text):
        texts = {"title_zh": "承诺", "title_en": "Undertaking", "text_zh": "新。", "text_en": text}
        return lambda: publish_agreement(actor=None, organization=cast.seller, handover=None, now=now, **texts)

    versions = [one.version for one in _at_once([publish("One."), publish("Two."), publish("Three.")])]
    assert len(set(versions)) == 3
    newest = cast.seller.agreements.order_by("-version").first()
    person = {"actor": cast.seller_lead, "agreement": newest, "name": cast.seller_lead.name, "address": None}

    def put_name():
        return sign(**person, language="zh", text_hash=newest.text_hash, now=now)

    _at_once_any([put_name, put_name])
    assert newest.signatures.filter(user=cast.seller_lead).count() == 1


def _at_once_any(acts):
    def quiet(act):
        def run():
            try:
                return act()
            except Exception as error:  # the count in the database is what matters
                return error

        return run

    return _at_once([quiet(act) for act in acts])


@pytest.mark.django_db(transaction=True)
def test_downloads_at_once_are_all_counted(settings):
    cast = make_cast(timezone.now())
    run = certified(cast)
    delivery = Delivery.objects.get(handover=run.handover)

    def take():
        now = timezone.now()
        ticket, _token = tickets.issue(actor=cast.buyer_lead, delivery=delivery, purpose="Move", now=now)
        return tickets.sent(ticket=ticket, request=1, start=0, end=delivery.bytes, now=now)

    found = _at_once([take, take, take])
    assert not [one for one in found if isinstance(one, Exception)]
    assert Delivery.objects.get(pk=delivery.pk).downloads == 3
