"""From bytes to a plain, bounded tree of JSON: what is checked before anything tries to understand it."""

from __future__ import annotations

import json
import math
import re
from collections.abc import Mapping
from typing import Any

from .problems import Problem, QuestionnaireError

MOST_BYTES = 5_000_000
DEEPEST = 120
MOST_ITEMS = 20_000
DEEPEST_ITEM = 30
MOST_NODES = 2_000_000
# A string, closed or not (possessive, so that an unclosed one costs no second look), or a bracket.
_MARKS = re.compile(r'"(?:[^"\\]+|\\.)*+"?|[\[\]{}]', re.DOTALL)
_UNSAFE = re.compile("[\x00\ud800-\udfff]")


def refuse(path: str, feature: str, sentence: str) -> QuestionnaireError:
    return QuestionnaireError([Problem(path, feature, sentence)])


class _Repeated(ValueError):
    pass


def _object(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    found = dict(pairs)
    if len(found) != len(pairs):
        keys = [key for key, _value in pairs]
        raise _Repeated(next(key for place, key in enumerate(keys) if key in keys[:place]))
    return found


def _no_constant(name: str) -> Any:
    raise ValueError(f"{name} is not a JSON number")


def _finite(text: str) -> float:
    number = float(text)
    if not math.isfinite(number):
        raise ValueError(f"{text} is out of range")
    return number


def _whole(text: str) -> int:
    if len(text) > 40:
        raise ValueError("a number has too many digits")
    return int(text)


def _depth(text: str) -> int:
    """How deep brackets nest outside of strings, told without recursion."""
    deepest = depth = 0
    for mark in _MARKS.findall(text):
        if mark in ("[", "{"):
            depth += 1
            deepest = max(deepest, depth)
        elif mark in ("]", "}"):
            depth -= 1
    return deepest


def read(raw: bytes) -> dict[str, Any]:
    """The JSON object in `raw`; raises QuestionnaireError for anything else, and for what is too big or too deep."""
    if len(raw) > MOST_BYTES:
        raise refuse("", "size", f"The file has {len(raw):,} bytes; at most {MOST_BYTES:,} are read.")
    try:
        text = raw.decode("utf-8-sig")
    except UnicodeDecodeError:
        raise refuse("", "encoding", "The file is not UTF-8 text.") from None
    if _depth(text) > DEEPEST:
        raise refuse("", "nesting", f"The file nests deeper than {DEEPEST} levels.")
    try:
        found = json.loads(
            text,
            object_pairs_hook=_object,
            parse_constant=_no_constant,
            parse_float=_finite,
            parse_int=_whole,
        )
    except _Repeated as fault:
        raise refuse(
            "", "json", f"The key “{fault}” stands twice in one object, so one of the two would be lost."
        ) from None
    except json.JSONDecodeError as fault:
        raise refuse("", "json", f"The file is not JSON: {fault.msg} at line {fault.lineno}.") from None
    except (ValueError, RecursionError) as fault:
        raise refuse("", "json", f"The file is not JSON that can be read: {str(fault)[:120]}.") from None
    if not isinstance(found, dict):
        raise refuse("", "json", "The file must hold one JSON object, a Questionnaire.")
    return found


def check_tree(resource: Mapping[str, Any]) -> None:
    """Refuse a tree that is too deep or too big, or holds characters no database keeps, or what JSON doesn't have."""
    if not isinstance(resource, Mapping):
        raise refuse("", "json", "A questionnaire must be one JSON object.")
    waiting: list[tuple[Any, int]] = [(resource, 1)]
    seen = 0
    while waiting:
        node, depth = waiting.pop()
        seen += 1
        if depth > DEEPEST:
            raise refuse("", "nesting", f"The resource nests deeper than {DEEPEST} levels.")
        if seen > MOST_NODES:
            raise refuse("", "size", "The resource has too many parts to be read.")
        if isinstance(node, Mapping):
            for key in node:
                if not isinstance(key, str) or _UNSAFE.search(key):
                    raise refuse("", "text", "A key holds a character that can't be stored.")
            waiting.extend((value, depth + 1) for value in node.values())
        elif isinstance(node, (list, tuple)):
            waiting.extend((value, depth + 1) for value in node)
        elif isinstance(node, str):
            if _UNSAFE.search(node):
                raise refuse(
                    "", "text", "A text holds a character that can't be stored (NUL or half of a pair)."
                )
        elif isinstance(node, float) and not math.isfinite(node):
            raise refuse("", "json", "A number is not finite.")
        elif node is not None and not isinstance(node, (bool, int, float)):
            raise refuse("", "json", f"A value is of a kind JSON doesn't have ({type(node).__name__}).")
