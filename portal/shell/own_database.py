"""A database of its own for a command that makes up its own world: a simulation, a load test, a benchmark.

The command starts itself once more as a child whose settings lead there, so that nothing it does can meet anybody's
real rows. On our embedded PostgreSQL where no DATABASE_URL is given, else beside the database that one names.
"""

from __future__ import annotations

import fcntl
import os
import secrets
import subprocess
import sys
from collections.abc import Iterator, Mapping
from contextlib import ExitStack, contextmanager
from pathlib import Path

import psycopg
from psycopg import sql

from portal.shell import fingerprint
from portal.shell.database import prepare, with_database
from portal.shell.embedded import Busy, Server

BASE = fingerprint.BASE
WORLDS = BASE / "var" / "own"
INSIDE = "PORTER_OWN_DATABASE"  # names the world that a child works in


def inside(name: str) -> bool:
    """Whether this process already works in the database of that name."""
    return os.environ.get(INSIDE) == name


@contextmanager
def own_database(
    name: str, *, keep: bool = False, careless: bool = False, as_owner: bool = False
) -> Iterator[dict[str, str]]:
    """An empty, migrated database, and the environment of processes that work in it. Dropped at the end unless `keep`.

    With `keep`, one that is there and has today's tables is used again with what it holds. `careless` gives up safety
    against power cuts for speed (embedded server only). `as_owner` hands on the owner's address as well. Raises
    CannotStart, Busy or CannotPrepare with a sentence.
    """
    with ExitStack() as stack:
        var = stack.enter_context(_place(name, alone=keep))
        database = f"porter_{var.name}"
        given = os.environ.get("DATABASE_OWNER_URL") or os.environ.get("DATABASE_URL")
        if given:
            admin = given
        else:
            server = Server(var / "postgres", careless=careless)
            server.start()
            stack.callback(server.stop)
            admin, app = server.owner_url("postgres"), server.app_url(database)
        stamp = var / "migrated"
        fresh = stamp.exists() and stamp.read_text() == fingerprint.of_schema()
        if not (keep and fresh and _is_there(admin, database)):
            stamp.unlink(missing_ok=True)
            _drop(admin, database)
        if given:
            owner, app = prepare(given, var=var, database=database)
        else:
            owner = with_database(admin, database)
            _create(admin, database)
        environment = _environment(name, var=str(var), app=app)
        if not stamp.exists():
            _migrate(environment | {"DATABASE_OWNER_URL": owner})
            stamp.write_text(fingerprint.of_schema())
        if as_owner:
            environment["DATABASE_OWNER_URL"] = owner
        try:
            yield environment
        finally:
            if not keep:
                stamp.unlink(missing_ok=True)
                _drop(admin, database)


@contextmanager
def _place(name: str, *, alone: bool) -> Iterator[Path]:
    """A folder that no other process works in: the one of that name, or for worlds that don't last the next free."""
    WORLDS.mkdir(parents=True, exist_ok=True)
    for number in range(1, 2 if alone else 20):
        var = WORLDS / (name if number == 1 else f"{name}_{number}")
        with (WORLDS / f"{var.name}.lock").open("w") as lock:
            try:
                fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
            except BlockingIOError:
                continue
            var.mkdir(exist_ok=True)
            yield var
            return
    raise Busy(f"Another process works in the database “{name}”: wait until it is done.")


def run_inside(environment: Mapping[str, str], *arguments: str) -> int:
    """One of our commands as a child in that world, with this terminal; returns its exit code."""
    done = subprocess.run(
        [sys.executable, "manage.py", *arguments], cwd=BASE, env=dict(environment), check=False
    )
    return done.returncode


def _environment(name: str, *, var: str, app: str) -> dict[str, str]:
    kept = {key: value for key, value in os.environ.items() if key != "DATABASE_OWNER_URL"}
    return kept | {
        "PORTER_MODE": "demo",
        "PORTER_VAR": var,
        "PORTER_SECRET_KEY": secrets.token_urlsafe(64),
        "PORTER_SITE_URL": "http://localhost:8000",
        "DATABASE_URL": app,
        INSIDE: name,
    }


def _migrate(environment: Mapping[str, str]) -> None:
    done = subprocess.run(
        [sys.executable, "-W", "ignore", "manage.py", "migrate", "--no-input", "--verbosity=0"],
        cwd=BASE,
        env=dict(environment),
        capture_output=True,
        text=True,
        check=False,
    )
    if done.returncode:
        raise RuntimeError(f"The tables could not be made:\n{done.stdout}{done.stderr}")


@contextmanager
def _maintenance(admin: str) -> Iterator[psycopg.Connection[tuple[object, ...]]]:
    with psycopg.connect(with_database(admin, "postgres"), autocommit=True, connect_timeout=10) as connection:
        yield connection


def _is_there(admin: str, database: str) -> bool:
    with _maintenance(admin) as connection:
        return bool(connection.execute("SELECT 1 FROM pg_database WHERE datname = %s", [database]).fetchone())


def _create(admin: str, database: str) -> None:
    if not _is_there(admin, database):
        with _maintenance(admin) as connection:
            connection.execute(sql.SQL("CREATE DATABASE {}").format(sql.Identifier(database)))


def _drop(admin: str, database: str) -> None:
    with _maintenance(admin) as connection:
        connection.execute(
            sql.SQL("DROP DATABASE IF EXISTS {} WITH (FORCE)").format(sql.Identifier(database))
        )
