"""What the law demands of a plan: contract, assessment, a mechanism for persons who leave; and what is shown where."""

from datetime import timedelta
from html import unescape

import owner
import pytest
from asked import by_platform
from django.utils import timezone
from hypothesis import given
from hypothesis import strategies as st
from stand import refused, stand_at

from accounts.models import Organization
from compliance.assessing import assessment_of
from compliance.law import Limits
from compliance.models import ImpactAssessment
from compliance.services.assessments import Assessed
from customers.models import Customer
from handover import abroad, demo
from handover.abroad import ACCEPTED, Demand, counter_of, demand_of
from handover.content import SUBJECT, digest_of
from handover.errors import HandoverError
from handover.legal import obligations_of, places_of
from handover.models import Handover, TransferPlan
from handover.services import assessing, executing
from handover.workflow import StepKind, StepState

P = StepKind.PLAN
LIMITS = Limits(100_000, 1_000_000, 10_000, 3)
SAID = Assessed("Needed.", "Low.", "Sealed.", ImpactAssessment.Outcome.ACCEPTABLE)


@pytest.fixture(scope="module")
def made(keep):
    return keep(lambda cast: stand_at(cast, P))


@pytest.fixture
def stand(kept_stand):
    return kept_stand


def move_buyer(stand, country="KR"):
    Organization.objects.filter(pk=stand.handover.buyer_id).update(country=country)


def mechanism(**changes):
    day = timezone.localdate()
    given = {
        "mechanism": "exempt",
        "mechanism_reference": "Order 16, article 5",
        "mechanism_from": day,
        "mechanism_until": day + timedelta(days=365),
        "sensitive_persons": 0,
    }
    return given | changes


@given(persons=st.integers(0, 2_000_000), sensitive=st.integers(0, 20_000))
def test_the_thresholds(persons, sensitive):
    found = demand_of(persons, sensitive, LIMITS)
    more = demand_of(persons + 1, sensitive + 1, LIMITS)
    order = [Demand.EXEMPT, Demand.CONTRACT, Demand.ASSESSMENT]
    assert order.index(found) <= order.index(more), "more persons never demand less"
    assert ACCEPTED[more] <= ACCEPTED[found] or more == found


@pytest.mark.parametrize(
    ("persons", "sensitive", "demand"),
    [
        (99_999, 0, Demand.EXEMPT),
        (100_000, 0, Demand.CONTRACT),
        (1, 1, Demand.CONTRACT),
        (999_999, 9_999, Demand.CONTRACT),
        (1_000_000, 0, Demand.ASSESSMENT),
        (1, 10_000, Demand.ASSESSMENT),
    ],
)
def test_the_limits_themselves(persons, sensitive, demand):
    assert demand_of(persons, sensitive, LIMITS) is demand


def test_nobody_leaves_inside_a_country(stand):
    assert places_of(stand.handover).leaving == {}
    assert not [one for one in obligations_of(stand.handover) if one.abroad]
    demo.submit_plan(stand.demo)
    assert stand.step(P).state == StepState.SUBMITTED


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        (mechanism(sensitive_persons=None), "how many of those who leave have sensitive data"),
        (mechanism(mechanism=""), "must record a mechanism: Below the thresholds: exempt"),
        (mechanism(mechanism_reference=" "), "number or the document"),
        (mechanism(sensitive_persons=3), "Standard contract or certification"),
        (mechanism(mechanism="contract", mechanism_from=None), "since when"),
        (mechanism(mechanism_from=timezone.localdate() + timedelta(days=9)), "valid when the transfer starts"),
        (mechanism(mechanism_until=timezone.localdate() + timedelta(days=2)), "must be valid until"),
        (mechanism(mechanism="assessment", mechanism_until=None), "until when the security assessment"),
        (
            mechanism(mechanism="assessment", mechanism_until=timezone.localdate() + timedelta(days=1200)),
            "valid for 3 years",
        ),
    ],
)
def test_a_plan_without_what_is_demanded_is_not_submitted(stand, changes, message):
    move_buyer(stand)
    with pytest.raises(Exception, match=message):
        demo.submit_plan(stand.demo, **changes)
    assert stand.step(P).state == StepState.DRAFT


def test_with_its_mechanism_it_is(stand):
    move_buyer(stand)
    assert places_of(stand.handover).leaving == {"CN": 12}
    assert "cn-abroad" in {one.code for one in obligations_of(stand.handover, "plan")}
    demo.submit_plan(stand.demo, **mechanism())
    assert stand.step(P).state == StepState.SUBMITTED


def test_the_start_asks_again(stand):
    move_buyer(stand)
    demo.submit_plan(stand.demo, **mechanism())
    now, handover = timezone.now(), stand.handover
    assert abroad.obstacle(handover, now) == ""
    TransferPlan.objects.update(mechanism_until=timezone.localdate() - timedelta(days=1))
    assert "expired on" in executing.obstacle(stand.handover, now)
    TransferPlan.objects.update(mechanism="", mechanism_until=None)
    assert "must record a mechanism" in executing.obstacle(stand.handover, now)


