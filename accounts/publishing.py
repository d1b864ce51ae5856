"""Where a person may publish an agreement. The rooms above register the places that only they know."""

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from django.utils.translation import gettext as _

from accounts.models import Membership, Organization, User
from accounts.selectors import is_agency, memberships


@dataclass(frozen=True, slots=True)
class Place:
    """Where an agreement applies: an organization, a handover, or (neither) wherever these have none. `audience`: the
    organizations that read of it in the ledger."""

    label: str
    organization: Organization | None = None
    handover: UUID | None = None
    audience: tuple[UUID, ...] = ()

    @property
    def key(self) -> str:
        """What a form says for it."""
        return str(self.handover or (self.organization.pk if self.organization else "platform"))

    @property
    def scope(self) -> tuple[UUID | None, UUID | None]:
        """As `accounts.clearance` names it."""
        return (self.organization.pk if self.organization else None, self.handover)


Provider = Callable[[User, datetime], Iterable[Place]]
_providers: list[Provider] = []


def register(provider: Provider) -> None:
    """Ask this provider too where a person may publish."""
    if provider not in _providers:
        _providers.append(provider)


def places_for(user: User, now: datetime) -> list[Place]:
    """The agency publishes for the platform and for every organization, a lead for their own."""
    places = [Place(_("Platform: wherever there is no agreement of its own"))] if is_agency(user) else []
    places += [Place(one.name, organization=one, audience=(one.pk,)) for one in _organizations(user)]
    return [*places, *(place for provider in _providers for place in provider(user, now))]


def _organizations(user: User) -> list[Organization]:
    if is_agency(user):
        return list(Organization.objects.order_by("name"))
    return [place.organization for place in memberships(user) if place.role == Membership.Role.LEAD]
