"""How, when and on which legal basis customers cross."""

from django.conf import settings
from django.db import models
from django.utils.functional import cached_property
from django.utils.translation import gettext_lazy as _

from compliance import law
from compliance.models import LegalBasis
from handover.models.handover import Handover


class TransferPlan(models.Model):
    class Method(models.TextChoices):
        INSIDE = "inside", _("Inside the platform")
        PACKAGE = "package", _("Encrypted package, by download")
        SFTP = "sftp", _("Encrypted package, by SFTP")
        S3 = "s3", _("Encrypted package, to object storage (S3)")

    class FileFormat(models.TextChoices):
        CSV = "csv", "CSV"
        XLSX = "xlsx", _("Excel workbook (XLSX)")
        JSONL = "jsonl", "JSON Lines"
        PARQUET = "parquet", "Parquet"

    class Disposition(models.TextChoices):
        DESTROY = "destroy", _("The seller destroys its copy")
        RESTRICT = "restrict", _("The seller keeps a restricted copy")
        KEEP = "keep", _("The seller keeps its copy")

    class Telling(models.TextChoices):
        PLATFORM = "platform", _("The platform tells them")
        OUTSIDE = "outside", _("They are told outside the platform")

    class Duplicates(models.TextChoices):
        LINK = "link", _("Keep both records, linked")
        MERGE = "merge", _("Merge into the customer who is there")

    class Mechanism(models.TextChoices):
        EXEMPT = "exempt", _("Exempt")
        CONTRACT = "contract", _("Standard contract")
        CERTIFICATION = "certification", _("Certification")
        ASSESSMENT = "assessment", _("Security assessment")
        OTHER = "other", _("Another one that the law names")

    handover = models.OneToOneField(Handover, on_delete=models.CASCADE, related_name="plan")
    method = models.CharField(_("Method"), max_length=10, choices=Method, default=Method.INSIDE)
    recipient_key = models.CharField(_("Buyer's age key"), max_length=100, blank=True)
    # Empty without a package, and in plans of the time when every package was CSV.
    file_format = models.CharField(_("Files in the package"), max_length=10, choices=FileFormat, blank=True)
    legal_basis = models.CharField(_("Legal basis"), max_length=20)  # code of a `LegalBasis`
    starts_on = models.DateField(_("Not before"))
    chunk_size = models.PositiveSmallIntegerField(_("Customers per chunk"), default=500)
    retention_months = models.PositiveSmallIntegerField(_("Months the buyer keeps the data"), default=36)
    disposition = models.CharField(_("Afterwards"), max_length=10, choices=Disposition, default=Disposition.DESTROY)
    safeguards = models.TextField(_("Safeguards"))
    # Empty in plans that were agreed before the platform told customers.
    telling = models.CharField(_("How customers are told"), max_length=10, choices=Telling, blank=True)
    answer_until = models.DateField(_("Last day to answer"), null=True)  # told by the platform
    told_on = models.DateField(_("Told on"), null=True)  # told outside
    told_how = models.TextField(_("How they are told, and the evidence"), blank=True)
    # None: not said, as in plans of the time before; then the setting PACKAGE_DAYS counts.
    package_days = models.PositiveSmallIntegerField(_("Days the package stays"), null=True)
    # What the law asks besides; empty in plans of the time before it was asked.
    contract_reference = models.CharField(_("Contract"), max_length=200, blank=True)
    contract_on = models.DateField(_("Signed on"), null=True)
    mechanism = models.CharField(_("Mechanism for persons who leave"), max_length=13, choices=Mechanism, blank=True)
    mechanism_reference = models.CharField(_("Its number or document"), max_length=200, blank=True)
    mechanism_from = models.DateField(_("Valid from"), null=True)
    mechanism_until = models.DateField(_("Valid until"), null=True)
    sensitive_persons = models.PositiveIntegerField(_("Of them with sensitive data"), null=True)
    # Days in which the buyer may still give everything back; not said: accepted with the certificate.
    acceptance_days = models.PositiveSmallIntegerField(_("Days to accept"), null=True)
    batches = models.PositiveSmallIntegerField(_("Batches"), null=True)  # None: everything in one go
    batch_days = models.PositiveSmallIntegerField(_("Days from batch to batch"), null=True)
    # Of customers whom the buyer has in another book: what is done once it has accepted; not said: nothing.
    duplicates = models.CharField(
        _("Customers whom the buyer has already"), max_length=5, choices=Duplicates, blank=True
    )

    def __str__(self) -> str:
        return str(self.handover)

    @cached_property
    def basis(self) -> LegalBasis | None:
        """The legal basis as the law data knows it."""
        return law.basis(self.legal_basis)

    @property
    def basis_name(self) -> str:
        return self.basis.name if self.basis else self.legal_basis

    @property
    def asks_consent(self) -> bool:
        """Whether only who agreed crosses. Under the same code that never changes."""
        return self.basis is not None and self.basis.consent

    @property
    def has_package(self) -> bool:
        """Whether the buyer also gets the data as an encrypted package."""
        return self.method != self.Method.INSIDE

    @property
    def is_pushed(self) -> bool:
        """Whether the platform sends the package to a place of the buyer's."""
        return self.method in {self.Method.SFTP, self.Method.S3}

    @property
    def days_kept(self) -> int:
        """For how many days the package lies in storage."""
        return self.package_days or settings.PACKAGE_DAYS

    @property
    def packed(self) -> FileFormat:
        """The format of the files, if there is a package."""
        return self.FileFormat(self.file_format or self.FileFormat.CSV)
