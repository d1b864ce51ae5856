"""Gate 3: how, when and on which legal basis the data crosses."""

from collections.abc import Iterator, Mapping
from dataclasses import asdict, dataclass
from datetime import date, datetime, timedelta

import pyrage
from django.db import transaction
from django.utils import timezone
from django.utils.formats import date_format
from django.utils.translation import gettext as _

from accounts.models import User
from compliance import law
from handover import abroad
from handover.errors import HandoverError
from handover.legal import basis_problem, demanding
from handover.models import Step, TransferPlan
from handover.services import assessing
from handover.services.moving import check, move
from handover.workflow import Side

CHUNK_SIZES = range(50, 5001)  # customers; below the overhead of a transaction counts, above it the memory of a worker
MONTHS = range(1, 241)
PACKAGE_DAYS = range(1, 366)
ACCEPTANCE_DAYS = range(181)
BATCHES = range(2, 21)
BATCH_DAYS = range(1, 31)
TYPED = 5000  # characters of one field that are kept before the plan is complete


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
    package_days: int | None = None
    contract_reference: str = ""
    contract_on: date | None = None
    mechanism: str = ""
    mechanism_reference: str = ""
    mechanism_from: date | None = None
    mechanism_until: date | None = None
    sensitive_persons: int | None = None
    acceptance_days: int | None = None
    batches: int | None = None
    batch_days: int | None = None
    duplicates: str = ""


@transaction.atomic
def save_draft(*, actor: User, step: Step, terms: PlanTerms, now: datetime) -> TransferPlan:
    """Keep the plan. Raises HandoverError when a field is not possible or `actor` may not write."""
    check(step, "draft", actor=actor, side=Side.SELLER)
    _check_terms(step, terms)
    move(step, "draft", actor=actor, side=Side.SELLER, now=now)
    plan, _created = TransferPlan.objects.update_or_create(handover=step.handover, defaults=asdict(terms))
    _keep(step, {})
    return plan


@transaction.atomic
def keep_typed(*, actor: User, step: Step, typed: Mapping[str, str], now: datetime) -> Step:
    """Keep a plan that is not complete yet as it was typed, by names of fields, for whoever writes on. What was saved
    whole before stays beside it. What was emptied is kept too. Raises HandoverError when `actor` may not write."""
    move(step, "draft", actor=actor, side=Side.SELLER, now=now)
    _keep(step, {name: text.replace("\x00", "")[:TYPED] for name, text in typed.items()})
    return step


@transaction.atomic
def discard_typed(*, actor: User, step: Step, now: datetime) -> Step:
    """Go on with the plan that was saved whole: what was half typed since is gone. Raises HandoverError when no plan
    was saved or `actor` may not write."""
    move(step, "draft", actor=actor, side=Side.SELLER, now=now)
    if not TransferPlan.objects.filter(handover=step.handover).exists():
        raise HandoverError(_("No complete plan was saved before. Complete this one."))
    _keep(step, {})
    return step


def _keep(step: Step, typed: Mapping[str, str]) -> None:
    step.content = {"typed": dict(typed)} if typed else {}
    step.save(update_fields=["content"])


@transaction.atomic
def submit(*, actor: User, step: Step, now: datetime) -> Step:
    """Ask both sides and the reviewer for approval. Raises HandoverError without a plan that starts in time."""
    check(step, "submit", actor=actor, side=Side.SELLER)
    if step.content.get("typed"):
        raise HandoverError(
            _("The plan was saved before it was complete. Fill in what is missing and save it, then submit.")
        )
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
    if problem := unlawful(plan, now):
        raise HandoverError(problem)
    return move(step, "submit", actor=actor, side=Side.SELLER, now=now)


def unlawful(plan: TransferPlan, now: datetime) -> str:
    """What the law asks of a plan that it does not have yet, or an empty text."""
    return next(iter(lacking(plan, now)), "")


