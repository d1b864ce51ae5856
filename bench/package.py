#!/usr/bin/env python3
"""Packages measured: `bin/bench package --customers 100000 --json FILE`.

package   the whole way of a format: read a book range by range, open it, write, ZIP, encrypt with age
write     the format alone, from records that are open already, into a file
pandas, pyarrow   the same plain data written by them into files, from a DataFrame or Table that is there already

Each customer has three purchases, every second one a habit; a row is one of these. Each way runs in a process of its
own. Beside the rows per second stand those per second on the processor (without PostgreSQL's), for machines that do
other work too, and the highest resident memory, with interpreter, Django and libraries: only `package` streams, the
others hold all the data.
"""

import argparse
import json
import multiprocessing
import os
import random
import re
import sys
import tempfile
import time
from collections.abc import Callable, Collection, Iterator, Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import Any
from uuid import UUID, uuid4

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))
os.environ.setdefault("DJANGO_SETTINGS_MODULE", "config.settings")

import pandas as pd
import pyarrow as pa
import pyarrow.csv
import pyarrow.parquet
import pyrage
import records as plain_records
from django.db import transaction

from customers.fields import EVERYTHING
from customers.models import Book, Category
from customers.records import Record, ranges, read_records
from handover.package import FORMATS, Member, archive, encrypt, tables_of
from tenancy import rights

RANGE = 500  # customers: that of the job
AT = datetime(2026, 11, 27, tzinfo=UTC)
LINE = (
    "{way:8} {format:8} {rows:9,} rows {rows_per_second:10,.0f} rows/s "
    "{rows_per_cpu_second:10,.0f} rows/CPU s {megabytes:6,} MB"
)
KEY = pyrage.x25519.Identity.generate()
Measured = tuple[int, float, float]  # rows, seconds, seconds of this process on the processor


def people(count: int) -> Iterator[list[Record]]:
    for first in range(0, count, RANGE):
        chance = random.Random(first)
        yield [person(number, chance) for number in range(first, min(first + RANGE, count))]


def person(number: int, chance: random.Random) -> Record:
    basic = (
        f"C{number:07d}",
        "".join(chance.choices(plain_records.NAMES, k=3)),
        f"1{chance.choice('3578')}{chance.randrange(10**9):09d}",
        f"c{number}@mail.example",
        f"上海市浦东新区花木路{chance.randrange(900)}弄{chance.randrange(60)}号{chance.randrange(30)}室",
        "" if chance.random() < 0.7 else "请周末送货",
    )
    habit = (f"every {chance.randrange(90)} days", "浓缩洗衣液", "") if number % 2 else None
    return Record(uuid4(), basic=basic, purchases=[purchase(chance) for _ in range(3)], habit=habit, derived=True)


def purchase(chance: random.Random) -> tuple[str, ...]:
    at = f"2025-{chance.randrange(1, 13):02d}-{chance.randrange(1, 28):02d}T{chance.randrange(24):02d}:30:00"
    amount = f"{chance.randrange(500, 9000) / 100:.2f}"
    return (at, f"浓缩洗衣液 {chance.randrange(90)}", str(chance.randrange(1, 9)), amount, "CNY", "门店")


def stored(customers: int) -> tuple[UUID, UUID]:
    """A book of so many customers; its id and that of its organization."""
    book = plain_records.make_book("package")
    for records in people(customers):
        with transaction.atomic():
            plain_records.write(book, records)
    return book.pk, book.organization_id


def now() -> tuple[float, float]:
    return time.perf_counter(), time.process_time()


def since(began: tuple[float, float]) -> tuple[float, float]:
    return time.perf_counter() - began[0], time.process_time() - began[1]


class Void:
    def write(self, data: Any) -> int:
        return len(data)


def package(name: str, book_id: UUID, _customers: int) -> Measured:
    book, rows = Book.objects.get(pk=book_id), 0
    began = now()

    def batches(categories: Collection[Category]) -> Iterator[Sequence[Record]]:
        for first, last, _count in ranges(book, RANGE):
            yield read_records(book, first, last, categories)

    def members() -> Iterator[Member]:
        nonlocal rows
        for file in FORMATS[name](tables_of(EVERYTHING), batches):
            yield Member(file.name, file.parts, file.compressed)
            rows += sum(written.rows for written in file.written)

    with transaction.atomic():
        encrypt(archive(members(), AT), str(KEY.to_public()), Void())
    return rows, *since(began)


