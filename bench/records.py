"""Sealed customers against plain ones, in one run: `python bench/records.py --customers 10000 --rounds 5`.

import      N customers with about three purchases each, sealed under their own keys with five blind indexes (COPY),
            against Django `bulk_create` of the same values, unencrypted, into tables with the same number of indexes;
execution   the same customers read, opened, hashed, cut to a scope and sealed under the buyer's keys, against
            the same `bulk_create` (which reads nothing).
One process, one transaction a chunk. Rows are customers and purchases. It makes and drops its own plain tables and
rows, and needs a migrated database."""

# ruff: noqa: E402 - models can be defined only after django.setup()
import argparse
import json
import os
import random
import statistics
import sys
import time
from datetime import date
from pathlib import Path
from uuid import uuid4

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))
os.environ.setdefault("DJANGO_SETTINGS_MODULE", "config.settings")

import django

django.setup()

from django.conf import settings
from django.db import connection, models, transaction
from django.utils import timezone
from uuid_utils.compat import uuid7

from accounts.models import Organization
from customers import fields
from customers.models import Book, Customer, Habit, Purchase
from customers.records import Record, canonical, leaf, project, ranges, read_records, write_records
from tenancy import rights
from tenancy.owner import as_owner
from vault import services
from vault.models import DataKey

TODAY = date(2026, 11, 24)
NAMES = "王李张刘陈杨黄赵吴周伟芳娜敏静丽强磊军洋"
SCOPE = fields.EVERYTHING - {"basic.note"}


class PlainCustomer(models.Model):
    id = models.UUIDField(primary_key=True, default=uuid7)
    book = models.ForeignKey(Book, on_delete=models.PROTECT, db_index=False, related_name="+")
    origin = models.UUIDField(null=True)
    source = models.ForeignKey("customers.Import", null=True, on_delete=models.PROTECT, related_name="+")
    jurisdiction = models.CharField(max_length=2)
    collected_on = models.DateField()
    number = models.TextField()
    name = models.TextField(db_index=True)
    phone = models.TextField(db_index=True)
    phone_tail = models.CharField(max_length=4, db_index=True)
    email = models.TextField(db_index=True)
    address = models.TextField()
    note = models.TextField()

    class Meta:
        app_label = "bench"
        constraints = [
            models.UniqueConstraint(fields=["book", "number"], name="bench_number"),
            models.UniqueConstraint(
                fields=["book", "origin"], condition=models.Q(origin__isnull=False), name="bench_origin"
            ),
        ]
        indexes = [models.Index(fields=["book", "id"], name="bench_book_id")]


class PlainPurchase(models.Model):
    id = models.UUIDField(primary_key=True, default=uuid7)
    customer = models.ForeignKey(PlainCustomer, on_delete=models.CASCADE)
    time = models.TextField()
    product = models.TextField()
    quantity = models.TextField()
    amount = models.TextField()
    currency = models.TextField()
    channel = models.TextField()

    class Meta:
        app_label = "bench"


PLAIN = (PlainCustomer, PlainPurchase)


def make_records(count: int) -> list[Record]:
    chance = random.Random(7)
    records = []
    for number in range(count):
        name = "".join(chance.choices(NAMES, k=3))
        phone = f"1{chance.choice('3578')}{chance.randrange(10**9):09d}"
        basic = (
            f"C{number:07d}",
            name,
            phone,
            f"c{number}@mail.example",
            f"上海市浦东新区花木路{chance.randrange(900)}弄{chance.randrange(60)}号{chance.randrange(30)}室",
            "" if chance.random() < 0.7 else "请周末送货",
        )
        purchases = [
            (
                f"1997-{chance.randrange(1, 13):02d}-{chance.randrange(1, 28):02d}",
                "CD",
                str(chance.randrange(1, 9)),
                f"{chance.randrange(500, 9000) / 100:.2f}",
                "USD",
                "mail",
            )
            for _ in range(chance.choice((1, 2, 3, 4, 5)))
        ]
        records.append(Record(uuid4(), basic=basic, purchases=purchases))
    return records


def make_book(name: str) -> Book:
    organization = Organization.objects.create(
        name=f"bench {name}", legal_name=name, registration_number=uuid4().hex, contact_name="-", contact_email="a@b.c"
    )
    services.ensure_organization_keys(organization.pk, timezone.now())
    return Book.objects.create(organization=organization, name=name, created_at=timezone.now())


def clear(*books: Book) -> None:
    with connection.cursor() as cursor:
        for book in books:
            ids = "SELECT id FROM customers_customer WHERE book_id = %s"
            cursor.execute(f"DELETE FROM vault_datakey WHERE subject IN ({ids})", [book.pk])
            cursor.execute(f"DELETE FROM customers_purchase WHERE customer_id IN ({ids})", [book.pk])
            cursor.execute(f"DELETE FROM customers_habit WHERE customer_id IN ({ids})", [book.pk])
            cursor.execute("DELETE FROM customers_customer WHERE book_id = %s", [book.pk])
    with as_owner(), connection.cursor() as cursor:
        cursor.execute("TRUNCATE bench_plainpurchase, bench_plaincustomer")
        for model in (Customer, Purchase, Habit, DataKey):
            cursor.execute(f"VACUUM {model._meta.db_table}")
        cursor.execute("CHECKPOINT")


