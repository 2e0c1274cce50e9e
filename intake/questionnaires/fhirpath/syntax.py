"""The grammar of FHIRPath (N1, appendix B), read into small tuples.

    ("literal", value) · ("empty",) · ("variable", name) · ("this",) · ("index",) · ("total",)
    ("path", start, steps)     start is a node or None; a step is ("field", name), ("call", name, args), ("at", node)
    ("sign", "-", node) · ("chain", node, ((operator, node), …)) · ("type", "is" or "as", node, type name)

Chains and paths are flat, so only brackets nest, and how deep they may is bounded.
"""

from __future__ import annotations

import re
from calendar import monthrange
from collections.abc import Iterator
from decimal import Decimal
from typing import Any

from .values import DURATIONS, Quantity, temporal

Tree = tuple[Any, ...]
LONGEST = 20_000
DEEPEST = 40


class SyntaxFault(ValueError):
    """Text that is not FHIRPath, or too long or deep to be read."""


_TOKEN = re.compile(
    r"""(?P<space>\s+|//[^\n]*|/\*.*?\*/)
    |(?P<moment>@T?[0-9](?:[0-9T:+Z-]|[.](?=[0-9]))*)
    |(?P<number>[0-9]+(?:\.[0-9]+)?)
    |(?P<string>'(?:[^'\\]|\\.)*')
    |(?P<quoted>`(?:[^`\\]|\\.)*`)
    |(?P<variable>%(?:[A-Za-z_][A-Za-z0-9_-]*|`(?:[^`\\]|\\.)*`|'(?:[^'\\]|\\.)*'))
    |(?P<dollar>\$(?:this|index|total))
    |(?P<name>[A-Za-z_][A-Za-z0-9_]*)
    |(?P<mark><=|>=|!=|!~|[-+*/&|<>=~.,()\[\]{}])""",
    re.VERBOSE | re.DOTALL,
)
_ESCAPE = re.compile(r"\\(u[0-9A-Fa-f]{4}|.)", re.DOTALL)
_ESCAPES = {"n": "\n", "r": "\r", "t": "\t", "f": "\f"}
# From the loosest binding to the tightest (FHIRPath §6.7, operator precedence).
LEVELS: tuple[tuple[str, ...], ...] = (
    ("implies",),
    ("or", "xor"),
    ("and",),
    ("in", "contains"),
    ("=", "~", "!=", "!~"),
    ("<=", "<", ">", ">="),
    ("|",),
    ("is", "as"),
    ("+", "-", "&"),
    ("*", "/", "div", "mod"),
)


def _unescape(text: str) -> str:
    return _ESCAPE.sub(
        lambda hit: chr(int(hit[1][1:], 16)) if len(hit[1]) == 5 else _ESCAPES.get(hit[1], hit[1]), text
    )


def _tokens(text: str) -> Iterator[tuple[str, str]]:
    place = 0
    while place < len(text):
        hit = _TOKEN.match(text, place)
        if hit is None:
            raise SyntaxFault(f"“{text[place : place + 12]}” is not understood.")
        place = hit.end()
        if hit.lastgroup != "space":
            yield str(hit.lastgroup), hit[0]
    yield "end", ""


