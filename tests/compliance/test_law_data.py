"""The law as data: taken up once, versions kept, written by nobody but the owner of the tables."""

import re
from datetime import timedelta

import owner
import pytest
from django.db import DatabaseError, transaction
from django.utils import timezone, translation

from compliance import law
from compliance.errors import ComplianceError
from compliance.models import Jurisdiction, LegalBasis, Obligation
from compliance.services.law import FILE, load
from compliance.stages import Stage

pytestmark = pytest.mark.django_db
TEXT = FILE.read_text()


def taken_up(text: str) -> int:
    with owner.within():
        return load(now=timezone.now(), text=text)


def test_a_second_time_it_changes_nothing():
    assert taken_up(TEXT) == 0
    assert Obligation.objects.filter(ended_at=None).count() == TEXT.count("[[obligation]]") == 40


def test_a_changed_record_is_another_version_and_the_old_one_stays():
    assert taken_up(TEXT.replace("closing_days = 30", "closing_days = 45")) == 2
    old, new = Obligation.objects.filter(code="cn-incident-grades").order_by("version")
    assert (old.numbers["closing_days"], new.numbers["closing_days"]) == (30, 45)
    assert (old.version, new.version) == (1, 2)
    assert old.ended_at is not None and new.ended_at is None
    assert law.number("cn-incident-grades", "closing_days") == 45


def test_what_is_left_out_ends():
    block = re.search(r'\[\[obligation\]\]\ncode = "nist-incidents".*\Z', TEXT, re.DOTALL)
    assert block
    assert taken_up(TEXT.replace(block.group(), "")) == 1
    assert Obligation.objects.get(code="nist-incidents").ended_at is not None


@pytest.mark.parametrize(
    ("before", "after", "message"),
    [
        ('code = "cn-leak"', 'code = "cn-marketing"', "stands twice"),
        ('code = "nist-incidents"\njurisdiction = "NIST"', 'code = "x"\njurisdiction = "MARS"', "no such jurisdiction"),
        ("consent = true", "consent = false", "approved plans rest on"),
    ],
)
def test_a_file_that_contradicts_itself_is_refused(before, after, message):
    assert before in TEXT
    with pytest.raises(ComplianceError, match=message):
        taken_up(TEXT.replace(before, after, 1))


def test_the_application_cannot_write_it():
    with pytest.raises(DatabaseError, match="permission denied"), transaction.atomic():
        Obligation.objects.filter(code="cn-leak").update(ended_at=timezone.now())


def test_not_even_the_owner_rewrites_or_removes_a_version():
    for act in (
        lambda: Obligation.objects.filter(code="cn-leak").update(duty_en="Nothing."),
        lambda: Obligation.objects.filter(code="cn-leak").delete(),
    ):
        with pytest.raises(DatabaseError), transaction.atomic(), owner.within():
            act()


def test_every_record_is_citable_in_both_languages():
    for one in [*Obligation.objects.all(), *LegalBasis.objects.all()]:
        assert one.source_zh and one.source_en and one.status and one.as_of.year == 2026
    for one in Obligation.objects.all():
        assert one.duty_zh and one.duty_en and one.trigger_zh and one.trigger_en
        assert set(one.stages) <= set(Stage.values) and one.stages
        assert bool(one.deadline_zh) == bool(one.deadline_en)
    with translation.override("zh-hans"):
        assert Obligation.objects.get(code="cn-marketing").trigger == "营销"


def test_kind_place_and_who_leaves_decide():
    def codes(**given):
        return {one.code for one in law.obligations(**{"kind": "", "places": ["CN"], "leaving": [], **given})}

    assert "cn-succession" in codes(kind="merger") and "cn-succession" not in codes(kind="asset")
    assert "cn-providing" in codes(kind="asset") and "cn-providing" not in codes(kind="merger")
    assert {"cn-succession", "cn-providing"} <= codes(), "of a kind that is not said everything is shown"
    assert "cn-abroad" not in codes() and "cn-abroad" in codes(leaving=["CN"])
    assert not {one for one in codes(places=["KR"]) if not one.startswith("kr-")}
    assert codes(stage="incidents") < codes()


def test_every_jurisdiction_has_a_basis_with_consent_and_one_without():
    served = {(code, one.consent) for one in law.bases() for code in one.jurisdictions}
    assert served == {(one.code, asks) for one in law.jurisdictions() if one.countries for asks in (True, False)}


def test_places():
    assert {one.code for one in law.places_of(["DE", "CN"])} == {"EU", "CN", "NIST"}
    assert {one.code for one in law.places_of(["ZZ"])} == {"NIST"}
    assert Jurisdiction.objects.filter(code="EU", mechanism=True).exists()


@pytest.mark.parametrize(("country", "days"), [("DE", 30), ("GB", 30), ("US", 45), ("CN", 30), ("ZZ", 30)])
def test_how_long_an_answer_may_take(country, days):
    assert law.request_due(country) == timedelta(days=days)


def test_records_are_kept_for_years_also_from_the_last_day_of_february():
    day = timezone.localdate().replace(year=2028, month=2, day=29)
    assert law.records_kept_until(day) == day.replace(year=2031, day=28)


def test_the_page(cast, client_of):
    client = client_of(cast.buyer_clerk)
    page = client.get("/law/").content.decode()
    assert "PIPL 55-56" in page and "Counsel must confirm" in page and "From memory" in page
    assert "Transfer in a merger or acquisition (Civil Code 1798.140)" in page
    page = client.get("/law/?stage=incidents").content.decode()
    assert "GDPR 33(1)" in page and "PIPL 55-56" not in page
    assert client.get("/law/?stage=nonsense").status_code == 200
