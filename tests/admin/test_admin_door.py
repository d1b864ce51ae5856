"""Who gets into the admin, and what staff who are no superusers may do there."""

import pytest
from django.contrib import admin
from django.urls import reverse

from accounts.models import Membership, Organization, User
from accounts.services import add_membership, add_person

INDEX = "/admin/"


@pytest.fixture
def colleague(cast, now):
    """Staff of the agency who is no superuser."""
    person = add_person(actor=None, email="colleague@jiaxi.example", name="Li Colleague", is_staff=True, now=now)
    add_membership(actor=None, person=person, organization=cast.agency, role="agent", now=now)
    return person


def change(instance):
    opts = instance._meta
    return reverse(f"admin:{opts.app_label}_{opts.model_name}_change", args=[instance.pk])


def test_strangers_sign_in_on_the_one_page(client):
    for path in (INDEX, "/admin/accounts/user/", "/admin/login/", "/admin/nothing/"):
        response = client.get(path, follow=True)
        assert response.redirect_chain[-1][0].startswith("/accounts/login/?next=/admin/"), path
    assert client.post("/admin/login/", {"username": "x", "password": "x"}).status_code == 302


def test_what_only_a_forged_request_holds_is_refused(cast, client_of):
    client = client_of(cast.agent)
    chosen = {"action": "delete_selected", "_selected_action": ["1", "'"]}
    assert client.post("/admin/accounts/membership/", chosen).status_code == 400
    assert client.get("/admin/accounts/membership/?role__exact=lead").status_code == 200
    assert client.get("/admin/accounts/membership/?role__exact=lead%00").status_code == 400


def test_the_one_page_leads_back(client, cast):
    cast.agent.set_password("three gates and a book")
    cast.agent.save()
    start = client.get("/admin/accounts/user/", follow=True).redirect_chain[-1][0]
    response = client.post(
        start, {"login": cast.agent.email, "password": "three gates and a book", "next": "/admin/accounts/user/"}
    )
    assert response["Location"] == "/admin/accounts/user/"
    assert client.get("/admin/login/")["Location"] == INDEX


def test_people_who_are_no_staff_are_refused(cast, client_of):
    for user in (cast.seller_lead, cast.reviewer, cast.buyer_clerk):
        client = client_of(user)
        for path in (INDEX, "/admin/customers/customer/", change(user), "/admin/jsi18n/"):
            assert client.get(path, follow=True).status_code == 403, path


def test_the_flag_alone_opens_nothing(cast, client_of, now):
    outsider = add_person(actor=None, email="staff@elsewhere.example", name="Staff", is_staff=True, now=now)
    assert client_of(outsider).get(INDEX, follow=True).status_code == 403
    add_membership(actor=None, person=outsider, organization=cast.seller, role="lead", now=now)
    assert client_of(User.objects.get(pk=outsider.pk)).get(INDEX, follow=True).status_code == 403
    member = add_person(actor=None, email="member@jiaxi.example", name="Member", now=now)
    add_membership(actor=None, person=member, organization=cast.agency, role="agent", now=now)
    assert client_of(member).get(INDEX, follow=True).status_code == 403


def test_a_closed_entry_opens_nothing(colleague, client_of):
    client = client_of(colleague)
    assert client.get(INDEX).status_code == 200
    User.objects.filter(pk=colleague.pk).update(is_active=False)
    assert client.get(INDEX, follow=True).redirect_chain[-1][0].startswith("/accounts/login/")


def test_agency_staff_read_everything(colleague, client_of):
    client = client_of(colleague)
    page = client.get(INDEX).content.decode()
    for model in admin.site._registry:
        path = reverse(f"admin:{model._meta.app_label}_{model._meta.model_name}_changelist")
        assert client.get(path).status_code == 200
        assert path in page


def test_the_product_gives_them_no_more_than_before(colleague):
    assert colleague.has_perm("customers.view_customer")
    assert not colleague.has_perm("customers.change_customer")
    assert not colleague.has_perm("accounts.delete_user")
    colleague.is_staff = False
    assert not colleague.has_perm("customers.view_customer")
    assert not colleague.has_module_perms("accounts")


def test_only_superusers_touch_the_agency(colleague, cast, client_of):
    client = client_of(colleague)
    mine = Membership.objects.get(user=cast.agent)
    assert client.post(change(cast.agent), {"email": "mine@evil.example", "name": "x"}).status_code == 403
    assert client.post(change(mine), {"role": "clerk"}).status_code == 403
    assert client.post(change(mine).replace("change", "delete"), {"post": "yes"}).status_code == 403
    form = client.get("/admin/accounts/membership/add/").context["adminform"].form
    assert cast.agency not in form.fields["organization"].queryset
    added = {"user": cast.seller_clerk.pk, "organization": cast.agency.pk, "role": "agent"}
    assert "Select a valid choice" in client.post("/admin/accounts/membership/add/", added).content.decode()
    for value in ("agency", "business"):
        client.post(change(cast.agency), {"kind": value, "name": "x"})
    client.post(change(cast.seller), {**_fields(cast.seller), "kind": "agency"})
    assert [o.name for o in Organization.objects.filter(kind="agency")] == [cast.agency.name]
    assert Membership.objects.filter(organization=cast.agency).count() == 2
    cast.agent.refresh_from_db()
    assert cast.agent.email == "xu.lan@jiaxi.example"


def test_no_link_goes_to_a_superuser_by_a_colleague(colleague, cast, client_of, mailoutbox):
    chosen = {"action": "send_link", "_selected_action": [cast.agent.pk]}
    page = client_of(colleague).post("/admin/accounts/user/", chosen, follow=True).content.decode()
    assert "Only superusers send a link to Xu Lan." in page
    assert not mailoutbox


def test_nobody_raises_or_closes_themselves(colleague, cast, client_of):
    for user in (colleague, cast.agent):
        client_of(user).post(change(user), {**_person(user), "name": "New Name", "is_active": ""})
        user.refresh_from_db()
        assert (user.name, user.is_active, user.is_staff) == ("New Name", True, True)
    client_of(colleague).post(change(cast.seller_lead), {**_person(cast.seller_lead), "is_staff": "on"})
    cast.seller_lead.refresh_from_db()
    assert not cast.seller_lead.is_staff
    client_of(cast.agent).post(change(cast.seller_lead), {**_person(cast.seller_lead), "is_staff": "on"})
    cast.seller_lead.refresh_from_db()
    assert cast.seller_lead.is_staff


def test_nobody_becomes_a_superuser_here(cast, client_of):
    client_of(cast.agent).post(change(cast.seller_lead), {**_person(cast.seller_lead), "is_superuser": "on"})
    cast.seller_lead.refresh_from_db()
    assert not cast.seller_lead.is_superuser


def test_a_password_is_changed_where_everybody_changes_it(cast, client_of):
    assert client_of(cast.agent).get("/admin/password_change/")["Location"] == "/accounts/password/change/"


def _fields(organization):
    names = ["kind", "name", "legal_name", "country", "registration_number"]
    names += ["contact_name", "contact_email", "contact_phone"]
    return {name: getattr(organization, name) for name in names}


def _person(user):
    inline = {"memberships-TOTAL_FORMS": "0", "memberships-INITIAL_FORMS": "0"}
    return {"email": user.email, "name": user.name, "is_active": "on", **inline}
