"""What happens to a request after it was sent, as acts in order: one function a way that it can go.

When an act happens is told as a wait after the one before it, in a measure of its own, because queues count open
hours and people don't.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from random import Random
from typing import Any

from portal.shell.demo.asks import Ask
from portal.shell.demo.words import book, pick

SHARE = "share"  # of the open time promised for the first answer, from when the task was opened
WORK = "work"  # open minutes of the task's queue
WALL = "wall"  # minutes by the clock, day and night
AWAKE = "awake"  # minutes by the clock, and then the next time between seven in the morning and ten in the evening


@dataclass(frozen=True)
class Act:
    """One thing done, so long after the one before. `words` are what is said, `outcome` is a code."""

    verb: str
    measure: str
    amount: float
    words: str = ""
    outcome: str = ""
    to: str = ""  # the queue of a hand-over
    question: str = ""
    options: tuple[str, ...] = ()


Path = Callable[[Ask, Random, float], list[Act]]


# ---- parts ------------------------------------------------------------------------------------------------------


def claim(share: float) -> Act:
    return Act("claim", SHARE, share)


def work(verb: str, random: Random, low: float, high: float, words: str = "", **more: Any) -> Act:
    return Act(verb, WORK, random.uniform(low, high), words, **more)


def closings(ask: Ask) -> list[list[str]]:
    """The last words that this request may get: an outcome and the words, and perhaps for whom they are."""
    words = ask.words()
    if ask.for_physician:
        column = 2 if ask.language == "es" else 1
        return [[entry[0], entry[column]] for entry in book(ask.kind)["physician"]]
    if ask.kind == "billing" and ask.topic == "plan":
        return list(words["plans"])
    found = words["closings"]
    if ask.kind == "form":
        found = found["referral" if ask.topic == "referral" else "paper"]
    return list(found[ask.topic] if isinstance(found, dict) else found)


def resolve(ask: Ask, random: Random, low: float = 3, high: float = 18) -> Act:
    outcome, text, *_only = pick(random, closings(ask), ask.tags)
    return work("resolve", random, low, high, ask.say(text), outcome=outcome)


def read(random: Random) -> list[Act]:
    """Most people open the answer the same day."""
    return [Act("read", AWAKE, random.lognormvariate(4, 1.3))] if random.random() < 0.88 else []


def in_language(ask: Ask, entry: dict[str, Any]) -> str:
    return ask.say(entry[ask.language])


# ---- the ways ---------------------------------------------------------------------------------------------------


def answered(ask: Ask, random: Random, share: float) -> list[Act]:
    return [claim(share), resolve(ask, random), *read(random)]


def talked(ask: Ask, random: Random, share: float) -> list[Act]:
    """A first word that somebody is at it, and the answer later."""
    first = ask.say(pick(random, ask.words()["firsts"]))
    return [claim(share), work("reply", random, 2, 6, first), resolve(ask, random, 25, 190), *read(random)]


def thanked(ask: Ask, random: Random, share: float) -> list[Act]:
    outcome, text, *_only = pick(random, closings(ask), ask.tags)
    return [
        claim(share),
        work("reply", random, 3, 15, ask.say(text)),
        Act("write", AWAKE, random.lognormvariate(3.6, 1), ask.say(pick(random, ask.words()["thanks"]))),
        work("resolve", random, 5, 60, "", outcome=outcome),
    ]


def asked_back(ask: Ask, random: Random, share: float) -> list[Act]:
    entry = pick(random, ask.words()["questions"], ask.tags)
    return [
        claim(share),
        work("ask back", random, 2, 9, ask.say(entry["ask"])),
        Act("write", AWAKE, random.lognormvariate(4.6, 1.1), ask.say(entry["answer"])),
        resolve(ask, random, 8, 90),
        *read(random),
    ]


def asked_a_physician(ask: Ask, random: Random, share: float) -> list[Act]:
    entry = pick(random, book(ask.kind)["escalations"], ask.tags)
    if entry is None or ask.for_physician:
        return talked(ask, random, share)
    acts = [claim(share)]
    if random.random() < 0.6 and "firsts" in ask.words():
        acts.append(work("reply", random, 2, 6, ask.say(pick(random, ask.words()["firsts"]))))
    return [
        *acts,
        work(
            "escalate", random, 3, 12, ask.say(entry["situation"]), question=entry["question"],
            options=tuple(entry["options"]),
        ),
        work("answer", random, 15, 260, entry["answer"]),
        work("resolve", random, 4, 45, in_language(ask, entry), outcome=entry["outcome"]),
        *read(random),
    ]  # fmt: skip


def handed_over(ask: Ask, random: Random, share: float) -> list[Act]:
    entry = pick(random, book(ask.kind)["hand_overs"], ask.tags)
    if entry is None or ask.for_physician:
        return answered(ask, random, share)
    return [
        claim(share * 0.6),
        work("hand over", random, 2, 8, entry["reason"], to=entry["to"]),
        work("claim", random, 10, 200),
        work("resolve", random, 4, 20, in_language(ask, entry), outcome=entry["outcome"]),
        *read(random),
    ]


def reopened(ask: Ask, random: Random, share: float) -> list[Act]:
    """Answered, and the patient writes once more."""
    entry = pick(random, ask.words()["followups"], ask.tags)
    if entry is None or ask.for_physician:
        return answered(ask, random, share)
    return [
        claim(share),
        resolve(ask, random),
        Act("write", AWAKE, random.lognormvariate(6.4, 0.9), ask.say(entry["write"])),
        claim(random.uniform(0.05, 0.5)),
        work("resolve", random, 3, 15, ask.say(entry["reply"]), outcome=entry["outcome"]),
        *read(random),
    ]


def released(ask: Ask, random: Random, share: float) -> list[Act]:
    """Claimed, put back, and finished by whoever came next."""
    return [
        claim(share * 0.6),
        work("release", random, 1, 6),
        work("claim", random, 6, 90),
        resolve(ask, random),
        *read(random),
    ]


def withdrawn(ask: Ask, random: Random, share: float) -> list[Act]:
    return [Act("withdraw", AWAKE, random.uniform(3, 45))]


def emergency(ask: Ask, random: Random, share: float) -> list[Act]:
    """What a red flag brings about: a nurse within minutes, by the clock."""
    told = book("flags")
    outcome, text = pick(random, told["closings"][ask.language])
    acts = [
        Act("claim", WALL, random.uniform(1, 9)),
        Act("reply", WALL, random.uniform(1, 4), ask.say(pick(random, told["replies"][ask.language]))),
    ]
    if random.random() < 0.65:
        acts.append(Act("write", WALL, random.uniform(2, 9), pick(random, told["answers"][ask.language])))
    return [*acts, Act("resolve", WALL, random.uniform(9, 50), ask.say(text), outcome=outcome), *read(random)]


def worse_later(ask: Ask, random: Random, share: float) -> list[Act]:
    """An ordinary request whose answer to a question holds a red flag."""
    entry = pick(random, ask.words()["questions"], ask.tags)
    alarm = pick(random, book("flags")["later"][ask.language])
    return [
        claim(share),
        work("ask back", random, 2, 9, ask.say(entry["ask"])),
        Act("write", AWAKE, random.lognormvariate(4.6, 0.6), alarm),
        *emergency(ask, random, share),
    ]


WAYS: tuple[tuple[Path, dict[str, float]], ...] = (
    (answered, {"refill": 60, "symptom": 40, "appointment": 60, "result": 48, "form": 52, "billing": 52}),
    (talked, {"refill": 6, "symptom": 10, "appointment": 0, "result": 9, "form": 10, "billing": 12}),
    (thanked, {"refill": 9, "symptom": 9, "appointment": 14, "result": 9, "form": 9, "billing": 9}),
    (asked_back, {"refill": 8, "symptom": 12, "appointment": 9, "result": 9, "form": 12, "billing": 12}),
    (
        asked_a_physician,
        {"refill": 6, "symptom": 14, "appointment": 2, "result": 14, "form": 4, "billing": 0},
    ),
    (handed_over, {"refill": 2.5, "symptom": 5, "appointment": 4, "result": 3, "form": 4, "billing": 4}),
    (reopened, {"refill": 4, "symptom": 6, "appointment": 4, "result": 4, "form": 4, "billing": 5}),
    (released, {"refill": 2, "symptom": 2, "appointment": 2, "result": 2, "form": 2, "billing": 3}),
    (withdrawn, {"refill": 2.5, "symptom": 2, "appointment": 5, "result": 2, "form": 3, "billing": 3}),
)


def way(ask: Ask, random: Random, needs_physician: dict[str, float] | None = None) -> Path:
    """One of the ways for this kind of request. `needs_physician` (share by kind) says how often it takes a
    physician's word, where the demo's own share is not meant."""
    weighted = {path: weights[ask.kind] for path, weights in WAYS}
    if needs_physician is not None:
        share = needs_physician[ask.kind]
        others = sum(weight for path, weight in weighted.items() if path is not asked_a_physician)
        weighted[asked_a_physician] = others * share / (1 - share)
    return random.choices(list(weighted), list(weighted.values()))[0]


# ---- what is still open when the history ends -------------------------------------------------------------------


def unfinished(ask: Ask, random: Random, state: str, share: float) -> list[Act]:
    """The acts that leave a request in this state. `share` of its promise has passed by the end, so they fit in."""
    early = claim(share * random.uniform(0.2, 0.5))
    if state == "claimed":
        firsts = ask.words().get("firsts")
        if not firsts or random.random() < 0.6:
            return [early]
        return [early, work("reply", random, 2, 6, ask.say(pick(random, firsts)))]
    if state == "waiting":
        entry = pick(random, ask.words()["questions"], ask.tags)
        return [early, work("ask back", random, 2, 8, ask.say(entry["ask"]))]
    if state == "escalated":
        entry = pick(random, book(ask.kind)["escalations"], ask.tags)
        return [
            early,
            work("reply", random, 2, 5, ask.say(pick(random, ask.words()["firsts"]))),
            work(
                "escalate", random, 2, 6, ask.say(entry["situation"]), question=entry["question"],
                options=tuple(entry["options"]),
            ),
        ]  # fmt: skip
    if state == "handed":
        entry = pick(random, book(ask.kind)["hand_overs"], ask.tags)
        return [early, work("hand over", random, 2, 6, entry["reason"], to=entry["to"])]
    if state == "urgent":
        told = book("flags")
        reply = ask.say(pick(random, told["replies"][ask.language]))
        return [Act("claim", WALL, 2), Act("reply", WALL, 1.5, reply)] if share > 0.3 else []
    return []  # open: late, with the physicians or with the triage team
