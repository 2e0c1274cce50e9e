"""`evaluate`: from what was typed to everything that follows from it. A pure function of its arguments."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from functools import cached_property
from typing import Any

from django.utils import translation

from . import facts as reports
from .computing import Computing
from .conditions import is_enabled, order
from .items import Item, Page, Questionnaire
from .mistakes import FieldError, find_mistakes, hidden
from .response import response
from .tree import Node, Raw, Tree
from .values import Context


class State:
    """One form at one moment. Everything is computed from the answers, and nothing is kept between two moments.

    `faults` are (path, sentence) of expressions that couldn't be worked out on these answers; `unsettled` says that
    what is asked depends on itself, which also keeps the form from being sent.
    """

    def __init__(self, tree: Tree, *, unsettled: bool, faults: Sequence[tuple[str, str]]) -> None:
        self._tree = tree
        self.q, self.context, self.language = tree.q, tree.context, tree.language
        self.unsettled, self.faults = unsettled, tuple(faults)

    # ── what is asked ────────────────────────────────────────────────────────────────────────────────
    def nodes(self, which: Item | str) -> list[Node]:
        """The occurrences of an item, told by the item, its linkId, or the field name of one of them."""
        link_id = which.link_id if isinstance(which, Item) else which
        if link_id in self._tree.by_link:
            return self._tree.by_link[link_id]
        node = self._tree.by_name.get(link_id)
        return [node] if node is not None else []

    def enabled(self, which: Item | str) -> bool:
        """Is it asked? For an item that occurs several times: is any of them?"""
        return any(node.enabled for node in self.nodes(which))

    def value(self, which: Item | str) -> Any:
        """The typed answer as `facts` has it, None without one; a list where there may be several.

        By linkId that is wherever the question or a group around it repeats; by field name, where the question does.
        """
        nodes = self.nodes(which)
        values = [answer.fact for node in nodes for answer in node.given]
        by_name = isinstance(which, str) and which not in self.q.by_link_id
        several = bool(nodes) and (nodes[0].item.many if by_name else reports.is_many(self.q, nodes[0].item))
        return values if several else values[0] if values else None

    @cached_property
    def pages(self) -> tuple[Page, ...]:
        """The pages that have something to show; those whose items are all disabled or hidden are skipped.

        There is always one: the last of the form stands in where nothing at all is to be shown.
        """
        found = tuple(page for page in self.q.pages if next(self._shown_nodes(page), None) is not None)
        return found or self.q.pages[-1:]

    def title(self, page: Page) -> str:
        """The page's title in the reader's language."""
        return (page.named.wording if page.named is not None else self.q.titles).in_language(
            self.language
        ) or page.title

    def shown(self, page: Page) -> frozenset[str]:
        """The field names a page shows now. When answers bring up new ones, the page is not finished yet."""
        return frozenset(node.name for node in self._shown_nodes(page) if node.item.writable)

    def _shown_nodes(self, page: Page) -> Iterator[Node]:
        for item in page.items:
            for top in self.nodes(item):
                for node in top.walk():
                    if node.enabled and not hidden(node) and (node.item.kind != "group" or node.item.repeats):
                        yield node

    # ── what is wrong ────────────────────────────────────────────────────────────────────────────────
    @cached_property
    def errors(self) -> list[FieldError]:
        """Everything that keeps the form from being sent, in the questionnaire's order."""
        with translation.override(self.language or None):
            return find_mistakes(self._tree, unsettled=self.unsettled)

    def errors_for(self, page: Page | str) -> list[FieldError]:
        """The errors of one page."""
        page_id = page if isinstance(page, str) else page.id
        return [error for error in self.errors if error.page_id == page_id]

    # ── what comes of it ─────────────────────────────────────────────────────────────────────────────
    def response(self, status: str = "completed", **more: Any) -> dict[str, Any]:
        """The FHIR R4 QuestionnaireResponse; `more` are further elements such as subject, author and source."""
        return response(self._tree, status, **more)

    def facts(self) -> dict[str, Any]:
        """Typed values for rules, by linkId: see `facts.facts`."""
        return dict(self._facts)

    @cached_property
    def _facts(self) -> dict[str, Any]:
        return reports.facts(self._tree)

    def texts(self) -> list[tuple[str, str]]:
        """Every free text the person wrote: see `facts.texts`."""
        return list(self._texts)

    @cached_property
    def _texts(self) -> list[tuple[str, str]]:
        return reports.texts(self._tree)

    def summary(self) -> list[dict[str, str]]:
        """Readable lines for staff: see `facts.summary`."""
        return [dict(line) for line in self._summary]

    @cached_property
    def _summary(self) -> list[dict[str, str]]:
        with translation.override(self.language or None):
            return reports.summary(self._tree)


def evaluate(q: Questionnaire, raw: Raw, context: Context, language: str = "en") -> State:
    """Everything that follows from the raw answers. The same arguments always give the same state."""
    with translation.override(language or None):
        tree = Tree(q, raw, context, language)
        computing = Computing(tree)
        computing.start()
        unsettled = True
        nodes = [node for item in _order_of(q) for node in tree.by_link.get(item.link_id, ())]
        for _round in range(computing.most_rounds):
            for node in nodes:
                node.enabled = is_enabled(node, tree)
            if not computing.advance():
                unsettled = False
                break
        computing.finish()
    return State(tree, unsettled=unsettled, faults=tuple(computing.results.faults))


def _order_of(q: Questionnaire) -> Sequence[Item]:
    """Items so that each comes after all its conditions depend on; worked out once for a questionnaire."""
    known = q.__dict__.get("_enable_order")
    if known is None:
        known = q.__dict__["_enable_order"] = tuple(order(q)[0])
    return known


__all__ = ["Context", "FieldError", "State", "evaluate", "hidden"]
