"""Invariant 1: no plaintext of a sealed column is ever in the database, a log, the ledger, a task argument, a file or
an error report.

A whole handover is made, from an uploaded file to the certificate, with the pages that people look at on the way; then
everything that was written down anywhere is searched for every value of every customer."""

import base64
import io
import logging
import tempfile
from pathlib import Path

import pyrage
import pytest
from django.core.cache import cache
from django.core.files.base import ContentFile
from django.core.files.storage import default_storage
from django.core.files.uploadedfile import SimpleUploadedFile
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.urls import reverse
from django.utils import timezone
from haystack import cached, database, files, found, sessions

from config.celery import app
from customers.models import Customer, Import
from customers.records import read_records
from customers.sample.order_lines import write_sample
from customers.services.books import create_book
from handover import demo
from handover.handlers import transfer
from handover.models import Backup, Certificate, Execution, Handover
from handover.workflow import HandoverState
from incidents import services as incidents
from incidents.models import Incident
from jobs.models import Chunk, Job
from jobs.services import run_now
from ledger.models import Entry
from ledger.tasks import seal

CUSTOMERS = 12
BAD_LINE = "JH9999999,不对的人,12345,wrong@bad.example,某处一号,坏行备注,2025-02-31 10:00,抹布,1,5.00,CNY,门店\n"
TOLD = "A list with 王小明, 13812345678 lay on the counter."


@pytest.fixture
def places(tmp_path, monkeypatch, caplog):
    """Where the test writes: its files, its temporary files and its logs, down to every statement."""
    temporary = tmp_path / "temporary"
    temporary.mkdir()
    monkeypatch.setattr(tempfile, "tempdir", str(temporary))
    for logger in ("", "django", "celery"):
        caplog.set_level(logging.DEBUG, logger)
    return [tmp_path / "files", temporary]


@pytest.fixture
def sent(monkeypatch):
    """The arguments of every task that was sent to a worker."""
    arguments = []
    send = app.Task.apply_async

    def recorded(task, args=None, kwargs=None, **options):
        arguments.append(f"{task.name} {args} {kwargs} {options}")
        return send(task, args, kwargs, **options)

    monkeypatch.setattr(app.Task, "apply_async", recorded)
    return arguments


def upload(cast, client, book):
    """The file as a browser sends it, with a line that is wrong."""
    file = io.BytesIO()
    write_sample(file, customers=CUSTOMERS, sensitive_notes=1)
    file.write(BAD_LINE.encode())
    posted = SimpleUploadedFile("orders.csv", file.getvalue(), "text/csv")
    assert client.post(reverse("customers:import_upload", args=[book.pk]), {"file": posted}).status_code == 302
    item = demo.check_import(cast, Import.objects.get())
    assert item.rows_bad == 1
    for name in ("customers:import", "customers:import_bad_rows"):
        assert client.get(reverse(name, args=[item.pk])).status_code == 200
    demo.store_import(cast, item)


def look(client, run):
    """What people look at: masked, opened for a purpose, searched, exported."""
    book = run.handover.book
    customer = book.customers.order_by("pk").first()
    for address in (
        reverse("home"),
        reverse("customers:book", args=[book.pk]),
        reverse("customers:customer", args=[customer.pk]),
        reverse("handover:detail", args=[run.handover.pk]),
    ):
        assert client.get(address).status_code == 200
    for category in ("basic", "purchases"):
        address = reverse("customers:customer_reveal", args=[customer.pk, category])
        shown = client.post(address, {"purpose": "Complaint about an order"})
        assert shown.status_code == 200
    for text in (customer.phone, customer.name, customer.number):
        client.post(reverse("customers:book_search", args=[book.pk]), {"text": text}, follow=True)
    export = client.post(reverse("customers:book_export", args=[book.pk]))
    assert b"".join(export.streaming_content)


def whole_handover(cast, client_of):
    """From the file to the certificate, with the buyer's package."""
    client = client_of(cast.seller_clerk)
    book = create_book(actor=cast.seller_lead, organization=cast.seller, name="Members", now=timezone.now())
    upload(cast, client, book)
    run = demo.open_demo(cast, book, "Household cleaning business")
    look(client, run)
    identity = pyrage.x25519.Identity.generate()
    demo.pass_necessity(run)
    demo.pass_scope(run)
    demo.pass_plan(run, recipient_key=str(identity.to_public()))
    backup = Backup.objects.get(pk=demo.start_backup(run))
    demo.run_job(backup.write_job)
    backup.refresh_from_db()
    demo.run_job(backup.restore_job)
    demo.run_job(demo.screening_job(run))
    look(client_of(cast.seller_lead), run)
    demo.approve_backup(run)
    demo.approve_content(run)
    return run


def execute(run):
    execution = demo.start_execution(run)
    run_now(execution.transfer_job)
    execution.refresh_from_db()
    if execution.verify_job:
        run_now(execution.verify_job)


def finish(cast, run, client_of):
    demo.pass_audit(run)
    demo.run_job(run.handover.delivery.job)
    for name in ("seller_lead", "buyer_lead", "reviewer"):
        client = client_of(getattr(cast, name))
        for page in ("handover:audit", "handover:certificate", "handover:execution", "handover:backup"):
            assert client.get(reverse(page, args=[run.handover.pk])).status_code == 200
    seal()
    assert Handover.objects.get().state == HandoverState.CERTIFIED


def values_of(book):
    """Every value of the book by which it could be recognized, and every purchase document as a whole."""
    values = set()
    for record in read_records(book, "00000000-0000-0000-0000-000000000000", "ffffffff-ffff-ffff-ffff-ffffffffffff"):
        values |= set(filter(None, record.basic))
        values |= {document.decode() for document in record.documents}
        for at, product, _quantity, _amount, _currency, channel in record.purchases:
            values |= {at, product, channel}
        values |= set(filter(None, record.habit or ()))
    return values