def test_a_country_without_thresholds_takes_any_mechanism(stand):
    Customer.objects.filter(book=stand.handover.book).update(jurisdiction="DE")
    counter = counter_of(stand.handover, timezone.now())
    assert counter.demand is Demand.ANY and counter.leaving == {"EU": 12}
    demo.submit_plan(stand.demo, **mechanism(mechanism="other", sensitive_persons=None, legal_basis="gdpr6-1-f"))


def test_a_contract_and_an_assessment_are_demanded(stand):
    with pytest.raises(Exception, match="contract with the recipient"):
        demo.submit_plan(stand.demo, contract_reference="")
    TransferPlan.objects.update(contract_reference="Agreement 7")
    ImpactAssessment.objects.all().delete()
    with refused("impact assessment before data is provided"):
        demo.plan.submit(actor=stand.cast.seller_clerk, step=stand.step(P), now=timezone.now())
    Customer.objects.update(jurisdiction="US")
    Organization.objects.update(country="US")
    TransferPlan.objects.update(contract_reference="", contract_on=None, legal_basis="ccpa140")
    demo.plan.submit(actor=stand.cast.seller_clerk, step=stand.step(P), now=timezone.now())


def test_the_assessment_is_a_part_of_what_is_approved(stand):
    before = digest_of(stand.step(P))
    step, now, clerk = stand.step(P), timezone.now(), stand.cast.seller_clerk
    written = assessing.write(actor=clerk, step=step, said=SAID, now=now)
    assert digest_of(stand.step(P)) != before
    assert written.kept_until.year == timezone.localdate(now).year + 3
    assert clerk in stand.step(P).writers.all(), "who writes it approves nothing of the plan"
    with refused("Only people of these sides"):
        assessing.write(actor=stand.cast.buyer_lead, step=stand.step(P), said=SAID, now=now)
    with refused("Write all three parts"):
        assessing.write(actor=clerk, step=stand.step(P), said=Assessed("a", " ", "c", "acceptable"), now=now)
    with refused("Choose the outcome"):
        assessing.write(actor=clerk, step=stand.step(P), said=Assessed("a", "b", "c", "fine"), now=now)
    demo.submit_plan(stand.demo)
    with refused("The gate"):
        assessing.write(actor=clerk, step=stand.step(P), said=SAID, now=now)
    assert assessment_of(SUBJECT, stand.handover.pk).purpose.startswith("Succession")


def test_its_page_and_the_plans(stand, client_of):
    move_buyer(stand)
    client, address = client_of(stand.cast.seller_clerk), f"/handovers/{stand.handover.pk}/"
    page = client.get(f"{address}plan/").content.decode()
    assert "The impact assessment is missing." in page and "Mechanism for persons who leave" in page
    assert "Exempt below" in page and "100,000" in page and "What the law asks here" in page
    assert client.post(f"{address}assessment/", {"purpose": "Needed."}).status_code == 422
    form = {"purpose": "Needed.", "effect": "Low.", "measures": "Sealed.", "outcome": "acceptable"}
    page = client.post(f"{address}assessment/", form, follow=True).content.decode()
    assert "The impact assessment is written" in page
    page = client_of(stand.cast.buyer_lead).get(f"{address}assessment/").content.decode()
    assert "Needed." in page and "<textarea" not in page
    assert "Sent before" not in client_of(stand.cast.buyer_lead).get(f"{address}plan/").content.decode()


def taken_to(stand, country):
    """Seller, buyer and customers of the handover live there."""
    sides = [stand.handover.seller_id, stand.handover.buyer_id]
    Organization.objects.filter(pk__in=sides).update(country=country)
    Customer.objects.filter(book=stand.handover.book).update(jurisdiction=country)


def of_kind(stand, kind):
    with owner.within():
        Handover.objects.filter(pk=stand.handover.pk).update(kind=kind)


SUCCEEDS, PROVIDES = "China (mainland) · PIPL 22<", "China (mainland) · PIPL 23<"
CONTINUES = "China (mainland) · Network Data Regulations 14<"


@pytest.mark.parametrize(
    ("kind", "label", "shown", "hidden"),
    [
        ("share", "Share deal", {PROVIDES}, {SUCCEEDS, CONTINUES}),
        ("asset", "Asset deal", {PROVIDES}, {SUCCEEDS, CONTINUES}),
        ("merger", "Merger", {SUCCEEDS, CONTINUES}, {PROVIDES}),
        ("division", "Division", {SUCCEEDS, CONTINUES}, {PROVIDES}),
        ("bankruptcy", "Bankruptcy", {SUCCEEDS, CONTINUES}, {PROVIDES}),
    ],
)
def test_the_kind_of_transaction_decides_what_is_shown(stand, client_of, kind, label, shown, hidden):
    of_kind(stand, kind)
    page = client_of(stand.cast.buyer_lead).get(f"/handovers/{stand.handover.pk}/").content.decode()
    assert "What the law asks here" in page and f"<dd>{label}</dd>" in page
    assert not {source for source in shown if source not in page}
    assert not {source for source in hidden if source in page}


