"""Inviting a colleague: the mail, the link that works once, and what a stranger learns: nothing."""

import re
from datetime import timedelta

import pytest
import time_machine
from django.contrib.sessions.models import Session
from django.core import mail
from django.db import IntegrityError, transaction
from django.test import Client
from django.utils import timezone

from accounts import services
from accounts.errors import AccountsError
from accounts.models import Invitation, Membership, User
from accounts.permissions import may_manage_people
from accounts.selectors import token_digest
from ledger.models import Entry
from ledger.vocabulary import sentence

PASSWORD = "six gates, one certificate"
DATA = {"name": "Tao Yun", "email": "Tao.Yun@jinghe.example", "role": "clerk", "language": "en"}
OPEN = "/invitations/"
LINK = re.compile(r"http://testserver(/invitations/\S+/)")


@pytest.fixture
def lead_client(cast, client_of):
    return client_of(cast.seller_lead)


def invite(client, organization, **changed):
    return client.post(f"/people/invite/{organization.pk}/", DATA | changed)


def link():
    return LINK.search(mail.outbox[-1].body)[1]


def opened(path, client=None):
    client = client or Client()
    client.get(path)
    return client


def page(response):
    return response.content.decode()


def test_from_the_form_to_the_enrollment(lead_client, cast, second_factor, prove, settings):
    prove(lead_client, cast.seller_lead, 1)
    response = invite(lead_client, cast.seller)
    assert response["Location"] == f"/people/?organization={cast.seller.pk}"
    people = page(lead_client.get("/people/"))
    assert "tao.yun@jinghe.example" in people and "The invitation to Tao Yun is on its way." in people
    message = mail.outbox[-1]
    assert message.to == ["tao.yun@jinghe.example"]
    assert message.subject == "Jinghe Cleaning Supplies invites you to Handover"
    assert "Zhao Min invites you" in message.body and "choose a password" in message.body
    invited = Client()
    assert invited.get(link())["Location"] == OPEN
    assert "You are invited" in page(invited.get(OPEN))
    answer = invited.post(OPEN, {"password1": PASSWORD, "password2": PASSWORD})
    assert answer["Location"] == "/clearance/"
    person = User.objects.get(email="tao.yun@jinghe.example")
    assert (person.name, person.check_password(PASSWORD)) == ("Tao Yun", True)
    assert [(place.organization, place.role) for place in person.places] == [(cast.seller, "clerk")]
    assert not person.is_staff
    # Nothing opens before a second factor; setting one up asks for no password again.
    assert invited.get("/clearance/")["Location"] == "/accounts/security/"
    assert invited.get("/accounts/security/app/").status_code == 200
    said = [sentence(entry) for entry in Entry.objects.order_by("id")]
    assert "Zhao Min invited Tao Yun to Jinghe Cleaning Supplies" in said
    assert "Tao Yun accepted the invitation to Jinghe Cleaning Supplies" in said
    assert "Zhao Min made Tao Yun a member of Jinghe Cleaning Supplies" in said


def test_the_link_works_once_and_is_stored_nowhere(lead_client, cast):
    invite(lead_client, cast.seller)
    path = link()
    token = path.split("/")[2]
    assert token not in str(list(Invitation.objects.values())) + str([entry.data for entry in Entry.objects.all()])
    late = opened(path)
    assert opened(path).post(OPEN, {"password1": PASSWORD, "password2": PASSWORD}).status_code == 302
    session = str([one.get_decoded() for one in Session.objects.all()])
    assert token not in session and token_digest(token) in session
    gone = Client().get(path)
    assert gone.status_code == 404 and "works no more" in page(gone)
    again = late.post(OPEN, {"password1": "another one entirely", "password2": "another one entirely"})
    assert again.status_code == 404
    assert User.objects.get(email="tao.yun@jinghe.example").check_password(PASSWORD)


