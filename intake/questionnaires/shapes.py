"""What the fragments in templates/intake/items/ are given: plain shapes, with nothing left to decide."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

from django.utils.safestring import SafeString, mark_safe

NOTHING = mark_safe("")


@dataclass(slots=True)
class Hint:
    """A line that helps; the control says its id in aria-describedby."""

    id: str
    html: SafeString


@dataclass(slots=True)
class Choice:
    """A card."""

    id: str
    value: str
    label: SafeString
    text: str
    chosen: bool = False
    prefix: str = ""
    exclusive: bool = False


@dataclass(slots=True)
class Box:
    """One input of a question; a repeated question has several. `remove` is what its remove button posts."""

    id: str
    name: str
    value: str
    number: int
    extra: dict[str, str] = field(default_factory=dict)
    remove: str = ""
    label: str = ""


@dataclass(slots=True)
class Shape:
    """What every part of a page has."""

    id: str
    template: str
    label: SafeString = NOTHING
    classes: str = ""
    hints: list[Hint] = field(default_factory=list)
    errors: list[str] = field(default_factory=list)
    links: Sequence[str] = ()
    below: list[Any] = field(default_factory=list)

    @property
    def described(self) -> str:
        """The ids for aria-describedby: the hints, and the error when there is one."""
        ids = [hint.id for hint in self.hints]
        return " ".join([*ids, f"{self.id}-error"] if self.errors else ids)


@dataclass(slots=True)
class Question(Shape):
    """A question that is asked, or (`told`) one whose answer is only shown. `lines` are those of a drop-down."""

    name: str = ""
    prefix: str = ""
    first: bool = False
    required: bool = False
    optional: bool = False
    many: bool = False
    several: bool = False
    choices: list[Choice] = field(default_factory=list)
    lines: SafeString = NOTHING
    boxes: list[Box] = field(default_factory=list)
    units: list[Choice] = field(default_factory=list)
    unit_open: bool = False
    unit: str = ""
    attributes: dict[str, Any] = field(default_factory=dict)
    add: str = ""
    other: str = ""
    other_chosen: bool = False
    other_label: str = ""
    told: str = ""
    low: str = ""
    high: str = ""


@dataclass(slots=True)
class Part(Shape):
    """A group that doesn't repeat, a heading, or a text to read."""

    body: SafeString = NOTHING
    category: str = ""


@dataclass(slots=True)
class Row:
    """One repetition of a group."""

    id: str
    number: int
    remove: str
    errors: list[str]
    below: list[Any]


@dataclass(slots=True)
class Rows(Shape):
    """A repeated group: its rows, and what the buttons that add and remove one post."""

    name: str = ""
    title: str = ""
    rows: list[Row] = field(default_factory=list)
    add: str = ""
