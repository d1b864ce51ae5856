"""Books of customers in three categories, every value sealed under the customer's own keys."""

from uuid import UUID

from django.db import models
from django.utils.translation import gettext, gettext_noop, pgettext_lazy
from django.utils.translation import gettext_lazy as _
from uuid_utils.compat import uuid7

from accounts.models import Organization, PersonPermission, TeamPermission, User
from customers import workflow
from customers.workflow import Verb
from vault.fields import SealedJSONField, SealedModel, SealedTextField


class Category(models.TextChoices):
    """The three kinds of customer data; the value is the vault's key category too."""

    BASIC = "basic", _("Basic information")
    PURCHASES = "purchases", _("Purchase records")
    HABITS = "habits", _("Purchase habits")


def permit(verb: str, category: str) -> str:
    """The name of a permission on a book."""
    return f"{verb}_{category}"


PERMITS = tuple(permit(verb, category) for category in Category for verb in Verb)


class Book(models.Model):
    """An organization's register of customers. `origin`: the handover that delivered it, if one did."""

    id = models.UUIDField(primary_key=True, default=uuid7, editable=False)
    organization = models.ForeignKey(Organization, on_delete=models.PROTECT, related_name="books")
    name = models.CharField(pgettext_lazy("of a book", "Name"), max_length=100)
    state = models.CharField(max_length=10, choices=workflow.BookState, default=workflow.BookState.OPEN)
    origin = models.UUIDField(null=True, editable=False)
    created_at = models.DateTimeField()

    class Meta:
        verbose_name = _("book")
        verbose_name_plural = _("books")
        permissions = [(name, name.replace("_", " ")) for name in PERMITS]

    def __str__(self) -> str:
        return self.name


class BookGroupPermission(TeamPermission):
    """What a team may do with a book."""

    content_object = models.ForeignKey(Book, on_delete=models.CASCADE, related_name="grants")

    class Meta(TeamPermission.Meta):
        verbose_name = _("permission on a book")
        verbose_name_plural = _("permissions on books")


class BookUserPermission(PersonPermission):
    """Empty for ever: see `PersonPermission`."""

    content_object = models.ForeignKey(Book, on_delete=models.CASCADE, related_name="+")

    class Meta(PersonPermission.Meta):
        pass


class Customer(SealedModel):
    """One customer. Sealed columns belong to category `basic`; `*_index` are blind indexes (keyed HMAC, 64 bits).
    `origin` is the source customer's id in the book it came from, unique per book: nothing arrives twice."""

    id = models.UUIDField(primary_key=True, default=uuid7, editable=False)
    book = models.ForeignKey(Book, on_delete=models.PROTECT, related_name="customers", db_index=False)
    origin = models.UUIDField(null=True, editable=False)
    source = models.ForeignKey("Import", null=True, on_delete=models.PROTECT, related_name="+")
    jurisdiction = models.CharField(max_length=2, default="CN")
    collected_on = models.DateField()
    number = SealedTextField(category=Category.BASIC)
    name = SealedTextField(category=Category.BASIC)
    phone = SealedTextField(category=Category.BASIC)
    email = SealedTextField(category=Category.BASIC)
    address = SealedTextField(category=Category.BASIC)
    note = SealedTextField(category=Category.BASIC)
    number_index = models.BigIntegerField(null=True)
    name_index = models.BigIntegerField(null=True)
    phone_index = models.BigIntegerField(null=True)
    phone_tail_index = models.BigIntegerField(null=True)
    email_index = models.BigIntegerField(null=True)

    class Meta:
        verbose_name = _("customer")
        verbose_name_plural = _("customers")
        constraints = [
            models.UniqueConstraint(fields=["book", "number_index"], name="customers_number"),
            models.UniqueConstraint(
                fields=["book", "origin"], condition=models.Q(origin__isnull=False), name="customers_origin"
            ),
        ]
        indexes = [
            models.Index(fields=["book", "id"], name="customers_customer_book"),
            models.Index(fields=["name_index"], name="customers_name"),
            models.Index(fields=["phone_index"], name="customers_phone"),
            models.Index(fields=["phone_tail_index"], name="customers_phone_tail"),
            models.Index(fields=["email_index"], name="customers_email"),
        ]