def plain_rows(book: Book, records: list[Record]) -> tuple[list[PlainCustomer], list[PlainPurchase]]:
    customers, purchases = [], []
    for record in records:
        number, name, phone, email, address, note = record.basic
        customer = PlainCustomer(
            book_id=book.pk,
            jurisdiction="CN",
            collected_on=TODAY,
            number=number,
            name=name,
            phone=phone,
            phone_tail=phone[-4:],
            email=email,
            address=address,
            note=note,
        )
        customers.append(customer)
        for when, product, quantity, amount, currency, channel in record.purchases:
            purchases.append(
                PlainPurchase(
                    customer_id=customer.pk,
                    time=when,
                    product=product,
                    quantity=quantity,
                    amount=amount,
                    currency=currency,
                    channel=channel,
                )
            )
    return customers, purchases


def plain(book: Book, records: list[Record], chunk: int) -> None:
    for at in range(0, len(records), chunk):
        with transaction.atomic():
            customers, purchases = plain_rows(book, records[at : at + chunk])
            PlainCustomer.objects.bulk_create(customers)
            PlainPurchase.objects.bulk_create(purchases)


def importing(book: Book, records: list[Record], chunk: int) -> None:
    for at in range(0, len(records), chunk):
        with transaction.atomic():
            write(book, records[at : at + chunk])


def write(book: Book, records: list[Record]) -> None:
    write_records(book=book, records=records, organization=book.organization_id, collected_on=TODAY, now=timezone.now())


def executing(source: Book, target: Book, chunk: int) -> None:
    for first, last, _count in ranges(source, chunk):
        with transaction.atomic():
            records = read_records(source, first, last)
            for record in records:
                leaf(record, SCOPE)
            write(target, [project(record, SCOPE) for record in records])


def check(source: Book, target: Book, chunk: int) -> None:
    """What arrived is what was agreed: a fast copy of the wrong thing is no result."""
    for (first, last, _), (first_there, last_there, _) in zip(
        ranges(source, chunk), ranges(target, chunk), strict=True
    ):
        before = [canonical(record, SCOPE) for record in read_records(source, first, last)]
        after = [canonical(record, SCOPE) for record in read_records(target, first_there, last_there)]
        assert before == after


def timed(work: object, *args: object) -> float:
    began = time.perf_counter()
    work(*args)
    return time.perf_counter() - began


def make_plain_tables() -> None:
    with as_owner():
        with connection.schema_editor() as editor:
            for model in PLAIN:
                editor.create_model(model)
        with connection.cursor() as cursor:
            tables = ", ".join(model._meta.db_table for model in PLAIN)
            cursor.execute(f"GRANT ALL ON {tables} TO {settings.DATABASE_APPLICATION['USER']}")


def drop_plain_tables() -> None:
    with as_owner(), connection.schema_editor() as editor:
        for model in reversed(PLAIN):
            editor.delete_model(model)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--customers", type=int, default=10_000)
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--chunk", type=int, default=2_000)
    parser.add_argument("--json", type=Path)
    options = parser.parse_args()
    records = make_records(options.customers)
    rows = len(records) + sum(len(record.documents) for record in records)
    times: dict[str, list[float]] = {"plain bulk_create": [], "import": [], "execution": []}
    make_plain_tables()
    source, target = make_book("seller"), make_book("buyer")
    try:
        for _round in range(options.rounds):
            # As a job does it: with the rights of two organizations, not of the platform.
            with rights.acting_for([source.organization_id, target.organization_id]):
                times["plain bulk_create"].append(timed(plain, source, records, options.chunk))
                times["import"].append(timed(importing, source, records, options.chunk))
                times["execution"].append(timed(executing, source, target, options.chunk))
                check(source, target, options.chunk)
            clear(source, target)
    finally:
        clear(source, target)
        remove(source, target)
    report(times, rows, options.json)


def remove(*books: Book) -> None:
    drop_plain_tables()
    with connection.cursor() as cursor:
        for book in books:
            cursor.execute("DELETE FROM customers_book WHERE id = %s", [book.pk])
            cursor.execute("DELETE FROM vault_organizationkey WHERE organization = %s", [book.organization_id])
            cursor.execute("DELETE FROM accounts_organization WHERE id = %s", [book.organization_id])


def report(times: dict[str, list[float]], rows: int, path: Path | None) -> None:
    medians = {name: rows / statistics.median(each) for name, each in times.items()}
    for name, rate in medians.items():
        ratio = rate / medians["plain bulk_create"]
        spread = f"{rows / max(times[name]):,.0f} to {rows / min(times[name]):,.0f}"
        print(f"{name:20} {rate:10,.0f} rows/s  {ratio:5.2f} x plain  ({spread})")
    if path:
        path.write_text(json.dumps({"rows": rows, "rows_per_second": medians}, indent=2))


if __name__ == "__main__":
    with rights.everything():
        main()
