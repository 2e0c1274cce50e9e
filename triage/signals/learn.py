"""Learns `data/learned.npz` from the example messages: `python -m triage.signals.learn`.

Run it after changing an example. It needs the meaning model and gives the same file each time on the same machine;
it takes some twenty minutes on two free cores. Every example is also seen inside longer messages made of it and of
other sentences, since people wrap what matters in greetings, hedges and other business; in a last round also as people
say it who are upset or in a hurry. How the clues are weighed together is learned from what is said of examples that
were kept out of the teaching; examples that resemble each other are kept out together.

`python -m triage.signals.learn --on` goes on from what was learned with the examples that are new: quicker, less exact.
"""

from __future__ import annotations

import os
import sys

os.environ.setdefault(
    "OPENBLAS_NUM_THREADS", "1"
)  # the same sums in the same order, whatever the machine's cores

import multiprocessing
from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass
from typing import Any
from zlib import crc32

import numpy as np
from numpy.typing import NDArray

from . import examples as library
from .company import Maker
from .examples import ROUTINE, SOON, URGENT, Example
from .fitting import Floats, Sparse, fit
from .language import READ, detect
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
ROUNDS_ON, PACE_ON, AMONG = 2, 4e-4, 2  # the same with `--on`, and how many old examples go with each new one
BATCH = 24  # messages of one step
EVEN = 0.03  # how much doubt is left about each label
PLAIN = 0.4  # share of examples seen as they stand, without other sentences around
ALIKE = 0.82  # cosine from which two examples are kept out together


def asked(text: str, language: str) -> Asked:
    even = patterns().text(text)
    found, aside = patterns().look(even)
    return Asked(even, detect(even, language), found, aside)


def encode(model: MiniLM, one: Asked) -> list[list[int]]:
    return [window.codes for window in windows(one, pieces(one.text), model)] or [[101, 102]]


