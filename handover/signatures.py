"""Who has signed a certificate for each side, and whom the other signatures wait for."""

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property

from accounts.models import Membership, Organization, User
from accounts.permissions import is_lead
from accounts.selectors import people_of
from handover.models import Certificate, Countersignature, Handover
from handover.workflow import Side


@dataclass(frozen=True)
class SideSignature:
    """`made`: None while nobody has signed for the side. `yours`: the person who looks may sign for it now."""

    side: Side
    organization: Organization
    made: Countersignature | None
    yours: bool

    @cached_property
    def waits_for(self) -> Sequence[User]:
        """The people who may sign for the side."""
        return [] if self.made else list(people_of(self.organization, Membership.Role.LEAD))


@dataclass(frozen=True, slots=True)
class Signatures:
    """Of a certificate, the seller's first. `live`: it was not revoked, so who has not signed still may."""

    lines: Sequence[SideSignature]
    live: bool

    @property
    def to_sign(self) -> SideSignature | None:
        """The side for which the person who looks may sign now."""
        return next((line for line in self.lines if line.yours), None)

    @property
    def signed(self) -> Sequence[SideSignature]:
        return [line for line in self.lines if line.made]


def signatures_of(handover: Handover, user: User) -> Signatures | None:
    """The signatures of a handover's certificate, for a person; None before there is one."""
    certificate = Certificate.objects.filter(handover=handover).only("revoked_at").first()
    if certificate is None:
        return None
    found = Countersignature.objects.filter(certificate=certificate).select_related("signed_by")
    made = {one.side: one for one in found}
    live = certificate.revoked_at is None
    # Nobody signs for both sides.
    free = live and all(one.signed_by_id != user.pk for one in made.values())
    places = {Side.SELLER: handover.seller, Side.BUYER: handover.buyer}
    lines = [
        SideSignature(side, place, made.get(side), yours=free and side not in made and is_lead(user, place))
        for side, place in places.items()
    ]
    return Signatures(lines, live)
