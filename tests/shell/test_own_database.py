"""A command's own world: made empty and migrated, used again or dropped, and never anybody else's."""

from __future__ import annotations

import subprocess
import sys

import pytest

from portal.shell import own_database
from portal.shell.own_database import own_database as own


@pytest.fixture
def _own_place(tmp_path, monkeypatch: pytest.MonkeyPatch) -> None:
    """In a folder of the test's, on the embedded server."""
    monkeypatch.delenv("DATABASE_URL", raising=False)
    monkeypatch.delenv("DATABASE_OWNER_URL", raising=False)
    monkeypatch.setattr(own_database, "WORLDS", tmp_path)


def _count(environment: dict[str, str], statement: str) -> str:
    """What a child process of that world sees, as the app's role."""
    code = f"from django.db import connection as c; k = c.cursor(); k.execute({statement!r}); print(k.fetchone()[0])"
    done = subprocess.run(
        [sys.executable, "manage.py", "shell", "--no-imports", "-c", code],
        cwd=own_database.BASE,
        env=environment,
        capture_output=True,
        text=True,
        check=True,
    )
    return done.stdout.strip().splitlines()[-1]


@pytest.mark.usefixtures("_own_place")
def test_it_is_kept_when_asked_and_dropped_else() -> None:
    with own("trial", keep=True, careless=True) as environment:
        assert _count(environment, "SELECT current_user") == "porter_app"
        assert _count(environment, "SELECT count(*) FROM auth_group") == "0"
        _count(environment, "INSERT INTO auth_group (name) VALUES ('kept') RETURNING id")
    with own("trial", keep=True, careless=True) as environment:
        assert _count(environment, "SELECT count(*) FROM auth_group") == "1"
    with own("trial", careless=True) as environment:
        assert _count(environment, "SELECT count(*) FROM auth_group") == "0"
