"""A text as its words and pairs of words: counted, weighed by how rare they are, and hashed into a fixed width."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from functools import lru_cache
from math import log
from typing import TYPE_CHECKING
from zlib import crc32

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    Floats = NDArray[np.float32]

WIDTH = 1 << 16
_BREAKS = frozenset((".", "!", "?"))
_MARKS = frozenset((",", ";", '"', "/", "$", "%"))


@lru_cache(maxsize=200_000)
def _bucket(feature: str) -> int:
    return crc32(feature.encode()) & (WIDTH - 1)


def counts(words: Sequence[str]) -> dict[int, float]:
    """How often each word and each pair occurs, by bucket, with repetition counting less and less."""
    found: dict[int, int] = {}
    before = "^"
    for word in words:
        if word in _BREAKS:
            before = "^"
            continue
        if word in _MARKS:
            continue
        if word[0].isdigit():
            # a number is itself, and any number of its size
            shape = "#" * len(word.partition(".")[0])
            found[_bucket(shape)] = found.get(_bucket(shape), 0) + 1
        for feature in (word, before + " " + word):
            bucket = _bucket(feature)
            found[bucket] = found.get(bucket, 0) + 1
        before = word
    return {bucket: 1.0 + log(count) for bucket, count in found.items()}


def weigh(words: Sequence[str], rarity: Floats) -> tuple[list[int], list[float]]:
    """The text as a unit vector: its buckets and their values."""
    counted = counts(words)
    buckets = list(counted)
    values = [counted[bucket] * float(rarity[bucket]) for bucket in buckets]
    size = sum(value * value for value in values) ** 0.5 or 1.0
    return buckets, [value / size for value in values]


def rarity(texts: Iterable[Sequence[str]]) -> Floats:
    """How rare each bucket is among these texts, smoothed."""
    import numpy as np

    seen = np.zeros(WIDTH, dtype=np.float64)
    total = 0
    for words in texts:
        total += 1
        seen[list(counts(words))] += 1
    return (np.log((1 + total) / (1 + seen)) + 1).astype(np.float32)
