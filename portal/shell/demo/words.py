"""The words of the demo's people, from the files in `words/`: read once, picked at random, their slots filled."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from functools import cache
from pathlib import Path
from random import Random
from typing import Any

import yaml

FILES = Path(__file__).parent / "words"


@cache
def book(name: str) -> dict[str, Any]:
    """Everything in one file."""
    loader = getattr(yaml, "CSafeLoader", yaml.SafeLoader)  # the quick one, where the wheel has it
    found: dict[str, Any] = yaml.load((FILES / f"{name}.yaml").read_text(encoding="utf-8"), Loader=loader)  # noqa: S506
    return found


def pick(random: Random, entries: Sequence[Any], tags: Collection[str] = ()) -> Any:
    """One of the entries that fit; those that say for whom they are (`only`) are liked better where they fit."""
    told = [(entry, _only(entry)) for entry in entries]
    fitting = [entry for entry, only in told if only in tags]
    general = [entry for entry, only in told if not only]
    if fitting and (not general or random.random() < 0.7):
        return random.choice(fitting)
    return random.choice(general) if general else None


def _only(entry: Any) -> str:
    if isinstance(entry, Mapping):
        return str(entry.get("only", ""))
    return entry[2] if isinstance(entry, list) and len(entry) > 2 else ""


VARIANTS = 2


def sentences(random: Random, *parts: Sequence[str]) -> str:
    """Sentences, one of each part, with one space between; empty ones are left out.

    The first is any of its part. The rest go with it in a few ways only: some hundred different texts are enough to
    look alive, and each new one costs the reader of red flags a moment.
    """
    first, variant = random.randrange(len(parts[0])), random.randrange(VARIANTS)
    found = [parts[0][first]]
    found += [part[(first * 5 + variant * 2 + place) % len(part)] for place, part in enumerate(parts[1:])]
    return " ".join(text for text in found if text)