@pytest.fixture
def run(cast, client_of, places, sent, monkeypatch):
    run = whole_handover(cast, client_of)

    # An attempt that breaks with the values in its message: they must not come out with it.
    def broken(*, records, **_arguments):
        raise ValueError(f"cannot store {records[0].basic} {records[0].documents}")

    with monkeypatch.context() as patch:
        patch.setattr(transfer, "write_records", broken)
        execute(run)
    # One that is tampered with: an incident tells of it.
    execution = demo.start_execution(run)
    run_now(execution.transfer_job)
    execution.refresh_from_db()
    execution.target.customers.first().delete()
    run_now(execution.verify_job)
    execute(run)
    incidents.report(
        actor=cast.seller_clerk,
        kind=Incident.Kind.ACCESS,
        severity=Incident.Severity.LOW,
        title="A list lay on the counter",
        description=TOLD,
        detected_at=timezone.now(),
        now=timezone.now(),
    )
    finish(cast, run, client_of)
    return run


def everything(places, caplog, sent, queries):
    yield from database()
    yield from files(*places)
    yield from cached()
    yield from sessions()
    yield (
        "log",
        "\n".join(f"{record.getMessage()} {record.exc_text} {record.__dict__}" for record in caplog.records).encode(),
    )
    yield "tasks", "\n".join(sent).encode()
    yield "statements", "\n".join(query["sql"] for query in queries).encode()


def test_nothing_that_was_written_down_holds_a_value(cast, client_of, places, caplog, sent, capfd, request):
    with CaptureQueriesContext(connection) as queries:
        run = request.getfixturevalue("run")
    values = values_of(run.handover.book) | {
        "不对的人",
        "wrong@bad.example",
        "某处一号",
        "坏行备注",
        TOLD,
        "13812345678",
    }
    assert len(values) > CUSTOMERS * 6
    stacks = list(everything(places, caplog, sent, queries.captured_queries))
    _there_is_something_to_search(stacks)
    assert found(values, stacks) == []
    printed = capfd.readouterr()
    assert found(values, [("output", (printed.out + printed.err).encode())]) == []


def _there_is_something_to_search(stacks):
    """Not an empty haystack: every kind of place has grown."""
    sizes = {place: len(stack) for place, stack in stacks}
    for table in ("customers_customer", "customers_purchase", "ledger_entry", "jobs_chunk", "django_session"):
        assert sizes[f"table {table}"] > 100, table
    for table in ("handover_certificate", "incidents_incident", "handover_reconciliation", "compliance_screeninghit"):
        assert sizes[f"table {table}"] > 20, table
    assert Entry.objects.count() > 80
    assert Chunk.objects.exclude(error="").count() == 1
    assert Execution.objects.count() == 3
    assert Certificate.objects.count() == 1
    kinds = {place.rpartition(".")[2] for place in sizes if place.startswith("file ")}
    assert {"segment", "age"} <= kinds
    assert sizes["log"] > 10_000
    assert sizes["statements"] > 100_000


PLANTED = "李雷 13899990000"


def _in_a_text(_places):
    Job.objects.create(kind="x", subject_type="x", subject_id=Customer().pk, created_at=timezone.now(), error=PLANTED)


def _in_bytes(_places):
    job = Job.objects.create(kind="x", subject_type="x", subject_id=Customer().pk, created_at=timezone.now())
    Chunk.objects.create(job=job, index=0, output=b"\0\1" + PLANTED.encode() + b"\0")


def _in_json(_places):
    job = Job.objects.create(kind="x", subject_type="x", subject_id=Customer().pk, created_at=timezone.now())
    Chunk.objects.create(job=job, index=0, payload={"customer": PLANTED})


def _in_a_session(_places):
    session = Client().session
    session["found"] = PLANTED
    session.save()


PLACES = {
    "text": _in_a_text,
    "bytes": _in_bytes,
    "json": _in_json,
    "session": _in_a_session,
    "storage": lambda _places: default_storage.save("backups/x.segment", ContentFile(PLANTED.encode("utf-16-le"))),
    "temporary file": lambda places: (places[1] / "upload").write_bytes(PLANTED.encode("gb18030")),
    "file name": lambda places: (places[1] / PLANTED).write_bytes(b""),
    "cache": lambda _places: cache.set("last-search", PLANTED),
    "log": lambda _places: logging.getLogger("handover").warning("customer %s", PLANTED),
    "log, fields": lambda _places: logging.getLogger("handover").warning("customer", extra={"who": PLANTED}),
}


@pytest.mark.django_db
@pytest.mark.parametrize("place", PLACES)
def test_the_search_finds_what_was_planted(places, caplog, place):
    """Otherwise finding nothing would prove nothing."""
    assert found([PLANTED], everything(places, caplog, [], [])) == []
    PLACES[place](places)
    assert found([PLANTED], everything(places, caplog, [], []))


def test_the_search_finds_a_part_of_something_longer():
    for text in (f"x{PLANTED}y", f"xx{PLANTED}yy", f"xxx{PLANTED}"):
        assert found([PLANTED], [("base64", base64.b64encode(text.encode()))])
        assert found([PLANTED], [("hex", text.encode().hex().encode())])


def test_a_root_key_is_in_no_file_but_its_own(tmp_path, cast, places):
    create_book(actor=None, organization=cast.seller, name="Members", now=timezone.now())
    key = Path(tmp_path / "keys" / "root.key").read_bytes()
    assert len(key) == 32
    for _place, stack in [*database(), *files(*places)]:
        assert key not in stack
        assert key.hex().encode() not in stack
