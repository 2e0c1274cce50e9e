"""One page as HTML: nodes become small views, and the fragments in templates/intake/items/ show them.

The same state always gives the same HTML: ids come from field names, and nothing is counted while rendering.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

from django.template.loader import get_template
from django.utils import translation
from django.utils.safestring import SafeString, mark_safe

from .items import Item, Option, Page
from .names import MOST_ROWS
from .options import OTHER
from .rich import wording_html
from .state import State, hidden, row_places
from .tree import Node

LONG_LIST = 12
CARDS, LIST, LINE, AREA = "choices", "select", "line", "area"


@dataclass(slots=True)
class Choice:
    """A card, or a line in a drop-down."""

    id: str
    value: str
    label: SafeString
    prefix: str
    chosen: bool
    exclusive: bool = False


@dataclass(slots=True)
class Box:
    """One input of a question; a repeated question has several."""

    id: str
    name: str
    value: str
    extra: dict[str, str]
    number: int
    remove: str = ""


@dataclass(slots=True)
class Question:
    """Everything a fragment needs to show one question."""

    node: Node
    template: str
    id: str
    name: str
    label: SafeString
    prefix: str = ""
    classes: str = ""
    hints: list[dict[str, Any]] = field(default_factory=list)
    errors: list[str] = field(default_factory=list)
    described: str = ""
    required: bool = False
    optional: bool = False
    choices: list[Choice] = field(default_factory=list)
    boxes: list[Box] = field(default_factory=list)
    units: list[Choice] = field(default_factory=list)
    unit: str = ""
    input: dict[str, Any] = field(default_factory=dict)
    many: bool = False
    add: str = ""
    other: str = ""
    other_chosen: bool = False
    other_label: str = ""
    told: str = ""
    low: str = ""
    high: str = ""
    below: list[Any] = field(default_factory=list)


@dataclass(slots=True)
class Rows:
    """A repeated group: its rows, and the buttons that add and remove one."""

    id: str
    name: str
    title: SafeString
    hints: list[dict[str, Any]]
    rows: list[dict[str, Any]]
    count: int
    add: str
    errors: list[str]
    described: str
    template: str = "intake/items/rows.html"


@dataclass(slots=True)
class Part:
    """A group that doesn't repeat, or something only to be read."""

    id: str
    template: str
    title: SafeString
    body: SafeString | str = ""
    classes: str = ""
    category: str = ""
    hints: list[dict[str, Any]] = field(default_factory=list)
    errors: list[str] = field(default_factory=list)
    described: str = ""
    links: Sequence[str] = ()
    below: list[Any] = field(default_factory=list)


def render_page(state: State, page: Page | str, *, bound_errors: bool) -> SafeString:
    """The fields of one page, without the form around them; with `bound_errors`, what is wrong stands beside each."""
    page = state.q.page(page) if isinstance(page, str) else page
    with translation.override(state.language or None):
        view = _Views(state, page, bound_errors)
        parts = view.parts_of_page()
        return mark_safe(get_template("intake/items/page.html").render({"parts": parts, "errors": view.unplaced()}))


