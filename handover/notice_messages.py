"""The words of a message to a customer, and the link in it."""

from django.template.loader import render_to_string
from django.urls import reverse
from django.utils.translation import gettext as _
from django.utils.translation import override

from handover.models import Addressee, Notice
from handover.notice_content import Told, told
from handover.notice_workflow import Channel
from vault import links

LINK = "handover-notice"


def link_of(notice: Notice, row: Addressee) -> str:
    """The address that is this customer's alone."""
    token = links.make(notice.handover.seller_id, LINK, row.pk)
    return f"{notice.site.rstrip('/')}{reverse('notice', args=[token])}"


def message_of(notice: Notice, row: Addressee, *, reminds: bool) -> tuple[str, str]:
    """Subject and body in the customer's language. Names nobody: whoever reads it by mistake learns of no customer."""
    with override(row.language):
        page, link = told(notice, row.language), link_of(notice, row)
        if row.channel == Channel.SMS:
            return "", _short(page, link)
        subject = _("Reminder: %(title)s") % {"title": page.title} if reminds else page.title
        body = render_to_string("handover/notice_mail.txt", {"told": page, "link": link, "reminds": reminds})
    return " ".join(subject.split()), body.strip() + "\n"


def _short(page: Told, link: str) -> str:
    facts = {"seller": page.seller.name, "buyer": page.buyer.name, "date": page.notice.answer_until, "link": link}
    return _("%(seller)s: your customer data goes to %(buyer)s. Read and answer until %(date)s: %(link)s") % facts
