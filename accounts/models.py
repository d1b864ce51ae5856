"""People, organizations and who belongs where; teams and their permissions; what people have signed and learned."""

from uuid import UUID

import pgtrigger
from django.contrib.auth.base_user import AbstractBaseUser, BaseUserManager
from django.contrib.auth.models import Group, PermissionsMixin
from django.contrib.postgres.fields import ArrayField
from django.core.exceptions import ValidationError
from django.db import models
from django.utils import timezone
from django.utils.functional import cached_property
from django.utils.translation import gettext_lazy as _
from django.utils.translation import pgettext_lazy
from guardian.models import GroupObjectPermissionBase, UserObjectPermissionBase
from uuid_utils.compat import uuid7

from accounts.validators import validate_networks, validate_registration_number


class UserManager(BaseUserManager["User"]):
    def create_user(self, email: str, password: str | None = None, **fields: object) -> "User":
        user = self.model(email=self.normalize_email(email).lower(), **fields)
        user.set_password(password)
        user.save(using=self._db)
        return user

    def create_superuser(self, email: str, password: str | None = None, **fields: object) -> "User":
        return self.create_user(email, password, is_staff=True, is_superuser=True, **fields)


class User(AbstractBaseUser, PermissionsMixin):
    """A person who signs in with an e-mail address."""

    id = models.UUIDField(primary_key=True, default=uuid7, editable=False)
    email = models.EmailField(_("E-mail"), unique=True)
    name = models.CharField(_("Name"), max_length=100)
    is_active = models.BooleanField(_("May sign in"), default=True)
    is_staff = models.BooleanField(_("Agency staff"), default=False)
    date_joined = models.DateTimeField(default=timezone.now, editable=False)

    # Who really sits there, while a lead looks at the pages of this person (`accounts.viewing`).
    viewer: "User | None" = None

    objects = UserManager()
    USERNAME_FIELD = "email"
    REQUIRED_FIELDS = ["name"]

    class Meta:
        verbose_name = _("person")
        verbose_name_plural = _("people")

    def __str__(self) -> str:
        return self.name

    @cached_property
    def places(self) -> "list[Membership]":
        """Memberships by organization name, read once for this instance: a request asks for them many times."""
        return list(self.memberships.select_related("organization").order_by("organization__name"))

    @cached_property
    def permits(self) -> "dict[UUID, frozenset[str]]":
        """What was asked so far of this instance's permissions, by the book that they are about."""
        return {}


class Organization(models.Model):
    """A seller, a buyer, a review firm or the agency. `contact_*`: who customers and partners are told to write to."""

    class Kind(models.TextChoices):
        BUSINESS = "business", _("Business")
        REVIEWER = "reviewer", _("Review firm")
        AGENCY = "agency", _("Agency")

    id = models.UUIDField(primary_key=True, default=uuid7, editable=False)
    kind = models.CharField(_("Kind"), max_length=8, choices=Kind, default=Kind.BUSINESS)
    name = models.CharField(_("Short name"), max_length=100)
    legal_name = models.CharField(_("Legal name"), max_length=200)
    country = models.CharField(
        _("Country or region"), max_length=2, default="CN", help_text=_("Two letters, ISO 3166-1.")
    )
    registration_number = models.CharField(
        _("Registration number"),
        max_length=40,
        help_text=_("In China the unified social credit code: 18 digits and capital letters."),
    )
    contact_name = models.CharField(_("Contact for notices"), max_length=100)
    contact_email = models.EmailField(_("E-mail for notices"))
    contact_phone = models.CharField(_("Phone for notices"), max_length=40, blank=True)
    # CIDR, IPv4 and IPv6. Empty: from everywhere.
    allowed_networks = ArrayField(
        models.CharField(max_length=43), verbose_name=_("Networks to work from"), default=list, blank=True
    )

    class Meta:
        verbose_name = _("organization")
        verbose_name_plural = _("organizations")
        constraints = [
            models.UniqueConstraint(fields=["country", "registration_number"], name="accounts_registration_number")
        ]

    def __str__(self) -> str:
        return self.name

    def clean(self) -> None:
        self.registration_number = validate_registration_number(self.registration_number, country=self.country)
        try:
            self.allowed_networks = validate_networks(self.allowed_networks)
        except ValidationError as error:
            raise ValidationError({"allowed_networks": error.messages}) from error


