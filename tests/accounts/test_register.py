"""The services that keep people, organizations and memberships."""

import pytest
from stdnum.cn import uscc

from accounts import services
from accounts.demo import COMPANIES, registration_number
from accounts.errors import AccountsError
from accounts.models import Membership, Organization, User
from accounts.permissions import is_lead, is_member, is_reviewer
from accounts.selectors import is_agency, organizations_of, people_of, role_in
from ledger.models import Entry
from ledger.vocabulary import sentence

NUMBER = registration_number("320214", "MA1T7K2P")


@pytest.fixture
def add(db, now):
    def make(**changed):
        fields = {
            "kind": "business",
            "name": "Meilin",
            "legal_name": "无锡美邻用品有限公司",
            "country": "CN",
            "registration_number": NUMBER,
            "contact_name": "Gu Qing",
            "contact_email": "privacy@meilin.example",
        }
        return services.add_organization(actor=None, now=now, **{**fields, **changed})

    return make


def newest():
    entry = Entry.objects.latest("id")
    return entry.verb, entry.object_id, entry.audience


def test_an_organization_is_added_with_its_number_checked(add):
    organization = add(registration_number=f" {NUMBER[:2].lower()}{NUMBER[2:]} ")
    organization.refresh_from_db()
    assert organization.registration_number == NUMBER == uscc.validate(NUMBER)
    assert newest() == ("organization.added", organization.pk, [organization.pk])
    assert sentence(Entry.objects.latest("id")) == "The platform added the organization Meilin"


def wrong(place, character):
    return NUMBER[:place] + character + NUMBER[place + 1 :]


@pytest.mark.parametrize(
    "number",
    [
        "",
        NUMBER[:-1],
        NUMBER + "0",
        wrong(17, "0" if NUMBER[17] != "0" else "1"),
        wrong(9, "8" if NUMBER[9] != "8" else "7"),
        wrong(9, "I"),
        "123456789",
    ],
)
def test_a_chinese_number_that_is_none_is_refused(add, number):
    with pytest.raises(AccountsError, match=r"unified social credit code|blank"):
        add(registration_number=number)
    assert not Organization.objects.exists()
    assert not Entry.objects.exists()


def test_elsewhere_a_number_needs_a_letter_or_digit(add):
    assert add(country="DE", registration_number="  HRB   1234  B ").registration_number == "HRB 1234 B"
    with pytest.raises(AccountsError, match="register of companies"):
        add(country="DE", registration_number=" - ")


def test_a_number_is_registered_once_in_a_country(add):
    add()
    with pytest.raises(AccountsError, match="already exists"):
        add(name="Meilin again")
    assert add(country="SG", name="Meilin Singapore").pk
    assert Organization.objects.count() == 2


@pytest.mark.parametrize("changed", [{"name": ""}, {"contact_email": "nobody"}, {"kind": "bank"}, {"name": "x" * 101}])
def test_an_organization_is_complete(add, changed):
    with pytest.raises(AccountsError):
        add(**changed)
    assert not Organization.objects.exists()


def test_an_organization_is_changed(add, now):
    organization = add()
    services.change_organization(actor=None, organization=organization, now=now, contact_name="Gu Qing-er")
    organization.refresh_from_db()
    assert organization.contact_name == "Gu Qing-er"
    assert newest()[0] == "organization.changed"
    assert Entry.objects.latest("id").data == {"name": "Meilin", "fields": ["contact_name"]}
    with pytest.raises(AccountsError):
        services.change_organization(actor=None, organization=organization, now=now, registration_number="1")
    organization.refresh_from_db()
    assert organization.registration_number == NUMBER


def test_a_person_is_added_without_a_password(db, now):
    person = services.add_person(actor=None, email="  Gu.Qing@Meilin.EXAMPLE ", name=" Gu Qing ", now=now)
    assert (person.email, person.name, person.is_staff) == ("gu.qing@meilin.example", "Gu Qing", False)
    assert not person.has_usable_password()
    assert newest() == ("person.added", person.pk, [])


