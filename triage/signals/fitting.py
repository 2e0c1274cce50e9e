"""Straight lines fitted to rows of numbers: a logistic regression in numpy. Development time only."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from .wording import WIDTH

Floats = NDArray[np.float64]


@dataclass
class Sparse:
    """Rows of bucket-value pairs."""

    index: NDArray[np.int64]
    value: Floats
    start: NDArray[np.int64]  # where each row begins, and the end

    def times(self, weights: Floats) -> Floats:
        return np.add.reduceat(self.value * weights[self.index], self.start[:-1])

    def back(self, rows: Floats) -> Floats:
        spread = np.repeat(rows, np.diff(self.start))
        return np.bincount(self.index, weights=self.value * spread, minlength=WIDTH).astype(np.float64)

    def take(self, rows: NDArray[np.int64]) -> Sparse:
        spans = [slice(self.start[row], self.start[row + 1]) for row in rows]
        lengths = np.array([0, *(span.stop - span.start for span in spans)])
        return Sparse(
            np.concatenate([self.index[s] for s in spans]), np.concatenate([self.value[s] for s in spans]),
            np.cumsum(lengths),
        )  # fmt: skip


def fit(
    data: Sparse | Floats, wanted: NDArray[np.bool_], weight: Floats, strength: float, width: int
) -> Floats:
    """A logistic regression, both sides weighing the same; the last number is the offset."""
    times = data.times if isinstance(data, Sparse) else data.__matmul__
    back = data.back if isinstance(data, Sparse) else data.T.__matmul__
    pull = (
        np.where(wanted, 0.5 / weight[wanted].sum(), 0.5 / weight[~wanted].sum())
        * weight
        * len(wanted)
        * strength
    )
    sign = np.where(wanted, 1.0, -1.0)

    def cost(at: Floats) -> tuple[float, Floats]:
        margin = sign * (times(at[:-1]) + at[-1])
        slope = -sign * pull * np.exp(-np.logaddexp(0.0, margin))
        gradient = np.append(back(slope) + at[:-1], slope.sum())
        return float((pull * np.logaddexp(0.0, -margin)).sum() + 0.5 * at[:-1] @ at[:-1]), gradient

    return descend(cost, np.zeros(width + 1))


def descend(
    cost: Callable[[Floats], tuple[float, Floats]], at: Floats, steps: int = 120, memory: int = 10
) -> Floats:
    """L-BFGS with a backtracking line search."""
    value, slope = cost(at)
    past: list[tuple[Floats, Floats, float]] = []
    for _ in range(steps):
        way = slope.copy()
        kept = []
        for moved, turned, inverse in reversed(past):
            share = inverse * (moved @ way)
            way -= share * turned
            kept.append(share)
        if past:
            way *= (past[-1][0] @ past[-1][1]) / (past[-1][1] @ past[-1][1])
        for (moved, turned, inverse), share in zip(past, reversed(kept), strict=True):
            way += moved * (share - inverse * (turned @ way))
        size, fall = 1.0 if past else 1.0 / max(1.0, float(np.linalg.norm(way))), float(slope @ way)
        while True:
            there = at - size * way
            new_value, new_slope = cost(there)
            if new_value <= value - 1e-4 * size * fall or size < 1e-10:
                break
            size /= 2
        moved, turned = there - at, new_slope - slope
        if moved @ turned > 1e-12:
            past = [*past[-(memory - 1) :], (moved, turned, 1.0 / float(moved @ turned))]
        done = abs(value - new_value) <= 1e-7 * max(1.0, abs(value))
        at, value, slope = there, new_value, new_slope
        if done:
            break
    return at
