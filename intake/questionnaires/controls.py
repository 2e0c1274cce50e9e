"""Which control shows a question, and with what in it: cards, a drop-down, a line, an area, a file, or plain text."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from decimal import Decimal
from functools import lru_cache
from html import escape
from typing import Any

from django.utils.safestring import SafeString, mark_safe
from django.utils.translation import gettext as _

from .items import Item, Limits, Option
from .names import MOST_ROWS
from .options import OTHER
from .rich import as_html, wording_html
from .shapes import Box, Choice, Question
from .tree import Node

FOLDER = "intake/items/"
LONG_LIST = 12
LONGEST_SCALE = 11
LISTS = frozenset({"drop-down", "autocomplete", "lookup"})
# Input type and keyboard by kind. Numbers are text fields: a browser's number field drops what it can't read.
INPUTS: dict[str, dict[str, str]] = {
    "integer": {"type": "text", "inputmode": "numeric"},
    "decimal": {"type": "text", "inputmode": "decimal"},
    "quantity": {"type": "text", "inputmode": "decimal"},
    "date": {"type": "date"},
    "dateTime": {"type": "date"},
    "time": {"type": "time"},
    "url": {"type": "url", "inputmode": "url"},
}


def question(node: Node, label: SafeString, language: str) -> Question:
    """The shape of one question that is asked, without its hints and errors."""
    item = node.item
    shown = Question(
        id=node.name,
        name=node.name,
        template=FOLDER + _template(node),
        label=label,
        classes=item.wording.classes,
        prefix=item.prefix,
        required=item.required,
        optional=not item.required and item.writable,
        many=item.many,
        links=item.links,
    )
    if not item.writable:
        shown.told = ", ".join(answer.text for answer in node.given) or _("Nothing yet")
    elif shown.template.endswith(("choices.html", "select.html")):
        _choices(shown, node, language)
    elif shown.template.endswith("scale.html"):
        _scale(shown, node)
    else:
        _boxes(shown, node, language)
    shown.low = item.lower.in_language(language) if item.lower else ""
    shown.high = item.upper.in_language(language) if item.upper else ""
    return shown


def _template(node: Node) -> str:
    item = node.item
    if not item.writable:
        return "told.html"
    if item.kind == "boolean":
        return "tick.html" if item.control == "check-box" else "choices.html"
    if item.has_options and (node.options or item.option_expression):
        long = len(node.options) > LONG_LIST and item.control not in ("radio-button", "check-box")
        return "select.html" if (item.control in LISTS or long) and not item.many else "choices.html"
    if item.kind == "text" or item.control == "text-area":
        return "area.html"
    if item.control == "slider" and scale_of(item):
        return "scale.html"
    return {"attachment": "file.html", "quantity": "quantity.html", "dateTime": "moment.html"}.get(
        item.kind, "line.html"
    )


def scale_of(item: Item) -> list[str]:
    """The stops of a slider short enough to be shown as buttons.

    A range control always has a value, and so would answer for people who didn't; buttons don't.
    """
    low, high = item.limits.min_value, item.limits.max_value
    if (
        item.kind not in ("integer", "decimal")
        or item.many
        or not isinstance(low, Decimal)
        or not isinstance(high, Decimal)
    ):
        return []
    step = item.limits.step or Decimal(1)
    count = (high - low) / step
    if count != int(count) or not 1 <= count < LONGEST_SCALE:
        return []
    return [f"{(low + step * place).normalize():f}" for place in range(int(count) + 1)]


def _choices(shown: Question, node: Node, language: str) -> None:
    item = node.item
    chosen = {text for text, _extra in node.entries}
    if item.kind == "boolean":
        pairs = [("true", _("Yes")), ("false", _("No"))]
        shown.choices = [
            Choice(f"{node.name}-{n}", value, as_html(said), said, value in chosen)
            for n, (value, said) in enumerate(pairs)
        ]
        return
    if shown.template.endswith("select.html"):
        shown.lines = _lines(node, chosen, language)
    else:
        shown.choices = [
            _choice(node, n, option, option.key in chosen, language) for n, option in enumerate(node.options)
        ]
    if item.kind == "open-choice":
        shown.other = next((extra["other"] for _text, extra in node.entries if extra.get("other")), "")
        shown.other_chosen = OTHER in chosen or bool(shown.other and not (chosen - {""}))
        shown.other_label = item.open_label or _("Something else")


def _choice(node: Node, number: int, option: Option, chosen: bool, language: str) -> Choice:
    return Choice(
        f"{node.name}-{number}",
        option.key,
        wording_html(option.wording, language, blocks=False),
        option.label(language),
        chosen,
        option.prefix,
        option.exclusive,
    )


def _lines(node: Node, chosen: set[str], language: str) -> SafeString:
    """The lines of a drop-down, which takes words and no markup."""
    item, options = node.item, node.options
    lines = dict(_lines_of(item, language) if options is item.options else _written(options, language))
    for key in chosen & lines.keys():
        lines[key] = lines[key].replace("<option", "<option selected", 1)
    return mark_safe("\n".join(lines.values()))  # noqa: S308 - every value was escaped


@lru_cache(maxsize=64)
def _lines_of(item: Item, language: str) -> dict[str, str]:
    """The lines as the questionnaire has them. There may be thousands, and they are the same for everybody."""
    return _written(item.options, language)


def _written(options: Sequence[Option], language: str) -> dict[str, str]:
    return {
        option.key: f'<option value="{escape(option.key)}">'
        f"{escape(f'{option.prefix} ' if option.prefix else '')}{escape(option.label(language))}</option>"
        for option in options
    }


def _scale(shown: Question, node: Node) -> None:
    typed = node.answers[0].text if node.answers else ""
    number = node.answers[0].number if node.answers else None
    shown.choices = [
        Choice(
            f"{node.name}-{n}",
            stop,
            as_html(stop),
            stop,
            stop == typed or (number is not None and Decimal(stop) == number),
        )
        for n, stop in enumerate(scale_of(node.item))
    ]


def _boxes(shown: Question, node: Node, language: str) -> None:
    item = node.item
    entries: list[tuple[str, Mapping[str, str]]] = list(node.entries)
    if item.kind != "attachment":
        wanted = min(item.limits.min_occurs, 5) if item.many else 1
        entries += [("", {})] * (max(wanted, 1) - len(entries))
    for number, (text, extra) in enumerate(entries):
        parts = dict(extra)
        if item.kind == "dateTime" and "T" in text:
            text, _mark, clock = text.partition("T")
            parts.setdefault("time", clock[:5])
        about = _file(node, number)
        if about and str(about.get("contentType", "")).startswith("image/"):
            parts["picture"] = "yes"
        removable = item.kind == "attachment" or (item.many and len(entries) > 1)
        shown.boxes.append(
            Box(
                id=node.name + (f"-{number}" if number else ""),
                name=node.name,
                value=text,
                number=number + 1,
                extra=parts,
                remove=f"{node.name}.{number}" if removable else "",
                label=str(about.get("title") or _("File")),
            )
        )
    if item.many and item.kind != "attachment" and len(entries) < (item.limits.max_occurs or MOST_ROWS):
        shown.add = node.name
    shown.attributes = _attributes(item, node.limits)
    if item.kind in ("quantity", "decimal", "integer"):
        _units(shown, item, language)
    shown.several = item.many or item.kind == "dateTime" or (item.kind == "quantity" and not shown.unit)


def _file(node: Node, number: int) -> Mapping[str, Any]:
    """What is known of an uploaded file, or nothing; other answers have nothing of the kind."""
    refused = {place for place, _sentence in node.refusals}
    read = [
        place for place, (said, _extra) in enumerate(node.entries) if said.strip() and place not in refused
    ]
    if node.item.kind != "attachment" or number not in read or len(read) != len(node.answers):
        return {}
    value: Mapping[str, Any] = node.answers[read.index(number)].value
    return value


def _units(shown: Question, item: Item, language: str) -> None:
    shown.unit_open = item.unit_open
    if item.asks_unit:
        shown.units = [Choice("", unit.key, as_html(unit.label), unit.label) for unit in item.units]
    elif item.units:
        shown.unit = item.units[0].label
    elif item.unit_label:
        shown.unit = item.unit_label.in_language(language)


def _attributes(item: Item, limits: Limits) -> dict[str, Any]:
    about: dict[str, Any] = dict(INPUTS.get(item.kind, {"type": "text"}))
    if item.kind == "date" and item.entry_format and "D" not in item.entry_format.upper():
        about["type"] = "text"
    if limits.max_length and item.kind in ("string", "text", "url", "open-choice", "choice", "reference"):
        about["maxlength"] = limits.max_length
    if about["type"] in ("date", "time"):
        about["min"], about["max"] = _day(limits.min_value, item.kind), _day(limits.max_value, item.kind)
    if limits.mime_types:
        about["accept"] = ",".join(limits.mime_types)
    return about


def _day(value: Any, kind: str) -> str:
    """A limit as the browser's own control takes it; "" for one that isn't a whole day."""
    if not isinstance(value, str):
        return ""
    shown = value.partition("T")[0] if kind != "time" else value[:5]
    return shown if kind == "time" or len(shown) == 10 else ""
