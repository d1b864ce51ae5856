"""What a value may become before it crosses to another organization. Data and pure functions.

Which transform a field admits is `ADMITTED`; a record is transformed after it was cut to the scope and before it is
hashed, so the hash of what was sent is the hash of what arrives. An empty value stays empty."""

import re
from collections.abc import Callable, Mapping, Sequence
from decimal import Decimal, InvalidOperation
from itertools import pairwise

import orjson
from django.db.models import TextChoices
from django.utils.functional import Promise
from django.utils.translation import gettext, pgettext_lazy
from django.utils.translation import gettext_lazy as _

from customers.fields import BASIC, FIELDS, HABITS, LABELS
from customers.masking import CITY, mask
from customers.models import Category
from customers.records import Record
from vault.pseudonyms import Pseudonyms


class Transform(TextChoices):
    """From the whole value to nothing."""

    AS_IS = "as_is", pgettext_lazy("what becomes of a field", "Crosses as it is")
    MASK = "mask", pgettext_lazy("what becomes of a field", "Crosses masked")
    PSEUDONYMIZE = "pseudonymize", pgettext_lazy("what becomes of a field", "Crosses as a pseudonym")
    GENERALIZE = "generalize", pgettext_lazy("what becomes of a field", "Crosses generalized")
    DROP = "drop", pgettext_lazy("what becomes of a field", "Stays")


_T = Transform
# "category.field" names with what is done to them, where that is more than letting them cross or stay.
Transforms = Mapping[str, str]
NOTHING_DONE: Transforms = {}

_PLAIN = (_T.AS_IS, _T.DROP)
_NAMED = (_T.AS_IS, _T.MASK, _T.PSEUDONYMIZE, _T.DROP)
ADMITTED: Mapping[str, tuple[Transform, ...]] = {
    # It says which record is which, so it can neither stay nor be shared by two.
    "basic.number": (_T.AS_IS, _T.PSEUDONYMIZE),
    "basic.name": _NAMED,
    "basic.phone": _NAMED,
    "basic.email": _NAMED,
    "basic.address": (_T.AS_IS, _T.GENERALIZE, _T.DROP),
    "purchases.time": (_T.AS_IS, _T.GENERALIZE, _T.DROP),
    "purchases.product": (_T.AS_IS, _T.PSEUDONYMIZE, _T.DROP),
    "purchases.amount": (_T.AS_IS, _T.GENERALIZE, _T.DROP),
} | {
    f"{category}.{name}": _PLAIN
    for category, names in (
        (Category.BASIC, ("note",)),
        (Category.PURCHASES, ("quantity", "currency", "channel")),
        (Category.HABITS, HABITS),
    )
    for name in names
}

# What a transform leaves of a field, with an invented value.
EXAMPLES: Mapping[tuple[str, str], str | Promise] = {
    ("basic.number", _T.PSEUDONYMIZE): _("a pseudonym: P-K4JX2N7QD5WREZ6A"),
    ("basic.name", _T.MASK): _("masked: 王**, J** S**"),
    ("basic.name", _T.PSEUDONYMIZE): _("a pseudonym: P-K4JX2N7QD5WREZ6A"),
    ("basic.phone", _T.MASK): _("masked: 138****5678"),
    ("basic.phone", _T.PSEUDONYMIZE): _("a pseudonym: P-K4JX2N7QD5WREZ6A"),
    ("basic.email", _T.MASK): _("masked: z****@mail.example"),
    ("basic.email", _T.PSEUDONYMIZE): _("a pseudonym: P-K4JX2N7QD5WREZ6A"),
    ("basic.address", _T.GENERALIZE): _("province and city only: 江苏省苏州市"),
    ("purchases.time", _T.GENERALIZE): _("the month only: 2025-03"),
    ("purchases.product", _T.PSEUDONYMIZE): _("a pseudonym: P-K4JX2N7QD5WREZ6A"),
    ("purchases.amount", _T.GENERALIZE): _("a band: 100–200"),
}


def admits(key: str, transform: str) -> bool:
    """Whether this may be done to the field."""
    return transform in ADMITTED.get(key, ())


def _named(label: str | Promise, word: str | Promise) -> str:
    return gettext("%(field)s (%(word)s)") % {"field": label, "word": word}


def label_of(key: str, transform: str) -> str:
    """The field with what becomes of it, if that is more than crossing: "Phone (masked)"."""
    word = _WORDS.get(transform)
    return _named(LABELS[key], word) if word else str(LABELS[key])


