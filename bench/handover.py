#!/usr/bin/env python3
"""The main job measured: `bin/bench handover --customers N --rounds 3 --json FILE`.

import       the sample's customers stored from a checked file: the job `customers.store`, chunk by chunk
execution    the job `handover.transfer` on the same customers: read, open, hash, cut to the scope, seal, COPY
two workers  the same two jobs shared by two processes
bulk_create  the same rows by Django's bulk_create, not encrypted, into tables with as many indexes, same chunks
COPY         the bare COPY of ready bytes: what PostgreSQL itself needs for the sealed rows and their keys

All in one run against one database; medians of the rounds; a row is a customer or a purchase. Each round makes new
books, so it needs a database of its own (bin/bench gives it one).
"""

import argparse
import io
import json
import multiprocessing
import os
import statistics
import sys
import time
from collections.abc import Callable
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))
os.environ.setdefault("DJANGO_SETTINGS_MODULE", "config.settings")

import records as plain_records
from django.db import connection, connections, transaction
from django.utils import timezone

from accounts.demo import Cast, make_cast
from config.celery import app as celery_app
from customers.models import Book, Customer, Purchase
from customers.records import Record, ranges, read_records
from customers.services import importing
from customers.services.books import create_book
from handover import demo
from handover.content import proven_execution
from handover.models import Backup, Execution
from jobs.models import Job
from jobs.services import has_ended, run_now
from tenancy import rights
from tenancy.owner import as_owner
from vault.models import DataKey

CHUNK = 500  # customers: the import's segments and the demo's plan
READY = {
    Customer: "book_id = '{book}'",
    Purchase: "customer_id IN (SELECT id FROM customers_customer WHERE book_id = '{book}')",
    DataKey: "subject IN (SELECT id FROM customers_customer WHERE book_id = '{book}')",
}


def timed(work: Callable[..., object], *args: object) -> float:
    began = time.perf_counter()
    work(*args)
    return time.perf_counter() - began


def shared(job: Job) -> None:
    """Run a job in this process and in a second one."""
    connections.close_all()
    helper = multiprocessing.get_context("fork").Process(target=help_with, args=(job,))
    helper.start()
    run_now(job)
    while not has_ended(Job.objects.get(pk=job.pk)):
        time.sleep(0.005)
    helper.join()


def help_with(job: Job) -> None:
    run_now(job)  # forked, so with the rights bound here
    connections.close_all()


def checked_file(cast: Cast, customers: int) -> tuple[Book, Job]:
    book = create_book(actor=cast.seller_lead, organization=cast.seller, name="Bench", now=timezone.now())
    item, _written = demo.upload_sample(cast, book, customers)
    item = demo.check_import(cast, item)
    store = importing.start_storing(actor=cast.seller_clerk, item=item, leave_out_bad=False, now=timezone.now())
    return book, store


def ready_to_execute(cast: Cast, book: Book) -> tuple[demo.Demo, Execution]:
    run = demo.open_demo(cast, book, "Bench")
    demo.pass_necessity(run)
    demo.pass_scope(run)
    demo.pass_plan(run, chunk_size=CHUNK)
    backup = Backup.objects.get(pk=demo.start_backup(run))
    demo.run_job(backup.write_job)
    backup.refresh_from_db()
    demo.run_job(backup.restore_job)
    demo.run_job(demo.screening_job(run))
    demo.approve_backup(run)
    demo.approve_content(run)
    return run, demo.start_execution(run)


def prove(run: demo.Demo, execution: Execution) -> None:
    """A fast copy of the wrong thing is no result."""
    demo.run_job(Execution.objects.select_related("verify_job").get(pk=execution.pk).verify_job)
    assert proven_execution(run.handover) is not None


def plain(book: Book, found: list[Record]) -> None:
    plain_records.plain(book, found, CHUNK)
    with connection.cursor() as cursor:
        cursor.execute("SELECT count(*) FROM bench_plaincustomer")
        assert cursor.fetchone()[0] == len(found)


