"""The ways out and back: a real SMTP server, reports of what came back, reminders, letters."""

import asyncio
import csv
import io
import socket
from collections import Counter
from datetime import timedelta
from email import message_from_bytes, policy
from email.mime.message import MIMEMessage
from email.mime.multipart import MIMEMultipart
from email.mime.text import MIMEText
from mailbox import Maildir, mbox

import pytest
from aiosmtpd.controller import Controller
from asked import by_platform, path_of, sent, told_at
from django.core import mail
from django.core.management import CommandError, call_command
from django.utils import timezone
from stand import add_people, everybody, refused
from uuid_utils.compat import uuid7

from customers.errors import CustomersError
from customers.records import Record
from handover import demo
from handover.bounces import keys_in
from handover.gateways.mail import is_address, key_in, return_address
from handover.models import Addressee, Notice
from handover.services import letters, reminding, sending
from handover.tasks import notices as nightly
from handover.workflow import StepKind
from jobs.models import Job
from ledger.models import Entry


@pytest.fixture
def stand(open_at):
    return told_at(open_at)


class Inbox:
    """What the server took over; addresses in `refuses` it does not know."""

    def __init__(self):
        self.taken, self.refuses = [], set()

    async def handle_RCPT(self, _server, _session, envelope, address, _options):  # noqa: N802
        if address in self.refuses:
            return "550 5.1.1 unknown"
        envelope.rcpt_tos.append(address)
        return "250 OK"

    async def handle_DATA(self, _server, _session, envelope):  # noqa: N802
        await asyncio.sleep(0)
        self.taken.append((envelope.mail_from, envelope.rcpt_tos, bytes(envelope.content)))
        return "250 OK"


@pytest.fixture
def smtp(settings):
    inbox = Inbox()
    with socket.create_server(("127.0.0.1", 0)) as free:
        port = free.getsockname()[1]
    server = Controller(inbox, hostname="127.0.0.1", port=port)
    server.start()
    settings.EMAIL_BACKEND = "django.core.mail.backends.smtp.EmailBackend"
    settings.EMAIL_HOST, settings.EMAIL_PORT = "127.0.0.1", port
    settings.EMAIL_USE_TLS = settings.EMAIL_USE_SSL = False
    settings.EMAIL_HOST_USER = settings.EMAIL_HOST_PASSWORD = ""
    yield inbox
    server.stop()


def test_messages_reach_a_real_server_with_an_envelope_of_their_own(stand, smtp, settings):
    people = [record for record in everybody(stand.handover.book) if record.basic[3]]
    smtp.refuses = {people[0].basic[3]}
    notice = sent(stand)
    assert len(smtp.taken) == 7
    for sender, to, content in smtp.taken:
        key = key_in(sender)
        row = Addressee.objects.select_related("notice__handover").get(pk=key.partition("-")[0])
        found = message_from_bytes(content, policy=policy.default)
        assert row.state == "sent"
        assert to == [next(one.basic[3] for one in people if one.id == row.customer)]
        assert found["From"].addresses[0].addr_spec == settings.DEFAULT_FROM_EMAIL
        assert path_of(row) in found.get_content()
        assert found["Auto-Submitted"] == "auto-generated"
    assert notice.addressees.get(customer=people[0].id).state == "failed"


def report(to, action="failed", kind="delivery-status"):
    """A delivery report as RFC 3464 writes it."""
    mail_ = MIMEMultipart("report", **{"report-type": kind})
    mail_["From"], mail_["To"], mail_["Subject"] = "MAILER-DAEMON@mx.example", to, "Undelivered"
    mail_.attach(MIMEText("It did not arrive."))
    status = message_from_bytes(
        b"Content-Type: message/delivery-status\r\n\r\nReporting-MTA: dns; mx.example\r\n\r\n"
        + f"Final-Recipient: rfc822; x@y.example\r\nAction: {action}\r\nStatus: 5.1.1\r\n".encode()
    )
    mail_.attach(status)
    mail_.attach(MIMEMessage(message_from_bytes(b"Subject: Notice\r\n\r\n")))
    return mail_.as_bytes()


