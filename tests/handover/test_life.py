"""A handover from its opening to its end, whatever people do in it, when its customers were told elsewhere."""

import pytest
from lives import Life, live
from stand import stand_at

from handover.workflow import StepKind


@pytest.fixture(scope="module")
def made(keep):
    return keep(lambda cast: stand_at(cast, StepKind.NECESSITY, 4, acceptance_days=5, chunk_size=2))


def test_no_life_reaches_what_the_rules_forbid(kept_stand):
    live(Life, kept_stand)
