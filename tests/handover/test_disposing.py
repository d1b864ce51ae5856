"""The seller's copy after acceptance: exactly who crossed is destroyed or set apart, proven by a signed certificate."""

import json
import subprocess
import sys
from pathlib import Path

import pytest
from django.conf import settings
from django.utils import timezone
from stand import refused, stand_at

from customers.access import access_to
from customers.models import BookGroupPermission, Category, Customer, SubjectRequest
from customers.services import holding
from customers.workflow import BookState, Verb
from handover import disposition_certificate
from handover.handlers import disposal
from handover.models import Disposition, OnboardingTask, TransferPlan
from handover.services import accepting, closing, disposing, keeping, onboarding
from handover.workflow import HandoverState, StepKind
from jobs.services import run_now
from jobs.workflow import JobState
from ledger.models import Entry
from tenancy import rights
from vault.models import DataKey
from vault.services import destroy_data_keys

CUSTOMERS, STAYS = 7, 2


def certified(cast):
    """Two customers asked to be left out, so they stay with the seller."""
    stand = stand_at(cast, StepKind.EXECUTION, CUSTOMERS, disposition="destroy", acceptance_days=10)
    for customer in stand.handover.book.customers.order_by("pk")[:STAYS]:
        ask(customer, "object")
    stand.pass_gate(StepKind.EXECUTION)
    stand.pass_gate(StepKind.AUDIT)
    return stand


def ask(customer, kind):
    now = timezone.now()
    return SubjectRequest.objects.create(
        book=customer.book, customer=customer, kind=kind, opened_at=now, due_on=timezone.localdate(now)
    )


@pytest.fixture(scope="module")
def made(keep):
    return keep(certified)


def accept(stand):
    accepting.accept(actor=stand.cast.buyer_lead, handover=stand.handover, now=timezone.now())


def begin(stand, name="seller_lead"):
    return disposing.begin(actor=getattr(stand.cast, name), handover=stand.handover, now=timezone.now())


def done(stand):
    job = run_now(begin(stand).job)
    return job, Disposition.objects.get(handover=stand.handover)


def living(customers):
    return DataKey.objects.filter(subject__in=customers, wrapped__isnull=False).count()


def split(stand):
    ids = list(stand.handover.book.customers.order_by("pk").values_list("pk", flat=True))
    return ids[:STAYS], ids[STAYS:]


def test_destroyed_are_exactly_those_who_crossed(kept_stand):
    stay, crossed = split(kept_stand)
    accept(kept_stand)
    job, found = done(kept_stand)
    assert (job.state, found.state) == (JobState.DONE, "done")
    assert (living(stay), living(crossed)) == (3 * STAYS, 0)
    assert kept_stand.handover.book.state == BookState.OPEN
    assert not Customer.objects.filter(pk__in=crossed, phone_index__isnull=False).exists()
    said = json.loads(found.document)["sections"]
    assert said["disposition"]["customers"] == said["disposition"]["crossed"] == len(crossed)
    assert said["disposition"]["stayed"] == STAYS
    assert said["proof"]["keys"]["basic"] == len(crossed)
    assert said["dates"]["backups_until"]


def test_not_before_acceptance_and_only_by_the_sellers_lead(kept_stand):
    with refused("not accepted yet"):
        begin(kept_stand)
    accept(kept_stand)
    for name in ("seller_clerk", "buyer_lead", "reviewer", "agent"):
        with refused("Only a lead of the seller"):
            begin(kept_stand, name)
    begin(kept_stand)
    with refused("runs already or is done"):
        begin(kept_stand)


def test_who_has_an_open_request_is_kept_until_it_is_answered(kept_stand):
    _stay, crossed = split(kept_stand)
    waiting = ask(Customer.objects.get(pk=crossed[0]), "access")
    accept(kept_stand)
    _job, found = done(kept_stand)
    assert (found.state, found.document) == ("waiting", "")
    assert found.problem.startswith("1 customer has an open request")
    assert living(crossed) == 3
    SubjectRequest.objects.filter(pk=waiting.pk).update(state="done")
    _job, found = done(kept_stand)
    said = json.loads(found.document)["sections"]
    assert (found.state, living(crossed), said["disposition"]["customers"]) == ("done", 0, len(crossed))
    assert len(said["proof"]["runs"]) == 2


