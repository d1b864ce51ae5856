"""Lives of a handover as state machines: everybody does anything in any order, also withdraws, gives back, accepts and
disposes, holds, asks to be left out, answers, pauses and cancels, while the days go by.

`LIVES=5000 STEPS=30 bin/test tests/handover/test_life.py` runs so many lives of so many acts each."""

import os
from collections import Counter
from contextlib import suppress
from datetime import timedelta
from unittest import mock

from django.core import mail
from django.utils import timezone
from hypothesis import HealthCheck, Phase, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, rule, run_state_machine_as_test
from stand import rolled_back
from test_acts import ACTS
from test_walks import _bring_on, _rules_hold, _run_jobs, _step

from compliance.errors import ComplianceError
from compliance.services import Noticed, Work, claim, decide
from customers.errors import CustomersError
from customers.models import Customer, Hold, SubjectRequest
from customers.services import holding
from customers.workflow import BookState
from handover import tasks
from handover.errors import HandoverError
from handover.models import Acceptance, Certificate, Disposition, Execution, Handover, OnboardingTask
from handover.services import accepting, disposing, onboarding, stopping
from handover.services.countersigning import countersign
from handover.services.reviewing import live_review
from handover.workflow import ENDED, HANDOVER_MOVES, ExecutionState, HandoverState, Side, StepKind
from jobs import running
from jobs import services as jobs
from jobs.errors import JobsError
from jobs.models import Job
from vault.models import DataKey

LIVES, STEPS = int(os.environ.get("LIVES", "4")), int(os.environ.get("STEPS", "10"))
PEOPLE = ["seller_lead", "seller_clerk", "buyer_lead", "buyer_clerk", "reviewer", "agent"]
WHO = st.sampled_from(PEOPLE)
# What one person may do is done now and then.
SELLS, BUYS = st.just("seller_lead") | WHO, st.just("buyer_lead") | WHO
PLACE = st.integers(0, 3)
_REFUSALS = (HandoverError, CustomersError, ComplianceError, JobsError)


def live(life, stand):
    """Let `LIVES` lives of the class begin at `stand`, each as if the others had not been."""
    settings_ = settings(
        max_examples=LIVES,
        stateful_step_count=STEPS,
        deadline=None,
        # To make a bad life smaller would take the whole time of the suite.
        phases=[Phase.generate],
        suppress_health_check=list(HealthCheck),
    )
    ends = Counter()
    run_state_machine_as_test(type(life.__name__, (life,), {"stand": stand, "ends": ends}), settings=settings_)
    # Read by whoever has thousands run.
    print(f"{ends.total()} lives of {STEPS} acts ended:", *sorted(ends.items()))  # noqa: T201


