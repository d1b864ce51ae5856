"""The people of the buyer pass the course on maintaining what arrived, by a day; the last one ticks the task."""

from datetime import timedelta
from unittest import mock

import owner
import pytest
from clearing import take_back_course
from django.core import mail
from django.urls import reverse
from django.utils import timezone
from stand import stand_at

from accounts.binding import rights_of
from accounts.courses import MAINTENANCE, course_of
from accounts.models import Assignment, Membership
from accounts.services import add_membership, add_person, take_quiz
from accounts.tasks import remind
from accounts.waiting import waiting_for
from handover.models import Handover, OnboardingTask
from handover.services import accepting, onboarding
from handover.tasks import after
from handover.workflow import HandoverState, StepKind
from ledger.models import Entry
from tenancy import rights


@pytest.fixture(scope="module")
def made(keep):
    def build(cast):
        for person in (cast.buyer_lead, cast.buyer_clerk):
            take_back_course(person, MAINTENANCE)
        stand = stand_at(cast, StepKind.AUDIT, 2, acceptance_days=10)
        stand.pass_gate(StepKind.AUDIT)
        return stand

    return keep(build)


def accept(stand):
    accepting.accept(actor=stand.cast.buyer_lead, handover=stand.handover, now=timezone.now())


def passes(person):
    course = course_of(MAINTENANCE)
    answers = {place: one.right for place, one in enumerate(course.questions)}
    with rights.bound(rights_of(person)):
        take_quiz(actor=person, course=course, answers=answers, now=timezone.now())


def task(stand):
    return OnboardingTask.objects.get(handover=stand.handover, kind="train")


def test_it_is_assigned_when_it_is_accepted_and_done_by_the_last_one(kept_stand, client_of):
    stand, cast = kept_stand, kept_stand.cast
    assert not Assignment.objects.exists()
    accept(stand)
    assigned = Assignment.objects.filter(subject=stand.handover.pk, done_at=None)
    assert {one.user for one in assigned} == {cast.buyer_lead, cast.buyer_clerk}
    assert {one.due_on for one in assigned} == {task(stand).due_on} == {timezone.localdate() + timedelta(days=30)}
    url = reverse("handover:after", args=[stand.handover.pk])
    assert "0 of 2 people have passed the course" in client_of(cast.buyer_clerk).get(url).content.decode()
    assert "have passed the course" not in client_of(cast.seller_lead).get(url).content.decode()
    lines = [one for one in waiting_for(cast.buyer_clerk, timezone.now()) if "courses/maintenance" in one.url]
    assert [timezone.localdate(one.due) for one in lines] == [task(stand).due_on]
    passes(cast.buyer_clerk)
    assert task(stand).done_at is None
    page = client_of(cast.buyer_lead).get(url).content.decode()
    assert f"Still to pass it: {cast.buyer_lead.name}" in page
    passes(cast.buyer_lead)
    assert (task(stand).done_by, bool(task(stand).done_at)) == (cast.buyer_lead, True)
    assert Entry.objects.filter(verb="handover.task_done", data__task="train").count() == 1
    assert "Everybody to whom the course was assigned" in client_of(cast.buyer_lead).get(url).content.decode()
    assert not [one for one in waiting_for(cast.buyer_clerk, timezone.now()) if "courses/maintenance" in one.url]


def test_whose_completion_counts_beyond_the_day_has_nothing_to_do(kept_stand):
    for person in (kept_stand.cast.buyer_lead, kept_stand.cast.buyer_clerk):
        passes(person)
    accept(kept_stand)
    assert Assignment.objects.exclude(done_at=None).count() == 2
    assert task(kept_stand).done_at
    assert Entry.objects.filter(verb="handover.trained").count() == 1


def test_who_leaves_holds_nobody_up(kept_stand):
    accept(kept_stand)
    passes(kept_stand.cast.buyer_lead)
    assert onboarding.tick_trained(now=timezone.now()) == 0
    Membership.objects.filter(user=kept_stand.cast.buyer_clerk).delete()
    assert onboarding.tick_trained(now=timezone.now()) == 1
    assert task(kept_stand).done_at
    assert onboarding.tick_trained(now=timezone.now()) == 0


