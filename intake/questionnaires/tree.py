"""The form as one person is filling it in: a node for every item, and one for every repetition of a repeated one."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from django.utils.translation import gettext as _

from .items import Item, Limits, Option, Questionnaire
from .names import MOST_ROWS, ROOT, child_name
from .options import OTHER
from .starting import starting_entries
from .times import Refused
from .values import Answer, Context, option_answer, other_answer, read_answer

Raw = Mapping[str, Sequence[str]]
Entry = tuple[str, dict[str, str]]


@dataclass(slots=True, eq=False)
class Node:
    """One occurrence of an item. `name` is its field name; `entries` what was typed; `answers` what that means.

    A repeated group without rows has one node all the same, without a row and with nothing below: it stands for the
    place where rows can be added.
    """

    item: Item
    name: str
    parent: Node | None
    row: int | None = None
    children: Sequence[Node] = ()
    entries: Sequence[Entry] = ()
    answers: Sequence[Answer] = ()
    refusals: Sequence[tuple[int, str]] = ()
    options: tuple[Option, ...] = ()
    enabled: bool = True
    wanted: bool = True
    text: str | None = None
    told_limits: Limits | None = None
    touched: bool = False

    @property
    def place(self) -> str:
        """The field name without its own row: what all repetitions side by side share."""
        return self.name if self.row is None else self.name.rpartition(".")[0]

    @property
    def limits(self) -> Limits:
        """What its answer must keep to: as written, or as expressions tell it on these answers."""
        return self.told_limits or self.item.limits

    @property
    def given(self) -> Sequence[Answer]:
        """The answers that count: none while the question is not asked."""
        return self.answers if self.enabled else ()

    def walk(self) -> Iterator[Node]:
        waiting = [self]
        while waiting:
            node = waiting.pop()
            yield node
            waiting.extend(reversed(node.children))

    def is_empty(self) -> bool:
        """Does nothing in it count as answered?"""
        return not any(node.given for node in self.walk())


class Tree:
    """All nodes of one form in progress, by field name and by linkId, in the questionnaire's order."""

    def __init__(self, q: Questionnaire, raw: Raw, context: Context, language: str) -> None:
        self.q, self.raw, self.context, self.language = q, raw, context, language
        self.by_name: dict[str, Node] = {}
        self.by_link: dict[str, list[Node]] = {}
        self.broken: list[tuple[Node | None, str]] = []
        self.counts = row_counts(raw)
        self.roots = self._build(q.items, ROOT, None)

    def _build(self, items: Sequence[Item], prefix: str, parent: Node | None) -> list[Node]:
        nodes = []
        for item in items:
            name = child_name(prefix, item.link_id)
            if not item.has_rows:
                nodes.append(self._node(item, name, prefix, parent, None))
                continue
            count = self.row_count(item, name)
            if not count:
                nodes.append(self._node(item, name, "", parent, None))
            for row in range(count):
                nodes.append(self._node(item, f"{name}.{row}", f"{name}.{row}", parent, row))
        return nodes

    def _node(self, item: Item, name: str, prefix: str, parent: Node | None, row: int | None) -> Node:
        node = Node(item, name, parent, row, options=item.options)
        self.by_name[name] = node
        self.by_link.setdefault(item.link_id, []).append(node)
        if item.asks:
            self._read(node)
        if item.items and prefix:
            node.children = self._build(item.items, prefix, node)
        return node

    def row_count(self, item: Item, name: str) -> int:
        """How many rows a repeated item has: those posted or added, or as many as it needs to start with.

        A group that may stay empty starts with none: what is required inside it is then not asked for.
        """
        if name in self.counts:
            return min(self.counts[name], MOST_ROWS)
        least = max(item.limits.min_occurs, 1 if item.required or item.asks else 0)
        return min(least, MOST_ROWS)

    def _read(self, node: Node) -> None:
        item, name, raw = node.item, node.name, self.raw
        if not item.writable:
            node.entries = starting_entries(item, node.row)
        elif name in raw or (item.kind in _SECOND and f"{name}:{_SECOND[item.kind]}" in raw):
            node.entries = _entries(item, name, raw)
            node.touched = True
        else:
            node.entries = starting_entries(item, node.row)
        if node.entries:
            self.understand(node)

    def understand(self, node: Node) -> None:
        """Read `entries` into `answers`, or into a sentence for each that can't be read."""
        item = node.item
        answers: list[Answer] = []
        refusals: list[tuple[int, str]] = []
        node.answers, node.refusals = answers, refusals
        if item.has_options and (node.options or item.option_expression):
            self._choose(node, answers, refusals)
            return
        for place, (text, extra) in enumerate(node.entries):
            try:
                answer = read_answer(item, text, extra, self.context, self.language)
            except Refused as fault:
                refusals.append((place, str(fault)))
                continue
            # A repeated yes or no is shown as two boxes to tick, so it can hold each of them once.
            if answer is not None and not (item.kind == "boolean" and answer in answers):
                answers.append(answer)

    def _choose(self, node: Node, answers: list[Answer], refusals: list[tuple[int, str]]) -> None:
        item = node.item
        by_key = (
            item.option_by_key
            if node.options is item.options
            else {option.key: option for option in node.options}
        )
        wrote, picked_other = "", False
        for place, (text, extra) in enumerate(node.entries):
            wrote = wrote or extra.get("other", "")
            if text == OTHER and item.kind == "open-choice":
                picked_other = True
                continue
            if not text:
                continue
            option = by_key.get(text)
            if option is None:
                refusals.append((place, _("Choose one of the answers listed.")))
            elif all(answer.option is not option for answer in answers):
                answers.append(option_answer(option, self.language))
        if item.kind == "open-choice":
            self._write_in(node, answers, refusals, wrote, picked=picked_other)

    def _write_in(
        self,
        node: Node,
        answers: list[Answer],
        refusals: list[tuple[int, str]],
        wrote: str,
        *,
        picked: bool,
    ) -> None:
        """What was written beside the options: an answer, unless a single choice was also made."""
        if not wrote.strip():
            if picked:
                refusals.append((0, _("Please write your answer in the box.")))
            return
        if answers and not node.item.many and not picked:
            refusals.append(
                (
                    0,
                    _(
                        "You chose an answer and also wrote one. Clear the box, or choose the answer that goes with it."
                    ),
                )
            )
            return
        try:
            read_answer(_AS_TEXT, wrote, {}, self.context, self.language)
        except Refused as fault:
            refusals.append((0, str(fault)))
            return
        answers.append(other_answer(wrote))

    def walk(self) -> Iterator[Node]:
        for node in self.roots:
            yield from node.walk()


