"""Examples in company: the longer messages that are made of them to learn from. Development time only."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from . import examples as library
from .examples import ROUTINE, SOON, URGENT, Example


class Maker:
    """Makes longer messages of an example and of the sentences that may stand around it."""

    def __init__(self, known: Sequence[Example], random: np.random.Generator) -> None:
        self.random = random
        self._pools: dict[tuple[str, str], list[str]] = {
            (kind, language): list(texts)
            for kind, languages in library.around().items()
            for language, texts in languages.items()
        }
        for example in known:
            if example.level != URGENT and len(example.text) < 400:
                kind = "alike" if example.alike else example.level
                self._pools.setdefault((kind, example.language), []).append(example.text)

    def longer(self, example: Example) -> str:
        parts = [example.text.strip()]
        urgent = example.level == URGENT
        self._add(parts, example, "neutral", 0.7, 3)
        self._add(parts, example, "fluster", 0.2, 2)  # how upset somebody is tells little of how ill they are
        self._add(parts, example, "reassuring", 0.08 if urgent else 0.4, 2)
        self._add(parts, example, ROUTINE, 0.3 if urgent else 0.25, 2)
        self._add(parts, example, "alike", 0.08 if urgent else 0.2, 1)
        if urgent:
            self._add(parts, example, SOON, 0.1, 1)
        return self._joined(parts)

    def _joined(self, parts: Sequence[str]) -> str:
        made = parts[0]
        for part in parts[1:]:
            joint = " " if made[-1:] in (".", "!", "?", ",") else self._one([". ", ". ", ", ", " ", "\n"])
            made += joint + part
        return made

    def typed(self, text: str) -> str:
        """Half of the time with slips of the finger."""
        if self.random.random() < 0.5:
            return text
        letters = list(text)
        for _ in range(1 + len(letters) // int(self.random.integers(20, 100))):
            at = int(self.random.integers(len(letters)))
            if not letters[at].isalpha():
                continue
            kind = self.random.integers(3)
            if kind == 0:
                letters[at] = ""
            elif kind == 1:
                letters[at] *= 2
            elif at + 1 < len(letters):
                letters[at], letters[at + 1] = letters[at + 1], letters[at]
        made = "".join(letters)
        return made.replace(",", "").replace(".", "") if self.random.random() < 0.2 else made

    def _add(self, parts: list[str], example: Example, kind: str, chance: float, most: int) -> None:
        pool = self._pools.get((kind, example.language), [])
        if pool and self.random.random() < chance:
            for _ in range(self.random.integers(1, most + 1)):
                parts.insert(int(self.random.integers(len(parts) + 1)), self._one(pool).strip())

    def _one(self, pool: Sequence[str]) -> str:
        return pool[int(self.random.integers(len(pool)))]
