"""Field names: how a question, and which repetition of it, is told in what a browser posts.

    i.<question>                         a question, or a group that isn't repeated
    i.<group>.0.<question>               the same inside the first repetition of a repeated group
    i.<group>.0.<inner>.2.<question>     and so on inwards; groups that don't repeat are not named
    i.<question>.0                       a repeated question with questions of its own below it
    i.<question>:unit                    a second part of the same answer: unit, time, other, file; `n` counts rows

LinkIds are unique in a questionnaire, so only repeated ancestors need to be told. Any character of a linkId but
ASCII letters, digits, "-" and "_" is written as `~` and two hex digits for each of its UTF-8 bytes, so a name is
also a safe HTML id, and "." and ":" always mean what is said above.
"""

from __future__ import annotations

import re
from functools import lru_cache

from .items import Item, Questionnaire

ROOT = "i"
PARTS = frozenset({"unit", "time", "other", "file", "n"})
MOST_ROWS = 100
_PLAIN = re.compile(r"[A-Za-z0-9_-]+\Z")
_CODED = re.compile(r"~([0-9A-F]{2})")
_INDEX = re.compile(r"(?:0|[1-9][0-9]{0,3})\Z")


@lru_cache(maxsize=65536)
def encode(link_id: str) -> str:
    if _PLAIN.match(link_id):
        return link_id
    return "".join(
        char
        if char.isascii() and (char.isalnum() or char in "-_")
        else "".join(f"~{byte:02X}" for byte in char.encode())
        for char in link_id
    )


def decode(segment: str) -> str | None:
    """The linkId a segment stands for, or None where no linkId is written like that."""
    if "~" not in segment:
        return segment if _PLAIN.match(segment) else None
    try:
        link_id = _CODED.sub(lambda hit: chr(int(hit[1], 16)), segment).encode("latin-1").decode()
    except UnicodeError:
        return None
    return link_id if encode(link_id) == segment else None


def child_name(prefix: str, link_id: str) -> str:
    return f"{prefix}.{encode(link_id)}"


def split_part(name: str) -> tuple[str, str]:
    """A name and its part: "i.weight:unit" gives ("i.weight", "unit")."""
    base, _, part = name.partition(":")
    return base, part


def resolve(q: Questionnaire, name: str) -> tuple[Item, tuple[int, ...], str] | None:
    """The item a field name speaks of, the rows it lies in, and its part; None for a name this form can't have."""
    base, part = split_part(name)
    if (":" in name and part not in PARTS) or len(name) > 4000:
        return None
    root, *segments = base.split(".")
    if root != ROOT or not segments:
        return None
    rows: list[int] = []
    anchors: list[str] = []
    item = _item(q, segments[0])
    for place, segment in enumerate(segments[1:], 1):
        if item is None:
            return None
        if place % 2 == 0:
            item = _item(q, segment)
        elif not item.has_rows or not _INDEX.match(segment) or int(segment) >= MOST_ROWS:
            return None
        else:
            rows.append(int(segment))
            anchors.append(item.link_id)
    if item is None:
        return None
    expected = [anchor.link_id for anchor in q.row_anchors[item.link_id]]
    ends_in_row = len(segments) % 2 == 0
    if anchors != ([*expected, item.link_id] if ends_in_row else expected):
        return None
    if item.has_rows and not ends_in_row and part != "n":
        return None
    return item, tuple(rows), part


def _item(q: Questionnaire, segment: str) -> Item | None:
    link_id = decode(segment)
    return q.by_link_id.get(link_id) if link_id is not None else None
