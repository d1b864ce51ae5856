"""Every way to a customer's values, walked by somebody who has not signed, signed an older version, not passed a
course, or passed it too long ago: nothing opens, and the page says what to do."""

import html
from datetime import timedelta

import pytest
from book_records import BOUGHT, LI, STATED, ZHANG, record
from clearing import UNCLEAR, nothing_opens, publish_again, take_back_course
from django.db import transaction
from django.utils import timezone
from import_files import ANNA, BASIC_HEADERS, csv_bytes, posted, received, upload_of

import jobs.services
from accounts.clearance import Need
from customers.access import access_to
from customers.clearance import clearance_in, need_of
from customers.errors import NotCleared
from customers.masked import SealState, listed, panels
from customers.models import Category, Customer, Import
from customers.opening import sealed_customer
from customers.selectors import customers_of, search_token
from customers.services import deriving, exporting, importing, revealing
from customers.services.books import create_book
from jobs.errors import JobsError
from jobs.models import Job
from jobs.workflow import JobState
from ledger.models import Entry

pytestmark = pytest.mark.django_db
GOOD = csv_bytes([BASIC_HEADERS, ANNA])
VALUES = ["张伟", "张*", "李*", "138****8000", "13800138000", "平江路", "洗衣液", ">C1<", ">C2<", ANNA[1]]
CLOSED = "Customer data is closed to you"


@pytest.fixture
def world(fill, cast, now):
    """A book with two customers, a file that waits for its columns, and one that is checked."""
    book = fill(record(ZHANG, BOUGHT, STATED), record(LI, BOUGHT))
    uploaded, checked = (received(cast.seller_clerk, book, GOOD, now) for _ in range(2))
    with transaction.atomic():
        job = importing.start_check(
            actor=cast.seller_lead, item=checked, mapping=checked.mapping, source="Till", date_order="", now=now
        )
    jobs.services.run_now(job)
    token = search_token(book, "C1", access_to(cast.seller_lead, book, timezone.now()))
    return book, uploaded, checked, token


def text_of(response):
    if getattr(response, "streaming", False):
        return b"".join(response.streaming_content).decode()
    return html.unescape(response.content.decode())


def paths_of(world):
    """What a person can ask for: name, method, address, data."""
    book, uploaded, checked, token = world
    customer = Customer.objects.filter(book=book).order_by("pk").first()
    columns = {f"column_{place}": field for place, field in enumerate(uploaded.mapping)}
    columns |= {"source": "Till", "encoding": uploaded.encoding, "date_order": ""}
    yield "book", "get", f"/books/{book.pk}/", {}
    yield "found", "get", f"/books/{book.pk}/?found={token}", {}
    yield "customer", "get", f"/books/customers/{customer.pk}/", {}
    for category in Category:
        yield f"reveal {category}", "post", f"/books/customers/{customer.pk}/{category}/", {"purpose": "Deliver"}
    yield "search", "post", f"/books/{book.pk}/search/", {"text": "C1"}
    yield "export", "post", f"/books/{book.pk}/export/", {}
    yield "export found", "post", f"/books/{book.pk}/export/?found={token}", {}
    yield "derive", "post", f"/books/{book.pk}/habits/", {}
    yield "upload page", "get", f"/books/{book.pk}/import/", {}
    yield "upload", "post", f"/books/{book.pk}/import/", {"file": posted(GOOD)}
    yield "columns", "get", f"/books/imports/{uploaded.pk}/", {}
    yield "check", "post", f"/books/imports/{uploaded.pk}/check/", columns
    yield "reread", "post", f"/books/imports/{uploaded.pk}/check/", {**columns, "encoding": "gb18030"}
    yield "checked", "get", f"/books/imports/{checked.pk}/", {}
    yield "store", "post", f"/books/imports/{checked.pk}/store/", {}


def state_of():
    return (
        Job.objects.count(),
        Entry.objects.count(),
        list(Import.objects.order_by("pk").values_list("pk", "state", "encoding")),
    )


@pytest.mark.parametrize("why", UNCLEAR)
def test_no_page_opens_anything(world, cast, now, client_of, why):
    make, words = UNCLEAR[why]
    make(cast.seller_clerk, now)
    client, before, complaints = client_of(cast.seller_clerk), state_of(), []
    for name, method, path, data in paths_of(world):
        with nothing_opens():
            response = getattr(client, method)(path, data)
            # Refused acts lead back to a page that says why.
            page = text_of(client.get(response.url) if response.status_code == 302 else response)
        if CLOSED not in page or words not in page.replace("Sign “", "sign “").replace("Pass the", "pass the"):
            complaints.append(f"{name}: nothing is said")
        if "/agreements/" not in page and "/courses/" not in page:
            complaints.append(f"{name}: no link to the cure")
        complaints += [f"{name}: shows {value}" for value in VALUES if value in page]
    assert not complaints, complaints
    assert state_of() == before


