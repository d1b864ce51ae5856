"""Writing, approving and sending the notice: every move by everybody, and what becomes of the messages."""

import stat
from datetime import timedelta

import pytest
from asked import SITE, approved, begun, path_of, sent, told_at, written
from django.core import mail
from django.utils import timezone
from move_table import PLACES
from stand import everybody, refused

from handover import demo
from handover.gateways.mail import MailGateway
from handover.gateways.protocol import NotAccepted
from handover.models import Addressee, Notice
from handover.notice_content import reach_of, suggested
from handover.notice_workflow import MESSAGE_MOVES, NOTICE_MOVES, Channel, Choice, MessageState, NoticeState
from handover.services import answering, notices, sending
from handover.services.stopping import stop
from handover.workflow import Rank, StepKind
from jobs.models import Job
from jobs.services import run_now
from ledger.models import Entry

B = StepKind.BACKUP
BY_PERSON = [move for move in NOTICE_MOVES if move.rank is not None]


@pytest.fixture
def stand(open_at):
    return told_at(open_at)


def make(name, actor, notice):
    now, digest = timezone.now(), bytes(notice.digest)
    if name == "write":
        handover = notice.handover
        return notices.write(
            actor=actor,
            handover=handover,
            texts=suggested(handover),
            reach="Us",
            answer_until=timezone.localdate() + timedelta(days=9),
            seen=digest,
            now=now,
        )
    if name == "approve":
        return notices.approve(actor=actor, notice=notice, digest=digest, now=now)
    if name == "send":
        return sending.send(actor=actor, notice=notice, digest=digest, site=SITE, now=now)
    return notices.withdraw(actor=actor, notice=notice, now=now)


@pytest.mark.parametrize("move", BY_PERSON, ids=lambda move: move.name)
@pytest.mark.parametrize("state", list(NoticeState))
def test_every_move_is_made_from_its_states_and_no_other(stand, move, state):
    notice = written(stand)
    Notice.objects.update(state=state)
    if state == NoticeState.WITHDRAWN and move.name == "write":
        # A withdrawn one counts no more: another version begins.
        assert make("write", stand.cast.seller_clerk, notice).version == 2
        return
    if state in move.before:
        make(move.name, stand.cast.seller_lead, notice)
        assert Notice.objects.get().state in {move.after, NoticeState.OPEN}
    else:
        with refused("The notice is now"):
            make(move.name, stand.cast.seller_lead, notice)


@pytest.mark.parametrize("move", BY_PERSON, ids=lambda move: move.name)
@pytest.mark.parametrize("place", [*PLACES, "stranger"])
def test_every_actor_makes_only_the_moves_of_the_seller(stand, actors, move, place):
    actor = actors.get(place)
    if actor is None:
        pytest.skip("the platform is nobody")
    notice = written(stand)
    Notice.objects.update(state=min(move.before))
    fits = {"seller_lead"} if move.rank is Rank.LEAD else {"seller_lead", "seller_clerk"}
    if actor in {getattr(stand.cast, name) for name in fits}:
        make(move.name, actor, notice)
        return
    with refused("Only leads of the seller|Only people of the seller"):
        make(move.name, actor, notice)


def test_nobody_approves_what_they_wrote(stand):
    handover = stand.handover
    lead = stand.cast.seller_lead
    notice = notices.write(
        actor=lead,
        handover=handover,
        texts=suggested(handover),
        reach=reach_of(handover.seller),
        answer_until=timezone.localdate() + timedelta(days=7),
        seen=b"",
        now=timezone.now(),
    )
    with refused("You wrote this notice"):
        approved(stand, notice)


def test_an_approval_is_of_exactly_what_was_read(stand):
    notice = written(stand)
    with refused("no longer what you read"):
        notices.approve(actor=stand.cast.seller_lead, notice=notice, digest=b"x" * 32, now=timezone.now())
    notice = approved(stand, notice)
    stand.handover.buyer.__class__.objects.filter(pk=stand.handover.buyer_id).update(contact_phone="+44 1")
    with refused("no longer what you read"):
        begun(stand, notice)


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"texts": {}}, "title, words and purpose"),
        ({"texts": {"en": {}, "zh-hans": {}}}, "title, words and purpose"),
        ({"reach": " "}, "how customers reach you"),
        ({"answer_until": timezone.localdate() + timedelta(days=6)}, "not shorter"),
        ({"seen": b"x"}, None),
    ],
)
def test_what_cannot_be_written(stand, changes, message):
    if message is None:
        written(stand)
        with refused("Somebody has saved another text"):
            written(stand, **changes)
        return
    with refused(message):
        written(stand, **changes)