@pytest.fixture
def row(stand):
    sent(stand)
    return Addressee.objects.filter(state="sent").order_by("pk").first()


def key_of(row, attempt=1):
    return f"{row.pk.hex}-{attempt}"


def test_a_report_marks_its_message(row, tmp_path, capsys):
    file = tmp_path / "report.eml"
    file.write_bytes(report(return_address(key_of(row))))
    call_command("read_bounces", str(file))
    assert "1 mails read, 1 of them reports of ours, 1 messages marked." in capsys.readouterr().out
    row.refresh_from_db()
    assert row.state == "bounced"
    assert Entry.objects.get(verb="handover.notice.bounced").data["count"] == 1
    call_command("read_bounces", str(file))
    assert "0 messages marked" in capsys.readouterr().out


def test_mailboxes_of_both_kinds(row, tmp_path, capsys):
    box = Maildir(tmp_path / "box")
    box.add(report(return_address(key_of(row))))
    box.add(b"From: a@b.example\r\nSubject: Hello\r\n\r\nHi")
    call_command("read_bounces", str(tmp_path / "box"))
    assert "2 mails read, 1 of them" in capsys.readouterr().out
    call_command("read_bounces", str(tmp_path / "box"))
    assert "0 mails read" in capsys.readouterr().out
    many = mbox(tmp_path / "many")
    many.add(b"From: a@b.example\nSubject: Hello\n\nHi")
    many.add(report(return_address(key_of(row))))
    many.flush()
    call_command("read_bounces", str(tmp_path / "many"))
    assert "2 mails read, 1 of them" in capsys.readouterr().out
    with pytest.raises(CommandError, match="There is nothing at"):
        call_command("read_bounces", str(tmp_path / "none"))


@pytest.mark.parametrize(
    "raw",
    [
        b"",
        b"\xff\xfe\x00",
        b"Content-Type: multipart/report; boundary=x\r\n\r\n--x\r\n",
        report("handover+n-zz@localhost"),
        report("handover@localhost"),
        report(return_address("0" * 32 + "-1"), action="delayed"),
        report(return_address("0" * 32 + "-1"), action="delivered"),
    ],
)
def test_what_is_no_report_of_a_failure_is_passed_over(raw):
    assert keys_in(raw) == set()


@pytest.mark.parametrize("attempt", [2, 9])
def test_a_report_of_another_attempt_marks_nothing(row, attempt):
    assert sending.take_bounces(keys={key_of(row, attempt)}, now=timezone.now()) == 0
    assert sending.take_bounces(keys={"0" * 32 + "-1"}, now=timezone.now()) == 0


@pytest.mark.parametrize(
    "text", ["", "a@b", "a\nb@c.example", "a@b.example\r\nBcc: x@y.example", "李@b.example", "a b@c.d"]
)
def test_what_cannot_stand_in_a_header_is_no_address(text):
    assert not is_address(text)


def test_who_has_not_answered_is_reminded_once_before_the_end(stand):
    notice = sent(stand)
    mailed = Addressee.objects.filter(state="sent").order_by("pk")
    Addressee.objects.filter(pk=mailed[0].pk).update(answer="objected")
    Addressee.objects.filter(pk__in=[row.pk for row in mailed[1:3]]).update(language="en")
    mail.outbox.clear()
    reminding.remind(now=timezone.now())
    assert not Job.objects.filter(kind=reminding.REMIND).exists(), "the end is a week away"
    near = timezone.now() + timedelta(days=5)
    Notice.objects.filter(pk=notice.pk).update(opened_at=timezone.now() - timedelta(days=2))
    for job in reminding.remind(now=near):
        demo.run_job(job)
    assert reminding.remind(now=near) == []
    assert len(mail.outbox) == 7
    titles = {language: texts["title"] for language, texts in notice.texts.items()}
    begins = {"en": "Reminder: ", "zh-hans": "提醒："}
    reminded = Addressee.objects.exclude(reminded_at=None).values_list("language", flat=True)
    assert Counter(reminded) == {"en": 2, "zh-hans": 5}
    expected = Counter(begins[language] + titles[language] for language in reminded)
    assert Counter(one.subject for one in mail.outbox) == expected
    assert Addressee.objects.filter(reminded_at__isnull=False).count() == 7
    assert Entry.objects.get(verb="handover.notice.reminded").data["count"] == 7