class _Parser:
    def __init__(self, text: str) -> None:
        self.tokens = list(_tokens(text))
        self.place = 0
        self.depth = 0

    @property
    def kind(self) -> str:
        return self.tokens[self.place][0]

    @property
    def word(self) -> str:
        return self.tokens[self.place][1]

    def take(self) -> str:
        word = self.word
        self.place += 1
        return word

    def expect(self, mark: str) -> None:
        if self.kind != "mark" or self.word != mark:
            raise SyntaxFault(f"“{mark}” is missing before “{self.word or 'the end'}”.")
        self.place += 1

    def at(self, *marks: str) -> bool:
        return self.kind in ("mark", "name") and self.word in marks

    def whole(self) -> Tree:
        tree = self.expression()
        if self.kind != "end":
            raise SyntaxFault(f"“{self.word}” is not expected here.")
        return tree

    def expression(self, level: int = 0) -> Tree:
        if level == 0:
            self.depth += 1
            if self.depth > DEEPEST:
                raise SyntaxFault(f"Brackets nest deeper than {DEEPEST} levels.")
        tree = self._level(level)
        if level == 0:
            self.depth -= 1
        return tree

    def _level(self, level: int) -> Tree:
        if level == len(LEVELS):
            return self.signed()
        left = self.expression(level + 1)
        operators = LEVELS[level]
        if operators == ("is", "as"):
            while self.at("is", "as"):
                left = ("type", self.take(), left, self.type_name())
            return left
        rest = []
        while self.at(*operators):
            operator = self.take()
            rest.append((operator, self.expression(level + 1)))
        return ("chain", left, tuple(rest)) if rest else left

    def signed(self) -> Tree:
        signs = []
        while self.at("+", "-"):
            signs.append(self.take())
        tree = self.path()
        return ("sign", "-", tree) if signs.count("-") % 2 else tree

    def type_name(self) -> str:
        name = self.name()
        while self.at("."):
            self.take()
            name += "." + self.name()
        return name

    def name(self) -> str:
        if self.kind == "name":
            return self.take()
        if self.kind == "quoted":
            return _unescape(self.take()[1:-1])
        raise SyntaxFault(f"A name is missing before “{self.word or 'the end'}”.")

    def path(self) -> Tree:
        start = self.term()
        steps: list[Tree] = []
        if start[0] == "path" and start[1] is None:
            steps, start = list(start[2]), None  # type: ignore[assignment]
        while True:
            if self.at("."):
                self.take()
                steps.append(self.step())
            elif self.kind == "mark" and self.word == "[":
                self.take()
                steps.append(("at", self.expression()))
                self.expect("]")
            else:
                break
        if start is not None and not steps:
            return start
        return ("path", start, tuple(steps))

    def step(self) -> Tree:
        if self.kind == "dollar":
            raise SyntaxFault(f"“{self.word}” can't follow a point.")
        quoted = self.kind == "quoted"
        name = self.name()
        if not quoted and self.kind == "mark" and self.word == "(":
            self.take()
            if name in ("is", "as", "ofType") and self.kind in ("name", "quoted"):
                args: tuple[Any, ...] = (("literal", self.type_name()),)
            else:
                args = self.arguments()
            self.expect(")")
            return ("call", name, args)
        return ("field", name)

    def arguments(self) -> tuple[Tree, ...]:
        found: list[Tree] = []
        if not self.at(")"):
            found.append(self.expression())
            while self.at(","):
                self.take()
                found.append(self.expression())
        return tuple(found)

    def term(self) -> Tree:
        kind = self.kind
        if kind == "number":
            return self.number()
        if kind == "string":
            return ("literal", _unescape(self.take()[1:-1]))
        if kind == "moment":
            return self.moment()
        if kind == "variable":
            name = self.take()[1:]
            return ("variable", _unescape(name[1:-1]) if name[0] in "`'" else name)
        if kind == "dollar":
            return (self.take()[1:],)
        if self.at("("):
            self.take()
            tree = self.expression()
            self.expect(")")
            return tree if tree[0] != "path" or tree[1] is not None else ("path", tree, ())
        if kind == "mark" and self.word == "{":
            self.take()
            self.expect("}")
            return ("empty",)
        if kind == "name" and self.word in ("true", "false"):
            return ("literal", self.take() == "true")
        return ("path", None, (self.step(),))

    def number(self) -> Tree:
        text = self.take()
        value: Any = Decimal(text) if "." in text else int(text)
        if len(text) > 30:
            raise SyntaxFault("A number is too long.")
        if self.kind == "string":
            return ("literal", Quantity(Decimal(value), _unescape(self.take()[1:-1])))
        if self.kind == "name" and self.word in DURATIONS and len(self.word) > 2 and self.word != "min":
            return ("literal", Quantity(Decimal(value), self.take()))
        return ("literal", value)

    def moment(self) -> Tree:
        text = self.take()[1:].rstrip("T")
        value = temporal(text.lstrip("T"))
        if value is None and re.fullmatch("T[0-9]{2}", text):
            value = temporal(text[1:] + ":00")
        if value is not None and value.kind != "time" and not _in_calendar(value.text):
            value = None
        if value is None:
            raise SyntaxFault(f"“@{text}” is not a date or time.")
        return ("literal", value)


def _in_calendar(text: str) -> bool:
    parts = [int(part) for part in text.partition("T")[0].split("-")]
    year, month, day = (*parts, 1, 1)[:3]
    return year >= 1 and 1 <= month <= 12 and 1 <= day <= monthrange(year, month)[1]


def read(text: str) -> Tree:
    """The tree of an expression. Raises SyntaxFault."""
    if len(text) > LONGEST:
        raise SyntaxFault(f"The expression has more than {LONGEST:,} characters.")
    try:
        return _Parser(text).whole()
    except RecursionError:
        raise SyntaxFault("The expression nests too deep.") from None


def nodes(tree: Any) -> Iterator[Tree]:
    """Every node of a tree."""
    waiting = [tree]
    while waiting:
        node = waiting.pop()
        if isinstance(node, tuple):
            if node and isinstance(node[0], str):
                yield node
            waiting.extend(part for part in node if isinstance(part, tuple))
