"""A handover from its opening to its end, whatever people do in it, when the platform tells its customers, who may
object; the buyer is abroad, and the mechanism expires on the way."""

from datetime import timedelta

import pytest
from asked import by_platform
from django.utils import timezone
from lives import live
from stand import stand_at
from told_lives import ToldLife

from accounts.models import Organization
from handover.workflow import StepKind


@pytest.fixture(scope="module")
def made(keep):
    def build(cast):
        Organization.objects.filter(pk=cast.buyer.pk).update(country="KR")
        day = timezone.localdate()
        abroad = {"mechanism": "contract", "mechanism_reference": "SCC 1", "mechanism_from": day}
        abroad |= {"mechanism_until": day + timedelta(days=31), "sensitive_persons": 0}
        terms = {"acceptance_days": 5, "chunk_size": 2, **abroad}
        return stand_at(cast, StepKind.NECESSITY, 4, **by_platform(**terms))

    return keep(build)


def test_no_life_reaches_what_the_rules_forbid(kept_stand):
    live(ToldLife, kept_stand)