class Purchase(SealedModel):
    """One purchase: [time, product, quantity, amount, currency, channel] sealed as one document (decision 0003)."""

    id = models.UUIDField(primary_key=True, default=uuid7, editable=False)
    customer = models.ForeignKey(Customer, on_delete=models.CASCADE, related_name="purchases")
    details = SealedJSONField(category=Category.PURCHASES)

    class Meta:
        verbose_name = _("purchase")
        verbose_name_plural = _("purchases")

    @property
    def sealing_subject(self) -> UUID:
        return self.customer_id


class Habit(SealedModel):
    """[frequency, preferred products, preferences] sealed as one document; `derived` from the purchases or stated."""

    id = models.UUIDField(primary_key=True, default=uuid7, editable=False)
    customer = models.OneToOneField(Customer, on_delete=models.CASCADE, related_name="habit")
    derived = models.BooleanField(default=False)
    details = SealedJSONField(category=Category.HABITS)

    class Meta:
        verbose_name = _("habit")
        verbose_name_plural = _("habits")

    @property
    def sealing_subject(self) -> UUID:
        return self.customer_id


class Import(models.Model):
    """One file on its way into a book: uploaded (sealed), mapped, checked, stored."""

    id = models.UUIDField(primary_key=True, default=uuid7, editable=False)
    book = models.ForeignKey(Book, on_delete=models.PROTECT, related_name="imports")
    state = models.CharField(max_length=10, choices=workflow.ImportState, default=workflow.ImportState.UPLOADED)
    created_by = models.ForeignKey(User, on_delete=models.PROTECT, related_name="+")
    created_at = models.DateTimeField()
    file_name = models.CharField(max_length=255)
    file_kind = models.CharField(max_length=4)  # csv or xlsx
    file_bytes = models.PositiveBigIntegerField(default=0)
    encoding = models.CharField(max_length=20, blank=True)
    delimiter = models.CharField(max_length=1, blank=True)
    header_row = models.PositiveSmallIntegerField(default=0)  # from 0
    head = models.BinaryField(null=True)  # headers and first rows, sealed under the upload's key
    source = models.CharField(_("Where the customers come from"), max_length=200, blank=True)
    mapping = models.JSONField(default=list)  # one field name or "" per column
    date_order = models.CharField(max_length=3, blank=True)  # dmy or mdy, for dates with the year last
    staged = models.CharField(max_length=32, blank=True)  # names the segments of the last complete check, in storage
    segments = models.PositiveIntegerField(default=0)
    rows_total = models.PositiveIntegerField(default=0)
    rows_bad = models.PositiveIntegerField(default=0)
    customers_total = models.PositiveIntegerField(default=0)
    purchases_total = models.PositiveIntegerField(default=0)
    problems = models.BinaryField(default=b"")  # bad rows as numbers (customers.parsing.problems), no values
    customers_stored = models.PositiveIntegerField(default=0)
    purchases_stored = models.PositiveIntegerField(default=0)
    customers_skipped = models.PositiveIntegerField(default=0)  # arrived in the book between check and storing
    problem = models.JSONField(default=dict)  # why the file was refused: a code and numbers

    class Meta:
        verbose_name = _("import")
        verbose_name_plural = _("imports")

    def __str__(self) -> str:
        return self.file_name


PLATFORM_RULE = gettext_noop("Rule of the platform until changed")


class RetentionRule(models.Model):
    """After `months` from collection the category's data keys are destroyed."""

    book = models.ForeignKey(Book, on_delete=models.CASCADE, related_name="retention_rules")
    category = models.CharField(max_length=10, choices=Category)
    months = models.PositiveSmallIntegerField(_("Months"))
    reason = models.CharField(_("Reason"), max_length=200)

    class Meta:
        verbose_name = _("retention rule")
        verbose_name_plural = _("retention rules")
        constraints = [models.UniqueConstraint(fields=["book", "category"], name="customers_retention_rule")]

    @property
    def why(self) -> str:
        """The reason as people read it: what the platform wrote in their language, what people wrote as it is."""
        return gettext(self.reason) if self.reason == PLATFORM_RULE else self.reason

    def __str__(self) -> str:
        return f"{self.book}, {self.category}: {self.months}"


