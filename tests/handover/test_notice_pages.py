"""The notice on the seller's pages: what each side reads, and what is typed is never lost."""

import re
from datetime import timedelta

import pytest
from asked import approved, over, path_of, sent, told_at, written
from django.core import mail
from django.test import Client
from django.utils import timezone
from django.utils.formats import date_format
from django.utils.html import escape
from django.utils.translation import gettext as _
from django.utils.translation import override

from customers.models import Customer
from customers.services.requests import open_request
from handover.models import Addressee, Notice
from handover.notice_content import LANGUAGES, suggested, told
from handover.workflow import StepKind


def rights_text():
    return _(
        "You may see what is held, get a copy, have it corrected or deleted, and have it explained. It costs nothing. "
        "You reach the seller here: %(reach)s"
    )


def objecting_text():
    return _(
        "If you do not want this, object by %(date)s, on the page of the link that was sent to you or by telling the "
        "seller: your data then does not go to the new owner."
    )


def agreeing_text():
    return _(
        "Your data goes to the new owner only if you agree, by %(date)s: on the page of the link that was sent to you, "
        "or by telling the seller."
    )


@pytest.fixture
def stand(open_at):
    return told_at(open_at)


def address(stand, place=""):
    return f"/handovers/{stand.handover.pk}/notices/{place}"


def typed(stand, **changes):
    texts = {f"{name}-{one}": text for one, parts in suggested(stand.handover).items() for name, text in parts.items()}
    until = (timezone.localdate() + timedelta(days=7)).isoformat()
    return {**texts, "reach": "Service desk", "answer_until": until, "seen": "", **changes}


def test_from_the_text_to_the_messages(stand, cast, client_of):
    clerk, lead = client_of(cast.seller_clerk), client_of(cast.seller_lead)
    assert clerk.post(address(stand, "write/"), typed(stand))["Location"] == address(stand)
    notice = Notice.objects.get()
    digest = {"digest": bytes(notice.digest).hex()}
    page = clerk.post(address(stand, "approve/"), digest, follow=True).content.decode()
    assert "Only leads of the seller" in page
    assert "Approved." in lead.post(address(stand, "approve/"), digest, follow=True).content.decode()
    page = lead.post(address(stand, "send/"), digest, follow=True).content.decode()
    assert "The notice is being sent." in page
    sent_now = Notice.objects.get()
    assert sent_now.site == "http://testserver/"


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"title-en": ""}, "write it in both languages"),
        ({"words-zh-hans": ""}, "write it in both languages"),
        ({"reach": ""}, "Write how customers reach you."),
        ({"answer_until": "soon"}, "Write the day as year-month-day"),
        ({"answer_until": timezone.localdate().isoformat()}, "The notice may give them longer, not shorter."),
        ({"seen": "zz"}, None),
        ({"title-en": "x" * 200}, None),
    ],
)
def test_what_is_wrong_is_said_and_what_was_typed_stays(stand, cast, client_of, changes, message):
    answer = client_of(cast.seller_clerk).post(
        address(stand, "write/"), typed(stand, **{"purpose-en": "Ours", **changes})
    )
    page = answer.content.decode()
    assert answer.status_code == 422
    assert ">\nOurs</textarea>" in page or "Ours</textarea>" in page
    assert message is None or message in page
    assert not Notice.objects.exists()


def test_two_people_who_write_at_once_do_not_overwrite_each_other(stand, cast, client_of):
    client = client_of(cast.seller_clerk)
    client.post(address(stand, "write/"), typed(stand))
    answer = client.post(address(stand, "write/"), typed(stand, reach="Other"))
    assert answer.status_code == 422
    assert "Somebody has saved another text" in answer.content.decode()


def test_without_such_a_plan_there_is_no_page(open_at, cast, client_of):
    stand = open_at(StepKind.BACKUP)
    assert client_of(cast.seller_lead).get(address(stand)).status_code == 404
    assert client_of(cast.seller_lead).get(address(stand, "write/")).status_code == 404
    assert client_of(cast.seller_lead).post(address(stand, "send/")).status_code == 404


