"""A platform where everything that the admin shows has happened once."""

from dataclasses import dataclass, field
from datetime import timedelta

import pyrage
import pytest
from django.utils import timezone
from gates import carried

from accounts.demo import Cast
from accounts.services import add_membership, add_person, invite, offboard
from compliance.models import Finding, Review
from customers.models import Book, Category, Customer
from customers.records import ranges, read_records
from customers.services.retention import destroy, set_rule
from handover import demo
from incidents import services as incidents
from vault.models import DataKey, OrganizationKey, SigningKey

SECRET = "Wang Fang 王芳 got the list by mistake"
INDEXES = ["number_index", "name_index", "phone_index", "phone_tail_index", "email_index"]


@dataclass
class World:
    cast: Cast
    plaintexts: set[str] = field(default_factory=set)
    sealed: set[str] = field(default_factory=set)


def _run(cast):
    book = demo.import_sample(cast, "Household", 6, sensitive_notes=2)
    run = demo.open_demo(cast, book, "Household cleaning business")
    demo.pass_necessity(run)
    demo.pass_scope(run, stays=frozenset())
    demo.pass_plan(run, recipient_key=str(pyrage.x25519.Identity.generate().to_public()))
    carried(run)
    demo.run_job(run.handover.delivery.job)


def _plaintexts():
    """Every value of every customer that is long enough not to stand on a page by chance."""
    found = set()
    for book in Book.objects.all():
        for first, last, _count in ranges(book, 100):
            for record in read_records(book, first, last):
                values = [*record.basic, *(value for purchase in record.purchases for value in purchase[:2])]
                found |= {value for value in (*values, *(record.habit or ())) if value}
    return {value for value in found if len(value) > 5 or not value.isascii()}


def _sealed():
    found = set()
    for values in Customer.objects.values_list(*INDEXES):
        found |= {str(value) for value in values if value is not None}
    for model in (DataKey, OrganizationKey, SigningKey):
        for wrapped in model.objects.exclude(wrapped=None).values_list("wrapped", flat=True):
            found.add(bytes(wrapped).hex())
    for name in ("name", "phone", "address", "note", "email", "number"):
        for value in Customer.objects.exclude(**{f"{name}__isnull": True}).values_list(name, flat=True):
            found.add(bytes(value).hex())
    return found


def _people_come_and_go(cast, now):
    facts = {"actor": cast.seller_lead, "organization": cast.seller, "name": "Tao Yun", "language": "en", "now": now}
    invite(email="tao.yun@jinghe.example", role="clerk", link=lambda token: f"https://x.example/{token}", **facts)
    person = add_person(actor=None, email="shen.yi@jinghe.example", name="Shen Yi", now=now)
    gone = add_membership(actor=None, person=person, organization=cast.seller, role="clerk", now=now)
    offboard(actor=cast.seller_lead, membership=gone, taker=cast.seller_clerk, now=now)


@pytest.fixture
def world(cast):
    """Everything, with what must be on no page of the admin."""
    _run(cast)
    now = timezone.now()
    small = demo.import_sample(cast, "Old members", 3)
    set_rule(actor=cast.seller_lead, book=small, category=Category.HABITS, months=36, reason="No use after.", now=now)
    incidents.report(
        actor=cast.seller_clerk,
        kind="leak",
        severity="high",
        title="A list went to the wrong shop",
        description=SECRET,
        detected_at=now - timedelta(hours=1),
        now=now,
    )
    Finding.objects.create(
        review=Review.objects.earliest("raised_at"),
        severity="minor",
        text="One count was off.",
        added_by=cast.reviewer,
        added_at=now,
    )
    _people_come_and_go(cast, now)
    plaintexts, sealed = _plaintexts() | {SECRET}, _sealed()
    subjects = list(Customer.objects.filter(book=small).values_list("pk", flat=True))
    destroy(actor=cast.seller_lead, book=small, category=Category.PURCHASES, subjects=subjects, reason="Asked", now=now)
    return World(cast, plaintexts, sealed)