class Membership(models.Model):
    """What a person is at an organization. A lead may approve, a clerk drafts; reviewers decide reviews."""

    class Role(models.TextChoices):
        LEAD = "lead", _("Lead")
        CLERK = "clerk", _("Clerk")
        REVIEWER = "reviewer", _("Reviewer")
        AGENT = "agent", _("Agent")

    id = models.UUIDField(primary_key=True, default=uuid7, editable=False)
    user = models.ForeignKey(User, verbose_name=_("Person"), on_delete=models.CASCADE, related_name="memberships")
    organization = models.ForeignKey(
        Organization, verbose_name=_("Organization"), on_delete=models.CASCADE, related_name="memberships"
    )
    role = models.CharField(_("Role"), max_length=8, choices=Role)

    class Meta:
        verbose_name = _("membership")
        verbose_name_plural = _("memberships")
        constraints = [models.UniqueConstraint(fields=["user", "organization"], name="accounts_membership_once")]

    def __str__(self) -> str:
        return f"{self.user}, {self.organization}"


class Invitation(models.Model):
    """That a colleague was asked by mail to join an organization. Of its link only the digest is kept; the link works
    once, and until `expires_at`. Sent again it gets another link."""

    class Language(models.TextChoices):
        CHINESE = "zh-hans", _("Chinese")
        ENGLISH = "en", _("English")

    id = models.UUIDField(primary_key=True, default=uuid7, editable=False)
    organization = models.ForeignKey(Organization, on_delete=models.PROTECT, related_name="invitations")
    email = models.EmailField(_("E-mail"))
    name = models.CharField(_("Name"), max_length=100)
    role = models.CharField(_("Role"), max_length=8, choices=Membership.Role)
    language = models.CharField(_("Language of the mail"), max_length=7, choices=Language)
    token_hash = models.CharField(max_length=64, unique=True)  # SHA-256
    invited_by = models.ForeignKey(User, on_delete=models.PROTECT, related_name="+")
    invited_at = models.DateTimeField()
    sent_at = models.DateTimeField()
    sent = models.PositiveSmallIntegerField(_("How often sent"), default=1)
    expires_at = models.DateTimeField()
    accepted_at = models.DateTimeField(null=True)
    accepted_by = models.ForeignKey(User, null=True, on_delete=models.PROTECT, related_name="+")
    withdrawn_at = models.DateTimeField(null=True)

    class Meta:
        verbose_name = _("invitation")
        verbose_name_plural = _("invitations")
        constraints = [
            models.UniqueConstraint(
                fields=["organization", "email"],
                condition=models.Q(accepted_at=None, withdrawn_at=None),
                name="accounts_invitation_once",
            ),
            models.CheckConstraint(
                condition=models.Q(accepted_at=None, accepted_by=None)
                | models.Q(accepted_at__isnull=False, accepted_by__isnull=False, withdrawn_at=None),
                name="accounts_invitation_ended_once",
            ),
        ]

    def __str__(self) -> str:
        return f"{self.name}, {self.organization}"


class Departure(models.Model):
    """That a person left an organization: what was open then, who took it over, what was closed. Never changed."""

    id = models.UUIDField(primary_key=True, default=uuid7, editable=False)
    person = models.ForeignKey(User, on_delete=models.PROTECT, related_name="departures")
    organization = models.ForeignKey(Organization, on_delete=models.PROTECT, related_name="departures")
    role = models.CharField(_("Role"), max_length=8, choices=Membership.Role)
    at = models.DateTimeField()
    recorded_by = models.ForeignKey(User, on_delete=models.PROTECT, related_name="+")
    taken_over_by = models.ForeignKey(User, null=True, on_delete=models.PROTECT, related_name="+")
    closed = models.BooleanField()  # it was their last organization: they sign in no more
    sessions = models.PositiveIntegerField()
    invitations = models.PositiveIntegerField()  # withdrawn ones
    left = models.JSONField(default=list)  # `accounts.leaving.Left` as it read then: kind, title, detail

    class Meta:
        verbose_name = _("departure")
        verbose_name_plural = _("departures")
        triggers = [pgtrigger.Protect(name="accounts_departure_stays", operation=pgtrigger.Update | pgtrigger.Delete)]

    def __str__(self) -> str:
        return f"{self.person}, {self.organization}"