def write(name: str, _book: UUID, customers: int) -> Measured:
    records, rows = list(people(customers)), 0
    with tempfile.TemporaryDirectory() as folder:
        began = now()
        for file in FORMATS[name](tables_of(EVERYTHING), lambda _categories: records):
            with (Path(folder) / file.name).open("wb") as out:
                out.writelines(file.parts)
            rows += sum(written.rows for written in file.written)
        return rows, *since(began)


def frames(customers: int) -> dict[str, pd.DataFrame]:
    found: dict[str, list[Sequence[str]]] = {table.name: [] for table in tables_of(EVERYTHING)}
    for records in people(customers):
        for table in tables_of(EVERYTHING):
            found[table.name] += table.rows(records)
    columns = {table.name: [column.name for column in table.columns] for table in tables_of(EVERYTHING)}
    made = {name: pd.DataFrame(rows, columns=columns[name]) for name, rows in found.items()}
    bought = made["purchases"]
    bought["time"] = pd.to_datetime(bought["time"])
    for name, kind in (("line", "int32"), ("quantity", "int32"), ("amount", "float64")):
        bought[name] = bought[name].astype(kind)
    return made


def by_pandas(name: str, _book: UUID, customers: int) -> Measured:
    made = frames(customers)
    with tempfile.TemporaryDirectory() as folder:
        began = now()
        if name == "xlsx":
            with pd.ExcelWriter(Path(folder) / "customers.xlsx") as book:
                for table, frame in made.items():
                    frame.to_excel(book, sheet_name=table, index=False)
        for table, frame in made.items() if name != "xlsx" else ():
            path = Path(folder) / f"{table}.{name}"
            PANDAS[name](frame, path)
        return sum(map(len, made.values())), *since(began)


PANDAS: dict[str, Callable[[pd.DataFrame, Path], object]] = {
    "csv": lambda frame, path: frame.to_csv(path, index=False),
    "jsonl": lambda frame, path: frame.to_json(path, orient="records", lines=True, force_ascii=False),
    "parquet": lambda frame, path: frame.to_parquet(path, compression="zstd"),
}


def by_pyarrow(name: str, _book: UUID, customers: int) -> Measured:
    made = {table: pa.Table.from_pandas(frame, preserve_index=False) for table, frame in frames(customers).items()}
    with tempfile.TemporaryDirectory() as folder:
        began = now()
        for table, data in made.items():
            path = Path(folder) / f"{table}.{name}"
            if name == "csv":
                pyarrow.csv.write_csv(data, path)
            else:
                pyarrow.parquet.write_table(data, path, compression="zstd")
        return sum(map(len, made.values())), *since(began)


WAYS: dict[str, tuple[Callable[[str, UUID, int], Measured], tuple[str, ...]]] = {
    "package": (package, tuple(FORMATS)),
    "write": (write, tuple(FORMATS)),
    "pandas": (by_pandas, tuple(FORMATS)),
    "pyarrow": (by_pyarrow, ("csv", "parquet")),
}


def measure(way: str, name: str, book: UUID, customers: int) -> dict[str, Any]:
    rows, seconds, own = WAYS[way][0](name, book, customers)
    highest = re.search(r"VmHWM:\s+(\d+)", Path("/proc/self/status").read_text())
    megabytes = int(highest[1]) // 1024 if highest else 0
    return {
        "way": way,
        "format": name,
        "rows": rows,
        "rows_per_second": rows / seconds,
        "rows_per_cpu_second": rows / own,
        "megabytes": megabytes,
    }


def apart(work: Callable[..., Any], *arguments: object) -> Any:
    """What `work` returns, in a fresh process."""
    with multiprocessing.get_context("spawn").Pool(1) as pool:
        return pool.apply(with_rights, (work, *arguments))


def with_rights(work: Callable[..., Any], *arguments: object) -> Any:
    with rights.everything():
        return work(*arguments)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--customers", type=int, default=100_000)
    parser.add_argument("--ways", nargs="+", choices=WAYS, default=list(WAYS))
    parser.add_argument("--formats", nargs="+", choices=FORMATS, default=list(FORMATS))
    parser.add_argument("--json", type=Path)
    options = parser.parse_args()
    book, _organization = apart(stored, options.customers)
    results = []
    for way in options.ways:
        for name in (name for name in WAYS[way][1] if name in options.formats):
            results.append(apart(measure, way, name, book, options.customers))
            print(LINE.format(**results[-1]))
    if options.json:
        options.json.write_text(json.dumps(results, indent=2))


if __name__ == "__main__":
    main()
