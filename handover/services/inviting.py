"""Open a handover to a buyer who is not here yet, and send the invitation of its first lead again."""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime

from django.db import transaction
from django.utils.translation import gettext as _

from accounts import services as accounts
from accounts.errors import AccountsError
from accounts.models import Invitation, Organization, User
from accounts.services.invitations import Link
from handover.errors import HandoverError
from handover.models import Handover
from handover.permissions import may_sell
from handover.services.moving import record
from handover.services.opening import Terms, open_handover
from handover.workflow import HandoverState


@dataclass(frozen=True, slots=True)
class Newcomer:
    """A business that is not in the register, and who leads it there. `language`: of the mail."""

    legal_name: str
    country: str
    registration_number: str
    contact_name: str
    contact_email: str
    language: str


@transaction.atomic
def open_and_invite(
    *, actor: User, terms_for: Callable[[Organization], Terms], newcomer: Newcomer, link: Link, now: datetime
) -> Handover:
    """Put the buyer into the register, open the handover to it and mail its first lead. All of it or nothing.

    Raises HandoverError with what to change, also when the mail cannot be sent."""
    try:
        buyer = accounts.add_organization(
            actor=actor,
            now=now,
            kind=Organization.Kind.BUSINESS,
            name=newcomer.legal_name[:100],
            legal_name=newcomer.legal_name,
            country=newcomer.country,
            registration_number=newcomer.registration_number,
            contact_name=newcomer.contact_name,
            contact_email=newcomer.contact_email,
        )
        handover = open_handover(actor=actor, terms=terms_for(buyer), now=now)
        # The mail last: what is refused before it has told nobody anything.
        accounts.invite_first(
            actor=actor,
            organization=buyer,
            email=newcomer.contact_email,
            name=newcomer.contact_name,
            language=newcomer.language,
            link=link,
            now=now,
        )
    except AccountsError as error:
        raise HandoverError(str(error)) from error
    except OSError as error:
        raise HandoverError(_("The mail could not be sent, so nothing was opened. Try again later.")) from error
    record(actor, "handover.buyer_invited", handover, now)
    return handover


@transaction.atomic
def invite_again(*, actor: User, handover: Handover, link: Link, now: datetime) -> Invitation:
    """Mail the buyer's first lead once more. Raises HandoverError without the right, and when there is nobody to."""
    if handover.state != HandoverState.OPEN or not may_sell(actor, handover.seller_id):
        raise HandoverError(_("Only a lead of the seller or the agency invites the buyer, while the handover is open."))
    try:
        found = accounts.send_first_again(actor=actor, organization=handover.buyer, link=link, now=now)
    except AccountsError as error:
        raise HandoverError(str(error)) from error
    except OSError as error:
        raise HandoverError(_("The mail could not be sent: the link before still works. Try again later.")) from error
    record(actor, "handover.buyer_invited", handover, now)
    return found
