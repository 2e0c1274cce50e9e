"""FHIRPath's types and conversions (§5.5, §6.3), and patterns in an engine that can't backtrack."""

from __future__ import annotations

from collections.abc import Callable
from decimal import Decimal
from functools import lru_cache
from typing import Any

import re2

from .operators import Items, one
from .values import Fault, Quantity, Temporal, number, quantity, temporal, text_of

Function = Callable[..., Items]


@lru_cache(maxsize=256)
def pattern_of(text: str) -> Any:
    """A compiled pattern. Raises Fault for one that is none, or can't be checked in bounded time."""
    options = re2.Options()
    options.log_errors = False
    options.dot_nl = True
    options.max_mem = 1 << 20
    if len(text) > 2000:
        raise Fault("A pattern is too long.")
    try:
        return re2.compile(text, options=options)
    except re2.error:
        raise Fault("A pattern can't be checked in bounded time, or isn't one.") from None


def _to_integer(value: Any) -> Any:
    if isinstance(value, bool):
        return int(value)
    if isinstance(value, int):
        return value
    return (
        int(value)
        if isinstance(value, str) and len(value) < 30 and pattern_of(r"[+-]?[0-9]+").fullmatch(value)
        else None
    )


def _to_decimal(value: Any) -> Any:
    amount = number(value)
    if amount is not None or isinstance(value, bool):
        return Decimal(int(value) if isinstance(value, bool) else amount or 0)
    return (
        Decimal(value)
        if isinstance(value, str)
        and len(value) < 40
        and pattern_of(r"[+-]?[0-9]+(\.[0-9]+)?").fullmatch(value)
        else None
    )


def _to_boolean(value: Any) -> Any:
    if isinstance(value, bool):
        return value
    text = (text_of(value) or "").lower()
    if text in ("true", "t", "yes", "y", "1", "1.0"):
        return True
    return False if text in ("false", "f", "no", "n", "0", "0.0") else None


def _to_moment(kind: str) -> Callable[[Any], Any]:
    def convert(value: Any) -> Any:
        moment = value if isinstance(value, Temporal) else temporal(value) if isinstance(value, str) else None
        if moment is None or (moment.kind == "time") != (kind == "time"):
            return None
        return (
            Temporal("date", moment.text.partition("T")[0]) if kind == "date" else Temporal(kind, moment.text)
        )

    return convert


def _to_quantity(value: Any, unit: Any = None) -> Any:
    amount = quantity(value)
    plain = number(value)
    if amount is None and plain is not None:
        return Quantity(Decimal(plain), "1")
    if amount is None and isinstance(value, str):
        hit = pattern_of(r"([+-]?[0-9]+(?:\.[0-9]+)?)\s*(?:'([^']*)'|([a-z]+))?").fullmatch(value)
        return Quantity(Decimal(hit[1]), hit[2] or hit[3] or "1") if hit else None
    return amount


CONVERSIONS: dict[str, Callable[..., Any]] = {
    "Integer": _to_integer,
    "Decimal": _to_decimal,
    "Boolean": _to_boolean,
    "String": text_of,
    "Date": _to_moment("date"),
    "DateTime": _to_moment("dateTime"),
    "Time": _to_moment("time"),
    "Quantity": _to_quantity,
}


def conversion(convert: Callable[..., Any], asking: bool) -> Function:
    def function(items: Items, *args: Items) -> Items:
        value = one(items, "A conversion")
        if value is None:
            return []
        found = convert(value)
        return [found is not None] if asking else [] if found is None else [found]

    return function


SHAPES = {
    "Quantity": ("value", "unit"),
    "Coding": ("code", "display", "system"),
    "CodeableConcept": ("coding",),
    "Reference": ("reference",),
    "Range": ("low", "high"),
    "Period": ("start", "end"),
    "Attachment": ("contentType",),
}


def is_type(value: Any, name: str) -> bool:
    """Is a value of a type? JSON doesn't say, so elements are told by what they hold."""
    short = name.rpartition(".")[2]
    kind = short.lower()
    if isinstance(value, bool):
        return kind == "boolean"
    if isinstance(value, int):
        return kind in ("integer", "positiveint", "unsignedint") or name in ("decimal", "FHIR.decimal")
    if isinstance(value, (Decimal, float)):
        return kind == "decimal"
    if isinstance(value, Temporal):
        return kind == value.kind.lower() or (kind == "instant" and value.kind == "dateTime")
    if isinstance(value, Quantity):
        return kind == "quantity"
    if isinstance(value, str):
        return kind in ("string", "code", "uri", "url", "id", "markdown", "canonical", "uuid", "oid")
    if isinstance(value, dict):
        if "resourceType" in value:
            return short in (value["resourceType"], "Resource", "DomainResource")
        return any(key in value for key in SHAPES.get(short, ())) and not (
            short == "Coding" and "value" in value
        )
    return False
