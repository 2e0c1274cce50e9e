"""Whether a matched phrase is meant here and now: not denied, not long ago, not somebody's history, not a "what if".

Every rule looks only at the sentence the phrase stands in, so what else a message says can never take a flag away.
When in doubt the phrase counts.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from .matching import Finder
from .phrases import Piece, read_phrase
from .text import Text

ROLES = (
    "deny", "ask", "bridge", "turn", "past", "lately", "other", "wonder", "advice", "now", "after_deny", "over", "about"
)  # fmt: skip
NEAR = 7  # words that may stand between a phrase and what sets it aside
_JOINS = frozenset(("or", "nor", "ni", "o", "u", "/"))
_ANDS = frozenset(("and", "y", "e"))
_STOPS = frozenset((".", "!", "?", ",", ";"))
_NEW_SUBJECT = frozenset(
    [
        "i",
        "my",
        "he",
        "his",
        "she",
        "her",
        "it",
        "we",
        "our",
        "they",
        "their",
        "you",
        "your",
        "there",
        "is",
        "are",
        "was",
        "were",
        "am",
        "have",
        "has",
        "had",
        "yo",
        "mi",
        "mis",
        "el",
        "ella",
        "me",
        "le",
        "se",
        "su",
        "sus",
        "tengo",
        "tiene",
        "siento",
        "siente",
        "esta",
        "estoy",
        "hay",
        "that",
        "this",
    ]
)
_PERSONAL = frozenset(
    [
        "i",
        "my",
        "me",
        "he",
        "his",
        "him",
        "she",
        "her",
        "we",
        "our",
        "they",
        "their",
        "yo",
        "mi",
        "mis",
        "me",
        "le",
        "les",
        "su",
        "sus",
        "nos",
        "tengo",
        "tiene",
    ]
)
_NOT = frozenset(["not", "no", "never", "nothing", "nada", "nunca", "without", "sin"])

# What a context makes of a match. An empty string: the phrase counts as it is.
DENIED, PAST, WONDER, ABOUT, FADED = "denied", "past", "wonder", "about", "faded"


@dataclass(frozen=True)
class Cue:
    role: str
    first: int
    last: int


class Cues:
    """The cue phrases of `context.yaml`, found once for a message and asked once for each match."""

    def __init__(self, data: Mapping[str, Mapping[str, list[str]]], lists: Mapping[str, Piece]) -> None:
        unknown = set(data) - set(ROLES)
        if unknown:
            raise ValueError(f"context.yaml: unknown roles {sorted(unknown)}")
        self._roles: list[str] = []
        phrases = []
        for role in ROLES:
            for entries in data.get(role, {}).values():
                for entry in entries:
                    phrases.append(read_phrase(str(entry), lists))
                    self._roles.append(role)
        self._finder = Finder(phrases)

    def read(self, text: Text, first: int, last: int) -> list[Cue]:
        """The cues in the sentences that hold the words `first` to `last`."""
        begin, end = text.sentence_of(first)[0], text.sentence_of(last - 1)[1]
        offset = text.starts[begin] - 1
        line = text.even[offset : text.starts[end] if end < len(text.starts) else None]
        return [
            Cue(self._roles[number], *text.word_range(offset + start, offset + stop))
            for number, start, stop in self._finder.find(line, text.words[begin:end])
        ]


def set_aside(text: Text, cues: list[Cue], first: int, last: int, *, lingers: str, hint: bool) -> str:
    """Why the words `first` to `last` do not count as they stand, or "". FADED means: less pressing, not nothing."""
    begin, end = text.sentence_of(first)
    here = [cue for cue in cues if begin <= cue.first and cue.last <= end]
    if not here:
        return ""
    turns = [cue for cue in here if cue.role == "turn"]
    clause_begin = max((cue.last for cue in turns if cue.last <= first), default=begin)
    clause_end = min((cue.first for cue in turns if cue.first >= last), default=end)
    mine = [cue for cue in here if clause_begin <= cue.first and cue.last <= clause_end]
    outside = [cue for cue in mine if not (first <= cue.first and cue.last <= last)]

    if _denied(text, mine, first, last):
        return DENIED
    if any(cue.role == "now" for cue in outside):
        return ""
    if any(cue.role == "about" and cue.first == last for cue in outside):
        return ABOUT
    if any(cue.role == "past" and _reaches(text, cue, first, last) for cue in outside):
        return PAST
    if hint and any(cue.role == "other" and cue.last <= first for cue in outside):
        return PAST
    if any(cue.role == "advice" and _advised(text, cue, first) for cue in here):
        return WONDER
    if any(cue.role == "wonder" and _wondering(text, cue, first, last) for cue in outside):
        return WONDER
    if any(_eases(text, cue, first, last, lingers) for cue in outside):
        return FADED
    return ""


def _advised(text: Text, cue: Cue, first: int) -> bool:
    """ "Call us if you develop chest pain, fever or confusion": advice for later, however long its list."""
    between = range(cue.last, first)
    return cue.last <= first and not any(text.words[word] in _PERSONAL for word in between)


def _eases(text: Text, cue: Cue, first: int, last: int, lingers: str) -> bool:
    if cue.role == "lately":
        return lingers != "weeks" and _reaches(text, cue, first, last)
    if lingers or cue.role != "over" or cue.first < last or cue.first - last > NEAR:
        return False
    return not any(text.words[word] in _NOT for word in range(max(last, cue.first - 3), cue.first))


def _reaches(text: Text, cue: Cue, first: int, last: int) -> bool:
    """Near the phrase, and in the same clause as far as words can tell."""
    between = range(cue.last, first) if cue.last <= first else range(last, cue.first)
    if len(between) > NEAR:
        return False
    return not _new_clause(text, between)


def _new_clause(text: Text, between: Iterable[int]) -> bool:
    opened = False
    for word in between:
        value = text.words[word]
        if opened and value in _NEW_SUBJECT:
            return True
        opened = value in _ANDS or value in (",", ";") or (opened and value in _ANDS)
    return False


def _wondering(text: Text, cue: Cue, first: int, last: int) -> bool:
    if cue.first >= last:  # "is chest pain a side effect"
        between = range(last, cue.first)
        return len(between) <= 2 and not any(text.words[word] in (",", "it", "this") for word in between)
    if cue.last > first:
        return cue.first <= first
    between = range(cue.last, first)
    # "what are the signs of a stroke" asks; "what should I do about my chest pain" tells
    return len(between) <= NEAR and not any(text.words[word] in _PERSONAL for word in between)


def _denied(text: Text, cues: list[Cue], first: int, last: int) -> bool:
    covered: set[int] | None = None
    for cue in cues:
        if cue.role == "after_deny" and 0 <= cue.first - last <= 1:
            return True
        if cue.role not in ("deny", "ask") or cue.last > first:
            continue
        if cue.role == "ask" and not _question(text, first):
            continue
        if covered is None:
            covered = {
                word for other in cues if other.role == "bridge" for word in range(other.first, other.last)
            }
        between = range(cue.last, first)
        if all(word in covered for word in between) or _listed(text, between, last):
            return True
    return False


def _question(text: Text, word: int) -> bool:
    end = text.sentence_of(word)[1]
    return text.words[end - 1] == "?"


def _listed(text: Text, between: range, last: int) -> bool:
    """Whether a denial reaches through a list: "no fever, chills, or chest pain". A new subject ends the list."""
    joined, steps = "", 0
    for word in between:
        value = text.words[word]
        if value in _JOINS:
            joined, steps = "or", 0
        elif value == ",":
            joined, steps = joined or "comma", 0
        elif value in _ANDS:
            if not joined or steps == 0:
                return False  # "no fever and chest pain" may mean either: it counts
            steps = 0
        elif value in _NEW_SUBJECT:
            return False
        else:
            steps += 1
            if steps > 4:
                return False
    if joined == "comma":
        # "no fever, chest pain since noon" tells of chest pain; "no fever, chest pain, cough" does not
        after = text.words[last] if last < len(text.words) else "."
        return after in _STOPS or after in _JOINS or after in _ANDS
    return joined == "or"
