"""Meaning: what the taught network says of a message, read whole, in stretches of so many tokens."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from .examples import CATEGORIES
from .glossary import english
from .minilm import FIRST, LAST, LONGEST, WIDTH, MiniLM, locate
from .patterns import Found
from .pieces import Piece
from .text import Text

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    Floats = NDArray[np.float32]

TOPICS = (*CATEGORIES, "other")
OUTCOMES = ("urgent", "soon", "routine", *TOPICS)  # what meaning tells apart


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


@dataclass(frozen=True)
class Read:
    """What meaning makes of one window: its tokens' vectors, how much each weighs, and how the outcomes stand."""

    rows: Any
    share: Any
    outcomes: Any

    @property
    def margins(self) -> tuple[float, float]:
        """Urgent against the rest, and anything pressing against routine."""
        import numpy as np

        urgent, soon, routine = (float(value) for value in self.outcomes[:3])
        return urgent - float(np.logaddexp(soon, routine)), float(np.logaddexp(urgent, soon)) - routine


class Meaning:
    """The taught network, as `learn.py` stored it."""

    def __init__(self, learned: Mapping[str, Any]) -> None:
        import numpy as np

        self._np = np
        self.model = MiniLM(
            locate(),
            {
                name: value.astype(np.float32)
                for name, value in learned.items()
                if name.endswith((".a", ".b"))
            },
        )
        self._query: Floats = learned["query"]
        self._lines: Floats = learned["lines"].astype(np.float32)
        self._offset: Floats = learned["offset"]
        # towards urgent, and towards anything pressing: what each token of a message adds
        self._ways = np.stack(
            [
                self._lines[:, 0] - self._lines[:, 1:3].mean(axis=1),
                self._lines[:, :2].mean(axis=1) - self._lines[:, 2],
            ]
        )

    def read(self, many: Sequence[Sequence[Window]]) -> list[list[Read]]:
        """Each window of each message; all are read together, which is quicker than one by one."""
        rows = iter(self.model.run([window.codes for cut in many for window in cut]))
        return [[self._read(next(rows)) for _ in cut] for cut in many]

    def _read(self, rows: Floats) -> Read:
        np = self._np
        share = rows @ self._query
        share = np.exp(share - share.max())
        share /= share.sum()
        vector = np.concatenate([rows.mean(axis=0), share @ rows])
        return Read(rows, share, vector @ self._lines + self._offset)

    def telling(self, window: Window, read: Read) -> tuple[Piece, Any]:
        """The sentence of a window that says most, and its meaning."""
        way = self._ways[0 if read.margins[0] > -1 else 1]
        told = read.rows @ way[:WIDTH] / len(read.rows) + read.share * (read.rows @ way[WIDTH:])
        part, first, last = max(window.parts, key=lambda one: float(told[one[1] : one[2]].sum()))
        return part, self.vector(read.rows[first:last] if last > first else read.rows)

    def vector(self, rows: Floats) -> Any:
        vector = rows.mean(axis=0)
        return vector / max(float(self._np.linalg.norm(vector)), 1e-9)


def strongest(read: Sequence[Read]) -> tuple[float, float]:
    """How a message stands: where one window of it stands highest."""
    return max(one.margins[0] for one in read), max(one.margins[1] for one in read)
