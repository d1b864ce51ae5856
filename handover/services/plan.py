"""Gate 3: how, when and on which legal basis the data crosses."""

from dataclasses import asdict, dataclass
from datetime import date, datetime

import pyrage
from django.db import transaction
from django.utils import timezone
from django.utils.translation import gettext as _

from accounts.models import User
from handover.errors import HandoverError
from handover.models import Step, TransferPlan
from handover.services.moving import check, move
from handover.workflow import Side

CHUNK_SIZES = range(50, 5001)  # customers; below the overhead of a transaction counts, above it the memory of a worker
MONTHS = range(1, 241)


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
    if not terms.safeguards.strip():
        raise HandoverError(_("Write which safeguards protect the data on the way."))
