"""From an upload to customers in the book, through the pages, and what stops on the way."""

import csv
import io
import tempfile
import threading
from collections.abc import Callable
from datetime import datetime
from pathlib import Path
from typing import Any

import pytest
from django.core.files.storage import FileSystemStorage, default_storage
from django.db import connection, connections, transaction
from django.test import Client
from import_files import ANNA, BASIC_HEADERS, BEN, csv_bytes, posted, received, upload_of, xlsx_bytes

import jobs.services
from accounts.demo import Cast
from customers.errors import CustomersError
from customers.models import Book, Customer, Import
from customers.records import ranges, read_records
from customers.services import importing, importing_rows
from customers.services.books import create_book, move_book
from customers.workflow import BookState, ImportState
from jobs.models import Job
from ledger.models import Entry
from vault.errors import KeyDestroyed
from vault.models import DataKey
from vault.services import load_stream_key

SignIn = Callable[[Any], Client]
GOOD = csv_bytes([BASIC_HEADERS, ANNA, BEN])


@pytest.fixture
def book(cast: Cast, now: datetime) -> Book:
    return create_book(actor=cast.seller_lead, organization=cast.seller, name="Jinghe household", now=now)


def post_file(client: Client, book: Book, content: bytes, name: str = "customers.csv") -> Any:
    return client.post(f"/books/{book.pk}/import/", {"file": posted(content, name)})


def columns_of(item: Import, **changed: str) -> dict[str, str]:
    chosen = {f"column_{place}": field for place, field in enumerate(item.mapping)}
    return {**chosen, "source": "Till in Wuxi, 2025", "encoding": item.encoding, "date_order": "", **changed}


def checked(item: Import, cast: Cast, now: datetime) -> Import:
    importing.start_check(
        actor=cast.seller_lead, item=item, mapping=item.mapping, source="Till", date_order="", now=now
    )
    run_jobs()
    item.refresh_from_db()
    return item


def run_jobs() -> None:
    for job in Job.objects.filter(state="planned").order_by("created_at"):
        jobs.services.run_now(job)


def basics(book: Book) -> list[list[str]]:
    return [list(record.basic) for first, last, _n in ranges(book, 1000) for record in read_records(book, first, last)]


@pytest.mark.django_db(transaction=True)
def test_a_file_becomes_customers(book: Book, cast: Cast, client_of: SignIn) -> None:
    client = client_of(cast.seller_clerk)
    response = post_file(client, book, csv_bytes([BASIC_HEADERS, ANNA, BEN], "gb18030"))
    item = Import.objects.get()
    assert response.url == f"/books/imports/{item.pk}/"
    page = client.get(response.url).content.decode()
    assert "客户编号" in page and "13800138000" not in page and "张伟" not in page
    client.post(f"{response.url}check/", columns_of(item))
    item.refresh_from_db()
    assert (item.state, item.customers_total, item.rows_bad) == (ImportState.CHECKED, 2, 0)
    client.post(f"{response.url}store/")
    item.refresh_from_db()
    assert (item.state, item.customers_stored) == (ImportState.DONE, 2)
    assert basics(book) == [ANNA, BEN]
    assert set(Customer.objects.values_list("source", flat=True)) == {item.pk}
    assert client.get(response.url).status_code == 200


@pytest.mark.django_db(transaction=True)
def test_the_file_is_destroyed_when_it_is_stored(book: Book, cast: Cast, now: datetime) -> None:
    item = checked(received(cast.seller_lead, book, GOOD, now), cast, now)
    importing.start_storing(actor=cast.seller_lead, item=item, leave_out_bad=False, now=now)
    run_jobs()
    item.refresh_from_db()
    assert item.state == ImportState.DONE and item.head is None
    assert not default_storage.exists(f"imports/{item.pk}")
    with pytest.raises(KeyDestroyed):
        load_stream_key(item.pk)


