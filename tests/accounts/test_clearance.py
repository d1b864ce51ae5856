"""The one function that says whether customer data opens for a person, and what is missing."""

from dataclasses import replace
from datetime import date, datetime, timedelta
from zoneinfo import ZoneInfo

import owner
import pgtrigger
import pytest
from clearing import UNCLEAR, forget_everything, let_expire
from django.utils import timezone
from django.utils.translation import override

from accounts import courses as course_room
from accounts.clearance import Need, clearance_for, held_by, needs_of
from accounts.courses import courses
from accounts.models import Agreement, Completion, Signature
from accounts.overview import clearance_waiting, colleagues_of

pytestmark = pytest.mark.django_db


def test_the_cast_is_cleared(cast, now):
    for person in (cast.seller_lead, cast.buyer_clerk, cast.reviewer, cast.agent):
        found = clearance_for(person, Need(person.places[0].organization_id), now)
        assert found and not found.missing and found.refusal == ""


@pytest.mark.parametrize("why", UNCLEAR)
def test_one_missing_thing_closes_and_is_named_with_its_cure(cast, now, client_of, why):
    make, words = UNCLEAR[why]
    make(cast.seller_clerk, now)
    found = clearance_for(cast.seller_clerk, Need(cast.seller.pk), timezone.now())
    assert not found
    (missing,) = found.missing
    assert words in missing.title and words in found.refusal
    assert client_of(cast.seller_clerk).get(missing.url).status_code == 200


def test_everything_that_is_missing_is_listed_in_order(cast, now):
    forget_everything(cast.buyer_lead)
    need = Need(cast.buyer.pk, courses=tuple(courses()))
    urls = [one.url for one in clearance_for(cast.buyer_lead, need, now).missing]
    agreement = Agreement.objects.get()
    assert urls == [f"/agreements/{agreement.pk}/", *(f"/courses/{code}/" for code in courses())]
    with override("zh-hans"):
        assert "客户信息保密承诺书" in clearance_for(cast.buyer_lead, need, now).missing[0].title


def test_without_any_agreement_nobody_is_cleared(cast, now):
    with owner.within(), pgtrigger.ignore():
        Signature.objects.all().delete()
        Agreement.objects.all().delete()
    found = clearance_for(cast.seller_lead, Need(cast.seller.pk), now)
    assert "no agreement is published" in found.missing[0].title


def test_a_course_counts_until_the_day_of_its_expiry_begins(cast, now):
    shanghai = ZoneInfo("Asia/Shanghai")
    Completion.objects.filter(user=cast.seller_lead).update(expires_on=date(2027, 3, 1))
    need = Need(cast.seller.pk)
    midnight = datetime(2027, 3, 1, tzinfo=shanghai)
    assert clearance_for(cast.seller_lead, need, midnight - timedelta(seconds=1))
    assert not clearance_for(cast.seller_lead, need, midnight)


def test_the_completion_that_counts_longest_counts(cast, now):
    let_expire(cast.seller_lead)
    Completion.objects.create(
        user=cast.seller_lead,
        course="law",
        version=1,
        right=10,
        questions=10,
        passed_at=now,
        expires_on=timezone.localdate() + timedelta(days=2),
    )
    assert clearance_for(cast.seller_lead, Need(cast.seller.pk), timezone.now())


def test_a_version_that_counts_no_longer_is_taken_again(cast, now, monkeypatch):
    newer = {**courses(), "law": replace(courses()["law"], version=2, accepts=2)}
    monkeypatch.setattr("accounts.courses.courses", lambda: newer)
    assert course_room.course_of("law").accepts == 2
    (missing,) = clearance_for(cast.seller_lead, Need(cast.seller.pk), now).missing
    assert missing.url == "/courses/law/"


def test_three_queries_for_any_number_of_people_and_needs(cast, now, django_assert_num_queries):
    people = [cast.seller_lead, cast.seller_clerk, cast.buyer_lead]
    needs = [Need(cast.seller.pk), Need(cast.buyer.pk, cast.seller.pk, tuple(courses()))]
    with django_assert_num_queries(3):
        held = held_by(people, needs)
        assert all(held[person.pk].clearance(need, now) for person in people for need in needs)


def test_what_is_missing_waits_at_home_and_what_expires_soon_too(cast, now, client_of):
    person = cast.seller_clerk
    assert not clearance_waiting(person, now)
    let_expire(person)
    (waiting,) = clearance_waiting(person, timezone.now())
    assert (waiting.url, waiting.button) == ("/courses/law/", "Take the course")
    page = client_of(person).get("/")
    assert "Pass the course" in page.content.decode()
    assert page.context["shell"].to_clear == 1
    # Only where it belongs: the places without a number of their own stay without one.
    assert [place.count for group in page.context["shell"].groups for place in group.places] == [1, 0, 0, 0, 0, 0, 0]
    soon = timezone.localdate() + timedelta(days=20)
    Completion.objects.filter(user=person, course="law").update(expires_on=soon)
    (waiting,) = clearance_waiting(person, timezone.now())
    assert "before it expires" in waiting.title and waiting.due.date() == soon


def test_needs_have_no_repetitions_and_a_stranger_to_all_has_none(cast, now):
    assert needs_of(cast.seller_lead, now) == [Need(cast.seller.pk)]


def test_a_lead_sees_what_colleagues_miss(cast, now):
    let_expire(cast.seller_clerk)
    (found,) = colleagues_of(cast.seller_lead, timezone.now())
    assert found.person == cast.seller_clerk and found.missing[0].url == "/courses/law/"
    assert not colleagues_of(cast.seller_clerk, now)
