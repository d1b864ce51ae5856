"""Keys, wrapped. Root key -> organization keys -> data keys per subject and category. Nothing here is plaintext."""

from django.db import models
from django.utils.translation import gettext_lazy as _
from uuid_utils.compat import uuid7


class OrganizationKey(models.Model):
    """A 256-bit key of one organization, wrapped by the root key."""

    class Purpose(models.TextChoices):
        WRAP = "wrap"  # wraps data keys
        INDEX = "index"  # keys the blind indexes; never rotated with the wrapping key
        LINK = "link"  # authenticates the links that customers get; no other use

    id = models.UUIDField(primary_key=True, default=uuid7, editable=False)
    organization = models.UUIDField()
    purpose = models.CharField(max_length=5, choices=Purpose)
    version = models.PositiveSmallIntegerField()
    wrapped = models.BinaryField(null=True)
    created_at = models.DateTimeField()
    retired_at = models.DateTimeField(null=True)
    destroyed_at = models.DateTimeField(null=True)

    class Meta:
        verbose_name = _("organization key")
        verbose_name_plural = _("organization keys")
        constraints = [
            models.UniqueConstraint(fields=["organization", "purpose", "version"], name="vault_organization_key"),
            models.CheckConstraint(
                condition=models.Q(wrapped__isnull=False) ^ models.Q(destroyed_at__isnull=False),
                name="vault_organization_key_destroyed",
            ),
        ]

    def __str__(self) -> str:
        return f"{self.purpose} key {self.version} of {self.organization}"


class DataKey(models.Model):
    """The 256-bit key of one subject and category, wrapped by an organization key. Destroyed: `wrapped` is gone,
    the row stays as a tombstone that every restore re-applies."""

    id = models.UUIDField(primary_key=True, default=uuid7, editable=False)
    subject = models.UUIDField()
    category = models.CharField(max_length=10)
    # No index: only a rotation looks by organization key, and it walks the whole table once, by id. No database
    # constraint: organization keys are never deleted and share-locked while data keys are made, and the check of each
    # key row would take a tenth of the time of an import.
    organization_key = models.ForeignKey(
        OrganizationKey, on_delete=models.PROTECT, related_name="+", db_index=False, db_constraint=False
    )
    wrapped = models.BinaryField(null=True)
    created_at = models.DateTimeField()
    destroyed_at = models.DateTimeField(null=True)

    class Meta:
        verbose_name = _("data key")
        verbose_name_plural = _("data keys")
        constraints = [
            models.UniqueConstraint(fields=["subject", "category"], name="vault_data_key"),
            models.CheckConstraint(
                condition=models.Q(wrapped__isnull=False) ^ models.Q(destroyed_at__isnull=False),
                name="vault_data_key_destroyed",
            ),
        ]

    def __str__(self) -> str:
        return f"{self.category} key of {self.subject}"


class SigningKey(models.Model):
    """An Ed25519 key of the platform (ledger checkpoints, certificates) or of an organization (countersignatures),
    wrapped by the root key."""

    id = models.UUIDField(primary_key=True, default=uuid7, editable=False)
    name = models.CharField(max_length=40)
    public = models.BinaryField()
    wrapped = models.BinaryField()
    created_at = models.DateTimeField()
    retired_at = models.DateTimeField(null=True)

    class Meta:
        verbose_name = _("signing key")
        verbose_name_plural = _("signing keys")
        constraints = [
            models.UniqueConstraint(
                fields=["name"], condition=models.Q(retired_at__isnull=True), name="vault_signing_key_current"
            )
        ]

    def __str__(self) -> str:
        return self.name
