"""One page as HTML: nodes become shapes, and the fragments in templates/intake/items/ show them.

The same state always gives the same HTML: ids come from field names, and nothing is counted while rendering.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from django.conf import settings
from django.template.loader import get_template
from django.utils import translation
from django.utils.safestring import SafeString, mark_safe
from django.utils.translation import gettext as _

from .controls import FOLDER, question
from .items import Item, Limits, Page
from .names import MOST_ROWS
from .rich import as_html, wording_html
from .shapes import NOTHING, Hint, Part, Question, Row, Rows
from .state import State, hidden
from .tree import Node

NO_LIMITS = Limits()
CATEGORIES = frozenset({"instructions", "security", "help"})


def render_page(state: State, page: Page | str, *, bound_errors: bool) -> SafeString:
    """The fields of one page, without the form around them; with `bound_errors`, what is wrong stands beside each."""
    page = state.q.page(page) if isinstance(page, str) else page
    with translation.override(state.language or None):
        view = _View(state, page, bound_errors)
        html = get_template(FOLDER + "page.html").render(
            {"parts": view.parts(), "errors": view.errors.get("", []), "spoken": _spoken(state)}
        )
    return mark_safe(html)  # noqa: S308 - a template made it, with escaping on


def _spoken(state: State) -> dict[str, str]:
    """The language of a form that doesn't speak the reader's, and which way it runs, for those who hear it read out and
    for scripts that run from right to left; nothing else."""
    known, reader = state.q.languages, (state.language or "en").lower().split("-")[0]
    if not known or reader in known:
        return {}
    rtl = state.q.language.lower().split("-")[0] in settings.LANGUAGES_BIDI
    return {"lang": state.q.language, "dir": "rtl" if rtl else "ltr"}


class _View:
    """The shapes of one page of one state."""

    def __init__(self, state: State, page: Page, bound_errors: bool) -> None:
        self.state, self.page, self.language = state, page, state.language
        self.errors: dict[str, list[str]] = {}
        for error in state.errors if bound_errors else ():
            self.errors.setdefault(error.name, []).append(error.message)

    def parts(self) -> list[Any]:
        """The header, the page's heading, what groups say that begin here, the questions, and the footer."""
        body = self._items(self.page.items, None)
        asked = [part for part in body if isinstance(part, Question) and not part.told]
        named, alone = self.page.named, len(asked) == 1 and len(body) == 1
        found = self._items(self.state.q.header, None)
        if named is not None:
            found.append(self._heading(named, "caption.html" if alone else "heading.html"))
        elif not asked:
            found.append(self._heading(None, "heading.html"))
        if asked and (named is None or alone):
            asked[0].first = True
        for group in self.page.opens:
            for node in self.state.nodes(group):
                if node.enabled and not hidden(node):
                    found += self._opening(node)
        return [*found, *body, *self._items(self.state.q.footer, None)]

    def _heading(self, named: Item | None, template: str) -> Part:
        """The name of the group, or of the form: the page's heading, or a line above a question that stands alone."""
        node = next(iter(self.state.nodes(named)), None) if named is not None else None
        wording = named.wording if named is not None else self.state.q.titles
        label = self._label(node) if node is not None else wording_html(wording, self.language, blocks=False)
        return Part(f"{self.page.id}-heading", FOLDER + template, label or as_html(self.page.title))

    def _items(self, items: Sequence[Item], parent: Node | None) -> list[Any]:
        """The shapes of these items below a node, or wherever they are on the page."""
        found: list[Any] = []
        for item in items:
            nodes = (
                self.state.nodes(item) if parent is None else [n for n in parent.children if n.item is item]
            )
            nodes = [node for node in nodes if node.enabled and not hidden(node)]
            if item.has_rows:
                found += self._rows(item, nodes)
            else:
                for node in nodes:
                    found += self._node(node)
        return found

    def _node(self, node: Node) -> list[Any]:
        if node.item.kind == "display":
            return self._display(node)
        return self._group(node) if node.item.kind == "group" else [self._question(node)]

    def _label(self, node: Node, *, blocks: bool = False) -> SafeString:
        return wording_html(node.item.wording, self.language, blocks=blocks, text=node.text)

    def _hints(self, item: Item, id_: str, limits: Limits = NO_LIMITS) -> list[Hint]:
        words = [
            wording_html(word, self.language, blocks=True)
            for word in (*item.prompts, *item.helps, *item.flyovers)
        ]
        if item.entry_format and item.kind not in ("date", "time", "dateTime", "boolean", "group", "display"):
            words.append(as_html(item.entry_format))
        low, high = limits.min_value, limits.max_value
        if (
            item.kind in ("integer", "decimal", "quantity")
            and low is not None
            and high is not None
            and item.control != "slider"
        ):
            words.append(as_html(_("From %(low)s to %(high)s.") % {"low": f"{low:f}", "high": f"{high:f}"}))
        return [Hint(f"{id_}-hint{number}", html) for number, html in enumerate(words) if html]

    def _group(self, node: Node) -> list[Part]:
        below = self._items(node.item.items, node)
        if not below:
            return []
        item, errors = node.item, self.errors.get(node.name, [])
        label = NOTHING if item is self.page.named else self._label(node)
        return [
            Part(
                node.name,
                FOLDER + "group.html",
                label,
                item.wording.classes,
                self._hints(item, node.name),
                errors,
                item.links,
                below,
            )
        ]

    def _opening(self, node: Node) -> list[Part]:
        """What a group says of itself, on the first of the pages it was cut into."""
        item = node.item
        label = NOTHING if item is self.page.named or not item.text else self._label(node)
        hints, errors = self._hints(item, node.name), self.errors.get(node.name, [])
        if not label and not hints and not errors:
            return []
        return [
            Part(node.name, FOLDER + "group.html", label, item.wording.classes, hints, errors, item.links)
        ]

    def _display(self, node: Node) -> list[Part]:
        item = node.item
        body = self._label(node, blocks=True)
        if not body and not item.links:
            return []
        part = Part(
            node.name, FOLDER + "display.html", classes=item.wording.classes, links=item.links, body=body
        )
        part.category = item.category if item.category in CATEGORIES else ""
        return [part]

    def _rows(self, item: Item, nodes: list[Node]) -> list[Rows]:
        """Repetitions side by side: one block for each place they can stand in."""
        places: dict[str, list[Node]] = {}
        for node in nodes:
            places.setdefault(node.place, []).append(node)
        found = []
        for place, occurrences in places.items():
            rows = [self._row(node) for node in occurrences if node.row is not None]
            most = min(item.limits.max_occurs or MOST_ROWS, MOST_ROWS)
            found.append(
                Rows(
                    place,
                    FOLDER + "rows.html",
                    NOTHING if item is self.page.named else self._label(occurrences[0]),
                    item.wording.classes,
                    self._hints(item, place) if not item.asks else [],
                    self.errors.get(place, []),
                    item.links,
                    name=place,
                    title=item.wording.in_language(self.language),
                    rows=rows,
                    add=place if len(rows) < most and not item.read_only else "",
                )
            )
        return found

    def _row(self, node: Node) -> Row:
        if node.item.asks:
            return Row(f"{node.name}-row", (node.row or 0) + 1, node.name, [], [self._question(node)])
        below = self._items(node.item.items, node)
        return Row(node.name, (node.row or 0) + 1, node.name, self.errors.get(node.name, []), below)

    def _question(self, node: Node) -> Question:
        shown = question(node, self._label(node), self.language)
        shown.hints = self._hints(node.item, node.name, node.limits)
        shown.errors = self.errors.get(node.name, [])
        shown.below = self._items(node.item.items, node)
        return shown
