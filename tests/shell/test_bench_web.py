"""The benchmark of the pages, run small: a real server, real clients, and figures of everything that is promised."""

from __future__ import annotations

import os
from collections import Counter
from collections.abc import Iterator

import pytest
from pytest_django.plugin import DjangoDbBlocker

from portal.shell.bench import GROUPS, SMALL, Figure, web
from portal.shell.bench.server import served, spread
from portal.shell.loading import Size
from portal.shell.own_database import INSIDE
from tests.practice import practice


@pytest.fixture(scope="module")
def _practice(django_db_setup: None, django_db_blocker: DjangoDbBlocker) -> Iterator[None]:
    """A small practice that the server finds by its environment, as in the command."""
    with (
        practice(django_db_blocker, tasks=300, size=Size(facilities=3, open=0.5)) as (owner, app, _loaded),
        pytest.MonkeyPatch.context() as patch,
    ):
        for name, value in ((INSIDE, "bench"), ("DATABASE_URL", app), ("DATABASE_OWNER_URL", owner)):
            patch.setenv(name, value)
        for name, few in (
            ("SECONDS", 0.2),
            ("TURNS", 1),
            ("PAGES", 5),
            ("LOOKS", 3),
            ("DRAFTS", 25),
            ("WARMING", 3),
            ("KINDS_OF_PAGE", 3),
        ):
            patch.setattr(web, name, few)
        patch.setenv(web.SMALLS_SHARE, "0.5")
        yield


def measured(name: str) -> dict[str, Figure]:
    (group,) = (group for group in (*GROUPS, SMALL) if group.name == name)
    return {figure.name: figure for figure in group.run()}


# What doesn't depend on how busy this computer is: each name with the aim that it is held to.
HELD = {
    "submit": {"submit: queries, median": True},
    "list": {
        "queue list: queries": True,
        "all my queues: queries": True,
        "all queues of the practice: queries": True,
    },
    "form-page": {},
    "task-page": {"task page: queries": True},
    "claim": {"claim next: double claims": True, "claim next: claims": True},
    "poll": {"poll that finds nothing new: queries": True},
    "search": {},
    "measures": {},
    "list-small": {},
}


@pytest.mark.usefixtures("_practice")
@pytest.mark.parametrize("name", HELD)
def test_a_group_measures_and_keeps_what_no_busy_computer_can_break(name: str) -> None:
    figures = measured(name)
    assert all(figure.value >= 0 for figure in figures.values())
    assert {figure: figures[figure].ok for figure in HELD[name]} == HELD[name]


@pytest.mark.usefixtures("_practice")
def test_clients_are_connected_evenly_to_the_servers_processes() -> None:
    with served() as site:
        clients = [site.client("") for _number in range(6)]
        spread(clients)
        met = Counter(client.ask("GET", "/health").worker for client in clients)
    assert sorted(met.values()) == [3, 3]


@pytest.mark.usefixtures("_practice")
def test_each_speed_is_a_share_of_its_yardstick() -> None:
    figures = measured("list")
    share = figures["queue list: share of its yardstick"]
    assert share.value > 0
    assert share.aim == ">= 0.3333"
    assert figures["queue list"].value > 0 < figures["queue list: its yardstick"].value
    assert figures["queue list: times slower than at 1,000 tasks"].aim == "<= 1.5"
    assert os.environ[INSIDE] == "bench"
