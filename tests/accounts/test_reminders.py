"""Mails before a passed course expires: 30, 7 and 1 days ahead, once each."""

import smtplib
from datetime import date, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest
import time_machine
from clearing import take_back_course
from django.core import mail

from accounts.models import Completion, Membership
from accounts.services import change_person, remind
from accounts.tasks import remind as task
from config.settings.work import CELERY_BEAT_SCHEDULE
from ledger.models import Entry

pytestmark = pytest.mark.django_db
ENDS = date(2027, 3, 1)


@pytest.fixture
def one(cast):
    """Of all that was passed only this comes to its end."""
    Completion.objects.update(expires_on=date(2030, 1, 1))
    completion = Completion.objects.filter(user=cast.seller_clerk, course="law")
    completion.update(expires_on=ENDS)
    return completion.get()


def night(days_left, hour=7):
    day = ENDS - timedelta(days=days_left)
    return datetime(day.year, day.month, day.day, hour, 30, tzinfo=ZoneInfo("Asia/Shanghai"))


def test_three_mails_in_forty_nights(one, cast):
    sent = {}
    for left in range(40, -3, -1):
        with time_machine.travel(night(left), tick=False):
            if task():
                sent[left] = mail.outbox[-1]
            assert task() == 0  # once is enough
    assert list(sent) == [30, 7, 1]
    assert len(mail.outbox) == 3
    assert all(message.to == [cast.seller_clerk.email] for message in mail.outbox)
    assert "30 days are left" in sent[30].body and "1 day is left" in sent[1].body
    assert "The law of personal information" in sent[7].subject and "个人信息法律基础" in sent[7].subject
    days = Entry.objects.filter(verb="course.reminded").order_by("id").values_list("data__days", flat=True)
    assert list(days) == [30, 7, 1]


def test_nights_that_were_missed_send_the_nearest_only(one):
    assert remind(now=night(5)) == 1
    assert remind(now=night(4)) == 0
    assert remind(now=night(1)) == 1


def test_who_passed_again_is_not_reminded(one, cast, now):
    Completion.objects.create(
        user=cast.seller_clerk,
        course="law",
        version=1,
        right=9,
        questions=10,
        passed_at=now,
        expires_on=date(2028, 1, 1),
    )
    assert remind(now=night(7)) == 0


@pytest.mark.parametrize("gone", ["inactive", "left"])
def test_who_has_left_is_not_reminded(one, cast, now, gone):
    if gone == "inactive":
        change_person(actor=cast.agent, person=cast.seller_clerk, now=now, is_active=False)
    else:
        Membership.objects.filter(user=cast.seller_clerk).delete()
    assert remind(now=night(7)) == 0


def test_what_never_was_is_not_reminded(one, cast):
    take_back_course(cast.seller_clerk, "law")
    assert remind(now=night(7)) == 0


def test_a_mail_that_could_not_be_sent_is_tried_again(one, monkeypatch):
    def down(*_args, **_kwargs):
        raise smtplib.SMTPServerDisconnected

    with monkeypatch.context() as patch:
        patch.setattr("accounts.services.courses.send_mail", down)
        assert remind(now=night(7)) == 0
    one.refresh_from_db()
    assert one.reminded is None
    assert not Entry.objects.filter(verb="course.reminded").exists()
    assert remind(now=night(6)) == 1


def test_the_scheduler_runs_it_every_day():
    (entry,) = (one for one in CELERY_BEAT_SCHEDULE.values() if one["task"] == "accounts.remind")
    assert (entry["schedule"].hour, entry["schedule"].minute) == ({7}, {30})
