"""A patient's own words, made even: one spelling for each word, one space between two, and the way back.

Every pattern runs over `Text.even`, an ASCII line in which each word or mark stands between single
spaces. `Text.original_span` leads from a stretch of that line back to the characters the patient typed.
"""

from __future__ import annotations

import re
import unicodedata
from bisect import bisect_right
from collections.abc import Callable, Mapping

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
_SHORT = re.compile(r"w/o(?![a-z])|[wcs]/(?=[a-z ])(?:[op](?![a-z]))?|y/o(?![a-z])|b/c(?![a-z])|n/v(?![a-z])|24/7")
_SHORT_WORDS = {
    "w/o": "without", "w/": "with", "c/o": "with", "s/p": "after", "c/": "with", "s/": "without", "y/o": "year old",
    "b/c": "because", "n/v": "nausea and vomiting", "24/7": "always",
}  # fmt: skip
_STRETCHED = re.compile(r"([a-z])\1{2,}")
_ENDS = frozenset(".!?")
_MARKS = {"\n": ",", "(": ",", ")": ",", '"': '"', ":": ",", "-": "", "#": "", "@": "", "$": "$", "/": "/", "+": "and",
          "&": "and", "%": "%", ";": ";", ",": ","}  # fmt: skip

Respell = Callable[[str], str]


class Text:
    """One message: its words in order, the even line, and where each word stood."""

    __slots__ = ("original", "words", "spans", "even", "starts", "sentences")

    def __init__(self, original: str, spelling: Mapping[str, str] | None = None, guess: Respell | None = None) -> None:
        spelling = spelling or {}
        self.original = original
        self.words: list[str] = []
        self.spans: list[tuple[int, int]] = []
        flat = original.translate(_FOLDS)
        if len(flat) != len(original):  # cannot happen: the table gives one character for each
            raise AssertionError("folding must keep the length")
        if "/" in flat:
            self._cut_with_short_forms(flat, spelling, guess)
        else:
            self._cut(flat, 0, spelling, guess)
        self._join()

    def _cut_with_short_forms(self, flat: str, spelling: Mapping[str, str], guess: Respell | None) -> None:
        at = 0
        for found in _SHORT.finditer(flat):
            before = flat[found.start() - 1] if found.start() else " "
            meaning = _SHORT_WORDS.get(found.group())
            if meaning is None or before.isalnum():
                continue
            self._cut(flat[at : found.start()], at, spelling, guess)
            self._add(meaning, found.start(), found.end())
            at = found.end()
        self._cut(flat[at:], at, spelling, guess)

    def _cut(self, flat: str, offset: int, spelling: Mapping[str, str], guess: Respell | None) -> None:
        add = self._add
        for found in _TOKEN.finditer(flat):
            token = found.group()
            start, end = offset + found.start(), offset + found.end()
            first = token[0]
            if "a" <= first <= "z" or first == _LETTER:
                if DROP in token:
                    token = token.replace(DROP, "")
                known = spelling.get(token)
                if known is None:
                    known = self._respell(token, spelling, guess)
                add(known, start, end)
            elif "0" <= first <= "9":
                add(token.replace(",", "."), start, end)
            elif first in ".!?\x01":
                # the strongest mark speaks for a run such as "?!!"
                add("?" if "?" in token else "!" if "!" in token else ".", start, end)
            elif len(token) > 1:
                add(".", start, end)
            else:
                mark = _MARKS[token]
                if mark:
                    add(mark, start, end)

    @staticmethod
    def _respell(token: str, spelling: Mapping[str, str], guess: Respell | None) -> str:
        squeezed = _STRETCHED.sub(r"\1", token)
        if squeezed != token:
            if squeezed in spelling:
                return spelling[squeezed]
            doubled = _STRETCHED.sub(r"\1\1", token)
            if doubled in spelling:
                return spelling[doubled]
            token = squeezed
        if "'" in token:
            stem, _, tail = token.partition("'")
            if tail == "t" and stem.endswith("n"):
                return spelling.get(stem[:-1], stem[:-1]) + " not"
            if tail == "s":
                return spelling.get(stem, stem) + " 's"
            expanded = {"m": "am", "re": "are", "ve": "have", "ll": "will", "d": "would"}.get(tail)
            token = spelling.get(stem, stem) + (" " + expanded if expanded else "")
            return token
        return guess(token) if guess and len(token) > 5 else token

    def _add(self, meaning: str, start: int, end: int) -> None:
        if " " in meaning:
            for part in meaning.split(" "):
                self.words.append(part)
                self.spans.append((start, end))
        else:
            self.words.append(meaning)
            self.spans.append((start, end))

    def _join(self) -> None:
        self.even = " " + " ".join(self.words) + " "
        self.starts: list[int] = []
        self.sentences: list[tuple[int, int]] = []
        at, first = 1, 0
        for index, word in enumerate(self.words):
            self.starts.append(at)
            at += len(word) + 1
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

    def original_span(self, first: int, last: int) -> tuple[int, int]:
        """From the first character of word `first` to the last of word `last - 1`, as the patient typed them."""
        if not self.spans:
            return 0, 0
        return self.spans[first][0], self.spans[max(last - 1, first)][1]

    def sentence_of(self, word: int) -> tuple[int, int]:
        index = bisect_right(self.sentences, (word, len(self.words) + 1)) - 1
        return self.sentences[max(index, 0)] if self.sentences else (0, len(self.words))
