"""Whose rows a connection shows: one after the other on the same connection, within transactions and outside."""

import pytest
from django.db import DatabaseError, connection, transaction
from psycopg2 import ProgrammingError

from customers.models import Book, Customer, Purchase
from customers.records import Record, write_records
from handover import demo
from tenancy import rights


@pytest.fixture
def books(cast, book_of):
    return book_of(cast.seller, "Sold"), book_of(cast.buyer, "Bought")


def names():
    return sorted(Book.objects.values_list("name", flat=True))


def alternate(cast):
    """Two organizations and nobody take turns."""
    for _round in range(2):
        with rights.acting_for([cast.seller.pk]):
            assert names() == ["Sold"]
        with rights.bound(rights.NOTHING):
            assert names() == []
        with rights.acting_for([cast.buyer.pk]):
            assert names() == ["Bought"]
            assert set(Customer.objects.values_list("book__name", flat=True)) == {"Bought"}
            assert Purchase.objects.count() == 6


def test_turns_within_one_transaction(cast, books):
    alternate(cast)


@pytest.mark.django_db(transaction=True)
def test_turns_on_one_connection_outside_transactions(cast, books):
    session = connection.connection
    alternate(cast)
    assert connection.connection is session
    with rights.acting_for([cast.seller.pk]), transaction.atomic():
        assert names() == ["Sold"]
    with session.cursor() as cursor, rights.bound(rights.NOTHING):
        cursor.execute("SELECT current_setting('app.organizations', true)")
        assert cursor.fetchone() == ("",)


def test_a_savepoint_that_is_rolled_back_takes_the_rights_along(cast, books):
    with rights.acting_for([cast.seller.pk]):
        assert names() == ["Sold"]
    with rights.acting_for([cast.buyer.pk]):
        with pytest.raises(ZeroDivisionError), transaction.atomic():
            assert names() == ["Bought"]
            raise ZeroDivisionError
        assert names() == ["Bought"]
        with pytest.raises(DatabaseError), transaction.atomic():
            connection.cursor().execute("SELECT 1 / 0")
        assert names() == ["Bought"]


def test_rows_of_others_are_neither_written_nor_locked_nor_removed(cast, books):
    sold, _bought = books
    with rights.acting_for([cast.buyer.pk]):
        assert Book.objects.filter(pk=sold.pk).update(name="Mine") == 0
        assert Book.objects.select_for_update().filter(pk=sold.pk).first() is None
        assert Customer.objects.filter(book=sold.pk)._raw_delete("default") == 0
        with pytest.raises(DatabaseError, match="row-level security"), transaction.atomic():
            Book.objects.create(organization=cast.seller, name="Planted", created_at=sold.created_at)
        # Nor is an own row given away.
        with pytest.raises(DatabaseError, match="row-level security"), transaction.atomic():
            Book.objects.filter(name="Bought").update(organization=cast.seller)
    assert names() == ["Bought", "Sold"]


def test_bulk_loading_into_the_book_of_another_is_refused(cast, books, now):
    def load(book):
        record = Record(book.pk, basic=("X-1", "", "", "", "", ""), purchases=[("", "Soap", "", "", "", "")])
        write_records(book=book, records=[record], organization=cast.buyer.pk, collected_on=now.date(), now=now)

    sold, bought = books
    with rights.acting_for([cast.buyer.pk]):
        load(bought)
        with pytest.raises(DatabaseError, match="row-level security"), transaction.atomic():
            load(sold)
    assert Customer.objects.filter(book=sold).count() == 3
    assert Customer.objects.filter(book=bought).count() == 4


@pytest.mark.django_db(transaction=True)
def test_what_cannot_say_whose_rows_it_touches_is_refused(cast, books, tmp_path):
    with (tmp_path / "out").open("wb") as file, connection.cursor() as cursor:
        with pytest.raises(ProgrammingError, match="needs a transaction"):
            cursor.copy_expert("COPY (SELECT name FROM customers_book) TO STDOUT", file)
        with transaction.atomic(), rights.acting_for([cast.buyer.pk]):
            cursor.copy_expert("COPY (SELECT name FROM customers_book) TO STDOUT", file)
    assert (tmp_path / "out").read_text() == "Bought\n"


@pytest.mark.django_db(transaction=True)
def test_long_results_are_those_of_whom_they_were_asked_for(cast, books):
    with rights.acting_for([cast.buyer.pk]):
        assert [book.name for book in Book.objects.iterator()] == ["Bought"]
        with transaction.atomic():
            assert [book.name for book in Book.objects.iterator(chunk_size=1)] == ["Bought"]
    with rights.acting_for([cast.seller.pk]), transaction.atomic():
        assert [book.name for book in Book.objects.iterator(chunk_size=1)] == ["Sold"]


@pytest.mark.django_db(transaction=True)
def test_rights_cost_no_query_and_no_round_trip(cast, books, django_assert_num_queries):
    with rights.acting_for([cast.buyer.pk]), django_assert_num_queries(1) as asked:
        names()
    assert asked.captured_queries[0]["sql"].startswith('SELECT "customers_book"')


def test_a_page_of_a_book_reads_an_index(cast, books):
    """The policy filters what the index finds; it does not ask once a row. Which index it is depends on what the
    database has counted by then."""
    sold, _bought = books
    page = Customer.objects.filter(book=sold).order_by("pk")[:25]
    with connection.cursor() as cursor, rights.acting_for([cast.seller.pk]):
        cursor.execute("SET LOCAL enable_seqscan = off; SET LOCAL enable_bitmapscan = off; SET LOCAL enable_sort = off")
        plan = page.explain()
    assert "Index Scan using customers_" in plan
    assert "SubPlan" not in plan.partition("InitPlan")[0], "something is asked once a row"


def test_the_parties_of_a_handover_read_who_may_act_at_its_gates(cast, client_of):
    """The teams of the other sides, too: otherwise nobody seems to be there to answer."""
    run = demo.open_demo(cast, demo.import_sample(cast, "Members", 4), "Shop")
    demo.pass_necessity(run)
    demo.propose_scope(run)
    for reader in (cast.seller_lead, cast.buyer_lead, cast.reviewer):
        page = client_of(reader).get("/handovers/").content.decode()
        assert cast.buyer_lead.name in page and "Nobody at" not in page
