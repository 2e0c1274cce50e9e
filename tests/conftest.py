"""What every test stands on: the settings for tests, and a database of the app's role."""

import os
import tempfile
from collections.abc import Iterator

# Before anything reads the settings. Nothing of a demo or a production in the same terminal may reach the
# tests.
_given = {
    name: os.environ.pop(name) for name in list(os.environ) if name.startswith(("PORTER_", "EMAIL_URL"))
}
for _name in ("PORTER_CHROMIUM", "PORTER_SHOTS", "PORTER_TEST_DATABASE", "PORTER_TEST_DATABASE_PROBLEM"):
    if _name in _given:
        os.environ[_name] = _given[_name]
os.environ["PORTER_MODE"] = "test"
_var = tempfile.TemporaryDirectory(prefix="porter-test-")
os.environ["PORTER_VAR"] = _var.name
os.mkdir(f"{_var.name}/static")
os.environ["DJANGO_SETTINGS_MODULE"] = "portal.shell.settings"

import django  # noqa: E402

django.setup()

import pytest  # noqa: E402
from django.db import connections  # noqa: E402
from pytest_django.plugin import DjangoDbBlocker  # noqa: E402

from intake import forms  # noqa: E402
from portal.shell.environment import database  # noqa: E402
from tests import databases  # noqa: E402
from tests.clinic import Clinic, open_clinic  # noqa: E402
from triage import loading  # noqa: E402

# Fixtures of pytest-django that end with a flush: it would empty every table, and the append-only ones
# refuse.
FLUSHING = {"transactional_db", "live_server", "django_db_reset_sequences", "django_db_serialized_rollback"}


def pytest_sessionstart(session: pytest.Session) -> None:
    """Starts PostgreSQL once, in the process that the test processes come from."""
    config = session.config
    if hasattr(config, "workerinput") or config.option.collectonly:
        return
    run = databases.Run()
    config.add_cleanup(run.stop)
    try:
        databases.hand_on(run.start())
    except Exception as problem:
        # Tests that need no database still run; the others say this.
        os.environ[databases.HANDED_ON + "_PROBLEM"] = str(problem)


def pytest_unconfigure(config: pytest.Config) -> None:
    # Said aloud, because a test process that another one started ends without its exit handlers.
    _var.cleanup()


def pytest_runtest_setup(item: pytest.Item) -> None:
    marker = item.get_closest_marker("django_db")
    flushing = FLUSHING & set(getattr(item, "fixturenames", ()))
    if flushing or (marker and (marker.kwargs.get("transaction") or marker.args[:1] == (True,))):
        pytest.fail(
            "Tests that commit use the fixture committed_db: a flush would meet the append-only tables."
        )


@pytest.fixture(scope="session")
def django_db_setup(django_db_blocker: DjangoDbBlocker) -> Iterator[None]:
    """This process's copy of the template, for tests that roll back.

    Takes the place of Django's test database.
    """
    with databases.fresh_database() as (_, app_url), django_db_blocker.unblock():
        point_at(app_url)
        yield
        connections["default"].close()


@pytest.fixture
def committed_db(django_db_setup: None, django_db_blocker: DjangoDbBlocker) -> Iterator[str]:
    """A database of this test's own, where commits are real and threads see each other."""
    before = dict(connections.settings["default"])
    with databases.fresh_database() as (_, app_url), django_db_blocker.unblock():
        point_at(app_url)
        try:
            yield app_url
        finally:
            connections["default"].close()
            connections.settings["default"].update(before)
            forget()


def forget() -> None:
    """Let go of what a process keeps by a row's key: in another database another row has it."""
    for kept in (loading.compiled, forms._form):
        kept.cache_clear()


def point_at(url: str) -> None:
    """Changes the settings in place: threads open their own connections from the same dictionary."""
    forget()
    connections["default"].close()
    connections.settings["default"].update(
        database(url) | {"OPTIONS": connections.settings["default"]["OPTIONS"]}
    )


@pytest.fixture
def clinic(db: None) -> "Clinic":
    """The small clinic with its fixed cast."""
    return open_clinic()
