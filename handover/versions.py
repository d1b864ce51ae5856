"""Versions of the scope side by side."""

from dataclasses import dataclass

from django.db.models import QuerySet
from django.utils.functional import Promise

from customers.models import Category
from handover.content import items_of
from handover.fields import SCOPE_FIELDS
from handover.models import Handover, ScopeItem, ScopeProposal


@dataclass(frozen=True, slots=True)
class FieldPair:
    """One field in two versions. `differs`: one of them says something else, be it the reason alone."""

    label: str | Promise
    before: ScopeItem | None
    after: ScopeItem

    @property
    def differs(self) -> bool:
        before, after = self.before, self.after
        return before is not None and (before.crosses, before.reason) != (after.crosses, after.reason)


@dataclass(frozen=True, slots=True)
class Comparison:
    """A version beside an earlier one, or alone if it is the first."""

    before: ScopeProposal | None
    after: ScopeProposal
    groups: list[tuple[Category, list[FieldPair]]]

    @property
    def total(self) -> int:
        return sum(len(pairs) for _category, pairs in self.groups)

    @property
    def differing(self) -> int:
        return sum(pair.differs for _category, pairs in self.groups for pair in pairs)

    @property
    def crossing(self) -> int:
        return sum(pair.after.crosses for _category, pairs in self.groups for pair in pairs)


def versions_of(handover: Handover) -> QuerySet[ScopeProposal]:
    """All versions, newest first."""
    return ScopeProposal.objects.filter(handover=handover).select_related("author").order_by("-version")


def compared(after: ScopeProposal, before: ScopeProposal | None) -> Comparison:
    """Every field of a version beside what another version says of it."""
    new, old = _by_key(after), _by_key(before) if before else {}
    groups = []
    for category in Category:
        fields = [field for field in SCOPE_FIELDS if field.category == category and field.key in new]
        groups.append((category, [FieldPair(field.label, old.get(field.key), new[field.key]) for field in fields]))
    return Comparison(before, after, groups)


def _by_key(proposal: ScopeProposal) -> dict[str, ScopeItem]:
    return {f"{item.category}.{item.field}": item for item in items_of(proposal)}
