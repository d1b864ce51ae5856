"""What the tests build on of customers who arrive and whom the buyer has already in another open book."""

from django.utils import timezone
from stand import add_people, everybody, people, stand_at

from customers.models import Book, Consent, Customer
from customers.records import Record
from customers.services import holding
from customers.services.books import create_book
from customers.services.requests import open_request
from handover.models import Execution, Matching
from handover.services import accepting
from handover.workflow import StepKind
from jobs.services import run_now

CUSTOMERS = 7
OWN = ("2024-01-01T10:00", "Own purchase", "1", "5.00", "CNY", "Online")


def prepared(cast):
    """Of the seven who arrive the buyer has: 0 whole, 1 poorer and with an own purchase, 2 under another name, 3
    twice, 4 poorer."""
    stand = stand_at(cast, StepKind.EXECUTION, CUSTOMERS, acceptance_days=10, duplicates="merge", retention_months=24)
    source, now = everybody(stand.handover.book), timezone.now()
    other = create_book(actor=cast.buyer_lead, organization=cast.buyer, name="Loyal", now=now)
    third = create_book(actor=cast.buyer_lead, organization=cast.buyer, name="Online", now=now)
    habit = ("every day", "Own", "Own")
    one, poor, namesake, twice, four = source[:5]
    own = [
        Record(one.id, basic=("L0", *one.basic[1:5], "Own note"), purchases=[OWN], habit=habit),
        Record(one.id, basic=("L1", poor.basic[1], poor.basic[2], "", "", ""), purchases=[OWN]),
        Record(one.id, basic=("L2", "Somebody else", *namesake.basic[2:])),
        Record(one.id, basic=("L3", *twice.basic[1:])),
        Record(one.id, basic=("L4", *four.basic[1:4], "", "")),
    ]
    add_people(other, own)
    add_people(third, [Record(one.id, basic=("O3", *twice.basic[1:])), people(90)[-1]])
    open_request(customer=Customer.objects.get(pk=poor.id), kind="access", text="What is held?", now=now)
    Consent.objects.create(customer_id=poor.id, purpose="News", source="import", given_at=now)
    lead = cast.seller_lead
    customer = Customer.objects.get(pk=poor.id)
    holding.place_hold(actor=lead, book=customer.book, customer=customer, reason="Case 9", until=None, now=now)
    stand.pass_gate(StepKind.EXECUTION)
    stand.pass_gate(StepKind.AUDIT)
    return stand


def accept(stand):
    accepting.accept(actor=stand.cast.buyer_lead, handover=stand.handover, now=timezone.now())


def matched(stand):
    accept(stand)
    found = Matching.objects.select_related("job").get()
    job = run_now(found.job)
    found.refresh_from_db()
    return job, found


def book(name):
    return Book.objects.get(name=name)


def by_number(book):
    return {record.basic[0]: record for record in everybody(book)}


def target():
    return Execution.objects.get().target


def contents(book):
    return sorted((one.id, *one.basic, *map(str, one.purchases), str(one.habit)) for one in everybody(book))
