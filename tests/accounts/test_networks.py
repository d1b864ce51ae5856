"""From where people work: the client's address, the list of an organization, the page that turns away."""

from io import StringIO

import pytest
from django.core.management import CommandError, call_command
from django.test import Client
from django.urls import reverse

from accounts import services
from accounts.addresses import forwarded_address, is_inside, parse_address
from accounts.errors import AccountsError
from accounts.models import Membership
from ledger.models import Entry
from ledger.vocabulary import sentence

OFFICE, V6 = "203.0.113.0/24", "2001:db8:1::/48"
INSIDE, OUTSIDE = "203.0.113.9", "198.51.100.7"


@pytest.fixture
def limit(cast, now):
    """`limit(organization, *networks)` as the platform."""

    def to(organization, *networks):
        return services.set_networks(actor=None, organization=organization, networks=networks, address="", now=now)

    return to


def refusals():
    return Entry.objects.filter(verb="person.network_refused")


@pytest.mark.parametrize(
    ("remote", "forwarded", "proxies", "found"),
    [
        ("192.0.2.1", "", 0, "192.0.2.1"),
        ("192.0.2.1", "203.0.113.9", 0, "192.0.2.1"),
        ("10.0.0.2", "203.0.113.9", 1, "203.0.113.9"),
        ("10.0.0.2", "203.0.113.9, 198.51.100.7", 1, "198.51.100.7"),
        ("10.0.0.2", "6.6.6.6, 203.0.113.9, 10.0.0.1", 2, "203.0.113.9"),
        ("10.0.0.2", "203.0.113.9", 2, "10.0.0.2"),
        ("10.0.0.2", "", 1, "10.0.0.2"),
        ("10.0.0.2", "203.0.113.9,", 1, "203.0.113.9"),
        ("10.0.0.2", "<script>", 1, "10.0.0.2"),
        ("10.0.0.2", "203.0.113.9:4711", 1, "203.0.113.9"),
        ("10.0.0.2", "[2001:db8:1::5]:443", 1, "2001:db8:1::5"),
        ("10.0.0.2", "fe80::1%eth0", 1, "fe80::1"),
        ("::ffff:203.0.113.9", "", 0, "203.0.113.9"),
        ("", "", 0, ""),
    ],
)
def test_only_what_our_proxies_added_counts(remote, forwarded, proxies, found):
    assert forwarded_address(remote, forwarded, proxies) == found


def test_an_address_lies_in_its_networks_only():
    assert is_inside(INSIDE, [OFFICE]) and is_inside("2001:db8:1:2::3", [OFFICE, V6])
    assert is_inside("::ffff:203.0.113.9", [OFFICE])
    assert not is_inside(OUTSIDE, [OFFICE, V6])
    assert not is_inside("", [OFFICE]) and not is_inside("nonsense", [OFFICE])
    assert parse_address("1.2.3.4.5") is None


@pytest.mark.parametrize("header", ["HTTP_X_FORWARDED_FOR", "HTTP_X_REAL_IP", "HTTP_CLIENT_IP", "HTTP_FORWARDED"])
@pytest.mark.parametrize("proxies", [0, 1])
def test_no_header_of_the_client_moves_it_inside(header, proxies, cast, limit, client_of, settings):
    settings.PROXIES = proxies
    limit(cast.seller, OFFICE)
    claim = {header: INSIDE if proxies == 0 or "FORWARDED_FOR" not in header else f"{INSIDE}, {OUTSIDE}"}
    response = client_of(cast.seller_lead).get("/", REMOTE_ADDR=OUTSIDE, **claim)
    assert response.status_code == 403
    assert OUTSIDE in response.content.decode()


def test_behind_a_proxy_the_client_counts_and_not_the_proxy(cast, limit, client_of, settings):
    settings.PROXIES = 1
    limit(cast.seller, OFFICE)
    client = client_of(cast.seller_lead)
    assert client.get("/", REMOTE_ADDR="10.0.0.2", HTTP_X_FORWARDED_FOR=f"6.6.6.6, {INSIDE}").status_code == 200
    assert client.get("/", REMOTE_ADDR="10.0.0.2", HTTP_X_FORWARDED_FOR=OUTSIDE).status_code == 403


