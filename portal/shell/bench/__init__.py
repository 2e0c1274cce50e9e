"""What Porter promises about speed, measured. `make bench` prints one JSON line a figure.

A group is a generator function of the room that it measures: it yields (name, value, unit, aim), the aim as "<= 0.3" or
">= 0.95", or empty for a figure that only informs. Add a line to `GROUPS` for a new one.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import asdict, dataclass
from importlib import import_module
from operator import ge, le
from typing import Any

Told = tuple[str, float, str, str]


@dataclass(frozen=True)
class Group:
    """A few figures that are measured together.

    `rolls_back` says that it runs in one transaction that is undone afterwards, so that no group meets the rows of
    another. One that has to commit says False. One `in_practice` is measured in a large practice (`seed_load`).
    """

    name: str
    function: str  # dotted path of the generator function
    rolls_back: bool = True
    in_practice: bool = False

    def run(self) -> Iterator[Figure]:
        module, _dot, name = self.function.rpartition(".")
        measure: Callable[[], Iterator[Told]] = getattr(import_module(module), name)
        for told in measure():
            yield Figure.of(*told)


@dataclass(frozen=True)
class Figure:
    name: str
    value: float
    unit: str
    aim: str
    ok: bool

    @classmethod
    def of(cls, name: str, value: float, unit: str, aim: str) -> Figure:
        return cls(name, round(value, 4), unit, aim, not aim or _kept(value, aim))

    def to_json(self) -> dict[str, Any]:
        return asdict(self)


def _kept(value: float, aim: str) -> bool:
    sign, _space, bound = aim.partition(" ")
    return {"<=": le, ">=": ge}[sign](value, float(bound))


GROUPS = (
    Group("forms", "intake.bench.forms"),
    Group("decisions", "triage.bench.decisions"),
    Group("replay", "triage.bench.replay"),
    Group("proofs", "triage.bench.proofs"),
    Group("signals", "triage.signals.bench.reading"),
    *(
        Group(name, f"portal.shell.bench.web.{function}", rolls_back=False, in_practice=True)
        for name, function in (
            ("form-page", "form_page"),
            ("task-page", "task_page"),
            ("list", "lists"),
            ("submit", "submit"),
            ("claim", "claim"),
            ("search", "search"),
            ("poll", "poll"),
            ("measures", "measures"),
        )
    ),
)
# What the list of a large practice is compared with.
SMALL = Group("list-small", "portal.shell.bench.web.small", rolls_back=False, in_practice=True)
