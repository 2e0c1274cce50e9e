"""What can only be checked once every item is known: conditions that point somewhere, and don't run in circles."""

from __future__ import annotations

from collections.abc import Mapping
from decimal import Decimal
from typing import Any

from .conditions import OPERATORS, TIMES, order, same_coding
from .items import Condition, Item, Questionnaire
from .names import MOST_ROWS
from .problems import Findings
from .reading import MOST_ITEMS
from .starting import entry_of
from .times import Refused, read_date, read_time
from .units import foreign
from .values import SAMPLE, read_answer

ORDERED = frozenset({">", "<", ">=", "<="})
# Which answer[x] can be compared with which type of question.
COMPARABLE = {
    "boolean": {"boolean"},
    "integer": {"integer", "decimal"},
    "decimal": {"integer", "decimal"},
    "quantity": {"Quantity", "integer", "decimal"},
    "date": {"date", "dateTime"},
    "dateTime": {"date", "dateTime"},
    "time": {"time"},
    "string": {"string"},
    "text": {"string"},
    "url": {"string", "uri"},
    "choice": {"Coding", "string", "integer", "date", "time", "Reference"},
    "open-choice": {"Coding", "string", "integer", "date", "time", "Reference"},
    "reference": {"Reference"},
    "attachment": set(),
}


def check_items(q: Questionnaire, findings: Findings) -> None:
    """Note every fault between items."""
    for item in q.walk():
        for place, condition in enumerate(item.enable_when):
            _check_condition(q, item, condition, f"{item.path}.enableWhen[{place}]", findings)
        if item.kind == "group" and not item.items:
            findings.warn(item.path, "group", "The group has no questions in it (R4, que-1).")
        filled = item.writable or item.calculated or item.initial or item.initial_expression
        if item.required and item.asks and not filled:
            findings.warn(
                item.path,
                "required",
                "It is required, but nobody can fill it in: it will not hold up the form.",
            )
        _check_initial(item, findings)
    _, circle = order(q)
    if circle:
        named = ", ".join(f"“{link_id}”" for link_id in circle[:5])
        findings.refuse(
            q.item(circle[0]).path, "enableWhen", f"Whether these are asked depends on themselves: {named}."
        )
    _check_size(q, findings)


def _check_condition(
    q: Questionnaire, item: Item, condition: Condition, path: str, findings: Findings
) -> None:
    target = q.by_link_id.get(condition.question)
    if target is None:
        findings.refuse(
            path, "enableWhen", f"It depends on “{condition.question}”, and there is no such question."
        )
        return
    if not target.asks:
        findings.refuse(path, "enableWhen", f"It depends on “{condition.question}”, which takes no answer.")
        return
    if condition.operator not in OPERATORS:
        findings.refuse(path, "enableWhen", f"“{condition.operator}” is not one of R4's comparisons.")
        return
    if condition.operator == "exists":
        if condition.type != "boolean" or not isinstance(condition.value, bool):
            findings.refuse(path, "enableWhen", "“exists” must be compared with true or false (R4, que-7).")
        return
    if condition.type not in COMPARABLE[target.kind]:
        findings.refuse(
            path,
            "enableWhen",
            f"A {target.kind} can't be compared with an answer of the type {condition.type or 'unknown'}.",
        )
        return
    if not _well_formed(condition):
        findings.refuse(path, "enableWhen", f"The value to compare with is not a {condition.type}.")
        return
    if foreign(target.units, condition.value) and not target.unit_open:
        findings.refuse(path, "enableWhen", "It compares with a unit that the question isn't asked in.")
        return
    if condition.operator in ORDERED and condition.type in ("boolean", "Coding", "Reference"):
        findings.refuse(
            path, "enableWhen", f"There is no larger or smaller among answers of the type {condition.type}."
        )
        return
    closed = target.kind == "choice" and target.options and condition.type in ("Coding", "string")
    offered = (_offered(option.value, option.display, condition) for option in target.options)
    if closed and condition.operator == "=" and not any(offered):
        findings.warn(
            path, "enableWhen", "It waits for an answer the question doesn't offer, so it is never asked."
        )


def _offered(value: Any, display: str, condition: Condition) -> bool:
    if condition.type == "Coding":
        return same_coding(value, condition.value)
    if isinstance(value, Mapping):
        return condition.value in (value.get("code"), display)
    return bool(value == condition.value)


def _well_formed(condition: Condition) -> bool:
    value = condition.value
    if condition.type == "boolean":
        return isinstance(value, bool)
    if condition.type in ("integer", "decimal"):
        return (
            isinstance(value, (int, float))
            and not isinstance(value, bool)
            and Decimal(str(value)).is_finite()
        )
    if condition.type in ("Coding", "Quantity", "Reference"):
        if not isinstance(value, Mapping):
            return False
        if condition.type == "Quantity":
            number = value.get("value")
            exact = not value.get("comparator")  # “less than 3” is no value to compare with
            return exact and isinstance(number, (int, float)) and not isinstance(number, bool)
        if condition.type == "Coding":
            return isinstance(value.get("code") or value.get("display"), str)
        return True
    if condition.type in TIMES:
        return isinstance(value, str) and _is_time(condition.type, value)
    return isinstance(value, str)


def _is_time(type_: str, value: str) -> bool:
    try:
        read_time(value) if type_ == "time" else read_date(value.partition("T")[0])
    except Refused:
        return False
    return True


def _check_initial(item: Item, findings: Findings) -> None:
    if not item.initial or not item.asks:
        return
    if item.kind == "attachment":
        findings.warn(
            f"{item.path}.initial",
            "initial",
            "A file to start with can't be shown; the question starts empty.",
        )
        return
    for type_, value in item.initial:
        entry = None if value is None else entry_of(item, type_, value)
        try:
            if entry is None or (not item.options and read_answer(item, *entry, SAMPLE, "") is None):
                findings.refuse(
                    f"{item.path}.initial", "initial", "The answer to start with doesn't fit the question."
                )
        except Refused as fault:
            findings.refuse(
                f"{item.path}.initial", "initial", f"The answer to start with can't be used: {fault}"
            )


def _check_size(q: Questionnaire, findings: Findings) -> None:
    """Rows that must be there from the start multiply inwards; refuse a form that starts too big to be shown."""
    waiting = [(item, 1) for item in q.items]
    total = 0
    while waiting:
        item, times = waiting.pop()
        if item.limits.min_occurs > MOST_ROWS:
            findings.refuse(item.path, "minOccurs", f"It needs more than {MOST_ROWS} answers.")
            return
        times *= max(1, item.limits.min_occurs if item.has_rows else 1)
        total += times
        if total > MOST_ITEMS:
            findings.refuse(item.path, "minOccurs", "The form would start with too many questions.")
            return
        waiting.extend((child, times) for child in item.items)
