"""Reviews with their checklists and findings, and what the screening of free text found."""

import pgtrigger
from django.contrib.postgres.fields import ArrayField
from django.contrib.postgres.indexes import GinIndex
from django.db import models
from django.db.models import Q
from django.utils.translation import gettext_lazy as _
from django.utils.translation import pgettext, pgettext_lazy
from uuid_utils.compat import uuid7

from accounts.models import User
from compliance import workflow
from customers.models import Book, Customer


class Screening(models.Model):
    """One reading of a book's free text by machine. `parties`, `reference`, `audience` and `due_at` go on to the
    content review that it ends in."""

    class State(models.TextChoices):
        RUNNING = "running", _("Reading")
        DONE = "done", pgettext_lazy("screening", "Read")
        STOPPED = "stopped", _("Stopped before the end")

    id = models.UUIDField(primary_key=True, default=uuid7, editable=False)
    book = models.ForeignKey(Book, on_delete=models.PROTECT, related_name="screenings")
    job = models.UUIDField(null=True, editable=False)
    subject_type = models.CharField(max_length=40)
    subject_id = models.UUIDField()
    reference = models.CharField(_("Reference"), max_length=80)
    parties = ArrayField(models.CharField(max_length=100), default=list)
    audience = ArrayField(models.UUIDField(), default=list)
    due_at = models.DateTimeField(_("Due"))
    started_by = models.ForeignKey(User, null=True, on_delete=models.PROTECT, related_name="+")
    started_at = models.DateTimeField()
    state = models.CharField(max_length=8, choices=State, default=State.RUNNING)
    terms_version = models.CharField(_("Term list"), max_length=20)
    records = models.PositiveIntegerField(_("Records read"), default=0)
    counts = models.JSONField(default=dict)  # hits per rule

    class Meta:
        verbose_name = _("screening")
        verbose_name_plural = _("screenings")
        indexes = [models.Index(fields=["subject_type", "subject_id"], name="compliance_screening_subject")]

    def __str__(self) -> str:
        return self.reference


class Review(models.Model):
    """Something that a reviewer must decide, bound to the digest of exactly what is reviewed (invariant 4).
    `subject_type` and `subject_id` point upward without a foreign key. `audience` may read it; the review firms in it
    decide."""

    class Kind(models.TextChoices):
        NECESSITY = "necessity", _("Necessity")
        PLAN = "plan", _("Transfer plan")
        BACKUP = "backup", _("Backup")
        AUDIT = "audit", _("Audit")
        CONTENT = "content", _("Customer content")

    id = models.UUIDField(primary_key=True, default=uuid7, editable=False)
    kind = models.CharField(_("Kind"), max_length=10, choices=Kind)
    subject_type = models.CharField(max_length=40)
    subject_id = models.UUIDField()
    digest = models.BinaryField()
    reference = models.CharField(_("Reference"), max_length=80)
    parties = ArrayField(models.CharField(max_length=100), default=list)
    audience = ArrayField(models.UUIDField(), default=list)
    state = models.CharField(
        _("State"), max_length=9, choices=workflow.ReviewState, default=workflow.ReviewState.WAITING
    )
    screening = models.ForeignKey(Screening, null=True, on_delete=models.PROTECT, related_name="reviews")
    raised_by = models.ForeignKey(User, null=True, on_delete=models.PROTECT, related_name="+")
    raised_at = models.DateTimeField()
    due_at = models.DateTimeField(_("Due"))
    claimed_by = models.ForeignKey(User, null=True, on_delete=models.PROTECT, related_name="+")
    claimed_at = models.DateTimeField(null=True)
    decided_by = models.ForeignKey(User, null=True, on_delete=models.PROTECT, related_name="+")
    decided_at = models.DateTimeField(null=True)
    decision = models.CharField(_("Decision"), max_length=9, choices=workflow.Decision, blank=True)
    reason = models.TextField(_("Reason"), blank=True)

    class Meta:
        verbose_name = _("review")
        verbose_name_plural = _("reviews")
        constraints = [
            models.UniqueConstraint(
                fields=["kind", "subject_type", "subject_id"],
                condition=Q(state__in=["waiting", "claimed"]),
                name="compliance_one_live_review",
            ),
            models.CheckConstraint(
                condition=Q(state="decided", decided_by__isnull=False, decided_at__isnull=False) & ~Q(decision="")
                | (~Q(state="decided") & Q(decided_by__isnull=True, decision="")),
                name="compliance_review_decided",
            ),
            models.CheckConstraint(
                condition=Q(raised_by__isnull=True) | Q(decided_by__isnull=True) | ~Q(decided_by=models.F("raised_by")),
                name="compliance_author_does_not_decide",
            ),
            models.CheckConstraint(
                condition=~Q(state__in=["waiting", "claimed"])
                | Q(state="waiting", claimed_by__isnull=True, claimed_at__isnull=True)
                | Q(state="claimed", claimed_by__isnull=False, claimed_at__isnull=False),
                name="compliance_review_claimed",
            ),
            models.CheckConstraint(
                condition=Q(decided_by__isnull=True) | Q(claimed_by__isnull=False, decided_by=models.F("claimed_by")),
                name="compliance_claimant_decides",
            ),
        ]
        triggers = [
            pgtrigger.FSM(
                name="review_moves",
                field="state",
                transitions=sorted({(state, move.to) for (state, _), move in workflow.MOVES.items()}),
            ),
            pgtrigger.Protect(
                name="review_closed",
                operation=pgtrigger.Update | pgtrigger.Delete,
                condition=pgtrigger.Q(old__state__in=["decided", "withdrawn"]),
            ),
        ]
        indexes = [
            models.Index(fields=["state", "due_at"], name="compliance_review_due"),
            GinIndex(fields=["audience"], name="compliance_review_audience"),
        ]

    def __str__(self) -> str:
        return pgettext("list", ", ").join([str(self.get_kind_display()), self.reference])


