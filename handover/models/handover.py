"""One sale: its parties, its six gates and what was approved at them."""

import pgtrigger
from django.db import models
from django.utils.translation import gettext_lazy as _
from uuid_utils.compat import uuid7

from accounts.models import Organization, PersonPermission, TeamPermission, User
from customers.models import Book
from handover import workflow


class Handover(models.Model):
    class Kind(models.TextChoices):
        SHARE = "share", _("Share deal")
        ASSET = "asset", _("Asset deal")
        MERGER = "merger", _("Merger")
        DIVISION = "division", _("Division")
        BANKRUPTCY = "bankruptcy", _("Bankruptcy")

    id = models.UUIDField(primary_key=True, default=uuid7, editable=False)
    reference = models.CharField(_("Reference"), max_length=20, unique=True)  # HO-2026-0001
    subject = models.CharField(_("What is sold"), max_length=200)
    # Empty in handovers of the time before it was asked: then the law of every kind is shown.
    kind = models.CharField(_("Kind of transaction"), max_length=10, choices=Kind, blank=True)
    seller = models.ForeignKey(Organization, on_delete=models.PROTECT, related_name="+")
    buyer = models.ForeignKey(Organization, on_delete=models.PROTECT, related_name="+")
    reviewer = models.ForeignKey(Organization, on_delete=models.PROTECT, related_name="+")
    book = models.ForeignKey(Book, on_delete=models.PROTECT, related_name="+")
    state = models.CharField(max_length=12, choices=workflow.HandoverState, default=workflow.HandoverState.OPEN)
    due_on = models.DateField(_("To be completed by"))
    opened_by = models.ForeignKey(User, on_delete=models.PROTECT, related_name="+")
    created_at = models.DateTimeField()
    ended_at = models.DateTimeField(null=True)  # when it came to its present state
    ended_by = models.ForeignKey(User, null=True, on_delete=models.PROTECT, related_name="+")
    stop_reason = models.TextField(_("Why it was stopped or rolled back"), blank=True)

    class Meta:
        verbose_name = _("handover")
        verbose_name_plural = _("handovers")
        permissions = [(name, name.replace("_", " ")) for name in workflow.PERMITS]
        constraints = [
            models.UniqueConstraint(
                fields=["book"], condition=models.Q(state="open"), name="handover_one_open_per_book"
            )
        ]
        triggers = [
            pgtrigger.FSM(
                name="handover_moves",
                field="state",
                transitions=sorted((a.value, b.value) for a, after in workflow.HANDOVER_MOVES.items() for b in after),
            ),
            pgtrigger.Protect(
                name="handover_ended",
                operation=pgtrigger.Update | pgtrigger.Delete,
                condition=pgtrigger.Q(old__state__in=sorted(workflow.ENDED)),
            ),
        ]

    def __str__(self) -> str:
        return self.reference


class HandoverGroupPermission(TeamPermission):
    """What a team may do at the gates of a handover."""

    content_object = models.ForeignKey(Handover, on_delete=models.CASCADE, related_name="grants")

    class Meta(TeamPermission.Meta):
        verbose_name = _("permission on a handover")
        verbose_name_plural = _("permissions on handovers")


class HandoverUserPermission(PersonPermission):
    """Empty for ever: see `PersonPermission`."""

    content_object = models.ForeignKey(Handover, on_delete=models.CASCADE, related_name="+")

    class Meta(PersonPermission.Meta):
        pass


class Step(models.Model):
    """One gate. `digest`: SHA-256 of exactly what was submitted; an approval of another digest counts for nothing.

    `author` wrote last; `writers` are all who ever wrote a part, none of them approves. `remark`: why it was sent back.
    """

    id = models.UUIDField(primary_key=True, default=uuid7, editable=False)
    handover = models.ForeignKey(Handover, on_delete=models.CASCADE, related_name="steps")
    kind = models.CharField(max_length=10, choices=workflow.StepKind)
    state = models.CharField(max_length=10, choices=workflow.StepState, default=workflow.StepState.SHUT)
    content = models.JSONField(default=dict)  # necessity: purpose, reason per category; plan: half-typed
    author = models.ForeignKey(User, null=True, on_delete=models.PROTECT, related_name="+")
    writers: "models.ManyToManyField[User, models.Model]" = models.ManyToManyField(User, related_name="+")
    remark = models.TextField(blank=True)
    remark_by = models.ForeignKey(User, null=True, on_delete=models.PROTECT, related_name="+")
    digest = models.BinaryField(default=b"")
    submitted_at = models.DateTimeField(null=True)
    passed_at = models.DateTimeField(null=True)

    class Meta:
        verbose_name = _("gate")
        verbose_name_plural = _("gates")
        constraints = [models.UniqueConstraint(fields=["handover", "kind"], name="handover_step_kind")]

    def __str__(self) -> str:
        return f"{self.handover}, {self.get_kind_display()}"


class Approval(models.Model):
    """One side's yes to one digest of one step. Never deleted: void when the step changed or was sent back."""

    id = models.UUIDField(primary_key=True, default=uuid7, editable=False)
    step = models.ForeignKey(Step, on_delete=models.CASCADE, related_name="approvals")
    side = models.CharField(max_length=10, choices=workflow.Side)
    user = models.ForeignKey(User, on_delete=models.PROTECT, related_name="+")
    digest = models.BinaryField()
    at = models.DateTimeField()
    voided_at = models.DateTimeField(null=True)

    class Meta:
        verbose_name = _("approval")
        verbose_name_plural = _("approvals")
        constraints = [
            models.UniqueConstraint(
                fields=["step", "side"], condition=models.Q(voided_at=None), name="handover_approval_per_side"
            ),
            # The same person never stands for two sides.
            models.UniqueConstraint(
                fields=["step", "user"], condition=models.Q(voided_at=None), name="handover_approval_per_person"
            ),
        ]

    def __str__(self) -> str:
        return f"{self.step}, {self.side}"
