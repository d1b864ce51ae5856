"""Inviting a colleague by mail, and accepting it. The mail is a part of it: if it cannot be sent, nothing happened."""

from collections.abc import Callable
from datetime import datetime, timedelta
from secrets import token_urlsafe

from django.conf import settings
from django.core.exceptions import ValidationError
from django.core.mail import send_mail
from django.core.validators import validate_email
from django.db import transaction
from django.template.loader import render_to_string
from django.utils.translation import gettext as _
from django.utils.translation import override

from accounts.errors import AccountsError
from accounts.models import Invitation, Membership, Organization, User
from accounts.permissions import ROLES, may_bring_in, may_manage_people
from accounts.selectors import invitation_of, token_digest
from accounts.services.people import add_membership, add_person
from ledger.services import record
from tenancy import rights

NAME_CHARACTERS = 100  # as many as the account holds
VALID_FOR = timedelta(days=7)
Link = Callable[[str], str]


@transaction.atomic
def invite(
    *,
    actor: User,
    organization: Organization,
    email: str,
    name: str,
    role: str,
    language: str,
    link: Link,
    now: datetime,
) -> Invitation:
    """Invite somebody to an organization and mail them. `link`: makes the address of the page out of its token.

    It tells nobody whether the address has an account already. Raises AccountsError without the right, for a role that
    the organization does not have, for a member, and for somebody who is invited already; OSError if no mail went."""
    organization = Organization.objects.select_for_update().get(pk=organization.pk)
    _check(actor, organization, role)
    return _send(actor, organization, email, name, role, language, link, now)


@transaction.atomic
def invite_first(
    *, actor: User, organization: Organization, email: str, name: str, language: str, link: Link, now: datetime
) -> Invitation:
    """Invite the first lead of a business to which nobody belongs yet; so may whoever leads another business, and the
    agency. The person gets that organization and nothing else. Raises as `invite` does."""
    organization = Organization.objects.select_for_update().get(pk=organization.pk)
    if not may_bring_in(actor, organization, Membership.Role.LEAD):
        raise AccountsError(_("Somebody belongs to this organization already. Its lead invites the others."))
    with rights.widened([organization.pk]):
        return _send(actor, organization, email, name, Membership.Role.LEAD, language, link, now)


@transaction.atomic
def send_first_again(*, actor: User, organization: Organization, link: Link, now: datetime) -> Invitation:
    """Mail the invitation of the first lead with a new link. The caller knows that it concerns the actor. Raises
    AccountsError when somebody belongs to the organization by now, or nobody is invited; OSError if no mail went."""
    if not may_bring_in(actor, organization, Membership.Role.LEAD):
        raise AccountsError(_("Somebody belongs to this organization already. Its lead invites the others."))
    with rights.widened([organization.pk]):
        found = first_invitation(organization)
        if found is None:
            raise AccountsError(_("Nobody of this organization is invited any more. Ask the agency."))
        return _again(actor, _locked(found), link, now)


def first_invitation(organization: Organization) -> Invitation | None:
    """The invitation of the first lead that is neither accepted nor withdrawn."""
    waiting = Invitation.objects.filter(organization=organization, accepted_at=None, withdrawn_at=None)
    with rights.widened([organization.pk]):
        return waiting.filter(role=Membership.Role.LEAD).order_by("-sent_at").first()


def _send(  # noqa: PLR0917
    actor: User,
    organization: Organization,
    email: str,
    name: str,
    role: str,
    language: str,
    link: Link,
    now: datetime,
) -> Invitation:
    address, called = email.strip().lower(), " ".join(name.split())
    _check_person(address, called)
    _make_room(organization, address, now)
    token = token_urlsafe(32)
    invitation = Invitation.objects.create(
        organization=organization,
        email=address,
        name=called,
        role=role,
        language=Invitation.Language(language),
        token_hash=token_digest(token),
        invited_by=actor,
        invited_at=now,
        sent_at=now,
        expires_at=now + VALID_FOR,
    )
    _record(actor, "invitation.sent", invitation, now)
    _mail(invitation, link(token))
    return invitation


@transaction.atomic
def send_again(*, actor: User, invitation: Invitation, link: Link, now: datetime) -> Invitation:
    """Mail an invitation with a new link; the one before works no more. Raises AccountsError without the right and for
    one that is accepted or withdrawn; OSError if no mail went."""
    invitation = _locked(invitation)
    _check(actor, invitation.organization, invitation.role)
    return _again(actor, invitation, link, now)


def _again(actor: User, invitation: Invitation, link: Link, now: datetime) -> Invitation:
    token = token_urlsafe(32)
    invitation.token_hash, invitation.sent_at, invitation.expires_at = token_digest(token), now, now + VALID_FOR
    invitation.sent, invitation.invited_by = invitation.sent + 1, actor
    invitation.save(update_fields=["token_hash", "sent_at", "expires_at", "sent", "invited_by"])
    _record(actor, "invitation.sent_again", invitation, now)
    _mail(invitation, link(token))
    return invitation


