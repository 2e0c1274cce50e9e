"""`evaluate`: from what was typed to everything that follows from it. A pure function of its arguments."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any

from django.utils import translation
from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from . import facts as reports
from .computing import Computing
from .conditions import is_enabled, order
from .items import Item, Page, Questionnaire
from .response import response
from .tree import Node, Raw, Tree
from .values import Context, check_limits


@dataclass(frozen=True, slots=True)
class FieldError:
    """What keeps an answer from being sent: the field it belongs to, and a sentence that says what to do."""

    name: str
    message: str
    link_id: str
    page_id: str


class State:
    """One form at one moment. Everything is computed from the answers, and nothing is kept between two moments."""

    def __init__(self, tree: Tree, unsettled: bool, faults: Sequence[tuple[str, str]]) -> None:
        self._tree = tree
        self.q, self.context, self.language = tree.q, tree.context, tree.language
        self.unsettled = unsettled
        self.faults = tuple(faults)

    # ── what is asked ────────────────────────────────────────────────────────────────────────────────
    def nodes(self, which: Item | str) -> list[Node]:
        """The occurrences of an item, told by the item, its linkId, or the field name of one of them."""
        if isinstance(which, Item):
            return self._tree.by_link.get(which.link_id, [])
        if which in self._tree.by_link:
            return self._tree.by_link[which]
        node = self._tree.by_name.get(which)
        return [node] if node is not None else []

    def enabled(self, which: Item | str) -> bool:
        """Is it asked? For an item that occurs several times: is any of them?"""
        return any(node.enabled for node in self.nodes(which))

    def value(self, which: Item | str) -> Any:
        """The typed answer as `facts` has it, None without one; a list where the question may have several."""
        nodes = self.nodes(which)
        values = [answer.fact for node in nodes for answer in node.given]
        if nodes and reports.is_many(self.q, nodes[0].item) and not (isinstance(which, str) and len(nodes) == 1 and not nodes[0].item.many):
            return values
        return values[0] if values else None

    @cached_property
    def pages(self) -> tuple[Page, ...]:
        """The pages that have something to show: those whose items are all disabled or hidden are skipped."""
        return tuple(page for page in self.q.pages if any(True for _node in self._shown_nodes(page)))

    def shown(self, page: Page) -> frozenset[str]:
        """The field names a page shows now. When answers bring up new ones, the page is not finished yet."""
        return frozenset(node.name for node in self._shown_nodes(page) if node.item.writable)

    def _shown_nodes(self, page: Page) -> Any:
        for item in page.items:
            for top in self._tree.by_link.get(item.link_id, ()):
                for node in top.walk():
                    if node.enabled and not hidden(node) and (node.item.kind != "group" or node.item.repeats):
                        yield node
            if item.has_rows and item.link_id not in self._tree.by_link and self._room_for_rows(item):
                yield Node(item, "", None)

    def _room_for_rows(self, item: Item) -> bool:
        """A repeated group without rows is still shown, with a button to add one, where it is asked at all."""
        return not item.hidden and group_enabled(self._tree, item)

    # ── what is wrong ────────────────────────────────────────────────────────────────────────────────
    @cached_property
    def errors(self) -> list[FieldError]:
        """Everything that keeps the form from being sent, in the questionnaire's order."""
        with translation.override(self.language or None):
            found = [error for node in self._tree.walk() if node.enabled for error in self._errors_of(node)]
            found.extend(self._missing_rows())
            if self.unsettled:
                page = self.q.pages[0].id if self.q.pages else ""
                found.append(FieldError("", _("This form can't tell which questions to ask. Please call us instead."), "", page))
        return found

    def errors_for(self, page: Page | str) -> list[FieldError]:
        """The errors of one page."""
        page_id = page if isinstance(page, str) else page.id
        return [error for error in self.errors if error.page_id == page_id]

    def _errors_of(self, node: Node) -> list[FieldError]:
        item = node.item
        messages = []
        if item.asks and item.writable:
            messages += [sentence for _place, sentence in node.refusals]
            messages += [said for answer in node.answers if (said := check_limits(item, answer, self.context))]
            messages += _count_errors(node)
            if not messages and item.required and not node.answers:
                messages.append(_required(item))
        elif item.kind == "group" and item.required and not item.hidden and node.is_empty() and _can_be_answered(node):
            messages.append(_("Please answer at least one of these questions."))
        messages += [constraint for constraint in node_constraints(node, self._tree)]
        return [self._error(node.name, message, item) for message in dict.fromkeys(messages)]

    def _missing_rows(self) -> list[FieldError]:
        found = []
        for item in self.q.row_items:
            if item.hidden:
                continue
            for name, enabled in row_places(self._tree, item):
                count = sum(1 for node in self._tree.by_link.get(item.link_id, ()) if node.name.rpartition(".")[0] == name)
                least = max(item.limits.min_occurs, 1 if item.required and item.kind == "group" else 0)
                most = item.limits.max_occurs
                if enabled and count < least:
                    message = ngettext("Please add at least %(least)d.", "Please add at least %(least)d.", least) % {"least": least}
                    found.append(self._error(name, message, item))
                elif enabled and most is not None and count > most:
                    message = ngettext("Please keep at most %(most)d.", "Please keep at most %(most)d.", most) % {"most": most}
                    found.append(self._error(name, message, item))
        return found

    def _error(self, name: str, message: str, item: Item) -> FieldError:
        page = self.q.page_of.get(item.link_id)
        return FieldError(name, message, item.link_id, page.id if page else "")

    # ── what comes of it ─────────────────────────────────────────────────────────────────────────────
    def response(self, status: str = "completed", **more: Any) -> dict[str, Any]:
        """The FHIR R4 QuestionnaireResponse; `more` are further elements such as subject, author and source."""
        return response(self._tree, status, **more)

    def facts(self) -> dict[str, Any]:
        """Typed values for rules, by linkId: see `facts.facts`."""
        return reports.facts(self._tree)

    def texts(self) -> list[tuple[str, str]]:
        """Every free text the person wrote: see `facts.texts`."""
        return reports.texts(self._tree)

    def summary(self) -> list[dict[str, str]]:
        """Readable lines for staff: see `facts.summary`."""
        with translation.override(self.language or None):
            return reports.summary(self._tree)


