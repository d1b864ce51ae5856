"""What a handover ends in: the certificate, and the package for the buyer."""

from django.db import models
from django.utils.translation import gettext_lazy as _
from uuid_utils.compat import uuid7

from handover.models.handover import Handover
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