def test_what_ends_a_link(lead_client, cast, now):
    invite(lead_client, cast.seller)
    first = link()
    invitation = Invitation.objects.get()
    lead_client.post(f"/people/invitations/{invitation.pk}/again/")
    second = link()
    assert first != second and Client().get(first).status_code == 404 and Client().get(second).status_code == 302
    with time_machine.travel(timezone.now() + timedelta(days=7, minutes=1)):
        assert Client().get(second).status_code == 404
    lead_client.post(f"/people/invitations/{invitation.pk}/withdraw/")
    assert Client().get(second).status_code == 404
    answer = lead_client.post(f"/people/invitations/{invitation.pk}/again/", follow=True)
    assert "accepted or withdrawn already" in page(answer) and len(mail.outbox) == 2


def test_who_lost_the_right_to_invite_took_their_invitations_along(lead_client, cast):
    invite(lead_client, cast.seller)
    Membership.objects.filter(user=cast.seller_lead).update(role="clerk")
    assert Client().get(link()).status_code == 404
    with pytest.raises(AccountsError):
        services.accept_as_new(digest=token_digest(link().split("/")[2]), password=PASSWORD, now=timezone.now())
    assert not User.objects.filter(email="tao.yun@jinghe.example").exists()


@pytest.mark.parametrize("known", [True, False])
def test_nobody_learns_who_has_an_account(lead_client, cast, known):
    email = cast.buyer_clerk.email if known else "nobody@elsewhere.example"
    response = invite(lead_client, cast.seller, email=email)
    assert response.status_code == 302
    people = page(lead_client.get("/people/"))
    assert email in people and "Sun Hao" not in people
    assert ("You have an account here already" in mail.outbox[-1].body) == known


def test_who_has_an_account_signs_in_and_accepts(lead_client, cast, client_of):
    invite(lead_client, cast.seller, email=cast.buyer_clerk.email, role="lead")
    path = link()
    anonymous = page(opened(path).get(OPEN))
    assert f"/accounts/login/?next={OPEN}" in anonymous and "password1" not in anonymous
    # An account that exists is never given another password by a link.
    opened(path).post(OPEN, {"password1": PASSWORD, "password2": PASSWORD})
    assert not User.objects.get(pk=cast.buyer_clerk.pk).check_password(PASSWORD)
    stranger = opened(path, client_of(cast.reviewer))
    assert "another address" in page(stranger.get(OPEN)) and cast.buyer_clerk.email not in page(stranger.get(OPEN))
    assert "went to another address" in page(stranger.post(OPEN))
    own = opened(path, client_of(cast.buyer_clerk))
    assert "Join Jinghe Cleaning Supplies" in page(own.get(OPEN))
    assert own.post(OPEN)["Location"] == "/clearance/"
    places = User.objects.get(pk=cast.buyer_clerk.pk).places
    assert {(one.organization.name, one.role) for one in places} == {
        ("Jinghe Cleaning Supplies", "lead"),
        ("Lanquan Home Care", "clerk"),
    }


@pytest.mark.parametrize(
    ("first", "second", "says"),
    [
        ("", "", "Choose a password."),
        ("short", "short", "too short"),
        ("12345678901", "12345678901", "entirely numeric"),
        ("tao.yun@jinghe", "tao.yun@jinghe", "too similar"),
        (PASSWORD, "something else", "The passwords differ."),
    ],
)
def test_a_weak_password_is_refused(lead_client, cast, first, second, says):
    invite(lead_client, cast.seller)
    response = opened(link()).post(OPEN, {"password1": first, "password2": second})
    assert response.status_code == 422 and says in page(response)
    assert not User.objects.filter(email="tao.yun@jinghe.example").exists()


@pytest.mark.parametrize(
    ("changed", "says"),
    [
        ({"name": " "}, "Enter the name"),
        ({"email": "tao.yun"}, "Enter a valid"),
        ({"role": "reviewer"}, "Select a valid choice"),
        ({"role": "agent"}, "Select a valid choice"),
        ({"email": "chen.guoqiang@jinghe.example"}, "belongs to the organization already"),
        ({"language": "fr"}, "Select a valid choice"),
    ],
)
def test_a_bad_form_says_so_and_keeps_what_was_typed(lead_client, cast, changed, says):
    response = invite(lead_client, cast.seller, **changed)
    assert response.status_code == 422 and says in page(response)
    assert "jinghe.example" in page(response) or "tao.yun" in page(response)
    assert not mail.outbox and not Invitation.objects.exists()