def test_a_canceled_job_leaves_the_rest_to_a_second_one(kept_stand, monkeypatch):
    _stay, crossed = split(kept_stand)
    accept(kept_stand)
    real, calls = disposal.destroy_copies, []

    def break_once(customers, now):
        calls.append(customers)
        if len(calls) > 1:
            raise disposal.JobFailed("The power went.")
        return real(customers, now)

    monkeypatch.setattr(disposal, "destroy_copies", break_once)
    job, found = done(kept_stand)
    assert (job.state, found.state, found.problem) == (JobState.FAILED, "waiting", "The power went.")
    assert 0 < living(crossed) < 3 * len(crossed)
    monkeypatch.setattr(disposal, "destroy_copies", real)
    _job, found = done(kept_stand)
    assert (found.state, living(crossed)) == ("done", 0)


def test_restricted_is_kept_and_not_used(kept_stand, tmp_path):
    stand = kept_stand
    TransferPlan.objects.filter(handover=stand.handover).update(disposition="restrict")
    stay, crossed = split(stand)
    accept(stand)
    _job, found = done(stand)
    target = found.target
    assert (target.state, stand.handover.book.state) == (BookState.RESTRICTED, BookState.OPEN)
    assert list(target.customers.order_by("pk").values_list("pk", flat=True)) == crossed
    assert list(stand.handover.book.customers.order_by("pk").values_list("pk", flat=True)) == stay
    assert living(crossed) == 3 * len(crossed)
    assert BookGroupPermission.objects.filter(content_object=target).exists()
    access = access_to(stand.cast.seller_lead, target, timezone.now())
    assert access.permits
    assert not any(one.startswith((Verb.REVEAL, Verb.EXPORT)) for one in access.permits)
    assert (access.imports, access.derives) == (False, False)
    said = json.loads(found.document)["sections"]
    assert (said["disposition"]["kind"], said["disposition"]["customers"]) == ("restrict", len(crossed))
    assert said["proof"] == {
        "keys": dict.fromkeys(Category.values, 0),
        "runs": [],
        "verified": "all of these customers are in the restricted book",
    }
    good = verified(found.document, tmp_path)
    assert good.returncode == 0, good.stdout
    assert "set apart under storage and security only" in good.stdout
    assert f"customers {len(crossed)} of {len(crossed)} who crossed; {STAYS} stayed" in good.stdout


def test_who_waits_for_an_answer_is_not_restricted_and_who_is_held_since_stays_held(kept_stand):
    stand = kept_stand
    TransferPlan.objects.filter(handover=stand.handover).update(disposition="restrict")
    _stay, crossed = split(stand)
    waiting = ask(Customer.objects.get(pk=crossed[0]), "access")
    accept(stand)
    _job, found = done(stand)
    assert (found.state, found.counts["customers"]) == ("waiting", len(crossed) - 1)
    assert stand.handover.book.customers.filter(pk=crossed[0]).exists()
    lead, now = stand.cast.seller_lead, timezone.now()
    hold = holding.place_hold(
        actor=lead, book=stand.handover.book, customer=None, reason="A lawsuit.", until=None, now=now
    )
    waiting.state = "done"
    waiting.save(update_fields=["state"])
    _job, found = done(stand)
    assert (found.state, found.counts["customers"]) == ("done", len(crossed))
    assert [one.origin for one in found.target.holds.all()] == [hold.pk]


def test_kept_there_is_nothing_to_do_and_a_certificate_says_so(kept_stand, tmp_path):
    stand = kept_stand
    TransferPlan.objects.filter(handover=stand.handover).update(disposition="keep")
    _stay, crossed = split(stand)
    destroy_data_keys(crossed[:1], Category.values, timezone.now())  # by a rule, before it was accepted
    assert not Disposition.objects.exists()
    accept(stand)
    assert stand.handover.book.state == BookState.OPEN
    found = Disposition.objects.get(handover=stand.handover)
    assert (found.kind, found.state, found.job, found.started_by) == ("keep", "done", None, None)
    assert closing.is_disposed(stand.handover)
    assert living(crossed) == 3 * len(crossed[1:])
    said = json.loads(found.document)["sections"]["disposition"]
    assert (said["customers"], said["crossed"], said["stayed"]) == (len(crossed) - 1, len(crossed), STAYS)
    good = verified(found.document, tmp_path)
    assert good.returncode == 0, good.stdout
    assert "still held and used by the seller under its own rules" in good.stdout
    assert good.stdout.count(" 0 keys destroyed") == len(Category)
    entry = Entry.objects.get(verb="handover.disposition.done", object_id=stand.handover.pk)
    assert entry.data["digest"] == bytes(found.digest).hex()
    with refused("keeps its copy"):
        begin(stand)


