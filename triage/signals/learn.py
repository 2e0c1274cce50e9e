"""Learns `data/learned.npz` from the example messages: `python -m triage.signals.learn`.

Run it after changing an example. It needs the meaning model, takes a minute or two, and gives the same file each time.
Every example is also seen inside longer messages made of it and of the sentences in `around.yaml`, since people
wrap what matters in greetings, hedges and other business.
"""

from __future__ import annotations

import sys
from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from . import examples as library
from .examples import ROUTINE, SOON, URGENT, Example
from .likeness import HEADS, closeness, unit_rows
from .loading import LEARNED
from .minilm import MiniLM, locate
from .patterns import patterns
from .pieces import pieces
from .wording import WIDTH, rarity, weigh

TIMES = 1  # longer messages made of each example
FOLDS = 4
SEED = 20
STRENGTH = 5.0  # how far the wording may go to fit the examples; small is humble
SMOOTH = 0.05  # how much the votes on meaning are evened out
Floats = NDArray[np.float64]


@dataclass(frozen=True)
class Made:
    """One message to learn from: the example it grew from, and its parts as indices of known sentences."""

    base: int
    parts: tuple[int, ...]


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
        return np.bincount(self.index, weights=self.value * spread, minlength=WIDTH)

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


def vote(near: Floats, wanted: NDArray[np.bool_], weight: Floats) -> Floats:
    """Kernel ridge regression: how much each example says, so that together they say what each of them is."""
    pull = np.where(wanted, 0.5 / weight[wanted].sum(), 0.5 / weight[~wanted].sum()) * weight * len(wanted)
    return np.linalg.solve(near + SMOOTH * np.diag(1 / pull), np.where(wanted, 1.0, -1.0))


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


def compose(known: Sequence[Example]) -> tuple[list[str], list[Made]]:
    """The sentences there are, and the messages made of them."""
    random = np.random.default_rng(SEED)
    sentences = [example.text for example in known]
    pools: dict[tuple[str, str], list[int]] = {}
    for kind, languages in library.around().items():
        for language, texts in languages.items():
            pools[kind, language] = list(range(len(sentences), len(sentences) + len(texts)))
            sentences.extend(texts)
    for index, example in enumerate(known):
        if example.level == ROUTINE and not example.alike:
            pools.setdefault((ROUTINE, example.language), []).append(index)

    made = [Made(index, (index,)) for index in range(len(known))]
    for base, example in enumerate(known):
        for _ in range(TIMES):
            parts = [base]

            def add(kind: str, most: int, chance: float = 1.0, language: str = example.language) -> None:
                pool = pools[kind, language]
                if random.random() < chance:
                    parts.extend(
                        pool[random.integers(len(pool))] for _ in range(random.integers(1, most + 1))
                    )  # noqa: B023

            add("neutral", 3, 0.75)
            if example.level == URGENT:
                add("reassuring", 1, 0.06)
                add(ROUTINE, 1, 0.25)
            else:
                add("reassuring", 3, 0.75 if example.alike else 0.25)
                add(ROUTINE, 1, 0.15)
            random.shuffle(parts)
            made.append(Made(base, tuple(parts)))
    return sentences, made


