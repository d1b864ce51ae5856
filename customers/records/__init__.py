"""The bulk path of customers: what import, screening, backup, execution, verification and package all use."""

from customers.records.canonical import canonical, exceeds, leaf, project
from customers.records.reading import ranges, read_records
from customers.records.record import Record
from customers.records.writing import Written, write_records

__all__ = [
    "Record",
    "Written",
    "canonical",
    "exceeds",
    "leaf",
    "project",
    "ranges",
    "read_records",
    "write_records",
]
