"""People, organizations and memberships are kept in the admin; every write stands in the ledger."""

from uuid import uuid4

import pytest
from allauth.account.models import EmailAddress
from allauth.mfa.models import Authenticator
from allauth.mfa.totp.internal.auth import TOTP
from django.contrib.admin.models import LogEntry
from django.urls import reverse

from accounts.demo import registration_number
from accounts.models import Membership, Organization, User
from accounts.services import add_membership, add_person
from ledger.models import Entry
from ledger.vocabulary import sentence
from vault.models import OrganizationKey
from vault.services import ensure_data_keys, load_data_keys

USERS, ORGANIZATIONS, MEMBERSHIPS = (f"/admin/accounts/{name}/" for name in ("user", "organization", "membership"))
ORGANIZATION = {
    "kind": "business",
    "name": "Meilin",
    "legal_name": "无锡美邻用品有限公司",
    "country": "CN",
    "registration_number": registration_number("320214", "MA1T7K2P"),
    "contact_name": "Gu Qing",
    "contact_email": "privacy@meilin.example",
    "contact_phone": "",
}
INLINE = {"memberships-TOTAL_FORMS": "0", "memberships-INITIAL_FORMS": "0"}


@pytest.fixture
def agent(client_of, cast):
    return client_of(cast.agent)


def change(instance):
    return reverse(f"admin:accounts_{instance._meta.model_name}_change", args=[instance.pk])


def newest():
    entry = Entry.objects.latest("id")
    return entry.verb, entry.actor, entry.data


def test_adding_a_person(agent, cast):
    response = agent.post(USERS + "add/", {"email": " Gu.Qing@Meilin.example ", "name": "Gu Qing"})
    person = User.objects.get(email="gu.qing@meilin.example")
    assert response["Location"] == USERS
    assert not person.has_usable_password()
    assert not (person.is_staff or person.is_superuser)
    assert newest() == ("person.added", cast.agent.pk, {"name": "Gu Qing"})
    assert LogEntry.objects.get().object_id == str(person.pk)


@pytest.mark.parametrize(
    ("email", "says"),
    [("", "required"), ("nobody", "valid email"), ("XU.LAN@jiaxi.example", "already exists")],
)
def test_a_wrong_address_is_refused(email, says, agent):
    count = Entry.objects.count()
    page = agent.post(USERS + "add/", {"email": email, "name": "Kept Name"}).content.decode()
    assert says in page
    assert "Kept Name" in page
    assert Entry.objects.count() == count


def test_changing_a_person(agent, cast):
    person = cast.seller_clerk
    agent.post(change(person), {"email": person.email, "name": "Chen G.", "is_active": "", **INLINE})
    person.refresh_from_db()
    assert (person.name, person.is_active) == ("Chen G.", False)
    assert newest() == ("person.changed", cast.agent.pk, {"name": "Chen G.", "fields": ["is_active", "name"]})


def test_an_old_address_opens_nothing_any_more(agent, cast):
    person = cast.seller_clerk
    EmailAddress.objects.create(user=person, email=person.email, verified=True, primary=True)
    agent.post(change(person), {"email": "New@Jinghe.example", "name": person.name, "is_active": "on", **INLINE})
    person.refresh_from_db()
    assert person.email == "new@jinghe.example"
    assert not EmailAddress.objects.filter(user=person).exists()


def test_no_password_is_shown_or_asked(agent, cast):
    cast.seller_lead.set_password("a password of hers")
    cast.seller_lead.save()
    for path in (USERS + "add/", change(cast.seller_lead), USERS):
        page = agent.get(path).content.decode()
        assert 'type="password"' not in page
        assert cast.seller_lead.password not in page
        assert "md5$" not in page
    assert agent.get(change(cast.seller_lead).replace("change", "password")).status_code in {302, 404}


def test_people_and_organizations_stay(agent, cast):
    for instance in (cast.seller_clerk, cast.seller):
        path = change(instance).replace("/change/", "/delete/")
        assert agent.get(path).status_code == 403
        assert agent.post(path, {"post": "yes"}).status_code == 403
    assert cast.seller_clerk in User.objects.all()


