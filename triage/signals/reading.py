"""One message in, one `Reading` out: the written flags, the likeness, and how the two are weighed together."""

from __future__ import annotations

import json
import re
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from functools import lru_cache
from typing import Any

from .examples import SOON, URGENT
from .language import READ, detect
from .likeness import Likeness, Seen, describe, likeness
from .loading import DATA, load_yaml, version
from .meaning import Asked
from .patterns import Found, Patterns, patterns
from .text import Text

VERSION: str = version()
AT_ONCE = 256  # texts read together: memory stays bounded
# A medicine with its strength, as forms ask for it: "Lisinopril 10 mg". It reads like questions about medicines, and
# asks none.
STRENGTH = re.compile(
    r"\W*[^\W\d_][\w-]*(?:\s+[^\W\d_][\w-]*)?\s+\d+(?:[.,]\d+)?\s*"
    r"(?:mg|mcg|µg|g|ml|mg/ml|meq|iu|ui|units?|unidades|%)\W*",
    re.IGNORECASE,
)
MEDICINES = "medicine_safety"
# A name, a place, "two weeks": so few words are like everything and nothing. What the phrases say of them counts.
FEWEST = 3
# Answers of more than so many words are read as all text is, whatever words they are made of.
PLAIN = 6
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
    """The scores from which likeness counts, from `limits.yaml`: by what is meant, what was read with, and language."""
    return {name: float(value) for name, value in load_yaml(DATA / "limits.yaml").items()}


def read(text: str, language: str = "en") -> Reading:
    """The red flags in a text a patient wrote, whatever box they wrote it in. Never raises on any text."""
    return read_many([text], language)[0]


def read_many(texts: Sequence[str], language: str = "en") -> list[Reading]:
    """The same for many texts at once, in order: far quicker than one by one, and with the same result."""
    made: list[Reading] = []
    for start in range(0, len(texts), AT_ONCE):
        made.extend(_read_some(texts[start : start + AT_ONCE], language))
    return made


def _read_some(texts: Sequence[str], language: str) -> list[Reading]:
    known, compared = patterns(), likeness()
    asked = []
    for text in texts:
        even = known.text(text)
        found, aside = known.look(even)
        asked.append(Asked(even, detect(even, language), found, aside))
    weighed = [index for index, one in enumerate(asked) if one.language in READ and one.text.words]
    seen = (
        dict(zip(weighed, compared.see([asked[index] for index in weighed]), strict=True)) if compared else {}
    )
    made = []
    for index, one in enumerate(asked):
        here = seen.get(index)
        if compared is None or here is None:
            # phrases still speak; text in a language that was not understood has to be read by a person
            signals = [_said(one.text, found) for found in one.found]
            made.append(
                Reading(signals=_in_order(signals), screened=one.language in READ, language=one.language)
            )
            continue
        signals = _weighed(known, compared, one, here)
        made.append(Reading(signals=_in_order(signals), language=one.language, category=here.category))
    return made


def _weighed(known: Patterns, compared: Likeness, asked: Asked, seen: Seen) -> list[Signal]:
    """Phrases as far as the whole message bears them out, and likeness where they say nothing."""
    if len(asked.text.said) < FEWEST or any(one.alone for one in asked.found):
        return [_said(asked.text, one) for one in asked.found if not one.hint]
    if not asked.found and _is_plain(asked.text):
        return []
    limit = limits()
    kind = f"{'words' if seen.vector is None else 'both'}_{asked.language}"
    outright = any(one.flag.outright and one.urgency == URGENT and not one.hint for one in asked.found)
    if seen.urgent >= limit[f"{'outright' if outright else 'urgent'}_{kind}"]:
        signals = [_said(asked.text, one) for one in asked.found]
        if not any(signal.urgency == URGENT for signal in signals):
            signals.append(_alike(known, compared, asked, seen, URGENT))
        return signals
    # A phrase alone is no emergency: what is said around it may take it back. Somebody still looks today.
    pressing = seen.soon >= limit[f"soon_{kind}"]
    signals = [
        _said(asked.text, one, milder=one.urgency == URGENT)
        for one in asked.found
        if not one.hint and (pressing or seen.soon >= limit[f"phrase_{kind}"])
    ]
    if pressing and not signals:
        alike = _alike(known, compared, asked, seen, SOON)
        if alike.code != MEDICINES or not STRENGTH.fullmatch(asked.text.original):
            signals.append(alike)
    return signals


@lru_cache(maxsize=1)
def _plain() -> tuple[frozenset[str], frozenset[str]]:
    told = load_yaml(DATA / "plain.yaml")
    return frozenset(told["answers"]), frozenset(told["words"].split())


def _is_plain(text: Text) -> bool:
    """Does it say nothing about how somebody is: no answer at all, or only where, since when, how often or who?"""
    answers, words = _plain()
    said = text.said
    return " ".join(said) in answers or (
        len(said) <= PLAIN and all(word in words or word.isdigit() for word in said)
    )


def _alike(known: Patterns, compared: Likeness, asked: Asked, seen: Seen, level: str) -> Signal:
    """The signal that likeness gives: the piece that carries it, and the example it reads like."""
    part = seen.part
    example = compared.nearest(asked.text.words[part.first : part.last], seen.vector, level)
    flag = known.flags.get(example.code) if example else None
    start, end = asked.text.original_span(part.first, part.last)
    code, label = (flag.code, flag.label) if flag else (level, "Reads like something that cannot wait")
    reason = f"reads like: “{_short(example.text)}”" if example else "reads like something that cannot wait"
    return Signal(code, label, level, start, end, reason, "likeness")


def _said(text: Text, found: Found, *, milder: bool = False) -> Signal:
    start, end = text.original_span(found.first, found.last)
    reason = f"says “{_short(text.original[start:end])}”"
    if milder:
        reason += ", though the message as a whole reads less pressing"
    return Signal(
        found.flag.code, found.flag.label, SOON if milder else found.urgency, start, end, reason, "pattern",
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