@pytest.mark.django_db(transaction=True)
def test_order_lines_become_purchases(book: Book, cast: Cast, now: datetime) -> None:
    rows = [
        ["客户编号", "姓名", "手机", "下单时间", "商品", "数量", "金额", "偏好"],
        ["C2", "李娜", "", "2025-12-08 14:03", "洗衣液", "2", "¥39.90", "柠檬"],
        ["C1", "张伟", "13800138000", "2025/12/9", "地板清洁剂", "1.0", "1,200.5", ""],
        ["C2", "李娜", "13900139001", "20251210", "洗衣液", "1", "20", ""],
        ["C2", "李丽", "13900139001", "20251211", "洗衣液", "1", "20", ""],
    ]
    item = checked(received(cast.seller_lead, book, csv_bytes(rows), now), cast, now)
    assert (item.customers_total, item.purchases_total, item.rows_bad, item.rows_total) == (2, 3, 1, 4)
    importing.start_storing(actor=cast.seller_lead, item=item, leave_out_bad=True, now=now)
    run_jobs()
    found = [record for first, last, _n in ranges(book, 1000) for record in read_records(book, first, last)]
    assert list(found[0].basic[:3]) == ["C2", "李娜", "13900139001"]
    assert [list(purchase) for purchase in found[0].purchases] == [
        ["2025-12-08T14:03:00", "洗衣液", "2", "39.90", "", ""],
        ["2025-12-10", "洗衣液", "1", "20", "", ""],
    ]
    assert list(found[0].habit or ()) == ["", "", "柠檬"]
    assert [list(purchase) for purchase in found[1].purchases] == [["2025-12-09", "地板清洁剂", "1", "1200.5", "", ""]]


@pytest.mark.django_db(transaction=True)
def test_an_xlsx_file_becomes_customers(book: Book, cast: Cast, now: datetime) -> None:
    content = xlsx_bytes([BASIC_HEADERS, ["C1", "张伟", 13800138000, "zhang@example.cn", "上海", None]])
    item = checked(received(cast.seller_lead, book, content, now, "customers.xlsx"), cast, now)
    importing.start_storing(actor=cast.seller_lead, item=item, leave_out_bad=False, now=now)
    run_jobs()
    assert basics(book) == [["C1", "张伟", "13800138000", "zhang@example.cn", "上海", ""]]


@pytest.mark.django_db(transaction=True)
def test_bad_rows_are_listed_without_values_and_left_out_on_request(
    book: Book, cast: Cast, now: datetime, client_of: SignIn
) -> None:
    rows = [
        BASIC_HEADERS,
        ANNA,
        ["C3", "=1+1", "12", "x", "", ""],
        ["C1", "王五", "", "", "", ""],
        ["", "赵六", *[""] * 4],
    ]
    item = checked(received(cast.seller_lead, book, csv_bytes(rows), now), cast, now)
    assert (item.rows_bad, item.customers_total) == (3, 1)
    client = client_of(cast.seller_clerk)
    page = client.get(f"/books/imports/{item.pk}/").content.decode()
    assert "already used in row 2" in page and "王五" not in page
    content = b"".join(client.get(f"/books/imports/{item.pk}/bad-rows.csv").streaming_content)
    assert content.startswith(b"\xef\xbb\xbf")
    listed = list(csv.reader(io.StringIO(content.decode("utf-8-sig"))))
    assert [(line[0], line[1]) for line in listed[1:]] == [("3", "B"), ("4", "A"), ("5", "A")]
    with pytest.raises(CustomersError):
        importing.start_storing(actor=cast.seller_lead, item=item, leave_out_bad=False, now=now)
    client.post(f"/books/imports/{item.pk}/store/", {"leave_out_bad": "on"})
    assert basics(book) == [ANNA]
    assert client.get(f"/books/imports/{item.pk}/bad-rows.csv").status_code == 200


@pytest.mark.django_db(transaction=True)
def test_importing_the_same_file_again_finds_everybody_in_the_book(book: Book, cast: Cast, now: datetime) -> None:
    first = checked(received(cast.seller_lead, book, GOOD, now), cast, now)
    second = checked(received(cast.seller_lead, book, GOOD, now), cast, now)
    for item in (first, second):
        importing.start_storing(actor=cast.seller_lead, item=item, leave_out_bad=False, now=now)
        run_jobs()
    second.refresh_from_db()
    assert (second.state, second.customers_stored, second.customers_skipped) == (ImportState.DONE, 0, 2)
    third = checked(received(cast.seller_lead, book, GOOD, now), cast, now)
    assert (third.customers_total, third.rows_bad) == (0, 2)
    assert Customer.objects.count() == 2


