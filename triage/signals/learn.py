"""Learns `data/learned.npz` from the example messages: `python -m triage.signals.learn`.

Run it after changing an example. It needs the meaning model and torch (the dependency group `learn`), which serving
does not; it gives the same file each time on the same machine and takes some forty minutes on a free core. Every
example is also seen inside longer messages made of it and of other sentences, since people wrap what matters in
greetings, hedges, fluster and other business. How the clues are weighed together is learned from what is said of
examples that were kept out of the first teaching; examples that share most of their words are kept out together.
"""

from __future__ import annotations

import os
import sys

os.environ.setdefault(
    "OPENBLAS_NUM_THREADS", "1"
)  # the same sums in the same order, whatever the machine's cores

from collections.abc import Sequence
from dataclasses import dataclass
from zlib import crc32

import numpy as np
import torch
from numpy.typing import NDArray
from torch.nn import functional as F

from . import examples as library
from .company import Maker
from .examples import ROUTINE, SOON, URGENT, Example
from .fitting import Floats, Sparse, fit
from .language import READ, UNKNOWN, detect
from .likeness import CLUES, HEADS, clues, pressing
from .loading import LEARNED
from .meaning import OUTCOMES, TOPICS, Asked, Meaning, Window, strongest, windows
from .minilm import FIRST, LAST, MiniLM, locate
from .patterns import patterns
from .pieces import pieces
from .tuning import Network
from .wording import WIDTH, rarity, weigh

SEED = 20
APART = 6  # one in so many examples is kept out of the first teaching
STRENGTH = 5.0  # how far the wording may go to fit the examples; small is humble
FIRST_ROUNDS, LAST_ROUNDS = 2, 1  # times that each example is seen, without those kept apart and with all
PACE = 1.5e-3
BATCH = 32  # messages of one step
DOUBT = 0.03  # how much doubt is left about each label
PLAIN = 0.5  # share of examples seen as they stand, without other sentences around
AS_SAID = 0.5  # share of Spanish messages that are read as they are said, without the glossary
ALIKE = 0.6  # share of their words from which two examples are kept out together


def asked(text: str, language: str) -> Asked:
    even = patterns().text(text)
    found, aside = patterns().look(even)
    return Asked(even, detect(even, language), found, aside)


@dataclass(frozen=True)
class Shown:
    """One message as the network is shown it, and what it should say."""

    codes: list[int]
    level: int
    topic: int  # -1: says nothing about it
    plain: bool


class Teacher:
    """Shows the network examples, each time in other company. The pace falls from the first step to the last."""

    def __init__(self, network: Network, model: MiniLM, known: Sequence[Example], steps: int) -> None:
        self.network, self.model, self.known, self.steps, self.taken = network, model, known, steps, 0
        self.random = np.random.default_rng(SEED)
        self.maker = Maker(known, self.random)
        share = np.bincount([OUTCOMES.index(one.level) for one in known], minlength=3) / len(known)
        pull = np.array([1.0, 0.6, 1.0]) / share
        self.pull = torch.tensor(pull / pull.mean(), dtype=torch.float32)
        heads = [network.query, network.lines, network.offset]
        changes = [*network.a.parameters(), *network.b.parameters()]
        self.descent = torch.optim.AdamW(
            [
                {"params": changes, "lr": PACE, "weight_decay": 0.01},
                {"params": heads, "lr": 2 * PACE, "weight_decay": 0.0},
            ],
            betas=(0.9, 0.98),
        )
        self.pace = torch.optim.lr_scheduler.LambdaLR(
            self.descent, lambda at: min(1.0, (at + 1) / (0.06 * steps)) * max(0.02, 1 - at / steps)
        )

    def round(self, among: Sequence[int]) -> None:
        """Shows each of these examples once."""
        self.network.train()
        shown = [self._shown(self.known[index]) for index in self.random.permutation(among)]
        batches = []
        for start in range(0, len(shown), BATCH * 12):
            near = sorted(shown[start : start + BATCH * 12], key=lambda one: len(one.codes))
            batches += [near[at : at + BATCH] for at in range(0, len(near), BATCH)]
        cost = 0.0
        for at in self.random.permutation(len(batches)):
            cost += self._step(batches[at])
            self.taken += 1
            if self.taken % 50 == 0:
                say(f"  step {self.taken} of {self.steps}, cost {cost / 50:.3f}")
                cost = 0.0

    def _shown(self, example: Example) -> Shown:
        plain = self.random.random() < PLAIN
        text = self.maker.typed(example.text if plain else self.maker.longer(example))
        even = patterns().text(text)
        language = detect(even, example.language)
        if language == "es" and self.random.random() < AS_SAID:
            language = UNKNOWN
        codes = encode(self.model, Asked(even, language))[0]
        topic = TOPICS.index(example.category) if example.category else -1
        return Shown(codes, OUTCOMES.index(example.level), topic, plain)

    def _step(self, batch: Sequence[Shown]) -> float:
        said = self.network([one.codes for one in batch])
        level = torch.tensor([one.level for one in batch])
        topic = torch.tensor([one.topic for one in batch])
        # of a longer message the category is the example's only where nothing else was asked for
        sure = torch.tensor([1.0 if one.plain else 0.4 for one in batch]) * (topic >= 0)
        cost = self.pull[level] * F.cross_entropy(said[:, :3], level, reduction="none", label_smoothing=DOUBT)
        cost = cost + 0.4 * sure * F.cross_entropy(
            said[:, 3:], topic.clamp(min=0), reduction="none", label_smoothing=DOUBT
        )
        self.descent.zero_grad()
        cost.mean().backward()
        torch.nn.utils.clip_grad_norm_(self.network.parameters(), 1.0)
        self.descent.step()
        self.pace.step()
        return float(cost.detach().mean())