def test_the_other_sides_read_text_and_numbers(stand, cast, client_of):
    sent(stand)
    customers = [str(pk) for pk in stand.handover.book.customers.values_list("pk", flat=True)]
    rows = [str(pk) for pk in Addressee.objects.values_list("pk", flat=True)]
    for person in (cast.buyer_lead, cast.reviewer):
        page = client_of(person).get(address(stand)).content.decode()
        assert "Sent: <b>8</b>" in page
        assert "What customers read" in page
        assert not any(one in page for one in customers + rows)
        assert "Letters" not in page
        assert "Withdraw" not in page


def test_the_seller_follows_each_customer_masked(stand, cast, client_of):
    notice = sent(stand)
    client = client_of(cast.seller_lead)
    page = client.get(address(stand)).content.decode()
    assert "KD00000" in page
    assert "韩梅梅000" not in page
    row = notice.addressees.filter(state="sent").first()
    client.post(f"/handovers/notices/addressees/{row.pk}/settle/", {"state": "bounced"})
    row.refresh_from_db()
    assert row.state == "bounced"
    client.post(f"/handovers/notices/addressees/{row.pk}/answer/", {"answer": "objected"})
    row.refresh_from_db()
    assert (row.answer, row.answered_how) == ("objected", "seller")
    found = client.get(address(stand, "?state=objected"))
    assert [line.row.pk for line in found.context["lines"]] == [row.pk]
    assert client.get(address(stand, "?state=nonsense&page=99&lang=xx")).status_code == 200


def test_the_seller_reads_who_stays_and_why(stand, cast, client_of):
    notice = sent(stand)
    Addressee.objects.filter(notice=notice, state="waiting").update(state="sent")
    rows = list(notice.addressees.order_by("pk")[:3])
    for row, state, answer in zip(rows, ("sent", "bounced", "sent"), ("objected", "none", "none"), strict=True):
        Addressee.objects.filter(pk=row.pk).update(state=state, answer=answer)
    asks = Customer.objects.get(pk=rows[2].customer)
    open_request(customer=asks, kind="delete", text="Everything", now=timezone.now())
    answer = client_of(cast.seller_lead).get(address(stand, "?state=stays"))
    page = answer.content.decode()
    lines = {line.row.pk: (str(line.reason), line.customer.number) for line in answer.context["lines"]}
    assert [lines[row.pk][0] for row in rows] == [
        "Objected to the notice",
        "Was not told",
        "Asked to be deleted, or to stay",
    ]
    assert len(lines) == answer.context["held_out"] == 3
    assert "Stays: Was not told" in page
    assert "韩梅梅000" not in page
    assert "Everything" not in page
    everybody_ = client_of(cast.seller_lead).get(address(stand))
    assert sum(not line.reason for line in everybody_.context["lines"]) == 9
    assert "Crosses" in everybody_.content.decode()
    for person in (cast.buyer_lead, cast.reviewer):
        other = client_of(person).get(address(stand, "?state=stays"))
        assert other.context["rows"] is None
        assert lines[rows[0].pk][1] not in other.content.decode()


@pytest.mark.parametrize("basis", ["pipl22", "pipl23"])
def test_page_and_sheet_say_all_that_a_customer_must_know(open_at, cast, client_of, basis):
    """Purpose, categories, recipient with contact, rights, the last day, and how to answer, in both languages."""
    stand = told_at(open_at, legal_basis=basis)
    row = sent(stand).addressees.select_related("notice__handover").first()
    sheet = client_of(cast.seller_lead).get(address(stand, "announcement/")).content.decode()
    parts = re.findall(r"<article.*?</article>", sheet, re.DOTALL)
    assert len(parts) == len(LANGUAGES)
    for language, on_sheet in zip(LANGUAGES, parts, strict=True):
        page = Client().get(f"{path_of(row)}?lang={language}").content.decode()
        with override(language):
            read = told(row.notice, language)
            day = date_format(row.notice.answer_until)
            both = [read.purpose, read.buyer.legal_name, read.buyer.contact_name, read.buyer.contact_email]
            both += [str(label) for label, _fields in read.crosses]
            both += [field for _label, fields in read.crosses for field in fields]
            both += [_("Your rights"), rights_text() % {"reach": row.notice.reach}, day]
            how = (objecting_text if basis == "pipl22" else agreeing_text)() % {"date": day}
            answers = _("I object: my data must not go there") if basis == "pipl22" else _("I do not agree")
        for text in both:
            assert escape(text).replace("\n", "<br>") in page, text
            assert escape(text).replace("\n", "<br>") in on_sheet, text
        assert how in on_sheet
        assert answers in page