@pytest.mark.parametrize(
    ("email", "name"), [("", "Gu"), ("gu", "Gu"), ("a@b.example", " "), ("XU.LAN@jiaxi.example", "Gu")]
)
def test_a_person_is_complete_and_there_once(cast, now, email, name):
    count = User.objects.count()
    with pytest.raises(AccountsError):
        services.add_person(actor=None, email=email, name=name, now=now)
    assert User.objects.count() == count


def test_a_person_keeps_an_address_of_their_own(cast, now):
    with pytest.raises(AccountsError, match="already exists"):
        services.change_person(actor=None, person=cast.seller_clerk, email=cast.seller_lead.email.upper(), now=now)
    cast.seller_clerk.refresh_from_db()
    assert cast.seller_clerk.email == "chen.guoqiang@jinghe.example"


def test_a_membership_is_given_once_and_known_at_once(cast, now):
    assert not is_member(cast.reviewer, cast.buyer)
    services.add_membership(actor=cast.agent, person=cast.reviewer, organization=cast.buyer, role="clerk", now=now)
    assert role_in(cast.reviewer, cast.buyer) == "clerk"
    assert newest() == ("membership.added", cast.buyer.pk, [cast.buyer.pk])
    with pytest.raises(AccountsError, match="already exists"):
        services.add_membership(actor=cast.agent, person=cast.reviewer, organization=cast.buyer, role="lead", now=now)
    with pytest.raises(AccountsError):
        services.add_membership(actor=None, person=cast.agent, organization=cast.buyer, role="king", now=now)


def test_a_role_is_changed_and_a_membership_ended(cast, now):
    membership = Membership.objects.get(user=cast.seller_clerk)
    with pytest.raises(AccountsError):
        services.change_membership(actor=cast.agent, membership=membership, role="king", now=now)
    services.change_membership(actor=cast.agent, membership=membership, role="lead", now=now)
    assert is_lead(User.objects.get(pk=cast.seller_clerk.pk), cast.seller)
    services.remove_membership(actor=cast.agent, membership=membership, now=now)
    assert not is_member(User.objects.get(pk=cast.seller_clerk.pk), cast.seller)
    assert newest() == ("membership.removed", cast.seller.pk, [cast.seller.pk])


def test_who_is_what(cast):
    assert [is_agency(user) for user in (cast.agent, cast.seller_lead, cast.reviewer)] == [True, False, False]
    assert [is_reviewer(user) for user in (cast.reviewer, cast.seller_lead, cast.agent)] == [True, False, False]
    assert organizations_of(cast.buyer_lead) == [cast.buyer.pk]
    assert list(people_of(cast.seller)) == [cast.seller_clerk, cast.seller_lead]
    assert list(people_of(cast.seller, "lead")) == [cast.seller_lead]
    User.objects.filter(pk=cast.seller_lead.pk).update(is_active=False)
    assert not people_of(cast.seller.pk, "lead")


def test_the_role_of_a_reviewer_counts_at_a_review_firm_alone(cast, now):
    services.add_membership(actor=None, person=cast.agent, organization=cast.seller, role="reviewer", now=now)
    assert not is_reviewer(cast.agent)


def test_the_numbers_of_the_demo_are_valid():
    for company in COMPANIES:
        assert uscc.validate(company.number) == company.number
    assert len({company.number for company in COMPANIES}) == len(COMPANIES)


def test_every_verb_of_the_room_reads_as_a_sentence(cast, now):
    person = services.change_person(actor=cast.agent, person=cast.buyer_lead, name="Wu Jia-yi", now=now)
    services.record_link(actor=cast.agent, person=person, now=now)
    assert [sentence(entry) for entry in Entry.objects.order_by("-id")[:2]] == [
        "Xu Lan sent Wu Jia-yi a link to set a password",
        "Xu Lan changed the entry of the person Wu Jia-yi",
    ]
    for entry in Entry.objects.all():
        assert "–" not in sentence(entry)
        assert "." not in sentence(entry).replace(".example", "")
