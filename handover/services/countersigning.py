"""Both sides sign the certificate, each by one of its leads. Nothing waits for it: neither acceptance nor the seller's
copy, and it may still be done when the handover is closed."""

from datetime import datetime
from hashlib import sha256

from django.db import transaction
from django.utils.translation import gettext as _

from accounts.models import User
from accounts.permissions import is_lead
from accounts.selectors import role_in
from handover.countersignature import SIDES, Signer, digest_of, document_of
from handover.errors import HandoverError
from handover.models import Certificate, Countersignature, Handover
from handover.permissions import organization_of
from handover.services.moving import lock_handover, record
from handover.workflow import Side


@transaction.atomic
def countersign(*, actor: User, certificate: Certificate, side: str, digest: bytes, now: datetime) -> Countersignature:
    """A lead signs the certificate for the seller or the buyer with the key of that organization.

    `digest` is that of the certificate that the person saw. Raises HandoverError, with nothing saved, for anybody but
    a lead of the side, for a second signature of a side or a person, for a revoked certificate, and when `digest` or
    what is stored is not the certificate as it was issued.
    """
    handover = lock_handover(certificate.handover_id)
    certificate = Certificate.objects.get(pk=certificate.pk)
    certificate.handover = handover
    _check_person(actor, handover, side)
    _check_first(actor, certificate, side)
    _check_certificate(certificate, digest)
    place = organization_of(handover, side)
    signer = Signer(str(side), place, actor.name, str(role_in(actor, place)))
    made = Countersignature.objects.create(
        certificate=certificate,
        side=side,
        signed_by=actor,
        signed_at=now,
        document=document_of(certificate, signer, now),
    )
    facts = {"side": str(side), "certificate": digest.hex(), "digest": digest_of(made)}
    record(actor, "handover.certificate.countersigned", handover, now, **facts)
    return made


def _check_person(actor: User, handover: Handover, side: str) -> None:
    if side not in SIDES:
        raise HandoverError(_("Seller and buyer sign the certificate. The reviewer approved it in the audit."))
    if not is_lead(actor, organization_of(handover, side)):
        of_seller = _("Only a lead of the seller signs for the seller. Ask one of them.")
        of_buyer = _("Only a lead of the buyer signs for the buyer. Ask one of them.")
        raise HandoverError(of_seller if side == Side.SELLER else of_buyer)


def _check_certificate(certificate: Certificate, digest: bytes) -> None:
    if certificate.revoked_at:
        raise HandoverError(_("This certificate was revoked: everything was given back. Nobody signs it any more."))
    if not digest or digest != bytes(certificate.digest):
        raise HandoverError(
            _("This is not the certificate of this handover. Nothing was signed. Open the page again and read it.")
        )
    if sha256(certificate.document.encode()).digest() != digest:
        raise HandoverError(_("What the platform keeps does not fit the certificate any more. Report an incident."))


def _check_first(actor: User, certificate: Certificate, side: str) -> None:
    for made in Countersignature.objects.filter(certificate=certificate).select_related("signed_by"):
        if made.side == side:
            names = {"name": made.signed_by.name}
            raise HandoverError(_("%(name)s has already signed for this side. Nothing more to do.") % names)
        if made.signed_by_id == actor.pk:
            raise HandoverError(_("You have signed for the other side. A second person must sign here."))