class _Views:
    def __init__(self, state: State, page: Page, bound: bool) -> None:
        self.state, self.page, self.language = state, page, state.language
        self.errors: dict[str, list[str]] = {}
        if bound:
            for error in state.errors:
                self.errors.setdefault(error.name, []).append(error.message)

    def unplaced(self) -> list[str]:
        return self.errors.get("", [])

    def parts_of_page(self) -> list[Any]:
        found: list[Any] = self._list(self.state.q.header)
        for group in self.page.opens:
            for node in self.state.nodes(group):
                if node.enabled and not hidden(node):
                    found.extend(self._opening(node))
        found.extend(self._list(self.page.items))
        found.extend(self._list(self.state.q.footer))
        return found

    def _list(self, items: Sequence[Item]) -> list[Any]:
        found: list[Any] = []
        for item in items:
            if item.has_rows:
                found.extend(self._rows(item, None))
            else:
                for node in self.state.nodes(item):
                    found.extend(self._node(node))
        return found

    def _below(self, node: Node) -> list[Any]:
        found: list[Any] = []
        done: set[str] = set()
        for item in node.item.items:
            if item.has_rows and item.link_id not in done:
                done.add(item.link_id)
                found.extend(self._rows(item, node))
        plain = [child for child in node.children if not child.item.has_rows]
        shown = {child.item.link_id: self._node(child) for child in plain}
        ordered: list[Any] = []
        rows = iter(found)
        by_rows = {part.name: part for part in rows}
        for item in node.item.items:
            if item.has_rows:
                ordered.extend(part for name, part in by_rows.items() if self._is_rows_of(name, item))
            else:
                ordered.extend(shown.get(item.link_id, ()))
        return ordered

    def _is_rows_of(self, name: str, item: Item) -> bool:
        from .names import encode

        return name.endswith("." + encode(item.link_id))

    def _node(self, node: Node) -> list[Any]:
        if not node.enabled or hidden(node):
            return []
        if node.item.kind == "display":
            return [self._display(node)]
        if node.item.kind == "group":
            return self._group(node)
        return [self._question(node)]

    def _label(self, node: Node, *, blocks: bool = False) -> SafeString:
        return wording_html(node.item.wording, self.language, blocks=blocks, text=node.text)

    def _hints(self, item: Item, id_: str) -> list[dict[str, Any]]:
        words = [*item.prompts, *item.helps, *item.flyovers]
        hints = [{"id": f"{id_}-hint{n}", "html": wording_html(word, self.language, blocks=True)} for n, word in enumerate(words)]
        if item.entry_format and item.kind not in ("date", "time", "boolean"):
            hints.append({"id": f"{id_}-format", "html": wording_html(type(item.wording)(item.entry_format), "", blocks=False)})
        return hints

    def _group(self, node: Node) -> list[Any]:
        item = node.item
        below = self._below(node)
        if not below:
            return []
        hints = self._hints(item, node.name)
        errors = self.errors.get(node.name, [])
        title = mark_safe("") if item.text and item.text == self.page.title else self._label(node)
        return [Part(node.name, "intake/items/group.html", title, classes=item.wording.classes, hints=hints, errors=errors,
                     described=_described(node.name, hints, errors), links=item.links, below=below)]  # fmt: skip

    def _opening(self, node: Node) -> list[Any]:
        """The heading of a group that was cut into pages, on the first of them."""
        hints = self._hints(node.item, node.name)
        if not hints and (not node.item.text or node.item.text == self.page.title):
            return []
        title = mark_safe("") if node.item.text == self.page.title else self._label(node)
        return [Part(node.name, "intake/items/group.html", title, hints=hints, links=node.item.links)]

    def _display(self, node: Node) -> Part:
        item = node.item
        category = item.category if item.category in ("instructions", "security", "help") else ""
        return Part(node.name, "intake/items/display.html", mark_safe(""), self._label(node, blocks=True),
                    classes=item.wording.classes, category=category, links=item.links)  # fmt: skip

    def _rows(self, item: Item, parent: Node | None) -> list[Any]:
        if item.hidden or (parent is not None and hidden(parent)):
            return []
        found = []
        for name, enabled in row_places(self.state._tree, item):
            if not enabled or (parent is not None and not self._inside(name, parent)):
                continue
            nodes = [node for node in self.state.nodes(item) if node.name.rpartition(".")[0] == name]
            rows = []
            for node in nodes:
                below = [self._question(node)] if item.asks else self._below(node)
                rows.append({"number": (node.row or 0) + 1, "id": node.name, "below": below, "remove": node.name,
                             "errors": [] if item.asks else self.errors.get(node.name, [])})  # fmt: skip
            errors = self.errors.get(name, [])
            hints = [] if item.asks else self._hints(item, name)
            most = min(item.limits.max_occurs or MOST_ROWS, MOST_ROWS)
            add = name if len(nodes) < most and not item.read_only else ""
            title = wording_html(item.wording, self.language, blocks=False)
            found.append(Rows(name, name, title, hints, rows, len(nodes), add, errors, _described(name, hints, errors)))
        return found

    def _inside(self, name: str, parent: Node) -> bool:
        above: Node | None = parent
        while above is not None:
            if above.row is not None:
                return name.startswith(above.name + ".")
            above = above.parent
        return True

    def _question(self, node: Node) -> Question:
        from .controls import question

        errors = self.errors.get(node.name, [])
        hints = self._hints(node.item, node.name)
        shown = question(node, self._label(node), hints, errors, self.language)
        shown.described = _described(node.name, hints, errors)
        shown.below = self._below(node) if node.item.items else []
        return shown


def _described(id_: str, hints: Sequence[dict[str, Any]], errors: Sequence[str]) -> str:
    ids = [hint["id"] for hint in hints]
    if errors:
        ids.append(f"{id_}-error")
    return " ".join(ids)


__all__ = ["OTHER", "Box", "Choice", "Option", "Question", "render_page"]
