"""Which control shows a question, and with what in it: cards, a drop-down, a line, an area, a file, or plain text."""

from __future__ import annotations

from typing import Any

from django.utils.safestring import SafeString, mark_safe
from django.utils.translation import gettext as _

from .items import Item
from .options import OTHER
from .render import LONG_LIST, Box, Choice, Question
from .rich import wording_html
from .tree import Node

TEMPLATES = "intake/items/"
LISTS = frozenset({"drop-down", "autocomplete", "lookup"})
# Input type, keyboard (inputmode) and autocomplete hints by kind.
INPUTS: dict[str, dict[str, str]] = {
    "integer": {"type": "text", "inputmode": "numeric"},
    "decimal": {"type": "text", "inputmode": "decimal"},
    "quantity": {"type": "text", "inputmode": "decimal"},
    "date": {"type": "date"},
    "dateTime": {"type": "date"},
    "time": {"type": "time"},
    "url": {"type": "url", "inputmode": "url"},
}


def question(node: Node, label: SafeString, hints: list[dict[str, Any]], errors: list[str], language: str) -> Question:
    """The view of one question that is asked."""
    item = node.item
    shown = Question(
        node=node, template=_template(node), id=node.name, name=node.name, label=label, prefix=item.prefix,
        classes=item.wording.classes, hints=hints, errors=errors, required=item.required,
        optional=not item.required and item.writable, many=item.many or item.repeats,
    )  # fmt: skip
    if not item.writable:
        shown.told = ", ".join(answer.text for answer in node.given) or _("Nothing yet")
        return shown
    name = shown.template.rpartition("/")[2]
    if name in ("choices.html", "select.html"):
        _choices(shown, node, language)
    else:
        _boxes(shown, node, language)
    return shown


def _template(node: Node) -> str:
    item = node.item
    if not item.writable:
        return TEMPLATES + "told.html"
    if item.kind == "boolean":
        return TEMPLATES + ("tick.html" if item.control == "check-box" else "choices.html")
    if item.has_options and node.options:
        long = len(node.options) > LONG_LIST and item.control not in ("radio-button", "check-box")
        listed = item.control in LISTS or long
        return TEMPLATES + ("select.html" if listed and not item.repeats else "choices.html")
    if item.kind == "text" or item.control == "text-area":
        return TEMPLATES + "area.html"
    if item.control == "slider" and item.kind == "integer" and None not in (item.limits.min_value, item.limits.max_value):
        return TEMPLATES + "slider.html"
    return TEMPLATES + {"attachment": "file.html", "quantity": "quantity.html", "dateTime": "moment.html"}.get(item.kind, "line.html")


def _choices(shown: Question, node: Node, language: str) -> None:
    item = node.item
    chosen = {text for text, _extra in node.entries}
    if item.kind == "boolean":
        pairs = [("true", _("Yes")), ("false", _("No"))]
        shown.choices = [Choice(f"{node.name}-{n}", value, mark_safe(label), "", value in chosen) for n, (value, label) in enumerate(pairs)]
        return
    shown.choices = [
        Choice(f"{node.name}-{n}", option.key, wording_html(option.wording, language, blocks=False), option.prefix,
               option.key in chosen, option.exclusive)
        for n, option in enumerate(node.options)
    ]  # fmt: skip
    if item.kind == "open-choice":
        shown.other = next((extra["other"] for _text, extra in node.entries if extra.get("other")), "")
        shown.other_chosen = OTHER in chosen or bool(shown.other and not node.item.repeats and not (chosen - {""}))
        shown.other_label = item.open_label or _("Something else")


def _boxes(shown: Question, node: Node, language: str) -> None:
    item = node.item
    entries = list(node.entries)
    if not entries or (item.many and not entries):
        entries = [("", {})]
    wanted = item.limits.min_occurs if item.many else 1
    while len(entries) < min(wanted, 5):
        entries.append(("", {}))
    for number, (text, extra) in enumerate(entries):
        extra = dict(extra)
        if item.kind == "dateTime" and "T" in text:
            text, _mark, clock = text.partition("T")
            extra.setdefault("time", clock[:5])
        suffix = f"-{number}" if number else ""
        remove = f"{node.name}.{number}" if item.many and len(entries) > 1 else ""
        shown.boxes.append(Box(node.name + suffix, node.name, text, extra, number + 1, remove))
    most = item.limits.max_occurs or 100
    shown.add = node.name if item.many and len(entries) < most else ""
    shown.input = _input(item)
    if item.kind in ("quantity", "decimal", "integer"):
        _units(shown, item, language)
    shown.low = item.lower.in_language(language) if item.lower else ""
    shown.high = item.upper.in_language(language) if item.upper else ""


def _units(shown: Question, item: Item, language: str) -> None:
    shown.unit = item.unit_label.in_language(language) if item.unit_label else ""
    if len(item.units) == 1 or item.kind != "quantity":
        shown.unit = item.units[0].label if item.units else shown.unit
    else:
        shown.units = [Choice("", unit.key, mark_safe(""), unit.label, False) for unit in item.units]


def _input(item: Item) -> dict[str, Any]:
    about: dict[str, Any] = {"type": "text", **INPUTS.get(item.kind, {})}
    limits = item.limits
    if item.kind == "date" and item.entry_format and "D" not in item.entry_format.upper():
        about["type"] = "text"
    if limits.max_length and item.kind in ("string", "text", "url", "open-choice"):
        about["maxlength"] = limits.max_length
    if item.kind in ("date", "time", "dateTime"):
        about["min"], about["max"] = _day(limits.min_value, item.kind), _day(limits.max_value, item.kind)
    if item.kind == "integer" and item.control == "slider":
        about.update(min=limits.min_value, max=limits.max_value, step=limits.step or 1)
    if limits.mime_types:
        about["accept"] = ",".join(limits.mime_types)
    return about


def _day(value: Any, kind: str) -> str:
    """A limit as the browser's own control takes it; "" for one that isn't a whole day."""
    if not isinstance(value, str):
        return ""
    shown = value.partition("T")[0] if kind != "time" else value[:5]
    return shown if kind == "time" or len(shown) == 10 else ""
