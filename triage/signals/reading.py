"""One message in, one `Reading` out."""

from __future__ import annotations

import json
from dataclasses import asdict, dataclass
from typing import Any

from .patterns import Found, data_version, patterns
from .text import Text

VERSION: str = data_version()


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
        return any(signal.urgency == "urgent" for signal in self.signals)

    @property
    def urgency(self) -> str:
        if self.emergency:
            return "urgent"
        return "soon" if self.signals else "routine"

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


def read(text: str, language: str = "en") -> Reading:
    """The red flags in a text a patient wrote, whatever box they wrote it in. Never raises on any text."""
    known = patterns()
    even = known.text(text)
    signals = tuple(_from_pattern(even, found) for found in known.find(even))
    return Reading(signals=signals, language=language)


def _from_pattern(text: Text, found: Found) -> Signal:
    start, end = text.original_span(found.first, found.last)
    said = " ".join(text.original[start:end].split())
    return Signal(found.flag.code, found.flag.label, found.urgency, start, end, f"says “{said}”", "pattern")


def status() -> dict[str, Any]:
    """Whether the meaning model is installed and trusted."""
    return {"version": VERSION, "patterns": len(patterns().phrases), "meaning": False, "why": "not yet built in"}