def test_customers_are_not_told_before_the_plan_is_agreed_or_when_they_are_told_outside(open_at):
    early = told_at(open_at, StepKind.PLAN)
    demo.submit_plan(
        early.demo, telling="platform", told_on=None, told_how="", answer_until=timezone.localdate() + timedelta(days=7)
    )
    with refused("once a plan is agreed"):
        written(early)
    outside = open_at(B)
    with refused("once a plan is agreed"):
        written(outside)


def test_everybody_gets_a_message_in_their_language_with_a_link_of_their_own(stand):
    stand.handover.book.customers.filter(pk=stand.handover.book.customers.first().pk).update(jurisdiction="DE")
    notice = sent(stand)
    assert notice.state == NoticeState.OPEN
    rows = list(notice.addressees.select_related("notice__handover"))
    assert len(rows) == 12
    mailed = [row for row in rows if row.channel == Channel.EMAIL]
    assert len(mail.outbox) == len(mailed) == 8
    people = {record.id: record for record in everybody(stand.handover.book)}
    by_address = {one.to[0]: one for one in mail.outbox}
    for row in mailed:
        message = by_address[people[row.customer].basic[3]]
        assert SITE.rstrip("/") + path_of(row) in message.body
        assert sum(path_of(other) in message.body for other in rows) == 1
        assert row.pk.hex in message.from_email
        assert people[row.customer].basic[1] not in message.body
        assert row.state == MessageState.SENT
        assert row.sent_at
    assert {row.language for row in rows} == {"en", "zh-hans"}
    # The others have no address for mail: letters wait until they are exported.
    assert {(row.channel, row.state) for row in rows if row not in mailed} == {("post", "waiting")}


def test_no_address_in_rows_ledger_or_jobs(stand):
    sent(stand)
    addresses = [record.basic[3] for record in everybody(stand.handover.book) if record.basic[3]]
    held = [
        *map(str, Addressee.objects.values()),
        *map(str, Entry.objects.values()),
        *map(str, Job.objects.values()),
        *map(str, Job.objects.get(kind=sending.NOTIFY).chunks.values()),
    ]
    assert not any(address in text for address in addresses for text in held)


def test_nobody_is_told_twice_when_a_chunk_is_lost_after_sending(stand, monkeypatch):
    """The worker dies before the transaction ends: the messages that left are known by marks outside of it."""
    job = begun(stand)
    update = Addressee.objects.bulk_update
    lost = []

    def dies(*args, **named):
        if not lost:
            lost.append(len(mail.outbox))
            raise SystemError("killed")
        return update(*args, **named)

    monkeypatch.setattr(type(Addressee.objects), "bulk_update", lambda _self, *a, **k: dies(*a, **k))
    assert run_now(job).state == "done"
    assert lost == [8]
    assert len(mail.outbox) == 8
    assert Addressee.objects.filter(state="sent").count() == 8


def test_what_may_have_left_is_not_sent_again_by_itself(stand, monkeypatch):
    """Killed between handing over and knowing: somebody decides."""
    job = begun(stand)
    send = MailGateway.send
    killed = []

    def once(self, message):
        send(self, message)
        if not killed:
            killed.append(message.key)
            raise SystemError("killed")

    monkeypatch.setattr(MailGateway, "send", once)
    run_now(job)
    assert len(mail.outbox) == 8
    assert Addressee.objects.filter(state="unclear").count() == 1


def test_a_mail_server_that_is_away_fails_the_job_and_loses_nobody(stand, monkeypatch):
    job = begun(stand)
    with monkeypatch.context() as away:
        away.setattr(MailGateway, "send", _away)
        assert run_now(job).state == "failed"
    notice = Notice.objects.get()
    assert notice.state == NoticeState.OPEN
    assert not mail.outbox
    demo.run_job(begun(stand, notice))
    assert len(mail.outbox) == 8


def _away(_self, _message):
    raise OSError("no server")