def test_reminded_before_the_day_and_once_after_it(kept_stand, monkeypatch):
    accept(kept_stand)
    passes(kept_stand.cast.buyer_lead)
    due, sent = task(kept_stand).due_on, {}
    for left in range(10, -5, -1):
        night = timezone.now() + (due - timedelta(days=left) - timezone.localdate())
        monkeypatch.setattr(timezone, "now", lambda night=night: night)
        mail.outbox.clear()
        remind()
        mine = [one for one in mail.outbox if "Maintaining" in one.subject and one.to == [_clerk(kept_stand)]]
        sent |= {left: mine[0]} if mine else {}
        mail.outbox.clear()
        remind()
        assert not mail.outbox, "once is enough"
        monkeypatch.undo()
    assert list(sent) == [7, 1, -1]
    assert "overdue" in sent[-1].subject and "have not passed it yet" in sent[-1].body
    assert kept_stand.handover.reference in sent[7].body and "客户信息" in sent[7].subject


def _clerk(stand):
    return stand.cast.buyer_clerk.email


def joins(stand, role=Membership.Role.CLERK):
    now = timezone.now()
    person = add_person(actor=None, email="new.hand@buyer.example", name="New Hand", now=now)
    add_membership(actor=None, person=person, organization=stand.cast.buyer, role=role, now=now)
    return person


def nights(days):
    """The task of the night, so many days from now."""
    at = timezone.now() + timedelta(days=days)
    with mock.patch("django.utils.timezone.now", lambda: at):
        after()


def test_who_joins_after_the_acceptance_is_assigned_it_the_next_night(kept_stand, client_of):
    accept(kept_stand)
    nights(1)
    assert Assignment.objects.count() == 2, "nobody has come"
    person, at = joins(kept_stand), timezone.localdate() + timedelta(days=20 + 30)
    nights(20)
    nights(21)
    one = Assignment.objects.get(user=person)
    assert (one.subject, one.course, one.done_at, one.due_on) == (kept_stand.handover.pk, MAINTENANCE, None, at)
    assert Entry.objects.filter(verb="course.assigned", data__name="New Hand").count() == 1
    assert [line for line in waiting_for(person, timezone.now()) if "courses/maintenance" in line.url]
    for who in (kept_stand.cast.buyer_lead, kept_stand.cast.buyer_clerk):
        passes(who)
    assert not task(kept_stand).done_at, "it waits for who came, too"
    page = client_of(kept_stand.cast.buyer_lead).get(reverse("handover:after", args=[kept_stand.handover.pk]))
    assert "2 of 3 people have passed the course" in page.content.decode()
    passes(person)
    assert task(kept_stand).done_by == person


def test_who_joins_knowing_it_has_nothing_to_do(kept_stand):
    accept(kept_stand)
    person = joins(kept_stand)
    passes(person)
    nights(1)
    assert Assignment.objects.get(user=person).done_at
    assert not task(kept_stand).done_at


def test_nobody_is_assigned_it_before_the_acceptance_nor_where_a_lead_had_it_done(kept_stand):
    person = joins(kept_stand)
    nights(1)
    assert not Assignment.objects.exists()
    now = timezone.now()
    onboarding.finish(actor=kept_stand.cast.buyer_lead, task=task(kept_stand), note="Trained by hand.", now=now)
    accept(kept_stand)
    nights(1)
    assert not Assignment.objects.filter(user=person).exists()


def test_after_the_handover_is_closed_nobody_is(kept_stand):
    accept(kept_stand)
    with owner.within():
        Handover.objects.filter(pk=kept_stand.handover.pk).update(state=HandoverState.CLOSED)
    person = joins(kept_stand)
    nights(1)
    assert not Assignment.objects.filter(user=person).exists()