def test_the_period_ends_by_itself(stand):
    notice = sent(stand)
    nightly()
    assert Notice.objects.get().state == "open"
    Notice.objects.filter(pk=notice.pk).update(answer_until=timezone.localdate() - timedelta(days=1))
    nightly()
    assert Notice.objects.get().state == "closed"
    assert Entry.objects.filter(verb="handover.notice.closed").count() == 1


def test_letters_are_taken_out_for_a_purpose_and_count_as_sent(stand):
    notice = sent(stand)
    lead, now = stand.cast.seller_lead, timezone.now()
    with refused("State the purpose"):
        letters.export(actor=lead, notice=notice, purpose=" ", now=now)
    text = "".join(letters.export(actor=lead, notice=notice, purpose="Tell by letter", now=now))
    without_mail = [record for record in everybody(stand.handover.book) if not record.basic[3]]
    assert len(text.strip().splitlines()) == 1 + len(without_mail)
    for record in without_mail:
        row = notice.addressees.select_related("notice__handover").get(customer=record.id)
        assert record.basic[1] in text
        assert record.basic[4] in text
        assert path_of(row) in text
        assert row.state == "sent"
    assert lead.email in text
    assert Entry.objects.get(verb="handover.notice.letters").data["purpose"] == "Tell by letter"
    with refused("No letter waits"):
        letters.export(actor=lead, notice=notice, purpose="Again", now=now)


def test_no_letter_holds_a_formula(cast, open_at):
    """Names and addresses come from files of others; the printer's clerk opens the list as a sheet."""
    stand = open_at(StepKind.NECESSITY, customers=1)
    evil = ("=1+1", "@SUM(A1)", "+1", "-2+3", "\t=1", "＝1")
    add_people(
        stand.handover.book, [Record(uuid7(), basic=(f"E{n}", text, "", "", text, "")) for n, text in enumerate(evil)]
    )
    for kind in (StepKind.NECESSITY, StepKind.SCOPE):
        stand.pass_gate(kind)
    demo.pass_plan(stand.demo, **by_platform())
    notice = sent(stand)
    lead, now = stand.cast.seller_lead, timezone.now()
    text = "".join(letters.export(actor=lead, notice=notice, purpose="Letters", now=now)).removeprefix("\ufeff")
    cells = [cell for row in csv.reader(io.StringIO(text)) for cell in row]
    assert sum(cell.startswith("'") for cell in cells) == 2 * len(evil)
    assert not [cell for cell in cells if cell.startswith(("=", "+", "-", "@", "\t", "＝"))]


def test_letters_need_clearance_and_permission(stand):
    notice = sent(stand)
    now = timezone.now()
    stand.handover.book.grants.filter(permission__codename="export_basic").delete()
    with refused("None of your teams", CustomersError):
        letters.export(actor=stand.cast.seller_lead, notice=notice, purpose="Letters", now=now)
    stand.cast.seller_lead.completions.all().delete()
    with refused(".", CustomersError):
        letters.export(actor=stand.cast.seller_lead, notice=notice, purpose="Letters", now=now)
    with refused("Only leads of the seller"):
        letters.export(actor=stand.cast.buyer_lead, notice=notice, purpose="Letters", now=now)