def lacking(plan: TransferPlan, now: datetime, *, assessed: bool = True) -> Iterator[str]:
    """Everything that the law asks of a plan and that it does not have, with what to do. `assessed`: the impact
    assessment too."""
    handover = plan.handover
    if plan.basis is not None and (problem := basis_problem(plan.basis, handover)):
        yield problem
    demanded = demanding(handover, law.CONTRACT)
    if demanded is not None and not (plan.contract_reference and plan.contract_on):
        message = _("The law asks for a contract with the recipient (%(source)s). Name it and its day in the plan.")
        yield message % {"source": demanded.source}
    if plan.contract_on is not None and plan.contract_on > plan.starts_on:
        yield _("The contract must be signed before the transfer starts. Look at both days in the plan.")
    counter = abroad.counter_of(handover, now, plan.sensitive_persons)
    wrong = abroad.problems(abroad.mechanism_of(plan), counter, plan.starts_on, handover.due_on)
    yield from (str(text) for text in wrong.values())
    if assessed and (text := assessing.missing(handover)):
        yield text


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
    offered = TransferPlan.FileFormat.values if terms.method != TransferPlan.Method.INSIDE else [""]
    if terms.file_format not in offered:
        raise HandoverError(_("Choose which files the package holds; without a package there are none."))
    if terms.package_days is not None and (
        terms.method == TransferPlan.Method.INSIDE or terms.package_days not in PACKAGE_DAYS
    ):
        raise HandoverError(_("A package stays for 1 to 365 days; without a package leave this empty."))


_CHOICES = (
    ("method", TransferPlan.Method),
    ("disposition", TransferPlan.Disposition),
)


def _check_terms(step: Step, terms: PlanTerms) -> None:
    known = law.basis(terms.legal_basis) is not None
    if not known or any(getattr(terms, name) not in choices.values for name, choices in _CHOICES):
        raise HandoverError(_("Choose the method, the legal basis and what happens to the seller's copy."))
    if terms.method != TransferPlan.Method.INSIDE:
        check_recipient_key(terms.recipient_key)
    _check_format(terms)
    if terms.starts_on > step.handover.due_on:
        raise HandoverError(_("The plan starts after the handover must be completed. Choose an earlier day."))
    if terms.chunk_size not in CHUNK_SIZES or terms.retention_months not in MONTHS:
        raise HandoverError(_("A chunk has 50 to 5,000 customers, and data is kept for 1 to 240 months."))
    if terms.acceptance_days is not None and terms.acceptance_days not in ACCEPTANCE_DAYS:
        raise HandoverError(_("The buyer has 0 to 180 days to accept. Enter another number."))
    if problem := batches_problem(terms.batches, terms.batch_days):
        raise HandoverError(problem)
    if terms.starts_on + _between(terms) > step.handover.due_on:
        raise HandoverError(
            _("The last batch crosses after the handover must be completed. Choose fewer or closer ones.")
        )
    if not terms.safeguards.strip():
        raise HandoverError(_("Write which safeguards protect the data on the way."))
    if terms.duplicates not in ["", *TransferPlan.Duplicates.values]:
        raise HandoverError(_("Choose what is done with customers whom the buyer has already."))
    if terms.mechanism not in ["", *TransferPlan.Mechanism.values]:
        raise HandoverError(_("Choose one of the mechanisms."))
    if problems := telling_problems(terms, step.handover.due_on):
        raise HandoverError(next(iter(problems.values())))


def _between(terms: PlanTerms) -> timedelta:
    """From the first batch to the last."""
    return timedelta(days=((terms.batches or 1) - 1) * (terms.batch_days or 0))


def asks_consent(basis: str) -> bool:
    """Whether only who agreed crosses on this basis."""
    found = law.basis(basis)
    return found is not None and found.consent


def batches_problem(batches: int | None, days: int | None) -> str:
    """What is wrong with how the transfer is cut into batches, or an empty text. None: everything in one go."""
    if batches is None:
        return ""
    if batches not in BATCHES:
        return _("A transfer crosses in 2 to 20 batches, or in one go.")
    if days not in BATCH_DAYS:
        return _("Between two batches lie 1 to 30 days.")
    return ""


def telling_problems(terms: PlanTerms, due_on: date) -> dict[str, str]:
    """What is wrong with how customers are told, by the field that is to be put right."""
    if terms.telling == TransferPlan.Telling.PLATFORM:
        return _platform_problems(terms, due_on)
    if terms.telling != TransferPlan.Telling.OUTSIDE:
        return {"telling": _("Choose how customers are told that their data crosses.")}
    if asks_consent(terms.legal_basis):
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
