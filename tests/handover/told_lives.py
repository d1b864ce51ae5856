"""Lives of a handover whose customers are told by the platform: they object or agree while somebody writes, sends and
takes back notices, renews the mechanism, and takes the package."""

from datetime import timedelta

from asked import SITE
from django.core import mail
from django.utils import timezone
from hypothesis import strategies as st
from hypothesis.stateful import invariant, rule
from lives import PLACE, WHO, Life, crossed, executions
from test_walks import _run_jobs

from handover.abroad import Mechanism
from handover.models import Addressee, Delivery, DownloadTicket, Notice, Renewal
from handover.notice_content import reach_of, suggested
from handover.notice_workflow import LINKED, UNSETTLED, Choice, MessageState, NoticeState
from handover.services import answering, letters, notices, renewing, sending, tickets
from handover.services.holding_out import is_told_here, live_notice, waits_for_seller
from handover.workflow import ENDED, StepKind, StepState

CUSTOMERS = "@mail.example"


class ToldLife(Life):
    """`said`: what each customer answered last and in which version, by what the services took."""

    def __init__(self):
        super().__init__()
        self.said, self.left = {}, None

    def bring_on(self):
        if not self.tells():
            super().bring_on()

    def tells(self):
        """Whether the next thing was about the notice."""
        handover, gate = self.stand.handover, self.stand.step(StepKind.EXECUTION)
        if gate.state in {StepState.SHUT, StepState.RUNNING, StepState.PASSED} or not is_told_here(handover):
            return False
        notice = live_notice(handover)
        if notice is None:
            self.writes("seller_clerk", 7)
        elif notice.state == NoticeState.DRAFT:
            self.approves("seller_lead")
        elif notice.state == NoticeState.APPROVED:
            self.sends("seller_lead", runs=True)
        elif waits_for_seller(handover):
            self.writes_letters("seller_lead")
        elif timezone.localdate() <= notice.answer_until:
            self.days_pass((notice.answer_until - timezone.localdate()).days + 1)
        else:
            return False
        return True

    def notice(self):
        return live_notice(self.stand.handover)

    def addressee(self, place):
        notice = self.notice()
        return notice and Addressee.objects.filter(notice=notice, customer=sorted(self.source)[place]).first()

    @rule(name=WHO, days=st.integers(0, 12))
    def writes(self, name, days):
        handover, notice = self.stand.handover, self.notice()
        more = {"texts": suggested(handover), "reach": reach_of(handover.seller)}
        more["answer_until"] = timezone.localdate() + timedelta(days=days)
        self.act(notices.write, name, handover=handover, seen=bytes(notice.digest) if notice else b"", **more)

    @rule(name=WHO)
    def approves(self, name):
        if notice := self.notice():
            self.act(notices.approve, name, notice=notice, digest=bytes(notice.digest))

    @rule(name=WHO, runs=st.booleans())
    def sends(self, name, runs):
        if notice := self.notice():
            self.act(sending.send, name, notice=notice, digest=bytes(notice.digest), site=SITE)
            if runs:
                _run_jobs(self.stand)

    @rule(name=WHO)
    def writes_letters(self, name):
        if notice := self.notice():
            self.act(lambda **more: list(letters.export(**more)), name, notice=notice, purpose="To tell them.")

    @rule(name=WHO)
    def takes_the_notice_back(self, name):
        if notice := self.notice():
            self.act(notices.withdraw, name, notice=notice)

    @rule(name=WHO)
    def announces(self, name):
        if notice := self.notice():
            self.act(notices.announce, name, notice=notice, day=timezone.localdate(), where="Evening News")

    @rule(place=PLACE, choice=st.sampled_from(Choice), name=st.none() | WHO)
    def a_customer_answers(self, place, choice, name):
        """By the link, or told to somebody."""
        if (row := self.addressee(place)) is None:
            return
        if name is None:
            taken = self.act(
                lambda actor, **more: answering.answer(addressee_id=row.pk, **more), "agent", choice=choice
            )
        else:
            taken = self.act(answering.answer_for, name, addressee=row, choice=choice)
        if taken:
            assert self.nothing_runs(), "an answer was taken after the transfer had begun"
            self.said[row.customer] = (choice, row.notice_id)

    @rule(name=WHO)
    def takes_the_package(self, name):
        for delivery in Delivery.objects.all():
            if not self.act(tickets.issue, name, delivery=delivery, purpose="Into our system."):
                continue
            assert name == "buyer_lead"
            ticket, more = DownloadTicket.objects.latest("issued_at"), {"start": 0, "end": delivery.bytes}
            if self.act(tickets.begin, name, ticket=ticket, **more):
                tickets.sent(ticket=ticket, request=1, now=timezone.now(), **more)

    @rule(name=WHO, days=st.sampled_from([20, 300]))
    def renews_the_mechanism(self, name, days):
        today = timezone.localdate()
        said = Mechanism("contract", "SCC 2", today, today + timedelta(days=days), None)
        self.act(renewing.write, name, handover=self.stand.handover, said=said)

    @rule(name=WHO)
    def says_yes_to_the_renewal(self, name):
        for renewal in Renewal.objects.all():
            self.act(renewing.approve, name, renewal=renewal, digest=bytes(renewal.digest))

    @invariant()
    def customers_are_obeyed(self):
        plan = getattr(self.stand.handover, "plan", None)
        if plan is None or not is_told_here(self.stand.handover):
            return
        for customer in crossed():
            choice, version = self.said.get(customer, (Choice.NONE, None))
            if plan.asks_consent:
                assert choice == Choice.CONSENTED, "who did not agree crossed"
                assert version == self.notice().pk, "who agreed to another notice crossed"
            else:
                assert choice != Choice.OBJECTED, "who objected crossed"

    @invariant()
    def nothing_begins_before_the_last_day_is_over(self):
        if is_told_here(self.stand.handover):
            for execution in executions(self.stand):
                notice = self.notice()
                assert notice.state in LINKED
                assert notice.answer_until < timezone.localdate(execution.started_at)
                assert not Addressee.objects.filter(notice=notice, state__in=UNSETTLED).exists()

    @invariant()
    def nobody_is_told_what_two_people_did_not_read(self):
        for notice in Notice.objects.filter(addressees__state=MessageState.SENT).distinct():
            assert notice.approved_by_id not in {None, notice.author_id}

    @invariant()
    def nobody_is_told_anything_after_its_end(self):
        told = sum(CUSTOMERS in to for message in mail.outbox for to in message.to)
        if self.left is not None:
            assert told == self.left
        elif self.stand.handover.state in ENDED:
            self.left = told

    @invariant()
    def nobody_takes_what_is_given_back(self):
        if self.stand.handover.state in {"rolled_back", "stopped"}:
            assert not Delivery.objects.filter(destroyed_at=None).exists()
