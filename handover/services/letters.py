"""Letters: addresses and links for those whom no message reaches, taken out by somebody who may export."""

from collections.abc import Iterator
from datetime import datetime

from django.db import transaction
from django.utils.timezone import localtime
from django.utils.translation import gettext as _

from accounts.models import User
from customers.access import require_access
from customers.contact import Contact, contacts_of
from customers.models import Category
from customers.permissions import works_on
from customers.spreadsheets import csv_lines, escaped
from customers.workflow import Verb
from handover.errors import HandoverError
from handover.models import Addressee, Notice
from handover.notice_messages import link_of
from handover.notice_workflow import Channel, MessageState, NoticeState
from handover.services.moving import record
from handover.services.notices import by_id, locked
from handover.services.sending import turn

PURPOSE_CHARACTERS = 200


@transaction.atomic
def export(*, actor: User, notice: Notice, purpose: str, now: datetime) -> Iterator[str]:
    """Record that `actor` takes the letters that wait out of the platform, count them as sent, and return their lines
    of CSV: name, address, language, link.

    Raises HandoverError without the right, a purpose, or letters that wait; CustomersError without clearance or a team
    that may reveal and export basic information."""
    notice = by_id(locked(notice, actor, "send").pk)
    book, stated = notice.handover.book, purpose.strip()
    if notice.state != NoticeState.OPEN or not works_on(actor, book):
        raise HandoverError(_("Letters are exported while customers may answer, by people who work on the book."))
    if not stated or len(stated) > PURPOSE_CHARACTERS:
        raise HandoverError(_("State the purpose in at most 200 characters: it goes into the ledger with your name."))
    for verb in (Verb.REVEAL, Verb.EXPORT):
        require_access(actor, book, verb, [Category.BASIC], now)
    rows = list(_waiting(notice))
    if not rows:
        raise HandoverError(_("No letter waits. Whoever has an address and no other way is listed once it was sent."))
    contacts = contacts_of(book, [row.customer for row in rows])
    lines = [_line(notice, row, contacts.get(row.customer, Contact()), _mark(actor, now)) for row in rows]
    for row in rows:
        turn(row, MessageState.SENT, now, Channel.POST)
    Addressee.objects.bulk_update(rows, ["state", "sent_at"])
    record(actor, "handover.notice.letters", notice.handover, now, count=len(rows), purpose=stated)
    header = [_("Name"), _("Address"), _("Language"), _("Link"), _("Taken out by")]
    return csv_lines([header, *lines])


def _waiting(notice: Notice) -> Iterator[Addressee]:
    rows = Addressee.objects.filter(notice=notice, channel=Channel.POST, state=MessageState.WAITING)
    return rows.select_for_update().order_by("pk").iterator()


def _line(notice: Notice, row: Addressee, contact: Contact, mark: str) -> list[object]:
    return [escaped(contact.name), escaped(contact.address), row.language, link_of(notice, row), mark]


def _mark(actor: User, now: datetime) -> str:
    facts = {"name": actor.name, "email": actor.email, "at": localtime(now).isoformat(sep=" ", timespec="seconds")}
    return escaped(_("%(name)s (%(email)s), %(at)s") % facts)
