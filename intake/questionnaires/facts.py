"""What rules, staff and the red-flag reader get from a form: typed facts, readable lines, and every free text."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from .items import Item, Questionnaire
from .options import OTHER
from .values import plain_number

if TYPE_CHECKING:
    from .tree import Node, Tree

SCORE = ":score"
UNIT = ":unit"
# How a fact is compared: what a rule can ask of it.
KINDS = {
    "boolean": "boolean",
    "integer": "integer",
    "decimal": "decimal",
    "quantity": "decimal",
    "date": "date",
    "dateTime": "dateTime",
    "time": "time",
    "string": "text",
    "text": "text",
    "url": "text",
    "reference": "text",
    "choice": "choice",
    "open-choice": "choice",
    "attachment": "integer",
}


def is_many(q: Questionnaire, item: Item) -> bool:
    """Can the form hold more than one answer to this question?"""
    return item.repeats or bool(q.row_anchors[item.link_id])


def catalogue(q: Questionnaire) -> list[dict[str, Any]]:
    """One entry for each fact `State.facts` may give, in the questionnaire's order.

    {"key", "label", "kind", "choices": [{"code", "label"}], "unit", "min", "max", "many"}. A choice with scores also
    has "<linkId>:score" (a decimal, summed over what was chosen), a quantity with several units "<linkId>:unit".
    """
    fields = []
    for item in q.walk():
        if not item.asks:
            continue
        many = is_many(q, item)
        kind = KINDS[item.kind]
        if item.has_options and not item.options:
            kind = "choice" if item.option_expression else "text"
        entry: dict[str, Any] = {
            "key": item.link_id,
            "label": label_of(item, q),
            "kind": kind,
            "choices": [{"code": option.key, "label": option.display} for option in item.options],
            "unit": item.units[0].label if len(item.units) == 1 else "",
            "min": _bound(item.limits.min_value),
            "max": _bound(item.limits.max_value),
            "many": many and item.kind != "attachment",
        }
        if item.kind == "open-choice" and item.options:
            entry["choices"].append({"code": OTHER, "label": item.open_label or "Other"})
        if item.kind == "attachment":
            entry.update(min=0, max=None)
        fields.append(entry)
        if item.scored:
            scores = [option.ordinal for option in item.options if option.ordinal is not None]
            least, most = min(scores), max(scores)
            fields.append(
                {
                    **entry,
                    "key": item.link_id + SCORE,
                    "label": f"{entry['label']} (score)",
                    "kind": "decimal",
                    "choices": [],
                    "many": False,
                    "min": None if many else plain_number(least),
                    "max": None if many else plain_number(most),
                }
            )
        if item.kind == "quantity" and len(item.units) > 1:
            units = [{"code": unit.key, "label": unit.label} for unit in item.units]
            fields.append(
                {
                    **entry,
                    "key": item.link_id + UNIT,
                    "label": f"{entry['label']} (unit)",
                    "kind": "choice",
                    "choices": units,
                    "min": None,
                    "max": None,
                }
            )
    return fields


def _bound(value: Any) -> Any:
    return plain_number(value) if value is not None and not isinstance(value, str) else value


def label_of(item: Item, q: Questionnaire, language: str = "") -> str:
    """What to call a question in a list: its short text, its text, or what the group around it says."""
    said = item.short_text or item.wording.in_language(language or q.language)
    if said:
        return said
    above = q.parents.get(item.link_id)
    return (above.wording.in_language(language or q.language) if above is not None else "") or item.link_id


def facts(tree: Tree) -> dict[str, Any]:
    """Typed answers of the questions that are asked, by linkId; a question without an answer has no fact."""
    found: dict[str, Any] = {}
    for link_id, nodes in tree.by_link.items():
        item = nodes[0].item
        answers = [answer for node in nodes for answer in node.given]
        if not answers:
            continue
        if item.kind == "attachment":
            found[link_id] = len(answers)
            continue
        values = [answer.fact for answer in answers]
        found[link_id] = values if is_many(tree.q, item) else values[0]
        scores = [answer.ordinal for answer in answers if answer.ordinal is not None]
        if scores:
            found[link_id + SCORE] = plain_number(sum(scores[1:], scores[0]))
        if item.kind == "quantity" and len(item.units) > 1:
            units = [answer.value.get("code") or answer.value.get("unit") for answer in answers]
            found[link_id + UNIT] = units if is_many(tree.q, item) else units[0]
    return found


def texts(tree: Tree) -> list[tuple[str, str]]:
    """Everything the person wrote in words of their own, in order, to be read for red flags.

    What is not sent is read too: the text beside a choice that was then made, and texts that can't be stored as they
    are. A question that is no longer asked gives nothing.
    """
    found: list[tuple[str, str]] = []
    for node in tree.walk():
        if not node.item.asks or not node.enabled or not node.item.writable:
            continue
        said = [answer.free for answer in node.given if answer.free]
        for place, _sentence in node.refusals:
            text, extra = node.entries[place] if place < len(node.entries) else ("", {})
            written = "" if node.options else text
            said.extend(part for part in (written, extra.get("other", "")) if part.strip())
        found.extend((node.item.link_id, text) for text in dict.fromkeys(said))
    return found


def summary(tree: Tree) -> list[dict[str, str]]:
    """Readable lines for staff, in the questionnaire's order, empty ones left out.

    Each is {"link_id", "label", "value", "kind"}. Answers from inside repeated groups carry the row's number in
    the label.
    """
    lines = []
    for node in tree.walk():
        item = node.item
        if not item.asks or not node.given or _untold(item):
            continue
        value = (
            ", ".join(answer.text for answer in node.given)
            if item.kind != "text"
            else "\n".join(answer.text for answer in node.given)
        )
        label = label_of(item, tree.q, tree.language)
        rows = rows_of(node)
        if rows:
            label = f"{label} ({'.'.join(str(row + 1) for row in rows)})"
        lines.append({"link_id": item.link_id, "label": label, "value": value, "kind": item.kind})
    return lines


def _untold(item: Item) -> bool:
    """Plumbing the author hid, such as codes for other systems, is not for reading; a computed score is."""
    return item.hidden and item.calculated is None


def rows_of(node: Node) -> list[int]:
    rows: list[int] = []
    above: Node | None = node
    while above is not None:
        if above.row is not None:
            rows.append(above.row)
        above = above.parent
    return rows[::-1]


__all__ = ["Mapping", "catalogue", "facts", "label_of", "summary", "texts"]
