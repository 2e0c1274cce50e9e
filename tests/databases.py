"""Databases for tests, on one PostgreSQL for the whole run.

The owner migrates a template database once; it is kept between runs and made anew when migrations or models
change. Each test process works on its own copy of it, as the app's role, which owns nothing: what the
database forbids in production it forbids here.
"""

import fcntl
import hashlib
import json
import os
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import asdict, dataclass
from itertools import count
from typing import IO

import psycopg
from psycopg import sql
from psycopg.conninfo import conninfo_to_dict

from portal.shell import fingerprint
from portal.shell.database import prepare, with_database
from portal.shell.embedded import Busy, Server

VAR = fingerprint.BASE / "var" / "test"

# How the process that started the server tells the test processes where it is.
HANDED_ON = "PORTER_TEST_DATABASE"

_numbers = count(1)


@dataclass(frozen=True)
class Place:
    """Where tests find PostgreSQL: the template's addresses for both roles, and the name of this run."""

    owner_url: str
    app_url: str
    template: str
    run: str


class Run:
    """The server and the template of one run of the tests.

    Two runs at once get two servers and don't meet.
    """

    def __init__(self) -> None:
        self.server: Server | None = None
        self.lock: IO[str] | None = None

    def start(self) -> Place:
        VAR.mkdir(parents=True, exist_ok=True)
        given, owner = os.environ.get("DATABASE_URL"), os.environ.get("DATABASE_OWNER_URL")
        if not given:
            self.server = _free_server()
            run = self.server.home.name
            template = f"porter_template_{fingerprint.of_schema()}"
            owner_url, app_url = self.server.owner_url(template), self.server.app_url(template)
        else:
            self.lock, number = _free_number()
            # Who owns the databases is part of their names: another login could neither use nor drop them.
            login = hashlib.sha256(str(conninfo_to_dict(owner or given)["user"]).encode()).hexdigest()[:6]
            run = f"{login}_{number}"
            template = f"porter_{run}_template_{fingerprint.of_schema()}"
            if owner:
                owner_url, app_url = with_database(owner, template), with_database(given, template)
            else:
                # An administrator's login. A role of the tests' own: the demo's may have another password.
                owner_url, app_url = prepare(given, var=VAR, app_role="porter_test_app")
                owner_url, app_url = with_database(owner_url, template), with_database(app_url, template)
        place = Place(owner_url, app_url, template, run)
        _make_template(place)
        return place

    def stop(self) -> None:
        if self.server is not None:
            self.server.stop()
        if self.lock is not None:
            self.lock.close()


def _free_server() -> Server:
    for number in range(1, 20):
        server = Server(VAR / f"run{number}", careless=True)
        try:
            server.start()
        except Busy:
            continue
        return server
    raise RuntimeError("Nineteen runs of the tests are at work here already.")


def _free_number() -> tuple[IO[str], int]:
    for number in range(1, 20):
        lock = (VAR / f"run{number}.lock").open("a")
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            lock.close()
            continue
        return lock, number
    raise RuntimeError("Nineteen runs of the tests are at work here already.")


def _make_template(place: Place) -> None:
    """Migrates the template, unless one for the same migrations and models is there."""
    with _maintenance(place) as connection:
        there = {name for (name,) in connection.execute("SELECT datname FROM pg_database").fetchall()}
        # What a killed run with our number left: its number is ours now, so nobody uses them.
        stale = {
            name
            for name in there
            if name.startswith((f"porter_{place.run}_copy", f"porter_unfinished_{place.run}"))
        }
        if place.template not in there:
            family = place.template.rpartition("_")[0]
            stale |= {name for name in there if name.startswith(family)}
        for name in sorted(stale):
            _drop(connection, name)
        if place.template in there:
            return
        unfinished = f"porter_unfinished_{place.run}"
        connection.execute(sql.SQL("CREATE DATABASE {}").format(sql.Identifier(unfinished)))
    done = subprocess.run(
        [sys.executable, "-W", "ignore", "manage.py", "migrate", "--no-input", "--verbosity=0"],
        cwd=fingerprint.BASE,
        env=os.environ
        | {
            "PORTER_MODE": "test",
            "DATABASE_URL": with_database(place.app_url, unfinished),
            "DATABASE_OWNER_URL": with_database(place.owner_url, unfinished),
        },
        capture_output=True,
        text=True,
        check=False,
    )
    if done.returncode:
        raise RuntimeError(f"The template database could not be migrated:\n{done.stdout}{done.stderr}")
    with _maintenance(place) as connection:
        # Only a whole one gets the name that is looked for.
        connection.execute(
            sql.SQL("ALTER DATABASE {} RENAME TO {}").format(
                sql.Identifier(unfinished), sql.Identifier(place.template)
            )
        )


@contextmanager
def _maintenance(place: Place) -> Iterator["psycopg.Connection[tuple[str, ...]]"]:
    with psycopg.connect(with_database(place.owner_url, "postgres"), autocommit=True) as connection:
        yield connection


def _drop(connection: "psycopg.Connection[tuple[str, ...]]", name: str) -> None:
    """Drops a database with everybody in it, as soon as PostgreSQL lets us.

    A session that is just ending, or the server's own cleaner, may belong to a role the owner can't end.
    """
    for attempt in range(50):
        try:
            connection.execute(
                sql.SQL("DROP DATABASE IF EXISTS {} WITH (FORCE)").format(sql.Identifier(name))
            )
            return
        except (psycopg.errors.InsufficientPrivilege, psycopg.errors.ObjectInUse):
            if attempt == 49:
                raise
            time.sleep(0.2)


def hand_on(place: Place) -> None:
    os.environ[HANDED_ON] = json.dumps(asdict(place))


def handed_on() -> Place | None:
    text = os.environ.get(HANDED_ON)
    return Place(**json.loads(text)) if text else None


@contextmanager
def fresh_database() -> Iterator[tuple[str, str]]:
    """A migrated database of its own: the owner's URL and the app's.

    For servers in processes of their own, and for tests that commit. Dropped at the end, whoever is still
    connected.
    """
    place = handed_on()
    if place is None:
        raise RuntimeError(
            f"There is no database for tests: {os.environ.get(HANDED_ON + '_PROBLEM', 'not started')}"
        )
    name = f"porter_{place.run}_copy{os.getpid()}_{next(_numbers)}"
    with _maintenance(place) as connection:
        _drop(connection, name)
        connection.execute(
            sql.SQL("CREATE DATABASE {} TEMPLATE {}").format(
                sql.Identifier(name), sql.Identifier(place.template)
            )
        )
    try:
        yield with_database(place.owner_url, name), with_database(place.app_url, name)
    finally:
        with _maintenance(place) as connection:
            _drop(connection, name)