def encode(model: MiniLM, one: Asked) -> list[list[int]]:
    return [window.codes for window in windows(one, pieces(one.text), model)] or [[FIRST, LAST]]


def kept_together(known: Sequence[Example]) -> NDArray[np.int64]:
    """A number for each example; those that share most of their words, directly or through others, share it."""
    words = np.zeros((len(known), 4096), dtype=np.float32)
    for row, example in enumerate(known):
        words[row, [crc32(word.encode()) % 4096 for word in patterns().text(example.text).words or ["."]]] = 1
    words /= np.linalg.norm(words, axis=1, keepdims=True)
    group = np.arange(len(known))
    for start in range(0, len(known), 512):
        for index, other in np.argwhere(words[start : start + 512] @ words.T > ALIKE) + (start, 0):
            a, b = group[index], group[other]
            if a != b:
                group[group == max(a, b)] = min(a, b)
    return group


@dataclass
class Corpus:
    """Everything that is learned from: each example as it stands, then each inside a longer message."""

    known: Sequence[Example]
    messages: list[Asked]
    base: NDArray[np.int64]  # which example a message grew from
    apart: NDArray[np.bool_]  # which examples are kept out of the first teaching

    @classmethod
    def gather(cls) -> Corpus:
        known = library.examples()
        random = np.random.default_rng(SEED)
        maker = Maker(known, random)
        texts = [example.text for example in known] + [
            maker.typed(maker.longer(example)) for example in known
        ]
        messages = [asked(text, known[index % len(known)].language) for index, text in enumerate(texts)]
        apart = (random.integers(0, APART, len(known)) == 0)[kept_together(known)]
        return cls(known, messages, np.arange(len(texts)) % len(known), apart)


