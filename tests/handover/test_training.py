"""The people of the buyer pass the course on maintaining what arrived, by a day; the last one ticks the task."""

from datetime import timedelta

import pytest
from clearing import take_back_course
from django.core import mail
from django.urls import reverse
from django.utils import timezone
from stand import stand_at

from accounts.binding import rights_of
from accounts.courses import MAINTENANCE, course_of
from accounts.models import Assignment, Membership
from accounts.services import take_quiz
from accounts.tasks import remind
from accounts.waiting import waiting_for
from handover.models import OnboardingTask
from handover.services import accepting, onboarding
from handover.workflow import StepKind
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
