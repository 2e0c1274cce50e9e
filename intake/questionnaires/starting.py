"""The answers a question starts with, as if somebody had typed them: one way in for every value.

Initial values, preselected options and computed values all pass through the same reading as what a person types, so
none of them can be stored in a form the question doesn't allow.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from decimal import Decimal
from functools import lru_cache
from typing import Any

from .items import Item, Option
from .options import OTHER
from .units import foreign, unit_of

Entry = tuple[str, dict[str, str]]
MOST_PLACES = Decimal("0.00000001")


@lru_cache(maxsize=8192)
def starting_entries(item: Item, row: int | None) -> tuple[Entry, ...]:
    """What an untouched question holds: its initial values, or its preselected options."""
    if item.initial:
        entries = [entry_of(item, type_, value) for type_, value in item.initial]
        found = tuple(entry for entry in entries if entry is not None)
        if row is not None:
            return found[row : row + 1]
        return found
    chosen: tuple[Entry, ...] = tuple((option.key, {}) for option in item.options if option.selected)
    if row is not None:
        return chosen[row : row + 1]
    return chosen if item.repeats else chosen[:1]


def entry_of(item: Item, type_: str, value: Any, options: Sequence[Option] | None = None) -> Entry | None:
    """A FHIR value as the text a person would have typed or chosen; None where the question can't hold it."""
    if item.has_options:
        return _choice_entry(item, value, item.options if options is None else options)
    if item.kind == "quantity":
        return _quantity_entry(item, value)
    if item.kind == "boolean":
        return (("true" if value else "false"), {}) if isinstance(value, bool) else None
    if item.kind in ("integer", "decimal"):
        if isinstance(value, Mapping):
            value = value.get("value")
        if isinstance(value, bool) or not isinstance(value, (int, float, Decimal)):
            return None
        return number_text(value), {}
    if item.kind == "dateTime" and isinstance(value, str):
        return value, {}
    if item.kind == "date" and isinstance(value, str):
        return value.partition("T")[0], {}
    if item.kind == "reference" and isinstance(value, Mapping):
        said = value.get("display") or value.get("reference")
        return (str(said), {}) if said else None
    if item.kind == "attachment":
        return None
    if isinstance(value, Mapping):
        said = value.get("display") or value.get("text") or value.get("code")
        return (str(said), {}) if said and item.kind in ("string", "text") else None
    if isinstance(value, bool) or value is None:
        return None
    return (number_text(value) if isinstance(value, (int, float, Decimal)) else str(value)), {}


def number_text(value: int | float | Decimal) -> str:
    """A number as a person writes it: no exponent, at most eight places."""
    number = value if isinstance(value, Decimal) else Decimal(str(value))
    exponent = number.as_tuple().exponent
    if isinstance(exponent, int) and exponent < -8:
        number = number.quantize(MOST_PLACES).normalize()
    return f"{number:f}"


def _choice_entry(item: Item, value: Any, options: Sequence[Option]) -> Entry | None:
    for option in options:
        if _same(option, value):
            return option.key, {}
    if item.kind == "open-choice" or not (options or item.option_expression):
        said = (value.get("display") or value.get("code")) if isinstance(value, Mapping) else value
        if isinstance(said, str) and said:
            return (OTHER, {"other": said}) if options else (said, {})
    return None


def _same(option: Option, value: Any) -> bool:
    if isinstance(value, Mapping) and isinstance(option.value, Mapping):
        if "coding" in value:
            return any(_same(option, coding) for coding in value["coding"])
        if option.type == "Reference":
            return bool(value.get("reference")) and value.get("reference") == option.value.get("reference")
        if value.get("system") and option.system and value["system"] != option.system:
            return False
        return value.get("code") == option.code if option.code else value.get("display") == option.display
    if isinstance(value, str) and isinstance(option.value, Mapping):
        return value == option.code
    return type(value) is type(option.value) and bool(value == option.value)


def _quantity_entry(item: Item, value: Any) -> Entry | None:
    if isinstance(value, (int, float, Decimal)) and not isinstance(value, bool):
        return number_text(value), {"unit": item.units[0].key} if item.units else {}
    if not isinstance(value, Mapping):
        return None
    number = value.get("value")
    # Of “less than 3” nothing but the 3 could be kept.
    if (foreign(item.units, value) and not item.unit_open) or value.get("comparator"):
        return None
    unit = unit_of(item.units, value)
    known = unit and (unit.label if item.unit_open else unit.key)
    label = known or str(value.get("unit") or value.get("code") or "")
    if number is not None and (isinstance(number, bool) or not isinstance(number, (int, float, Decimal))):
        return None
    return ("" if number is None else number_text(number)), ({"unit": label} if label else {})
