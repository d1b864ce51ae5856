"""Tickets: the right to take the package once, for a short time, by the person who asked for it."""

import secrets
from datetime import datetime, timedelta
from hashlib import sha256

from django.conf import settings
from django.db import transaction
from django.utils.translation import gettext as _

from accounts.models import User
from accounts.permissions import is_lead
from handover.errors import HandoverError
from handover.models import Delivery, DownloadTicket, TransferPlan
from handover.ranges import merged
from handover.services.delivering import lock, require_access
from handover.services.moving import record

PURPOSE_CHARACTERS = 200


@transaction.atomic
def issue(*, actor: User, delivery: Delivery, purpose: str, now: datetime) -> tuple[DownloadTicket, str]:
    """A ticket for `actor` and the word that opens it, of which only a hash is kept. One that they had before is void.

    Raises HandoverError for anybody but a lead of the buyer who is cleared for the buyer's book and whose teams may
    export it, without a purpose, when the plan sends the package elsewhere, before it is ready and after its time."""
    delivery, stated = lock(delivery), purpose.strip()
    _require_may_take(actor, delivery, now)
    if not stated or len(stated) > PURPOSE_CHARACTERS:
        raise HandoverError(_("State the purpose in at most 200 characters: it goes into the ledger with your name."))
    live = DownloadTicket.objects.filter(delivery=delivery, person=actor, expires_at__gt=now)
    live.update(expires_at=now)
    token = secrets.token_urlsafe(32)
    ticket = DownloadTicket.objects.create(
        delivery=delivery,
        person=actor,
        token_hash=_hash(token),
        purpose=stated,
        issued_at=now,
        expires_at=now + timedelta(minutes=settings.DOWNLOAD_TICKET_MINUTES),
    )
    record(actor, "handover.delivery.ticket", delivery.handover, now, purpose=stated)
    return ticket, token


def _require_may_take(actor: User, delivery: Delivery, now: datetime) -> None:
    if not is_lead(actor, delivery.handover.buyer_id):
        raise HandoverError(_("Only a lead of the buyer downloads the package. Ask one of them."))
    require_access(actor, delivery, now)
    if delivery.handover.plan.method != TransferPlan.Method.PACKAGE:
        raise HandoverError(_("By the plan this package is sent to the buyer's own place and not downloaded."))
    if delivery.destroyed_at is not None:
        raise HandoverError(_("The package has been destroyed: its time was over. The data is in the buyer's book."))
    if delivery.ready_at is None:
        raise HandoverError(_("The package is still being made. Try again in a minute."))


def find(actor: User, delivery: Delivery, token: str) -> DownloadTicket | None:
    """The ticket that this word opens, if it is this person's."""
    found = DownloadTicket.objects.filter(delivery=delivery, person=actor, token_hash=_hash(token))
    return found.first() if token.isascii() else None


@transaction.atomic
def begin(*, actor: User, ticket: DownloadTicket, start: int, end: int, now: datetime) -> DownloadTicket:
    """Record that [start, end) is asked for. Raises HandoverError when the ticket has expired or is used up, and as
    `issue` does: a right may be gone meanwhile."""
    ticket = _locked(ticket)
    _require_may_take(actor, ticket.delivery, now)
    if ticket.completed_at is not None:
        raise HandoverError(_("The package was taken completely with this ticket. Get another one to take it again."))
    if ticket.expires_at <= now:
        raise HandoverError(
            _("This ticket has expired. Get another one; each is good for %(minutes)s minutes.")
            % {"minutes": settings.DOWNLOAD_TICKET_MINUTES}
        )
    ticket.requests += 1
    ticket.used_at = ticket.used_at or now
    ticket.save(update_fields=["requests", "used_at"])
    facts = {"request": ticket.requests, "first": start, "last": end - 1}
    record(actor, "handover.delivery.requested", ticket.delivery.handover, now, ticket=str(ticket.pk), **facts)
    return ticket


@transaction.atomic
def sent(*, ticket: DownloadTicket, request: int, start: int, end: int, now: datetime) -> DownloadTicket:
    """Record that [start, end) left the platform for that request. When nothing of the file is missing the download is
    complete: it is counted and the ticket used up."""
    ticket = _locked(ticket)
    delivery, actor = ticket.delivery, ticket.person
    ticket.taken = merged(ticket.taken, start, end)
    ticket.bytes_sent += end - start
    facts = {"ticket": str(ticket.pk), "request": request, "bytes": end - start}
    record(actor, "handover.delivery.sent", delivery.handover, now, **facts)
    if ticket.completed_at is None and ticket.taken == [[0, delivery.bytes]]:
        ticket.completed_at = now
        delivery.downloads += 1
        delivery.save(update_fields=["downloads"])
        digest = bytes(delivery.digest).hex()
        record(actor, "handover.delivery.downloaded", delivery.handover, now, number=delivery.downloads, digest=digest)
    ticket.save(update_fields=["taken", "bytes_sent", "completed_at"])
    return ticket


def _locked(ticket: DownloadTicket) -> DownloadTicket:
    delivery = lock(ticket.delivery)
    found = DownloadTicket.objects.select_for_update(of=("self",)).select_related("person").get(pk=ticket.pk)
    found.delivery = delivery
    return found


def _hash(token: str) -> bytes:
    return sha256(token.encode(errors="replace")).digest()
