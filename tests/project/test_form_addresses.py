"""A form's address opened by itself, and a form that arrives after the session has ended."""

from collections.abc import Callable
from uuid import uuid4

import pytest
from django.test import Client

from accounts.demo import Cast
from accounts.models import User

WORK = f"/reviews/{uuid4()}/work/"
FORM = "http://testserver/handovers/open/?from=home"


def test_the_address_of_a_form_says_what_to_do(cast: Cast, client_of: Callable[[User], Client]) -> None:
    answer = client_of(cast.reviewer).get(WORK)
    page = answer.content.decode()
    assert answer.status_code == 405 and answer["Allow"] == "POST"
    assert "This address only takes a form" in page and "Go to home" in page


@pytest.mark.django_db
def test_a_form_that_comes_too_late_leads_back_to_its_page(client: Client) -> None:
    answer = client.post(WORK, {"reason": "typed"}, headers={"referer": FORM})
    assert answer["Location"] == "/accounts/login/?next=/handovers/open/%3Ffrom%3Dhome"
    assert "You were signed out, so nothing was saved." in client.get(answer["Location"]).content.decode()


@pytest.mark.django_db
@pytest.mark.parametrize("referer", ["", "https://elsewhere.example/x", "http://testserver.elsewhere.example/"])
def test_it_leads_home_when_the_page_is_not_known(client: Client, referer: str) -> None:
    assert client.post(WORK, headers={"referer": referer})["Location"] == "/accounts/login/?next=/"


@pytest.mark.django_db
def test_a_page_that_asks_to_sign_in_leads_to_itself(client: Client) -> None:
    assert client.get("/handovers/open/")["Location"] == "/accounts/login/?next=/handovers/open/"