def ready_bytes(book: Book) -> list[tuple[str, list[io.BytesIO]]]:
    """The book's rows as stored, in the same chunks, for tables with the same indexes and no rows."""
    tables = []
    # The owner: for nobody else there are tables to make, and COPY into one.
    with as_owner(), connection.cursor() as cursor:
        for model, where in READY.items():
            table, columns = model._meta.db_table, ", ".join(f.column for f in model._meta.concrete_fields)
            cursor.execute(f"CREATE TABLE bench_copy_{table} (LIKE {table} INCLUDING ALL)")
            parts = []
            for first, last, _count in ranges(book, CHUNK):
                owner = {Customer: "id", Purchase: "customer_id", DataKey: "subject"}[model]
                limits = f"{where.format(book=book.pk)} AND {owner} BETWEEN '{first}' AND '{last}'"
                part = io.BytesIO()
                cursor.copy_expert(
                    f"COPY (SELECT {columns} FROM {table} WHERE {limits}) TO STDOUT (FORMAT binary)", part
                )
                parts.append(part)
            tables.append((f"bench_copy_{table} ({columns})", parts))
    return tables


def copy(tables: list[tuple[str, list[io.BytesIO]]]) -> None:
    with as_owner():
        for number in range(len(tables[0][1])):
            with transaction.atomic(), connection.cursor() as cursor:
                for target, parts in tables:
                    parts[number].seek(0)
                    cursor.copy_expert(f"COPY {target} FROM STDIN (FORMAT binary)", parts[number])


def drop(tables: list[tuple[str, list[io.BytesIO]]]) -> None:
    with as_owner(), connection.cursor() as cursor:
        for target, _parts in tables:
            cursor.execute(f"DROP TABLE {target.split()[0]}")
        cursor.execute("TRUNCATE bench_plainpurchase, bench_plaincustomer")
        cursor.execute("CHECKPOINT")


def one_round(cast: Cast, customers: int, times: dict[str, list[float]]) -> int:
    book, store = checked_file(cast, customers)
    times["import"].append(timed(run_now, store))
    run, execution = ready_to_execute(cast, book)
    times["execution"].append(timed(run_now, execution.transfer_job))
    prove(run, execution)
    found = [record for first, last, _count in ranges(book, 5000) for record in read_records(book, first, last)]
    times["bulk_create"].append(timed(plain, book, found))
    tables = ready_bytes(book)
    times["COPY"].append(timed(copy, tables))
    drop(tables)
    second, store = checked_file(cast, customers)
    times["import, two workers"].append(timed(shared, store))
    run, execution = ready_to_execute(cast, second)
    times["execution, two workers"].append(timed(shared, execution.transfer_job))
    prove(run, execution)
    return len(found) + sum(len(record.documents) for record in found)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--customers", type=int, default=23_570)
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--json", type=Path)
    options = parser.parse_args()
    # Jobs run here and nowhere else: nothing may wait in the queue for a worker that is not there.
    celery_app.conf.update(broker_url="memory://localhost")
    names = ("bulk_create", "import", "execution", "import, two workers", "execution, two workers", "COPY")
    times: dict[str, list[float]] = {name: [] for name in names}
    plain_records.make_plain_tables()
    try:
        cast = make_cast(timezone.now())
        rows = [one_round(cast, options.customers, times) for _round in range(options.rounds)][-1]
    finally:
        plain_records.drop_plain_tables()
    report(times, rows, options)


def report(times: dict[str, list[float]], rows: int, options: argparse.Namespace) -> None:
    rates = {name: rows / statistics.median(seconds) for name, seconds in times.items()}
    print(f"{options.customers:,} customers, {rows:,} rows, {options.rounds} rounds, chunks of {CHUNK} customers")
    for name, rate in rates.items():
        spread = f"{rows / max(times[name]):,.0f} to {rows / min(times[name]):,.0f}"
        print(f"{name:24} {rate:10,.0f} rows/s {rate / rates['bulk_create']:6.2f} x bulk_create  ({spread})")
    if options.json:
        result = {"customers": options.customers, "rows": rows, "rounds": options.rounds, "rows_per_second": rates}
        options.json.write_text(json.dumps(result, indent=2) + "\n")


if __name__ == "__main__":
    with rights.everything():
        main()