def _entries(item: Item, name: str, raw: Raw) -> list[Entry]:
    texts = list(raw.get(name, ()))
    if not item.many:
        # One question, one answer: of a doubled field the last one counts.
        texts = texts[-1:]
    if item.has_options:
        wrote = next(iter(raw.get(f"{name}:other", ())), "") if item.kind == "open-choice" else ""
        return [(text, {"other": wrote} if wrote else {}) for text in texts] or (
            [("", {"other": wrote})] if wrote else []
        )
    if item.kind not in _IN_PARTS:
        return [(text, {}) for text in texts]
    parts = {part: list(raw.get(f"{name}:{part}", ())) for part in ("unit", "time")}
    size = max(len(texts), len(parts["time"]))
    if not item.many:
        size = min(size, 1)
        parts = {part: values[-1:] for part, values in parts.items()}
    entries = []
    for place in range(size):
        extra = {part: values[place] for part, values in parts.items() if place < len(values)}
        entries.append((texts[place] if place < len(texts) else "", extra))
    return entries


def row_counts(raw: Raw) -> dict[str, int]:
    """How many rows each repeated item has, told by the names posted and by the `:n` fields beside them."""
    counts: dict[str, int] = {}
    for name, values in raw.items():
        if name.count(".") < 2 and ":" not in name:
            continue
        base, _mark, part = name.partition(":")
        if part == "n" and values and values[-1].isdecimal() and len(values[-1]) < 6:
            counts[base] = max(counts.get(base, 0), int(values[-1]))
        pieces = base.split(".")
        for place in range(2, len(pieces), 2):
            if pieces[place].isdecimal() and len(pieces[place]) < 4 and int(pieces[place]) < MOST_ROWS:
                anchor = ".".join(pieces[:place])
                counts[anchor] = max(counts.get(anchor, 0), int(pieces[place]) + 1)
    return counts


_IN_PARTS = frozenset({"quantity", "dateTime"})
_SECOND = {"dateTime": "time", "open-choice": "other"}  # parts that are an answer without a first
_AS_TEXT = Item("text", "text", "", wording=None)  # type: ignore[arg-type]
__all__ = ["Any", "Node", "Raw", "Tree", "row_counts"]