class Destruction(models.Model):
    """Proof that data keys were destroyed: how many, which category, which rule. Backups expire on `backups_until`."""

    id = models.UUIDField(primary_key=True, default=uuid7, editable=False)
    book = models.ForeignKey(Book, on_delete=models.PROTECT, related_name="destructions")
    category = models.CharField(max_length=10, choices=Category)
    at = models.DateTimeField()
    keys = models.PositiveIntegerField()
    digest = models.BinaryField()  # SHA-256 over the sorted ids of the destroyed keys
    reason = models.CharField(max_length=200)
    backups_until = models.DateField(null=True)

    class Meta:
        verbose_name = _("destruction")
        verbose_name_plural = _("destructions")

    def __str__(self) -> str:
        return f"{self.category}, {self.keys}"


class SubjectRequest(SealedModel):
    """What a customer asks for about the data that is held. Text and answer are sealed under the customer's own key."""

    class Kind(models.TextChoices):
        ACCESS = "access", _("See what is held")
        COPY = "copy", _("Get a copy")
        CORRECT = "correct", _("Correct something")
        DELETE = "delete", _("Delete it")
        OBJECT = "object", _("Stop the handover for me")
        EXPLAIN = "explain", _("Explain how it is used")

    id = models.UUIDField(primary_key=True, default=uuid7, editable=False)
    book = models.ForeignKey(Book, on_delete=models.PROTECT, related_name="requests")
    customer = models.ForeignKey(Customer, on_delete=models.PROTECT, related_name="requests")
    kind = models.CharField(_("Kind"), max_length=8, choices=Kind)
    state = models.CharField(max_length=8, choices=workflow.RequestState, default=workflow.RequestState.OPEN)
    text = SealedTextField(category=Category.BASIC)
    answer = SealedTextField(category=Category.BASIC)
    opened_at = models.DateTimeField()
    due_on = models.DateField()
    answered_by = models.ForeignKey(User, null=True, on_delete=models.PROTECT, related_name="+")
    answered_at = models.DateTimeField(null=True)
    origin = models.UUIDField(null=True, editable=False)  # the request of the source book that came with a handover

    class Meta:
        verbose_name = _("request of a customer")
        verbose_name_plural = _("requests of customers")
        indexes = [models.Index(fields=["book", "state"], name="customers_request_state")]

    def __str__(self) -> str:
        return f"{self.kind}, {self.opened_at:%Y-%m-%d}"

    @property
    def sealing_subject(self) -> UUID:
        return self.customer_id


class Hold(models.Model):
    """Why something must not be destroyed: the data of one customer, or without a customer the whole book. In force
    until it is released or its last day is over. `origin`: the hold of the source book that it came with."""

    id = models.UUIDField(primary_key=True, default=uuid7, editable=False)
    book = models.ForeignKey(Book, on_delete=models.PROTECT, related_name="holds")
    customer = models.ForeignKey(Customer, null=True, on_delete=models.CASCADE, related_name="holds")
    reason = models.CharField(_("Reason"), max_length=300)
    until = models.DateField(_("Last day"), null=True)
    placed_by = models.ForeignKey(User, null=True, on_delete=models.PROTECT, related_name="+")
    placed_at = models.DateTimeField()
    released_by = models.ForeignKey(User, null=True, on_delete=models.PROTECT, related_name="+")
    released_at = models.DateTimeField(null=True)
    origin = models.UUIDField(null=True, editable=False)

    class Meta:
        verbose_name = pgettext_lazy("against destruction", "hold")
        verbose_name_plural = pgettext_lazy("against destruction", "holds")
        indexes = [models.Index(fields=["book"], condition=models.Q(released_at=None), name="customers_hold_in_force")]

    def __str__(self) -> str:
        return f"{self.book}, {self.placed_at:%Y-%m-%d}"


