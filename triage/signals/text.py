"""A patient's own words, made even: one spelling for each word, one space between two, and the way back.

Every pattern runs over `Text.even`, an ASCII line in which each word or mark stands between single
spaces. `Text.original_span` leads from a stretch of that line back to the characters the patient typed.
"""

from __future__ import annotations

import re
import unicodedata
from bisect import bisect_right
from collections.abc import Callable, Mapping

from .phrases import BARRIERS

DROP = "\x01"  # stands for a character that leaves no trace: zero-width marks, combining accents
_LETTER = "_"  # stands for a letter of a script we do not read
_PUNCT = {
    "\u2018": "'", "\u2019": "'", "\u201b": "'", "\u02bc": "'", "\u00b4": "'", "`": "'", "\uff07": "'",
    "\u201c": '"', "\u201d": '"', "\u00ab": '"', "\u00bb": '"', "\u2026": ".", "\u3002": ".", "\uff01": "!",
    "\u00a1": " ", "\u00bf": " ", "\uff1f": "?", "\uff0c": ",", "\u3001": ",", "\u2028": "\n", "\u2029": "\n",
    "\r": "\n", "\u00ba": " ", "\u00b0": " ", "\u00bd": " ", "\u00df": "s", "\u00e6": "a", "\u0153": "o",
    "\u00f8": "o", "\u0142": "l", "\u0131": "i", "\u0111": "d", "\u00f0": "d", "\u00fe": "t", "\ufb01": "f",
    "\u00a7": "s", "\u0026": "&",
}  # fmt: skip


def _fold(char: str) -> str:
    """One character to one: lower case, without accent, ASCII."""
    if char in _PUNCT:
        return _PUNCT[char]
    lowered = char.lower()
    if lowered in _PUNCT:
        return _PUNCT[lowered]
    base = unicodedata.normalize("NFKD", lowered)[:1]
    if base and base in _PUNCT:
        base = _PUNCT[base]
    if base and " " <= base < "\x7f":
        return base.lower()
    kind = unicodedata.category(char)
    if kind in ("Mn", "Me", "Cf"):
        return DROP
    if kind[0] == "L" or kind == "Mc":
        return _LETTER
    return " "


class _Folds(dict[int, str]):
    def __missing__(self, code: int) -> str:
        if len(self) > 50_000:  # never let odd input grow the table for ever
            self.clear()
        self[code] = value = _fold(chr(code))
        return value


_FOLDS = _Folds({code: chr(code).lower() if code >= 32 else " " for code in range(128)})
_FOLDS[10] = _FOLDS[13] = "\n"
_FOLDS[0x60] = "'"

# A word, a number, an end of sentence, a pause. Line breaks end a thought when doubled, and pause it otherwise.
_TOKEN = re.compile(
    r"[a-z_][a-z0-9_\x01]*(?:'[a-z\x01]+)*"
    r"|\d+(?:[.,:/]\d+)*"
    r"|[.!?\x01]*[.!?][.!?\x01]*|\n[\s]*\n|[\n,;:()\"/%+&$#@-]"
)
_SHORT = re.compile(
    r"w/o(?![a-z])|[wcs]/(?=[a-z ])(?:[op](?![a-z]))?|y/o(?![a-z])|b/c(?![a-z])|n/v(?![a-z])|24/7"
)
_SHORT_WORDS = {
    "w/o": "without", "w/": "with", "c/o": "with", "s/p": "after", "c/": "with", "s/": "without", "y/o": "year old",
    "b/c": "because", "n/v": "nausea and vomiting", "24/7": "always",
}  # fmt: skip
_STRETCHED = re.compile(r"([a-z])\1{2,}")
_ENDS = frozenset(".!?")
_MARKS = {"\n": ",", "(": ",", ")": ",", '"': '"', ":": ",", "-": "", "#": "", "@": "", "$": "$", "/": "/", "+": "and",
          "&": "and", "%": "%", ";": ";", ",": ","}  # fmt: skip


class Spelling:
    """The spelling table, with what it makes of a word kept at hand."""

    def __init__(self, table: Mapping[str, str], guess: Callable[[str], str] | None = None) -> None:
        self._table = dict(table)
        self._guess = guess
        self._known: dict[str, tuple[str, ...]] = {}

    def read(self, token: str) -> tuple[str, ...]:
        """The words that a token stands for; nearly always one."""
        known = self._known.get(token)
        if known is None:
            if len(self._known) > 100_000:  # a bound, so that odd input cannot fill the memory
                self._known.clear()
            known = self._known[token] = tuple(self._respell(token.replace(DROP, "")).split(" "))
        return known

    def _respell(self, token: str) -> str:
        table = self._table
        if token in table:
            return table[token]
        squeezed = _STRETCHED.sub(r"\1", token)
        if squeezed != token:
            doubled = _STRETCHED.sub(r"\1\1", token)
            for shape in (squeezed, doubled):
                if shape in table:
                    return table[shape]
            token = squeezed
        if "'" in token:
            stem, _, tail = token.partition("'")
            if tail == "t" and stem.endswith("n"):
                return table.get(stem[:-1], stem[:-1]) + " not"
            stem = table.get(stem, stem)
            if tail == "s":
                return stem + " 's"
            opened = {"m": "am", "re": "are", "ve": "have", "ll": "will", "d": "would"}.get(tail)
            return f"{stem} {opened}" if opened else stem
        return self._guess(token) if self._guess and len(token) > 5 else token