@transaction.atomic
def withdraw(*, actor: User, invitation: Invitation, now: datetime) -> None:
    """Take an invitation back: its link works no more. Raises AccountsError as `send_again` does."""
    invitation = _locked(invitation)
    _check(actor, invitation.organization, invitation.role)
    invitation.withdrawn_at = now
    invitation.save(update_fields=["withdrawn_at"])
    _record(actor, "invitation.withdrawn", invitation, now)


@transaction.atomic
def accept_as_new(*, digest: str, password: str, now: datetime) -> User:
    """Make the account of the invited person with this password, which the caller has validated, and the membership.
    `digest`: that of the link (`selectors.token_digest`).

    Raises AccountsError when the link works no more, or when the address has an account by now."""
    invitation = _accepted(digest, now)
    person = add_person(actor=invitation.invited_by, email=invitation.email, name=invitation.name, now=now)
    person.set_password(password)
    person.save(update_fields=["password"])
    _join(invitation, person, now)
    return person


@transaction.atomic
def accept(*, actor: User, digest: str, now: datetime) -> Organization:
    """Join as the person who is signed in. Raises AccountsError when the link works no more, when it was sent to
    somebody else, and for a member."""
    invitation = _accepted(digest, now)
    if actor.email.lower() != invitation.email:
        raise AccountsError(_("This invitation went to another address. Sign in with that one."))
    _join(invitation, actor, now)
    return invitation.organization


def _accepted(digest: str, now: datetime) -> Invitation:
    """The invitation of a link that works, by its digest, locked. Who lost the right to invite took it along."""
    found = invitation_of(digest, now)
    if found:
        # The link is the right to it: whoever holds it belongs to nobody yet.
        with rights.widened([found.organization_id]):
            found = Invitation.objects.select_for_update().get(pk=found.pk)
    still_open = found and not found.accepted_at and not found.withdrawn_at and found.token_hash == digest
    if not found or not still_open or not may_bring_in(found.invited_by, found.organization, found.role):
        raise AccountsError(_("This invitation works no more. Ask for a new one."))
    return found


def _join(invitation: Invitation, person: User, now: datetime) -> None:
    invitation.accepted_at, invitation.accepted_by = now, person
    with rights.widened([invitation.organization_id]):
        invitation.save(update_fields=["accepted_at", "accepted_by"])
    add_membership(
        actor=invitation.invited_by,
        person=person,
        organization=invitation.organization,
        role=invitation.role,
        now=now,
    )
    _record(person, "invitation.accepted", invitation, now)


def _locked(invitation: Invitation) -> Invitation:
    found = Invitation.objects.select_for_update().get(pk=invitation.pk)
    if found.accepted_at or found.withdrawn_at:
        raise AccountsError(_("This invitation is accepted or withdrawn already. Reload the page."))
    return found


def _check(actor: User, organization: Organization, role: str) -> None:
    if not may_manage_people(actor, organization):
        raise AccountsError(_("Only a lead of the organization or the agency invites people. Ask one of them."))
    if role not in ROLES[organization.kind]:
        raise AccountsError(_("This organization does not have that role. Choose another one."))


def _check_person(address: str, called: str) -> None:
    try:
        validate_email(address)
    except ValidationError as error:
        raise AccountsError(_("Enter a valid e-mail address.")) from error
    if not 0 < len(called) <= NAME_CHARACTERS:
        raise AccountsError(_("Enter the name of the person, at most 100 characters."))


def _make_room(organization: Organization, address: str, now: datetime) -> None:
    """One open invitation for each address; one that came to its end gives way."""
    if Membership.objects.filter(organization=organization, user__email=address).exists():
        raise AccountsError(_("This person belongs to the organization already. You find them in the list."))
    before = Invitation.objects.filter(organization=organization, email=address, accepted_at=None, withdrawn_at=None)
    if before.filter(expires_at__gt=now).exists():
        raise AccountsError(_("This address is invited already. Send that invitation again from the list."))
    before.update(withdrawn_at=now)


def _record(actor: User, verb: str, invitation: Invitation, now: datetime) -> None:
    organization = invitation.organization
    facts = {"person": invitation.name, "organization": organization.name, "role": invitation.role}
    record(actor, verb, "organization", organization.pk, [organization.pk], now, **facts)


def _mail(invitation: Invitation, link: str) -> None:
    """In the language that the sender chose. Who has an account reads that they sign in: no page says so."""
    known = User.objects.filter(email=invitation.email).exists()
    with override(invitation.language):
        subject = _("%(organization)s invites you to Handover") % {"organization": invitation.organization.name}
        body = render_to_string("accounts/invitation.txt", {"invitation": invitation, "link": link, "known": known})
    send_mail(" ".join(subject.split()), body.strip() + "\n", settings.DEFAULT_FROM_EMAIL, [invitation.email])
