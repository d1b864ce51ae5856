"""What this room tells the rooms below: sentences for all it records, and what waits for whom."""

import ast
from datetime import datetime, timedelta
from pathlib import Path

import pytest
from book_records import Fill
from import_files import ANNA, BASIC_HEADERS, BEN, csv_bytes, received

import customers
import jobs.services
from accounts.demo import Cast
from accounts.waiting import waiting_for
from customers.models import Book, Category, Customer, Import
from customers.selectors import customers_of
from customers.services import deriving, exporting, importing, retention, revealing
from customers.services.books import move_book
from customers.workflow import BOOK_MOVES, BookState, ImportState
from jobs.models import Job
from ledger import vocabulary
from ledger.models import Entry

pytestmark = pytest.mark.django_db
RECORDERS = {"record", "note"}


def recorded_verbs() -> set[str]:
    """Every verb that the source of this room gives to the ledger."""
    verbs = {f"book.{to}" for moves in BOOK_MOVES.values() for to in moves}
    for path in Path(customers.__file__).parent.rglob("*.py"):
        for call in ast.walk(ast.parse(path.read_text())):
            if isinstance(call, ast.Call) and isinstance(call.func, ast.Name) and call.func.id in RECORDERS:
                given = [*call.args[1:2], *(word.value for word in call.keywords if word.arg == "verb")]
                verbs |= {one.value for value in given for one in ast.walk(value) if isinstance(one, ast.Constant)}
    assigned = {
        constant.value
        for path in Path(customers.__file__).parent.rglob("*.py")
        for node in ast.walk(ast.parse(path.read_text()))
        if isinstance(node, ast.Assign) and any(isinstance(to, ast.Name) and to.id == "verb" for to in node.targets)
        for constant in ast.walk(node.value)
        if isinstance(constant, ast.Constant) and isinstance(constant.value, str) and "." in constant.value
    }
    return {verb for verb in verbs | assigned if isinstance(verb, str) and verb != "book."}


def test_every_verb_has_a_sentence() -> None:
    verbs = recorded_verbs()
    assert {"book.created", "book.frozen", "customer.revealed", "customers.destroyed", "import.stored"} <= verbs
    assert {"book.rule_set", "book.exported", "habits.derived", "import.unreadable", "import.interrupted"} <= verbs
    assert verbs <= {verb for verb, _outline in vocabulary.choices()}


def test_every_sentence_names_what_its_entry_holds(book: Book, cast: Cast, now: datetime) -> None:
    """A whole life of a book: no entry leaves a gap in its sentence."""
    lead = cast.seller_lead
    rows = [[*BASIC_HEADERS, "日期", "商品"], [*ANNA, "2025-01-08", "洗衣液"], [*BEN, "2025-01-09", "柔顺剂"]]
    item = received(lead, book, csv_bytes(rows), now)
    importing.start_check(actor=lead, item=item, mapping=item.mapping, source="Till", date_order="", now=now)
    run_jobs()
    importing.start_storing(actor=lead, item=item, leave_out_bad=False, now=now)
    run_jobs()
    deriving.start_deriving(actor=lead, book=book, now=now)
    run_jobs()
    customer = Customer.objects.order_by("pk")[0]
    revealing.reveal(actor=lead, customer=customer, category=Category.BASIC, purpose="Deliver", now=now)
    list(exporting.export(actor=lead, book=book, customers=customers_of(book), now=now))
    retention.set_rule(actor=lead, book=book, category=Category.HABITS, months=12, reason="Contract", now=now)
    retention.purge_expired(now=now + timedelta(days=4000))
    for to in (BookState.FROZEN, BookState.OPEN):
        move_book(actor=None, book=book, to=to, now=now)
    importing.cancel(actor=lead, item=received(lead, book, csv_bytes(rows), now), now=now)
    told = {
        entry.verb: vocabulary.sentence(entry)
        for entry in Entry.objects.filter(audience__contains=[book.organization_id])
    }
    mine = {
        verb: text
        for verb, text in told.items()
        if verb.partition(".")[0] in {"book", "customer", "customers", "habits", "import"}
    }
    assert len(mine) == 14
    assert not {verb: text for verb, text in mine.items() if "–" in text or "%(" in text}
    assert mine["customer.revealed"] == f"{lead.name} opened “Basic information”. Purpose: Deliver"


def run_jobs() -> None:
    for job in Job.objects.filter(state="planned"):
        jobs.services.run_now(job)


def titles(user: object, now: datetime) -> list[str]:
    return [waiting.title for waiting in waiting_for(user, now) if waiting.section == "customers"]


def test_imports_wait_for_leads_and_clerks_of_their_organization(
    book: Book, cast: Cast, now: datetime, fill: Fill
) -> None:
    item = received(cast.seller_clerk, book, csv_bytes([BASIC_HEADERS, ANNA]), now)
    for user in (cast.seller_lead, cast.seller_clerk):
        assert titles(user, now) == ["Say what the columns of customers.csv mean"]
    for user in (cast.buyer_lead, cast.reviewer, cast.agent):
        assert titles(user, now) == []
    found = next(one for one in waiting_for(cast.seller_lead, now) if one.section == "customers")
    assert found.url == f"/books/imports/{item.pk}/"
    assert found.due == now + timedelta(days=7)
    assert cast.seller_clerk.name in found.detail and book.name in found.detail


def test_what_waits_follows_the_state(book: Book, cast: Cast, now: datetime) -> None:
    item = received(cast.seller_clerk, book, csv_bytes([BASIC_HEADERS, ANNA]), now)
    expected = {
        ImportState.CHECKED: ["Store the customers of customers.csv"],
        ImportState.FAILED: ["customers.csv could not be read: correct or cancel it"],
        ImportState.CHECKING: [],
        ImportState.STORING: [],
        ImportState.DONE: [],
        ImportState.CANCELED: [],
    }
    Import.objects.filter(pk=item.pk).update(state=ImportState.CHECKED, customers_total=0)
    assert titles(cast.seller_lead, now) == ["No row of customers.csv can be stored: correct or cancel it"]
    Import.objects.filter(pk=item.pk).update(customers_total=1)
    for state, waiting in expected.items():
        Import.objects.filter(pk=item.pk).update(state=state)
        assert titles(cast.seller_lead, now) == waiting, state
    Import.objects.filter(pk=item.pk).update(state=ImportState.STORING)
    Job.objects.create(kind=importing.STORE, subject_type="import", subject_id=item.pk, created_at=now, state="failed")
    assert titles(cast.seller_lead, now) == ["Storing customers.csv has stopped: retry or cancel it"]
