"""A handover from its opening to its end as a state machine: everybody does anything in any order, also withdraws,
gives back, accepts and disposes. `LIVES=5000 bin/test tests/handover/test_life.py` runs so many lives."""

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
from customers.models import Customer, SubjectRequest
from customers.workflow import BookState
from handover.errors import HandoverError
from handover.models import Acceptance, Disposition, OnboardingTask
from handover.services import accepting, closing, disposing, onboarding, stopping
from handover.services.reviewing import live_review
from handover.workflow import ENDED, HANDOVER_MOVES, ExecutionState, HandoverState, Side, StepKind
from vault.models import DataKey

LIVES = int(os.environ.get("LIVES", "4"))
PEOPLE = ["seller_lead", "seller_clerk", "buyer_lead", "buyer_clerk", "reviewer", "agent"]
WHO = st.sampled_from(PEOPLE)


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

        def teardown(self):
            self.block.__exit__(None, None, None)

        def act(self, do, name, **more):
            with suppress(HandoverError):
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

        @rule()
        def a_customer_asks(self):
            customer = Customer.objects.filter(pk__in=self.source).first()
            today = timezone.localdate()
            SubjectRequest.objects.create(
                book=customer.book, customer=customer, kind="access", opened_at=timezone.now(), due_on=today
            )

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


def _end_holds(stand, source):
    handover = stand.handover
    live = handover.executions.exclude(state=ExecutionState.ROLLED_BACK)
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
        assert DataKey.objects.filter(subject__in=source, wrapped__isnull=False).count() == 3 * len(source)
    if disposition:
        assert acceptance.accepted_at
    if handover.state == HandoverState.CLOSED:
        assert disposition.state == "done"
        assert not DataKey.objects.filter(subject__in=source, wrapped__isnull=False).exists()
        assert Customer.objects.exclude(pk__in=source).count() == len(source)
    assert handover.state not in ENDED or handover.ended_at
