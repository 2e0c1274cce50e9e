"""The small language the data files are written in, and how it becomes a bounded regular expression.

    chest (pain|pressure)       words in order; ( | ) is a choice, which may hold several words
    breath*                     any word that begins so
    very? bad                   the word may be missing
    {body} ... {hurts}          a named list; `...` lets up to four other words stand between, `.....` up to nine
    _                           any one word
    <10[3-6](\\.\\d)?>            a raw expression for one word, for numbers
    chest & heavy               both within a few words of each other, in either order

A gap never crosses the end of a sentence, nor a word that turns the meaning ("no", "but": BARRIERS). Nothing here
can backtrack: RE2 runs it.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Mapping
from dataclasses import dataclass
from itertools import permutations

_PIECE = re.compile(r"\s*(\.{5}|\.{3}|[()|?&]|\{[a-z0-9_]+\}|<[^>]*>|_|[a-z0-9'%/,\"$;]+(?:\.[0-9]+)?\*?)")
_WORD = r"[a-z0-9_'%/,\"$][a-z0-9_'./:]*"  # a word or a pause; never an end of sentence
_GAPS = {"...": 4, ".....": 9, "&": 6}


# A gap stops at these, unless the phrase itself names them: "hives ... breathe" is not "hives, but I breathe well".
BARRIERS = frozenset(
    [
        "no",
        "not",
        "without",
        "never",
        "nor",
        "neither",
        "denies",
        "denied",
        "but",
        "if",
        "except",
        "unless",
        "normal",
        "negative",
        "sin",
        "ni",
        "nunca",
        "tampoco",
        "pero",
        "si",
        "normales",
        "negativo",
        "niega",
    ]
)


class PhraseError(ValueError):
    """A phrase in a data file that cannot be read; the message names it."""


def _plain(source: str) -> str:
    """Lower case and without accents, as the even line is."""
    spread = unicodedata.normalize("NFKD", source.strip().lower())
    return "".join(char for char in spread if not unicodedata.combining(char))


@dataclass(frozen=True)
class Piece:
    """A stretch of phrase: its expression (each word followed by one space) and what it cannot match without."""

    regex: str
    needs: tuple[frozenset[str], ...] = ()  # one word of each set must occur; "abc*" stands for a beginning
    empty: bool = False  # may match nothing at all


@dataclass(frozen=True)
class Phrase:
    source: str
    regex: str
    needs: tuple[frozenset[str], ...]


class _Reader:
    def __init__(self, source: str, lists: Mapping[str, Piece]) -> None:
        self.source = source
        self.lists = lists
        self.pieces: list[str] = []
        at, text = 0, _plain(source)
        while at < len(text):
            found = _PIECE.match(text, at)
            if not found:
                raise PhraseError(f"cannot read {text[at:]!r} in the phrase {source!r}")
            self.pieces.append(found.group(1))
            at = found.end()
        self.at = 0

    def peek(self) -> str:
        return self.pieces[self.at] if self.at < len(self.pieces) else ""

    def take(self) -> str:
        piece = self.peek()
        self.at += 1
        return piece

    def choice(self) -> Piece:
        options = [self.sequence()]
        while self.peek() == "|":
            self.take()
            options.append(self.sequence())
        if len(options) == 1:
            return options[0]
        needs: tuple[frozenset[str], ...] = ()
        if all(option.needs for option in options):
            # from each option its narrowest need: whichever option matches, one of these words is there
            needs = (frozenset().union(*(min(option.needs, key=len) for option in options)),)
        return Piece("(?:" + "|".join(o.regex for o in options) + ")", needs, any(o.empty for o in options))

    def sequence(self) -> Piece:
        parts: list[list[Piece]] = [[]]
        while (piece := self.peek()) and piece not in "|)":
            self.take()
            if piece == "&":
                parts.append([])
                continue
            parts[-1].append(self.item(piece))
        if any(not part for part in parts):
            raise PhraseError(f"an empty part in the phrase {self.source!r}")
        groups = [_in_order(part) for part in parts]
        if len(groups) == 1:
            return groups[0]
        if len(groups) > 3:
            raise PhraseError(f"more than two & in the phrase {self.source!r}")
        gap = _gap(_GAPS["&"])
        orders = [gap.join(group.regex for group in order) for order in permutations(groups)]
        needs = tuple(need for group in groups for need in group.needs)
        return Piece("(?:" + "|".join(orders) + ")", needs)

    def item(self, piece: str) -> Piece:
        if piece in _GAPS:
            return Piece(_gap(_GAPS[piece]), empty=True)
        if piece == "(":
            made = self.choice()
            if self.take() != ")":
                raise PhraseError(f"a bracket is not closed in the phrase {self.source!r}")
        elif piece.startswith("{"):
            name = piece[1:-1]
            if name not in self.lists:
                raise PhraseError(f"no list is called {name!r}, asked for in the phrase {self.source!r}")
            made = self.lists[name]
        elif piece.startswith("<"):
            made = Piece(f"(?:{piece[1:-1]}) ")
        elif piece == "_":
            made = Piece(_WORD + " ")
        elif piece == "?":
            raise PhraseError(f"nothing stands before the ? in the phrase {self.source!r}")
        elif piece in BARRIERS:
            made = Piece("~" + re.escape(piece) + " ", (frozenset({piece}),))
        elif piece.endswith("*"):
            made = Piece(re.escape(piece[:-1]) + "[a-z0-9_']* ", (frozenset({piece}),))
        else:
            made = Piece(re.escape(piece) + " ", (frozenset({piece}),))
        if self.peek() == "?":
            self.take()
            made = Piece(f"(?:{made.regex})?", empty=True)
        return made


def _gap(most: int) -> str:
    return f"(?:{_WORD} ){{0,{most}}}"


def _in_order(items: list[Piece]) -> Piece:
    needs = tuple(need for item in items for need in item.needs)
    return Piece("".join(item.regex for item in items), needs, all(item.empty for item in items))


def read_phrase(source: str, lists: Mapping[str, Piece]) -> Phrase:
    """The phrase as an expression to search for in an even line."""
    reader = _Reader(source, lists)
    piece = reader.choice()
    if reader.peek():
        raise PhraseError(f"a bracket too many in the phrase {source!r}")
    if piece.empty:
        raise PhraseError(f"the phrase {source!r} would match nothing at all")
    return Phrase(source, " " + piece.regex, piece.needs)


def read_lists(sources: Mapping[str, object]) -> dict[str, Piece]:
    """Named lists, in order; a list may use those above it."""
    lists: dict[str, Piece] = {}
    for name, entries in sources.items():
        if not isinstance(entries, list) or not entries:
            raise PhraseError(f"the list {name!r} must hold at least one phrase")
        options = [_Reader(str(entry), lists).choice() for entry in entries]
        if any(option.empty for option in options):
            raise PhraseError(f"the list {name!r} holds a phrase that matches nothing")
        needs: tuple[frozenset[str], ...] = ()
        if all(option.needs for option in options):
            needs = (frozenset().union(*(min(option.needs, key=len) for option in options)),)
        lists[name] = Piece("(?:" + "|".join(o.regex for o in options) + ")", needs)
    return lists
