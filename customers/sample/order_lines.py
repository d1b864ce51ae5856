"""Write the sample: order lines of a cleaning-supplies shop, one a purchase, customer columns repeated.

The purchases are real (see README.md here), the people are not. Everything follows from the customer's index, so two
files of the same size are equal byte for byte.
"""

import csv
import gzip
import io
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime, timedelta
from functools import cache
from itertools import groupby
from pathlib import Path
from typing import BinaryIO

from customers.sample import catalog

HEADERS = (
    "客户编号",
    "姓名",
    "手机",
    "邮箱",
    "地址",
    "备注",
    "购买时间",
    "商品",
    "数量",
    "金额",
    "币种",
    "渠道",
)
CUSTOMERS_WITH_PURCHASES = 23_570
_HERE = Path(__file__).parent
# The purchases of 1997 and 1998, moved by 28 years: the same weekdays, and leap years stay in step.
_FIRST_DAY = datetime(2025, 1, 1, 8)  # noqa: DTZ001 - the shop's own clock, as in any exported file
_CENTS_TO_CNY = 0.0829
_SCRAMBLE = 7_368_787


@dataclass(frozen=True, slots=True)
class Written:
    """What a sample file holds."""

    customers: int
    purchases: int


@dataclass(frozen=True, slots=True)
class Person:
    """A customer of the sample, as the file has it."""

    number: str
    name: str
    phone: str
    email: str
    address: str
    note: str
    jurisdiction: str

    def columns(self) -> tuple[str, ...]:
        return (self.number, self.name, self.phone, self.email, self.address, self.note)


@cache
def _identities() -> tuple[tuple[str, str, str], ...]:
    with (_HERE / "identities.csv").open(encoding="utf-8", newline="") as file:
        rows = csv.reader(file)
        next(rows)
        return tuple((jurisdiction, name, address) for jurisdiction, name, address in rows)


def _purchases() -> Iterator[list[list[str]]]:
    """The real purchases, one list a customer: [customer, day, items, cents]."""
    with gzip.open(_HERE / "purchases.csv.gz", "rt", encoding="ascii", newline="") as file:
        for _customer, rows in groupby(csv.reader(file), key=lambda row: row[0]):
            yield list(rows)


def _phone(index: int, jurisdiction: str) -> str:
    subscriber = 20_000_000 + index * _SCRAMBLE % 70_000_000
    match jurisdiction:
        case "US":
            return f"+1212{2_000_000 + index * 7_919 % 8_000_000}"
        case "DE":
            return f"+49151{subscriber}"
        case "JP":
            return f"+8190{subscriber}"
        case "KR":
            return f"+8210{subscriber}"
    return f"13{5 + index % 5}{subscriber}"


def _note(index: int, sensitive_notes: int) -> str:
    if sensitive_notes and index % 37 == 5 and index // 37 < sensitive_notes:
        return catalog.SENSITIVE_NOTES[index // 37 % len(catalog.SENSITIVE_NOTES)]
    return catalog.NOTES[index // 6 % len(catalog.NOTES)] if index % 6 == 1 else ""


def person(index: int, *, sensitive_notes: int = 0) -> Person:
    """The customer at `index` (from 0). Numbers, phones and e-mails are distinct, names and addresses come back."""
    jurisdiction, name, address = _identities()[index % len(_identities())]
    return Person(
        number=f"JH{index + 1:07d}",
        name=name,
        phone=_phone(index, jurisdiction),
        email="" if index % 7 == 3 else f"jh{index + 1:07d}@example.com",
        address=address,
        note=_note(index, sensitive_notes),
        jurisdiction=jurisdiction,
    )


def _order(index: int, line: int, purchase: list[str], jurisdiction: str) -> tuple[str, ...]:
    _customer, day, items, cents = purchase
    choice = index * 31 + line * 7
    at = _FIRST_DAY + timedelta(days=int(day), minutes=choice * 37 % 840)
    amount = int(cents) * _CENTS_TO_CNY if jurisdiction == "CN" else int(cents) / 100
    return (
        f"{at:%Y-%m-%d %H:%M}",
        catalog.PRODUCTS[choice % len(catalog.PRODUCTS)],
        items,
        f"{amount:.2f}",
        "CNY" if jurisdiction == "CN" else "USD",
        catalog.CHANNELS[choice % len(catalog.CHANNELS)],
    )


def write_sample(file: BinaryIO, *, customers: int, encoding: str = "utf-8-sig", sensitive_notes: int = 0) -> Written:
    """Write `customers` customers and all their purchases as CSV in `encoding` (what it lacks becomes "?").

    Past 23,570 customers the purchases start again, for new people. `sensitive_notes`: how many notes hold what
    screening must find (an identity number, a card, a health remark).
    """
    text = io.TextIOWrapper(file, encoding=encoding, errors="replace", newline="")
    writer = csv.writer(text)
    writer.writerow(HEADERS)
    source, purchases = _purchases(), 0
    for index in range(customers):
        if index % CUSTOMERS_WITH_PURCHASES == 0:
            source = _purchases()
        someone = person(index, sensitive_notes=sensitive_notes)
        lines = next(source)
        purchases += len(lines)
        writer.writerows(
            (*someone.columns(), *_order(index, line, purchase, someone.jurisdiction))
            for line, purchase in enumerate(lines)
        )
    text.flush()
    text.detach()
    return Written(customers, purchases)
