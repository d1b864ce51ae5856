"""The only writer of people, organizations and memberships; the admin writes through it too."""

from collections.abc import Iterable, Mapping
from datetime import datetime

from allauth.account.models import EmailAddress
from django.core.exceptions import ValidationError
from django.db import models, transaction
from django.utils.translation import gettext as _

from accounts.errors import AccountsError
from accounts.models import Membership, Organization, User
from accounts.permissions import may_set_networks, may_work_from
from accounts.selectors import organizations_of
from accounts.services.teams import align
from accounts.signin_services import end_sessions
from ledger.services import record
from vault.services import rotate_organization_key


@transaction.atomic
def add_organization(*, actor: User | None, now: datetime, **fields: str) -> Organization:
    """Add an organization; `fields` are those of the model. Raises AccountsError for an invalid registration number,
    a missing value or a number that is already in the register."""
    organization = Organization(**fields)
    _validate(organization)
    organization.save(force_insert=True)
    _record_organization(actor, "organization.added", organization, now)
    return organization


@transaction.atomic
def change_organization(
    *, actor: User | None, organization: Organization, now: datetime, **fields: str
) -> Organization:
    """Change some fields of an organization. Raises AccountsError as `add_organization` does."""
    organization = Organization.objects.select_for_update().get(pk=organization.pk)
    _change(organization, fields)
    _record_organization(actor, "organization.changed", organization, now, fields=sorted(fields))
    return organization


@transaction.atomic
def set_networks(
    *, actor: User | None, organization: Organization, networks: Iterable[str], address: str, now: datetime
) -> Organization:
    """Say from where the people of an organization may work; none named: from everywhere. `actor` None is the terminal.

    Raises AccountsError without the right, for what is no network, and if the actor, who sits at `address`, would be
    shut out."""
    organization = Organization.objects.select_for_update().get(pk=organization.pk)
    if actor is not None and not may_set_networks(actor, organization):
        raise AccountsError(_("Only a lead of the organization or the agency says from where it works. Ask one."))
    _change(organization, {"allowed_networks": list(networks)})
    if actor is not None and not may_work_from(actor, address, changed=organization):
        raise AccountsError(
            _("You would shut yourself out: your address %(address)s is in none of these networks. Add its network.")
            % {"address": address}
        )
    named = list(organization.allowed_networks)
    _record_organization(actor, "organization.networks_changed", organization, now, networks=named, count=len(named))
    return organization


@transaction.atomic
def rotate_keys(*, actor: User | None, organization: Organization, now: datetime) -> int:
    """Give an organization a new key that wraps its data keys; the old one is destroyed. Returns how many were wrapped
    anew. Those who call it have the right: the agency in its admin, the terminal."""
    count = rotate_organization_key(organization.pk, now)
    _record_organization(actor, "organization.key_rotated", organization, now, count=count)
    return count


@transaction.atomic
def record_refused_network(*, person: User, address: str, now: datetime) -> None:
    """Record that a signed-in person was turned away at an address, for the organizations that do not allow it."""
    audience = organizations_of(person)
    record(person, "person.network_refused", "person", person.pk, audience, now, name=person.name, address=address)


@transaction.atomic
def add_person(*, actor: User | None, email: str, name: str, now: datetime, is_staff: bool = False) -> User:
    """Add a person without a password: they set one by the link of the password mail. Raises AccountsError for an
    e-mail address that is not valid or is taken."""
    person = User(email=_address(email), name=name.strip(), is_staff=is_staff, date_joined=now)
    person.set_unusable_password()
    _validate(person)
    person.save(force_insert=True)
    _record_person(actor, "person.added", person, now)
    return person


@transaction.atomic
def change_person(*, actor: User | None, person: User, now: datetime, **fields: str | bool) -> User:
    """Change name, address or flags of a person. An old address no longer signs in nor gets links; who may not sign in
    any more is signed out everywhere at once. Raises AccountsError for an address that is not valid or is taken."""
    person = User.objects.select_for_update().get(pk=person.pk)
    if "email" in fields:
        fields["email"] = _address(str(fields["email"]))
        EmailAddress.objects.filter(user=person).exclude(email=fields["email"]).delete()
    _change(person, fields)
    _record_person(actor, "person.changed", person, now, fields=sorted(fields))
    if "is_active" in fields:
        align(person)
    if not person.is_active:
        end_sessions(person)
    return person


@transaction.atomic
def record_link(*, actor: User, person: User, now: datetime) -> None:
    """Record that a link to set a password goes to a person. Raises AccountsError if they may not sign in."""
    if not person.is_active:
        raise AccountsError(_("%(name)s may not sign in. Allow it first.") % {"name": person.name})
    _record_person(actor, "person.link_sent", person, now)


@transaction.atomic
def add_membership(
    *, actor: User | None, person: User, organization: Organization, role: str, now: datetime
) -> Membership:
    """Give a person a role at an organization. Raises AccountsError if they have one there or the role is unknown."""
    membership = Membership(user=person, organization=organization, role=role)
    _validate(membership)
    membership.save(force_insert=True)
    align(person)
    _record_membership(actor, "membership.added", membership, now)
    return membership


@transaction.atomic
def change_membership(*, actor: User | None, membership: Membership, role: str, now: datetime) -> Membership:
    """Give a person another role at the same organization. Raises AccountsError for an unknown role."""
    membership = Membership.objects.select_for_update().get(pk=membership.pk)
    _change(membership, {"role": role})
    align(membership.user)
    _record_membership(actor, "membership.changed", membership, now)
    return membership


@transaction.atomic
def remove_membership(*, actor: User | None, membership: Membership, now: datetime) -> None:
    """End a membership: what the person did there stays, they see nothing of the organization any more, and are in none
    of its teams."""
    _record_membership(actor, "membership.removed", membership, now)
    membership.delete()
    align(membership.user)


def _address(email: str) -> str:
    return email.strip().lower()


def _validate(instance: models.Model) -> None:
    try:
        instance.full_clean()
    except ValidationError as error:
        raise AccountsError(" ".join(error.messages)) from error


def _change(instance: models.Model, fields: Mapping[str, object]) -> None:
    for name, value in fields.items():
        setattr(instance, name, value)
    _validate(instance)
    instance.save()


def _record_organization(
    actor: User | None, verb: str, organization: Organization, now: datetime, **data: object
) -> None:
    facts = {"name": organization.name} | data
    record(actor, verb, "organization", organization.pk, [organization.pk], now, **facts)


def _record_person(actor: User | None, verb: str, person: User, now: datetime, **data: object) -> None:
    record(actor, verb, "person", person.pk, [], now, **({"name": person.name} | data))


def _record_membership(actor: User | None, verb: str, membership: Membership, now: datetime) -> None:
    organization = membership.organization
    facts = {"person": membership.user.name, "organization": organization.name, "role": membership.role}
    record(actor, verb, "organization", organization.pk, [organization.pk], now, **facts)