def test_twice_is_refused_until_the_first_has_expired(lead_client, cast):
    invite(lead_client, cast.seller)
    assert "invited already" in page(invite(lead_client, cast.seller))
    Invitation.objects.update(expires_at=timezone.now() - timedelta(seconds=1))
    assert invite(lead_client, cast.seller).status_code == 302
    assert Invitation.objects.filter(withdrawn_at=None).count() == 1
    with pytest.raises(IntegrityError), transaction.atomic():
        Invitation.objects.update(withdrawn_at=None)


def test_more_than_the_form_asks_for_changes_nothing(lead_client, cast):
    more = {"is_staff": "1", "is_superuser": "1", "organization": str(cast.agency.pk), "accepted_at": "x"}
    lead_client.post(f"/people/invite/{cast.seller.pk}/", DATA | more)
    opened(link()).post(OPEN, {"password1": PASSWORD, "password2": PASSWORD, "is_staff": "1", "role": "lead"})
    person = User.objects.get(email="tao.yun@jinghe.example")
    assert not person.is_staff and not person.is_superuser
    assert [(one.organization, one.role) for one in person.places] == [(cast.seller, "clerk")]


def test_who_may_invite_where(cast):
    people = [cast.seller_lead, cast.seller_clerk, cast.buyer_lead, cast.reviewer, cast.agent]
    cast.agent.is_superuser = False
    assert [may_manage_people(one, cast.seller) for one in people] == [True, False, False, False, True]
    assert not any(may_manage_people(one, cast.agency) for one in people)
    cast.agent.is_superuser = True
    assert may_manage_people(cast.agent, cast.agency)


def test_no_mail_no_invitation(lead_client, cast, monkeypatch):
    def broken(*args, **kwargs):
        raise OSError

    monkeypatch.setattr("accounts.services.invitations.send_mail", broken)
    response = invite(lead_client, cast.seller)
    assert response.status_code == 422 and "could not be sent" in page(response) and "Tao Yun" in page(response)
    assert not Invitation.objects.exists() and not Entry.objects.filter(verb="invitation.sent").exists()


def test_in_chinese_and_with_a_name_of_several_lines(lead_client, cast):
    cast.seller.name = "Jinghe\r\nBcc: all@jinghe.example"
    cast.seller.save()
    assert invite(lead_client, cast.seller, language="zh-hans", name="Tao\r\nYun").status_code == 302
    assert "\n" not in mail.outbox[-1].subject and not mail.outbox[-1].bcc
    assert Invitation.objects.get().name == "Tao Yun"


def test_limits(lead_client, cast, settings):
    settings.RATE_LIMITS = settings.RATE_LIMITS | {
        "invite": [("subject", 1, 3600)],
        "invitation": [("address", 2, 3600)],
    }
    invite(lead_client, cast.seller)
    response = invite(lead_client, cast.seller)
    assert response.status_code == 429 and "Tao Yun" in page(response)
    stranger = Client()
    assert [stranger.get("/invitations/guess/").status_code for _ in range(3)] == [404, 404, 429]
    assert stranger.get(link()).status_code == 302


def test_signing_in_on_the_way_keeps_the_invitation(lead_client, cast):
    cast.buyer_clerk.set_password(PASSWORD)
    cast.buyer_clerk.save()
    invite(lead_client, cast.seller, email=cast.buyer_clerk.email)
    client = opened(link())
    answer = client.post("/accounts/login/", {"login": cast.buyer_clerk.email, "password": PASSWORD, "next": OPEN})
    assert answer["Location"] == OPEN
    assert "Join Jinghe Cleaning Supplies" in page(client.get(OPEN))


def test_two_at_once_make_one_account(lead_client, cast):
    invite(lead_client, cast.seller)
    digest = token_digest(link().split("/")[2])
    services.accept_as_new(digest=digest, password=PASSWORD, now=timezone.now())
    with pytest.raises(AccountsError, match="works no more"):
        services.accept_as_new(digest=digest, password="another one entirely", now=timezone.now())
