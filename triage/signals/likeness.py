"""Likeness: how far a message reads like the emergencies among the examples rather than like the everyday ones.

Two views are taken. *Meaning* compares sentence embeddings (all-MiniLM-L6-v2, read one piece at a time and pooled)
with those of every example, which vote by how close they are. *Wording* weighs words, pairs of words and bits of words,
in English and Spanish alike, and needs no model. The votes and weights are learned from the examples by `learn.py` and
kept in `data/learned.npz`; the two scores are added. The nearest example gives the reason a person reads.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache
from typing import TYPE_CHECKING, Any

from . import examples as library
from .examples import CATEGORIES, SOON, URGENT, Example
from .loading import LEARNED
from .minilm import MiniLM, Unavailable, locate
from .patterns import patterns
from .pieces import Piece, pieces
from .text import Text
from .wording import weigh

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    Floats = NDArray[np.float32]

MOST_PIECES = 24  # of a very long message, the pieces whose wording weighs most are read for meaning
HEADS = ("urgent", "soon", *CATEGORIES, "other")


def unit_rows(np: Any, rows: Any) -> Floats:
    rows = rows.astype(np.float32)
    return rows / np.maximum(np.linalg.norm(rows, axis=-1, keepdims=True), 1e-9)  # type: ignore[no-any-return]


def closeness(np: Any, cosine: Floats) -> Floats:
    """How close two meanings are, from their cosine: 1 for the same, falling off softly."""
    return np.exp(2.0 * (cosine - 1.0))  # type: ignore[no-any-return]


@dataclass(frozen=True)
class Scores:
    """Where a stretch of text stands: above 0 on a head means that it reads more like that than not."""

    heads: dict[str, float]

    def __getitem__(self, head: str) -> float:
        return self.heads[head]


class Likeness:
    """What was learned, loaded once."""

    def __init__(self) -> None:
        import numpy as np

        with np.load(LEARNED, allow_pickle=False) as stored:
            self.digest = str(stored["digest"])
            self.rarity: Floats = stored["rarity"].astype(np.float32)
            self._words: Floats = stored["wording"].astype(np.float32)  # (heads, buckets)
            self._words_bias: Floats = stored["wording_bias"]
            self._votes: Floats = stored["votes"].astype(np.float32)  # (heads, examples)
            self._share: Floats = stored["share"]  # (heads, 3): how wording and meaning add up, and an offset
            self._alone: Floats = stored["alone"]  # (heads, 2): the same for wording alone
            self._vectors: Floats = unit_rows(np, stored["vectors"])
        self._np = np
        self.model: MiniLM | None = None
        self.why = ""
        try:
            self.model = MiniLM(locate())
        except Unavailable as error:
            self.why = str(error)
        except Exception as error:
            self.why = f"the meaning model does not load ({type(error).__name__})"

    # ------------------------------------------------------------------ vectors

    def embed(self, parts: Sequence[Piece]) -> Floats | None:
        """One row for each piece, or None where the model is not here."""
        if self.model is None or not parts:
            return None
        return self.model.embed([part.text for part in parts])

    def pool(self, rows: Floats, parts: Sequence[Piece]) -> Floats:
        np = self._np
        weights = np.array([part.weight for part in parts], dtype=np.float32)[:, None]
        mean = (rows * weights).sum(axis=0)
        return mean / max(float(np.linalg.norm(mean)), 1e-9)  # type: ignore[no-any-return]

    def scores(self, words: Sequence[str], meaning: Floats | None) -> Scores:
        np = self._np
        buckets, values = weigh(words, self.rarity)
        wording = self._words[:, buckets] @ np.array(values, dtype=np.float32) + self._words_bias
        if meaning is None:
            total = self._alone[:, 0] * wording + self._alone[:, 1]
        else:
            sense = self._votes @ closeness(np, self._vectors @ meaning)
            total = self._share[:, 0] * wording + self._share[:, 1] * sense + self._share[:, 2]
        return Scores({head: float(value) for head, value in zip(HEADS, total, strict=True)})

    def pick(self, text: Text) -> list[Piece]:
        """The pieces to read for meaning: all of them, or the most telling of a very long message, in order."""
        parts = pieces(text)
        if len(parts) <= MOST_PIECES:
            return parts
        rated = sorted(parts, key=lambda part: -self._wording_of(text, part))
        return sorted(rated[:MOST_PIECES], key=lambda part: part.first)

    def _wording_of(self, text: Text, part: Piece) -> float:
        buckets, values = weigh(text.words[part.first : part.last], self.rarity)
        return float(self._words[0, buckets] @ self._np.array(values, dtype=self._np.float32))

    # ------------------------------------------------------------------ the nearest example

    def nearest(self, words: Sequence[str], meaning: Floats | None, level: str) -> Example | None:
        """The example of that level that is most alike, by meaning where possible, else by words."""
        np = self._np
        chosen = _of_level(level)
        if not chosen:
            return None
        alike = self._word_likeness(words, level)
        if meaning is not None and self.digest == library.digest():
            alike = alike + 1.5 * (self._vectors[chosen] @ meaning)
        return library.examples()[chosen[int(np.argmax(alike))]]

    def _word_likeness(self, words: Sequence[str], level: str) -> Floats:
        np = self._np
        buckets, values = weigh(words, self.rarity)
        mine = dict(zip(buckets, values, strict=True))
        return np.array(
            [sum(value * mine.get(bucket, 0.0) for bucket, value in other) for other in self._weighed(level)],
            dtype=np.float32,
        )

    @lru_cache(maxsize=4)  # noqa: B019 - one instance lives for the whole process
    def _weighed(self, level: str) -> list[list[tuple[int, float]]]:
        known = patterns()
        return [
            list(zip(*weigh(known.text(library.examples()[index].text).words, self.rarity), strict=True))
            for index in _of_level(level)
        ]


@lru_cache(maxsize=4)
def _of_level(level: str) -> list[int]:
    return [index for index, example in enumerate(library.examples()) if example.level == level]


@lru_cache(maxsize=1)
def likeness() -> Likeness | None:
    """What was learned, or None where it cannot be read; then the patterns serve alone."""
    try:
        return Likeness()
    except Exception:
        return None


def describe() -> dict[str, Any]:
    """For `status()`: what of this is here, and why not."""
    known = likeness()
    if known is None:
        return {"wording": False, "meaning": False, "why": "numpy or data/learned.npz is missing"}
    fresh = known.digest == library.digest()
    return {
        "wording": True,
        "meaning": known.model is not None,
        "why": known.why or ("" if fresh else "examples have changed since they were last learned"),
        "learned": fresh,
        "examples": len(library.examples()),
    }


__all__ = ["SOON", "URGENT", "Likeness", "describe", "likeness"]
