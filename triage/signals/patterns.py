"""The written flags: loads the data files, finds their phrases, and keeps those that are meant here and now."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from typing import Any

import yaml

from .context import Cues, set_aside
from .matching import Finder
from .phrases import Phrase, Piece, read_lists, read_phrase
from .text import Text

DATA = Path(__file__).parent / "data"
URGENCIES = ("urgent", "soon")


@dataclass(frozen=True)
class Flag:
    """One class of danger, as the data files describe it."""

    code: str
    label: str
    urgency: str
    lingers: bool  # still urgent when it has passed off, like a stroke that came and went


@dataclass(frozen=True)
class Found:
    """One phrase that counts: which flag, which words of the text."""

    flag: Flag
    urgency: str
    first: int
    last: int


@dataclass(frozen=True)
class _Rule:
    flag: Flag
    use: str  # "urgent", "soon", "name" (an illness by name), or "except"


def load_yaml(path: Path) -> Any:
    """A data file with every scalar as text: to us `no` is a word, not a falsehood."""
    loader = getattr(yaml, "CBaseLoader", yaml.BaseLoader)
    with path.open(encoding="utf-8") as stream:
        return yaml.load(stream, Loader=loader)  # noqa: S506 - a base loader builds nothing but text, lists and dicts


def data_files() -> list[Path]:
    return sorted(DATA.rglob("*.yaml"))


def data_version() -> str:
    """A short hash of every data file and every module here: it changes when what decides changes."""
    digest = hashlib.sha256()
    for path in [*data_files(), *sorted(Path(__file__).parent.glob("*.py"))]:
        digest.update(path.relative_to(Path(__file__).parent).as_posix().encode() + b"\0" + path.read_bytes() + b"\0")
    return digest.hexdigest()[:12]


class Patterns:
    """Everything the data files say in phrases, compiled once."""

    def __init__(self) -> None:
        self.lists: dict[str, Piece] = read_lists(load_yaml(DATA / "lists.yaml"))
        self.spelling: dict[str, str] = {str(k): str(v) for k, v in load_yaml(DATA / "spelling.yaml").items()}
        self.cues = Cues(load_yaml(DATA / "context.yaml"), self.lists)
        self.flags: dict[str, Flag] = {}
        self._rules: list[_Rule] = []
        phrases: list[Phrase] = []
        for path in sorted((DATA / "flags").glob("*.yaml")):
            for entry in load_yaml(path):
                flag = Flag(entry["code"], entry["label"], entry.get("urgency", "urgent"), entry.get("lingers") == "true")
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
        """Every phrase that is meant here and now, longest first where they overlap within a flag."""
        hits = [(self._rules[n], *text.word_range(start, end)) for n, start, end in self._finder.find(text.even, text.words)]
        if not hits:
            return []
        cues = self.cues.read(text)
        excepted = [(rule.flag.code, first, last) for rule, first, last in hits if rule.use == "except"]
        found: list[Found] = []
        for rule, first, last in hits:
            if rule.use == "except":
                continue
            code = rule.flag.code
            if any(c == code and first < end and begin < last for c, begin, end in excepted):
                continue
            if set_aside(text, cues, first, last, lingers=rule.flag.lingers, named=rule.use == "name"):
                continue
            found.append(Found(rule.flag, rule.flag.urgency if rule.use == "name" else rule.use, first, last))
        return _widest(found)


def _sources(entry: Mapping[str, Any], urgency: str) -> Iterator[tuple[str, str]]:
    for key, use in (("phrases", urgency), ("names", "name"), ("soon", "soon"), ("except", "except")):
        for sources in (entry.get(key) or {}).values():
            for source in sources or ():
                yield use, str(source)


def _widest(found: list[Found]) -> list[Found]:
    kept: list[Found] = []
    for one in sorted(found, key=lambda f: (f.flag.code, f.urgency != "urgent", f.first - f.last, f.first)):
        if any(k.flag is one.flag and one.first < k.last and k.first < one.last for k in kept):
            continue
        kept.append(one)
    return sorted(kept, key=lambda f: (f.first, f.last, f.flag.code))


@lru_cache(maxsize=1)
def patterns() -> Patterns:
    return Patterns()
