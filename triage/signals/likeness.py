"""Likeness: how far a message reads like the emergencies among the examples rather than like the everyday ones.

Two views are taken. *Meaning* reads the whole message with all-MiniLM-L6-v2, whose upper layers `learn.py` has taught
on the examples. *Wording* weighs words, pairs of words and bits of words, in English and Spanish alike, and needs no
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
from .examples import CATEGORIES, URGENT, Example
from .glossary import english
from .loading import LEARNED
from .minilm import FIRST, LAST, LONGEST, WIDTH, MiniLM, Unavailable, check, locate
from .patterns import Found
from .pieces import Piece, pieces
from .text import Text
from .wording import weigh

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    Floats = NDArray[np.float32]

MOST_WINDOWS = 8  # of a very long message, the stretches that say most are read for meaning
TOPICS = (*CATEGORIES, "other")
HEADS = ("urgent", "soon", *TOPICS)  # what wording tells apart
OUTCOMES = ("urgent", "soon", "routine", *TOPICS)  # what meaning tells apart
CLUES = (
    "meaning_urgent", "meaning_soon", "wording_urgent", "wording_soon", "phrases", "flags", "hints", "soon_phrases",
    "aside", "length", "spanish",
)  # fmt: skip


@dataclass(frozen=True)
class Asked:
    """One message to be weighed: its words, its language, and what the phrases made of it."""

    text: Text
    language: str
    found: Sequence[Found] = ()
    aside: int = 0


@dataclass(frozen=True)
class Window:
    """Whole sentences read side by side: their tokens, and which of these belong to which piece."""

    codes: list[int]
    parts: list[tuple[Piece, int, int]]


@dataclass(frozen=True)
class Seen:
    """Where a message stands. Above the limit it reads like an emergency, or like something for today."""

    urgent: float
    soon: float
    category: str | None
    part: Piece  # the sentence that says most
    vector: Any  # its meaning, or None


def words_of(text: Text, language: str, first: int, last: int) -> str:
    """A stretch as the meaning model reads it: even words, Spanish ones in plain English."""
    words = text.words[first:last]
    return english(words) if language == "es" else " ".join(words)


def windows(asked: Asked, parts: Sequence[Piece], model: MiniLM) -> list[Window]:
    room = LONGEST - 2
    made: list[Window] = []
    codes: list[int] = []
    inside: list[tuple[Piece, int, int]] = []
    tokens = model.tokens([words_of(asked.text, asked.language, part.first, part.last) for part in parts])
    for part, ids in zip(parts, tokens, strict=True):
        ids = ids[:room]
        if codes and len(codes) + len(ids) > room:
            made.append(Window([FIRST, *codes, LAST], inside))
            codes, inside = [], []
        inside.append((part, len(codes) + 1, len(codes) + 1 + len(ids)))
        codes = codes + ids
    if codes:
        made.append(Window([FIRST, *codes, LAST], inside))
    return made


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


def margins(np: Any, outcomes: Floats) -> tuple[float, float]:
    """Urgent against the rest, and anything pressing against routine."""
    urgent, soon, routine = (float(value) for value in outcomes[:3])
    return urgent - float(np.logaddexp(soon, routine)), float(np.logaddexp(urgent, soon)) - routine


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
        self._query: Floats = kept["query"]
        self._lines: Floats = kept["lines"].astype(np.float32)
        self._offset: Floats = kept["offset"]
        vectors = kept["vectors"].astype(np.float32)
        self._vectors: Floats = vectors / np.maximum(np.linalg.norm(vectors, axis=1, keepdims=True), 1e-9)
        # towards urgent, and towards anything pressing: what each token of a message adds
        self._ways = np.stack(
            [
                self._lines[:, 0] - self._lines[:, 1:3].mean(axis=1),
                self._lines[:, :2].mean(axis=1) - self._lines[:, 2],
            ]
        )
        changes = {
            name: value.astype(np.float32) for name, value in kept.items() if name.endswith((".a", ".b"))
        }
        self.model: MiniLM | None = None
        self.why = ""
        try:
            self.model = MiniLM(locate(), changes)
        except Unavailable as error:
            self.why = str(error)
        except Exception as error:
            self.why = f"the meaning model does not load ({type(error).__name__})"

    def see(self, many: Sequence[Asked]) -> list[Seen]:
        """Each message weighed; their meaning is read together, which is quicker than one by one."""
        parts = [pieces(one.text) or [Piece("", 0, 1)] for one in many]
        if self.model is None:
            return [self._seen(one, part, []) for one, part in zip(many, parts, strict=True)]
        cut = [
            self._telling(one, windows(one, part, self.model)) for one, part in zip(many, parts, strict=True)
        ]
        rows = self.model.run([window.codes for one in cut for window in one])
        made, at = [], 0
        for one, part, mine in zip(many, parts, cut, strict=True):
            made.append(self._seen(one, part, list(zip(mine, rows[at : at + len(mine)], strict=True))))
            at += len(mine)
        return made

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

    def _seen(self, asked: Asked, parts: Sequence[Piece], read: list[tuple[Window, Floats]]) -> Seen:
        np = self._np
        wording = self._wording(asked.text.words)
        worded = (float(wording[0]), float(wording[1]))
        if not read:
            total = self._alone @ np.array([*clues(asked, None, worded), 1.0])
            part = max(parts, key=lambda one: float(self._wording(asked.text.words[one.first : one.last])[0]))
            return Seen(float(total[0]), float(total[1]), self._topic(wording[2:]), part, None)
        pooled = [self._pool(rows) for _, rows in read]
        outcomes = np.stack([vector @ self._lines for vector, _ in pooled]) + self._offset
        meant = [margins(np, one) for one in outcomes]
        meaning = (max(one[0] for one in meant), max(one[1] for one in meant))
        total = self._both @ np.array([*clues(asked, meaning, worded), 1.0])
        best = max(range(len(read)), key=lambda index: meant[index])
        window, rows = read[best]
        way = self._ways[0 if meaning[0] > -1 else 1]
        told = rows @ way[:WIDTH] / len(rows) + pooled[best][1] * (rows @ way[WIDTH:])
        part, first, last = max(window.parts, key=lambda one: float(told[one[1] : one[2]].sum()))
        vector = rows[first:last].mean(axis=0) if last > first else rows.mean(axis=0)
        weights = np.array([len(rows) for _, rows in read], dtype=np.float32)
        return Seen(
            float(total[0]), float(total[1]), self._topic(weights @ outcomes[:, 3:] / weights.sum()), part,
            vector / max(float(np.linalg.norm(vector)), 1e-9),
        )  # fmt: skip

    def _pool(self, rows: Floats) -> tuple[Floats, Floats]:
        np = self._np
        share = rows @ self._query
        share = np.exp(share - share.max())
        share /= share.sum()
        return np.concatenate([rows.mean(axis=0), share @ rows]), share

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
            alike = self._vectors[chosen] @ meaning
        else:
            buckets, values = weigh(words, self.rarity)
            mine = np.zeros(self._words.shape[1], dtype=np.float32)
            mine[buckets] = values
            alike = np.array([mine[other] @ share for other, share in self._weighed(level)])
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
        "meaning": known.model is not None,
        "why": known.why or ("" if fresh else "examples have changed since they were last learned"),
        "learned": fresh,
        "examples": len(library.examples()),
    }