@pytest.mark.django_db(transaction=True)
def test_two_people_who_confirm_at_once_start_one_job(book: Book, cast: Cast, now: datetime) -> None:
    item = checked(received(cast.seller_lead, book, GOOD, now), cast, now)
    errors: list[str] = []

    def confirm(actor: Any) -> None:
        try:
            importing.start_storing(actor=actor, item=item, leave_out_bad=False, now=now)
        except CustomersError as error:
            errors.append(str(error))
        finally:
            connections.close_all()

    threads = [threading.Thread(target=confirm, args=[actor]) for actor in (cast.seller_lead, cast.seller_clerk)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    run_jobs()
    assert len(errors) == 1
    assert Job.objects.filter(kind=importing.STORE).count() == 1
    assert Customer.objects.count() == 2


@pytest.mark.django_db(transaction=True)
def test_a_book_that_is_not_open_takes_nothing(book: Book, cast: Cast, now: datetime) -> None:
    item = checked(received(cast.seller_lead, book, GOOD, now), cast, now)
    move_book(actor=cast.seller_lead, book=book, to=BookState.FROZEN, now=now)
    with pytest.raises(CustomersError):
        importing.start_storing(actor=cast.seller_lead, item=item, leave_out_bad=False, now=now)
    with pytest.raises(CustomersError):
        received(cast.seller_lead, book, GOOD, now)
    Import.objects.filter(pk=item.pk).update(state=ImportState.STORING)
    with pytest.raises(CustomersError):
        importing_rows.store(item.pk, 0, now)
    assert not Customer.objects.exists()
    assert default_storage.listdir("imports")[0] == [str(item.pk)]


@pytest.mark.django_db(transaction=True)
@pytest.mark.parametrize("halfway", [False, True])
def test_cancel_leaves_nothing(
    book: Book, cast: Cast, now: datetime, client_of: SignIn, halfway: bool, settings: Any
) -> None:
    item = checked(received(cast.seller_lead, book, GOOD, now), cast, now)
    if halfway:
        Import.objects.filter(pk=item.pk).update(state=ImportState.STORING)
        with transaction.atomic():
            importing_rows.store(item.pk, 0, now)
        subject = {"subject_type": "import", "subject_id": item.pk, "audience": [str(cast.seller.pk)]}
        Job.objects.create(kind=importing.STORE, created_at=now, state="failed", **subject)
    client = client_of(cast.seller_lead)
    assert client.get(f"/books/imports/{item.pk}/cancel/").status_code == 200
    client.post(f"/books/imports/{item.pk}/cancel/")
    item.refresh_from_db()
    assert item.state == ImportState.CANCELED
    assert not Customer.objects.exists()
    assert not DataKey.objects.filter(destroyed_at=None).exists()
    assert not default_storage.exists(f"imports/{item.pk}")
    assert Entry.objects.get(verb="import.canceled").data == {"removed": 2 if halfway else 0}
    assert client.get(f"/books/imports/{item.pk}/").status_code == 200


@pytest.mark.django_db(transaction=True)
def test_a_killed_check_leaves_nothing_that_counts(
    book: Book, cast: Cast, now: datetime, monkeypatch: pytest.MonkeyPatch
) -> None:
    item = received(cast.seller_lead, book, GOOD, now)
    conclude = importing_rows._conclude
    calls: list[int] = []

    def dies_once(*args: Any) -> None:
        calls.append(1)
        if len(calls) == 1:
            raise OSError
        conclude(*args)

    monkeypatch.setattr(importing_rows, "_conclude", dies_once)
    item = checked(item, cast, now)
    assert len(calls) == 2
    assert (item.state, item.customers_total, item.segments) == (ImportState.CHECKED, 2, 1)


@pytest.mark.django_db(transaction=True)
def test_strangers_see_nothing_and_other_roles_may_not_import(
    book: Book, cast: Cast, now: datetime, client_of: SignIn
) -> None:
    item = received(cast.seller_lead, book, GOOD, now)
    for stranger in (cast.buyer_lead, cast.reviewer, cast.agent):
        client = client_of(stranger)
        assert client.get(f"/books/{book.pk}/import/").status_code == 404
        for page in ("", "cancel/", "bad-rows.csv"):
            assert client.get(f"/books/imports/{item.pk}/{page}").status_code == 404
        for act in ("check/", "store/", "cancel/", "columns/"):
            assert client.post(f"/books/imports/{item.pk}/{act}").status_code == 404
        assert post_file(client, book, GOOD).status_code == 404
    assert Client().get(f"/books/{book.pk}/import/").status_code == 302
    with pytest.raises(CustomersError):
        importing.receive(actor=cast.buyer_lead, book=book, upload=upload_of(GOOD, book, now), now=now)
    assert Import.objects.count() == 1


@pytest.mark.django_db(transaction=True)
def test_the_columns_page_names_what_is_wrong(book: Book, cast: Cast, now: datetime, client_of: SignIn) -> None:
    rows = [
        ["姓名", "手机", "电话", "下单日期", "身份证"],
        ["张伟", "13800138000", "", "3/4/2025", "11010519491231002X"],
    ]
    item = received(cast.seller_lead, book, csv_bytes(rows), now)
    assert item.mapping == ["name", "phone", "", "time", ""]
    chosen = columns_of(item, column_2="phone", column_4="note", source="")
    response = client_of(cast.seller_lead).post(f"/books/imports/{item.pk}/check/", chosen)
    page = response.content.decode()
    assert response.status_code == 422
    for text in ("Enter the source", "is already", "Identity numbers", "customer number", "Day and month"):
        assert text in page
    assert "11010519491231002X" not in page
    item.refresh_from_db()
    assert item.state == ImportState.UPLOADED


@pytest.mark.django_db(transaction=True)
def test_another_character_set_reads_the_file_again(book: Book, cast: Cast, now: datetime, client_of: SignIn) -> None:
    item = received(cast.seller_lead, book, csv_bytes([BASIC_HEADERS, ANNA], "gb18030"), now)
    client = client_of(cast.seller_lead)
    page = client.post(f"/books/imports/{item.pk}/check/", columns_of(item, encoding="UTF-8"), follow=True)
    assert "cannot be read as UTF-8" in page.content.decode()
    assert 'value="Till in Wuxi, 2025"' in page.content.decode()
    page = client.post(f"/books/imports/{item.pk}/check/", columns_of(item, encoding="Big5"), follow=True)
    assert 'value="Till in Wuxi, 2025"' in page.content.decode()
    odd = columns_of(item, encoding="GB18030", source="a\x00b")
    assert client.post(f"/books/imports/{item.pk}/check/", odd, follow=True).status_code == 200
    item.refresh_from_db()
    assert item.encoding in {"GB18030", "Big5"}
    assert item.state in {ImportState.UPLOADED, ImportState.CHECKED}


@pytest.mark.django_db(transaction=True)
def test_a_file_that_breaks_far_down_fails_with_a_reason(
    book: Book, cast: Cast, now: datetime, client_of: SignIn
) -> None:
    content = "编号,姓名\n".encode() + b"".join(b"%d,Ann\n" % n for n in range(200_000)) + b"\xff\xfe\n"
    item = checked(received(cast.seller_lead, book, content, now), cast, now)
    assert (item.state, item.problem["code"]) == (ImportState.FAILED, "encoding")
    page = client_of(cast.seller_lead).get(f"/books/imports/{item.pk}/").content.decode()
    assert "cannot be read as UTF-8" in page


@pytest.mark.django_db(transaction=True)
def test_the_size_limit_is_said(book: Book, cast: Cast, client_of: SignIn, settings: Any) -> None:
    settings.IMPORT_MAX_BYTES = 1024 * 1024
    response = post_file(client_of(cast.seller_lead), book, b"id,name\n" + b"1,x\n" * 400_000)
    assert response.status_code == 422
    assert "larger than 1 MB" in response.content.decode()
    assert not Import.objects.exists()


@pytest.mark.django_db(transaction=True)
@pytest.mark.parametrize(
    "name", ["../../../etc/passwd.csv", "customers.exe", "<script>.csv", "客户.csv", "no extension"]
)
def test_names_of_files_mean_nothing(book: Book, cast: Cast, client_of: SignIn, name: str) -> None:
    client = client_of(cast.seller_lead)
    response = post_file(client, book, GOOD, name)
    item = Import.objects.get()
    assert "/" not in item.file_name
    assert item.file_kind == "csv"
    assert b"<script>" not in client.get(response.url).content
    assert default_storage.listdir("imports")[0] == [str(item.pk)]


@pytest.mark.django_db(transaction=True)
def test_no_plaintext_is_written_anywhere(
    book: Book, cast: Cast, now: datetime, client_of: SignIn, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    kept: list[Any] = []

    real = tempfile.TemporaryFile

    def keep(*args: Any, **kwargs: Any) -> Any:
        kept.append(real(*args, **kwargs))
        return kept[-1]

    monkeypatch.setattr(tempfile, "TemporaryFile", keep)
    written: list[bytes] = []
    save = FileSystemStorage.save

    def spy(storage: FileSystemStorage, name: str, content: Any, max_length: int | None = None) -> str:
        written.append(content.read())
        content.seek(0)
        return save(storage, name, content, max_length)

    monkeypatch.setattr(FileSystemStorage, "save", spy)
    client = client_of(cast.seller_lead)
    post_file(client, book, csv_bytes([BASIC_HEADERS, ANNA, BEN] + [[f"N{n}", *ANNA[1:]] for n in range(40_000)]))
    item = Import.objects.get()
    client.post(f"/books/imports/{item.pk}/check/", columns_of(item))
    assert len(written) > 2 and kept
    needles = ("张伟".encode(), b"13800138000", b"zhang@example")
    assert not any(needle in content for content in written for needle in needles)
    with connection.cursor() as cursor:
        for table in ("customers_import", "ledger_entry", "jobs_job", "jobs_chunk"):
            cursor.execute(f"SELECT string_agg(t::text, ' ') FROM {table} t")
            text = cursor.fetchone()[0] or ""
            assert not any(needle in text for needle in ("张伟", "13800138000", "zhang@example"))


@pytest.mark.django_db(transaction=True)
def test_a_forged_request_is_refused(book: Book, cast: Cast) -> None:
    client = Client(enforce_csrf_checks=True)
    client.force_login(cast.seller_lead, backend="django.contrib.auth.backends.ModelBackend")
    assert post_file(client, book, GOOD).status_code == 403
    assert not Import.objects.exists()


@pytest.mark.django_db(transaction=True)
def test_forgotten_imports_are_given_up(book: Book, cast: Cast, now: datetime) -> None:
    item = received(cast.seller_lead, book, GOOD, now)
    assert importing.cancel_forgotten(now=now) == 0
    assert importing.cancel_forgotten(now=now.replace(year=now.year + 1)) == 1
    item.refresh_from_db()
    assert item.state == ImportState.CANCELED
    assert not default_storage.exists(f"imports/{item.pk}")


@pytest.mark.django_db(transaction=True)
def test_the_ledger_says_what_happened_in_counts(book: Book, cast: Cast, now: datetime) -> None:
    item = checked(received(cast.seller_lead, book, GOOD, now), cast, now)
    importing.start_storing(actor=cast.seller_lead, item=item, leave_out_bad=False, now=now)
    run_jobs()
    told = dict(Entry.objects.filter(object_id=item.pk).values_list("verb", "data"))
    assert told["import.uploaded"] == {"bytes": len(GOOD), "kind": "csv"}
    assert told["import.checked"] == {"rows": 2, "bad": 0, "customers": 2}
    assert told["import.started"] == {"customers": 2, "bad": 0}
    assert told["import.stored"] == {"customers": 2, "purchases": 0, "skipped": 0}
