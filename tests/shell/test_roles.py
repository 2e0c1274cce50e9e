"""Two roles: the owner migrates, the app serves, and what is only added to can't be changed by who serves."""

import os
import subprocess
import sys
from contextlib import contextmanager

import psycopg
import pytest
from django.apps import apps
from django.core.management import call_command
from django.core.management.base import CommandError, SystemCheckError
from django.db import DatabaseError, connection, transaction

from portal.shell import database
from portal.shell.embedded import Server
from portal.shell.environment import database as as_settings
from portal.shell.fingerprint import BASE
from portal.shell.management.commands.migrate import make_sure_of
from tests.databases import fresh_database, handed_on


def append_only_models():
    return [model for model in apps.get_models() if getattr(model, "append_only", False)]


def test_something_is_append_only():
    # Else the tests below would pass for want of a case.
    assert append_only_models()


@pytest.mark.django_db
@pytest.mark.parametrize("verb", ["UPDATE {} SET id = id", "DELETE FROM {}", "TRUNCATE {}"])
@pytest.mark.parametrize("table", [model._meta.db_table for model in append_only_models()])
def test_the_app_can_not_change_an_append_only_table(table, verb):
    with (
        pytest.raises(DatabaseError, match="permission denied"),
        transaction.atomic(),
        connection.cursor() as cursor,
    ):
        cursor.execute(verb.format(connection.ops.quote_name(table)))


@pytest.mark.django_db
def test_the_apps_role_may_serve():
    assert database.refusals(connection) == []


@contextmanager
def connected(url):
    """Django's own connection, leading to another address for a while."""
    before = dict(connection.settings_dict)
    connection.close()
    connection.settings_dict.update(as_settings(url) | {"OPTIONS": {}})
    try:
        yield connection
    finally:
        connection.close()
        connection.settings_dict.update(before)


@pytest.fixture
def may_connect(django_db_blocker):
    with django_db_blocker.unblock():
        yield


def test_the_owner_may_not_serve(may_connect):
    with fresh_database() as (owner_url, _), connected(owner_url) as owner:
        (sentence,) = database.refusals(owner)
    assert "owns" in sentence
    assert "DATABASE_OWNER_URL" in sentence


def test_a_role_that_may_become_the_owner_may_not_serve(tmp_path, may_connect):
    server = Server(tmp_path / "pg", careless=True)
    server.start()
    try:
        root = database.url(user="postgres", database="porter", host=str(server.socket))
        with psycopg.connect(root, autocommit=True) as there:
            there.execute("REVOKE porter_app FROM porter_owner")
            there.execute(
                "SET ROLE porter_owner; CREATE TABLE thing (); RESET ROLE; GRANT porter_owner TO porter_app"
            )
        for url, word in ((server.app_url("porter"), "owns 1 tables"), (root, "superuser")):
            with connected(url) as asked:
                assert word in " ".join(database.refusals(asked))
    finally:
        server.stop()


def test_a_right_given_back_by_hand_stops_the_start_and_the_next_migrate_takes_it(may_connect):
    table = append_only_models()[0]._meta.db_table
    with fresh_database() as (owner_url, app_url):
        role = as_settings(app_url)["USER"]
        with psycopg.connect(owner_url, autocommit=True) as owner:
            owner.execute(f'GRANT UPDATE, TRUNCATE ON "{table}" TO "{role}"')
        with connected(app_url) as app:
            (sentence,) = database.refusals(app)
        assert f"may UPDATE and TRUNCATE in {table}" in sentence
        with connected(owner_url) as owner:
            database.grant(owner, role)
        with connected(app_url) as app:
            assert database.refusals(app) == []


@pytest.mark.parametrize(
    "command",
    [
        ("-m", "gunicorn", "portal.shell.wsgi", "--bind", "127.0.0.1:0"),
        ("manage.py", "qcluster"),
    ],
    ids=["web", "worker"],
)
def test_neither_server_starts_as_the_owner(command, tmp_path):
    with fresh_database() as (owner_url, _):
        ended = subprocess.run(
            [sys.executable, *command],
            cwd=BASE,
            env={
                "PATH": os.environ["PATH"],
                "PORTER_MODE": "demo",
                "PORTER_VAR": str(tmp_path),
                "DATABASE_URL": owner_url,
            },
            capture_output=True,
            text=True,
            timeout=30,
        )
    assert ended.returncode == 1
    assert "owns" in ended.stderr
    assert "Traceback" not in ended.stderr


def test_djangos_check_knows_it_too(committed_db):
    call_command("check", databases=["default"])
    table = append_only_models()[0]._meta.db_table
    here, place = as_settings(committed_db), handed_on()
    assert place is not None
    with psycopg.connect(database.with_database(place.owner_url, here["NAME"]), autocommit=True) as owner:
        owner.execute(f'GRANT DELETE ON "{table}" TO "{here["USER"]}"')
    with pytest.raises(SystemCheckError, match="may DELETE"):
        call_command("check", databases=["default"])


def test_migrate_needs_the_owner(settings):
    settings.DATABASE_OWNER = None
    with pytest.raises(CommandError, match="DATABASE_OWNER_URL is not set"):
        call_command("migrate")


def test_migrate_makes_the_apps_role_when_it_may_and_else_says_how(tmp_path, may_connect):
    server = Server(tmp_path / "pg", careless=True)
    server.start()
    try:
        root = database.url(user="postgres", database="porter", host=str(server.socket))
        with connected(server.owner_url("porter")) as owner, pytest.raises(CommandError, match="CREATE ROLE"):
            make_sure_of(owner, "newcomer", "word")
        with connected(root) as owner:
            make_sure_of(owner, "newcomer", "word")
            make_sure_of(owner, "newcomer", "another")
        psycopg.connect(database.with_user(root, "newcomer", "word")).close()
    finally:
        server.stop()


def test_an_administrators_login_is_enough_to_make_the_pair(tmp_path):
    server = Server(tmp_path / "pg", careless=True)
    server.start()
    try:
        root = database.url(user="postgres", database="clinic", host=str(server.socket))
        owner_url, app_url = database.prepare(root, var=tmp_path)
        again = database.prepare(root, var=tmp_path)
        assert again == (owner_url, app_url)
        with psycopg.connect(app_url) as app:
            assert app.execute("SELECT current_user").fetchone() == ("clinic_app",)
        (kept,) = (tmp_path / "roles").iterdir()
        assert kept.stat().st_mode & 0o077 == 0

        plain = server.app_url("clinic")
        with pytest.raises(database.CannotPrepare, match="DATABASE_OWNER_URL"):
            database.prepare(plain, var=tmp_path, app_role="another")
        with pytest.raises(database.CannotPrepare, match="may not create it"):
            database.prepare(server.app_url("nowhere"), var=tmp_path)
    finally:
        server.stop()