@pytest.mark.parametrize("place", ["settle", "answer"])
def test_a_message_of_another_seller_is_not_there(stand, cast, client_of, place):
    row = sent(stand).addressees.first()
    for person in (cast.buyer_lead, cast.reviewer):
        answer = client_of(person).post(f"/handovers/notices/addressees/{row.pk}/{place}/", {"state": "bounced"})
        assert answer.status_code == 404


def test_letters_are_a_file_and_a_refusal_is_said(stand, cast, client_of):
    sent(stand)
    client = client_of(cast.seller_lead)
    assert "State the purpose" in client.post(address(stand, "letters.csv"), follow=True).content.decode()
    answer = client.post(address(stand, "letters.csv"), {"purpose": "Letters"})
    assert answer["Content-Disposition"].startswith('attachment; filename="letters-HO-')
    assert b"/c/" in b"".join(answer.streaming_content)


def test_what_it_waits_for_stands_on_the_overview_and_on_the_home_page(stand, cast, client_of):
    overview = f"/handovers/{stand.handover.pk}/"
    for person, words in ((cast.seller_lead, "Tell the customers"), (cast.buyer_lead, "See the notice")):
        page = client_of(person).get(overview).content.decode()
        assert "The customers are not all told yet" in page
        assert words in page
    assert "Tell the customers that their data crosses" in client_of(cast.seller_clerk).get("/").content.decode()
    notice = sent(stand)
    Addressee.objects.filter(notice=notice, state="waiting").update(state="sent")
    assert "answer period runs" in client_of(cast.buyer_lead).get(overview).content.decode()
    over(notice)
    assert "answer period runs" not in client_of(cast.buyer_lead).get(overview).content.decode()
    assert "Tell the customers that" not in client_of(cast.seller_clerk).get("/").content.decode()


def test_an_announcement_is_kept_with_day_and_place(stand, cast, client_of):
    sent(stand)
    client = client_of(cast.seller_lead)
    tomorrow = (timezone.localdate() + timedelta(days=1)).isoformat()
    page = client.post(address(stand, "announce/"), {"day": tomorrow, "where": "Paper"}, follow=True).content.decode()
    assert "not later than today" in page
    assert (
        "Write where it was published."
        in client.post(
            address(stand, "announce/"), {"day": timezone.localdate().isoformat()}, follow=True
        ).content.decode()
    )
    client.post(address(stand, "announce/"), {"day": timezone.localdate().isoformat(), "where": "Suzhou Daily, page 4"})
    assert Notice.objects.get().announced_where == "Suzhou Daily, page 4"
    assert "Suzhou Daily, page 4" in client.get(address(stand)).content.decode()
    sheet = client.get(address(stand, "announcement/")).content.decode()
    assert 'lang="zh-Hans"' in sheet
    assert stand.handover.buyer.legal_name in sheet


def test_a_withdrawn_notice_makes_room_for_the_next(stand, cast, client_of):
    approved(stand, written(stand))
    client = client_of(cast.seller_lead)
    assert "withdrawn" in client.post(address(stand, "withdraw/"), follow=True).content.decode()
    assert client.post(address(stand, "withdraw/")).status_code == 404
    assert written(stand).version == 2
    assert not mail.outbox
