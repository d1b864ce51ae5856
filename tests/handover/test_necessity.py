"""Gate 1: a purpose, and for each category a reason or none; a category without a reason cannot cross."""

import pytest
from django.utils import timezone
from stand import refused

from customers.models import Category
from handover.content import digest_of
from handover.services import necessity, scope
from handover.workflow import StepKind, StepState

N = StepKind.NECESSITY
TEXTS = {"basic": " To deliver. ", "purchases": "Warranty.", "habits": ""}


@pytest.fixture
def stand(open_at):
    return open_at(N)


def save(stand, **changed):
    given = {"purpose": " Continue deliveries. ", "categories": TEXTS} | changed
    return necessity.save_draft(actor=stand.cast.seller_clerk, step=stand.step(N), now=timezone.now(), **given)


def submit(stand):
    return necessity.submit(actor=stand.cast.seller_clerk, step=stand.step(N), now=timezone.now())


def test_what_was_written_is_kept(stand):
    save(stand)
    step = stand.step(N)
    assert step.content == {
        "purpose": "Continue deliveries.",
        "categories": {"basic": "To deliver.", "purchases": "Warranty.", "habits": ""},
    }
    assert (step.author, step.state, bytes(step.digest)) == (stand.cast.seller_clerk, StepState.DRAFT, b"")
    assert list(step.writers.all()) == [stand.cast.seller_clerk]


def test_a_category_that_nobody_knows_is_not_kept(stand):
    save(stand, categories=TEXTS | {"secrets": "All of them."})
    assert set(stand.step(N).content["categories"]) == set(Category.values)


def test_a_submitted_necessity_has_its_digest_and_a_review(stand):
    save(stand)
    now = timezone.now()
    submit(stand)
    step = stand.step(N)
    assert step.state == StepState.SUBMITTED
    assert bytes(step.digest) == digest_of(step) != b""
    assert step.submitted_at >= now


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"purpose": "  "}, "what the buyer will do"),
        ({"categories": {"basic": " ", "purchases": "Warranty."}}, "nothing crosses without it"),
        ({"categories": {}}, "nothing crosses without it"),
    ],
)
def test_an_incomplete_necessity_is_not_submitted(stand, change, message):
    save(stand, **change)
    with refused(message):
        submit(stand)


def test_nothing_is_submitted_before_anything_was_written(stand):
    with refused("what the buyer will do"):
        submit(stand)


def test_a_submitted_necessity_is_not_changed(stand):
    save(stand)
    submit(stand)
    with refused("is now: Waiting for approval"):
        save(stand, purpose="Something else.")


def test_every_writer_stays_a_writer(stand, cast):
    save(stand)
    step = stand.step(N)
    step.writers.add(cast.second_reviewer)
    save(stand, purpose="Continue deliveries and returns.")
    assert {person.pk for person in step.writers.all()} == {cast.seller_clerk.pk, cast.second_reviewer.pk}


def test_the_needed_categories_are_those_with_a_reason(open_at):
    stand = open_at(N)
    save(stand)
    assert necessity.needed_categories(stand.handover) == ["basic", "purchases"]


def test_a_category_without_a_reason_cannot_cross(open_at, cast):
    stand = open_at(StepKind.SCOPE)
    step = stand.step(N)
    step.content["categories"]["habits"] = ""
    step.save(update_fields=["content"])
    crossings = [
        scope.Crossing(
            field.category, field.name, "as_is" if field.name in {"number", "frequency"} else "drop", "Needed."
        )
        for field in scope.SCOPE_FIELDS
    ]
    with refused("the necessity names no reason for its category"):
        scope.propose(
            actor=cast.buyer_clerk,
            step=stand.step(StepKind.SCOPE),
            side="buyer",
            crossings=crossings,
            note="",
            answers=0,
            now=timezone.now(),
        )
