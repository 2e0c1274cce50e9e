"""Teaches the upper layers of MiniLM what an emergency reads like. Development time only; numpy does it all.

Each product of an upper layer gets a narrow change, `a @ b`; a message's vector is the mean of its tokens' vectors
beside a mean that a learned query weighs; straight lines from that vector give the level and the category.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np
from numpy.typing import NDArray

from .minilm import HEADS, LAYERS, PARTS, WIDTH, MiniLM

NARROW = 16  # how wide a change may be
TAUGHT = 4  # upper layers that are changed
Floats = NDArray[np.float32]
Gradient = dict[str, Floats]


@dataclass
class Heads:
    """What turns tokens into outcomes: the query, and the lines to levels and categories."""

    query: Floats
    lines: Floats  # (2 * WIDTH, outcomes)
    offset: Floats

    def pool(self, rows: Floats) -> tuple[Floats, Floats]:
        """The message's vector, and how much each token weighs in its second half."""
        share = rows @ self.query
        share = np.exp(share - share.max())
        share /= share.sum()
        return np.concatenate([rows.mean(axis=0), share @ rows]), share


@dataclass
class Taught:
    """A network being taught: its changes, its heads, and the steps taken so far."""

    model: MiniLM
    outcomes: int
    random: np.random.Generator
    changes: dict[str, Floats] = field(default_factory=dict)
    steps: int = 0

    def __post_init__(self) -> None:
        self.base = [dict(layer.weight) for layer in self.model.layers]
        for index in range(LAYERS - TAUGHT, LAYERS):
            for part in PARTS:
                tall, wide = self.base[index][part].shape
                start = self.random.standard_normal((tall, NARROW)) / tall**0.5
                self.changes[f"{part}.{index}.a"] = start.astype(np.float32)
                self.changes[f"{part}.{index}.b"] = np.zeros((NARROW, wide), np.float32)
        self.heads = Heads(
            np.zeros(WIDTH, np.float32), np.zeros((2 * WIDTH, self.outcomes), np.float32),
            np.zeros(self.outcomes, np.float32),
        )  # fmt: skip
        self._past: dict[str, tuple[Floats, Floats]] = {}

    def know(self, stored: Mapping[str, NDArray[np.generic]]) -> None:
        """Start from what was learned before."""
        for name in self.changes:
            self.changes[name] = stored[name].astype(np.float32)
        self.heads = Heads(*(stored[name].astype(np.float32) for name in ("query", "lines", "offset")))
        self.merge()

    def merge(self) -> None:
        for index in range(LAYERS - TAUGHT, LAYERS):
            layer = self.model.layers[index]
            for part in PARTS:
                change = self.changes[f"{part}.{index}.a"] @ self.changes[f"{part}.{index}.b"]
                layer.weight[part] = self.base[index][part] + change

    def release(self) -> None:
        """The network as it was, for the next one to be taught."""
        for layer, base in zip(self.model.layers, self.base, strict=True):
            layer.weight = dict(base)
            layer.saved = None

    # ------------------------------------------------------------------ one step

    def step(
        self, codes: Sequence[Sequence[int]], slope: Callable[[Floats], tuple[float, Floats]], pace: float
    ) -> float:
        """One step down: `slope` gives the cost of these outcomes and its derivative. Sequences in order of length."""
        self.steps += 1
        hidden, edges = self.model.forward(codes, LAYERS - TAUGHT)
        spans = [slice(a, b) for a, b in zip(edges, edges[1:], strict=False)]
        pooled = [self.heads.pool(hidden[span]) for span in spans]
        drop = (self.random.random((len(codes), 2 * WIDTH)) > 0.1).astype(np.float32) / np.float32(0.9)
        vectors = np.stack([vector for vector, _ in pooled]) * drop
        cost, down = slope(vectors @ self.heads.lines + self.heads.offset)
        found: Gradient = {"lines": vectors.T @ down, "offset": down.sum(axis=0)}
        back = (down @ self.heads.lines.T) * drop
        rows = np.empty_like(hidden)
        query = np.zeros_like(self.heads.query)
        for span, (_, share), one in zip(spans, pooled, back, strict=True):
            here = hidden[span]
            turn = here @ one[WIDTH:]
            turn = share * (turn - share @ turn)
            rows[span] = (
                one[:WIDTH] / len(share) + np.outer(share, one[WIDTH:]) + np.outer(turn, self.heads.query)
            )
            query += turn @ here
        found["query"] = query
        for index in range(LAYERS - 1, LAYERS - TAUGHT - 1, -1):
            rows = self._back(index, rows, found, further=index > LAYERS - TAUGHT)
        for name in ("query", "lines", "offset"):
            self._move(name, getattr(self.heads, name), found[name], 2 * pace, 0.0)
        for name, change in self.changes.items():
            self._move(name, change, found[name], pace, 0.01)
        self.merge()
        return cost

    def _move(self, name: str, at: Floats, slope: Floats, pace: float, decay: float) -> None:
        """Adam."""
        if name not in self._past:
            self._past[name] = (np.zeros_like(at), np.zeros_like(at))
        mean, square = self._past[name]
        mean *= 0.9
        mean += 0.1 * slope
        square *= 0.98
        square += 0.02 * slope * slope
        move = (mean / (1 - 0.9**self.steps)) / (np.sqrt(square / (1 - 0.98**self.steps)) + 1e-8)
        at -= (pace * (move + decay * at)).astype(np.float32)

    def _back(self, index: int, down: Floats, found: Gradient, *, further: bool) -> Any:
        layer = self.model.layers[index]
        hidden, qkv, chances, mixed, middle, grown, bent, active, evened, groups = layer.saved
        even_1, size_1, even_2, size_2 = evened

        def change(part: str, rows: Floats, slope: Floats) -> None:
            a, b = f"{part}.{index}.a", f"{part}.{index}.b"
            found[a] = rows.T @ (slope @ self.changes[b].T)
            found[b] = (rows @ self.changes[a]).T @ slope  # type: ignore[assignment]

        shrunk = _unnormalise(down, layer.norm_2[0], even_2, size_2)
        change("down", active, shrunk)
        steep = 0.5 * (1 + bent) + 0.5 * grown * (1 - bent * bent) * np.float32(0.7978845608) * (
            1 + np.float32(3 * 0.044715) * grown * grown
        )
        rise = (shrunk @ layer.weight["down"].T) * steep
        change("up", middle, rise)
        attended = _unnormalise(rise @ layer.weight["up"].T + shrunk, layer.norm_1[0], even_1, size_1)
        change("out", mixed, attended)
        mix = attended @ layer.weight["out"].T
        turned = np.empty_like(qkv)
        for (start, count, length), chance in zip(groups, chances, strict=True):
            span = slice(start, start + count * length)
            shape = (count, length, 3, HEADS, WIDTH // HEADS)
            query, key, value = np.ascontiguousarray(qkv[span].reshape(shape).transpose(2, 0, 3, 1, 4))
            out = np.ascontiguousarray(
                mix[span].reshape(count, length, HEADS, WIDTH // HEADS).transpose(0, 2, 1, 3)
            )
            by = out @ value.transpose(0, 1, 3, 2)
            scores = chance * (by - (by * chance).sum(axis=-1, keepdims=True))
            three = np.stack(
                [scores @ key, scores.transpose(0, 1, 3, 2) @ query, chance.transpose(0, 1, 3, 2) @ out]
            )
            turned[span] = three.transpose(1, 3, 0, 2, 4).reshape(count * length, 3 * WIDTH)
        change("qkv", hidden, turned)
        return turned @ layer.weight["qkv"].T + attended if further else None


def _unnormalise(down: Floats, weight: Floats, even: Floats, size: Floats) -> Floats:
    by = down * weight
    return size * (by - by.mean(axis=-1, keepdims=True) - even * (by * even).mean(axis=-1, keepdims=True))
