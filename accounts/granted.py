"""Which permissions teams have, as pages show them."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from itertools import groupby
from typing import Any
from uuid import UUID

from django.db.models import Model, Q
from django.utils import timezone
from django.utils.formats import date_format
from django.utils.functional import Promise
from django.utils.translation import gettext as _
from django.utils.translation import pgettext

from accounts.granting import Kind
from accounts.models import Team, TeamPermission, User


@dataclass(frozen=True, slots=True)
class Granted:
    """What is left of one grant. `lines`: the permissions in few words; `permits`: each by its codename."""

    grant: UUID
    item: UUID
    team: Team
    lines: Sequence[tuple[str | Promise, str]]
    permits: Sequence[tuple[str, str]]
    everything: bool
    until: datetime | None
    expired: bool
    by: str
    at: datetime
    reason: str

    @property
    def last_day(self) -> datetime | None:
        """The last day on which it counts: an end at midnight belongs to the day before."""
        return self.until - timedelta(seconds=1) if self.until else None


def grants_of(
    kind: Kind, organizations: Iterable[UUID], items: Iterable[Model], now: datetime
) -> dict[UUID, list[Granted]]:
    """The grants of these organizations' teams on these books or handovers, by item; expired ones too, until somebody
    takes them away. One query."""
    rows: Any = kind.rows
    found = rows._default_manager.filter(
        content_object__in=[item.pk for item in items], group__team__organization__in=list(organizations)
    ).select_related("permission", "granted_by", "group__team__organization")
    ordered = sorted(found, key=lambda row: (row.group.team.name, row.group.team.role, row.grant))
    grants: dict[UUID, list[Granted]] = {}
    for _key, parts in groupby(ordered, key=lambda row: (row.grant, row.content_object_id)):
        one = _granted(kind, list(parts), now)
        grants.setdefault(one.item, []).append(one)
    return grants


def _granted(kind: Kind, rows: list[Any], now: datetime) -> Granted:
    first, names = rows[0], {row.permission.codename for row in rows}
    held = [(name, *words) for name, words in kind.permits.items() if name in names]
    return Granted(
        grant=first.grant,
        item=first.content_object_id,
        team=first.group.team,
        lines=_lines(kind, names),
        permits=[(name, f"{line}: {column}") for name, line, column in held],
        everything=len(held) == len(kind.permits),
        until=first.expires_at,
        expired=first.expires_at is not None and first.expires_at <= now,
        by=first.granted_by.name if first.granted_by else _("The platform"),
        at=first.granted_at,
        reason=first.reason,
    )


def _lines(kind: Kind, names: set[str]) -> list[tuple[str | Promise, str]]:
    """Permissions in few words: by column if whole columns are held and nothing else, otherwise by line."""
    whole = [column for column in kind.columns if all(f"{column}_{line}" in names for line in kind.lines)]
    if len(whole) * len(kind.lines) == len(names):
        return [(kind.columns[column], _("all of them")) for column in whole]
    comma = pgettext("list", ", ")
    found = {
        line: [str(words) for column, words in kind.columns.items() if f"{column}_{line}" in names]
        for line in kind.lines
    }
    return [(kind.lines[line], comma.join(words)) for line, words in found.items() if words]


def reasons(rows: type[TeamPermission], person: User, item: Model, organization: UUID) -> dict[str, list[str]]:
    """Which teams of a person have which permission on an item, in words, by codename: since when, until when. Those
    that have expired say so. One query."""
    found = rows._default_manager.filter(
        Q(content_object=item, group__user=person, group__team__organization=organization)
    ).select_related("permission", "granted_by", "group__team")
    words: dict[str, list[str]] = {}
    for row in found:
        words.setdefault(row.permission.codename, []).append(_sentence(row))
    return words


def _sentence(row: TeamPermission) -> str:
    facts = {"team": row.group.team, "by": row.granted_by.name if row.granted_by else _("the platform")}
    if row.expires_at is None:
        return _("Team “%(team)s”, given by %(by)s, without end") % facts
    facts["day"] = day_of(row.expires_at)
    if row.expires_at <= timezone.now():
        return _("Team “%(team)s” had it until %(day)s") % facts
    return _("Team “%(team)s”, given by %(by)s, until %(day)s") % facts


def day_of(until: datetime) -> str:
    """The last day on which something counts that ends at this time."""
    last = timezone.localtime(until - timedelta(seconds=1))
    return date_format(last, pgettext("date format", "j M Y"))
