"""Gate 3: what a plan may say."""

from dataclasses import replace
from datetime import timedelta

import pyrage
import pytest
from django.utils import timezone
from stand import refused

from handover import demo
from handover.content import PLAN_FIELDS, content_of, digest_of
from handover.models import Step, TransferPlan
from handover.services import approving, plan
from handover.workflow import Side, StepKind, StepState

P = StepKind.PLAN
SINCE = {"telling", "answer_until", "told_on", "told_how"}


@pytest.fixture
def stand(open_at):
    stand = open_at(P)
    demo.assess(stand.demo)
    return stand


@pytest.fixture
def terms():
    return plan.PlanTerms(
        method="package",
        recipient_key=str(pyrage.x25519.Identity.generate().to_public()),
        file_format="xlsx",
        legal_basis="pipl22",
        starts_on=timezone.localdate(),
        chunk_size=50,
        retention_months=240,
        disposition="restrict",
        safeguards="Sealed at rest.",
        telling="outside",
        answer_until=None,
        told_on=timezone.localdate() - timedelta(days=9),
        told_how="Letter.",
        contract_reference="Agreement 7",
        contract_on=timezone.localdate(),
    )


def save(stand, terms):
    return plan.save_draft(actor=stand.cast.seller_clerk, step=stand.step(P), terms=terms, now=timezone.now())


def submit(stand):
    return plan.submit(actor=stand.cast.seller_clerk, step=stand.step(P), now=timezone.now())


def test_a_plan_is_kept_and_rewritten(stand, terms):
    first = save(stand, terms)
    assert [getattr(first, name) for name in PLAN_FIELDS] == [getattr(terms, name) for name in PLAN_FIELDS]
    again = save(stand, replace(terms, chunk_size=5000, disposition="keep"))
    assert again.pk == first.pk
    assert TransferPlan.objects.get(handover=stand.handover).chunk_size == 5000


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"recipient_key": "age1nonsense"}, "not an age key"),
        ({"recipient_key": ""}, "not an age key"),
        ({"file_format": "docx"}, "Choose which files"),
        ({"file_format": ""}, "Choose which files"),
        ({"method": "inside"}, "Choose which files"),
        ({"method": "post", "file_format": ""}, "Choose the method"),
        ({"legal_basis": "none"}, "Choose the method"),
        ({"disposition": "sell"}, "Choose the method"),
        ({"chunk_size": 49}, "50 to 5,000"),
        ({"chunk_size": 5001}, "50 to 5,000"),
        ({"retention_months": 0}, "1 to 240"),
        ({"retention_months": 241}, "1 to 240"),
        ({"safeguards": " \n"}, "which safeguards"),
        ({"package_days": 0}, "1 to 365 days"),
        ({"package_days": 366}, "1 to 365 days"),
        ({"method": "inside", "file_format": "", "package_days": 7}, "without a package leave this empty"),
    ],
)
def test_a_plan_that_is_not_possible(stand, terms, change, message):
    with refused(message):
        save(stand, replace(terms, **change))


def test_a_plan_starts_before_the_handover_must_be_done(stand, terms):
    with refused("starts after the handover must be completed"):
        save(stand, replace(terms, starts_on=stand.handover.due_on + timedelta(days=1)))
    save(stand, replace(terms, starts_on=stand.handover.due_on))
    with refused("last batch crosses after"):
        save(stand, replace(terms, starts_on=stand.handover.due_on, batches=2, batch_days=1))


def test_a_plan_is_needed_and_must_not_start_in_the_past(stand, terms):
    with refused("There is no plan yet"):
        submit(stand)
    save(stand, replace(terms, starts_on=timezone.localdate() - timedelta(days=1)))
    with refused("starts in the past"):
        submit(stand)
    save(stand, terms)
    submit(stand)
    assert stand.step(P).state == StepState.SUBMITTED


