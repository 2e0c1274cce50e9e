"""The bench: figures with their aims, and nothing of them left behind."""

import json
from collections.abc import Iterator
from io import StringIO

import pytest
from django.core.management import CommandError, call_command

from portal.shell import bench
from portal.shell.bench import Figure, Group
from portal.shell.management.commands import bench as command
from triage.models import Ruleset


def test_an_aim_is_kept_or_missed() -> None:
    assert Figure.of("speed", 0.2, "ms", "<= 0.3").ok
    assert not Figure.of("speed", 0.4, "ms", "<= 0.3").ok
    assert Figure.of("recall", 0.96, "", ">= 0.95").ok
    assert not Figure.of("recall", 0.94, "", ">= 0.95").ok
    assert Figure.of("to know", 7, "", "").ok


@pytest.fixture(autouse=True)
def inside(monkeypatch: pytest.MonkeyPatch) -> None:
    """These tests have a database of their own already."""
    monkeypatch.setenv("PORTER_OWN_DATABASE", "bench")


def written() -> Iterator[bench.Told]:
    from audit.now import now

    Ruleset.objects.create(number=4242, status=Ruleset.Status.RETIRED, published_at=now())
    yield "rows", Ruleset.objects.filter(number=4242).count(), "rows", ">= 1"


def missed() -> Iterator[bench.Told]:
    yield "slow", 9, "s", "<= 1"


def test_each_figure_is_a_line_and_what_was_written_is_gone(
    db: None, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(command, "GROUPS", (Group("written", f"{__name__}.written"),))
    out = StringIO()
    call_command("bench", stdout=out)
    told = [json.loads(line) for line in out.getvalue().splitlines()]
    assert told == [{"name": "rows", "value": 1, "unit": "rows", "aim": ">= 1", "ok": True}]
    assert not Ruleset.objects.filter(number=4242).exists()


def test_a_missed_aim_ends_with_one(db: None, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(command, "GROUPS", (Group("missed", f"{__name__}.missed"),))
    with pytest.raises(SystemExit) as ended:
        call_command("bench", stdout=StringIO())
    assert ended.value.code == 1


def test_every_group_names_a_function_that_is_there() -> None:
    from importlib import import_module

    for group in bench.GROUPS:
        module, _dot, name = group.function.rpartition(".")
        assert callable(getattr(import_module(module), name))


def test_an_unknown_group_is_refused_with_the_ones_there_are(db: None) -> None:
    with pytest.raises(CommandError, match="decisions"):
        call_command("bench", "no-such-group", stdout=StringIO())
