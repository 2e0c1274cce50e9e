"""One message in, one `Reading` out: the written flags, the likeness, and how the two are weighed together."""

from __future__ import annotations

import json
from dataclasses import asdict, dataclass
from functools import lru_cache
from typing import Any

from .examples import CATEGORIES, SOON, URGENT
from .language import READ, detect
from .likeness import Likeness, Scores, describe, likeness
from .loading import DATA, load_yaml, version
from .patterns import Found, Patterns, patterns
from .pieces import Piece
from .text import Text

VERSION: str = version()
LONGEST_QUOTE = 90  # characters of an example or of the patient's words that a reason repeats


@dataclass(frozen=True)
class Signal:
    """One red flag: what it is, where it stands in the text, and why, in words staff can read."""

    code: str
    label: str
    urgency: str  # "urgent" or "soon"
    start: int
    end: int
    reason: str
    kind: str  # "pattern" or "likeness"


@dataclass(frozen=True)
class Reading:
    """What was seen in one text."""

    signals: tuple[Signal, ...] = ()
    screened: bool = True
    language: str = "en"
    version: str = VERSION
    category: str | None = None

    @property
    def emergency(self) -> bool:
        return any(signal.urgency == URGENT for signal in self.signals)

    @property
    def urgency(self) -> str:
        if self.emergency:
            return URGENT
        return SOON if self.signals else "routine"

    def to_json(self) -> dict[str, Any]:
        return {
            "signals": [asdict(signal) for signal in self.signals],
            "screened": self.screened,
            "language": self.language,
            "version": self.version,
            "category": self.category,
        }

    @classmethod
    def from_json(cls, data: dict[str, Any] | str) -> Reading:
        fields: dict[str, Any] = json.loads(data) if isinstance(data, str) else dict(data)
        signals = tuple(Signal(**signal) for signal in fields.pop("signals", ()))
        return cls(signals=signals, **fields)


@lru_cache(maxsize=1)
def limits() -> dict[str, float]:
    """The scores from which likeness counts, from `limits.yaml`."""
    return {name: float(value) for name, value in load_yaml(DATA / "limits.yaml").items()}


def read(text: str, language: str = "en") -> Reading:
    """The red flags in a text a patient wrote, whatever box they wrote it in. Never raises on any text."""
    known = patterns()
    even = known.text(text)
    spoken = detect(even, language)
    found = known.find(even)
    if spoken not in READ:
        # phrases still speak; the rest of the text was not understood, so a person has to read it
        signals = [_said(even, one) for one in found]
        return Reading(signals=_in_order(signals), screened=False, language=spoken)
    compared = likeness() if even.words else None
    if compared is None:
        return Reading(signals=_in_order([_said(even, one) for one in found]), language=spoken)
    signals, category = _weighed(known, compared, even, found)
    return Reading(signals=_in_order(signals), language=spoken, category=category)


def _weighed(
    known: Patterns, compared: Likeness, text: Text, found: list[Found]
) -> tuple[list[Signal], str | None]:
    """Phrases on their own, hints and milder readings as far as the whole message bears them out."""
    limit = limits()
    parts = compared.pick(text)
    rows = compared.embed(parts)
    pooled = None if rows is None else compared.pool(rows, parts)
    whole = compared.scores(text.words, pooled)
    kind = "both" if pooled is not None else "words"

    signals: list[Signal] = []
    for one in found:
        if one.hint and one.urgency == URGENT and whole[URGENT] < limit[f"hint_{kind}"]:
            continue
        signals.append(_said(text, one))
    if not any(signal.urgency == URGENT for signal in signals):
        if whole[URGENT] >= limit[f"urgent_{kind}"]:
            signals.append(_alike(known, compared, text, parts, rows, URGENT))
        elif not signals and whole[SOON] >= limit[f"soon_{kind}"]:
            signals.append(_alike(known, compared, text, parts, rows, SOON))
    return signals, _category(whole)


def _alike(
    known: Patterns, compared: Likeness, text: Text, parts: list[Piece], rows: Any, level: str
) -> Signal:
    """The signal that likeness gives: the piece that carries it, and the example it reads like."""
    best, score = 0, float("-inf")
    for index, part in enumerate(parts):
        here = compared.scores(text.words[part.first : part.last], None if rows is None else rows[index])[
            level
        ]
        if here > score:
            best, score = index, here
    part = parts[best]
    words = text.words[part.first : part.last]
    example = compared.nearest(words, None if rows is None else rows[best], level)
    flag = known.flags.get(example.code) if example else None
    start, end = text.original_span(part.first, part.last)
    code, label = (flag.code, flag.label) if flag else (level, "Reads like something that cannot wait")
    reason = f"reads like: “{_short(example.text)}”" if example else "reads like something that cannot wait"
    return Signal(code, label, level, start, end, reason, "likeness")


def _category(whole: Scores) -> str | None:
    best = max((*CATEGORIES, "other"), key=lambda name: whole[name])
    if best == "other" or whole[best] < limits()["category"]:
        return None
    return best


def _said(text: Text, found: Found) -> Signal:
    start, end = text.original_span(found.first, found.last)
    return Signal(
        found.flag.code, found.flag.label, found.urgency, start, end,
        f"says “{_short(text.original[start:end])}”", "pattern",
    )  # fmt: skip


def _short(words: str) -> str:
    """On one line, without what no page or database should be given, and not too long."""
    plain = " ".join("".join(char if char.isprintable() else " " for char in words).split())
    return plain if len(plain) <= LONGEST_QUOTE else plain[: LONGEST_QUOTE - 1].rstrip() + "…"


def _in_order(signals: list[Signal]) -> tuple[Signal, ...]:
    return tuple(sorted(signals, key=lambda one: (one.urgency != URGENT, one.start, one.end, one.code)))


def status() -> dict[str, Any]:
    """What is installed and trusted: phrases always, wording and meaning where they can be."""
    known = patterns()
    return {"version": VERSION, "flags": len(known.flags), "phrases": len(known.phrases), **describe()}


def codes() -> list[tuple[str, str]]:
    """Every red flag there is: its code, and its name as staff read it."""
    return [(flag.code, flag.label) for flag in patterns().flags.values()]
