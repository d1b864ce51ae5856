"""Policies and grants as `tenancy.policies` states them. Every run makes the same: it changes nothing a second time."""

from collections.abc import Iterable, Iterator

from django.apps import apps
from django.conf import settings
from django.core.exceptions import ImproperlyConfigured
from django.db import connection, transaction
from django.db.models import Model
from psycopg2 import sql

from tenancy.owner import is_apart
from tenancy.policies import EVERYTHING, FUNCTIONS, TABLES, Guarded, Open

_FUNCTION = "CREATE OR REPLACE FUNCTION {name}(uuid) RETURNS boolean LANGUAGE plpgsql STABLE AS $body${body}$body$"


def models() -> dict[str, type[Model]]:
    """Every model that has a table, by label."""
    found = apps.get_models(include_auto_created=True)
    return {model._meta.label: model for model in found if model._meta.managed and not model._meta.proxy}


def undeclared() -> list[str]:
    """Models without a word in `policies.TABLES`."""
    return sorted(models().keys() - TABLES.keys())


def differing() -> list[str]:
    """Tables whose policies in the database are not those of `policies.TABLES`, undeclared ones, and functions that are
    not those of `policies.FUNCTIONS`."""
    present, functions = _present(), _functions()
    declared = {model._meta.db_table: TABLES.get(label) for label, model in models().items()}
    tables = {table for table, kind in declared.items() if kind is None or present.get(table, {}) != _wanted(kind)}
    return sorted(tables | {name for name, body in FUNCTIONS.items() if functions.get(name) != body})


def apply() -> None:
    """As the owner, in one transaction. Raises ImproperlyConfigured for an undeclared table, and for a role of the
    application that the policies would not hold back."""
    if missing := undeclared():
        raise ImproperlyConfigured(f"Say in tenancy/policies.py who may touch the rows of: {', '.join(missing)}.")
    present = _present()
    with transaction.atomic(), connection.cursor() as cursor:
        cursor.execute("SET LOCAL lock_timeout = '30s'")
        for name, body in FUNCTIONS.items():
            cursor.execute(_FUNCTION.format(name=name, body=body))
        for label, model in models().items():
            table = model._meta.db_table
            for statement in _policies(table, TABLES[label], present.get(table, {})):
                cursor.execute(statement)
        if is_apart():
            _ensure_role()
            for statement in _grants():
                cursor.execute(sql.SQL(statement).format(role=_role(), database=_database()))


def _policies(table: str, kind: Guarded | Open, present: dict[str, str | None]) -> Iterator[str]:
    """Only what differs, as each needs the table for itself."""
    wanted = _wanted(kind)
    if present == wanted:
        return
    for name in present:
        yield f"DROP POLICY {name} ON {table}"
    yield f"ALTER TABLE {table} {'ENABLE' if wanted else 'DISABLE'} ROW LEVEL SECURITY"
    for name, clause in wanted.items():
        yield f"CREATE POLICY {name} ON {table} {clause}"
        # PostgreSQL keeps a tree, not the text: the comment tells later whether it still says the same.
        yield f"COMMENT ON POLICY {name} ON {table} IS '{clause.replace(chr(39), chr(39) * 2)}'"


def _wanted(kind: Guarded | Open) -> dict[str, str]:
    """Each policy's name with what follows in CREATE POLICY."""
    if isinstance(kind, Open):
        return {}
    rows, added = (f"({EVERYTHING} OR {condition})" for condition in (kind.rows, kind.added or kind.rows))
    clauses = {"tenant_sees": f"FOR SELECT USING {rows}", "tenant_adds": f"FOR INSERT WITH CHECK {added}"}
    if not kind.append_only:
        clauses |= {"tenant_changes": f"FOR UPDATE USING {rows}", "tenant_removes": f"FOR DELETE USING {rows}"}
    return clauses


def _present() -> dict[str, dict[str, str | None]]:
    """Each table's policies by name, with what they say; None where they are switched off."""
    found: dict[str, dict[str, str | None]] = {}
    with connection.cursor() as cursor:
        cursor.execute(
            """SELECT relname, polname, CASE WHEN relrowsecurity THEN obj_description(p.oid, 'pg_policy') END
            FROM pg_policy p JOIN pg_class c ON c.oid = polrelid
            WHERE relnamespace = 'public'::regnamespace ORDER BY p.oid"""
        )
        for table, name, clause in cursor.fetchall():
            found.setdefault(table, {})[name] = clause
    return found


def _functions() -> dict[str, str]:
    with connection.cursor() as cursor:
        cursor.execute("SELECT proname, prosrc FROM pg_proc WHERE pronamespace = 'public'::regnamespace")
        return dict(cursor.fetchall())


def _ensure_role() -> None:
    with connection.cursor() as look:
        look.execute("SELECT 1 FROM pg_roles WHERE rolname = %s", [_app()["USER"]])
        if not look.fetchone():
            login = sql.SQL("CREATE ROLE {role} LOGIN NOINHERIT PASSWORD {password}")
            look.execute(login.format(role=_role(), password=sql.Literal(_app()["PASSWORD"])))
        look.execute(
            """SELECT rolsuper OR rolbypassrls OR rolcreaterole OR pg_has_role(oid, current_user::regrole, 'MEMBER')
            FROM pg_roles WHERE rolname = %s""",
            [_app()["USER"]],
        )
        row = look.fetchone()
    if row is None or row[0]:
        raise ImproperlyConfigured(
            f"The role {_app()['USER']} may step past the policies. Give DATABASE_URL one that is no superuser, has"
            " neither BYPASSRLS nor CREATEROLE and is no member of the owner's role."
        )


def _grants() -> Iterable[str]:
    yield "GRANT CONNECT, TEMPORARY ON DATABASE {database} TO {role}"
    yield "REVOKE CREATE ON SCHEMA public FROM PUBLIC"
    yield "GRANT USAGE ON SCHEMA public TO {role}"
    yield "REVOKE ALL ON ALL TABLES IN SCHEMA public FROM {role}"
    yield "GRANT USAGE, SELECT ON ALL SEQUENCES IN SCHEMA public TO {role}"
    yield "GRANT SELECT ON django_migrations TO {role}"
    for label, model in models().items():
        kind = TABLES[label]
        rights = kind.grants if isinstance(kind, Open) else "SELECT, INSERT, UPDATE, DELETE"
        if isinstance(kind, Guarded) and kind.append_only:
            rights = "SELECT, INSERT"
        yield f"GRANT {rights} ON {model._meta.db_table} TO {{role}}"


def _app() -> dict[str, str]:
    login: dict[str, str] = settings.DATABASE_APPLICATION
    return login


def _role() -> sql.Identifier:
    return sql.Identifier(_app()["USER"])


def _database() -> sql.Identifier:
    return sql.Identifier(str(connection.settings_dict["NAME"]))