class Team(models.Model):
    """People of an organization who hold permissions together. A team of a `role` is made of exactly the members with
    that role; the others are made by hand and have a name."""

    id = models.UUIDField(primary_key=True, default=uuid7, editable=False)
    group = models.OneToOneField(Group, on_delete=models.CASCADE, related_name="team")
    organization = models.ForeignKey(
        Organization, verbose_name=_("Organization"), on_delete=models.CASCADE, related_name="teams"
    )
    role = models.CharField(_("Role"), max_length=8, choices=Membership.Role, blank=True)
    name = models.CharField(pgettext_lazy("of a team", "Name"), max_length=60, blank=True)

    class Meta:
        verbose_name = _("team")
        verbose_name_plural = _("teams")
        constraints = [
            models.UniqueConstraint(
                fields=["organization", "role"], condition=~models.Q(role=""), name="accounts_team_of_role"
            ),
            models.UniqueConstraint(
                fields=["organization", "name"], condition=models.Q(role=""), name="accounts_team_name"
            ),
            models.CheckConstraint(
                condition=models.Q(role="", name__gt="") | models.Q(role__gt="", name=""), name="accounts_team_kind"
            ),
        ]

    def __str__(self) -> str:
        return str(_ROLE_TEAMS[Membership.Role(self.role)]) if self.role else self.name


_ROLE_TEAMS = {
    Membership.Role.LEAD: _("All leads"),
    Membership.Role.CLERK: _("All clerks"),
    Membership.Role.REVIEWER: _("All reviewers"),
    Membership.Role.AGENT: _("All agents"),
}


class TeamPermission(GroupObjectPermissionBase):
    """That a team may do something with one book or handover, `content_object`, until `expires_at` (None: no end). Rows
    given in one act share their `grant`."""

    grant = models.UUIDField(db_index=True)
    granted_by = models.ForeignKey(User, null=True, on_delete=models.PROTECT, related_name="+")
    granted_at = models.DateTimeField()
    expires_at = models.DateTimeField(null=True)
    reason = models.CharField(_("Reason"), max_length=200, blank=True)

    class Meta(GroupObjectPermissionBase.Meta):
        abstract = True


class PersonPermission(UserObjectPermissionBase):
    """Where guardian would keep permissions of single persons. Only teams get any: every row is refused."""

    class Meta(UserObjectPermissionBase.Meta):
        abstract = True
        constraints = [models.CheckConstraint(condition=models.Q(pk__isnull=True), name="%(class)s_only_teams")]


class Agreement(models.Model):
    """A version of a confidentiality agreement, in Chinese and English. It applies to one handover, to one
    organization, or (both empty) wherever there is none of these. Never changed: another text is another version."""

    id = models.UUIDField(primary_key=True, default=uuid7, editable=False)
    organization = models.ForeignKey(Organization, null=True, on_delete=models.PROTECT, related_name="agreements")
    handover = models.UUIDField(null=True)  # handovers live in a room above
    version = models.PositiveIntegerField(_("Version"))
    title_zh = models.CharField(_("Title in Chinese"), max_length=200)
    title_en = models.CharField(_("Title in English"), max_length=200)
    text_zh = models.TextField(_("Text in Chinese"))
    text_en = models.TextField(_("Text in English"))
    text_hash = models.CharField(max_length=64)  # SHA-256 of both titles and texts: `accounts.prose.text_hash`
    published_at = models.DateTimeField()
    published_by = models.ForeignKey(User, null=True, on_delete=models.PROTECT, related_name="+")

    class Meta:
        verbose_name = _("agreement")
        verbose_name_plural = _("agreements")
        constraints = [
            models.UniqueConstraint(
                fields=["organization", "handover", "version"], nulls_distinct=False, name="accounts_agreement_version"
            ),
            models.CheckConstraint(
                condition=models.Q(organization=None) | models.Q(handover=None), name="accounts_agreement_scope"
            ),
        ]
        triggers = [pgtrigger.Protect(name="accounts_agreement_stays", operation=pgtrigger.Update | pgtrigger.Delete)]

    def __str__(self) -> str:
        return f"{self.title_en}, {self.version}"


