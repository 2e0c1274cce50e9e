"""Long lists of answers in portions, each about as light as every other page."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

# What a page shows of answers at most, in characters and in number.
LENGTH, MOST = 12_000, 100
# Of a form too long for one page, a text longer than this is shown by its beginning until it is asked for.
LONG, BEGINNING = 240, 160
Lines = list[dict[str, Any]]


def slices(lines: Lines, *, length: int = LENGTH) -> list[Lines]:
    """Answers in portions that are light enough for a page; each holds one at least, and none is cut."""
    found: list[Lines] = []
    room = 0
    for line in lines:
        size = _size(line)
        if not found or size > room or len(found[-1]) == MOST:
            found.append([])
            room = length
        found[-1].append(line)
        room -= size
    return found


def beginnings(lines: Lines) -> Lines:
    """The same answers where one page holds them all; otherwise each long text by its beginning, marked `cut`."""
    if sum(map(_size, lines)) <= LENGTH:
        return lines
    return [_beginning(line) if len(line["value"]) > LONG else line for line in lines]


def _beginning(line: dict[str, Any]) -> dict[str, Any]:
    start = line["value"][:BEGINNING]
    words = start.rsplit(None, 1)[0] if any(map(str.isspace, start)) else start
    return line | {"value": f"{words} …", "cut": True}


def in_parts(portion: Iterable[dict[str, Any]]) -> list[tuple[Any, Lines]]:
    """A portion's lines beside each other by the `page` of the form that asks them, in their order."""
    found: list[tuple[Any, Lines]] = []
    for line in portion:
        if not found or found[-1][0] is not line["page"]:
            found.append((line["page"], []))
        found[-1][1].append(line)
    return found


def _size(line: dict[str, Any]) -> int:
    return len(line["label"]) + len(line["value"])