_WORDS: Mapping[str, Promise] = {
    _T.MASK: pgettext_lazy("after the name of a field", "masked"),
    _T.PSEUDONYMIZE: pgettext_lazy("after the name of a field", "pseudonym"),
    _T.GENERALIZE: pgettext_lazy("after the name of a field", "generalized"),
}

# ---- generalizing: a value that is not understood becomes nothing, because it might say anything

_MONTH = re.compile(r"(\d{4})[-/.年](0?[1-9]|1[0-2])(?![0-9])", re.ASCII)
_STEPS = (1, 2, 5)
_EDGES = (0, *(step * 10**power for power in range(1, 9) for step in _STEPS))
_BANDS = tuple(f"{low}–{high}" for low, high in pairwise(_EDGES))
_BELOW, _ABOVE = "<0", f"≥{_EDGES[-1]}"
_KNOWN_BANDS = frozenset({*_BANDS, _BELOW, _ABOVE})
_REST = "…"


def month(value: str) -> str:
    """The year and month of a time that begins with its year."""
    found = _MONTH.match(value)
    return f"{found[1]}-{int(found[2]):02d}" if found else ""


def band(value: str) -> str:
    """An amount between two of 0, 10, 20, 50, 100, 200, 500 …: at least the first, less than the second."""
    if value in _KNOWN_BANDS:
        return value
    try:
        amount = Decimal(value)
    except InvalidOperation:
        return ""
    if not amount.is_finite():
        return ""
    if amount < 0:
        return _BELOW
    above = next((at for at, edge in enumerate(_EDGES) if amount < edge), None)
    return _ABOVE if above is None else _BANDS[above - 1]


def region(value: str) -> str:
    """Province and city of a Chinese address; of another the last of its parts, without digits, after "…"."""
    found = CITY.match(value)
    if found:
        return found[1]
    parts = [part.strip() for part in value.replace("\n", ",").split(",") if part.strip()]
    last = " ".join("".join(char for char in parts[-1] if not char.isdigit()).split()) if len(parts) > 1 else ""
    return f"{_REST}, {last}" if last else ""


_GENERAL: Mapping[str, Callable[[str], str]] = {
    "basic.address": region,
    "purchases.time": month,
    "purchases.amount": band,
}


def changed(key: str, transform: str, value: str, pseudonyms: Pseudonyms) -> str:
    """One value after a transform that its field admits. Raises ValueError for one that it does not."""
    if not admits(key, transform):
        raise ValueError(f"{key} does not admit {transform}")
    if not value or transform == _T.AS_IS:
        return value
    if transform == _T.DROP:
        return ""
    if transform == _T.PSEUDONYMIZE:
        return pseudonyms.of(key, value)
    if transform == _T.MASK:
        return mask(key.partition(".")[2], value)
    return _GENERAL[key](value)


Change = Callable[[str], str]


def transformed(record: Record, transforms: Transforms, pseudonyms: Pseudonyms) -> Record:
    """The record with these transforms done; its identity, its jurisdiction and all other fields stay as they are."""
    if not transforms:
        return record
    basic, purchases, habits = (_changes(category, transforms, pseudonyms) for category in FIELDS)
    return Record(
        record.id,
        record.origin,
        record.jurisdiction,
        _done(record.basic, basic) if basic else record.basic,
        habit=_done(record.habit, habits) if habits and record.habit is not None else record.habit,
        derived=record.derived,
        documents=[orjson.dumps(_done(row, purchases)) for row in record.purchases] if purchases else record.documents,
        destroyed=record.destroyed,
    )


def _changes(category: str, transforms: Transforms, pseudonyms: Pseudonyms) -> dict[int, Change]:
    """By the place of a field what is done to it."""
    return {
        place: _change(key, transforms[key], pseudonyms)
        for place, name in enumerate(FIELDS[Category(category)])
        if (key := f"{category}.{name}") in transforms
    }


def _change(key: str, transform: str, pseudonyms: Pseudonyms) -> Change:
    return lambda value: changed(key, transform, value, pseudonyms)


def _done(row: Sequence[str], changes: Mapping[int, Change]) -> tuple[str, ...]:
    return tuple(changes[place](value) if place in changes else value for place, value in enumerate(row))


def unsearchable(transforms: Transforms) -> frozenset[str]:
    """The basic fields of which too little is left to find anybody by: equal masks are not equal values, and what
    stands for a phone or an e-mail is none, so that its letters and digits would be those of a stranger."""
    return frozenset(name for name in BASIC if _is_unsearchable(name, transforms.get(f"basic.{name}", _T.AS_IS)))


def _is_unsearchable(name: str, transform: str) -> bool:
    return transform == _T.MASK or (name in {"phone", "email"} and transform != _T.AS_IS)
