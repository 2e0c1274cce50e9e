"""A text as its words, pairs of words and bits of words: weighed by how rare they are, hashed into a fixed width.

Bits of words (three to five letters) carry a misspelling, a plural or a verb ending to the words we know, in English
and Spanish alike.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from functools import lru_cache
from math import log
from typing import TYPE_CHECKING
from zlib import crc32

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    Floats = NDArray[np.float32]

WIDTH = 1 << 16
BITS = 0.4  # how much a bit of a word counts beside a whole one
_BREAKS = frozenset((".", "!", "?"))
_MARKS = frozenset((",", ";", '"', "/", "$", "%"))


@lru_cache(maxsize=200_000)
def _bucket(feature: str) -> int:
    return crc32(feature.encode()) & (WIDTH - 1)


@lru_cache(maxsize=50_000)
def _of_word(word: str) -> tuple[tuple[int, ...], tuple[int, ...]]:
    """The buckets of a word alone: as a whole (and, for a number, as any of its size), and in bits."""
    whole = [_bucket(word)]
    if word[0].isdigit():
        whole.append(_bucket("#" * len(word.partition(".")[0])))
    edged = f" {word[:24]} "
    bits = [_bucket("~" + edged[at : at + size]) for size in (3, 4, 5) for at in range(len(edged) - size + 1)]
    return tuple(whole), tuple(bits)


def counts(words: Sequence[str]) -> dict[int, float]:
    """How much each bucket occurs, with repetition counting less and less."""
    found: dict[int, int] = {}
    small: dict[int, int] = {}
    before = "^"
    for word in words:
        if word in _BREAKS:
            before = "^"
            continue
        if word in _MARKS:
            continue
        whole, bits = _of_word(word)
        for bucket in (*whole, _bucket(before + " " + word)):
            found[bucket] = found.get(bucket, 0) + 1
        for bucket in bits:
            small[bucket] = small.get(bucket, 0) + 1
        before = word
    made = {bucket: 1.0 + log(count) for bucket, count in found.items()}
    for bucket, count in small.items():
        made[bucket] = made.get(bucket, 0.0) + BITS * (1.0 + log(count))
    return made


def weigh(words: Sequence[str], rarity: Floats) -> tuple[list[int], list[float]]:
    """The text as a unit vector: its buckets and their values."""
    counted = counts(words)
    buckets = list(counted)
    values = [counted[bucket] * rare for bucket, rare in zip(buckets, _rare(rarity, buckets), strict=True)]
    size = sum(value * value for value in values) ** 0.5 or 1.0
    return buckets, [value / size for value in values]


def _rare(rarity: Floats, buckets: list[int]) -> Iterator[float]:
    return iter(rarity[buckets].tolist() if buckets else [])


def rarity(texts: Iterable[Sequence[str]]) -> Floats:
    """How rare each bucket is among these texts, smoothed."""
    import numpy as np

    seen = np.zeros(WIDTH, dtype=np.float64)
    total = 0
    for words in texts:
        total += 1
        seen[list(counts(words))] += 1
    return (np.log((1 + total) / (1 + seen)) + 1).astype(np.float32)
