"""Pieces of pages as HTML, kept in each process for as long as all that they are told stays the same.

A list is asked for again with every action and by everybody who works the queue, and hardly any row of it, and nothing
around the rows, has changed since: writing them took longer than all else of the page. What is another each time (the
token of a form, when the page was made) or nobody's to keep (what somebody looks for) is a hole in the piece, which is
filled when the piece is used. A template prints a hole and does nothing else with it: what is in it isn't there yet.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from functools import lru_cache
from secrets import token_hex
from typing import Any

from django.template.loader import render_to_string
from django.urls import get_script_prefix
from django.utils.html import conditional_escape
from django.utils.safestring import SafeString

MOST = 5_000  # pieces kept in one process; the one that was longest not asked for makes room

_SIGN = token_hex(12)  # where a hole begins. Whoever writes to a clinic can't know it.
_HOLE = re.compile(f"{_SIGN}([a-z_]+);")

# What a piece is kept by: the language, where addresses begin, what it is told, and which holes it has.
Key = tuple[str | None, str, tuple[tuple[str, Any], ...], tuple[str, ...]]


def written(piece: str, language: str | None, told: Mapping[str, Any], **holes: str) -> SafeString:
    """A compiled piece. It sees the names that it is `told`, all hashable, and the `holes`. `language` is the one that
    is spoken."""
    return _kept("compiled", piece, language, told, holes)


def compiled(piece: str, **told: Any) -> SafeString:
    """A compiled piece of which nothing is kept."""
    return SafeString(render_to_string(piece, told, using="compiled"))


def framed(template: str, language: str | None, told: Mapping[str, Any], **holes: str) -> SafeString:
    """A page of Django's, likewise. No request is behind it: what is somebody's own has to fill a hole."""
    return _kept("django", template, language, told, holes)


def _kept(
    using: str, name: str, language: str | None, told: Mapping[str, Any], holes: Mapping[str, str]
) -> SafeString:
    key = (language, get_script_prefix(), tuple(told.items()), tuple(holes))
    return _filled(_parts(using, name, key), holes)


@lru_cache(maxsize=MOST)
def _parts(using: str, name: str, key: Key) -> list[SafeString]:
    """The text before, between and after the holes, and in between the name of each."""
    _language, _prefix, told, holes = key
    signs = {hole: SafeString(f"{_SIGN}{hole};") for hole in holes}
    return [SafeString(part) for part in _HOLE.split(render_to_string(name, dict(told) | signs, using=using))]


def _filled(parts: list[SafeString], holes: Mapping[str, str]) -> SafeString:
    if len(parts) == 1:
        return parts[0]
    filled: list[str] = list(parts)
    filled[1::2] = [conditional_escape(holes[name]) for name in parts[1::2]]
    return SafeString("".join(filled))