class Consent(models.Model):
    """What a customer agreed to, and took back. `basis`: code of the legal basis that asked for it, if one did;
    `handover`: whose notice was answered; `origin`: the consent of the source book that it came with."""

    id = models.UUIDField(primary_key=True, default=uuid7, editable=False)
    customer = models.ForeignKey(Customer, on_delete=models.CASCADE, related_name="consents")
    purpose = models.CharField(_("Purpose"), max_length=300)
    basis = models.CharField(max_length=40, blank=True)
    state = models.CharField(max_length=9, choices=workflow.ConsentState, default=workflow.ConsentState.GIVEN)
    given_at = models.DateTimeField(null=True)
    withdrawn_at = models.DateTimeField(null=True)
    source = models.CharField(max_length=6, choices=workflow.ConsentSource)
    recorded_by = models.ForeignKey(User, null=True, on_delete=models.PROTECT, related_name="+")
    handover = models.UUIDField(null=True, editable=False)
    origin = models.UUIDField(null=True, editable=False)

    class Meta:
        verbose_name = _("consent")
        verbose_name_plural = _("consents")
        constraints = [
            models.UniqueConstraint(
                fields=["customer", "handover"], condition=models.Q(origin=None), name="customers_consent_answer"
            )
        ]

    def __str__(self) -> str:
        return f"{self.get_state_display()}, {self.purpose}"


class Arrival(models.Model):
    """What a handover brought to a book and what for: the buyer may use it for no other purpose."""

    id = models.UUIDField(primary_key=True, default=uuid7, editable=False)
    book = models.ForeignKey(Book, on_delete=models.PROTECT, related_name="arrivals")
    handover = models.UUIDField(editable=False)
    reference = models.CharField(max_length=20)
    purpose = models.TextField()
    months = models.PositiveSmallIntegerField()
    at = models.DateTimeField()

    class Meta:
        verbose_name = _("arrival")
        verbose_name_plural = _("arrivals")
        constraints = [models.UniqueConstraint(fields=["book", "handover"], name="customers_arrival_once")]

    def __str__(self) -> str:
        return self.reference


class Terms(models.Model):
    """On which terms a customer arrived: the last day of each category is the earlier of what its source had and what
    seller and buyer agreed. An earlier rule of the book still counts; a later one does not."""

    id = models.UUIDField(primary_key=True, default=uuid7, editable=False)
    customer = models.ForeignKey(Customer, on_delete=models.CASCADE, related_name="terms")
    arrival = models.ForeignKey(Arrival, on_delete=models.PROTECT, related_name="+")
    basic_until = models.DateField(null=True)
    purchases_until = models.DateField(null=True)
    habits_until = models.DateField(null=True)

    class Meta:
        verbose_name = _("terms of a customer")
        verbose_name_plural = _("terms of customers")
        constraints = [models.UniqueConstraint(fields=["customer", "arrival"], name="customers_terms_once")]

    def __str__(self) -> str:
        return str(self.arrival)


class Link(models.Model):
    """Somebody who arrived by a handover and was in another book of the organization already. `merged_at`: what was
    there was given to the existing customer; `moved`: by category the fields that were filled and the ids of rows;
    `same`: how many purchases the existing customer had already and that are kept once."""

    id = models.UUIDField(primary_key=True, default=uuid7, editable=False)
    arrived = models.ForeignKey(Customer, on_delete=models.CASCADE, related_name="found_in")
    existing = models.ForeignKey(Customer, on_delete=models.CASCADE, related_name="came_again")
    arrival = models.ForeignKey(Arrival, on_delete=models.PROTECT, related_name="+")
    at = models.DateTimeField()
    merged_at = models.DateTimeField(null=True)
    moved = models.JSONField(default=dict)
    same = models.PositiveIntegerField(default=0)

    class Meta:
        verbose_name = _("same person in two books")
        verbose_name_plural = _("same persons in two books")
        constraints = [models.UniqueConstraint(fields=["arrived", "existing"], name="customers_link_once")]

    def __str__(self) -> str:
        return str(self.arrival)
