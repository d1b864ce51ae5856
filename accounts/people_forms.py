"""Inviting a colleague, accepting, another role, seeing somebody off."""

from typing import Any, cast

from django import forms
from django.contrib.auth.password_validation import validate_password
from django.utils.translation import gettext_lazy as _

from accounts.models import Invitation, Membership, Organization, User
from accounts.permissions import ROLES

ROLE_HINTS = {
    Membership.Role.LEAD: _("Approves for the organization, invites and sees off people, sets networks."),
    Membership.Role.CLERK: _("Prepares and imports, opens values for a purpose; approves nothing."),
    Membership.Role.REVIEWER: _("Claims and decides reviews."),
    Membership.Role.AGENT: _("Runs the platform; superusers make them staff."),
}


def _roles(organization: Organization) -> list[tuple[str, Any]]:
    return [(role.value, role.label) for role in ROLES[organization.kind]]


class InviteForm(forms.Form):
    name = forms.CharField(
        label=_("Name"),
        max_length=100,
        help_text=_("As they sign agreements: they type it as their signature."),
        widget=forms.TextInput(attrs={"autocomplete": "off"}),
        error_messages={"required": _("Enter the name of the person.")},
    )
    email = forms.EmailField(
        label=_("E-mail"),
        max_length=254,
        help_text=_("A personal address of theirs at work: with it they sign in."),
        widget=forms.EmailInput(attrs={"autocomplete": "off"}),
        error_messages={"required": _("Enter the e-mail address of the person.")},
    )
    role = forms.ChoiceField(
        label=_("Role"), widget=forms.RadioSelect, error_messages={"required": _("Choose a role.")}
    )
    language = forms.ChoiceField(label=_("Language of the mail"), choices=Invitation.Language.choices)

    def __init__(self, *args: Any, organization: Organization, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        cast(forms.ChoiceField, self.fields["role"]).choices = _roles(organization)


class AcceptForm(forms.Form):
    """The password of a new account. `person`: whose name and address it must not resemble."""

    password1 = forms.CharField(
        label=_("New password"),
        max_length=200,
        strip=False,
        help_text=_("At least 8 characters, nothing common, not only digits, not like your name or address."),
        widget=forms.PasswordInput(attrs={"autocomplete": "new-password"}),
        error_messages={"required": _("Choose a password.")},
    )
    password2 = forms.CharField(
        label=_("The same once more"),
        max_length=200,
        strip=False,
        widget=forms.PasswordInput(attrs={"autocomplete": "new-password"}),
        error_messages={"required": _("Type the password once more.")},
    )

    def __init__(self, *args: Any, person: User, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self._person = person

    def clean_password1(self) -> str:
        password = str(self.cleaned_data["password1"])
        validate_password(password, self._person)
        return password

    def clean(self) -> None:
        first, second = self.cleaned_data.get("password1"), self.cleaned_data.get("password2")
        if first and second and first != second:
            self.add_error("password2", _("The passwords differ. Type the same one twice."))


class RoleForm(forms.Form):
    role = forms.ChoiceField(
        label=_("New role"), widget=forms.RadioSelect, error_messages={"required": _("Choose a role.")}
    )

    def __init__(self, *args: Any, membership: Membership, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        role = cast(forms.ChoiceField, self.fields["role"])
        role.choices, role.initial = _roles(membership.organization), membership.role


class OffboardForm(forms.Form):
    """`colleagues`: those who can take over; `needed`: whether something is open that somebody has to."""

    taker = forms.ModelChoiceField(
        label=_("Who takes over what is open"),
        queryset=User.objects.none(),
        empty_label=_("Choose a colleague"),
        error_messages={"required": _("Say who takes over what is still open.")},
    )
    checked = forms.BooleanField(
        label=_("I have gone through this list with the people concerned."),
        error_messages={"required": _("Go through the list first, then confirm it.")},
    )

    def __init__(self, *args: Any, membership: Membership, needed: bool, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        members = User.objects.filter(is_active=True, memberships__organization=membership.organization)
        field = cast(forms.ModelChoiceField, self.fields["taker"])  # type: ignore[type-arg]
        field.queryset = members.exclude(pk=membership.user_id).order_by("name", "pk")
        field.required = needed and field.queryset.exists()
