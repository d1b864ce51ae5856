"""What a lead does to the memberships of the organization: another role, and the end."""

from datetime import datetime

from django.db import transaction
from django.db.models import QuerySet
from django.utils.translation import gettext as _

from accounts.errors import AccountsError
from accounts.leaving import hand_back, left_by
from accounts.models import Departure, Invitation, Membership, Organization, User
from accounts.permissions import ROLES, may_manage_people
from accounts.selectors import is_agency
from accounts.services.people import change_membership, change_person, remove_membership
from accounts.signin_services import end_sessions
from ledger.services import record


@transaction.atomic
def change_role(*, actor: User, membership: Membership, role: str, now: datetime) -> Membership:
    """Give a member another role at the organization. Raises AccountsError without the right, for oneself, for a role
    that the organization does not have, and for its last lead."""
    membership = _locked(membership)
    _check(actor, membership)
    if role not in ROLES[membership.organization.kind]:
        raise AccountsError(_("This organization does not have that role. Choose another one."))
    if role == membership.role:
        raise AccountsError(_("That is the role already. Choose another one."))
    if role != Membership.Role.LEAD:
        _check_not_last_lead(membership)
    return change_membership(actor=actor, membership=membership, role=role, now=now)


@transaction.atomic
def offboard(*, actor: User, membership: Membership, taker: User | None, now: datetime) -> Departure:
    """See a member off: the membership ends, so do all sessions; what they had taken for themselves goes back, their
    open invitations are withdrawn; the account closes if it was their last organization. `taker`: the colleague who
    takes over what is open. Returns the record of it.

    Raises AccountsError without the right, for oneself, for the last lead, and without a colleague of the organization
    to take over while something is open."""
    membership = _locked(membership)
    person, organization = membership.user, membership.organization
    _check(actor, membership)
    _check_not_last_lead(membership)
    left = left_by(membership, now)
    _check_taker(membership, taker, any(one.blocks for one in left))
    hand_back(actor, membership, now)
    withdrawn = _withdraw_invitations(actor, membership, now)
    role = membership.role
    remove_membership(actor=actor, membership=membership, now=now)
    sessions, closed = _close(actor, person, now)
    departure = Departure.objects.create(
        person=person,
        organization=organization,
        role=role,
        at=now,
        recorded_by=actor,
        taken_over_by=taker,
        closed=closed,
        sessions=sessions,
        invitations=withdrawn,
        left=[one.as_record() for one in left],
    )
    facts = {"person": person.name, "organization": organization.name, "left": len(left), "sessions": sessions}
    facts |= {"departure": str(departure.pk), "closed": closed, "taken_over_by": taker.name if taker else None}
    record(actor, "member.offboarded", "organization", organization.pk, [organization.pk], now, **facts)
    return departure


def _close(actor: User, person: User, now: datetime) -> tuple[int, bool]:
    """End all sessions, and the account with the last membership. Who leaves the agency is its staff no longer."""
    sessions, person = end_sessions(person), User.objects.get(pk=person.pk)
    if not person.places:
        change_person(actor=actor, person=person, is_active=False, is_staff=False, now=now)
    elif person.is_staff and not is_agency(person):
        change_person(actor=actor, person=person, is_staff=False, now=now)
    return sessions, not person.places


def _withdraw_invitations(actor: User, membership: Membership, now: datetime) -> int:
    """What somebody has sent who is gone works no more."""
    sent = Invitation.objects.filter(organization=membership.organization, invited_by=membership.user)
    count = sent.filter(accepted_at=None, withdrawn_at=None).update(withdrawn_at=now)
    if count:
        organization = membership.organization
        facts = {"person": membership.user.name, "organization": organization.name, "count": count}
        record(actor, "invitations.withdrawn", "organization", organization.pk, [organization.pk], now, **facts)
    return count


def _locked(membership: Membership) -> Membership:
    """One change of the people of an organization at a time: two leads do not take the role from each other."""
    Organization.objects.select_for_update().get(pk=membership.organization_id)
    found = Membership.objects.select_for_update(of=("self",)).select_related("user", "organization")
    locked = found.filter(pk=membership.pk).first()
    if locked is None:
        raise AccountsError(_("This person does not belong to the organization any more. Reload the page."))
    return locked


def _check(actor: User, membership: Membership) -> None:
    if actor.pk == membership.user_id:
        raise AccountsError(_("Nobody changes or ends their own membership. Ask another lead or the agency."))
    actor = User.objects.get(pk=actor.pk)  # as it is now, under the lock
    if not may_manage_people(actor, membership.organization):
        raise AccountsError(_("Only a lead of the organization or the agency does this. Ask one of them."))
    if membership.user.is_superuser and not actor.is_superuser:
        raise AccountsError(_("Only superusers change or see off a superuser. Ask one of them."))


def _check_not_last_lead(membership: Membership) -> None:
    if membership.role != Membership.Role.LEAD:
        return
    if not _others(membership).filter(role=Membership.Role.LEAD).exists():
        raise AccountsError(
            _("%(name)s is the last lead of %(organization)s. Make somebody else a lead first.")
            % {"name": membership.user.name, "organization": membership.organization.name}
        )


def _check_taker(membership: Membership, taker: User | None, needed: bool) -> None:
    others = set(_others(membership).values_list("user_id", flat=True))
    if taker is None and needed and others:
        raise AccountsError(_("Say who takes over what is still open."))
    if taker is not None and taker.pk not in others:
        raise AccountsError(_("Only a colleague of the same organization takes over. Choose one."))


def _others(membership: Membership) -> QuerySet[Membership]:
    found = Membership.objects.filter(organization=membership.organization_id, user__is_active=True)
    return found.exclude(pk=membership.pk)