def test_sending_a_link_to_set_a_password(agent, cast, mailoutbox):
    User.objects.filter(pk=cast.buyer_clerk.pk).update(is_active=False)
    chosen = [cast.seller_clerk.pk, cast.buyer_clerk.pk]
    page = agent.post(USERS, {"action": "send_link", "_selected_action": chosen}, follow=True).content.decode()
    assert "1 link is on its way." in page
    assert "Sun Hao may not sign in." in page
    assert [mail.to for mail in mailoutbox] == [[cast.seller_clerk.email]]
    assert "/accounts/password/reset/key/" in mailoutbox[0].body
    assert newest() == ("person.link_sent", cast.agent.pk, {"name": cast.seller_clerk.name})


def test_a_mail_that_does_not_go_out_is_not_recorded(agent, cast, monkeypatch):
    def refuse(*_args, **_kwargs):
        raise ConnectionRefusedError

    monkeypatch.setattr("accounts.admin.ResetForm.save", refuse)
    count = Entry.objects.count()
    chosen = {"action": "send_link", "_selected_action": [cast.seller_clerk.pk]}
    assert "could not be sent" in agent.post(USERS, chosen, follow=True).content.decode()
    assert Entry.objects.count() == count


def test_adding_and_changing_an_organization(agent, cast):
    agent.post(ORGANIZATIONS + "add/", ORGANIZATION)
    organization = Organization.objects.get(name="Meilin")
    entry = Entry.objects.latest("id")
    assert (entry.verb, entry.object_id, entry.audience) == (
        "organization.added",
        organization.pk,
        [organization.pk],
    )
    agent.post(change(organization), {**ORGANIZATION, "contact_name": "Gu Qing-er"})
    organization.refresh_from_db()
    assert organization.contact_name == "Gu Qing-er"
    assert newest() == ("organization.changed", cast.agent.pk, {"name": "Meilin", "fields": ["contact_name"]})


@pytest.mark.parametrize("number", ["91320214MA1T7K2P9X", "123", ""])
def test_a_wrong_number_is_refused(number, agent):
    count = Entry.objects.count()
    page = agent.post(ORGANIZATIONS + "add/", {**ORGANIZATION, "registration_number": number}).content.decode()
    assert "errornote" in page
    assert not Organization.objects.filter(name="Meilin").exists()
    assert Entry.objects.count() == count


def test_a_number_is_registered_once(agent, cast):
    page = agent.post(
        ORGANIZATIONS + "add/", {**ORGANIZATION, "registration_number": cast.seller.registration_number}
    ).content.decode()
    assert "errornote" in page
    assert not Organization.objects.filter(name="Meilin").exists()


def test_memberships_are_given_changed_and_ended(agent, cast):
    agent.post(MEMBERSHIPS + "add/", {"user": cast.reviewer.pk, "organization": cast.buyer.pk, "role": "clerk"})
    membership = Membership.objects.get(user=cast.reviewer, organization=cast.buyer)
    facts = {"person": "Lin Shuyi", "organization": "Lanquan Home Care", "role": "clerk"}
    assert newest() == ("membership.added", cast.agent.pk, facts)
    agent.post(change(membership), {"role": "lead", "organization": cast.seller.pk})
    membership.refresh_from_db()
    assert (membership.role, membership.organization) == ("lead", cast.buyer)
    assert newest() == ("membership.changed", cast.agent.pk, facts | {"role": "lead"})
    path = change(membership).replace("/change/", "/delete/")
    assert "Lin Shuyi" in agent.get(path).content.decode()
    agent.post(path, {"post": "yes"})
    assert not Membership.objects.filter(pk=membership.pk).exists()
    assert newest() == ("membership.removed", cast.agent.pk, facts | {"role": "lead"})