def learn() -> dict[str, NDArray[np.generic]]:
    known = library.examples()
    sentences, made = compose(known)
    reader = patterns()
    texts = [reader.text(sentence) for sentence in sentences]
    cut = [pieces(text) for text in texts]
    model = MiniLM(locate())
    say(f"{len(known)} examples, {len(made)} messages; reading their meaning")
    flat = model.embed([piece.text for parts in cut for piece in parts])
    edges = np.cumsum([0, *(len(parts) for parts in cut)])
    pooled = [
        (flat[a:b] * np.array([[p.weight] for p in parts])).sum(axis=0)
        for a, b, parts in zip(edges, edges[1:], cut, strict=False)
    ]
    words = [[word for part in one.parts for word in (*texts[part].words, ".")] for one in made]
    rare = rarity(words)
    rows = [weigh(one, rare) for one in words]
    wording = Sparse(
        np.array([b for buckets, _ in rows for b in buckets]), np.array([v for _, values in rows for v in values]),
        np.cumsum([0, *(len(buckets) for buckets, _ in rows)]),
    )  # fmt: skip

    scale = np.abs(unit := np.array([_unit(pooled[index]) for index in range(len(known))])).max()
    vectors = np.round(unit * 127 / scale).astype(np.int8)
    seen = unit_rows(np, vectors)
    near = closeness(np, seen @ seen.T).astype(np.float64)

    base = np.array([one.base for one in made])
    fold = np.random.default_rng(SEED).integers(0, FOLDS, len(known))
    out: dict[str, list[Floats]] = {"wording": [], "votes": [], "share": [], "alone": []}
    for head in HEADS:
        wanted, weight = targets(known, head)
        held = np.zeros((2, len(known)))  # what wording and meaning say of an example they were not shown
        for number in range(FOLDS):
            inside, outside = np.flatnonzero((fold != number) & (weight > 0)), np.flatnonzero(fold == number)
            rows = np.flatnonzero((fold[base] != number) & (weight[base] > 0))
            line = fit(wording.take(rows), wanted[base][rows], weight[base][rows], STRENGTH, WIDTH)
            held[0, outside] = wording.take(outside).times(line[:-1]) + line[-1]
            votes = vote(near[np.ix_(inside, inside)], wanted[inside], weight[inside])
            held[1, outside] = near[np.ix_(outside, inside)] @ votes
        rows, use = np.flatnonzero(weight[base] > 0), np.flatnonzero(weight > 0)
        out["wording"].append(
            fit(wording.take(rows), wanted[base][rows], weight[base][rows], STRENGTH, WIDTH)
        )
        votes = np.zeros(len(known))
        votes[use] = vote(near[np.ix_(use, use)], wanted[use], weight[use])
        out["votes"].append(votes)
        out["share"].append(fit(held[:, use].T, wanted[use], weight[use], 1.0, 2))
        out["alone"].append(fit(held[:1, use].T, wanted[use], weight[use], 1.0, 1))
        score = out["share"][-1][:-1] @ held + out["share"][-1][-1]
        say(
            f"  {head:12} on examples it had not seen: {found_at(score[use], wanted[use]):.0%} at 10 % false alarms"
        )
    return {
        "digest": np.array(library.digest()),
        "rarity": rare.astype(np.float16),
        "wording": np.array(out["wording"])[:, :-1].astype(np.float16),
        "wording_bias": np.array(out["wording"])[:, -1].astype(np.float32),
        "votes": np.array(out["votes"]).astype(np.float32),
        "share": np.array(out["share"], dtype=np.float32),
        "alone": np.array(out["alone"], dtype=np.float32),
        "vectors": vectors,
    }


def targets(known: Sequence[Example], head: str) -> tuple[NDArray[np.bool_], Floats]:
    """What a head should say of each example, and how much that example matters to it."""
    if head == URGENT:
        wanted = [example.level == URGENT for example in known]
        weight = [0.6 if example.level == SOON else 1.0 for example in known]
    elif head == SOON:
        wanted = [example.level != ROUTINE for example in known]
        weight = [0.3 if example.level == URGENT else 1.0 for example in known]
    else:
        wanted = [example.category == head for example in known]
        weight = [
            0.0 if example.category is None else 0.2 if example.level == URGENT else 1.0 for example in known
        ]
    return np.array(wanted), np.array(weight)


def found_at(score: Floats, goal: NDArray[np.bool_], alarms: float = 0.1) -> float:
    return float((score[goal] > np.quantile(score[~goal], 1 - alarms)).mean())


def _unit(vector: Floats) -> Floats:
    return vector / max(float(np.linalg.norm(vector)), 1e-9)  # type: ignore[no-any-return]


def say(line: str) -> None:
    sys.stdout.write(line + "\n")


if __name__ == "__main__":
    learned = learn()
    np.savez_compressed(LEARNED, **learned)  # type: ignore[arg-type]
    say(f"wrote {LEARNED.name}, {LEARNED.stat().st_size // 1024} KB")
