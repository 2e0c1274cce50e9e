"""Reading what the author wrote for people: plain, Markdown or XHTML, styled, translated, or told by an expression."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from . import extensions as ext
from .items import Item, Wording
from .problems import Findings

if TYPE_CHECKING:
    from .scripts import Scripts

_ROLES = {
    "help": "help",
    "flyover": "flyover",
    "prompt": "prompt",
    "lower": "lower",
    "upper": "upper",
    "unit": "unit",
    "inline": "help",
    "legal": "help",
}
# CSS an author may use to mean something, and the class that says it here. Colours and sizes are left to the page.
_STYLES = {
    ("font-weight", "bold"): "strong",
    ("font-weight", "700"): "strong",
    ("font-style", "italic"): "em",
    ("text-decoration", "underline"): "underlined",
    ("text-transform", "uppercase"): "upper",
}


# What a browser's worth of text needs. Beyond it, making it safe takes seconds for each page that shows it.
LONGEST_FORMATTED = 50_000
DEEPEST_FORMATTED = 200
_TAGS = re.compile(r"<(/?)([a-zA-Z][a-zA-Z0-9]*)(?:[^<>]*?)(/?)>")
_VOID = frozenset({"br", "hr", "img", "input", "col", "wbr", "area", "source"})


def read_wording(
    element: Mapping[str, Any], key: str, path: str, scripts: Scripts | None, findings: Findings
) -> Wording:
    """The text under `key` with what its `_key` twin adds (R4, JSON representation of primitive extensions)."""
    plain = element.get(key, "")
    if not isinstance(plain, str):
        findings.refuse(f"{path}.{key}", key, f"“{key}” must be a text.")
        plain = ""
    if not plain and key == "text":
        plain = fallback(element)
    twin = element.get(f"_{key}")
    if not isinstance(twin, Mapping):
        return Wording(plain)
    translations: dict[str, str] = {}
    for extension in ext.all_of(twin, ext.TRANSLATION):
        parts = ext.parts_of(extension)
        if isinstance(parts.get("lang"), str) and isinstance(parts.get("content"), str):
            translations[parts["lang"].lower()] = parts["content"]
    expression = None
    dynamic = ext.first(twin, ext.DYNAMIC_TEXT)
    if dynamic is not None and scripts is not None:
        expression = scripts.read(
            dynamic.get("valueExpression"), f"{path}.{key}", "dynamic text", optional=True
        )
    markdown, xhtml = _text(ext.value_of(twin, ext.MARKDOWN)), _text(ext.value_of(twin, ext.XHTML))
    if max(len(markdown), len(xhtml)) > LONGEST_FORMATTED or _depth(xhtml) > DEEPEST_FORMATTED:
        findings.refuse(
            f"{path}.{key}",
            "rendering",
            "The formatted text is too long, or its parts nest too deep, to be shown.",
        )
        return Wording(plain)
    return Wording(
        plain,
        markdown=markdown,
        xhtml=xhtml,
        classes=style_classes(_text(ext.value_of(twin, ext.STYLE))),
        translations=translations,
        expression=expression,
    )


def _depth(xhtml: str) -> int:
    """How deep the elements nest at most; those that hold nothing aside."""
    deepest = depth = 0
    for close, name, alone in _TAGS.findall(xhtml):
        if close:
            depth -= 1
        elif not alone and name.lower() not in _VOID:
            depth += 1
            deepest = max(deepest, depth)
    return deepest


def fallback(element: Mapping[str, Any]) -> str:
    """What to call an item whose author wrote no text: the name of its code, or the code."""
    for coding in element.get("code", ()) or ():
        if isinstance(coding, Mapping):
            said = coding.get("display") or coding.get("code")
            if isinstance(said, str) and said:
                return said
    return ""


def _text(value: Any) -> str:
    return value if isinstance(value, str) else ""


def style_classes(style: str) -> str:
    """The few meanings kept of a rendering-style, as class names: strong, em, underlined, upper."""
    found = []
    for rule in style.lower().split(";"):
        name, _, value = rule.partition(":")
        meaning = _STYLES.get((name.strip(), value.strip()))
        if meaning and meaning not in found:
            found.append(meaning)
    return " ".join(found)


def display_item_role(item: Item) -> str:
    """What a display item is for the question that holds it: help, prompt, flyover, lower, upper, unit, or "" ."""
    return _ROLES.get(item.control, "") if item.kind == "display" else ""
