"""The table of policies is the database: every table has its line there, and a forgotten one is shut."""

import owner
import psycopg2
import pytest
from django.conf import settings
from django.core.exceptions import ImproperlyConfigured
from django.core.management import call_command
from django.core.management.base import SystemCheckError
from django.db import DatabaseError, connection, transaction

from tenancy import applying
from tenancy.owner import is_held_back
from tenancy.policies import FUNCTIONS, TABLES, Guarded, Open

GUARDED = sorted(label for label, kind in TABLES.items() if isinstance(kind, Guarded))
ROOMS_OF_TENANTS = {"customers", "handover", "compliance", "incidents", "jobs"}
APPLICATION = settings.DATABASE_APPLICATION["USER"]


def rows(sql, *parameters):
    with connection.cursor() as cursor:
        cursor.execute(sql, parameters)
        return cursor.fetchall()


def test_every_table_is_declared_and_no_other():
    assert applying.undeclared() == []
    assert TABLES.keys() == applying.models().keys()


# The same for everybody, and written by nobody but the owner of the tables.
LAW = {"compliance.Jurisdiction", "compliance.LegalBasis", "compliance.Obligation"}


def test_every_table_of_a_tenants_room_is_guarded():
    """One that is not holds numbers of no organization."""
    rooms = {label for label, kind in TABLES.items() if label.split(".")[0] in ROOMS_OF_TENANTS}
    assert {label for label in rooms if isinstance(TABLES[label], Open)} == LAW | {"incidents.IncidentYear"}


@pytest.fixture
def forgotten(monkeypatch):
    monkeypatch.setattr(applying, "TABLES", {k: v for k, v in TABLES.items() if k != "customers.Habit"})


def test_an_undeclared_table_fails_the_migration(db, forgotten):
    with pytest.raises(ImproperlyConfigured, match=r"Say in tenancy/policies\.py .* customers\.Habit"):
        applying.apply()
    assert applying.differing() == ["customers_habit"]


def test_an_undeclared_table_fails_every_command_and_says_what_to_do(forgotten):
    with pytest.raises(SystemCheckError) as failed:
        call_command("check")
    assert "customers.Habit has no line in tenancy/policies.py" in str(failed.value)
    assert "Add a line to TABLES" in str(failed.value)


def test_a_second_run_changes_nothing(db):
    """No table is locked for a policy that is as it should be."""
    assert applying.differing() == []
    present = applying._present()
    tables = {model._meta.db_table: TABLES[label] for label, model in applying.models().items()}
    assert [
        one for table, kind in tables.items() for one in applying._policies(table, kind, present.get(table, {}))
    ] == []


def test_a_table_whose_policies_are_switched_off_differs(db):
    with owner.within(), connection.cursor() as cursor:
        cursor.execute("SET CONSTRAINTS ALL IMMEDIATE")
        cursor.execute("ALTER TABLE customers_customer DISABLE ROW LEVEL SECURITY")
    assert applying.differing() == ["customers_customer"]


def test_an_undeclared_table_is_shut_to_the_application(db):
    with owner.within(), connection.cursor() as cursor:
        cursor.execute("CREATE TABLE forgotten (id int)")
    with pytest.raises(DatabaseError, match="permission denied"), transaction.atomic():
        rows("SELECT * FROM forgotten")


def test_a_function_that_says_something_else_differs_until_it_is_applied(db):
    (name,) = FUNCTIONS
    with owner.within():
        connection.cursor().execute(applying._FUNCTION.format(name=name, body="BEGIN RETURN true; END"))
    assert applying.differing() == [name]
    with owner.within():
        applying.apply()
    assert applying.differing() == []


def test_a_job_is_planned_without_all_the_tables_that_may_show_it(db):
    """Planning was most of what a statement about a job took."""
    plan = "\n".join(line for (line,) in rows("EXPLAIN SELECT * FROM jobs_chunk"))
    assert "jobs_of_a_handover" in plan
    assert "handover_backup" not in plan


@pytest.mark.parametrize("label", GUARDED)
def test_the_database_has_the_policies(db, label):
    table = applying.models()[label]._meta.db_table
    assert rows("SELECT relrowsecurity FROM pg_class WHERE oid = %s::regclass", table) == [(True,)]
    commands = {name for (name,) in rows("SELECT cmd FROM pg_policies WHERE tablename = %s", table)}
    added = {"SELECT", "INSERT"}
    assert commands == (added if TABLES[label].append_only else added | {"UPDATE", "DELETE"})


def test_a_changed_expression_is_applied(db):
    kind = Guarded("false")
    with owner.within():
        for statement in applying._policies("handover_certificate", kind, applying._present()["handover_certificate"]):
            connection.cursor().execute(statement)
    assert applying.differing() == ["handover_certificate"]
    assert rows("SELECT DISTINCT qual FROM pg_policies WHERE tablename = 'handover_certificate' AND cmd = 'SELECT'")[0][
        0
    ].endswith("OR false)")


def test_the_application_owns_nothing_and_steps_past_nothing(db):
    assert rows("SELECT current_user") == [(APPLICATION,)]
    assert rows("SELECT count(*) FROM pg_class WHERE relowner = %s::regrole", APPLICATION) == [(0,)]
    attributes = "rolsuper, rolbypassrls, rolcreaterole, rolcreatedb, rolinherit"
    assert rows(f"SELECT {attributes} FROM pg_roles WHERE rolname = %s", APPLICATION) == [(False,) * 5]
    assert rows("SELECT count(*) FROM pg_auth_members WHERE member = %s::regrole", APPLICATION) == [(0,)]
    assert is_held_back()
    with owner.within():
        assert not is_held_back()


@pytest.mark.parametrize("what", ["TRUNCATE customers_book CASCADE", "CREATE TABLE mine (id int)"])
def test_the_application_changes_no_table(db, what):
    with pytest.raises(DatabaseError, match=r"permission denied"), transaction.atomic():
        connection.cursor().execute(what)


@pytest.mark.parametrize("what", ["DISABLE ROW LEVEL SECURITY", "OWNER TO handover_app", "DISABLE TRIGGER ALL"])
def test_the_application_cannot_lift_a_guard(db, what):
    with pytest.raises(DatabaseError, match="must be owner"), transaction.atomic():
        connection.cursor().execute(f"ALTER TABLE ledger_entry {what}")


@pytest.mark.django_db(transaction=True)
def test_the_real_sign_in_of_the_application_sees_nothing_unasked(cast, book_of):
    """As anybody would who has its password: no setting, no rows; a setting ends with its transaction."""
    book_of(cast.seller, "Members")
    login = {name.lower(): settings.DATABASE_APPLICATION[name] for name in ("USER", "PASSWORD", "HOST", "PORT")}
    here = psycopg2.connect(dbname=connection.settings_dict["NAME"], **login)
    try:
        with here.cursor() as cursor:
            for label in GUARDED:
                cursor.execute(f"SELECT count(*) FROM {applying.models()[label]._meta.db_table}")
                assert cursor.fetchone() == (0,), label
            cursor.execute("SELECT set_config('app.organizations', %s, true)", [str(cast.seller.pk)])
            cursor.execute("SELECT count(*) FROM customers_customer")
            assert cursor.fetchone() == (3,)
            here.commit()
            cursor.execute("SELECT count(*) FROM customers_customer")
            assert cursor.fetchone() == (0,)
    finally:
        here.close()
