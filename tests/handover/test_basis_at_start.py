"""A plan whose legal basis serves nobody any more, because the law data or the customers changed after its approval."""

from html import unescape

import owner
import pytest
from django.utils import timezone
from stand import refused, stand_at

from compliance.services import law
from customers.models import Customer
from handover.gates import Board
from handover.models import Execution, Handover
from handover.readiness import Mark, readiness_of
from handover.selectors import with_gates
from handover.services import executing
from handover.workflow import Side, StepKind

E = StepKind.EXECUTION


@pytest.fixture(scope="module")
def made(keep):
    return keep(lambda cast: stand_at(cast, E))


def law_changes(stand):
    """A new version of the law data, in which the basis of the plan serves another place."""
    head, code, rest = law.FILE.read_text().partition(f'code = "{stand.handover.plan.legal_basis}"')
    with owner.within():
        law.load(
            now=timezone.now(), text=head + code + rest.replace('jurisdictions = ["CN"]', 'jurisdictions = ["KR"]', 1)
        )


def basis_ends(stand):
    """A new version of the law data, which has the basis of the plan no longer."""
    parts = law.FILE.read_text().split("[[basis]]")
    left = [part for part in parts if f'code = "{stand.handover.plan.legal_basis}"' not in part]
    assert len(left) == len(parts) - 1
    with owner.within():
        law.load(now=timezone.now(), text="[[basis]]".join(left))
    assert stand.handover.plan.basis.ended_at


def customers_change(stand):
    Customer.objects.filter(book=stand.handover.book).update(jurisdiction="DE")


def condition(stand):
    handover = with_gates(Handover.objects.filter(pk=stand.handover.pk)).get()
    gates = readiness_of(Board(handover, stand.cast.buyer_lead), timezone.now()).gates
    return next(one for gate in gates for one in gate.conditions if "legal basis serves" in str(one.title))


@pytest.mark.parametrize(
    ("change", "place", "fits"),
    [
        (law_changes, "China (mainland)", "PIPL 23"),
        (basis_ends, "China (mainland)", "PIPL 23"),
        (customers_change, "European Union and EEA", "Legitimate interests"),
    ],
)
def test_neither_side_starts_and_go_or_no_go_says_the_same(kept_stand, client_of, change, place, fits):
    stand, address = kept_stand, f"/handovers/{kept_stand.handover.pk}/"
    assert condition(stand).mark == Mark.DONE and not executing.obstacle(stand.handover, timezone.now())
    change(stand)
    why = executing.obstacle(stand.handover, timezone.now())
    assert f"serves none of the customers, who live in: {place}" in why
    assert "stop this handover, and open a new one whose plan names one that serves them" in why and fits in why
    assert (condition(stand).mark, condition(stand).why) == (Mark.BLOCKED, why)
    for side in (Side.SELLER, Side.BUYER):
        with refused("serves none of the customers"):
            stand.approve(E, side)
    assert not Execution.objects.exists()
    client = client_of(stand.cast.buyer_lead)
    assert why in unescape(client.get(f"{address}readiness/").content.decode())
    page = unescape(client.get(address).content.decode())
    assert why in page and f'href="{address}stop/"' in page
    page = unescape(client_of(stand.cast.buyer_clerk).get(f"{address}execution/").content.decode())
    assert why in page and "Stop this handover" not in page


def test_half_started_it_goes_no_further(kept_stand):
    kept_stand.approve(E, Side.SELLER)
    law_changes(kept_stand)
    with refused("serves none of the customers"):
        kept_stand.approve(E, Side.BUYER)


def test_one_customer_whom_it_serves_is_enough(kept_stand):
    first = Customer.objects.filter(book=kept_stand.handover.book).order_by("pk").first()
    Customer.objects.filter(pk=first.pk).update(jurisdiction="DE")
    assert "legal basis" not in executing.obstacle(kept_stand.handover, timezone.now())