def _says(word: str) -> bool:
    return any(map(str.isalnum, word))


class Text:
    """One message: its words in order, the even line, and where each word stood."""

    __slots__ = ("original", "words", "spans", "even", "starts", "sentences")

    def __init__(self, original: str, spelling: Spelling | None = None) -> None:
        spelling = spelling or _AS_TYPED
        self.original = original
        self.words: list[str] = []
        self.spans: list[tuple[int, int]] = []
        flat = original.translate(_FOLDS)
        if len(flat) != len(original):  # cannot happen: the table gives one character for each
            raise AssertionError("folding must keep the length")
        if "/" in flat:
            self._cut_with_short_forms(flat, spelling)
        else:
            self._cut(flat, 0, spelling)
        self._join()

    def _cut_with_short_forms(self, flat: str, spelling: Spelling) -> None:
        at = 0
        for found in _SHORT.finditer(flat):
            before = flat[found.start() - 1] if found.start() else " "
            meaning = _SHORT_WORDS.get(found.group())
            if meaning is None or before.isalnum():
                continue
            self._cut(flat[at : found.start()], at, spelling)
            self._add(meaning, found.start(), found.end())
            at = found.end()
        self._cut(flat[at:], at, spelling)

    def _cut(self, flat: str, offset: int, spelling: Spelling) -> None:
        words, spans, read = self.words, self.spans, spelling.read
        for found in _TOKEN.finditer(flat):
            token = found.group()
            span = (offset + found.start(), offset + found.end())
            first = token[0]
            if first >= "_":  # a letter, or the stand-in for one
                meaning = read(token)
                if len(meaning) > 1:
                    words.extend(meaning)
                    spans.extend([span] * len(meaning))
                    continue
                words.append(meaning[0])
            elif "0" <= first <= "9":
                words.append(token.replace(",", "."))
            elif first in ".!?\x01":  # the strongest mark speaks for a run such as "?!!"
                words.append("?" if "?" in token else "!" if "!" in token else ".")
            elif len(token) > 1:
                words.append(".")
            elif mark := _MARKS[token]:
                words.append(mark)
            else:
                continue
            spans.append(span)

    def _add(self, meaning: str, start: int, end: int) -> None:
        for part in meaning.split(" "):
            self.words.append(part)
            self.spans.append((start, end))

    def _join(self) -> None:
        # a word that turns the meaning stands behind a ~, which no gap in a phrase can cross
        self.even = (
            " " + " ".join([word if word not in BARRIERS else "~" + word for word in self.words]) + " "
        )
        self.starts: list[int] = []
        self.sentences: list[tuple[int, int]] = []
        at, first = 1, 0
        for index, word in enumerate(self.words):
            self.starts.append(at)
            at += len(word) + (2 if word in BARRIERS else 1)
            if word in _ENDS:
                if index > first:
                    self.sentences.append((first, index + 1))
                first = index + 1
        if first < len(self.words):
            self.sentences.append((first, len(self.words)))

    def word_range(self, start: int, end: int) -> tuple[int, int]:
        """The words touched by a stretch of the even line, as a half-open range."""
        first = max(bisect_right(self.starts, start) - 1, 0)
        if self.even[start : start + 1] == " ":
            first = bisect_right(self.starts, start)
        last = bisect_right(self.starts, max(end - 1, start))
        return first, max(last, first + 1)

    def is_all(self, first: int, last: int) -> bool:
        """Are these words all that is said?"""
        return not any(_says(word) for word in (*self.words[:first], *self.words[last:]))

    @property
    def said(self) -> list[str]:
        """The words, marks apart."""
        return [word for word in self.words if _says(word)]

    def original_span(self, first: int, last: int) -> tuple[int, int]:
        """From the first character of word `first` to the last of word `last - 1`, as the patient typed them."""
        if not self.spans:
            return 0, 0
        return self.spans[first][0], self.spans[max(last - 1, first)][1]

    def sentence_of(self, word: int) -> tuple[int, int]:
        index = bisect_right(self.sentences, (word, len(self.words) + 1)) - 1
        return self.sentences[max(index, 0)] if self.sentences else (0, len(self.words))


_AS_TYPED = Spelling({})