def test_ending_several_memberships_at_once(agent, cast):
    chosen = list(Membership.objects.filter(organization=cast.buyer).values_list("pk", flat=True))
    count = Entry.objects.count()
    agent.post(MEMBERSHIPS, {"action": "delete_selected", "_selected_action": chosen, "post": "yes"})
    assert not Membership.objects.filter(organization=cast.buyer).exists()
    assert Entry.objects.count() == count + len(chosen) == count + 2


def test_a_second_membership_at_the_same_place_is_refused(agent, cast):
    given = {"user": cast.buyer_clerk.pk, "organization": cast.buyer.pk, "role": "lead"}
    assert "already exists" in agent.post(MEMBERSHIPS + "add/", given).content.decode()


def test_what_the_service_refuses_late_is_said(agent, cast, monkeypatch):
    """Two people add the same at once: the form was valid, the service is not satisfied."""
    monkeypatch.setattr("accounts.admin.PersonForm.full_clean", _valid)
    response = agent.post(USERS + "add/", {"email": cast.seller_lead.email, "name": "Twin"}, follow=True)
    assert "already exists" in response.content.decode()
    assert not User.objects.filter(name="Twin").exists()


def _valid(form):
    form._errors = {}
    form.cleaned_data = {"email": form.data["email"], "name": form.data["name"]}
    form.instance.email, form.instance.name = form.data["email"], form.data["name"]


def test_every_write_reads_as_a_sentence(agent, cast):
    agent.post(MEMBERSHIPS + "add/", {"user": cast.reviewer.pk, "organization": cast.buyer.pk, "role": "clerk"})
    assert sentence(Entry.objects.latest("id")) == "Xu Lan made Lin Shuyi a member of Lanquan Home Care"


def test_a_lost_second_factor_is_removed(agent, cast, mailoutbox):
    TOTP.activate(cast.seller_lead, "A" * 32)
    people = [cast.seller_lead.pk, cast.buyer_lead.pk, cast.agent.pk]
    chosen = {"action": "remove_factors", "_selected_action": [str(pk) for pk in people]}
    page = agent.post(USERS, chosen, follow=True).content.decode()
    assert "1 person sets up a new one." in page
    assert "Wu Jiayi has no second factor." in page
    assert "Nobody removes their own second factor here." in page
    assert newest() == ("person.factors_removed", cast.agent.pk, {"name": "Zhao Min"})
    assert not Authenticator.objects.exists()
    assert [mail.to for mail in mailoutbox] == [[cast.seller_lead.email]]
    assert "The agency removed your second factor" in mailoutbox[0].body


def test_staff_do_not_remove_the_factor_of_a_superuser(cast, client_of, now):
    colleague = add_person(actor=None, email="colleague@jiaxi.example", name="Li Colleague", is_staff=True, now=now)
    add_membership(actor=None, person=colleague, organization=cast.agency, role="agent", now=now)
    TOTP.activate(cast.agent, "A" * 32)
    chosen = {"action": "remove_factors", "_selected_action": [str(cast.agent.pk)]}
    page = client_of(colleague).post(USERS, chosen, follow=True).content.decode()
    assert "Only superusers remove the second factor of Xu Lan." in page
    assert Authenticator.objects.filter(user=cast.agent).exists()


def test_the_keys_of_an_organization_are_rotated(agent, cast, now):
    subject = uuid4()
    keys = ensure_data_keys(cast.seller.pk, [subject], ["basic"], now)
    sealed = keys.cipher(subject, "basic").seal(b"Qi Yue", b"place")
    page = agent.post(ORGANIZATIONS, {"action": "rotate_keys", "_selected_action": [str(cast.seller.pk)]}, follow=True)
    assert "Jinghe Cleaning Supplies has a new key; 1 data key was wrapped anew" in page.content.decode()
    verb, actor, data = newest()
    assert (verb, actor, data["count"]) == ("organization.key_rotated", cast.agent.pk, 1)
    old, new = OrganizationKey.objects.filter(organization=cast.seller.pk, purpose="wrap").order_by("version")
    assert old.wrapped is None and old.destroyed_at and new.wrapped
    assert load_data_keys([subject]).cipher(subject, "basic").open(sealed, b"place") == b"Qi Yue"