@pytest.mark.parametrize(
    ("country", "kind", "at_opening"),
    [
        ("GB", "merger", {"uk-controller-changes"}),
        ("KR", "asset", {"kr-transfer"}),
        ("KR", "share", set()),
        ("US", "bankruptcy", {"ca-merger"}),
        ("JP", "merger", set()),
    ],
)
def test_elsewhere_another_law_asks(stand, client_of, country, kind, at_opening):
    of_kind(stand, kind)
    taken_to(stand, country)
    found = obligations_of(stand.handover, "opening")
    assert {one.code for one in found} == at_opening
    page = client_of(stand.cast.buyer_lead).get(f"/handovers/{stand.handover.pk}/").content.decode()
    assert all(f"{one.place} · {one.source}<" in page for one in found)
    assert ("What the law asks here" in page) is bool(found) and "PIPL" not in page


@pytest.mark.parametrize(
    ("country", "basis"),
    [
        ("CN", "pipl22"),
        ("CN", "pipl23"),
        ("DE", "gdpr6-1-f"),
        ("DE", "gdpr6-1-a"),
        ("GB", "ukgdpr6-1-f"),
        ("GB", "ukgdpr6-1-a"),
        ("US", "ccpa140"),
        ("US", "ccpa140-a"),
        ("KR", "pipa27"),
        ("KR", "pipa17"),
        ("JP", "pipl22"),
    ],
)
def test_each_law_has_bases_of_its_own(stand, country, basis):
    """Where the law data knows none of the places, counsel decides."""
    taken_to(stand, country)
    demo.submit_plan(stand.demo, **by_platform(legal_basis=basis))
    assert stand.step(P).state == StepState.SUBMITTED


@pytest.mark.parametrize(
    ("country", "basis", "message"),
    [
        ("DE", "pipl22", "serves none .* live in: European Union and EEA. Choose .*: Legitimate interests .*, Consent"),
        ("CN", "gdpr6-1-f", "live in: China .*Succession with notice .PIPL 22., Separate consent"),
        ("GB", "gdpr6-1-a", "live in: United Kingdom. "),
        ("US", "pipa27", "live in: California .*Directed by the customer"),
        ("KR", "ccpa140", "live in: South Korea. .*Business transfer .*, Consent .PIPA 17."),
    ],
)
def test_a_basis_that_serves_no_customer_is_refused(stand, client_of, country, basis, message):
    taken_to(stand, country)
    with pytest.raises(HandoverError, match=message):
        demo.submit_plan(stand.demo, **by_platform(legal_basis=basis))
    assert stand.step(P).state == StepState.DRAFT
    for name in ("plan", "readiness"):
        page = client_of(stand.cast.seller_clerk).get(f"/handovers/{stand.handover.pk}/{name}/").content.decode()
        assert "serves none of the customers, who live in" in page and "serves no customers of" not in page


def test_a_basis_that_serves_some_customers_says_whom_it_does_not(stand, client_of):
    Customer.objects.filter(pk=stand.handover.book.customers.first().pk).update(jurisdiction="DE")
    demo.submit_plan(stand.demo, **mechanism())
    page = client_of(stand.cast.buyer_lead).get(f"/handovers/{stand.handover.pk}/plan/").content.decode()
    assert "The legal basis serves no customers of: European Union and EEA." in page
    assert "serves none of the customers" not in page


def test_who_leaves_without_consent_is_warned_of_beside_the_basis(stand, client_of):
    """Asked for by the law data of those who leave; it refuses nothing, for they may have agreed elsewhere."""
    warning = "Customers leave China (mainland): the law asks for notice and their separate consent (PIPL 38-40)."
    clerk, lead, address = stand.cast.seller_clerk, stand.cast.seller_lead, f"/handovers/{stand.handover.pk}/plan/"

    def warned(person):
        return warning in unescape(client_of(person).get(address).content.decode())

    assert not warned(clerk), "nobody leaves"
    move_buyer(stand)
    assert warned(clerk), "before a basis is chosen"
    demo.submit_plan(stand.demo, **mechanism())
    assert warned(lead) and warned(stand.cast.buyer_lead), "who approves it reads it"
    TransferPlan.objects.update(legal_basis="pipl23")
    assert not warned(lead)
    TransferPlan.objects.update(legal_basis="pipl22")
    move_buyer(stand, "CN")
    assert not warned(lead)
