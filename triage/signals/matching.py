"""Finds phrases in an even line: a cheap look at which words occur, then RE2 for the few phrases that could match."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from functools import cache, lru_cache
from typing import Protocol

import re2

from .phrases import Phrase

_SHORTEST, _LONGEST = 2, 12  # lengths of the beginnings ("abc*") that are looked up


class _Expression(Protocol):
    def search(self, text: bytes, pos: int | None = None, endpos: int | None = None) -> object: ...


@cache
def _options() -> object:
    options = re2.Options()
    options.encoding = re2.Options.Encoding.LATIN1
    options.log_errors = False
    options.never_capture = True
    return options


class Finder:
    """Many phrases, each with a number; `find` gives (number, start, end) in the even line for every match."""

    def __init__(self, phrases: Sequence[Phrase]) -> None:
        self._expressions = [re2.compile(phrase.regex.encode("ascii"), _options()) for phrase in phrases]
        sets: dict[frozenset[str], int] = {}
        self._bits: dict[str, int] = {}
        self._beginnings: dict[str, int] = {}
        self._always: list[int] = []
        wanted: dict[int, list[tuple[int, int]]] = {}
        for number, phrase in enumerate(phrases):
            mask = 0
            for need in phrase.needs:
                bit = sets.setdefault(need, len(sets))
                mask |= 1 << bit
            if not phrase.needs:
                self._always.append(number)
                continue
            # hang the phrase under its narrowest need, so that most phrases are never looked at
            narrowest = sets[min(phrase.needs, key=lambda need: (_breadth(need), sorted(need)))]
            wanted.setdefault(narrowest, []).append((mask, number))
        for need, bit in sets.items():
            for word in need:
                table = self._beginnings if word.endswith("*") else self._bits
                key = word.rstrip("*")
                table[key] = table.get(key, 0) | 1 << bit
        self._wanted = wanted
        self._hung = 0
        for bit in wanted:
            self._hung |= 1 << bit
        self._lengths = sorted({len(key) for key in self._beginnings})
        self._bits_of = lru_cache(maxsize=20_000)(self._bits_for)

    def _bits_for(self, word: str) -> int:
        bits = self._bits.get(word, 0)
        for length in self._lengths:
            if length > len(word):
                break
            bits |= self._beginnings.get(word[:length], 0)
        return bits

    def candidates(self, words: Iterable[str]) -> Iterator[int]:
        """The phrases whose needed words all occur."""
        seen = 0
        for word in set(words):
            seen |= self._bits_of(word)
        yield from self._always
        hung = seen & self._hung
        while hung:
            low = hung & -hung
            hung ^= low
            for mask, number in self._wanted[low.bit_length() - 1]:
                if mask & seen == mask:
                    yield number

    def find(self, even: str, words: Iterable[str]) -> Iterator[tuple[int, int, int]]:
        line = even.encode("latin-1", "replace")
        for number in self.candidates(words):
            expression = self._expressions[number]
            at = 0
            while (found := expression.search(line, at)) is not None:
                start, end = found.span()
                yield number, start, end
                at = max(end - 1, start + 1)


def _breadth(need: frozenset[str]) -> int:
    return sum(8 if word.endswith("*") else 1 for word in need)
