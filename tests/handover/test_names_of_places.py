"""Countries and jurisdictions by their names where people read them, and the platform's rule in their language."""

import re
from html import unescape

import pytest
from django.utils.translation import override
from stand import stand_at

from accounts.countries import country_name, in_both
from accounts.models import Organization
from customers.models import PLATFORM_RULE, Customer, RetentionRule
from handover.models import Handover
from handover.segmenting import Segment, sentences
from handover.workflow import StepKind
from ledger.models import Entry


@pytest.fixture(scope="module")
def made(keep):
    return keep(lambda cast: stand_at(cast, StepKind.PLAN))


@pytest.fixture(autouse=True)
def language():
    """A request leaves its language behind; the next test is not asked in it."""
    with override("en"):
        yield


def read(client, address, language="en"):
    return unescape(client.get(address, headers={"Accept-Language": language}).content.decode())


@pytest.mark.parametrize(
    ("code", "english", "chinese", "both"),
    [
        ("CN", "China", "中国", "China 中国"),
        ("us", "United States", "美国", "United States 美国"),
        ("QQ", "QQ", "QQ", "QQ"),
    ],
)
def test_a_country_is_called_as_the_reader_calls_it(code, english, chinese, both):
    with override("en"):
        assert country_name(code) == english
    with override("zh-hans"):
        assert country_name(code) == chinese
    assert in_both(code) == both


def test_the_plan_names_who_leaves_and_where_the_law_data_is_silent(kept_stand, client_of):
    Organization.objects.filter(pk=kept_stand.handover.buyer_id).update(country="JP")
    address = f"/handovers/{kept_stand.handover.pk}/plan/"
    client = client_of(kept_stand.cast.seller_clerk)
    page = read(client, address)
    assert "<dt>China (mainland)</dt><dd>12</dd>" in page and "says nothing of: Japan." in page
    assert "China (mainland) · PIPL 55-56" in page and "CN · " not in page
    assert "<dt>中国内地</dt>" in read(client, address, "zh-hans")


def test_criteria_and_their_form_name_countries(kept_stand, client_of):
    with override("zh-hans"):
        (said,) = sentences(Segment(jurisdictions=("CN", "DE")).data(), {})
    assert "中国" in said and "德国" in said
    stand = stand_at(kept_stand.cast, StepKind.SCOPE)
    page = read(client_of(stand.cast.seller_clerk), f"/handovers/{stand.handover.pk}/scope/propose/")
    assert re.search(r'value="CN".{0,300}China', page, re.S)


def test_a_customer_lives_in_a_country_that_has_a_name(kept_stand, client_of):
    customer = Customer.objects.filter(book=kept_stand.handover.book).first()
    page = read(client_of(kept_stand.cast.seller_clerk), f"/books/customers/{customer.pk}/")
    assert ", China</span>" in page


def test_the_platforms_rule_is_read_in_ones_own_language_and_a_persons_stays(kept_stand, client_of):
    book = Handover.objects.get(pk=kept_stand.handover.pk).book
    rule = RetentionRule.objects.filter(book=book).first()
    assert rule.reason == PLATFORM_RULE
    client, address = client_of(kept_stand.cast.seller_lead), f"/books/{book.pk}/"
    assert "Rule of the platform until changed" in read(client, address)
    with override("zh-hans"):
        chinese = rule.why
    assert chinese != PLATFORM_RULE
    page = read(client, address, "zh-hans")
    assert chinese in page and PLATFORM_RULE not in page
    # Who changes the months alone has not written the reason, in whatever language the page shows it.
    sent = {"months": rule.months + 1, "reason": chinese}
    response = client.post(f"{address}rules/{rule.category}/", sent, headers={"Accept-Language": "zh-hans"})
    assert response.status_code == 302
    rule.refresh_from_db()
    assert (rule.months, rule.reason) == (sent["months"], PLATFORM_RULE)
    assert Entry.objects.get(verb="book.rule_set", object_id=book.pk).data["reason"] == PLATFORM_RULE
    RetentionRule.objects.filter(book=book).update(reason="Tax office asks for it")
    assert "Tax office asks for it" in read(client, address, "zh-hans")
