"""What a handover ends in: the certificate, what both sides sign of it, and the package for the buyer."""

import pgtrigger
from django.db import models
from django.utils.translation import gettext_lazy as _
from uuid_utils.compat import uuid7

from accounts.models import User
from handover.models.handover import Handover
from handover.workflow import Side
from jobs.models import Job


class Certificate(models.Model):
    """The signed certificate, byte for byte as issued."""

    id = models.UUIDField(primary_key=True, default=uuid7, editable=False)
    handover = models.OneToOneField(Handover, on_delete=models.PROTECT, related_name="certificate")
    document = models.TextField()
    manifest = models.TextField()
    digest = models.BinaryField(unique=True)
    issued_at = models.DateTimeField()
    revoked_at = models.DateTimeField(null=True)  # the handover was rolled back

    class Meta:
        verbose_name = _("certificate")
        verbose_name_plural = _("certificates")

    def __str__(self) -> str:
        return str(self.handover)


class Countersignature(models.Model):
    """That a person signed the certificate for a side, signed with the key of that organization, byte for byte."""

    id = models.UUIDField(primary_key=True, default=uuid7, editable=False)
    certificate = models.ForeignKey(Certificate, on_delete=models.PROTECT, related_name="countersignatures")
    side = models.CharField(max_length=8, choices=[(side.value, side.label) for side in (Side.SELLER, Side.BUYER)])
    signed_by = models.ForeignKey(User, on_delete=models.PROTECT, related_name="+")
    signed_at = models.DateTimeField()
    document = models.TextField()

    class Meta:
        verbose_name = _("countersignature")
        verbose_name_plural = _("countersignatures")
        constraints = [
            models.UniqueConstraint(fields=["certificate", "side"], name="handover_countersigned_once"),
            models.UniqueConstraint(fields=["certificate", "signed_by"], name="handover_countersigned_by_two"),
            models.CheckConstraint(condition=models.Q(side__in=[Side.SELLER, Side.BUYER]), name="handover_signs"),
        ]
        triggers = [
            pgtrigger.Protect(name="handover_countersignature_stays", operation=pgtrigger.Update | pgtrigger.Delete)
        ]

    def __str__(self) -> str:
        return f"{self.certificate}, {self.get_side_display()}"


class Delivery(models.Model):
    """The package for the buyer, encrypted to the buyer's age key."""

    id = models.UUIDField(primary_key=True, default=uuid7, editable=False)
    handover = models.OneToOneField(Handover, on_delete=models.PROTECT, related_name="delivery")
    job = models.ForeignKey(Job, null=True, on_delete=models.PROTECT, related_name="+")
    path = models.CharField(max_length=200, blank=True)
    bytes = models.PositiveBigIntegerField(default=0)
    digest = models.BinaryField(default=b"")
    recipient_key = models.CharField(max_length=100)
    created_at = models.DateTimeField()
    ready_at = models.DateTimeField(null=True)
    downloads = models.PositiveSmallIntegerField(default=0)
    expires_on = models.DateField(null=True)  # its last day in storage; not said in packages of the time before
    destroyed_at = models.DateTimeField(null=True)

    class Meta:
        verbose_name = _("delivery")
        verbose_name_plural = _("deliveries")

    def __str__(self) -> str:
        return str(self.handover)