@pytest.mark.parametrize("why", UNCLEAR)
def test_no_service_opens_anything(world, cast, now, why):
    """The pages are not what keeps the values closed."""
    book, uploaded, checked, _token = world
    UNCLEAR[why][0](cast.seller_lead, now)
    at, actor = timezone.now(), cast.seller_lead
    customer = Customer.objects.filter(book=book).first()
    access = access_to(actor, book, at)
    upload = upload_of(GOOD, book, now)
    acts = {
        "reveal": lambda: revealing.reveal(actor=actor, customer=customer, category="basic", purpose="x", now=at),
        "export": lambda: exporting.export(actor=actor, book=book, customers=customers_of(book), now=at),
        "derive": lambda: deriving.start_deriving(actor=actor, book=book, now=at),
        "receive": lambda: importing.receive(actor=actor, book=book, upload=upload, now=at),
        "reread": lambda: importing.reread(actor=actor, item=uploaded, encoding="gb18030", source="x", now=at),
        "check": lambda: importing.start_check(
            actor=actor, item=uploaded, mapping=uploaded.mapping, source="x", date_order="", now=at
        ),
        "store": lambda: importing.start_storing(actor=actor, item=checked, leave_out_bad=True, now=at),
        "head": lambda: importing.head_of(uploaded, access),
        "search": lambda: search_token(book, "C1", access),
        "one customer": lambda: sealed_customer(customer, access),
    }
    before = state_of()
    for name, act in acts.items():
        with nothing_opens(), pytest.raises(NotCleared) as refused:
            act()
            pytest.fail(f"{name} went through")
        assert "stays closed to you" in str(refused.value)
        assert refused.value.clearance.missing == access.clearance.missing
    with nothing_opens():
        rows = listed([customer], book, access)
        closed = panels(customer, [], access)
    assert [(row.state, row.number, row.phone) for row in rows] == [(SealState.CLOSED, "", "")]
    assert rows[0].purchases == 2
    assert [(panel.state, panel.facts) for panel in closed] == [(SealState.CLOSED, [])] * 3
    assert state_of() == before


def test_giving_an_import_up_needs_no_clearance(world, cast, now):
    """It opens nothing and destroys the file."""
    _book, uploaded, *_rest = world
    take_back_course(cast.seller_clerk)
    assert importing.cancel(actor=cast.seller_clerk, item=uploaded, now=timezone.now()).state == "canceled"


def test_a_failed_job_goes_on_only_for_who_is_cleared(world, cast, now):
    book, *_rest = world
    with transaction.atomic():
        job = deriving.start_deriving(actor=cast.seller_lead, book=book, now=timezone.now())
    store = jobs.services.start(cast.seller_lead, "customers.store", "import", _rest[1].pk, [cast.seller.pk], now)
    check = jobs.services.start(cast.seller_lead, "customers.check", "import", _rest[0].pk, [cast.seller.pk], now)
    Job.objects.filter(pk__in=[job.pk, store.pk, check.pk]).update(state=JobState.FAILED)
    take_back_course(cast.seller_clerk)
    for one in (job, store, check):
        with pytest.raises(JobsError, match="stays closed to you"):
            jobs.services.retry(actor=cast.seller_clerk, job=one, now=timezone.now())
        assert jobs.services.retry(actor=cast.seller_lead, job=one, now=timezone.now()).state == JobState.RUNNING


def test_an_access_opens_only_the_book_it_was_asked_for(world, cast, now):
    book, *_rest = world
    customer = Customer.objects.filter(book=book).first()
    other = create_book(actor=None, organization=cast.seller, name="Other", now=now)
    elsewhere = access_to(cast.seller_lead, other, timezone.now())
    assert elsewhere.finds and elsewhere.exports
    with pytest.raises(ValueError, match="something else"):
        sealed_customer(customer, elsewhere)
    assert listed([customer], book, elsewhere)[0].state == SealState.CLOSED


def test_who_works_with_what_arrived_needs_the_course_for_it(cast, now, client_of):
    """And the agreement of the handover that delivered the book goes before the others."""
    handover = cast.agency.pk  # any id: no handover needs to be there
    book = create_book(actor=None, organization=cast.buyer, name="Arrived", now=now, origin=handover)
    assert need_of(book) == Need(cast.buyer.pk, handover, ("confidentiality", "law", "maintenance"))
    person = cast.buyer_clerk
    assert clearance_in(person, book, now)
    take_back_course(person, "maintenance")
    (missing,) = clearance_in(person, book, now).missing
    assert missing.url == "/courses/maintenance/"
    assert "Pass the course “Maintaining" in text_of(client_of(person).get("/"))
    own = publish_again(now, handover=handover)
    assert f"/agreements/{own.pk}/" in text_of(client_of(person).get(f"/books/{book.pk}/"))
    assert clearance_in(
        cast.seller_clerk, create_book(actor=None, organization=cast.seller, name="Own", now=now + timedelta(0)), now
    )