@pytest.mark.parametrize("side", ["buyer", "reviewer"])
def test_who_accepts_may_not_read_the_sellers_book_and_yet_all_are_counted(kept_stand, side):
    """The buyer accepts; without days for it the reviewer's last approval does."""
    stand = kept_stand
    TransferPlan.objects.filter(handover=stand.handover).update(disposition="keep")
    handover, now = stand.handover, timezone.now()
    with rights.bound(rights.Rights(frozenset({getattr(handover, f"{side}_id")}))):
        assert not Customer.objects.filter(book=handover.book_id).exists()
        found = keeping.certify_kept(handover=handover, now=now)
    assert found.counts == {"customers": CUSTOMERS - STAYS}


def test_no_certificate_says_kept_and_names_destroyed_keys(kept_stand, tmp_path, monkeypatch):
    stand = kept_stand
    TransferPlan.objects.filter(handover=stand.handover).update(disposition="keep")
    monkeypatch.setattr(keeping, "_held", lambda execution: 1)
    monkeypatch.setattr(disposition_certificate, "_proof", lambda one: {"keys": dict.fromkeys(Category.values, 1)})
    accept(stand)
    bad = verified(Disposition.objects.get(handover=stand.handover).document, tmp_path)
    said = "no: keys were destroyed of a copy that was not to be destroyed"
    assert (bad.returncode, bad.stdout.strip()) == (1, said)


def test_closed_when_nothing_waits(kept_stand):
    now = timezone.now()
    accept(kept_stand)
    done(kept_stand)
    assert closing.close_done(now=now) == 0
    for task in OnboardingTask.objects.filter(handover=kept_stand.handover, done_at=None):
        onboarding.finish(actor=kept_stand.cast.buyer_lead, task=task, note="Done, see file 12.", now=now)
    assert closing.close_done(now=now) == 1
    handover = kept_stand.handover
    assert (handover.state, handover.acceptance.kept_until.year) == (HandoverState.CLOSED, now.year + 3)
    assert closing.close_done(now=now) == 0
    with refused("closed", Exception):
        onboarding.finish(actor=kept_stand.cast.buyer_lead, task=task, note="Again.", now=now)


def verify(path, *more):
    script = Path(settings.BASE_DIR) / "bin" / "verify-certificate"
    return subprocess.run([sys.executable, str(script), str(path), *more], capture_output=True, text=True, check=False)


def verified(document, folder):
    path = folder / "disposition.json"
    path.write_text(document)
    return verify(path)


def test_the_script_verifies_its_certificate(kept_stand, tmp_path):
    accept(kept_stand)
    _job, found = done(kept_stand)
    path = tmp_path / "disposition.json"
    path.write_text(found.document)
    good = verify(path)
    assert good.returncode == 0, good.stdout
    assert f"customers {CUSTOMERS - STAYS}" in good.stdout
    for old, new in ((f'"crossed": {CUSTOMERS - STAYS}', '"crossed": 1'), ('"destroy"', '"keep"')):
        path.write_text(found.document.replace(old, new, 1))
        bad = verify(path)
        assert (bad.returncode, bad.stdout.strip()) == (1, 'no: the section "disposition" was changed after signing')


def test_a_job_is_of_the_seller_alone(kept_stand):
    accept(kept_stand)
    job = begin(kept_stand).job
    assert job.audience == [str(kept_stand.handover.seller_id)]
    refusal = disposal.DisposalHandler().refusal
    assert refusal(job, kept_stand.cast.buyer_lead, timezone.now())
    assert refusal(job, kept_stand.cast.seller_lead, timezone.now()) == ""


def test_who_is_held_is_kept_until_the_hold_is_released(kept_stand):
    _stay, crossed = split(kept_stand)
    accept(kept_stand)
    now, lead = timezone.now(), kept_stand.cast.seller_lead
    customer = Customer.objects.get(pk=crossed[1])
    hold = holding.place_hold(actor=lead, book=customer.book, customer=customer, reason="Case 12", until=None, now=now)
    _job, found = done(kept_stand)
    assert (found.state, living(crossed)) == ("waiting", 3)
    assert living([customer.pk]) == 3
    holding.release_hold(actor=lead, hold=hold, now=now)
    _job, found = done(kept_stand)
    assert (found.state, living(crossed)) == ("done", 0)
