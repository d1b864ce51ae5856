"""One sale's transfer of customers, its six steps and everything they agree on, do and prove."""

from django.db import models
from django.utils.translation import gettext_lazy as _
from uuid_utils.compat import uuid7

from accounts.models import Organization, PersonPermission, TeamPermission, User
from customers.models import Book, Category
from handover import workflow
from handover.notice_models import Addressee, Notice
from jobs.models import Job

__all__ = ["Addressee", "Notice"]


class Handover(models.Model):
    id = models.UUIDField(primary_key=True, default=uuid7, editable=False)
    reference = models.CharField(_("Reference"), max_length=20, unique=True)  # HO-2026-0001
    subject = models.CharField(_("What is sold"), max_length=200)
    seller = models.ForeignKey(Organization, on_delete=models.PROTECT, related_name="+")
    buyer = models.ForeignKey(Organization, on_delete=models.PROTECT, related_name="+")
    reviewer = models.ForeignKey(Organization, on_delete=models.PROTECT, related_name="+")
    book = models.ForeignKey(Book, on_delete=models.PROTECT, related_name="+")
    state = models.CharField(max_length=10, choices=workflow.HandoverState, default=workflow.HandoverState.OPEN)
    due_on = models.DateField(_("To be completed by"))
    opened_by = models.ForeignKey(User, on_delete=models.PROTECT, related_name="+")
    created_at = models.DateTimeField()
    ended_at = models.DateTimeField(null=True)  # certified or stopped
    ended_by = models.ForeignKey(User, null=True, on_delete=models.PROTECT, related_name="+")
    stop_reason = models.TextField(_("Why it was stopped"), blank=True)

    class Meta:
        verbose_name = _("handover")
        verbose_name_plural = _("handovers")
        permissions = [(name, name.replace("_", " ")) for name in workflow.PERMITS]
        constraints = [
            models.UniqueConstraint(
                fields=["book"], condition=models.Q(state="open"), name="handover_one_open_per_book"
            )
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
    content = models.JSONField(default=dict)  # necessity: purpose and one reason per category
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


class ScopeProposal(models.Model):
    """A version of the scope; the newest is what step 2 is about."""

    id = models.UUIDField(primary_key=True, default=uuid7, editable=False)
    handover = models.ForeignKey(Handover, on_delete=models.CASCADE, related_name="scope_proposals")
    version = models.PositiveSmallIntegerField()
    side = models.CharField(max_length=10, choices=workflow.Side)
    author = models.ForeignKey(User, on_delete=models.PROTECT, related_name="+")
    note = models.TextField(_("Note to the other side"), blank=True)
    created_at = models.DateTimeField()

    class Meta:
        constraints = [models.UniqueConstraint(fields=["handover", "version"], name="handover_scope_version")]

    def __str__(self) -> str:
        return f"{self.handover}, {self.version}"


class ScopeItem(models.Model):
    """Does one field cross, and why."""

    proposal = models.ForeignKey(ScopeProposal, on_delete=models.CASCADE, related_name="items")
    category = models.CharField(max_length=10, choices=Category)
    field = models.CharField(max_length=30)
    crosses = models.BooleanField()
    reason = models.CharField(max_length=500, blank=True)

    class Meta:
        constraints = [models.UniqueConstraint(fields=["proposal", "category", "field"], name="handover_scope_item")]

    def __str__(self) -> str:
        return f"{self.category}.{self.field}"


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

    def __str__(self) -> str:
        return str(self.handover)

    @property
    def packed(self) -> FileFormat:
        """The format of the files, if there is a package."""
        return self.FileFormat(self.file_format or self.FileFormat.CSV)


class Backup(models.Model):
    """An encrypted copy of a book in storage, proven by restoring it and comparing every record."""

    id = models.UUIDField(primary_key=True, default=uuid7, editable=False)
    book = models.ForeignKey(Book, on_delete=models.PROTECT, related_name="backups")
    handover = models.ForeignKey(Handover, null=True, on_delete=models.PROTECT, related_name="backups")
    state = models.CharField(max_length=10, choices=workflow.BackupState, default=workflow.BackupState.WRITING)
    write_job = models.ForeignKey(Job, null=True, on_delete=models.PROTECT, related_name="+")
    restore_job = models.ForeignKey(Job, null=True, on_delete=models.PROTECT, related_name="+")
    counts = models.JSONField(default=dict)  # customers, purchases, habits
    bytes = models.PositiveBigIntegerField(default=0)
    root = models.BinaryField(default=b"")
    restored_root = models.BinaryField(default=b"")
    problem = models.TextField(blank=True)
    differences = models.JSONField(default=list)  # ids of customers not restored as they were, at most 1,000
    created_at = models.DateTimeField()
    proven_at = models.DateTimeField(null=True)
    expires_on = models.DateField()

    class Meta:
        verbose_name = _("backup")
        verbose_name_plural = _("backups")

    def __str__(self) -> str:
        return f"{self.book}, {self.created_at:%Y-%m-%d}"


class Execution(models.Model):
    """One attempt to carry the agreed records over. `scope`: the agreed "category.field" names, frozen at the start."""

    id = models.UUIDField(primary_key=True, default=uuid7, editable=False)
    handover = models.ForeignKey(Handover, on_delete=models.PROTECT, related_name="executions")
    number = models.PositiveSmallIntegerField()
    state = models.CharField(max_length=12, choices=workflow.ExecutionState, default=workflow.ExecutionState.RUNNING)
    source = models.ForeignKey(Book, on_delete=models.PROTECT, related_name="+")
    target = models.ForeignKey(Book, on_delete=models.PROTECT, related_name="+")
    scope = models.JSONField(default=list)
    transfer_job = models.ForeignKey(Job, null=True, on_delete=models.PROTECT, related_name="+")
    verify_job = models.ForeignKey(Job, null=True, on_delete=models.PROTECT, related_name="+")
    source_root = models.BinaryField(default=b"")
    target_root = models.BinaryField(default=b"")
    problem = models.TextField(blank=True)
    started_at = models.DateTimeField()
    ended_at = models.DateTimeField(null=True)

    class Meta:
        verbose_name = _("execution")
        verbose_name_plural = _("executions")
        constraints = [models.UniqueConstraint(fields=["handover", "number"], name="handover_execution_number")]

    def __str__(self) -> str:
        return f"{self.handover}, {self.number}"


class Reconciliation(models.Model):
    """What was counted before and after. `counts`: per category source, left_out, sent, equal. `differences`: at most
    1,000 of {customer, category}."""

    execution = models.OneToOneField(Execution, on_delete=models.CASCADE, related_name="reconciliation")
    counts = models.JSONField(default=dict)
    differences = models.JSONField(default=list)
    equal = models.BooleanField()
    at = models.DateTimeField()

    def __str__(self) -> str:
        return str(self.execution)


class SampledRecord(models.Model):
    """A customer the reviewer compares side by side in the audit."""

    execution = models.ForeignKey(Execution, on_delete=models.CASCADE, related_name="sample")
    position = models.PositiveSmallIntegerField()
    source_customer = models.UUIDField()
    target_customer = models.UUIDField()

    class Meta:
        constraints = [models.UniqueConstraint(fields=["execution", "position"], name="handover_sample_position")]

    def __str__(self) -> str:
        return f"{self.execution}, {self.position}"


class Certificate(models.Model):
    """The signed certificate, byte for byte as issued."""

    id = models.UUIDField(primary_key=True, default=uuid7, editable=False)
    handover = models.OneToOneField(Handover, on_delete=models.PROTECT, related_name="certificate")
    document = models.TextField()
    manifest = models.TextField()
    digest = models.BinaryField(unique=True)
    issued_at = models.DateTimeField()

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

    class Meta:
        verbose_name = _("delivery")
        verbose_name_plural = _("deliveries")

    def __str__(self) -> str:
        return str(self.handover)
