"""What teams may be given permissions on. The rooms above register their kinds: books, handovers."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any
from uuid import UUID

from django.db.models import QuerySet
from django.utils.functional import Promise

from accounts.models import TeamPermission


@dataclass(frozen=True)
class Kind:
    """`key` names the kind in addresses and in the ledger. `permits`: the permissions by codename, `lines` by
    `columns` of them. `items_of`: what the teams of an organization may be given permissions on, newest first."""

    key: str
    title: str | Promise
    rows: type[TeamPermission]
    lines: Mapping[str, str | Promise]
    columns: Mapping[str, str | Promise]
    items_of: Callable[[UUID], "QuerySet[Any]"]
    url_of: Callable[[Any], str]

    @property
    def permits(self) -> dict[str, tuple[str | Promise, str | Promise]]:
        """The permissions in their order, each with the words of its line and its column."""
        return {
            f"{column}_{line}": (line_words, column_words)
            for line, line_words in self.lines.items()
            for column, column_words in self.columns.items()
        }


_kinds: dict[str, Kind] = {}


def register(kind: Kind) -> None:
    """Let teams be given permissions on things of this kind. Upper rooms register in `AppConfig.ready()`."""
    _kinds[kind.key] = kind


def kinds() -> list[Kind]:
    """The kinds in the order of their rooms."""
    return list(_kinds.values())


def kind_of(key: str) -> Kind | None:
    return _kinds.get(key)
