"""Learns `data/learned.npz` from the example messages: `python -m triage.signals.learn`.

Run it after changing an example. It needs the meaning model and gives the same file each time on the same machine;
it takes some ten minutes. Every example is also seen inside longer messages made of it and of other sentences, since
people wrap what matters in greetings, hedges and other business. How the clues are weighed together is learned from
what is said of examples that were kept out of the teaching; examples that resemble each other are kept out together.
"""

from __future__ import annotations

import os
import sys

os.environ.setdefault(
    "OPENBLAS_NUM_THREADS", "1"
)  # the same sums in the same order, whatever the machine's cores

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from . import examples as library
from .examples import ROUTINE, SOON, URGENT, Example
from .language import detect
from .likeness import HEADS, OUTCOMES, TOPICS, Asked, clues, margins, windows
from .loading import LEARNED
from .minilm import MiniLM, locate
from .patterns import patterns
from .pieces import pieces
from .tuning import Taught
from .wording import WIDTH, rarity, weigh

FOLDS = 2
SEED = 20
STRENGTH = 5.0  # how far the wording may go to fit the examples; small is humble
ROUNDS = 4  # times that the meaning model sees each example
PACE = 1e-3
BATCH = 24  # messages of one step
EVEN = 0.03  # how much doubt is left about each label
PLAIN = 0.4  # share of examples seen as they stand, without other sentences around
ALIKE = 0.82  # cosine from which two examples are kept out together
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
        self._add(parts, example, "reassuring", 0.08 if urgent else 0.4, 2)
        self._add(parts, example, ROUTINE, 0.3 if urgent else 0.25, 2)
        self._add(parts, example, "alike", 0.08 if urgent else 0.2, 1)
        if urgent:
            self._add(parts, example, SOON, 0.1, 1)
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
        for _ in range(1 + len(letters) // 60):
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
        return pool[self.random.integers(len(pool))]


def asked(text: str, language: str) -> Asked:
    even = patterns().text(text)
    found, aside = patterns().look(even)
    return Asked(even, detect(even, language), found, aside)


def encode(model: MiniLM, one: Asked) -> list[list[int]]:
    return [window.codes for window in windows(one, pieces(one.text), model)] or [[101, 102]]


def teach(model: MiniLM, known: Sequence[Example], seed: int) -> Taught:
    """Shows the network these examples, ROUNDS times, each time in other company."""
    random = np.random.default_rng(seed)
    taught, maker = Taught(model, len(OUTCOMES), random), Maker(known, random)
    levels = np.array([OUTCOMES.index(example.level) for example in known])
    share = np.bincount(levels, minlength=3) / len(known)
    pull = np.array([1.0, 0.6, 1.0]) / np.maximum(share, 1e-6)
    pull = (pull / pull.mean()).astype(np.float32)
    steps = ROUNDS * -(-len(known) // BATCH)
    for number in range(ROUNDS):
        order = random.permutation(len(known))
        shown = []
        for index in order:
            example = known[index]
            plain = random.random() < PLAIN
            text = maker.typed(example.text if plain else maker.longer(example))
            topic = example.category
            even = patterns().text(text)
            codes = encode(model, Asked(even, detect(even, example.language)))
            # of a longer message the category is the example's only where nothing else was asked for
            shown.append((codes[0], levels[index], TOPICS.index(topic) if topic else -1, plain))
        batches = []
        for start in range(0, len(shown), BATCH * 12):
            near = sorted(shown[start : start + BATCH * 12], key=lambda one: len(one[0]))
            batches += [near[at : at + BATCH] for at in range(0, len(near), BATCH)]
        cost = 0.0
        for at in random.permutation(len(batches)):
            batch = batches[at]
            pace = PACE * min(1.0, (taught.steps + 1) / (0.1 * steps)) * max(0.02, 1 - taught.steps / steps)
            cost += taught.step([one[0] for one in batch], _slope(batch, pull), pace)
        say(f"    round {number + 1}: cost {cost / len(batches):.3f}")
    return taught


def _slope(
    batch: Sequence[tuple[list[int], int, int, bool]], pull: NDArray[np.float32]
) -> Callable[[NDArray[np.float32]], tuple[float, NDArray[np.float32]]]:
    level = np.array([one[1] for one in batch])
    topic = np.array([one[2] for one in batch])
    sure = np.array([1.0 if one[3] else 0.4 for one in batch]) * (topic >= 0)

    def slope(outcomes: NDArray[np.float32]) -> tuple[float, NDArray[np.float32]]:
        made = np.zeros_like(outcomes)
        first, cost = _soft(outcomes[:, :3], level, pull[level])
        second, _ = _soft(outcomes[:, 3:], np.maximum(topic, 0), 0.4 * sure)
        made[:, :3], made[:, 3:] = first, second
        return cost, made / np.float32(len(batch))

    return slope


def _soft(scores: Any, wanted: Any, weight: Any) -> tuple[Any, float]:
    chance = np.exp(scores - scores.max(axis=1, keepdims=True))
    chance /= chance.sum(axis=1, keepdims=True)
    target = np.full_like(chance, EVEN / chance.shape[1])
    target[np.arange(len(wanted)), wanted] += 1 - EVEN
    cost = -(target * np.log(chance + 1e-9)).sum(axis=1).mean()
    return (chance - target) * np.asarray(weight, dtype=np.float32)[:, None], float(cost)


def measure(taught: Taught, messages: Sequence[Asked]) -> Floats:
    """What meaning says of each: urgent against the rest, anything pressing against routine."""
    cut = [encode(taught.model, one) for one in messages]
    rows = taught.model.run([codes for one in cut for codes in one])
    made, at = [], 0
    for one in cut:
        here = [
            margins(np, taught.heads.pool(row)[0] @ taught.heads.lines + taught.heads.offset)
            for row in rows[at : at + len(one)]
        ]
        made.append((max(pair[0] for pair in here), max(pair[1] for pair in here)))
        at += len(one)
    return np.array(made)


def kept_together(vectors: NDArray[np.float32]) -> NDArray[np.int64]:
    """A number for each example; those that resemble each other, directly or through others, share it."""
    unit = vectors / np.linalg.norm(vectors, axis=1, keepdims=True)
    group = np.arange(len(unit))
    for index in range(len(unit)):
        for other in np.flatnonzero(unit[index + 1 :] @ unit[index] > ALIKE) + index + 1:
            a, b = group[index], group[other]
            if a != b:
                group[group == max(a, b)] = min(a, b)
    return group


def learn() -> dict[str, NDArray[np.generic]]:
    known = library.examples()
    random = np.random.default_rng(SEED)
    maker, model = Maker(known, random), MiniLM(locate())
    say(f"{len(known)} examples")
    texts = [example.text for example in known] + [maker.longer(example) for example in known]
    messages = [asked(text, known[index % len(known)].language) for index, text in enumerate(texts)]
    base = np.arange(len(texts)) % len(known)
    rare = rarity([one.text.words for one in messages])
    weighed = [weigh(one.text.words or ["."], rare) for one in messages]
    wording = Sparse(
        np.array([b for buckets, _ in weighed for b in buckets]),
        np.array([v for _, values in weighed for v in values]),
        np.cumsum([0, *(len(buckets) for buckets, _ in weighed)]),
    )
    plain = [
        rows.mean(axis=0) for rows in model.run([encode(model, one)[0] for one in messages[: len(known)]])
    ]
    group = kept_together(np.array(plain))
    fold = np.random.default_rng(SEED).integers(0, FOLDS, len(known))[group]

    said = np.zeros((len(texts), 4))  # what meaning and wording say of messages they were not shown
    for number in range(FOLDS):
        inside, outside = np.flatnonzero(fold != number), np.flatnonzero(fold[base] == number)
        say(f"  part {number + 1} of {FOLDS} kept out")
        taught = teach(model, [known[index] for index in inside], SEED + number)
        said[outside, :2] = measure(taught, [messages[index] for index in outside])
        taught.release()
        rows = np.flatnonzero(fold[base] != number)
        for column, head in ((2, URGENT), (3, SOON)):
            wanted, weight = targets(known, head)
            line = fit(wording.take(rows), wanted[base][rows], weight[base][rows], STRENGTH, WIDTH)
            said[outside, column] = wording.take(outside).times(line[:-1]) + line[-1]
    table = np.array(
        [clues(one, (row[0], row[1]), (row[2], row[3])) for one, row in zip(messages, said, strict=True)]
    )
    alone = table * np.array([0.0, 0.0] + [1.0] * (table.shape[1] - 2))
    stacks: dict[str, list[Floats]] = {"both": [], "alone": []}
    for head in (URGENT, SOON):
        wanted, weight = targets(known, head)
        for name, data in (("both", table), ("alone", alone)):
            line = fit(data, wanted[base], weight[base], 1.0, table.shape[1])
            stacks[name].append(line)
            tell(name, head, data @ line[:-1] + line[-1], known, base)

    say("  all examples")
    taught = teach(model, known, SEED)
    whole = taught.model.run([encode(model, one)[0] for one in messages[: len(known)]])
    vectors = np.array([rows[1:-1].mean(axis=0) if len(rows) > 2 else rows.mean(axis=0) for rows in whole])
    vectors /= np.linalg.norm(vectors, axis=1, keepdims=True)
    lines = []
    for head in HEADS:
        wanted, weight = targets(known, head)
        rows = np.flatnonzero(weight[base] > 0)
        lines.append(fit(wording.take(rows), wanted[base][rows], weight[base][rows], STRENGTH, WIDTH))
    wordy = np.array(lines)
    wordy[np.abs(wordy) < 2e-3] = 0  # what hardly counts need not be stored
    return {
        "digest": np.array(library.digest()),
        "rarity": rare.astype(np.float16),
        "wording": wordy[:, :-1].astype(np.float16),
        "wording_offset": wordy[:, -1].astype(np.float32),
        "both": np.array(stacks["both"], dtype=np.float32),
        "alone": np.array(stacks["alone"], dtype=np.float32),
        "query": taught.heads.query,
        "lines": taught.heads.lines,
        "offset": taught.heads.offset,
        "vectors": np.round(vectors / np.abs(vectors).max() * 127).astype(np.int8),
        **{name: change.astype(np.float16) for name, change in taught.changes.items()},
    }


def tell(name: str, head: str, score: Floats, known: Sequence[Example], base: NDArray[np.int64]) -> None:
    """Which limit finds how many, and what it alarms for nothing, among examples that were kept out."""
    level = np.array([example.level for example in known])[base]
    found = level == URGENT if head == URGENT else level != ROUTINE
    for share in (0.95, 0.96, 0.97, 0.98):
        limit = float(np.quantile(score[found], 1 - share))
        alarms = ", ".join(
            f"{other} {np.mean(score[level == other] >= limit):.1%}"
            for other in (SOON, ROUTINE)
            if not found[level == other].any()
        )
        say(f"  {name} {head}: limit {limit:+.2f} finds {share:.0%}, false alarms {alarms}")


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


def say(line: str) -> None:
    sys.stdout.write(line + "\n")
    sys.stdout.flush()


if __name__ == "__main__":
    learned = learn()
    np.savez_compressed(LEARNED, **learned)  # type: ignore[arg-type]
    say(f"wrote {LEARNED.name}, {LEARNED.stat().st_size // 1024} KB")
