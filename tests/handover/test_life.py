"""A handover from its opening to its end as a state machine: everybody does anything in any order, also withdraws,
gives back, accepts and disposes, holds, asks to be left out, pauses and cancels.
`LIVES=5000 bin/test tests/handover/test_life.py` runs so many lives."""

import os
from contextlib import suppress
from datetime import timedelta

import pytest
from django.utils import timezone
from hypothesis import HealthCheck, Phase, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, rule, run_state_machine_as_test
from stand import rolled_back, stand_at
from test_acts import ACTS
from test_walks import _bring_on, _rules_hold, _run_jobs, _step

from compliance.services import Noticed, Work, claim, decide
from customers.errors import CustomersError
from customers.models import Customer, Hold, SubjectRequest
from customers.services import holding
from customers.workflow import BookState
from handover.errors import HandoverError
from handover.models import Acceptance, Disposition, OnboardingTask
from handover.services import accepting, closing, disposing, onboarding, stopping
from handover.services.reviewing import live_review
from handover.workflow import ENDED, HANDOVER_MOVES, ExecutionState, HandoverState, Side, StepKind
from jobs import services as jobs
from jobs.errors import JobsError
from jobs.models import Job
from vault.models import DataKey

LIVES = int(os.environ.get("LIVES", "4"))
PEOPLE = ["seller_lead", "seller_clerk", "buyer_lead", "buyer_clerk", "reviewer", "agent"]
WHO = st.sampled_from(PEOPLE)
PLACE = st.integers(0, 1)


@pytest.fixture(scope="module")
def made(keep):
    return keep(lambda cast: stand_at(cast, StepKind.NECESSITY, 2, acceptance_days=5))


