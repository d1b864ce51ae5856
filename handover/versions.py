"""Versions of the scope side by side."""

from collections.abc import Sequence
from dataclasses import dataclass

from django.db.models import QuerySet
from django.utils.formats import date_format
from django.utils.functional import Promise
from django.utils.timezone import localtime

from customers.models import Category
from handover.content import digest_of_version, items_of
from handover.effects import imports_of_book
from handover.fields import SCOPE_FIELDS
from handover.models import Approval, Handover, ScopeItem, ScopeProposal, Step
from handover.segmenting import sentences


@dataclass(frozen=True, slots=True)
class FieldPair:
    """One field in two versions. `differs`: one of them says something else, be it the reason alone; `moved`: another
    thing becomes of it."""

    key: str
    label: str | Promise
    before: ScopeItem | None
    after: ScopeItem

    @property
    def differs(self) -> bool:
        before, after = self.before, self.after
        return before is not None and (before.transform, before.reason) != (after.transform, after.reason)

    @property
    def moved(self) -> bool:
        return self.before is not None and self.before.transform != self.after.transform


@dataclass(frozen=True, slots=True)
class Comparison:
    """A version beside another one, or alone. `segments`: who crosses by the one before and by this one, in words."""

    before: ScopeProposal | None
    after: ScopeProposal
    groups: list[tuple[Category, list[FieldPair]]]
    segments: tuple[list[str], list[str]]

    @property
    def total(self) -> int:
        return sum(len(pairs) for _category, pairs in self.groups)

    @property
    def differing(self) -> int:
        return sum(pair.differs for _category, pairs in self.groups for pair in pairs)

    @property
    def changed(self) -> set[Category]:
        """The categories in which something differs."""
        return {category for category, pairs in self.groups if any(pair.differs for pair in pairs)}

    @property
    def chooses(self) -> bool:
        """Whether one of the versions lets only some customers cross."""
        return bool(self.after.segment or (self.before and self.before.segment))

    @property
    def chooses_otherwise(self) -> bool:
        return self.before is not None and self.before.segment != self.after.segment

    @property
    def crossing(self) -> int:
        return sum(pair.after.crosses for _category, pairs in self.groups for pair in pairs)


def versions_of(handover: Handover) -> QuerySet[ScopeProposal]:
    """All versions, newest first."""
    return ScopeProposal.objects.filter(handover=handover).select_related("author").order_by("-version")


@dataclass(frozen=True, slots=True)
class Signed:
    """Who of a side said yes to which version, and whether it still counts."""

    approval: Approval
    version: int
    counts: bool


def signatures_of(step: Step, versions: Sequence[ScopeProposal]) -> list[Signed]:
    """Every yes that was given to a version of the scope, by the digest of that version; the last first."""
    digests = {digest_of_version(step, one): one.version for one in versions}
    given = sorted(step.approvals.all(), key=lambda one: one.at, reverse=True)
    return [
        Signed(one, digests[bytes(one.digest)], one.voided_at is None) for one in given if bytes(one.digest) in digests
    ]


def compared(after: ScopeProposal, before: ScopeProposal | None) -> Comparison:
    """Every field of a version beside what another version says of it."""
    new, old = _by_key(after), _by_key(before) if before else {}
    groups = []
    for category in Category:
        fields = [field for field in SCOPE_FIELDS if field.category == category and field.key in new]
        groups.append(
            (category, [FieldPair(field.key, field.label, old.get(field.key), new[field.key]) for field in fields])
        )
    return Comparison(before, after, groups, (criteria_of(before) if before else [], criteria_of(after)))


def criteria_of(proposal: ScopeProposal) -> list[str]:
    """By what a version chooses customers, in words; empty: all of the book cross."""
    if not proposal.segment:
        return []
    names = {key: date_format(localtime(at)) for key, at, _count in imports_of_book(proposal.handover)}
    return sentences(proposal.segment, names)


def _by_key(proposal: ScopeProposal) -> dict[str, ScopeItem]:
    return {item.key: item for item in items_of(proposal)}
