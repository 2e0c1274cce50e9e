"""`make bench`: runs `manage.py bench` in a database of its own, on the embedded PostgreSQL where none is given."""

import os
import subprocess
import sys
from pathlib import Path

import psycopg
from psycopg import sql

from portal.shell import fingerprint
from portal.shell.database import with_database
from portal.shell.embedded import Server

NAME = "porter_bench"


def main(arguments: list[str]) -> int:
    if os.environ.get("DATABASE_URL"):
        return _run([*arguments], {})
    var = fingerprint.BASE / "var" / "bench"
    var.mkdir(parents=True, exist_ok=True)
    server = Server(var, careless=True)
    server.start()
    try:
        return _in_own_database(server, var, arguments)
    finally:
        server.stop()


def _in_own_database(server: Server, var: Path, arguments: list[str]) -> int:
    owner = server.owner_url(NAME)
    with psycopg.connect(with_database(owner, "postgres"), autocommit=True) as connection:
        name = sql.Identifier(NAME)
        connection.execute(sql.SQL("DROP DATABASE IF EXISTS {}").format(name))
        connection.execute(sql.SQL("CREATE DATABASE {}").format(name))
    env = {
        "PORTER_MODE": "test",
        "PORTER_VAR": str(var),
        "PORTER_BENCH": "own",
        "DATABASE_URL": server.app_url(NAME),
        "DATABASE_OWNER_URL": owner,
    }
    migrate = [sys.executable, "-W", "ignore", "manage.py", "migrate", "--no-input", "--verbosity=0"]
    subprocess.run(migrate, cwd=fingerprint.BASE, env=os.environ | env, check=True)
    return _run(arguments, env)


def _run(arguments: list[str], env: dict[str, str]) -> int:
    command = [sys.executable, "-W", "ignore", "manage.py", "bench", *arguments]
    return subprocess.run(command, cwd=fingerprint.BASE, env=os.environ | env, check=False).returncode


if __name__ == "__main__":
    raise SystemExit(main(sys.argv[1:]))