def test_a_refused_message_is_settled_by_hand(stand, monkeypatch):
    with monkeypatch.context() as refusing:
        refusing.setattr(MailGateway, "send", _refuses)
        notice = sent(stand)
    row = Addressee.objects.filter(state="failed").first()
    lead, now = stand.cast.seller_lead, timezone.now()
    sending.settle(actor=lead, addressee=row, state="waiting", channel="post", now=now)
    demo.run_job(begun(stand, notice))
    row.refresh_from_db()
    assert (row.channel, row.state) == ("post", "waiting")
    assert len(mail.outbox) == 7


def _refuses(_self, _message):
    raise NotAccepted


@pytest.mark.parametrize("state", list(MessageState))
@pytest.mark.parametrize("to", ["waiting", "bounced", "undeliverable", "sent", "failed", "x"])
def test_every_message_is_settled_from_its_states_and_no_other(stand, state, to):
    sent(stand)
    row = Addressee.objects.order_by("pk").first()
    Addressee.objects.filter(pk=row.pk).update(state=state)
    lead, now = stand.cast.seller_lead, timezone.now()
    if to in {"waiting", "bounced", "undeliverable"} and to in MESSAGE_MOVES[state]:
        sending.settle(actor=lead, addressee=row, state=to, channel="", now=now)
        assert Addressee.objects.get(pk=row.pk).state == to
    else:
        with refused("This message is now|Choose what became"):
            sending.settle(actor=lead, addressee=row, state=to, channel="", now=now)
        assert Addressee.objects.get(pk=row.pk).state == state


def test_text_messages_go_to_files_that_nobody_else_reads(stand, settings, tmp_path):
    settings.DEBUG = True
    settings.SMS_GATEWAY, settings.SMS_FOLDER = "handover.gateways.sms.FileGateway", str(tmp_path / "sms")
    sent(stand)
    files = list((tmp_path / "sms").iterdir())
    assert len(files) == 4
    assert {stat.S_IMODE(file.stat().st_mode) for file in files} == {0o600}
    assert all(SITE in file.read_text() for file in files)
    assert set(Addressee.objects.values_list("channel", "state")) == {("email", "sent"), ("sms", "sent")}


def test_an_objection_is_carried_to_the_next_version_a_consent_is_not(stand):
    notice = sent(stand)
    first, second = notice.addressees.order_by("customer")[:2]
    answering.answer(addressee_id=first.pk, choice=Choice.OBJECTED, now=timezone.now())
    Addressee.objects.filter(pk=second.pk).update(answer=Choice.CONSENTED)
    notices.withdraw(actor=stand.cast.seller_lead, notice=notice, now=timezone.now())
    demo.run_job(begun(stand))
    newest = Notice.objects.get(version=2).addressees
    assert newest.get(customer=first.customer).answer == Choice.OBJECTED
    assert newest.get(customer=second.customer).answer == Choice.NONE


def test_customers_who_came_later_are_told_too(stand):
    notice = sent(stand)
    Addressee.objects.filter(pk=notice.addressees.first().pk).delete()
    before = len(mail.outbox)
    demo.run_job(begun(stand, notice))
    assert notice.addressees.count() == 12
    assert len(mail.outbox) - before <= 1


def test_titles_with_line_breaks_make_no_headers(stand):
    texts = suggested(stand.handover)
    for one in texts.values():
        one["title"] = "Hello\r\nBcc: everybody@example.org"
    notice = written(stand, texts=texts)
    demo.run_job(begun(stand, approved(stand, notice)))
    assert mail.outbox
    assert all("\n" not in one.subject and not one.bcc for one in mail.outbox)
    assert all(len(one.recipients()) == 1 for one in mail.outbox)


def test_a_stopped_handover_takes_no_answers(stand):
    notice = sent(stand)
    stop(actor=stand.cast.seller_lead, handover=stand.handover, reason="No sale.", now=timezone.now())
    with refused("time to answer is over"):
        answering.answer(addressee_id=notice.addressees.first().pk, choice=Choice.OBJECTED, now=timezone.now())


def test_what_a_customer_said_on_the_phone_is_kept_by_the_seller_alone(stand):
    row = sent(stand).addressees.first()
    answering.answer_for(actor=stand.cast.seller_clerk, addressee=row, choice="objected", now=timezone.now())
    row.refresh_from_db()
    assert (row.answer, row.answered_how) == ("objected", "seller")
    with refused("Only people of the seller"):
        answering.answer_for(actor=stand.cast.buyer_lead, addressee=row, choice="none", now=timezone.now())