def learn_meaning(corpus: Corpus) -> tuple[dict[str, NDArray[np.generic]], Floats]:
    """What is stored of the taught network, and what it said of the messages kept apart before it was shown them."""
    torch.manual_seed(SEED)
    torch.set_num_threads(1)
    model = MiniLM(locate())
    network = Network(model, len(OUTCOMES))
    rest = np.flatnonzero(~corpus.apart)
    batches = -(-len(rest) // BATCH) * FIRST_ROUNDS + -(-len(corpus.known) // BATCH) * LAST_ROUNDS
    teacher = Teacher(network, model, corpus.known, batches)
    for _ in range(FIRST_ROUNDS):
        teacher.round(rest)
    said = measure(network.learned(), [corpus.messages[index] for index in outside(corpus)])
    for _ in range(LAST_ROUNDS):
        teacher.round(np.arange(len(corpus.known)))
    return network.learned(), said


def outside(corpus: Corpus) -> NDArray[np.intp]:
    """The messages kept apart."""
    return np.flatnonzero(corpus.apart[corpus.base])


def measure(learned: dict[str, NDArray[np.generic]], messages: Sequence[Asked]) -> Floats:
    """What meaning says of each, as it is served: urgent against the rest, anything pressing against routine."""
    meaning = Meaning(learned)
    cut = [windows(one, pieces(one.text), meaning.model) or [Window([FIRST, LAST], [])] for one in messages]
    return np.array([strongest(read) for read in meaning.read(cut)])


def vectors(learned: dict[str, NDArray[np.generic]], corpus: Corpus) -> NDArray[np.generic]:
    """The meaning of the examples that a reason may name, by which the nearest is found."""
    meaning = Meaning(learned)
    rows = meaning.model.run([encode(meaning.model, corpus.messages[index])[0] for index in pressing()])
    made = np.array([meaning.vector(one[1:-1] if len(one) > 2 else one) for one in rows])
    # 127 steps, half of what the type holds: the nearest is as well found, and they are stored in less
    return np.round(made / np.abs(made).max() * 63).astype(np.int8)


def learn_wording(corpus: Corpus) -> tuple[dict[str, NDArray[np.generic]], Floats]:
    """The lines from wording, and what lines without the messages kept apart say of these: urgent, and pressing."""
    known, base = corpus.known, corpus.base
    rare = rarity([one.text.words for one in corpus.messages])
    weighed = [weigh(one.text.words or ["."], rare) for one in corpus.messages]
    wording = Sparse(
        np.array([b for buckets, _ in weighed for b in buckets]),
        np.array([v for _, values in weighed for v in values]),
        np.cumsum([0, *(len(buckets) for buckets, _ in weighed)]),
    )
    inside, kept_out = np.flatnonzero(~corpus.apart[base]), outside(corpus)
    said = np.zeros((len(kept_out), 2))
    lines = []
    for head in HEADS:
        wanted, weight = targets(known, head)
        if head in (URGENT, SOON):
            line = fit(wording.take(inside), wanted[base][inside], weight[base][inside], STRENGTH, WIDTH)
            said[:, HEADS.index(head)] = wording.take(kept_out).times(line[:-1]) + line[-1]
        rows = np.flatnonzero(weight[base] > 0)
        lines.append(fit(wording.take(rows), wanted[base][rows], weight[base][rows], STRENGTH, WIDTH))
        say(f"  wording tells {head}")
    wordy = np.array(lines)
    wordy[np.abs(wordy) < 2e-3] = 0  # what hardly counts need not be stored
    return {
        "rarity": rare.astype(np.float16),
        "wording": wordy[:, :-1].astype(np.float16),
        "wording_offset": wordy[:, -1].astype(np.float32),
    }, said


def weigh_together(corpus: Corpus, meaning: Floats, wording: Floats) -> dict[str, NDArray[np.generic]]:
    """How much each clue counts, with meaning and without, by what was said of the messages kept apart."""
    kept_out = outside(corpus)
    table = np.array(
        [
            clues(corpus.messages[index], (meant[0], meant[1]), (worded[0], worded[1]))
            for index, meant, worded in zip(kept_out, meaning, wording, strict=True)
        ]
    )
    without = table * np.array([0.0, 0.0] + [1.0] * (len(CLUES) - 2))
    stacks: dict[str, list[Floats]] = {"both": [], "words": []}
    for head in (URGENT, SOON):
        wanted, weight = (part[corpus.base[kept_out]] for part in targets(corpus.known, head))
        for name, data in (("both", table), ("words", without)):
            line = fit(data, wanted, weight, 1.0, len(CLUES))
            stacks[name].append(line)
            tell(f"{head}_{name}", wanted, data @ line[:-1] + line[-1], corpus)
    return {
        "both": np.array(stacks["both"], dtype=np.float32),
        "alone": np.array(stacks["words"], dtype=np.float32),
    }


def tell(name: str, wanted: NDArray[np.bool_], score: Floats, corpus: Corpus) -> None:
    """Which limit finds how many, and what it alarms for nothing, among the messages kept apart."""
    kept_out = outside(corpus)
    base = corpus.base[kept_out]
    level, language = (
        np.array([getattr(one, part) for one in corpus.known])[base] for part in ("level", "language")
    )
    plain = kept_out < len(corpus.known)
    for spoken in READ:
        for which, among in (("as they stand", plain), ("all", plain | True)):
            mine = among & (language == spoken)
            for share in (0.93, 0.95, 0.97):
                limit = float(np.quantile(score[mine & wanted], 1 - share))
                alarms = ", ".join(
                    f"{other} {np.mean(score[mine & (level == other)] >= limit):.1%}"
                    for other in (SOON, ROUTINE)
                    if not wanted[level == other].any()
                )
                say(f"  {name}_{spoken}, {which}: {limit:+.2f} finds {share:.0%}, alarms {alarms}")


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


def learn() -> dict[str, NDArray[np.generic]]:
    corpus = Corpus.gather()
    say(f"{len(corpus.known)} examples, {int(corpus.apart.sum())} of them kept apart")
    network, meaning = learn_meaning(corpus)
    words, wording = learn_wording(corpus)
    return {
        "digest": np.array(library.digest()),
        **network,
        **words,
        **weigh_together(corpus, meaning, wording),
        "vectors": vectors(network, corpus),
    }


if __name__ == "__main__":
    np.savez_compressed(LEARNED, **learn())  # type: ignore[arg-type]
    say(f"wrote {LEARNED.name}, {LEARNED.stat().st_size // 1024} KB")
