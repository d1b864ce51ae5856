"""What teams may be given permissions on. The rooms above register their kinds: books, handovers."""

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

from django.db.models import QuerySet, TextChoices
from django.utils.functional import Promise
from django.utils.translation import gettext_lazy as _

from accounts.models import TeamPermission, User


@dataclass(frozen=True)
class Kind:
    """`key` names the kind in addresses and in the ledger. `permits`: the permissions by codename, `lines` by
    `columns` of them. `items_of`: what the teams of an organization may be given permissions on, newest first;
    `parties_of`: the organizations whose teams may be given any on one of them. `explain`: what a person may do
    there."""

    key: str
    title: str | Promise
    rows: type[TeamPermission]
    lines: Mapping[str, str | Promise]
    columns: Mapping[str, str | Promise]
    items_of: Callable[[UUID], "QuerySet[Any]"]
    parties_of: Callable[[Any], Iterable[UUID]]
    title_of: Callable[[Any], str]
    url_of: Callable[[Any], str]
    explain: Callable[[User, Any, datetime], "Explanation"]

    @property
    def permits(self) -> dict[str, tuple[str | Promise, str | Promise]]:
        """The permissions in their order, each with the words of its line and its column."""
        return {
            f"{column}_{line}": (line_words, column_words)
            for line, line_words in self.lines.items()
            for column, column_words in self.columns.items()
        }


class Answer(TextChoices):
    YES = "yes", _("Yes")
    NO = "no", _("No")
    IDLE = "idle", _("Nothing to do here")


@dataclass(frozen=True, slots=True)
class Cell:
    """Whether a person may do one thing. `why`: the teams that allow it, or everything that is missing."""

    answer: Answer
    why: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Explanation:
    """What a person may do with one book or handover: a row of cells by the lines of its kind, in the order of the
    columns. `missing`: what keeps values closed whatever is permitted."""

    rows: Sequence[tuple[str | Promise, Sequence[Cell]]]
    missing: Sequence[str] = ()


_kinds: dict[str, Kind] = {}


def register(kind: Kind) -> None:
    """Let teams be given permissions on things of this kind. Upper rooms register in `AppConfig.ready()`."""
    _kinds[kind.key] = kind


def kinds() -> list[Kind]:
    """The kinds in the order of their rooms."""
    return list(_kinds.values())


def kind_of(key: str) -> Kind | None:
    return _kinds.get(key)


def item_of(kind: Kind, pk: UUID) -> Any:
    """One book or handover, None if there is none."""
    rows: Any = kind.rows
    return rows._meta.get_field("content_object").related_model._default_manager.filter(pk=pk).first()
