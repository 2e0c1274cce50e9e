"""What one task counts for: from its history to numbers that add up. Pure; the rows are read elsewhere.

Names with a colon hold spans and kinds: `answer:37` is one first answer after 37 minutes (see `spans`), `outcome:4` one
task that ended so. Times are as the patient waits, day and night; whether a promise was kept goes by what was promised.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta

from queues.measures.spans import span_of
from queues.states import LIVE, State
from queues.urgency import Urgency

# Steps that come from the patient's side, or from nobody; all others by a person are work.
# A call that ends a wait is counted as the call.
NOT_WORK = frozenset(
    {"open", "send", "message", "hear from patient", "reach", "withdraw", "reopen", "raise", "undo"}
)
REPLIES = frozenset({"reply", "ask back"})
ANSWERS = frozenset({"answer", "take over"})
RETURN = timedelta(days=7)


@dataclass(frozen=True)
class Done:
    """One step of a task. `month` is the month (its first day) in which it was done, where it was done."""

    verb: str
    before: str
    after: str
    at: datetime
    by: int | None = None
    in_hours: bool = True  # whether the queue was open
    month: str = ""
    physicians: bool = False  # whether it was in a physicians' queue
    by_physician: bool = False
    note: str = ""
    respond_due: datetime | None = None
    resolve_due: datetime | None = None
    minutes: int | None = None


@dataclass(frozen=True)
class Asked:
    """A later request of the same patient."""

    at: datetime
    urgency: int


@dataclass(frozen=True)
class History:
    """All that is known of one task, as it is counted.

    `urgency` is what it came in with. `former` has, for each baseline that was asked, whether a physician would have
    got it. `judged` is the last word of those who ended it: how urgent it was decided and how urgent it should have
    been.
    """

    steps: Sequence[Done]
    counted_at: datetime
    urgency: int
    due_at: datetime
    routed: bool = True
    questions: int = 0
    physician_wrote: bool = False
    former: Mapping[int, bool] = field(default_factory=dict)
    judged: tuple[int, int] | None = None
    outcome: int | None = None
    later: Sequence[Asked] = ()


@dataclass
class Counted:
    """`work` is by month and person."""

    counts: Counter[str] = field(default_factory=Counter)
    work: dict[tuple[str, int], Counter[str]] = field(default_factory=dict)


def count(history: History) -> Counted:
    """What this task counts for."""
    steps = _standing(history.steps)
    found = Counted()
    counts = found.counts
    counts["tasks"] = 1
    counts["urgent"] = history.urgency >= Urgency.URGENT
    for each in steps:
        _work(each, found)
    _times(steps, history, counts)
    verbs = {each.verb for each in steps}
    counts["rerouted"] = "hand over" in verbs
    counts["reopened"] = "reopen" in verbs
    counts["asked"] = bool(history.questions)
    counts["questions"] = history.questions
    if history.routed:
        reached = bool(history.questions or history.physician_wrote or any(each.physicians for each in steps))
        counts["routed"] = 1
        counts["reached"] = reached
        for baseline, physician in history.former.items():
            # What it sends elsewhere still reaches one where somebody had to ask, as they had to here.
            counts[f"former:{baseline}"] = physician or bool(history.questions)
            counts[f"known:{baseline}"] = 1
            counts[f"reached:{baseline}"] = reached
    if history.judged:
        decided, right = history.judged
        counts["assessed"] = 1
        counts["under"], counts["over"] = right > decided, right < decided
    found.counts = Counter({name: int(number) for name, number in counts.items() if number})
    return found


def _standing(steps: Sequence[Done]) -> list[Done]:
    """The steps that were not taken back. An undo takes back the last one with the verb it names."""
    kept: list[Done] = []
    for each in steps:
        if each.verb == "undo":
            place = next(
                (n for n in range(len(kept) - 1, -1, -1) if kept[n].verb == each.note), None
            )  # fmt: skip
            if place is not None:
                del kept[place]
        else:
            kept.append(each)
    return kept


def _times(steps: Sequence[Done], history: History, counts: Counter[str]) -> None:
    """Waits, promises and how it stands."""
    opened = steps[0].at if steps else history.counted_at
    working, since, state = timedelta(), opened, State.OPEN.value
    ended_at: datetime | None = None
    for each in steps:
        if state in LIVE and state != State.WAITING:
            working += each.at - since
        since, state = each.at, each.after
        if each.respond_due is not None:
            kept = each.at <= each.respond_due
            counts["answer promises"] += 1
            counts["answers kept"] += kept
            counts["late"] |= not kept
            if not counts["answered"]:
                counts["answered"] = 1
                counts[f"answer:{_low(each.at - opened)}"] = 1
        if each.resolve_due is not None:
            kept = each.at <= each.resolve_due
            counts["end promises"] += 1
            counts["ends kept"] += kept
            counts["late"] |= not kept
        if each.after == State.RESOLVED and each.before != State.RESOLVED:
            ended_at = each.at
        elif ended_at is not None and each.verb == "raise" and each.at - ended_at <= RETURN:
            counts["returned"] = 1
    if state == State.RESOLVED and ended_at is not None:
        counts["resolved"] = 1
        back = (each for each in history.later if timedelta() <= each.at - ended_at <= RETURN)
        counts["returned"] |= any(each.urgency > history.urgency for each in back)
        counts[f"end:{_low(working)}"] = 1
        if history.outcome is not None:
            counts[f"outcome:{history.outcome}"] = 1
    elif state == State.WITHDRAWN:
        counts["withdrawn"] = 1
    else:
        counts["open"] = 1
        if state != State.WAITING:
            counts["late"] |= history.due_at <= history.counted_at


def _work(each: Done, found: Counted) -> None:
    if each.by is None or each.verb in NOT_WORK:
        return
    person = found.work.setdefault((each.month, each.by), Counter())
    for counts in (found.counts, person):
        counts["steps"] += 1
        if not each.in_hours:
            counts["after hours"] += 1
        if each.minutes:
            counts["minutes"] += each.minutes
    if each.by_physician and each.minutes:
        found.counts["doctor minutes"] += each.minutes
    person["tasks"] = 1
    person["replies"] += each.verb in REPLIES
    person["calls"] += each.verb == "call"
    person["resolved"] += each.verb == "resolve"
    person["questions answered"] += each.verb in ANSWERS
    for name in [name for name, number in person.items() if not number]:
        del person[name]


def _low(time: timedelta) -> int:
    return span_of(max(0, int(time / timedelta(minutes=1)))).low
