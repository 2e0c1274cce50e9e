"""The written flags: loads the data files, finds their phrases, and keeps those that are meant here and now."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import lru_cache
from typing import Any

from .context import FADED, Cues, set_aside
from .loading import DATA, load_yaml
from .matching import Finder
from .phrases import Phrase, Piece, read_lists, read_phrase
from .text import Spelling, Text

URGENCIES = ("urgent", "soon")
# What a flag's entry may hold beside its phrases, and how that is used.
USES = (("hints", "hint"), ("soon", "soon"), ("alone", "alone"), ("except", "except"))


@dataclass(frozen=True)
class Flag:
    """One class of danger, as the data files describe it."""

    code: str
    label: str
    urgency: str
    lingers: str  # "hours": still urgent when it has passed off; "weeks": even when that was weeks ago; or ""
    outright: bool = False  # who says this in so many words is believed against much that stands around it


@dataclass(frozen=True)
class Found:
    """One phrase that counts: which flag, which words of the text; a hint needs more before it is a flag, and one that
    is `alone` in its text needs nothing else."""

    flag: Flag
    urgency: str
    first: int
    last: int
    hint: bool = False
    alone: bool = False


@dataclass(frozen=True)
class _Rule:
    flag: Flag
    use: str  # "urgent", "soon", "alone" (it is all that is said), "hint" (an illness by name, a weaker word), "except"


class Patterns:
    """Everything the data files say in phrases, compiled once."""

    def __init__(self) -> None:
        self.lists: dict[str, Piece] = read_lists(load_yaml(DATA / "lists.yaml"))
        self.spelling = Spelling(load_yaml(DATA / "spelling.yaml"))
        self.cues = Cues(load_yaml(DATA / "context.yaml"), self.lists)
        self.flags: dict[str, Flag] = {}
        self._rules: list[_Rule] = []
        phrases: list[Phrase] = []
        for path in sorted((DATA / "flags").glob("*.yaml")):
            for entry in load_yaml(path):
                flag = Flag(
                    entry["code"],
                    entry["label"],
                    entry.get("urgency", "urgent"),
                    entry.get("lingers", ""),
                    entry.get("outright", False),
                )
                if flag.code in self.flags or flag.urgency not in URGENCIES:
                    raise ValueError(f"{path.name}: {flag.code!r} is named twice or has an unknown urgency")
                self.flags[flag.code] = flag
                for use, source in _sources(entry, flag.urgency):
                    phrases.append(read_phrase(source, self.lists))
                    self._rules.append(_Rule(flag, use))
        self.phrases = phrases
        self._finder = Finder(phrases)

    def text(self, original: str) -> Text:
        return Text(original, self.spelling)

    def find(self, text: Text) -> list[Found]:
        """Every phrase that is meant here and now, the strongest and longest where they overlap within a flag."""
        return self.look(text)[0]

    def look(self, text: Text) -> tuple[list[Found], int]:
        """The same, and how many phrases were set aside as denied, past, somebody else's or a mere question."""
        hits = [
            (self._rules[number], *text.word_range(start, end))
            for number, start, end in self._finder.find(text.even, text.words)
        ]
        if not hits:
            return [], 0
        cues = self.cues.read(text, min(hit[1] for hit in hits), max(hit[2] for hit in hits))
        excepted = [(rule.flag, first, last) for rule, first, last in hits if rule.use == "except"]
        found: list[Found] = []
        aside_count = 0
        for rule, first, last in hits:
            if rule.use == "except" or any(f is rule.flag and first < e and b < last for f, b, e in excepted):
                continue
            alone = rule.use == "alone"
            if alone and not text.is_all(first, last):
                continue
            hint = rule.use == "hint"
            aside = set_aside(text, cues, first, last, lingers=rule.flag.lingers, hint=hint)
            if aside and aside != FADED:
                aside_count += 1
                continue
            urgency = "soon" if aside == FADED else rule.flag.urgency if hint or alone else rule.use
            found.append(Found(rule.flag, urgency, first, last, hint, alone))
        return _strongest(found), aside_count


def _sources(entry: Mapping[str, Any], urgency: str) -> Iterator[tuple[str, str]]:
    for key, use in (
        ("phrases", urgency),
        ("hints", "hint"),
        ("soon", "soon"),
        ("alone", "alone"),
        ("except", "except"),
    ):
        for sources in (entry.get(key) or {}).values():
            for source in sources or ():
                yield use, str(source)


def _strongest(found: list[Found]) -> list[Found]:
    kept: list[Found] = []
    for one in sorted(
        found,
        key=lambda f: (f.flag.code, f.urgency != "urgent", f.hint, not f.alone, f.first - f.last, f.first),
    ):
        if any(k.flag is one.flag and one.first < k.last and k.first < one.last for k in kept):
            continue
        kept.append(one)
    return sorted(kept, key=lambda f: (f.first, f.last, f.flag.code))


@lru_cache(maxsize=1)
def patterns() -> Patterns:
    return Patterns()