def evaluate(q: Questionnaire, raw: Raw, context: Context, language: str = "en") -> State:
    """Everything that follows from the raw answers. The same arguments always give the same state."""
    with translation.override(language or None):
        tree = Tree(q, raw, context, language)
        computing = Computing(tree)
        computing.start()
        ordered = _order_of(q)
        unsettled = True
        for _round in range(computing.most_rounds):
            for item in ordered:
                for node in tree.by_link.get(item.link_id, ()):
                    node.enabled = is_enabled(node, tree)
            if not computing.advance():
                unsettled = False
                break
        computing.finish()
    return State(tree, unsettled, computing.faults)


def _order_of(q: Questionnaire) -> list[Item]:
    cached = q.__dict__.get("_enable_order")
    if cached is None:
        cached = order(q)[0]
        q.__dict__["_enable_order"] = cached
    return list(cached)


def hidden(node: Node) -> bool:
    above: Node | None = node
    while above is not None:
        if above.item.hidden:
            return True
        above = above.parent
    return False


def _can_be_answered(node: Node) -> bool:
    return any(below.item.writable and below.enabled for below in node.walk())


def _required(item: Item) -> str:
    if item.kind == "boolean" and item.control == "check-box":
        return _("Please tick the box to go on.")
    if item.has_options or item.kind == "boolean":
        return _("Please choose an answer.")
    if item.kind == "attachment":
        return _("Please add a file.")
    return _("Please answer this question.")


def _count_errors(node: Node) -> list[str]:
    """Too many, too few, or an answer that can't stand beside others."""
    item, count = node.item, len(node.answers)
    alone = next((answer for answer in node.answers if answer.option and answer.option.exclusive), None)
    if alone is not None and count > 1:
        return [_("“%(choice)s” can't be chosen together with other answers.") % {"choice": alone.text}]
    if not item.many:
        return []
    if item.limits.max_occurs is not None and count > item.limits.max_occurs:
        most = item.limits.max_occurs
        return [ngettext("Please give at most %(most)d answer.", "Please give at most %(most)d answers.", most) % {"most": most}]
    if 0 < count < item.limits.min_occurs or (item.required and count < item.limits.min_occurs):
        least = item.limits.min_occurs
        return [ngettext("Please give at least %(least)d answer.", "Please give at least %(least)d answers.", least) % {"least": least}]
    return []


def node_constraints(node: Node, tree: Tree) -> list[str]:
    return [human for place, human in tree.broken if place is node] if hasattr(tree, "broken") else []


def row_places(tree: Tree, item: Item) -> list[tuple[str, bool]]:
    """Where rows of a repeated item may stand: the field name without its row, and whether it is asked there."""
    from .names import ROOT, child_name

    anchors = tree.q.row_anchors[item.link_id]
    parents = tree.by_link.get(anchors[-1].link_id, []) if anchors else [None]
    places = []
    for parent in parents:
        prefix = parent.name if parent is not None else ROOT
        name = child_name(prefix, item.link_id)
        first = tree.by_name.get(f"{name}.0")
        places.append((name, first.enabled if first is not None else group_enabled(tree, item, parent)))
    return places


def group_enabled(tree: Tree, item: Item, row: Node | None = None) -> bool:
    """Would a row of this repeated item be asked, if there were one?"""
    above = tree.q.parents.get(item.link_id)
    parent: Node | None = None
    if above is not None:
        candidates = tree.by_link.get(above.link_id, [])
        if row is not None:
            candidates = [node for node in candidates if node is row or _lies_in(node, row)]
        parent = candidates[0] if candidates else None
        if parent is None:
            return False
    return is_enabled(Node(item, "", parent), tree)


def _lies_in(node: Node, row: Node) -> bool:
    above = node.parent
    while above is not None:
        if above is row:
            return True
        above = above.parent
    return False


__all__ = ["Context", "FieldError", "Mapping", "State", "evaluate"]
