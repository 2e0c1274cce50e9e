"""What rules, staff and the red-flag reader get from a form: typed facts, readable lines, and every free text."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from decimal import Decimal
from typing import TYPE_CHECKING, Any

from django.utils.translation import gettext as _

from .items import Item, Questionnaire
from .options import OTHER
from .units import unit_of
from .values import Answer, plain_number

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
    has "<linkId>:score" (a decimal, summed over what was chosen), a quantity with several units "<linkId>:unit", and
    a group of scored questions "<linkId>:score", their total once all of them are answered.
    """
    fields = []
    for item in q.walk():
        if item.asks:
            fields.extend(_fields_of(item, q))
        elif item.link_id in totals(q):
            scored = totals(q)[item.link_id]
            least, most = (sum(side(_scores(part)) for part in scored) for side in (min, max))
            label = _("%(label)s (total score)") % {"label": label_of(item, q)}
            fields.append(_field(item.link_id + SCORE, label, "decimal", least=least, most=most))
    # A linkId may look like one of these keys; then the question has it.
    own = q.by_link_id
    return [entry for derived, entry in fields if not derived or entry["key"] not in own]


def _unit_key(item: Item, answer: Answer) -> str:
    """The unit's key among those offered; another one, in the patient's own words, is only told to be another."""
    unit = unit_of(item.units, answer.value)
    return unit.key if unit else OTHER


def _fields_of(item: Item, q: Questionnaire) -> list[tuple[bool, dict[str, Any]]]:
    """The facts of one question; those worked out from its answer are marked True."""
    many, label, limits = is_many(q, item), label_of(item, q), item.limits
    if item.kind == "attachment":
        return [_field(item.link_id, label, "integer", least=0, derived=False)]
    kind = KINDS[item.kind]
    if item.has_options and not item.options:
        kind = "choice" if item.option_expression else "text"
    choices = [{"code": option.key, "label": option.display} for option in item.options]
    if item.kind == "open-choice" and item.options:
        choices.append({"code": OTHER, "label": item.open_label or _("Something else")})
    unit = item.units[0].label if len(item.units) == 1 else ""
    fields = [
        _field(
            item.link_id,
            label,
            kind,
            choices=choices,
            unit=unit,
            many=many,
            derived=False,
            least=limits.min_value,
            most=limits.max_value,
        )
    ]
    if item.scored:
        told = _("%(label)s (score)") % {"label": label}
        least, most = (None, None) if many else (min(_scores(item)), max(_scores(item)))
        fields.append(_field(item.link_id + SCORE, told, "decimal", least=least, most=most))
    if item.asks_unit:
        told = _("%(label)s (unit)") % {"label": label}
        units = [{"code": unit.key, "label": unit.label} for unit in item.units]
        if item.unit_open:
            units.append({"code": OTHER, "label": _("Something else")})
        fields.append(_field(item.link_id + UNIT, told, "choice", choices=units, many=many))
    return fields


def _field(
    key: str,
    label: str,
    kind: str,
    *,
    choices: Sequence[dict[str, str]] = (),
    unit: str = "",
    many: bool = False,
    least: Any = None,
    most: Any = None,
    derived: bool = True,
) -> tuple[bool, dict[str, Any]]:
    return derived, {
        "key": key,
        "label": label,
        "kind": kind,
        "choices": list(choices),
        "unit": unit,
        "min": _bound(least),
        "max": _bound(most),
        "many": many,
    }


def _scores(item: Item) -> list[Decimal]:
    return [option.ordinal for option in item.options if option.ordinal is not None]


def totals(q: Questionnaire) -> Mapping[str, tuple[Item, ...]]:
    """The groups whose scored questions can be added up, with those questions: two or more, none of them repeated."""
    known = q.__dict__.get("_totals")
    if known is None:
        known = q.__dict__["_totals"] = {
            group.link_id: scored
            for group in q.walk()
            if group.kind == "group"
            and len(scored := tuple(item for item in group.walk() if item.scored)) > 1
            and not any(is_many(q, item) for item in scored)
        }
    return dict(known)


def _bound(value: Any) -> Any:
    return plain_number(value) if isinstance(value, Decimal) else value


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
        if scores and link_id + SCORE not in tree.q.by_link_id:
            found[link_id + SCORE] = plain_number(sum(scores[1:], scores[0]))
        if item.asks_unit and link_id + UNIT not in tree.q.by_link_id:
            units = [_unit_key(item, answer) for answer in answers]
            found[link_id + UNIT] = units if is_many(tree.q, item) else units[0]
    for link_id, scored in totals(tree.q).items():
        asked = [node for item in scored for node in tree.by_link.get(item.link_id, ()) if node.enabled]
        points = [answer.ordinal for node in asked for answer in node.given[:1] if answer.ordinal is not None]
        # A part of a scale says less than it seems to: there is no total before everything asked is answered.
        if points and len(points) == len(asked) and link_id + SCORE not in tree.q.by_link_id:
            found[link_id + SCORE] = plain_number(sum(points[1:], points[0]))
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

    Each is {"link_id", "name", "label", "value", "kind"}; the name is the field's on its page. Answers from inside
    repeated groups carry the row's number in the label.
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
        lines.append(
            {
                "link_id": item.link_id,
                "name": node.name,
                "label": label,
                "value": value,
                "kind": item.kind,
            }
        )
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
