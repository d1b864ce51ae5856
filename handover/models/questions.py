"""Questions about the scope in threads tied to a field, and their answers. Both sides and the reviewer read them."""

from django.db import models
from django.utils.translation import gettext_lazy as _
from uuid_utils.compat import uuid7

from accounts.models import User
from handover import workflow
from handover.models.handover import Handover
from handover.models.scope import ScopeProposal


class ScopeQuestion(models.Model):
    """A thread. `field`: "category.field", empty for the scope as a whole. `proposal`: the version on the table when it
    was opened. Its first message is a `ScopeMessage` like every other; `answers` names the side that is to answer."""

    id = models.UUIDField(primary_key=True, default=uuid7, editable=False)
    handover = models.ForeignKey(Handover, on_delete=models.CASCADE, related_name="scope_questions")
    field = models.CharField(max_length=40, blank=True)
    proposal = models.ForeignKey(ScopeProposal, null=True, on_delete=models.SET_NULL, related_name="+")
    side = models.CharField(max_length=10, choices=workflow.Side)
    answers = models.CharField(max_length=10, choices=workflow.Side)
    resolved_at = models.DateTimeField(null=True)
    resolved_by = models.ForeignKey(User, null=True, on_delete=models.PROTECT, related_name="+")

    class Meta:
        verbose_name = _("question about a scope")
        verbose_name_plural = _("questions about scopes")

    def __str__(self) -> str:
        return f"{self.handover}, {self.field}"


class ScopeMessage(models.Model):
    """What one person wrote in a thread. Never changed and never removed."""

    id = models.UUIDField(primary_key=True, default=uuid7, editable=False)
    question = models.ForeignKey(ScopeQuestion, on_delete=models.CASCADE, related_name="messages")
    side = models.CharField(max_length=10, choices=workflow.Side)
    author = models.ForeignKey(User, on_delete=models.PROTECT, related_name="+")
    text = models.TextField()
    at = models.DateTimeField()

    def __str__(self) -> str:
        return f"{self.question}, {self.at:%Y-%m-%d}"


class ScopeReading(models.Model):
    """Until when a person has read the threads of a handover."""

    handover = models.ForeignKey(Handover, on_delete=models.CASCADE, related_name="+")
    user = models.ForeignKey(User, on_delete=models.CASCADE, related_name="+")
    at = models.DateTimeField()

    class Meta:
        constraints = [models.UniqueConstraint(fields=["handover", "user"], name="handover_scope_reading")]

    def __str__(self) -> str:
        return f"{self.handover}, {self.user}"