@pytest.mark.parametrize("path", ["/", "/books/", "/admin/", "/ledger/", "/accounts/password/change/"])
def test_outside_nothing_is_shown_and_inside_everything(path, cast, limit, client_of):
    for organization in (cast.seller, cast.agency):
        limit(organization, OFFICE, V6)
    for person in (cast.seller_lead, cast.agent):
        client = client_of(person)
        refused = client.get(path, REMOTE_ADDR=OUTSIDE)
        assert refused.status_code == 403
        assert "Connect to the network of your organization" in refused.content.decode()
        assert person.name not in refused.content.decode()
        for address in (INSIDE, "2001:db8:1::9"):
            assert "Not from this network" not in client.get(path, REMOTE_ADDR=address).content.decode()


def test_a_post_from_outside_changes_nothing(cast, limit, client_of):
    limit(cast.seller, OFFICE)
    count = Entry.objects.count()
    response = client_of(cast.seller_lead).post("/books/new/", {"name": "Stolen"}, REMOTE_ADDR=OUTSIDE)
    assert response.status_code == 403
    assert [entry.verb for entry in Entry.objects.order_by("id")[count:]] == ["person.network_refused"]


def test_the_page_is_in_chinese_too_and_signing_out_stays_possible(cast, limit, client_of):
    limit(cast.seller, OFFICE)
    client = client_of(cast.seller_lead)
    assert client.get("/", REMOTE_ADDR=OUTSIDE, HTTP_ACCEPT_LANGUAGE="zh-hans").status_code == 403
    assert client.post("/accounts/logout/", REMOTE_ADDR=OUTSIDE).status_code == 302
    assert "_auth_user_id" not in client.session


def test_people_who_are_not_signed_in_are_not_asked_for_their_address(cast, limit):
    limit(cast.seller, OFFICE)
    assert Client().get("/accounts/login/", REMOTE_ADDR=OUTSIDE).status_code == 200


def test_one_of_several_organizations_is_enough(cast, limit, client_of, now):
    limit(cast.seller, OFFICE)
    client = client_of(cast.seller_lead)
    assert client.get("/", REMOTE_ADDR=OUTSIDE).status_code == 403
    role = Membership.Role.CLERK
    services.add_membership(actor=None, person=cast.seller_lead, organization=cast.buyer, role=role, now=now)
    assert client.get("/", REMOTE_ADDR=OUTSIDE).status_code == 200
    limit(cast.buyer, V6)
    assert client.get("/", REMOTE_ADDR=OUTSIDE).status_code == 403
    assert client.get("/", REMOTE_ADDR="2001:db8:1::1").status_code == 200


def test_it_is_recorded_once_a_session(cast, limit, client_of):
    limit(cast.seller, OFFICE)
    for client in (client_of(cast.seller_lead), client_of(cast.seller_lead)):
        for _n in range(3):
            client.get("/books/", REMOTE_ADDR=OUTSIDE)
    assert refusals().count() == 2
    entry = refusals().first()
    assert (entry.actor, entry.audience) == (cast.seller_lead.pk, [cast.seller.pk])
    assert sentence(entry) == f"Zhao Min was turned away at {OUTSIDE}, outside the allowed networks"


def test_a_lead_sets_the_networks(cast, client_of):
    client = client_of(cast.seller_lead)
    typed = {"allowed_networks": f"{V6}\r\n {OFFICE}，{OFFICE}, 198.51.100.7\r\n"}
    response = client.post(reverse("networks_change", args=[cast.seller.pk]), typed, REMOTE_ADDR=INSIDE)
    assert response.headers["Location"] == "/networks/"
    cast.seller.refresh_from_db()
    assert cast.seller.allowed_networks == ["198.51.100.7/32", OFFICE, V6]
    entry = Entry.objects.latest("id")
    assert (entry.verb, entry.data["count"], entry.audience) == ("organization.networks_changed", 3, [cast.seller.pk])
    page = client.get("/networks/", REMOTE_ADDR=INSIDE).content.decode()
    assert "3 networks" in page and V6 in page


