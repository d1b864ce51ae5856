"""What a reviewer notes before the decision: answers, findings, judgments of hits."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from uuid import UUID

from django.db import transaction
from django.utils.translation import gettext as _

from accounts.models import User
from compliance.errors import ComplianceError
from compliance.models import ChecklistItem, Finding, Review, ScreeningHit
from compliance.outcomes import places_of
from compliance.screening import matches
from compliance.services.guard import allowed, locked
from compliance.services.reviews import record
from compliance.workflow import Act


@dataclass(frozen=True, slots=True)
class Answered:
    """`answer` is a `ChecklistItem.Answer`, or "" for not answered; `note` says what is wrong."""

    answer: str
    note: str = ""


@dataclass(frozen=True, slots=True)
class Noticed:
    """A finding to add. `code` names the checklist item that it belongs to, `place` where it is cured, if any."""

    severity: str
    text: str
    code: str = ""
    customer: UUID | None = None
    place: str = ""


@dataclass(frozen=True, slots=True)
class Work:
    """Everything on the reviewer's page: answers by code, findings to add, ids of findings that are cured, judgments
    by the id of the hit, `rest`: the judgment of every hit that is still open after those, "" to leave them, and
    the reason as far as it is written (None leaves it as it is)."""

    answers: Mapping[str, Answered] = field(default_factory=dict)
    findings: Iterable[Noticed] = ()
    resolved: Iterable[UUID] = ()
    judgments: Mapping[int, str] = field(default_factory=dict)
    rest: str = ""
    reason: str | None = None


def refuse_numbers(text: str) -> None:
    """Raises ComplianceError when a text for both sides holds an identity or card number: it is stored unsealed."""
    if any(match.rule != ScreeningHit.Rule.TERM for match in matches(text)):
        raise ComplianceError(
            _("This text holds an identity or card number. Both sides read it: name the record instead.")
        )


@transaction.atomic
def answer_item(*, actor: User, review: Review, code: str, answer: str, note: str, now: datetime) -> None:
    """Answer one question of the checklist. Raises ComplianceError unless `actor` has claimed the review."""
    save_work(actor=actor, review=review, work=Work(answers={code: Answered(answer, note)}), now=now)


@transaction.atomic
def add_finding(
    *,
    actor: User,
    review: Review,
    severity: str,
    text: str,
    now: datetime,
    code: str = "",
    customer: UUID | None = None,
) -> None:
    """Note a finding. Raises ComplianceError unless `actor` has claimed the review."""
    noticed = Noticed(severity, text, code, customer)
    save_work(actor=actor, review=review, work=Work(findings=[noticed]), now=now)


@transaction.atomic
def judge_hits(*, actor: User, review: Review, judgments: Mapping[int, str], now: datetime) -> None:
    """Judge hits of the review's screening by their ids. Raises ComplianceError unless `actor` has claimed it."""
    save_work(actor=actor, review=review, work=Work(judgments=judgments), now=now)


@transaction.atomic
def resolve_finding(*, actor: User, review: Review, finding_id: UUID, now: datetime) -> None:
    """Mark a finding as cured. Raises ComplianceError unless `actor` has claimed the review."""
    save_work(actor=actor, review=review, work=Work(resolved=[finding_id]), now=now)


@transaction.atomic
def save_work(*, actor: User, review: Review, work: Work, now: datetime) -> Review:
    """Store what the reviewer has noted so far. Raises ComplianceError unless `actor` has claimed the review."""
    review = locked(review.pk)
    allowed(review, Act.WORK, actor)
    _store_answers(review, work.answers)
    _add_findings(actor, review, work.findings, now)
    _resolve_findings(actor, review, work.resolved, now)
    _store_judgments(actor, review, work.judgments, now)
    _judge_the_rest(actor, review, work.rest, now)
    _store_reason(review, work.reason)
    return review


def _store_reason(review: Review, reason: str | None) -> None:
    if reason is not None:
        refuse_numbers(reason)
        review.reason = reason
        review.save(update_fields=["reason"])


def _store_answers(review: Review, answers: Mapping[str, Answered]) -> None:
    items = {item.code: item for item in review.items.all()}
    for code, answered in answers.items():
        if code not in items or answered.answer not in {"", *ChecklistItem.Answer.values}:
            raise ComplianceError(_("The checklist has changed. Reload the page and answer again."))
        refuse_numbers(answered.note)
        items[code].answer, items[code].note = answered.answer, answered.note
    ChecklistItem.objects.bulk_update([items[code] for code in answers], ["answer", "note"])


def _add_findings(actor: User, review: Review, findings: Iterable[Noticed], now: datetime) -> None:
    items = {item.code: item for item in review.items.all()}
    places = {"", *(code for code, _label in places_of(review.kind))}
    for noticed in findings:
        if noticed.severity not in Finding.Severity.values or not noticed.text.strip():
            raise ComplianceError(_("Choose how severe the finding is and describe it."))
        if noticed.place not in places:
            raise ComplianceError(_("Choose where the finding is to be cured."))
        refuse_numbers(noticed.text)
        finding = Finding.objects.create(
            review=review,
            item=items.get(noticed.code),
            customer=noticed.customer,
            severity=noticed.severity,
            text=noticed.text,
            place=noticed.place,
            added_by=actor,
            added_at=now,
        )
        record(actor, "review.finding_added", review, now, finding=finding.pk, severity=finding.severity)


def _resolve_findings(actor: User, review: Review, resolved: Iterable[UUID], now: datetime) -> None:
    for finding in review.findings.filter(pk__in=list(resolved), state=Finding.State.OPEN):
        finding.state = Finding.State.RESOLVED
        finding.save(update_fields=["state"])
        record(actor, "review.finding_resolved", review, now, finding=finding.pk)


def _store_judgments(actor: User, review: Review, judgments: Mapping[int, str], now: datetime) -> None:
    if review.screening_id is None:
        return
    if not set(judgments.values()) <= set(ScreeningHit.Judgment.values):
        raise ComplianceError(_("Choose confirmed or false alarm for each hit."))
    hits = ScreeningHit.objects.select_for_update().filter(screening_id=review.screening_id, pk__in=judgments)
    changed = [hit for hit in hits if hit.judgment != judgments[hit.pk]]
    for hit in changed:
        hit.judgment, hit.judged_by, hit.judged_at = judgments[hit.pk], actor, now
    ScreeningHit.objects.bulk_update(changed, ["judgment", "judged_by", "judged_at"], batch_size=1000)
    if changed:
        confirmed = sum(hit.judgment == ScreeningHit.Judgment.CONFIRMED for hit in changed)
        record(actor, "review.hits_judged", review, now, judged=len(changed), confirmed=confirmed)


def _judge_the_rest(actor: User, review: Review, judgment: str, now: datetime) -> None:
    if not judgment or review.screening_id is None:
        return
    if judgment not in {ScreeningHit.Judgment.CONFIRMED, ScreeningHit.Judgment.FALSE_ALARM}:
        raise ComplianceError(_("Choose confirmed or false alarm for each hit."))
    rest = ScreeningHit.objects.filter(screening_id=review.screening_id, judgment=ScreeningHit.Judgment.OPEN)
    judged = rest.update(judgment=judgment, judged_by=actor, judged_at=now)
    if judged:
        record(actor, "review.rest_judged", review, now, judged=judged, judgment=judgment)