class Signature(models.Model):
    """That a person signed a version: with which name, when, from where, which text, reading which language."""

    id = models.UUIDField(primary_key=True, default=uuid7, editable=False)
    agreement = models.ForeignKey(Agreement, on_delete=models.PROTECT, related_name="signatures")
    user = models.ForeignKey(User, on_delete=models.PROTECT, related_name="signatures")
    name = models.CharField(_("Name as typed"), max_length=100)
    at = models.DateTimeField()
    address = models.GenericIPAddressField(_("Network address"), null=True)
    text_hash = models.CharField(max_length=64)
    language = models.CharField(max_length=2, choices=[("zh", _("Chinese")), ("en", _("English"))])

    class Meta:
        verbose_name = pgettext_lazy("of an agreement", "signature")
        verbose_name_plural = pgettext_lazy("of an agreement", "signatures")
        constraints = [models.UniqueConstraint(fields=["agreement", "user"], name="accounts_signature_once")]
        triggers = [pgtrigger.Protect(name="accounts_signature_stays", operation=pgtrigger.Update | pgtrigger.Delete)]

    def __str__(self) -> str:
        return f"{self.name}, {self.agreement}"


class Completion(models.Model):
    """That a person passed the questions of a course (`accounts.courses`). `reminded`: how many days before the expiry
    the last reminder was due."""

    id = models.UUIDField(primary_key=True, default=uuid7, editable=False)
    user = models.ForeignKey(User, on_delete=models.PROTECT, related_name="completions")
    course = models.CharField(max_length=20)
    version = models.PositiveSmallIntegerField(_("Version"))
    right = models.PositiveSmallIntegerField(_("Right answers"))
    questions = models.PositiveSmallIntegerField(_("Questions"))
    passed_at = models.DateTimeField()
    expires_on = models.DateField()  # the first day on which it counts no longer
    reminded = models.PositiveSmallIntegerField(null=True)

    class Meta:
        verbose_name = _("passed course")
        verbose_name_plural = _("passed courses")
        indexes = [models.Index(fields=["user", "course", "-expires_on"], name="accounts_completion_latest")]

    def __str__(self) -> str:
        return f"{self.user}, {self.course}"


class Assignment(models.Model):
    """A course that a person is to pass by a day. `subject`: what it was assigned for, an id of a room above, with its
    `reference` to show. `done_at`: passed since, or still counting when it was assigned. `reminded`: how many days
    before the day the last reminder was due, below 0 after it."""

    id = models.UUIDField(primary_key=True, default=uuid7, editable=False)
    user = models.ForeignKey(User, on_delete=models.CASCADE, related_name="assignments")
    course = models.CharField(max_length=20)
    subject = models.UUIDField()
    reference = models.CharField(max_length=40)
    assigned_at = models.DateTimeField()
    due_on = models.DateField()
    done_at = models.DateTimeField(null=True)
    reminded = models.SmallIntegerField(null=True)

    class Meta:
        verbose_name = _("assigned course")
        verbose_name_plural = _("assigned courses")
        constraints = [
            models.UniqueConstraint(fields=["user", "course", "subject"], name="accounts_assigned_once"),
        ]
        indexes = [models.Index(fields=["subject"], name="accounts_assigned_subject")]

    def __str__(self) -> str:
        return f"{self.user}, {self.course}"
