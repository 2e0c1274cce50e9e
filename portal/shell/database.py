"""Two roles on PostgreSQL: the owner changes tables, the app's role serves and owns nothing.

So a hole in a page can't alter the audit trail: the role behind the page has no right to, and can't give
itself one.
"""

import os
import secrets
from pathlib import Path
from urllib.parse import quote

import psycopg
from django.apps import apps
from django.db import connection
from django.db.backends.base.base import BaseDatabaseWrapper
from django.db.models import Model
from psycopg import sql
from psycopg.conninfo import conninfo_to_dict

from portal.shell.environment import stop


class CannotPrepare(Exception):
    """The roles can't be made; the text is a sentence for the person who started Porter."""


def append_only_tables() -> list[str]:
    """The tables of every model that says `append_only = True`."""
    return sorted(
        model._meta.db_table
        for model in apps.get_models(include_auto_created=True)
        if getattr(model, "append_only", False) and _is_table(model)
    )


def _is_table(model: type[Model]) -> bool:
    return model._meta.managed and not model._meta.proxy


def grant(connection: BaseDatabaseWrapper, app_role: str) -> None:
    """Gives the app's role what serving needs, and takes back the rest. Run by the owner, after each migrate.

    A table is granted the day it is made, and a model that becomes append-only loses its rights, so
    everything is given anew each time. One transaction: a request running meanwhile sees either the old
    rights or the new.
    """
    role = sql.Identifier(app_role)
    tables = [sql.Identifier(name) for name in append_only_tables()]
    statements = [
        sql.SQL("GRANT USAGE ON SCHEMA public TO {role}").format(role=role),
        sql.SQL("GRANT SELECT, INSERT, UPDATE, DELETE ON ALL TABLES IN SCHEMA public TO {role}").format(
            role=role
        ),
        sql.SQL("GRANT USAGE, SELECT ON ALL SEQUENCES IN SCHEMA public TO {role}").format(role=role),
        # Which migrations ran is the owner's business; the app may read it to know whether it fits.
        sql.SQL("REVOKE INSERT, UPDATE, DELETE ON django_migrations FROM {role}").format(role=role),
    ]
    with connection.cursor() as cursor:
        for table in tables:
            # A partition has rights of its own beside its parent's.
            cursor.execute(
                "SELECT relid::regclass::text FROM pg_partition_tree(to_regclass(%s))",
                [table.as_string(None)],
            )
            parts: list[sql.Composable] = [sql.SQL(name) for (name,) in cursor.fetchall()]
            for part in parts or [table]:
                statements.append(
                    sql.SQL("REVOKE UPDATE, DELETE, TRUNCATE ON {table} FROM {role}").format(
                        table=part, role=role
                    )
                )
        cursor.execute("BEGIN")
        try:
            for statement in statements:
                cursor.execute(statement.as_string(None))
            cursor.execute("COMMIT")
        except BaseException:
            cursor.execute("ROLLBACK")
            raise


def refusals(connection: BaseDatabaseWrapper) -> list[str]:
    """Why this connection's role must not serve; empty when it may. One sentence each."""
    found = []
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT current_user, rolsuper, rolcreaterole FROM pg_roles WHERE rolname = current_user"
        )
        role, superuser, creates_roles = cursor.fetchone()
        if superuser:
            return [
                f"DATABASE_URL logs in as “{role}”, a superuser; no right binds one: give the app's own role."
            ]
        if creates_roles:
            found.append(
                f"The role “{role}” of DATABASE_URL may create roles, and so give itself the owner's rights."
            )
        # Being a member of the owner is as good as being the owner: SET ROLE is all it takes.
        cursor.execute(
            """
            SELECT count(*) FROM pg_class
            WHERE relkind IN ('r', 'p') AND relnamespace = 'public'::regnamespace
              AND pg_has_role(current_user, relowner, 'MEMBER')
            """
        )
        (owned,) = cursor.fetchone()
        if owned:
            found.append(
                f"The role “{role}” of DATABASE_URL owns {owned} tables; give the app's own role there and "
                "the owner in DATABASE_OWNER_URL to the migrate command alone."
            )
            return found
        for table in append_only_tables():
            cursor.execute(
                """
                SELECT r FROM unnest(ARRAY['UPDATE', 'DELETE', 'TRUNCATE']) AS r, to_regclass(%(table)s) AS t
                WHERE t IS NOT NULL AND CASE r
                  WHEN 'UPDATE' THEN has_any_column_privilege(current_user, t, r)
                  ELSE has_table_privilege(current_user, t, r) END
                """,
                {"table": sql.Identifier(table).as_string(None)},
            )
            rights = [right for (right,) in cursor.fetchall()]
            if rights:
                found.append(
                    f"The role “{role}” may {' and '.join(rights)} in {table}, where rows are only added; "
                    "run the migrate command to set its rights."
                )
    return found


def refuse_to_serve_as_owner() -> None:
    """Ends the process when the database would let it rewrite what must stay.

    Called before the first request.
    """
    try:
        sentences = refusals(connection)
    except Exception as error:
        # Without an answer there is nothing to serve either; the class only, since the text may hold the
        # address.
        stop(f"The database of DATABASE_URL doesn't answer ({type(error).__name__}).")
    finally:
        # The server's workers are forked from this process and must not share its connection.
        connection.close()
    if sentences:
        stop(*sentences)


