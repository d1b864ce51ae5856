"""A handover from its opening to its end, whatever people do in it, when only customers who agree cross and the buyer
takes a package."""

import pytest
from asked import by_platform
from hypothesis import strategies as st
from hypothesis.stateful import rule
from lives import live
from pyrage import x25519
from stand import stand_at
from told_lives import ToldLife

from handover.notice_workflow import Choice
from handover.workflow import StepKind


class ConsentLife(ToldLife):
    """In which several customers agree at once, or hardly anybody would ever cross."""

    @rule(places=st.sets(st.integers(0, 3)))
    def customers_agree(self, places):
        for place in places:
            self.a_customer_answers(place, Choice.CONSENTED, None)


@pytest.fixture(scope="module")
def made(keep):
    key = str(x25519.Identity.generate().to_public())
    terms = by_platform(legal_basis="pipl23", acceptance_days=5, chunk_size=2, recipient_key=key)
    return keep(lambda cast: stand_at(cast, StepKind.NECESSITY, 4, **terms))


def test_no_life_reaches_what_the_rules_forbid(kept_stand):
    live(ConsentLife, kept_stand)
