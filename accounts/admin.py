"""The register of people and organizations. Every write goes through the services and stands in the ledger."""

from typing import Any, cast

from allauth.account.adapter import get_adapter
from allauth.account.models import EmailAddress
from allauth.mfa.models import Authenticator
from allauth.usersessions.models import UserSession
from django import forms
from django.contrib import admin, messages
from django.contrib.admin.widgets import RelatedFieldWidgetWrapper
from django.contrib.auth.models import Group
from django.db import transaction
from django.db.models import Field, QuerySet
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.utils import timezone
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy, ngettext, pgettext

from accounts import admin_records, services
from accounts.addresses import client_address
from accounts.errors import AccountsError
from accounts.forms import NetworksField, ResetForm
from accounts.models import Membership, Organization, User
from accounts.signin_services import remove_factors
from vault.admin import ReadOnlyInline, column

# Nobody uses them there, and what is written there would stand in no ledger.
admin.site.unregister([Group, EmailAddress, Authenticator, UserSession])

LAST_SIGN_IN = column("last_login", gettext_lazy("Last sign-in"))
ADDED = column("date_joined", gettext_lazy("Added"))


class _RegisterAdmin(admin.ModelAdmin):  # type: ignore[type-arg]
    """Writes by the services. People and organizations stay: who left is closed, not deleted."""

    def has_delete_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False

    def formfield_for_dbfield(
        self, db_field: "Field[Any, Any]", request: HttpRequest, **kwargs: Any
    ) -> forms.Field | None:
        field = super().formfield_for_dbfield(db_field, request, **kwargs)
        if field and isinstance(field.widget, RelatedFieldWidgetWrapper):
            field.widget = field.widget.widget  # no windows that pop up
        return field

    def changeform_view(self, request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponse:
        """What a service refuses although the form was valid (somebody else was faster) is said, not thrown."""
        try:
            return super().changeform_view(request, *args, **kwargs)
        except AccountsError as error:
            self.message_user(request, str(error), messages.ERROR)
            return redirect(request.get_full_path())


class PersonForm(forms.ModelForm):  # type: ignore[type-arg]
    class Meta:
        model = User
        fields = ["email", "name", "is_active", "is_staff"]

    def clean_email(self) -> str:
        return str(self.cleaned_data["email"]).lower()


class _Memberships(ReadOnlyInline):
    model = Membership
    shown = [admin_records.ORGANIZATION, column("role", gettext_lazy("Role"))]
    show_change_link = True


@admin.register(User)
class UserAdmin(_RegisterAdmin):
    """No password is typed or shown here: people set theirs by the link that is sent to them."""

    form = PersonForm
    inlines = [_Memberships]
    list_display = ["name", "email", "organizations", "is_active", "is_staff", LAST_SIGN_IN]
    list_filter = ["is_active", "is_staff"]
    search_fields = ["name", "email"]
    ordering = ["name"]
    actions = ["send_link", "remove_factors"]

    def get_queryset(self, request: HttpRequest) -> QuerySet[User]:
        return super().get_queryset(request).prefetch_related("memberships__organization")

    @admin.display(description=gettext_lazy("Organizations"))
    def organizations(self, person: User) -> str:
        return pgettext("list", ", ").join(sorted(place.organization.name for place in person.memberships.all()))

    def get_fields(self, request: HttpRequest, obj: User | None = None) -> Any:
        return ["email", "name", "is_active", "is_staff", LAST_SIGN_IN, ADDED] if obj else ["email", "name"]

    def get_inlines(self, request: HttpRequest, obj: User | None) -> list[Any]:
        return [_Memberships] if obj else []

    def get_readonly_fields(self, request: HttpRequest, obj: User | None = None) -> Any:
        """Only superusers make staff; nobody closes or raises themselves."""
        fixed = [LAST_SIGN_IN, ADDED]
        if obj == request.user:
            return [*fixed, "is_active", "is_staff"]
        return fixed if cast(User, request.user).is_superuser else [*fixed, "is_staff"]

    def has_change_permission(self, request: HttpRequest, obj: User | None = None) -> bool:
        """Agency staff who are no superusers do not touch those who are: their address opens everything."""
        above = obj is not None and obj.is_superuser and not cast(User, request.user).is_superuser
        return not above and super().has_change_permission(request, obj)

    def save_model(self, request: HttpRequest, obj: User, form: PersonForm, change: bool) -> None:
        actor, now = cast(User, request.user), timezone.now()
        changed = {name: form.cleaned_data[name] for name in form.changed_data}
        if change:
            services.change_person(actor=actor, person=obj, now=now, **changed)
        else:
            _take_over(obj, services.add_person(actor=actor, now=now, email=obj.email, name=obj.name))

    @admin.action(description=gettext_lazy("Send a link to set a password"), permissions=["change"])
    def send_link(self, request: HttpRequest, queryset: QuerySet[User]) -> None:
        problems = [self._send(request, person) for person in queryset]
        for problem in filter(None, problems):
            self.message_user(request, problem, messages.WARNING)
        if sent := problems.count(""):
            done = ngettext("%(count)d link is on its way.", "%(count)d links are on their way.", sent)
            self.message_user(request, done % {"count": sent}, messages.SUCCESS)

    @admin.action(description=gettext_lazy("Remove the second factor and end all sessions"), permissions=["change"])
    def remove_factors(self, request: HttpRequest, queryset: QuerySet[User]) -> None:
        problems = [self._remove(request, person) for person in queryset]
        for problem in filter(None, problems):
            self.message_user(request, problem, messages.WARNING)
        if done := problems.count(""):
            says = ngettext("%(count)d person sets up a new one.", "%(count)d people set up a new one.", done)
            self.message_user(request, says % {"count": done}, messages.SUCCESS)

    def _remove(self, request: HttpRequest, person: User) -> str:
        """Take a person's second factors; what stood in the way, if anything did."""
        if not self.has_change_permission(request, person):
            return _("Only superusers remove the second factor of %(name)s.") % {"name": person.name}
        try:
            remove_factors(actor=cast(User, request.user), person=person, now=timezone.now())
        except AccountsError as error:
            return str(error)
        get_adapter(request).send_notification_mail("account/email/factors_removed", person)
        return ""

    def _send(self, request: HttpRequest, person: User) -> str:
        """Send the link to a person; what stood in the way, if anything did."""
        if not self.has_change_permission(request, person):
            return _("Only superusers send a link to %(name)s.") % {"name": person.name}
        form = ResetForm({"email": person.email})
        form.is_valid()
        try:
            with transaction.atomic():
                services.record_link(actor=cast(User, request.user), person=person, now=timezone.now())
                form.save(request)
        except AccountsError as error:
            return str(error)
        except OSError:
            return _("The mail to %(name)s could not be sent. Try again later.") % {"name": person.name}
        return ""


class OrganizationForm(forms.ModelForm):  # type: ignore[type-arg]
    allowed_networks = NetworksField()

    class Meta:
        model = Organization
        fields = [
            "kind",
            "name",
            "legal_name",
            "country",
            "registration_number",
            "contact_name",
            "contact_email",
            "contact_phone",
            "allowed_networks",
        ]


@admin.register(Organization)
class OrganizationAdmin(_RegisterAdmin):
    form = OrganizationForm
    list_display = ["name", "kind", "legal_name", "country", "registration_number", "contact_name"]
    list_filter = ["kind", "country"]
    search_fields = ["name", "legal_name", "registration_number"]
    ordering = ["name"]
    actions = ["rotate_keys"]

    @admin.action(description=gettext_lazy("Rotate the keys"), permissions=["change"])
    def rotate_keys(self, request: HttpRequest, queryset: QuerySet[Organization]) -> None:
        """One transaction for each organization: while it waits for a lock, the others are done already."""
        for organization in queryset:
            count = services.rotate_keys(actor=cast(User, request.user), organization=organization, now=timezone.now())
            done = ngettext(
                "%(name)s has a new key; %(count)d data key was wrapped anew and the old key destroyed.",
                "%(name)s has a new key; %(count)d data keys were wrapped anew and the old key destroyed.",
                count,
            )
            self.message_user(request, done % {"name": organization.name, "count": count}, messages.SUCCESS)

    def get_readonly_fields(self, request: HttpRequest, obj: Organization | None = None) -> list[str]:
        """Whoever works for an agency sees everything: only superusers say what an agency is."""
        fixed = obj is not None and obj.kind == Organization.Kind.AGENCY
        return ["kind"] if fixed and not cast(User, request.user).is_superuser else []

    def formfield_for_choice_field(self, db_field: Any, request: HttpRequest, **kwargs: Any) -> Any:
        if db_field.name == "kind" and not cast(User, request.user).is_superuser:
            kwargs["choices"] = [choice for choice in Organization.Kind.choices if choice[0] != "agency"]
        return super().formfield_for_choice_field(db_field, request, **kwargs)

    def save_model(self, request: HttpRequest, obj: Organization, form: Any, change: bool) -> None:
        """The networks have a service and an entry in the ledger of their own."""
        with transaction.atomic():
            saved = self._saved(request, obj, form, change)
            if "allowed_networks" in form.changed_data:
                saved = services.set_networks(
                    actor=cast(User, request.user),
                    organization=saved,
                    networks=form.cleaned_data["allowed_networks"],
                    address=client_address(request),
                    now=timezone.now(),
                )
        _take_over(obj, saved)

    @staticmethod
    def _saved(request: HttpRequest, obj: Organization, form: Any, change: bool) -> Organization:
        actor, now = cast(User, request.user), timezone.now()
        named = form.changed_data if change else form.cleaned_data
        fields = {name: form.cleaned_data[name] for name in named if name != "allowed_networks"}
        if not change:
            return services.add_organization(actor=actor, now=now, **fields)
        return services.change_organization(actor=actor, organization=obj, now=now, **fields) if fields else obj


@admin.register(Membership)
class MembershipAdmin(_RegisterAdmin):
    """A role at an organization. Memberships of the agency are for superusers to give and to take."""

    list_display = ["user", "organization", "role"]
    list_filter = ["role", "organization"]
    list_select_related = ["user", "organization"]
    search_fields = ["user__name", "user__email", "organization__name"]
    ordering = ["organization__name", "user__name"]

    def get_readonly_fields(self, request: HttpRequest, obj: Membership | None = None) -> list[str]:
        return ["user", "organization"] if obj else []

    def formfield_for_foreignkey(self, db_field: Any, request: HttpRequest, **kwargs: Any) -> Any:
        if db_field.name == "organization" and not cast(User, request.user).is_superuser:
            kwargs["queryset"] = Organization.objects.exclude(kind=Organization.Kind.AGENCY)
        return super().formfield_for_foreignkey(db_field, request, **kwargs)

    def has_change_permission(self, request: HttpRequest, obj: Membership | None = None) -> bool:
        return self._may_touch(request, obj) and super().has_change_permission(request, obj)

    def has_delete_permission(self, request: HttpRequest, obj: Membership | None = None) -> bool:
        allowed = admin.ModelAdmin.has_delete_permission(self, request, obj)
        return self._may_touch(request, obj) and allowed

    def save_model(self, request: HttpRequest, obj: Membership, form: Any, change: bool) -> None:
        actor, now = cast(User, request.user), timezone.now()
        if change:
            services.change_membership(actor=actor, membership=obj, role=obj.role, now=now)
        else:
            added = services.add_membership(
                actor=actor, person=obj.user, organization=obj.organization, role=obj.role, now=now
            )
            _take_over(obj, added)

    def delete_model(self, request: HttpRequest, obj: Membership) -> None:
        services.remove_membership(actor=cast(User, request.user), membership=obj, now=timezone.now())

    def delete_queryset(self, request: HttpRequest, queryset: QuerySet[Membership]) -> None:
        for membership in queryset:
            self.delete_model(request, membership)

    @staticmethod
    def _may_touch(request: HttpRequest, obj: Membership | None) -> bool:
        agency = obj is not None and obj.organization.kind == Organization.Kind.AGENCY
        return not agency or cast(User, request.user).is_superuser


def _take_over(obj: Any, saved: Any) -> None:
    """The admin goes on with its own instance: let it be the one that the service stored."""
    obj.__dict__.update(saved.__dict__)