# ------------------------------------------------------------------------------------ making the pair


def prepare(admin_url: str, *, var: Path, database: str = "", app_role: str = "") -> tuple[str, str]:
    """Makes the database and the app's role as an administrator; returns the owner's and the app's URL.

    The owner is the login given. The app's role is `<database>_app` with a random password, kept in `var`
    for the next start and readable by this user only. CannotPrepare says in a sentence what the login
    lacks.
    """
    parts = conninfo_to_dict(admin_url)
    database = database or str(parts.get("dbname") or "")
    app_role = app_role or f"{database}_app"
    _make_database(admin_url, database)
    owner_url = with_database(admin_url, database)
    password = _password(var, app_role, f"{parts.get('host')}:{parts.get('port')}")
    try:
        with psycopg.connect(owner_url, autocommit=True, connect_timeout=10) as connection:
            make_role(connection, app_role, password)
            connection.execute(
                sql.SQL("GRANT CONNECT, TEMPORARY ON DATABASE {} TO {}").format(
                    sql.Identifier(database), sql.Identifier(app_role)
                )
            )
            # Before PostgreSQL 15 everybody may make tables in this schema.
            connection.execute("REVOKE CREATE ON SCHEMA public FROM PUBLIC")
    except psycopg.errors.InsufficientPrivilege:
        raise CannotPrepare(
            f"The login in DATABASE_URL may not create the role {app_role}: give a login that may, or set "
            "DATABASE_URL (the app's role) and DATABASE_OWNER_URL (the owner) both."
        ) from None
    return owner_url, with_user(owner_url, app_role, password)


def make_role(connection: "psycopg.Connection[tuple[object, ...]]", name: str, password: str = "") -> None:
    """Makes a role that may log in and nothing more, or gives the one that is there this password."""
    role = sql.Identifier(name)
    there = connection.execute("SELECT 1 FROM pg_roles WHERE rolname = %s", [name]).fetchone()
    verb = "ALTER" if there else "CREATE"
    with_password = sql.SQL(" PASSWORD {}").format(sql.Literal(password)) if password else sql.SQL("")
    connection.execute(sql.SQL(verb + " ROLE {} LOGIN").format(role) + with_password)


def _make_database(admin_url: str, database: str) -> None:
    try:
        psycopg.connect(with_database(admin_url, database), connect_timeout=10).close()
        return
    except psycopg.OperationalError as error:
        # Without a server there is no SQLSTATE; a missing database has none either at connect, only words.
        if f'database "{database}" does not exist' not in str(error):
            raise CannotPrepare(
                f"DATABASE_URL doesn't lead to a server that lets us in: {_why(error)}."
            ) from None
    try:
        with psycopg.connect(
            with_database(admin_url, "postgres"), autocommit=True, connect_timeout=10
        ) as there:
            there.execute(sql.SQL("CREATE DATABASE {}").format(sql.Identifier(database)))
    except psycopg.errors.DuplicateDatabase:
        pass  # somebody else was quicker
    except psycopg.Error:
        raise CannotPrepare(
            f"The database {database} doesn't exist and the login in DATABASE_URL may not create it: "
            "create it, or give a login that may."
        ) from None


def _why(error: psycopg.Error) -> str:
    """The last words of the driver's message: the server's reason, without the address before it."""
    return str(error).strip().splitlines()[-1].rpartition("FATAL:")[2].strip().rstrip(".")


def _password(var: Path, role: str, server: str) -> str:
    """The password made for this role on this server at the first start, or a new one."""
    kept = var / "roles" / quote(f"{role}@{server}", safe="@")
    kept.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    try:
        return kept.read_text().strip()
    except FileNotFoundError:
        pass
    password = secrets.token_urlsafe(32)
    with os.fdopen(os.open(kept, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600), "w") as file:
        file.write(password)
    return password


def url(*, user: str, database: str, host: str, port: str = "", password: str = "", options: str = "") -> str:
    """A postgresql:// address. The host may be a directory, which is where a local server's socket lies."""
    login = quote(user, safe="") + (f":{quote(password, safe='')}" if password else "")
    place = quote(host, safe="") + (f":{port}" if port else "")
    return f"postgresql://{login}@{place}/{quote(database, safe='')}{options}"


def with_database(address: str, database: str) -> str:
    return _rebuilt(address, dbname=database)


def with_user(address: str, user: str, password: str) -> str:
    return _rebuilt(address, user=user, password=password)


def _rebuilt(address: str, **changes: str) -> str:
    parts = {key: str(value) for key, value in (conninfo_to_dict(address) | changes).items() if value}
    known = {key: parts.pop(key, "") for key in ("user", "password", "host", "port", "dbname")}
    query = "&".join(f"{key}={quote(value, safe='')}" for key, value in sorted(parts.items()))
    return url(
        user=known["user"],
        password=known["password"],
        host=known["host"],
        port=known["port"],
        database=known["dbname"],
        options=f"?{query}" if query else "",
    )
