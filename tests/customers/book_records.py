"""Customers for the tests of pages and services."""

from collections.abc import Callable, Sequence
from uuid import UUID

from customers.models import Book
from customers.records import Record

Fill = Callable[..., Book]

ZHANG = ("C1", "张伟", "13800138000", "zhang@example.cn", "江苏省苏州市姑苏区平江路1号", "老客户，周末送货")
LI = ("C2", "李娜", "13900138000", "li@example.cn", "杭州市西湖区2号", "")
ANN = ("C3", "Ann Baker", "+44 20 7946 0958", "", "1 High Street, London, UK", "")
BOUGHT = [
    ("2025-01-08T09:05:00", "洗衣液", "2", "39.90", "CNY", "门店"),
    ("2025-03-09", "地板清洁剂", "1", "1200.5", "CNY", "门店"),
]
STATED = ("30", "柔顺剂", "柠檬味")


def record(basic: Sequence[str], bought: Sequence[Sequence[str]] = (), habit: Sequence[str] | None = None) -> Record:
    return Record(UUID(int=1), basic=basic, purchases=bought, habit=habit)
