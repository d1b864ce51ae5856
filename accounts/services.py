"""The only writer of people, organizations and memberships (the admin records its own writes, see `admin.py`)."""

from datetime import datetime

from django.core.exceptions import ValidationError
from django.db import transaction

from accounts.errors import AccountsError
from accounts.models import Membership, Organization, User
from ledger.services import record


@transaction.atomic
def add_organization(*, actor: User | None, now: datetime, **fields: str) -> Organization:
    """Add an organization; `fields` are those of the model. Raises AccountsError for an invalid registration number,
    a missing value or a number that is already in the register."""
    organization = Organization(**fields)
    try:
        organization.full_clean()
    except ValidationError as error:
        raise AccountsError(" ".join(error.messages)) from error
    organization.save(force_insert=True)
    record(
        actor=actor,
        verb="organization.added",
        object_type="organization",
        object_id=organization.pk,
        audience=[organization.pk],
        now=now,
        name=organization.name,
    )
    return organization


@transaction.atomic
def add_person(*, actor: User | None, email: str, name: str, now: datetime, is_staff: bool = False) -> User:
    """Add a person without a password: they set one by the link of the password mail. Raises AccountsError for an
    e-mail address that is not valid or is taken."""
    person = User(email=email.strip().lower(), name=name.strip(), is_staff=is_staff, date_joined=now)
    person.set_unusable_password()
    try:
        person.full_clean()
    except ValidationError as error:
        raise AccountsError(" ".join(error.messages)) from error
    person.save(force_insert=True)
    record(
        actor=actor,
        verb="person.added",
        object_type="person",
        object_id=person.pk,
        audience=[],
        now=now,
        name=person.name,
    )
    return person


@transaction.atomic
def add_membership(
    *, actor: User | None, person: User, organization: Organization, role: str, now: datetime
) -> Membership:
    """Give a person a role at an organization. Raises AccountsError if they have one there or the role is unknown."""
    membership = Membership(user=person, organization=organization, role=role)
    try:
        membership.full_clean()
    except ValidationError as error:
        raise AccountsError(" ".join(error.messages)) from error
    membership.save(force_insert=True)
    person.__dict__.pop("places", None)  # what this instance knew of its memberships is out of date
    record(
        actor=actor,
        verb="membership.added",
        object_type="organization",
        object_id=organization.pk,
        audience=[organization.pk],
        now=now,
        person=person.name,
        role=role,
    )
    return membership
