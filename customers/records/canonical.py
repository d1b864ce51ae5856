"""The one form of a customer that is hashed, and what of him arrives under a scope.

Canonical form 1: a JSON array (RFC 8259; compact, UTF-8, strings escaped as in RFC 8785) of
  "customer-1", identity (32 hexadecimal digits), jurisdiction, basic, purchases, habits, derived
`basic` is the array of its six strings, `purchases` an array of such arrays in source order, `habits` the array of
three or null, `derived` true or false. A field out of scope is null; a category wholly out of scope is null, and with
the habits `derived` is false. A category whose key was destroyed is written as what arrives of it: nothing.
It never changes: another form is another tag, because old roots must stay verifiable."""

from collections.abc import Sequence
from functools import lru_cache
from itertools import compress
from typing import NamedTuple

import orjson

from customers.fields import Scope, in_category
from customers.models import Category
from customers.records.record import NOTHING, Record, Row
from ledger.merkle import leaf_hash

_HEAD = b'["customer-1","'


class _Mask(NamedTuple):
    """Per category which fields are in scope, and whether all or any are."""

    fields: tuple[bool, ...]
    whole: bool
    some: bool


@lru_cache(maxsize=64)
def _masks(scope: Scope) -> tuple[_Mask, _Mask, _Mask]:
    kept = [in_category(category, scope) for category in (Category.BASIC, Category.PURCHASES, Category.HABITS)]
    basic, purchases, habits = (_Mask(fields, all(fields), any(fields)) for fields in kept)
    return basic, purchases, habits


def canonical(record: Record, scope: Scope) -> bytes:
    """Canonical form 1 of the record under the scope."""
    basic, purchases, habits = _masks(scope)
    habit = record.habit if habits.some else None
    return b"".join(
        (
            _HEAD,
            record.identity.hex.encode(),
            b'",',
            orjson.dumps(record.jurisdiction),
            b",",
            _array(record.basic, basic) if basic.some else b"null",
            b",",
            _purchases(record, purchases),
            b",",
            b"null" if habit is None else _array(habit, habits),
            b",true]" if habit is not None and record.derived else b",false]",
        )
    )


def leaf(record: Record, scope: Scope) -> bytes:
    """The record's Merkle leaf hash (RFC 9162, 2.1.1)."""
    return leaf_hash(canonical(record, scope))


def project(record: Record, scope: Scope) -> Record:
    """The record as it will arrive: fields out of scope empty, its identity kept as `origin`."""
    basic, purchases, habits = _masks(scope)
    habit = record.habit if habits.some else None
    return Record(
        record.id,
        record.identity,
        record.jurisdiction,
        record.basic if basic.whole else _kept(record.basic, basic) if basic.some else NOTHING,
        habit=habit if habit is None or habits.whole else _kept(habit, habits),
        derived=habit is not None and record.derived,
        documents=_arriving(record, purchases),
    )


def exceeds(record: Record, scope: Scope) -> bool:
    """Whether the record holds a value out of the scope: what `canonical` leaves out and a verification must refuse."""
    basic, purchases, habits = _masks(scope)
    if any(value for value, kept in zip(record.basic, basic.fields, strict=True) if not kept):
        return True
    if record.habit is not None and any(
        value for value, kept in zip(record.habit, habits.fields, strict=True) if not kept
    ):
        return True
    if purchases.whole or not record.documents:
        return False
    outside = [not kept for kept in purchases.fields]
    return not purchases.some or any(any(compress(purchase, outside)) for purchase in record.purchases)


def _array(values: Sequence[str], mask: _Mask) -> bytes:
    if mask.whole:
        return orjson.dumps(values)
    return orjson.dumps([value if kept else None for value, kept in zip(values, mask.fields, strict=True)])


def _purchases(record: Record, mask: _Mask) -> bytes:
    if not mask.some:
        return b"null"
    if mask.whole:
        return b"[" + b",".join(record.documents) + b"]"
    return b"[" + b",".join(_array(purchase, mask) for purchase in record.purchases) + b"]"


def _arriving(record: Record, mask: _Mask) -> list[bytes]:
    if mask.whole or not mask.some:
        return record.documents if mask.whole else []
    return [orjson.dumps(_kept(purchase, mask)) for purchase in record.purchases]


def _kept(values: Sequence[str], mask: _Mask) -> Row:
    return tuple(value if kept else "" for value, kept in zip(values, mask.fields, strict=True))
