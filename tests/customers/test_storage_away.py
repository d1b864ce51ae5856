"""The storage of sealed files takes and gives nothing: people are told, and nothing is half kept."""

from collections.abc import Callable
from datetime import datetime
from typing import Any

import pytest
from django.core.files.storage import Storage, default_storage
from django.test import Client
from import_files import ANNA, BASIC_HEADERS, csv_bytes, posted, received

from accounts.demo import Cast
from customers.models import Book, Import
from customers.services.books import create_book
from customers.workflow import ImportState
from vault.errors import KeyDestroyed
from vault.models import DataKey
from vault.services import load_stream_key

SignIn = Callable[[Any], Client]
GOOD = csv_bytes([BASIC_HEADERS, ANNA])


@pytest.fixture
def book(cast: Cast, now: datetime) -> Book:
    return create_book(actor=cast.seller_lead, organization=cast.seller, name="Jinghe household", now=now)


class Away(Storage):
    """A storage that answers nothing."""

    def __getattribute__(self, name: str) -> Any:
        raise OSError


@pytest.fixture
def away(monkeypatch: pytest.MonkeyPatch) -> Callable[[], None]:
    _ = default_storage.exists("anything")  # built before it goes away
    return lambda: monkeypatch.setattr(default_storage, "_wrapped", Away())


def test_an_upload_is_refused_and_nothing_of_it_stays(
    book: Book, cast: Cast, client_of: SignIn, away: Callable[[], None]
) -> None:
    keys = DataKey.objects.count()
    away()
    response = client_of(cast.seller_clerk).post(f"/books/{book.pk}/import/", {"file": posted(GOOD)})
    assert response.status_code == 422
    assert "The storage takes no files now, so nothing was kept." in response.content.decode()
    assert not Import.objects.exists() and DataKey.objects.count() == keys


def test_reading_again_says_so_and_keeps_the_columns(
    book: Book, cast: Cast, now: datetime, client_of: SignIn, away: Callable[[], None]
) -> None:
    item, client = received(cast.seller_lead, book, GOOD, now), client_of(cast.seller_clerk)
    typed = {"source": "Till in Wuxi", "encoding": "GB18030"}
    away()
    page = client.post(f"/books/imports/{item.pk}/check/", typed).content.decode()
    assert "The storage does not answer now." in page and "Till in Wuxi" in page
    item.refresh_from_db()
    assert item.encoding == "UTF-8"


def test_a_cancel_holds_although_the_file_cannot_be_removed(
    book: Book,
    cast: Cast,
    now: datetime,
    client_of: SignIn,
    away: Callable[[], None],
    django_capture_on_commit_callbacks: Any,
) -> None:
    item = received(cast.seller_lead, book, GOOD, now)
    away()
    with django_capture_on_commit_callbacks(execute=True):
        response = client_of(cast.seller_clerk).post(f"/books/imports/{item.pk}/cancel/")
    assert response.status_code == 302
    item.refresh_from_db()
    assert item.state == ImportState.CANCELED
    with pytest.raises(KeyDestroyed):
        load_stream_key(item.pk)