class Life(RuleBasedStateMachine):
    """A handover whose customers are told outside of the platform."""

    stand, ends = None, Counter()

    def __init__(self):
        super().__init__()
        self.ahead, now = timedelta(0), timezone.now
        self.clock = mock.patch.object(timezone, "now", lambda: now() + self.ahead)
        self.block = rolled_back()
        self.clock.__enter__()
        self.block.__enter__()
        mail.outbox.clear()
        self.state = HandoverState.OPEN
        self.source = set(Customer.objects.values_list("pk", flat=True))
        # Who asked to be left out while nothing had crossed.
        self.out = set()

    def teardown(self):
        self.ends[str(self.stand.handover.state)] += 1
        self.block.__exit__(None, None, None)
        self.clock.__exit__(None, None, None)

    def act(self, do, name, **more):
        """Whether the person was let do it."""
        with suppress(*_REFUSALS):
            do(actor=getattr(self.stand.cast, name), now=timezone.now(), **more)
            return True
        return False

    def bring_on(self):
        """The next thing that it waits for."""
        if self.stand.handover.state == HandoverState.CERTIFIED:
            self.bring_to_its_end()
        with suppress(*_REFUSALS):
            _bring_on(self.stand)

    def bring_to_its_end(self):
        if Acceptance.objects.get(handover=self.stand.handover).accepted_at is None:
            self.accepts("buyer_lead")
        elif not Disposition.objects.filter(handover=self.stand.handover, state="done").exists():
            self.disposes("seller_lead", runs=True)
        else:
            self.finishes_tasks("buyer_lead")
            self.days_pass(0)

    def customer(self, place):
        return Customer.objects.select_related("book").get(pk=sorted(self.source)[place])

    def nothing_runs(self):
        return not executions(self.stand).exists()

    # A life of the later gates needs one that has come there.
    @initialize(times=st.integers(0, 20) | st.integers(18, 32))
    def has_come_so_far(self, times):
        for _turn in range(times):
            self.bring_on()

    @rule(times=st.integers(1, 12))
    def goes_on(self, times):
        for _turn in range(times):
            self.bring_on()

    @rule(what=st.sampled_from(sorted(ACTS)), name=WHO, side=st.sampled_from([None, *Side]))
    def somebody_acts(self, what, name, side):
        _step(self.stand, (what, name, side))

    @rule(decision=st.sampled_from(["sent_back", "refused"]), place=st.sampled_from(["", *StepKind]))
    def the_audit_goes_back(self, decision, place):
        review = live_review(self.stand.step(StepKind.AUDIT))
        if review and review.state == "waiting":
            now, reviewer = timezone.now(), self.stand.cast.reviewer
            review = claim(actor=reviewer, review=review, now=now)
            work = Work(findings=[Noticed("minor", "It is not what was agreed.", place=place)])
            decide(actor=reviewer, review=review, decision=decision, reason="See it.", work=work, now=now)

    @rule(name=WHO)
    def withdraws(self, name):
        self.act(stopping.stop, name, handover=self.stand.handover, reason="Off.")

    @rule(name=BUYS)
    def accepts(self, name):
        self.act(accepting.accept, name, handover=self.stand.handover)

    @rule(days=st.sampled_from([0, 1, 2, 3, 5, 8, 9, 30]))
    def days_pass(self, days):
        self.ahead += timedelta(days=days)
        for task in (tasks.notices, tasks.packages, tasks.after, tasks.back_up_books):
            task()

    @rule(name=BUYS, reason=st.sampled_from(["", "No use."]))
    def gives_back(self, name, reason):
        self.act(accepting.roll_back, name, handover=self.stand.handover, reason=reason)

    @rule(really=st.sampled_from([False, False, False, True]))
    def is_given_back(self, really):
        """Between certificate and acceptance there are few acts: hardly any life would come to this by chance."""
        for _turn in range(32 if really else 0):
            if self.stand.handover.state == HandoverState.OPEN:
                self.bring_on()
        if really:
            self.gives_back("buyer_lead", "No use.")

    @rule(name=SELLS)
    def asks_back(self, name):
        self.act(accepting.ask_back, name, handover=self.stand.handover, reason="The price fell.")

    @rule(name=SELLS, runs=st.booleans())
    def disposes(self, name, runs):
        self.act(disposing.begin, name, handover=self.stand.handover)
        if runs:
            _run_jobs(self.stand)

    @rule(name=BUYS)
    def finishes_tasks(self, name):
        for task in OnboardingTask.objects.all():
            self.act(onboarding.finish, name, task=task, note="Done.")

    @rule(name=WHO, side=st.sampled_from(Side))
    def signs(self, name, side):
        for made in Certificate.objects.all():
            if self.act(countersign, name, certificate=made, side=side, digest=bytes(made.digest)):
                assert name == f"{side}_lead"
                assert made.revoked_at is None

    @rule(kind=st.sampled_from(["access", "object", "delete"]), place=PLACE)
    def a_customer_asks(self, kind, place):
        customer, now = self.customer(place), timezone.now()
        SubjectRequest.objects.create(
            book=customer.book, customer=customer, kind=kind, opened_at=now, due_on=timezone.localdate(now)
        )
        if kind != "access" and self.nothing_runs():
            self.out.add(customer.pk)

    @rule(name=WHO, place=PLACE)
    def holds(self, name, place):
        customer = self.customer(place)
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

    @rule(times=st.integers(1, 4))
    def a_worker_does_a_little(self, times):
        for job in Job.objects.order_by("created_at"):
            for _turn in range(times):
                running.step(job.pk, timezone.now)

    @rule()
    def the_requests_are_answered(self):
        SubjectRequest.objects.update(state="done")

    @invariant()
    def the_gates_hold(self):
        # Given back, a gate that passed has no execution any more.
        if self.stand.handover.state != HandoverState.ROLLED_BACK:
            _rules_hold(self.stand)

    @invariant()
    def it_only_moves_by_the_table(self):
        now, ways = self.stand.handover.state, {self.state}
        for _further in range(2):
            ways |= {after for before in ways for after in HANDOVER_MOVES[HandoverState(before)]}
        assert now in ways
        self.state = now

    @invariant()
    def what_it_says_is_so(self):
        _end_holds(self.stand, self.source)
        assert not crossed() & self.out, "who asked to be left out crossed"
        for hold in Hold.objects.filter(released_at=None, customer__in=self.source):
            assert _keys({hold.customer_id}) == 3, "what is held was destroyed"


def executions(stand):
    """What was not undone."""
    return Execution.objects.filter(handover=stand.handover).exclude(state=ExecutionState.ROLLED_BACK)


def crossed():
    """Whom the buyer has, by what they are at the seller."""
    return set(Customer.objects.filter(origin__isnull=False).values_list("origin", flat=True))


def _keys(customers):
    return DataKey.objects.filter(subject__in=customers, wrapped__isnull=False).count()


def _end_holds(stand, source):
    handover = Handover.objects.select_related("book").get(pk=stand.handover.pk)
    acceptance = Acceptance.objects.filter(handover=handover).first()
    disposition = Disposition.objects.filter(handover=handover).first()
    assert (acceptance is None) == (handover.state in {HandoverState.OPEN, HandoverState.STOPPED})
    if handover.state in {HandoverState.STOPPED, HandoverState.ROLLED_BACK}:
        assert not executions(stand).exists()
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
        gone = crossed() if disposition.kind == "destroy" else set()
        assert _keys(gone) == 0
        assert _keys(source - gone) == 3 * len(source - gone)
    assert handover.state not in ENDED or handover.ended_at
