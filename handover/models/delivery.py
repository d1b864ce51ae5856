"""How the package reaches the buyer: tickets of downloads, the buyer's own place, and what was sent there."""

from typing import Any

from django.db import models
from django.utils import timezone
from django.utils.translation import gettext_lazy as _
from uuid_utils.compat import uuid7

from accounts.models import User
from handover.models.handover import Handover
from handover.models.outcome import Delivery
from jobs.models import Job
from vault.fields import SealedModel, SealedTextField

CATEGORY = "target"  # of the vault key


class DownloadTicket(models.Model):
    """The right of one person to take one package once. Only a hash of what opens it is kept. `taken`: the parts of the
    file that were sent, as [from, to) in order; when they are the whole of it, the ticket is used up."""

    id = models.UUIDField(primary_key=True, default=uuid7, editable=False)
    delivery = models.ForeignKey(Delivery, on_delete=models.PROTECT, related_name="tickets")
    person = models.ForeignKey(User, on_delete=models.PROTECT, related_name="+")
    token_hash = models.BinaryField(unique=True)
    purpose = models.CharField(max_length=200)
    issued_at = models.DateTimeField()
    expires_at = models.DateTimeField()
    used_at = models.DateTimeField(null=True)
    completed_at = models.DateTimeField(null=True)
    requests = models.PositiveIntegerField(default=0)
    bytes_sent = models.PositiveBigIntegerField(default=0)
    taken = models.JSONField(default=list)

    class Meta:
        verbose_name = _("download ticket")
        verbose_name_plural = _("download tickets")

    def __str__(self) -> str:
        return f"{self.person} {self.issued_at:%Y-%m-%d %H:%M}"

    @property
    def is_live(self) -> bool:
        """Whether it still opens the package."""
        return self.completed_at is None and self.expires_at > timezone.now()


class DeliveryTarget(SealedModel):
    """The buyer's own place for the package: a server (SFTP) or a bucket (S3), and what opens it. `secret` is the
    platform's private key for this place alone, or the secret key of the bucket; no page ever shows it."""

    class Kind(models.TextChoices):
        SFTP = "sftp", _("Server (SFTP)")
        S3 = "s3", _("Bucket (S3)")

    id = models.UUIDField(primary_key=True, default=uuid7, editable=False)
    handover = models.OneToOneField(Handover, on_delete=models.PROTECT, related_name="target")
    kind = models.CharField(max_length=4, choices=Kind)
    host = models.CharField(_("Server"), max_length=253, blank=True)
    port = models.PositiveIntegerField(_("Port"), default=22)
    username = models.CharField(_("User"), max_length=100, blank=True)
    host_key = models.TextField(_("Host key"), blank=True)
    client_key = models.TextField(_("The platform's public key"), blank=True)
    endpoint = models.CharField(_("Address"), max_length=300, blank=True)
    region = models.CharField(_("Region"), max_length=60, blank=True)
    bucket = models.CharField(_("Bucket"), max_length=63, blank=True)
    by_path = models.BooleanField(_("Bucket in the path"), default=False)
    access_key = models.CharField(_("Access key"), max_length=200, blank=True)
    folder = models.CharField(_("Folder"), max_length=300, blank=True)
    secret = SealedTextField(category=CATEGORY)
    digest = models.BinaryField()
    written_by = models.ForeignKey(User, on_delete=models.PROTECT, related_name="+")
    written_at = models.DateTimeField()
    checked_at = models.DateTimeField(null=True)
    problem = models.TextField(blank=True)

    class Meta:
        verbose_name = _("place of a delivery")
        verbose_name_plural = _("places of deliveries")

    def __str__(self) -> str:
        return self.address

    @property
    def address(self) -> str:
        """Where the package goes, without what opens it."""
        if self.kind == self.Kind.S3:
            return "/".join(filter(None, (self.endpoint.rstrip("/"), self.bucket, self.folder)))
        return f"sftp://{self.username}@{self.host}:{self.port}/{self.folder.lstrip('/')}"

    @property
    def terms(self) -> dict[str, Any]:
        """What its digest covers: everything but the secrets."""
        names: tuple[str, ...] = ("kind", "host", "port", "username", "host_key", "client_key")
        names += ("endpoint", "region", "bucket", "by_path", "access_key", "folder")
        return {name: getattr(self, name) for name in names}


class Push(models.Model):
    """One sending of the package to the buyer's place. `verified_at`: read back there and equal."""

    id = models.UUIDField(primary_key=True, default=uuid7, editable=False)
    delivery = models.ForeignKey(Delivery, on_delete=models.PROTECT, related_name="pushes")
    job = models.ForeignKey(Job, null=True, on_delete=models.PROTECT, related_name="+")
    address = models.TextField()
    target_digest = models.BinaryField()
    upload = models.CharField(max_length=300, blank=True)  # the bucket's name of an upload in parts
    created_at = models.DateTimeField()
    verified_at = models.DateTimeField(null=True)

    class Meta:
        verbose_name = _("sending of a package")
        verbose_name_plural = _("sendings of packages")

    def __str__(self) -> str:
        return self.address