@pytest.mark.parametrize(
    ("typed", "says"),
    [
        ("office", "“office” is not a network"),
        ("203.0.113.0/33", "is not a network"),
        ("203.0.113.9/24", "Write the network itself: 203.0.113.0/24."),
        ("0.0.0.0/0", "is every address"),
        ("::/0", "is every address"),
        ("::ffff:203.0.113.0/120", "as an IPv4 network"),
        ("<b>1</b>", "&lt;b&gt;1&lt;/b&gt;"),
        ("198.51.100.0/24", f"your address {INSIDE} is in none of these networks"),
        ("\n".join(f"10.0.{n}.0/24" for n in range(51)), "At most 50 networks"),
    ],
)
def test_a_wrong_list_is_refused_and_kept(typed, says, cast, client_of):
    path = reverse("networks_change", args=[cast.seller.pk])
    response = client_of(cast.seller_lead).post(path, {"allowed_networks": typed}, REMOTE_ADDR=INSIDE)
    page = response.content.decode()
    assert response.status_code == 422
    assert says in page
    assert typed.partition("\n")[0].replace("<", "&lt;").replace(">", "&gt;") in page
    cast.seller.refresh_from_db()
    assert cast.seller.allowed_networks == []
    assert not Entry.objects.filter(verb="organization.networks_changed").exists()


def test_nobody_else_sets_them(cast, client_of, now):
    path = reverse("networks_change", args=[cast.seller.pk])
    for person in (cast.seller_clerk, cast.buyer_lead, cast.reviewer):
        assert client_of(person).post(path, {"allowed_networks": OFFICE}).status_code == 404
        with pytest.raises(AccountsError, match="Only a lead"):
            services.set_networks(actor=person, organization=cast.seller, networks=[OFFICE], address=INSIDE, now=now)


def test_the_agency_sets_them_in_the_admin(cast, client_of):
    client, path = client_of(cast.agent), f"/admin/accounts/organization/{cast.seller.pk}/change/"
    names = ["kind", "name", "legal_name", "country", "registration_number", "contact_name", "contact_email"]
    fields = {name: getattr(cast.seller, name) for name in names} | {"contact_phone": cast.seller.contact_phone}
    wrong = client.post(path, fields | {"allowed_networks": "nowhere"})
    assert wrong.status_code == 200 and "is not a network" in wrong.content.decode()
    assert client.post(path, fields | {"allowed_networks": OFFICE}).status_code == 302
    cast.seller.refresh_from_db()
    assert cast.seller.allowed_networks == [OFFICE]
    assert Entry.objects.latest("id").verb == "organization.networks_changed"


def test_the_terminal_lets_everybody_in_again(cast, limit):
    limit(cast.agency, OFFICE)
    said = StringIO()
    call_command("allow_networks", cast.agency.registration_number, stdout=said)
    cast.agency.refresh_from_db()
    assert cast.agency.allowed_networks == [] and "everywhere" in said.getvalue()
    assert Entry.objects.latest("id").actor is None
    with pytest.raises(CommandError, match="is not a network"):
        call_command("allow_networks", cast.agency.registration_number, "office")
    with pytest.raises(CommandError, match="0 organizations"):
        call_command("allow_networks", "none")


def test_the_log_names_the_client(cast, client_of, settings, caplog):
    settings.PROXIES = 1
    with caplog.at_level("WARNING", logger="django_structlog"):
        client_of(cast.seller_lead).get(
            "/books/new/x/", REMOTE_ADDR="10.0.0.2", HTTP_X_FORWARDED_FOR=f"6.6.6.6, {INSIDE}"
        )
    found = [record.msg["ip"] for record in caplog.records if isinstance(record.msg, dict) and "ip" in record.msg]
    assert set(found) == {INSIDE}
