"""enableWhen: is a question asked, given the answers so far (R4 Questionnaire.item.enableWhen)?"""

from __future__ import annotations

from collections.abc import Mapping
from decimal import Decimal
from typing import TYPE_CHECKING, Any

from .items import Condition, Item, Questionnaire
from .times import compare_times
from .values import Answer

if TYPE_CHECKING:
    from .tree import Node, Tree

OPERATORS = ("exists", "=", "!=", ">", "<", ">=", "<=")
TIMES = frozenset({"date", "dateTime", "time"})


def order(q: Questionnaire) -> tuple[list[Item], list[str]]:
    """Items so that each comes after all it depends on, and the linkIds that go round in a circle, if any.

    An item depends on the item above it and on the questions its conditions name.
    """
    needs: dict[str, set[str]] = {}
    needed_by: dict[str, list[str]] = {}
    for item in q.walk():
        above = q.parents.get(item.link_id)
        wants = {condition.question for condition in item.enable_when if condition.question in q.by_link_id}
        if above is not None:
            wants.add(above.link_id)
        needs[item.link_id] = wants
        for link_id in wants:
            needed_by.setdefault(link_id, []).append(item.link_id)
    ready = [link_id for link_id, wants in needs.items() if not wants]
    done: list[Item] = []
    while ready:
        link_id = ready.pop()
        done.append(q.by_link_id[link_id])
        for dependent in needed_by.get(link_id, ()):
            needs[dependent].discard(link_id)
            if not needs[dependent]:
                ready.append(dependent)
    settled = {item.link_id for item in done}
    return done, [link_id for link_id in needs if link_id not in settled]


def is_enabled(node: Node, tree: Tree) -> bool:
    """Is this occurrence asked? Everything it depends on must have been settled before."""
    above = node.parent
    item = node.item
    if above is not None and not above.enabled:
        return False
    if above is not None and above.item.asks and not above.answers and item.kind != "display":
        # What hangs below a question is part of its answer, and without one there is nowhere to keep it.
        return False
    if not node.wanted:
        return False
    if not item.enable_when:
        return True
    results = (holds(condition, node, tree) for condition in item.enable_when)
    return all(results) if item.enable_behavior == "all" else any(results)


def holds(condition: Condition, node: Node, tree: Tree) -> bool:
    """One condition. Without an answer only `exists = false` and `!=` hold, as R4's code list says."""
    target = nearest(condition.question, node, tree)
    answers = target.given if target is not None else []
    if condition.operator == "exists":
        return bool(answers) is condition.value
    if condition.operator == "!=":
        return not any(_equal(answer, condition) for answer in answers)
    if condition.operator == "=":
        return any(_equal(answer, condition) for answer in answers)
    return any(_ordered(answer, condition) for answer in answers)


def nearest(link_id: str, node: Node, tree: Tree) -> Node | None:
    """The occurrence a condition speaks of: in the same row as far as rows go, else the nearest.

    R4: "the nearest question occurrence reachable by tracing first the ancestor axis and then the preceding axis and
    then the following axis".
    """
    occurrences = tree.by_link.get(link_id)
    if not occurrences:
        return None
    if len(occurrences) == 1:
        return occurrences[0]
    own = _row_names(node)
    best = max(len(_in_common(own, _row_names(candidate))) for candidate in occurrences)
    close = [candidate for candidate in occurrences if len(_in_common(own, _row_names(candidate))) == best]
    before = tree.q.order[link_id] <= tree.q.order[node.item.link_id]
    return close[-1] if before else close[0]


def _row_names(node: Node) -> list[str]:
    """The rows a node lies in, outermost first."""
    names: list[str] = []
    above: Node | None = node
    while above is not None:
        if above.row is not None:
            names.append(above.name)
        above = above.parent
    return names[::-1]


def _in_common(one: list[str], other: list[str]) -> list[str]:
    common = []
    for left, right in zip(one, other, strict=False):
        if left != right:
            break
        common.append(left)
    return common


def _equal(answer: Answer, condition: Condition) -> bool:
    value = condition.value
    if condition.type == "Coding":
        return same_coding(answer.value, value)
    if condition.type == "Quantity":
        return _quantity_compare(answer, value) == 0
    if condition.type == "Reference":
        return isinstance(answer.value, dict) and (
            answer.value.get("reference") == value.get("reference")
            if value.get("reference")
            else answer.value.get("display") == value.get("display")
        )
    if condition.type in TIMES:
        return isinstance(answer.value, str) and compare_times(answer.value, value) == 0
    if condition.type in ("integer", "decimal"):
        return answer.number is not None and answer.number == Decimal(str(value))
    if condition.type == "boolean":
        return answer.value is value
    if isinstance(answer.value, dict):
        return answer.value.get("code") == value or answer.value.get("display") == value
    return bool(answer.value == value)


def same_coding(value: Any, wanted: Mapping[str, Any]) -> bool:
    """The same code; the systems must agree where both are told."""
    if not isinstance(value, dict):
        return False
    if value.get("system") and wanted.get("system") and value["system"] != wanted["system"]:
        return False
    if wanted.get("code") is None:
        return value.get("code") is None and value.get("display") == wanted.get("display")
    return value.get("code") == wanted["code"]


def _quantity_compare(answer: Answer, wanted: Mapping[str, Any]) -> int | None:
    if answer.number is None or wanted.get("value") is None:
        return None
    for key in ("code", "unit"):
        mine = answer.value.get(key) if isinstance(answer.value, dict) else None
        if mine and wanted.get(key):
            if mine != wanted[key]:
                return None
            break
    number = Decimal(str(wanted["value"]))
    return (answer.number > number) - (answer.number < number)


def _ordered(answer: Answer, condition: Condition) -> bool:
    value, side = condition.value, None
    if condition.type == "Quantity":
        side = _quantity_compare(answer, value)
    elif condition.type in TIMES:
        side = compare_times(answer.value, value) if isinstance(answer.value, str) else None
    elif condition.type in ("integer", "decimal"):
        if answer.number is not None:
            number = Decimal(str(value))
            side = (answer.number > number) - (answer.number < number)
    elif isinstance(answer.value, str) and isinstance(value, str):
        side = (answer.value > value) - (answer.value < value)
    if side is None:
        return False
    return {">": side > 0, "<": side < 0, ">=": side >= 0, "<=": side <= 0}[condition.operator]
