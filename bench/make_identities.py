#!/usr/bin/env python3
"""Make customers/sample/identities.csv and purchases.csv.gz again: `bench/make_identities.py [CDNOW_master.txt]`.

Needs Faker (requirements-dev.txt). The files are committed, so nothing needs Faker when the platform runs.
"""

import csv
import gzip
import io
import sys
from datetime import date
from pathlib import Path

from faker import Faker

SEED = 20260918
SAMPLE = Path(__file__).resolve().parents[1] / "customers" / "sample"
# Locale, jurisdiction, how many: a Chinese shop with customers abroad.
LOCALES = [("zh_CN", "CN", 1720), ("en_US", "US", 110), ("de_DE", "DE", 60), ("ja_JP", "JP", 70), ("ko_KR", "KR", 40)]
EPOCH = date(1997, 1, 1)


def identities() -> list[tuple[str, str, str]]:
    rows = []
    for locale, jurisdiction, count in LOCALES:
        fake = Faker(locale)
        fake.seed_instance(SEED)
        rows += [(jurisdiction, fake.name(), " ".join(fake.address().split())) for _ in range(count)]
    order = Faker()
    order.seed_instance(SEED)
    order.random.shuffle(rows)
    return rows


def write_identities() -> None:
    with (SAMPLE / "identities.csv").open("w", encoding="utf-8", newline="") as file:
        writer = csv.writer(file, lineterminator="\n")
        writer.writerow(["jurisdiction", "name", "address"])
        writer.writerows(identities())


def write_purchases(source: Path) -> None:
    """One line a purchase: customer (1 to 23,570), days since 1997-01-01, number of items, value in cents."""
    text = io.StringIO()
    writer = csv.writer(text, lineterminator="\n")
    for line in source.read_text().splitlines():
        parts = line.split()
        if len(parts) != 4 or not parts[0].isdigit():
            continue
        day = date(int(parts[1][:4]), int(parts[1][4:6]), int(parts[1][6:]))
        writer.writerow([int(parts[0]), (day - EPOCH).days, int(parts[2]), round(float(parts[3]) * 100)])
    with (SAMPLE / "purchases.csv.gz").open("wb") as file, gzip.GzipFile("", "wb", 9, file, mtime=0) as packed:
        packed.write(text.getvalue().encode())


if __name__ == "__main__":
    write_identities()
    if len(sys.argv) > 1:
        write_purchases(Path(sys.argv[1]))