def test_the_digest_covers_every_field_of_the_plan_and_the_scope(stand, terms):
    save(stand, terms)
    seen = {digest_of(stand.step(P))}
    others = {
        "method": "inside",
        "recipient_key": str(pyrage.x25519.Identity.generate().to_public()),
        "file_format": "csv",
        "legal_basis": "pipl23",
        "starts_on": timezone.localdate() + timedelta(days=1),
        "chunk_size": 51,
        "retention_months": 1,
        "disposition": "keep",
        "safeguards": "None.",
        "telling": "platform",
        "answer_until": timezone.localdate() + timedelta(days=5),
        "told_on": timezone.localdate() - timedelta(days=3),
        "told_how": "By phone.",
        "package_days": 7,
        "contract_reference": "Agreement 8",
        "contract_on": timezone.localdate() - timedelta(days=3),
        "mechanism": "contract",
        "mechanism_reference": "SCC 5",
        "mechanism_from": timezone.localdate(),
        "mechanism_until": timezone.localdate() + timedelta(days=400),
        "sensitive_persons": 0,
        "batches": 3,
        "batch_days": 2,
        "acceptance_days": 7,
        "duplicates": "merge",
    }
    assert set(others) == set(PLAN_FIELDS)
    for name, value in others.items():
        TransferPlan.objects.filter(handover=stand.handover).update(**{name: value})
        seen.add(digest_of(stand.step(P)))
    Step.objects.filter(handover=stand.handover, kind=StepKind.SCOPE).update(digest=b"other")
    seen.add(digest_of(stand.step(P)))
    assert len(seen) == len(PLAN_FIELDS) + 2


def test_a_plan_that_changed_under_the_approvers_is_not_approved(stand, terms, cast):
    save(stand, terms)
    submit(stand)
    step = stand.step(P)
    TransferPlan.objects.filter(handover=stand.handover).update(retention_months=12)
    with refused("has changed since you opened the page"):
        approving.approve(
            actor=cast.seller_lead, step=step, side=Side.SELLER, digest=bytes(step.digest), now=timezone.now()
        )


def test_a_plan_that_was_approved_before_formats_could_be_chosen_keeps_its_digest(stand, terms):
    save(stand, terms)
    TransferPlan.objects.filter(handover=stand.handover).update(file_format="")
    assert "file_format" not in content_of(stand.step(P))["plan"]


def test_a_plan_of_before_keeps_its_digest(stand, terms):
    """Plans say how customers are told since a day: what was approved earlier stays approved."""
    save(stand, terms)
    TransferPlan.objects.filter(handover=stand.handover).update(telling="", told_on=None, told_how="")
    step = stand.step(P)
    said = set(content_of(step)["plan"])
    assert not said & SINCE
    assert {"method", "legal_basis", "starts_on", "safeguards"} <= said


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"telling": ""}, "Choose how customers are told"),
        ({"telling": "platform"}, "last day on which customers may answer"),
        ({"legal_basis": "pipl23"}, "Separate consent is asked for and kept here"),
        ({"told_on": None}, "day on which customers are told"),
        ({"told_on": timezone.localdate() + timedelta(days=1)}, "does not start before it"),
        ({"told_how": " "}, "where the evidence is"),
        ({"answer_until": timezone.localdate()}, "no day here"),
        ({"telling": "platform", "answer_until": timezone.localdate()}, "nothing is told outside"),
        ({"telling": "platform", "answer_until": timezone.localdate() + timedelta(days=99)}, "Choose an earlier day"),
    ],
)
def test_how_customers_are_told_is_a_part_of_the_plan(stand, terms, change, message):
    with refused(message):
        save(stand, replace(terms, **change))


def test_customers_have_time_when_the_plan_is_submitted(stand, terms):
    today = timezone.localdate()
    save(stand, replace(terms, telling="platform", told_on=None, told_how="", answer_until=today))
    with refused("so that customers have time"):
        submit(stand)
