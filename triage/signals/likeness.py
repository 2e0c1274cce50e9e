"""Likeness: how far a message reads like the emergencies among the examples rather than like the everyday ones.

Two views are taken. *Meaning* reads the whole message with all-MiniLM-L6-v2, which `learn.py` has taught on the
examples. *Wording* weighs words, pairs of words and bits of words, in English and Spanish alike, and needs no
model. Both are weighed together with what the phrases found. The example nearest to the sentence that carried the
most gives the reason a person reads. All that is learned is kept in `data/learned.npz`.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache
from math import log
from typing import TYPE_CHECKING, Any

from . import examples as library
from .examples import SOON, URGENT, Example
from .loading import LEARNED
from .meaning import TOPICS, Asked, Meaning, Read, Window, strongest, windows
from .minilm import Unavailable, check, locate
from .pieces import Piece, pieces
from .wording import weigh

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    Floats = NDArray[np.float32]

MOST_WINDOWS = 8  # of a very long message, the stretches that say most are read for meaning
HEADS = ("urgent", "soon", *TOPICS)  # what wording tells apart
CLUES = (
    "meaning_urgent", "meaning_soon", "wording_urgent", "wording_soon", "phrases", "flags", "hints", "soon_phrases",
    "aside", "length", "spanish",
)  # fmt: skip


@dataclass(frozen=True)
class Seen:
    """Where a message stands. Above the limit it reads like an emergency, or like something for today."""

    urgent: float
    soon: float
    category: str | None
    part: Piece  # the sentence that says most
    vector: Any  # its meaning, or None


def clues(asked: Asked, meaning: tuple[float, float] | None, wording: tuple[float, float]) -> list[float]:
    """What is weighed together, in the order of CLUES."""
    strong = {one.flag.code for one in asked.found if one.urgency == URGENT and not one.hint}
    return [
        *(meaning or (0.0, 0.0)),
        *wording,
        float(bool(strong)),
        min(len(strong), 4) / 2,
        float(any(one.hint for one in asked.found)),
        float(any(one.urgency != URGENT for one in asked.found)),
        min(asked.aside, 4) / 2,
        log(1 + len(asked.text.words)) / 2,
        float(asked.language == "es"),
    ]


class Likeness:
    """What was learned, loaded once."""

    def __init__(self) -> None:
        import numpy as np

        with np.load(LEARNED, allow_pickle=False) as stored:
            kept = {name: stored[name] for name in stored.files}
        self._np = np
        self.digest = str(kept["digest"])
        self.rarity: Floats = kept["rarity"].astype(np.float32)
        self._words: Floats = kept["wording"].astype(np.float32)  # (heads, buckets)
        self._words_offset: Floats = kept["wording_offset"]
        self._both: Floats = kept["both"]  # (urgent and soon, clues and an offset)
        self._alone: Floats = kept["alone"]  # the same without meaning
        vectors = kept["vectors"].astype(np.float32)  # of the examples that are pressing
        self._vectors: Floats = vectors / np.maximum(np.linalg.norm(vectors, axis=1, keepdims=True), 1e-9)
        self.meaning: Meaning | None = None
        self.why = ""
        try:
            self.meaning = Meaning(kept)
        except Unavailable as error:
            self.why = str(error)
        except Exception as error:
            self.why = f"the meaning model does not load ({type(error).__name__})"

    def see(self, many: Sequence[Asked]) -> list[Seen]:
        """Each message weighed; their meaning is read together, which is quicker than one by one."""
        parts = [pieces(one.text) or [Piece("", 0, 1)] for one in many]
        meaning = self.meaning
        if meaning is None:
            return [self._worded(one, part) for one, part in zip(many, parts, strict=True)]
        cut = [
            self._telling(one, windows(one, part, meaning.model))
            for one, part in zip(many, parts, strict=True)
        ]
        return [
            self._seen(one, meaning, mine, read) if read else self._worded(one, part)
            for one, part, mine, read in zip(many, parts, cut, meaning.read(cut), strict=True)
        ]

    def _telling(self, asked: Asked, all_of: list[Window]) -> list[Window]:
        """The windows to read: all, or of a very long message those with phrases, then those that weigh most."""
        if len(all_of) <= MOST_WINDOWS:
            return all_of

        def rank(window: Window) -> tuple[int, float]:
            first, last = window.parts[0][0].first, window.parts[-1][0].last
            held = sum(first <= one.first < last for one in asked.found)
            return -held, -float(self._wording(asked.text.words[first:last])[0])

        return sorted(all_of, key=rank)[:MOST_WINDOWS]

    def _wording(self, words: Sequence[str]) -> Floats:
        buckets, values = weigh(words, self.rarity)
        return (  # type: ignore[no-any-return]
            self._words[:, buckets] @ self._np.array(values, dtype=self._np.float32) + self._words_offset
        )

    def _worded(self, asked: Asked, parts: Sequence[Piece]) -> Seen:
        """Without meaning."""
        wording = self._wording(asked.text.words)
        total = self._alone @ [*clues(asked, None, (float(wording[0]), float(wording[1]))), 1.0]
        part = max(parts, key=lambda one: float(self._wording(asked.text.words[one.first : one.last])[0]))
        return Seen(float(total[0]), float(total[1]), self._topic(wording[2:]), part, None)

    def _seen(self, asked: Asked, meaning: Meaning, cut: Sequence[Window], read: Sequence[Read]) -> Seen:
        np = self._np
        wording = self._wording(asked.text.words)
        total = self._both @ [*clues(asked, strongest(read), (float(wording[0]), float(wording[1]))), 1.0]
        window, best = max(zip(cut, read, strict=True), key=lambda pair: pair[1].margins)
        part, vector = meaning.telling(window, best)
        topics = np.average(
            [one.outcomes[3:] for one in read], axis=0, weights=[len(one.rows) for one in read]
        )
        return Seen(float(total[0]), float(total[1]), self._topic(topics), part, vector)

    def _topic(self, scores: Any) -> str | None:
        best = TOPICS[int(self._np.argmax(scores))]
        return None if best == "other" else best

    # ------------------------------------------------------------------ the nearest example

    def nearest(self, words: Sequence[str], meaning: Any, level: str) -> Example | None:
        """The example of that level that is most alike, by meaning where possible, else by words."""
        np = self._np
        chosen = _of_level(level)
        if not chosen:
            return None
        if meaning is not None and self.digest == library.digest():
            mine = np.array([library.examples()[index].level == level for index in pressing()])
            alike = self._vectors[mine] @ meaning
        else:
            buckets, values = weigh(words, self.rarity)
            said = np.zeros(self._words.shape[1], dtype=np.float32)
            said[buckets] = values
            alike = np.array([said[other] @ share for other, share in self._weighed(level)])
        return library.examples()[chosen[int(np.argmax(alike))]]

    @lru_cache(maxsize=4)  # noqa: B019 - one instance lives for the whole process
    def _weighed(self, level: str) -> list[tuple[list[int], Any]]:
        from .patterns import patterns

        known = patterns()
        made = []
        for index in _of_level(level):
            buckets, values = weigh(known.text(library.examples()[index].text).words, self.rarity)
            made.append((buckets, self._np.array(values, dtype=self._np.float32)))
        return made


@lru_cache(maxsize=4)
def _of_level(level: str) -> list[int]:
    return [index for index, example in enumerate(library.examples()) if example.level == level]


@lru_cache(maxsize=1)
def pressing() -> list[int]:
    """The examples that a reason may name, whose vectors are stored."""
    return sorted([*_of_level(URGENT), *_of_level(SOON)])


@lru_cache(maxsize=1)
def likeness() -> Likeness | None:
    """What was learned, or None where it cannot be read; then the patterns serve alone."""
    try:
        return Likeness()
    except Exception:
        return None


def trouble() -> str:
    """Why messages are read with less than everything, in a sentence, or "". Looks at files; loads no network."""
    try:
        import numpy as np

        with np.load(LEARNED, allow_pickle=False) as stored:
            digest = str(stored["digest"])
    except Exception:
        return "What was learned from the examples cannot be read: red flags are looked for by their phrases alone."
    try:
        check(locate())
    except Unavailable as error:
        return f"Messages are read for red flags by phrases and wording alone: {error}."
    if digest != library.digest():
        return "The example messages for red flags have changed since they were last learned."
    return ""


def describe() -> dict[str, Any]:
    """For `status()`: what of this is here, and why not."""
    known = likeness()
    if known is None:
        return {
            "wording": False, "meaning": False, "learned": False, "why": "numpy or data/learned.npz is missing",
        }  # fmt: skip
    fresh = known.digest == library.digest()
    return {
        "wording": True,
        "meaning": known.meaning is not None,
        "why": known.why or ("" if fresh else "examples have changed since they were last learned"),
        "learned": fresh,
        "examples": len(library.examples()),
    }
