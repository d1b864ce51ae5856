"""How, when and on which legal basis customers cross."""

from django.db import models
from django.utils.translation import gettext_lazy as _

from handover.models.handover import Handover


class TransferPlan(models.Model):
    class Method(models.TextChoices):
        INSIDE = "inside", _("Inside the platform")
        PACKAGE = "package", _("Encrypted package")

    class FileFormat(models.TextChoices):
        CSV = "csv", "CSV"
        XLSX = "xlsx", _("Excel workbook (XLSX)")
        JSONL = "jsonl", "JSON Lines"
        PARQUET = "parquet", "Parquet"

    class Basis(models.TextChoices):
        SUCCESSION = "pipl22", _("Succession with notice (PIPL 22)")
        CONSENT = "pipl23", _("Separate consent (PIPL 23)")

    class Disposition(models.TextChoices):
        DESTROY = "destroy", _("The seller destroys its copy")
        RESTRICT = "restrict", _("The seller keeps a restricted copy")
        KEEP = "keep", _("The seller keeps its copy")

    class Telling(models.TextChoices):
        PLATFORM = "platform", _("The platform tells them")
        OUTSIDE = "outside", _("They are told outside the platform")

    handover = models.OneToOneField(Handover, on_delete=models.CASCADE, related_name="plan")
    method = models.CharField(_("Method"), max_length=10, choices=Method, default=Method.INSIDE)
    recipient_key = models.CharField(_("Buyer's age key"), max_length=100, blank=True)
    # Empty without a package, and in plans of the time when every package was CSV.
    file_format = models.CharField(_("Files in the package"), max_length=10, choices=FileFormat, blank=True)
    legal_basis = models.CharField(_("Legal basis"), max_length=10, choices=Basis, default=Basis.SUCCESSION)
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
    # Days in which the buyer may still give everything back; not said: accepted with the certificate.
    acceptance_days = models.PositiveSmallIntegerField(_("Days to accept"), null=True)

    def __str__(self) -> str:
        return str(self.handover)

    @property
    def packed(self) -> FileFormat:
        """The format of the files, if there is a package."""
        return self.FileFormat(self.file_format or self.FileFormat.CSV)
