"""Gate 3: how, when and on which legal basis the data crosses."""

from dataclasses import asdict, dataclass
from datetime import date, datetime

import pyrage
from django.db import transaction
from django.utils import timezone
from django.utils.formats import date_format
from django.utils.translation import gettext as _

from accounts.models import User
from handover.errors import HandoverError
from handover.models import Step, TransferPlan
from handover.services.moving import check, move
from handover.workflow import Side

CHUNK_SIZES = range(50, 5001)  # customers; below the overhead of a transaction counts, above it the memory of a worker
MONTHS = range(1, 241)
ACCEPTANCE_DAYS = range(181)


@dataclass(frozen=True, slots=True)
class PlanTerms:
    """The fields of a `TransferPlan`."""

    method: str
    recipient_key: str
    file_format: str
    legal_basis: str
    starts_on: date
    chunk_size: int
    retention_months: int
    disposition: str
    safeguards: str
    telling: str
    answer_until: date | None
    told_on: date | None
    told_how: str
    acceptance_days: int | None = None


@transaction.atomic
def save_draft(*, actor: User, step: Step, terms: PlanTerms, now: datetime) -> TransferPlan:
    """Keep the plan. Raises HandoverError when a field is not possible or `actor` may not write."""
    check(step, "draft", actor=actor, side=Side.SELLER)
    _check_terms(step, terms)
    move(step, "draft", actor=actor, side=Side.SELLER, now=now)
    plan, _created = TransferPlan.objects.update_or_create(handover=step.handover, defaults=asdict(terms))
    return plan


@transaction.atomic
def submit(*, actor: User, step: Step, now: datetime) -> Step:
    """Ask both sides and the reviewer for approval. Raises HandoverError without a plan that starts in time."""
    check(step, "submit", actor=actor, side=Side.SELLER)
    plan = TransferPlan.objects.filter(handover=step.handover).first()
    if plan is None:
        raise HandoverError(_("There is no plan yet. Fill in the form and save it, then submit."))
    if plan.starts_on < timezone.localdate(now):
        raise HandoverError(_("The plan starts in the past. Choose today or later, then submit."))
    if not plan.telling:
        raise HandoverError(_("Say in the plan how customers are told, then submit."))
    if plan.answer_until is not None and plan.answer_until <= timezone.localdate(now):
        raise HandoverError(
            _("The last day to answer must lie ahead, so that customers have time. Choose a later day.")
        )
    return move(step, "submit", actor=actor, side=Side.SELLER, now=now)


def is_secret_key(key: str) -> bool:
    """Whether somebody gave the half of an age key that opens the package."""
    return key.strip().upper().startswith("AGE-SECRET-KEY-")


def check_recipient_key(key: str) -> None:
    """Raises HandoverError unless `key` is an age X25519 recipient (age-encryption.org/v1, "age1...")."""
    if is_secret_key(key):
        message = _("This was the secret half, which nobody else may see: make a new key. Enter what begins with age1.")
        raise HandoverError(message)
    try:
        pyrage.x25519.Recipient.from_str(key)
    except pyrage.RecipientError as error:
        raise HandoverError(
            _("This is not an age key. It begins with age1; the buyer makes one with age-keygen.")
        ) from error


def _check_format(terms: PlanTerms) -> None:
    offered = TransferPlan.FileFormat.values if terms.method == TransferPlan.Method.PACKAGE else [""]
    if terms.file_format not in offered:
        raise HandoverError(_("Choose which files the package holds; without a package there are none."))


_CHOICES = (
    ("method", TransferPlan.Method),
    ("legal_basis", TransferPlan.Basis),
    ("disposition", TransferPlan.Disposition),
)


def _check_terms(step: Step, terms: PlanTerms) -> None:
    if any(getattr(terms, name) not in choices.values for name, choices in _CHOICES):
        raise HandoverError(_("Choose the method, the legal basis and what happens to the seller's copy."))
    if terms.method == TransferPlan.Method.PACKAGE:
        check_recipient_key(terms.recipient_key)
    _check_format(terms)
    if terms.starts_on > step.handover.due_on:
        raise HandoverError(_("The plan starts after the handover must be completed. Choose an earlier day."))
    if terms.chunk_size not in CHUNK_SIZES or terms.retention_months not in MONTHS:
        raise HandoverError(_("A chunk has 50 to 5,000 customers, and data is kept for 1 to 240 months."))
    if terms.acceptance_days is not None and terms.acceptance_days not in ACCEPTANCE_DAYS:
        raise HandoverError(_("The buyer has 0 to 180 days to accept. Enter another number."))
    if not terms.safeguards.strip():
        raise HandoverError(_("Write which safeguards protect the data on the way."))
    if problems := telling_problems(terms, step.handover.due_on):
        raise HandoverError(next(iter(problems.values())))


def telling_problems(terms: PlanTerms, due_on: date) -> dict[str, str]:
    """What is wrong with how customers are told, by the field that is to be put right."""
    if terms.telling == TransferPlan.Telling.PLATFORM:
        return _platform_problems(terms, due_on)
    if terms.telling != TransferPlan.Telling.OUTSIDE:
        return {"telling": _("Choose how customers are told that their data crosses.")}
    if terms.legal_basis == TransferPlan.Basis.CONSENT:
        message = _("Separate consent is asked for and kept here: choose that the platform tells the customers.")
        return {"telling": message}
    if terms.told_on is None or terms.told_on > terms.starts_on:
        return {"told_on": _("Enter the day on which customers are told; the transfer does not start before it.")}
    if not terms.told_how.strip():
        return {"told_how": _("Write how customers are told and where the evidence is: all three sides approve it.")}
    return {"answer_until": _("Told outside there is no day here.")} if terms.answer_until else {}


def _platform_problems(terms: PlanTerms, due_on: date) -> dict[str, str]:
    if terms.answer_until is None:
        return {"answer_until": _("Enter the last day on which customers may answer.")}
    if terms.answer_until >= due_on:
        message = _("The transfer starts after this day and must be completed by %(date)s. Choose an earlier day.")
        return {"answer_until": message % {"date": date_format(due_on)}}
    if terms.told_on is not None or terms.told_how:
        return {"told_how": _("When the platform tells the customers, nothing is told outside.")}
    return {}
