"""What crosses, what runs and the roots of a handover, for its overview. Counts and names of fields, never a value."""

from dataclasses import dataclass
from uuid import UUID

from django.utils.functional import Promise
from django.utils.translation import gettext_lazy as _

from accounts.models import User
from accounts.selectors import organizations_of
from customers.models import Category
from customers.transforms import label_of
from handover.content import items_of, newest_proposal, proven_backup, proven_execution
from handover.models import Backup, Delivery, Execution, Handover, Push, ScopeProposal
from handover.selectors import step_of
from handover.services.screening import latest_screening
from handover.versions import criteria_of
from handover.workflow import StepKind, StepState
from jobs.models import Job
from jobs.selectors import jobs_visible_to
from jobs.workflow import JobState

_ENDED = (JobState.DONE, JobState.CANCELED, JobState.FAILED)


@dataclass(frozen=True, slots=True)
class CategoryCrossing:
    """One category: the fields that cross and how many stay; `sent`: records that arrived, None before that."""

    category: Category
    label: str | Promise
    fields: list[str]
    stay: int
    sent: int | None


@dataclass(frozen=True, slots=True)
class Crossing:
    """What crosses by the newest version of the scope. `agreed`: both sides have approved it; `chosen`: which
    customers, in words, if not all."""

    proposal: ScopeProposal
    agreed: bool
    categories: list[CategoryCrossing]
    chosen: list[str]


def crossing_of(handover: Handover) -> Crossing | None:
    """What crosses; None before the first version."""
    newest = newest_proposal(handover)
    if newest is None:
        return None
    execution = proven_execution(handover)
    counts = execution.reconciliation.counts if execution else {}
    items, categories = items_of(newest), []
    for category in Category:
        fields = [label_of(item.key, item.transform) for item in items if item.category == category and item.crosses]
        stay = sum(item.category == category and not item.crosses for item in items)
        sent = counts.get(category, {}).get("sent") if counts else None
        categories.append(CategoryCrossing(category, category.label, fields, stay, sent))
    agreed = step_of(handover, StepKind.SCOPE).state == StepState.PASSED
    return Crossing(newest, agreed, categories, criteria_of(newest))


@dataclass(frozen=True, slots=True)
class Root:
    """A Merkle root with what it was computed from."""

    label: str | Promise
    hex: str


def roots_of(handover: Handover) -> list[Root]:
    """The roots that exist so far. The backup's covers whole records, the other two what was agreed."""
    backup, execution = proven_backup(handover), proven_execution(handover)
    roots = [Root(_("Backup, whole records"), bytes(backup.root).hex())] if backup else []
    if execution is not None:
        roots.append(Root(_("Sent by the seller"), bytes(execution.source_root).hex()))
        roots.append(Root(_("Read back from the buyer"), bytes(execution.target_root).hex()))
    return roots


def jobs_of(handover: Handover, user: User) -> list[Job]:
    """The jobs of a handover that run now and that the person may watch."""
    watched = jobs_visible_to(organizations_of(user), everything=user.is_staff)
    return list(watched.filter(pk__in=_job_ids(handover)).exclude(state__in=_ENDED))


def _job_ids(handover: Handover) -> list[UUID]:
    pairs = [
        *Backup.objects.filter(handover=handover).values_list("write_job", "restore_job"),
        *Execution.objects.filter(handover=handover).values_list("transfer_job", "verify_job"),
        *Delivery.objects.filter(handover=handover).values_list("job", "job"),
        *Push.objects.filter(delivery__handover=handover).values_list("job", "job"),
    ]
    screening = latest_screening(handover)
    ids = [job for pair in pairs for job in pair] + [screening.job if screening else None]
    return [job for job in ids if job is not None]
