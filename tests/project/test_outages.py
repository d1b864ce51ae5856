"""What people see while the database or the broker does not answer."""

from collections.abc import Callable
from typing import Any

import pytest
import redis
from django.contrib.sessions.backends.db import SessionStore
from django.db import InterfaceError, OperationalError, connection
from django.test import Client

from accounts.demo import Cast
from accounts.models import User
from customers.views import books

DOWN = [OperationalError, InterfaceError, redis.ConnectionError, redis.TimeoutError]


def _raising(error: type[Exception]) -> Callable[..., Any]:
    def fail(*_given: Any, **_named: Any) -> Any:
        raise error

    return fail


def _says_so(response: Any) -> bool:
    page = response.content.decode()
    return response.status_code == 503 and bool(response["Retry-After"]) and "does not answer" in page


@pytest.mark.parametrize("error", DOWN)
def test_an_outage_inside_a_page_says_so(
    cast: Cast, client_of: Callable[[User], Client], monkeypatch: pytest.MonkeyPatch, error: type[Exception]
) -> None:
    client = client_of(cast.seller_lead)
    with monkeypatch.context() as patch:
        patch.setattr(books.selectors, "books_with_counts", _raising(error))
        assert _says_so(client.get("/books/"))
    assert client.get("/books/").status_code == 200


def test_an_outage_before_the_page_says_so(
    cast: Cast, client_of: Callable[[User], Client], monkeypatch: pytest.MonkeyPatch
) -> None:
    client = client_of(cast.seller_lead)
    with monkeypatch.context() as patch:
        patch.setattr(SessionStore, "load", _raising(OperationalError))
        assert _says_so(client.get("/books/"))


def test_any_other_fault_is_none_of_an_outage(
    cast: Cast, client_of: Callable[[User], Client], monkeypatch: pytest.MonkeyPatch
) -> None:
    client = client_of(cast.seller_lead)
    monkeypatch.setattr(books.selectors, "books_with_counts", _raising(ZeroDivisionError))
    with pytest.raises(ZeroDivisionError):
        client.get("/books/")


def test_a_connection_that_the_server_closed_is_made_anew() -> None:
    assert connection.settings_dict["CONN_HEALTH_CHECKS"]
