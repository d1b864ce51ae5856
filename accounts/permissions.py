"""Named questions about a person and an organization."""

from uuid import UUID

from django.contrib.auth.models import AnonymousUser

from accounts.addresses import is_inside
from accounts.models import Membership, Organization, User
from accounts.selectors import is_agency, memberships, organizations_led_by, organizations_of, role_in


def is_member(user: User | AnonymousUser, organization: Organization | UUID) -> bool:
    return role_in(user, organization) is not None


def is_lead(user: User | AnonymousUser, organization: Organization | UUID) -> bool:
    """A lead may approve for the organization."""
    return role_in(user, organization) == Membership.Role.LEAD


def is_reviewer(user: User | AnonymousUser) -> bool:
    """A reviewer of any review firm may claim and decide reviews."""
    return any(
        place.role == Membership.Role.REVIEWER and place.organization.kind == Organization.Kind.REVIEWER
        for place in memberships(user)
    )


def runs_platform(user: User | AnonymousUser) -> bool:
    """A superuser, or staff of the agency."""
    return isinstance(user, User) and user.is_active and (user.is_superuser or (user.is_staff and is_agency(user)))


ROLES: dict[str, tuple[Membership.Role, ...]] = {
    Organization.Kind.BUSINESS: (Membership.Role.LEAD, Membership.Role.CLERK),
    Organization.Kind.REVIEWER: (Membership.Role.LEAD, Membership.Role.REVIEWER),
    Organization.Kind.AGENCY: (Membership.Role.AGENT,),
}


def may_manage_people(user: User | AnonymousUser, organization: Organization) -> bool:
    """A lead says who belongs to the organization and as what; the agency may do it for them. Who works for the agency
    is for superusers to say: whoever does sees everything."""
    if organization.kind == Organization.Kind.AGENCY:
        return isinstance(user, User) and user.is_active and user.is_superuser
    active = isinstance(user, User) and user.is_active
    return active and (is_lead(user, organization) or runs_platform(user))


def may_found(user: User | AnonymousUser, organization: Organization) -> bool:
    """Whoever leads a business may bring the business that buys from it: its first lead, while nobody belongs to it."""
    leads = any(
        place.organization.kind == Organization.Kind.BUSINESS
        for place in memberships(user)
        if place.role == Membership.Role.LEAD
    )
    business = organization.kind == Organization.Kind.BUSINESS
    return business and leads and not Membership.objects.filter(organization=organization).exists()


def may_bring_in(user: User | AnonymousUser, organization: Organization, role: str) -> bool:
    """Whether an invitation that this person sent still holds."""
    first = role == Membership.Role.LEAD and may_found(user, organization)
    return first or may_manage_people(user, organization)


def may_set_networks(user: User | AnonymousUser, organization: Organization) -> bool:
    """A lead says from where their organization works; the agency may do it for them."""
    return is_lead(user, organization) or runs_platform(user)


def may_manage_access(user: User | AnonymousUser, organization: Organization | UUID) -> bool:
    """A lead says what the teams of their organization may do; the agency may do it for them."""
    return is_lead(user, organization) or runs_platform(user)


def organizations_managed_by(user: User) -> list[Organization]:
    """The organizations whose teams a person manages: those they lead; for who runs the platform all, by name."""
    return list(Organization.objects.order_by("name")) if runs_platform(user) else organizations_led_by(user)


def may_view_as(viewer: User, person: User) -> bool:
    """Whether somebody may look at the pages as a person sees them: a lead of every organization of that person, so
    that nothing comes into view that is not theirs to see. Not the agency, and nobody of it or of its staff."""
    places = set(organizations_of(person))
    led = {organization.pk for organization in organizations_led_by(viewer)}
    people = person.is_active and person.pk != viewer.pk and viewer.viewer is None
    above = person.is_staff or person.is_superuser or is_agency(person) or is_agency(viewer)
    return people and not above and bool(places) and places <= led


def may_work_from(user: User, address: str, changed: Organization | None = None) -> bool:
    """Whether one of the person's organizations allows the address: an empty list allows every address. Whoever belongs
    to no organization sees nothing of one and is not held to a list. `changed`: take this organization as it is here.
    """
    places = [place.organization for place in memberships(user)]
    lists = [(changed if changed and changed.pk == one.pk else one).allowed_networks for one in places]
    return not lists or any(not networks or is_inside(address, networks) for networks in lists)
