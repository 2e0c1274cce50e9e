"""Whether a matched phrase is meant here and now: not denied, not long ago, not somebody's history, not a "what if".

Every rule looks only at the sentence the phrase stands in, so what else a message says can never take a flag away.
When in doubt the phrase counts.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from .matching import Finder
from .phrases import Piece, read_phrase
from .text import Text

ROLES = ("deny", "bridge", "turn", "past", "other", "wonder", "now", "after_deny", "over", "about")


@dataclass(frozen=True)
class Cue:
    role: str
    first: int
    last: int


class Cues:
    """The cue phrases of `context.yaml`, found once for a message and asked once for each match."""

    def __init__(self, data: Mapping[str, Mapping[str, list[str]]], lists: Mapping[str, Piece]) -> None:
        self._roles: list[str] = []
        phrases = []
        for role in ROLES:
            for entries in data.get(role, {}).values():
                for entry in entries:
                    phrases.append(read_phrase(str(entry), lists))
                    self._roles.append(role)
        self._finder = Finder(phrases)

    def read(self, text: Text) -> list[Cue]:
        return [
            Cue(self._roles[number], *text.word_range(start, end))
            for number, start, end in self._finder.find(text.even, text.words)
        ]


def set_aside(text: Text, cues: list[Cue], first: int, last: int, *, lingers: bool, named: bool) -> str:
    """Why the words `first` to `last` are not meant here and now: "denied", "past", "wonder", "about", "over", or ""."""
    begin, end = text.sentence_of(first)
    here = [cue for cue in cues if begin <= cue.first and cue.last <= end]
    if not here:
        return ""
    turns = [cue for cue in here if cue.role == "turn"]
    clause_begin = max([cue.last for cue in turns if cue.last <= first], default=begin)
    clause_end = min([cue.first for cue in turns if cue.first >= last], default=end)
    mine = [cue for cue in here if clause_begin <= cue.first and cue.last <= clause_end]

    if _denied(text, mine, first, last):
        return "denied"
    if any(cue.role == "about" and 0 <= cue.first - last <= 1 for cue in mine):
        return "about"
    now = any(cue.role == "now" and not (first <= cue.first < last) for cue in mine)
    if not now:
        if any(cue.role == "past" and not _inside(cue, first, last) for cue in mine):
            return "past"
        if named and any(cue.role == "other" and cue.first < first for cue in mine):
            return "past"
        if any(cue.role == "wonder" and cue.first <= first and cue.last - 1 <= first for cue in mine):
            return "wonder"
        if not lingers and any(cue.role == "over" and cue.first >= last for cue in mine):
            return "over"
    return ""


def _inside(cue: Cue, first: int, last: int) -> bool:
    return first <= cue.first and cue.last <= last


def _denied(text: Text, cues: list[Cue], first: int, last: int) -> bool:
    for cue in cues:
        if cue.role == "after_deny" and 0 <= cue.first - last <= 2:
            return True
        if cue.role != "deny" or cue.last > first:
            continue
        between = range(cue.last, first)
        covered = {
            word for other in cues if other.role == "bridge" for word in range(other.first, other.last)
        }
        if all(word in covered or text.words[word] in (",", "/") for word in between):
            return True
        # a list: "no fever, chills, or chest pain": short steps between commas, no new subject
        if _is_list(text, between):
            return True
    return False


_NEW_SUBJECT = frozenset(
    "i my he she it we they the his her our their you there is are was am yo mi mis el ella tengo siento esta estoy".split()
)


def _is_list(text: Text, between: range) -> bool:
    steps, joined = 0, False
    for word in between:
        value = text.words[word]
        if value in (",", "/", "or", "nor", "and", "ni", "o", "y", "u"):
            joined, steps = True, 0
            continue
        if value in _NEW_SUBJECT:
            return False
        steps += 1
        if steps > 4:
            return False
    return joined
