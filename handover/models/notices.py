"""What customers are told before their data crosses, whom it was sent to, and what they answered."""

from django.db import models
from django.utils.translation import gettext_lazy as _
from uuid_utils.compat import uuid7

from accounts.models import User
from handover import notice_workflow as workflow
from handover.models.handover import Handover
from jobs.models import Job


class Notice(models.Model):
    """One version of the seller's notice. `texts`: by language title, words and purpose; the rest of the page is made
    of what the gates agreed. `digest`: SHA-256 of all that a customer reads; the approval is bound to it."""

    id = models.UUIDField(primary_key=True, default=uuid7, editable=False)
    handover = models.ForeignKey(Handover, on_delete=models.PROTECT, related_name="notices")
    version = models.PositiveSmallIntegerField()
    state = models.CharField(max_length=10, choices=workflow.NoticeState, default=workflow.NoticeState.DRAFT)
    texts = models.JSONField(default=dict)
    reach = models.CharField(_("How customers reach the seller"), max_length=300)
    answer_until = models.DateField(_("Last day to answer"))
    digest = models.BinaryField(default=b"")
    author = models.ForeignKey(User, on_delete=models.PROTECT, related_name="+")
    created_at = models.DateTimeField()
    approved_by = models.ForeignKey(User, null=True, on_delete=models.PROTECT, related_name="+")
    approved_at = models.DateTimeField(null=True)
    site = models.CharField(max_length=200, blank=True)  # where the links lead, as whoever sent it reached the platform
    job = models.ForeignKey(Job, null=True, on_delete=models.PROTECT, related_name="+")
    outside = models.PositiveIntegerField(default=0)  # customers of the book who are not in the agreed segment
    opened_at = models.DateTimeField(null=True)  # sent to everybody for the first time
    announced_on = models.DateField(null=True)
    announced_where = models.CharField(_("Where it was announced"), max_length=500, blank=True)
    ended_at = models.DateTimeField(null=True)

    class Meta:
        verbose_name = _("customers' notice")
        verbose_name_plural = _("customers' notices")
        constraints = [
            models.UniqueConstraint(fields=["handover", "version"], name="handover_notice_version"),
            models.UniqueConstraint(
                fields=["handover"], condition=models.Q(state__in=sorted(workflow.LIVE)), name="handover_notice_live"
            ),
        ]

    def __str__(self) -> str:
        return f"{self.handover}, {self.version}"


class Addressee(models.Model):
    """One customer of a notice: how the message went and what was answered. No address is kept here: it is opened from
    the sealed customer when the message goes. `customer`: an id of the seller's book, no foreign key, because the row
    outlives the seller's copy as proof."""

    id = models.UUIDField(primary_key=True, default=uuid7, editable=False)
    notice = models.ForeignKey(Notice, on_delete=models.CASCADE, related_name="addressees")
    customer = models.UUIDField()
    language = models.CharField(max_length=7, default="zh-hans")
    channel = models.CharField(max_length=5, choices=workflow.Channel, blank=True)  # empty: chosen when it is sent
    state = models.CharField(max_length=13, choices=workflow.MessageState, default=workflow.MessageState.WAITING)
    attempts = models.PositiveSmallIntegerField(default=0)
    sent_at = models.DateTimeField(null=True)
    reminded_at = models.DateTimeField(null=True)
    answer = models.CharField(max_length=9, choices=workflow.Choice, default=workflow.Choice.NONE)
    answered_at = models.DateTimeField(null=True)
    answered_how = models.CharField(max_length=7, choices=workflow.Way, blank=True)

    class Meta:
        verbose_name = _("addressee")
        verbose_name_plural = _("addressees")
        constraints = [models.UniqueConstraint(fields=["notice", "customer"], name="handover_addressee_customer")]
        indexes = [models.Index(fields=["notice", "state"], name="handover_addressee_state")]

    def __str__(self) -> str:
        return str(self.pk)
