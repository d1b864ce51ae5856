"""A handover to a buyer who is not here yet."""

import re
from datetime import timedelta

import pytest
from django.core import mail
from django.test import Client
from django.utils import timezone

from accounts.models import Invitation, Membership, Organization, User
from handover.models import Handover

COUNTRY = {"new_country": "GB", "new_registration_number": "01234567"}


@pytest.fixture
def form(cast, book_of):
    return {
        "subject": "Shop",
        "kind": "asset",
        "book": str(book_of(3).pk),
        "buyer": "",
        "reviewer": str(cast.reviewers.pk),
        "due_on": (timezone.localdate() + timedelta(days=20)).isoformat(),
        "buyer_is_new": "on",
        "new_legal_name": "North Sea Trading Ltd",
        "new_contact_name": "Ann Body",
        "new_contact_email": "Ann.Body@northsea.example",
        "new_language": "en",
        **COUNTRY,
    }


def link() -> str:
    found = re.search(r"http://testserver(/\S+)", str(mail.outbox[-1].body))
    assert found
    return found.group(1)


def test_it_opens_at_once_and_the_buyer_comes_later(cast, client_of, form):
    seller = client_of(cast.seller_lead)
    page = seller.post("/handovers/open/", form, follow=True).content.decode()
    handover = Handover.objects.get()
    assert handover.buyer.legal_name == "North Sea Trading Ltd" and handover.buyer.country == "GB"
    assert "The buyer has not come yet" in page
    assert mail.outbox[-1].to == ["ann.body@northsea.example"]
    address = f"/handovers/{handover.pk}/buyer/"
    assert "Ann Body" in seller.get(address).content.decode()
    first = link()
    assert "on its way again" in seller.post(address, follow=True).content.decode()
    newcomer = Client()
    assert newcomer.get(first).status_code == 404, "the link before works no more"
    newcomer.get(link())
    answer = newcomer.post("/invitations/", {"password1": "a long enough word 7", "password2": "a long enough word 7"})
    assert answer.status_code == 302
    person = User.objects.get(email="ann.body@northsea.example")
    assert [(place.organization, place.role) for place in person.places] == [(handover.buyer, Membership.Role.LEAD)]
    assert "The buyer has not come yet" not in seller.get(f"/handovers/{handover.pk}/").content.decode()
    refused = seller.post(address, follow=True).content.decode()
    assert "belongs to this organization already" in refused


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"new_legal_name": ""}, "Enter the legal name of the buyer."),
        ({"new_contact_email": "nobody"}, "valid email"),
        ({"new_country": "Britain"}, "two letters"),
        ({"new_country": "CN", "new_registration_number": "123"}, "registration"),
        ({"new_registration_number": ""}, "Enter the registration number of the buyer."),
        ({"due_on": "2020-01-01"}, "in the past"),
    ],
)
def test_what_is_wrong_opens_and_mails_nothing(cast, client_of, form, changes, message):
    response = client_of(cast.seller_lead).post("/handovers/open/", {**form, **changes})
    assert response.status_code == 422
    assert message in response.content.decode() or message.capitalize() in response.content.decode()
    assert not mail.outbox and not Handover.objects.exists() and not Invitation.objects.exists()
    assert not Organization.objects.filter(legal_name="North Sea Trading Ltd").exists()


def test_a_number_that_is_in_the_register_is_not_taken_twice(cast, client_of, form):
    given = {**form, "new_country": "CN", "new_registration_number": cast.buyer.registration_number}
    response = client_of(cast.agent).post("/handovers/open/", given)
    assert response.status_code == 422 and not mail.outbox


def test_only_the_sellers_lead_and_the_agency_send_it_again(cast, client_of, form):
    client_of(cast.agent).post("/handovers/open/", form)
    handover = Handover.objects.get()
    sent = len(mail.outbox)
    for person in (cast.seller_clerk, cast.reviewer):
        client_of(person).post(f"/handovers/{handover.pk}/buyer/")
    assert client_of(cast.buyer_lead).post(f"/handovers/{handover.pk}/buyer/").status_code == 404
    assert len(mail.outbox) == sent
    client_of(cast.agent).post(f"/handovers/{handover.pk}/buyer/")
    assert len(mail.outbox) == sent + 1
