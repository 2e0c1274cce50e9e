"""Cutting a form into short pages.

A page is a top-level group, or as much of one as a person can take in at once. A follow-up question stays on the
page of the answer that brings it up. Nothing that repeats is ever cut.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field

from .items import Item, Page, Questionnaire

MOST_QUESTIONS = 5
MOST_WITH_FOLLOW_UPS = 8
# A group its author marked as one page, or that repeats, stays whole.
WHOLE = frozenset({"page", "gtable", "table", "htable", "grid", "atable"})


@dataclass
class _Sheet:
    """A page in the making."""

    within: tuple[Item, ...]
    items: list[Item] = field(default_factory=list)
    opens: list[Item] = field(default_factory=list)
    questions: int = 0
    asked: set[str] = field(default_factory=set)


def make_pages(q: Questionnaire) -> tuple[tuple[Page, ...], tuple[Item, ...], tuple[Item, ...]]:
    """The pages, and what stands above and below each of them."""
    header = tuple(item for item in q.items if _only_to_read(item) and item.control == "header")
    footer = tuple(item for item in q.items if _only_to_read(item) and item.control == "footer")
    body = [item for item in q.items if item not in header and item not in footer]
    sheets: list[_Sheet] = []
    _lay_out(q, body, (), sheets)
    if not sheets:
        sheets = [_Sheet((), list(body))]
    pages = []
    for number, sheet in enumerate(_joined(sheets), 1):
        named = _named(sheet)
        title = named.text if named is not None else q.title
        pages.append(Page(f"p{number}", title, tuple(sheet.items), named, sheet.within, tuple(sheet.opens)))
    return tuple(pages), header, footer


def _joined(sheets: list[_Sheet]) -> list[_Sheet]:
    """A page with nothing to answer joins the one it introduces; at the end, the one before."""
    joined: list[_Sheet] = []
    for sheet in sheets:
        before = joined[-1] if joined else None
        if (
            before is not None
            and before.questions == 0
            and before.within == sheet.within[: len(before.within)]
        ):
            sheet.items = [*before.items, *sheet.items]
            sheet.opens = [*before.opens, *sheet.opens]
            joined[-1] = sheet
        else:
            joined.append(sheet)
    if len(joined) > 1 and joined[-1].questions == 0:
        last = joined.pop()
        joined[-1].items.extend(last.items)
        joined[-1].opens.extend(last.opens)
    return joined


def _only_to_read(item: Item) -> bool:
    return not any(below.asks for below in item.walk())


def questions_in(item: Item) -> int:
    """How many questions a person would see at most; a hidden or computed one counts for nothing."""
    if item.hidden:
        return 0
    own = 1 if item.writable else 0
    return own + sum(questions_in(child) for child in item.items)


def _depends_on(item: Item) -> set[str]:
    found: set[str] = set()
    for below in item.walk():
        found.update(condition.question for condition in below.enable_when)
        if below.enable_expression is not None:
            found |= below.enable_expression.link_ids
    return found


def _lay_out(q: Questionnaire, items: Iterable[Item], within: tuple[Item, ...], sheets: list[_Sheet]) -> None:
    """Fill pages with `items`, which all lie in the groups `within`; never mixes two top-level groups on one page."""
    sheet: _Sheet | None = None
    opens = list(within[-1:])
    for item in items:
        size = questions_in(item)
        if _can_be_cut(item) and size > MOST_QUESTIONS:
            before = len(sheets)
            _lay_out(q, item.items, (*within, item), sheets)
            if opens and len(sheets) > before:
                sheets[before].opens[:0] = opens
                opens = []
            sheet = None
            continue
        alone = not within and item.kind == "group" and size > 0
        # A follow-up stays beside the question that brings it up, where it is understood, as long as there is room.
        follows = sheet is not None and bool(sheet.asked & _depends_on(item))
        most = MOST_WITH_FOLLOW_UPS if follows else MOST_QUESTIONS
        full = sheet is not None and sheet.questions > 0 and sheet.questions + size > most
        if sheet is None or full or alone:
            sheet = _Sheet(within, opens=opens)
            opens = []
            sheets.append(sheet)
        sheet.items.append(item)
        sheet.questions += size
        sheet.asked.update(below.link_id for below in item.walk() if below.asks)
        if alone:
            sheet = None


def _can_be_cut(item: Item) -> bool:
    return (
        item.kind == "group"
        and not item.repeats
        and not item.hidden
        and item.control not in WHOLE
        and bool(item.items)
    )


def _named(sheet: _Sheet) -> Item | None:
    """The group a page is about: the one it shows, or the innermost named one it lies in."""
    asked = [item for item in sheet.items if questions_in(item)]
    if len(asked) == 1 and asked[0].kind == "group" and asked[0].text:
        return asked[0]
    return next((group for group in reversed(sheet.within) if group.text), None)