class ChecklistItem(models.Model):
    """One question of a review's checklist. `note` says what is wrong; both sides read it."""

    class Answer(models.TextChoices):
        PASS = "pass", _("Pass")
        FAIL = "fail", _("Fail")
        NOT_APPLICABLE = "n/a", _("N/A")

    review = models.ForeignKey(Review, on_delete=models.CASCADE, related_name="items")
    position = models.PositiveSmallIntegerField()
    code = models.CharField(max_length=30)
    answer = models.CharField(max_length=4, choices=Answer, blank=True)
    note = models.TextField(blank=True)

    class Meta:
        verbose_name = _("checklist item")
        verbose_name_plural = _("checklist items")
        ordering = ["position"]
        constraints = [models.UniqueConstraint(fields=["review", "code"], name="compliance_checklist_item")]

    def __str__(self) -> str:
        return self.code


class Finding(models.Model):
    """Something a reviewer noticed. `customer` is an id only: the text holds no personal data. `place`: where it is to
    be cured, one of `outcomes.places_of` its kind of review, if it says so."""

    class Severity(models.TextChoices):
        NOTE = "note", _("Note")
        MINOR = "minor", _("Minor")
        MAJOR = "major", _("Major")

    class State(models.TextChoices):
        OPEN = "open", pgettext_lazy("state", "Open")
        RESOLVED = "resolved", _("Resolved")

    id = models.UUIDField(primary_key=True, default=uuid7, editable=False)
    review = models.ForeignKey(Review, on_delete=models.CASCADE, related_name="findings")
    item = models.ForeignKey(ChecklistItem, null=True, on_delete=models.CASCADE, related_name="findings")
    customer = models.UUIDField(null=True)
    severity = models.CharField(_("Severity"), max_length=5, choices=Severity)
    text = models.TextField(_("Finding"))
    place = models.CharField(_("Where it is cured"), max_length=10, blank=True)
    state = models.CharField(max_length=8, choices=State, default=State.OPEN)
    added_by = models.ForeignKey(User, on_delete=models.PROTECT, related_name="+")
    added_at = models.DateTimeField()

    class Meta:
        verbose_name = _("finding")
        verbose_name_plural = _("findings")
        ordering = ["id"]

    def __str__(self) -> str:
        return self.get_severity_display()


class ScreeningHit(models.Model):
    """Where a rule matched: characters `start` to `end` of the opened column, never the text itself."""

    class Column(models.TextChoices):
        NOTE = "note", _("Note")
        ADDRESS = "address", _("Address")

    class Rule(models.TextChoices):
        IDENTITY_NUMBER = "identity_number", _("Identity number")
        BANK_CARD = "bank_card", _("Bank card")
        TERM = "term", _("Term list")

    class Judgment(models.TextChoices):
        OPEN = "open", _("To judge")
        CONFIRMED = "confirmed", _("Confirmed")
        FALSE_ALARM = "false_alarm", _("False alarm")

    id = models.BigAutoField(primary_key=True)
    screening = models.ForeignKey(Screening, on_delete=models.CASCADE, related_name="hits")
    customer = models.ForeignKey(Customer, on_delete=models.CASCADE, related_name="+")
    column = models.CharField(max_length=7, choices=Column)
    rule = models.CharField(max_length=15, choices=Rule)
    topic = models.CharField(max_length=20, blank=True)  # of the term list: health, religion, ...
    start = models.PositiveIntegerField()
    end = models.PositiveIntegerField()
    judgment = models.CharField(max_length=11, choices=Judgment, default=Judgment.OPEN)
    judged_by = models.ForeignKey(User, null=True, on_delete=models.PROTECT, related_name="+")
    judged_at = models.DateTimeField(null=True)

    class Meta:
        verbose_name = _("screening hit")
        verbose_name_plural = _("screening hits")
        ordering = ["id"]
        constraints = [
            models.UniqueConstraint(
                fields=["screening", "customer", "column", "rule", "start", "end"], name="compliance_hit"
            )
        ]
        indexes = [models.Index(fields=["screening", "judgment"], name="compliance_hit_judgment")]

    def __str__(self) -> str:
        return self.get_rule_display()