def test_no_life_reaches_what_the_rules_forbid(kept_stand):
    class Life(RuleBasedStateMachine):
        def __init__(self):
            super().__init__()
            self.block = rolled_back()
            self.block.__enter__()
            self.state = HandoverState.OPEN
            self.source = set(Customer.objects.values_list("pk", flat=True))
            # Who asked to be left out while nothing had crossed.
            self.out = set()

        def teardown(self):
            self.block.__exit__(None, None, None)

        def act(self, do, name, **more):
            with suppress(HandoverError, CustomersError, JobsError):
                do(actor=getattr(kept_stand.cast, name), now=timezone.now(), **more)

        @rule(times=st.integers(1, 12))
        def goes_on(self, times):
            for _turn in range(times):
                _step(kept_stand, "on")

        @rule(times=st.integers(20, 30))
        def is_carried_out(self, times):
            for _turn in range(times):
                if kept_stand.handover.state == HandoverState.OPEN:
                    _bring_on(kept_stand)

        @rule(what=st.sampled_from(sorted(ACTS)), name=WHO, side=st.sampled_from([None, *Side]))
        def somebody_acts(self, what, name, side):
            _step(kept_stand, (what, name, side))

        @rule(decision=st.sampled_from(["sent_back", "refused"]), place=st.sampled_from(["", *StepKind]))
        def the_audit_goes_back(self, decision, place):
            review = live_review(kept_stand.step(StepKind.AUDIT))
            if review and review.state == "waiting":
                now, reviewer = timezone.now(), kept_stand.cast.reviewer
                review = claim(actor=reviewer, review=review, now=now)
                work = Work(findings=[Noticed("minor", "It is not what was agreed.", place=place)])
                decide(actor=reviewer, review=review, decision=decision, reason="See it.", work=work, now=now)

        @rule(name=WHO)
        def withdraws(self, name):
            self.act(stopping.stop, name, handover=kept_stand.handover, reason="Off.")

        @rule(name=WHO)
        def accepts(self, name):
            self.act(accepting.accept, name, handover=kept_stand.handover)

        @rule(days=st.integers(0, 9))
        def the_calendar_goes_on(self, days):
            now = timezone.now() + timedelta(days=days)
            accepting.accept_due(now=now)
            closing.close_done(now=now)

        @rule(name=WHO, reason=st.sampled_from(["", "No use."]))
        def gives_back(self, name, reason):
            self.act(accepting.roll_back, name, handover=kept_stand.handover, reason=reason)

        @rule(name=WHO)
        def asks_back(self, name):
            self.act(accepting.ask_back, name, handover=kept_stand.handover, reason="The price fell.")

        @rule(name=WHO, runs=st.booleans())
        def disposes(self, name, runs):
            self.act(disposing.begin, name, handover=kept_stand.handover)
            if runs:
                _run_jobs(kept_stand)

        @rule(name=WHO)
        def finishes_tasks(self, name):
            for task in OnboardingTask.objects.all():
                self.act(onboarding.finish, name, task=task, note="Done.")

        @rule(kind=st.sampled_from(["access", "object"]), place=PLACE)
        def a_customer_asks(self, kind, place):
            customer = Customer.objects.get(pk=sorted(self.source)[place])
            now = timezone.now()
            SubjectRequest.objects.create(
                book=customer.book, customer=customer, kind=kind, opened_at=now, due_on=timezone.localdate(now)
            )
            if kind == "object" and not _live(kept_stand).exists():
                self.out.add(customer.pk)

        @rule(name=WHO, place=PLACE)
        def holds(self, name, place):
            customer = Customer.objects.select_related("book").get(pk=sorted(self.source)[place])
            self.act(holding.place_hold, name, book=customer.book, customer=customer, reason="A lawsuit.", until=None)

        @rule(name=WHO)
        def releases(self, name):
            for hold in Hold.objects.filter(released_at=None):
                self.act(holding.release_hold, name, hold=hold)

        @rule(name=WHO, does=st.sampled_from([jobs.pause, jobs.go_on, jobs.cancel, jobs.retry]))
        def handles_the_jobs(self, name, does):
            more = {"reason": "Wait a moment."} if does is jobs.pause else {}
            for job in Job.objects.order_by("created_at"):
                self.act(does, name, job=job, **more)

        @rule()
        def the_requests_are_answered(self):
            SubjectRequest.objects.update(state="done")

        @invariant()
        def the_gates_hold(self):
            # Given back, a gate that passed has no execution any more.
            if kept_stand.handover.state != HandoverState.ROLLED_BACK:
                _rules_hold(kept_stand)

        @invariant()
        def it_only_moves_by_the_table(self):
            now, ways = kept_stand.handover.state, {self.state}
            for _further in range(2):
                ways |= {after for before in ways for after in HANDOVER_MOVES[HandoverState(before)]}
            assert now in ways
            self.state = now

        @invariant()
        def what_it_says_is_so(self):
            _end_holds(kept_stand, self.source)
            assert not Customer.objects.filter(origin__in=self.out).exists(), "who asked to be left out crossed"
            for hold in Hold.objects.filter(released_at=None, customer__in=self.source):
                assert _keys({hold.customer_id}) == 3, "what is held was destroyed"

    run_state_machine_as_test(
        Life,
        settings=settings(
            max_examples=LIVES,
            stateful_step_count=10,
            deadline=None,
            # A life takes seconds; to make a bad one smaller would take the whole time of the suite.
            phases=[Phase.generate],
            suppress_health_check=list(HealthCheck),
        ),
    )


def _live(stand):
    return stand.handover.executions.exclude(state=ExecutionState.ROLLED_BACK)


def _keys(customers):
    return DataKey.objects.filter(subject__in=customers, wrapped__isnull=False).count()


def _end_holds(stand, source):
    handover, live = stand.handover, _live(stand)
    acceptance = Acceptance.objects.filter(handover=handover).first()
    disposition = Disposition.objects.filter(handover=handover).first()
    assert (acceptance is None) == (handover.state in {HandoverState.OPEN, HandoverState.STOPPED})
    if handover.state in {HandoverState.STOPPED, HandoverState.ROLLED_BACK}:
        assert not live.exists()
        assert not Customer.objects.exclude(pk__in=source).exists()
        assert handover.book.state == BookState.OPEN
    if acceptance and handover.state == HandoverState.ROLLED_BACK:
        assert acceptance.accepted_at is None
        assert handover.certificate.revoked_at
    if disposition is None or handover.state == HandoverState.ROLLED_BACK:
        assert _keys(source) == 3 * len(source)
    if disposition:
        assert acceptance.accepted_at
    if handover.state == HandoverState.CLOSED:
        assert disposition.state == "done"
        crossed = set(Customer.objects.exclude(pk__in=source).values_list("origin", flat=True))
        assert _keys(crossed) == 0
        assert _keys(source - crossed) == 3 * len(source - crossed)
    assert handover.state not in ENDED or handover.ended_at