def teach(
    model: MiniLM,
    known: Sequence[Example],
    seed: int,
    *,
    start: Mapping[str, NDArray[Any]] | None = None,
    rounds: int = ROUNDS,
    pace: float = PACE,
    flustered: bool = False,
) -> Taught:
    """Shows the network these examples, some rounds, each time in other company; `start` is what it knows already."""
    random = np.random.default_rng(seed)
    taught, maker = Taught(model, len(OUTCOMES), random), Maker(known, random, flustered=flustered)
    if start:
        taught.know(start)
    levels = np.array([OUTCOMES.index(example.level) for example in known])
    share = np.bincount(levels, minlength=3) / len(known)
    pull = np.array([1.0, 0.6, 1.0]) / np.maximum(share, 1e-6)
    pull = (pull / pull.mean()).astype(np.float32)
    steps = rounds * -(-len(known) // BATCH)
    for number in range(rounds):
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
            step = pace * min(1.0, (taught.steps + 1) / (0.1 * steps)) * max(0.02, 1 - taught.steps / steps)
            cost += taught.step([one[0] for one in batch], _slope(batch, pull), step)
        say(f"  {len(known)} examples, round {number + 1}: cost {cost / len(batches):.3f}")
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


@dataclass
class Corpus:
    """Everything that is learned from: each example as it stands, then each inside a longer message. Wording is
    learned from each in a fluster too."""

    known: Sequence[Example]
    messages: list[Asked]
    base: NDArray[np.int64]  # which example a message grew from

    @classmethod
    def gather(cls) -> Corpus:
        known = library.examples()
        maker = Maker(known, np.random.default_rng(SEED))
        texts = [example.text for example in known] + [maker.longer(example) for example in known]
        messages = [asked(text, known[index % len(known)].language) for index, text in enumerate(texts)]
        return cls(known, messages, np.arange(len(texts)) % len(known))

    def flustered(self) -> list[Asked]:
        maker = Maker(self.known, np.random.default_rng(SEED), flustered=True)
        return [asked(maker.typed(maker.longer(example)), example.language) for example in self.known]

    def folds(self, model: MiniLM) -> NDArray[np.int64]:
        """Which part of the examples each belongs to; those that resemble each other are in one."""
        alone = self.messages[: len(self.known)]
        plain = [rows.mean(axis=0) for rows in model.run([encode(model, one)[0] for one in alone])]
        group = kept_together(np.array(plain))
        return np.random.default_rng(SEED).integers(0, FOLDS, len(self.known))[group]


def taught_without(number: int) -> tuple[NDArray[np.int64], Floats]:
    """Teach without this part, then say what meaning makes of it."""
    corpus, model = Corpus.gather(), MiniLM(locate())
    fold = corpus.folds(model)
    taught = teach(model, [corpus.known[index] for index in np.flatnonzero(fold != number)], SEED + number)
    outside = np.flatnonzero(fold[corpus.base] == number)
    return fold, measure(taught, [corpus.messages[index] for index in outside])


def taught_on_all() -> dict[str, NDArray[np.generic]]:
    """What is kept of the meaning model: its changes, its heads, and the vector of each example."""
    corpus = Corpus.gather()
    taught = steadied(network(teach(MiniLM(locate()), corpus.known, SEED)), corpus.known)
    return kept(taught, corpus.messages[: len(corpus.known)])


def steadied(start: Mapping[str, NDArray[Any]], known: Sequence[Example]) -> Taught:
    """Goes on for a round, with all as people say it who are upset or in a hurry: their fluster says nothing.

    The clues are weighed by what networks without this round say of examples that were kept out."""
    return teach(MiniLM(locate()), known, SEED, start=start, rounds=1, pace=PACE_ON, flustered=True)


def network(taught: Taught) -> dict[str, NDArray[np.generic]]:
    """What is stored of a taught network."""
    return {
        "query": taught.heads.query,
        "lines": taught.heads.lines,
        "offset": taught.heads.offset,
        **{name: change.astype(np.float16) for name, change in taught.changes.items()},
    }


def kept(taught: Taught, alone: Sequence[Asked]) -> dict[str, NDArray[np.generic]]:
    """The same, with the vectors of these examples."""
    whole = taught.model.run([encode(taught.model, one)[0] for one in alone])
    vectors = np.array([rows[1:-1].mean(axis=0) if len(rows) > 2 else rows.mean(axis=0) for rows in whole])
    vectors /= np.linalg.norm(vectors, axis=1, keepdims=True)
    return {
        **network(taught),
        "vectors": np.round(vectors / np.abs(vectors).max() * 127).astype(np.int8),
    }


def learn() -> dict[str, NDArray[np.generic]]:
    with ProcessPoolExecutor(FOLDS + 1, multiprocessing.get_context("spawn")) as pool:
        kept_out = [pool.submit(taught_without, number) for number in range(FOLDS)]
        all_in = pool.submit(taught_on_all)
        corpus = Corpus.gather()
        known, messages, base = corpus.known, corpus.messages, corpus.base
        say(f"{len(known)} examples")
        rare = rarity([one.text.words for one in messages])
        weighed = [weigh(one.text.words or ["."], rare) for one in (*messages, *corpus.flustered())]
        wording = Sparse(
            np.array([b for buckets, _ in weighed for b in buckets]),
            np.array([v for _, values in weighed for v in values]),
            np.cumsum([0, *(len(buckets) for buckets, _ in weighed)]),
        )
        worded = np.append(base, np.arange(len(known)))  # which example each row of `wording` grew from
        said = np.zeros((len(messages), 4))  # what meaning and wording say of messages they were not shown
        for number, job in enumerate(kept_out):
            fold, meaning = job.result()
            outside, rows = np.flatnonzero(fold[base] == number), np.flatnonzero(fold[worded] != number)
            said[outside, :2] = meaning
            for column, head in ((2, URGENT), (3, SOON)):
                wanted, weight = targets(known, head)
                line = fit(wording.take(rows), wanted[worded][rows], weight[worded][rows], STRENGTH, WIDTH)
                said[outside, column] = wording.take(outside).times(line[:-1]) + line[-1]
        network = all_in.result()
    table = np.array(
        [clues(one, (row[0], row[1]), (row[2], row[3])) for one, row in zip(messages, said, strict=True)]
    )
    alone = table * np.array([0.0, 0.0] + [1.0] * (table.shape[1] - 2))
    stacks: dict[str, list[Floats]] = {"both": [], "words": []}
    for head in (URGENT, SOON):
        wanted, weight = targets(known, head)
        for name, data in (("both", table), ("words", alone)):
            line = fit(data, wanted[base], weight[base], 1.0, table.shape[1])
            stacks[name].append(line)
            tell(name, head, data @ line[:-1] + line[-1], known, base)

    lines = []
    for head in HEADS:
        wanted, weight = targets(known, head)
        rows = np.flatnonzero(weight[worded] > 0)
        lines.append(fit(wording.take(rows), wanted[worded][rows], weight[worded][rows], STRENGTH, WIDTH))
    wordy = np.array(lines)
    wordy[np.abs(wordy) < 2e-3] = 0  # what hardly counts need not be stored
    return {
        "digest": np.array(library.digest()),
        "seen": marks(known),
        "rarity": rare.astype(np.float16),
        "wording": wordy[:, :-1].astype(np.float16),
        "wording_offset": wordy[:, -1].astype(np.float32),
        "both": np.array(stacks["both"], dtype=np.float32),
        "alone": np.array(stacks["words"], dtype=np.float32),
        **network,
    }


def tell(name: str, head: str, score: Floats, known: Sequence[Example], base: NDArray[np.int64]) -> None:
    """Which limit finds how many, and what it alarms for nothing, among examples that were kept out."""
    level, language = (
        np.array([getattr(one, part) for one in known])[base] for part in ("level", "language")
    )
    found = level == URGENT if head == URGENT else level != ROUTINE
    plain = np.arange(len(base)) < len(known)
    for spoken in READ:
        for which, among in (("as they stand", plain), ("all", plain | True)):
            mine = among & (language == spoken)
            for share in (0.93, 0.95, 0.97):
                limit = float(np.quantile(score[mine & found], 1 - share))
                alarms = ", ".join(
                    f"{other} {np.mean(score[mine & (level == other)] >= limit):.1%}"
                    for other in (SOON, ROUTINE)
                    if not found[level == other].any()
                )
                say(f"  {head}_{name}_{spoken}, {which}: {limit:+.2f} finds {share:.0%}, alarms {alarms}")


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


def learn_on() -> dict[str, NDArray[np.generic]]:
    """Go on from what was learned: teach the examples that are new, among old ones so that these are not forgotten.

    A few minutes rather than a quarter of an hour, to see what an example does. How the clues are weighed stays."""
    with np.load(LEARNED, allow_pickle=False) as stored:
        start = {name: stored[name] for name in stored.files}
    known, random = library.examples(), np.random.default_rng(SEED)
    seen = set(start["seen"].tolist())
    new = [example for example in known if mark(example) not in seen]
    old = [example for example in known if mark(example) in seen]
    if not new:
        raise SystemExit("No example is new: nothing to learn.")
    say(f"{len(new)} of {len(known)} examples are new")
    company = [old[index] for index in random.permutation(len(old))[: AMONG * len(new)]]
    taught = teach(MiniLM(locate()), [*new, *company], SEED, start=start, rounds=ROUNDS_ON, pace=PACE_ON)
    alone = [asked(example.text, example.language) for example in known]
    return {**start, **kept(taught, alone), "digest": np.array(library.digest()), "seen": marks(known)}


def mark(example: Example) -> int:
    return crc32(f"{example.level} {example.code} {example.text}".encode())


def marks(known: Sequence[Example]) -> NDArray[np.uint32]:
    """Which examples were learned from, so that `--on` knows the new ones."""
    return np.array([mark(example) for example in known], dtype=np.uint32)


if __name__ == "__main__":
    learned = learn_on() if sys.argv[1:] == ["--on"] else learn()
    np.savez_compressed(LEARNED, **learned)  # type: ignore[arg-type]
    say(f"wrote {LEARNED.name}, {LEARNED.stat().st_size // 1024} KB")
