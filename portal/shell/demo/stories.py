"""The plan of the history: every request with all that happens to it, worked out before anything is written.

It follows from seed, anchor and number of requests alone; `history` tells it.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, timedelta
from math import ceil
from random import Random
from typing import Any

from portal.shell.demo import paths
from portal.shell.demo.asks import MIX, Ask, compose, lay_over
from portal.shell.demo.outlook import Outlook
from portal.shell.demo.paths import Act
from portal.shell.demo.patients import ADULT, PARENT, SPANISH, Person, youngest
from portal.shell.demo.words import book

DAYS = 90
FLAGGED = 0.027  # share of requests that hold a red flag
WORSE_LATER = 0.002  # share that an answer of the patient turns into one
UNFINISHED = 0.03  # share left unfinished on purpose; what came in last adds as many again
LATE = 0.055
RARE = 0.003  # share of each of the rare ones, and of those who ask for several things within minutes
TOGETHER = ("refill", "appointment", "result", "billing")  # what these ask for, a minute apart


@dataclass
class Story:
    """One request: when, about whom and by whom it was sent, what it says, and what was done about it."""

    at: datetime
    ask: Ask
    patient: int
    writer: int
    acts: list[Act] = field(default_factory=list)


def plan(*, seed: int, anchor: datetime, count: int, people: list[Person]) -> list[Story]:
    """All stories in the order in which they were sent."""
    return _Planner(seed, anchor, count, people).stories()


def month(
    *,
    seed: int,
    start: datetime,
    days: int,
    count: int,
    people: list[Person],
    shares: dict[str, float],
    red_flags: float,
    needs_physician: dict[str, float],
) -> list[Story]:
    """Requests sent in so many days from `start`, in order, each with what it needs. For simulations: when staff come
    to it follows there from who is free."""
    return _Planner(seed, start, count, people, needs_physician).month(start, days, shares, red_flags)


# Of the requests left unfinished: kind, state, and how many of a hundred. “late” is open and late.
_STATES = (
    ("refill", "open", 20), ("refill", "claimed", 3), ("refill", "waiting", 5), ("refill", "escalated", 5),
    ("refill", "physician", 4), ("refill", "late", 2), ("refill", "handed", 1),
    ("symptom", "open", 8), ("symptom", "triage", 4), ("symptom", "claimed", 3), ("symptom", "waiting", 4),
    ("symptom", "escalated", 6), ("symptom", "late", 2), ("symptom", "handed", 2),
    ("appointment", "open", 7), ("appointment", "claimed", 2), ("appointment", "waiting", 2),
    ("appointment", "handed", 1),
    ("result", "open", 4), ("result", "claimed", 1), ("result", "waiting", 1), ("result", "escalated", 2),
    ("form", "open", 4), ("form", "claimed", 1), ("form", "physician", 2), ("form", "late", 1),
    ("billing", "open", 4), ("billing", "claimed", 1), ("billing", "waiting", 1), ("billing", "late", 2),
)  # fmt: skip
_URGENT = 3  # how many of them are red flags

# How much of its promise has passed for each state when the history ends.
_PASSED = {
    "open": (0.03, 0.9), "late": (1.08, 1.7), "claimed": (0.4, 0.92), "waiting": (0.5, 2.4), "escalated": (0.5, 1.4),
    "physician": (0.05, 0.85), "triage": (0.05, 0.85), "handed": (0.4, 0.85), "urgent": (0.15, 0.8),
}  # fmt: skip
# Whoever tries the demo as a patient finds one request on its way.
_HOSTS = (ADULT, SPANISH, PARENT + 1)

_BY_WEEKDAY = (1.35, 1.15, 1.1, 1.05, 1.0, 0.42, 0.36)
_BY_HOUR = (
    0.25, 0.15, 0.1, 0.1, 0.15, 0.4, 1.2, 3.2, 7, 10, 10, 8.5, 6.5, 5.5, 7, 7, 6, 4.2, 3, 3.2, 3.4, 2.6, 1.5, 0.6,
)  # fmt: skip


class _Planner:
    def __init__(
        self,
        seed: int,
        anchor: datetime,
        count: int,
        people: list[Person],
        needs_physician: dict[str, float] | None = None,
    ) -> None:
        self.needs_physician = needs_physician
        self.seed, self.anchor, self.count, self.people = seed, anchor, count, people
        self.outlook = Outlook(anchor)
        self.random = Random(f"deck {seed}")
        self.hosts = list(_HOSTS)
        self.turn = False

    def stories(self) -> list[Story]:
        kinds = self._deck()
        flags = self._flags(kinds)
        tail = self._tail(kinds, flags)
        later = self._worse_later(kinds, flags, tail)
        rare = self._rare(kinds, {*flags, *tail, *later})
        together = self._together(kinds, {*flags, *tail, *later, *rare})
        first: dict[int, datetime] = {}
        before = [self.outlook.today - timedelta(days=number) for number in range(DAYS)]
        # What came in within the last hours is for the unfinished ones to tell.
        moments = self._arrivals(len(kinds) - len(tail), before, last=self.anchor - timedelta(hours=4))
        found = []
        for place, kind in enumerate(kinds):
            random = Random(f"story {self.seed} {place}")
            if place in tail:
                found.append(self._unfinished(random, kind, tail[place], flags.get(place)))
            elif place in rare:
                found.append(self._seldom(random, kind, next(moments), rare[place]))
            elif place in together:
                person, minutes = together[place]
                at = first.setdefault(person.number, next(moments)) + timedelta(minutes=minutes)
                found.append(self._finished(random, kind, at, None, worse=False, person=person))
            else:
                found.append(self._finished(random, kind, next(moments), flags.get(place), place in later))
        return sorted(found, key=lambda story: story.at)

    def month(self, start: datetime, days: int, shares: dict[str, float], red_flags: float) -> list[Story]:
        kinds = self._deck(shares)
        flags = self._flags(kinds, red_flags)
        local = start.astimezone(self.outlook.zone).date()
        moments = self._arrivals(len(kinds), [local + timedelta(days=number) for number in range(days)])
        found = []
        for place, kind in enumerate(kinds):
            random = Random(f"story {self.seed} {place}")
            found.append(self._finished(random, kind, next(moments), flags.get(place), worse=False))
        return sorted(found, key=lambda story: story.at)

    # ---- how many of what ---------------------------------------------------------------------------------------

    def _deck(self, mix: dict[str, float] = MIX) -> list[str]:
        """The kind of each request: exactly the mix, shuffled."""
        shares = {kind: share * self.count for kind, share in mix.items()}
        deck = {kind: int(share) for kind, share in shares.items()}
        for kind in sorted(shares, key=lambda kind: deck[kind] - shares[kind])[
            : self.count - sum(deck.values())
        ]:
            deck[kind] += 1
        cards = [kind for kind, number in deck.items() for _each in range(number)]
        self.random.shuffle(cards)
        return cards

    def _flags(self, kinds: list[str], share: float = FLAGGED) -> dict[int, int]:
        """Which requests hold a red flag, and which one of the book's."""
        listed = book("flags")["flags"]
        free = list(range(len(kinds)))
        self.random.shuffle(free)
        found: dict[int, int] = {}
        for number in range(round(self.count * share)):
            flag = number % len(listed)
            place = next(
                (each for each in free if each not in found and kinds[each] == listed[flag]["kind"]), None
            )
            if place is not None:
                found[place] = flag
        return found

    def _tail(self, kinds: list[str], flags: dict[int, int]) -> dict[int, str]:
        """Which requests are unfinished at the end, and in which state."""
        count = round(self.count * UNFINISHED)
        cards = [(kind, state) for kind, state, weight in _STATES for _each in range(weight)]
        self.random.shuffle(cards)
        urgent = [("", "urgent")] * min(_URGENT, count // 15)
        found: dict[int, str] = {}
        for wanted, state in [*urgent, *cards[: count - len(urgent)]]:
            for place, kind in enumerate(kinds):
                fits = place in flags if state == "urgent" else kind == wanted and place not in flags
                if fits and place not in found:
                    found[place] = state
                    break
        return found

    def _worse_later(self, kinds: list[str], flags: dict[int, int], tail: dict[int, str]) -> set[int]:
        places = [n for n, kind in enumerate(kinds) if kind == "symptom" and n not in flags and n not in tail]
        return set(places[: round(self.count * WORSE_LATER)])

    def _rare(self, kinds: list[str], taken: set[int]) -> dict[int, dict[str, Any]]:
        """Which requests are one of the rare ones."""
        found: dict[int, dict[str, Any]] = {}
        for entry in book("rare")["rare"] * ceil(self.count * RARE):
            place = _free(kinds, entry["kind"], {*found, *taken})
            if place is not None:
                found[place] = entry
        return found

    def _together(self, kinds: list[str], taken: set[int]) -> dict[int, tuple[Person, int]]:
        """Which requests are sent by one person within minutes, before anybody came to the first."""
        found: dict[int, tuple[Person, int]] = {}
        for number in range(ceil(self.count * RARE)):
            person = self._patient(Random(f"together {self.seed} {number}"), "billing", alone=True)
            for minutes, wanted in enumerate(TOGETHER):
                place = _free(kinds, wanted, {*found, *taken})
                if place is not None:
                    found[place] = person, minutes
        return found

    def _arrivals(self, count: int, days: list[date], *, last: datetime | None = None) -> Iterator[datetime]:
        """Moments of these days up to `last`: many in office hours, fewer in the evening and at weekends."""
        zone, random = self.outlook.zone, self.random
        weights = [_BY_WEEKDAY[day.weekday()] for day in days]
        while count:
            day = random.choices(days, weights)[0]
            hour = random.choices(range(24), _BY_HOUR)[0]
            minute, second = random.randrange(60), random.randrange(60)
            at = datetime(day.year, day.month, day.day, hour, minute, second, tzinfo=zone).astimezone(UTC)
            if last is None or at < last:
                count -= 1
                yield at

    # ---- who ----------------------------------------------------------------------------------------------------

    def _patient(self, random: Random, kind: str, *, alone: bool = False, facility: str = "") -> Person:
        """Somebody for this kind of request. Old people ask more often; children have little but school and fevers."""
        while True:
            person = random.choice(self.people)
            age = person.age_on(self.outlook.today)
            if alone and (person.writer is not None or age < 18) or facility not in ("", person.facility):
                continue
            if age < 18:
                weight = {"refill": 0.35, "symptom": 1.0, "form": 0.9, "appointment": 0.7}.get(kind, 0.15)
            else:
                weight = 0.42 + age / 160
            if random.random() < weight * (1.7 if person.named else 1):
                return person

    def _writer(self, random: Random, person: Person) -> Person:
        """Who writes: an old person with a carer sometimes does so themselves."""
        if person.writer is None or (person.has_login and random.random() < 0.35):
            return person
        return self.people[person.writer]

    def _ask(
        self, random: Random, kind: str, at: datetime, person: Person, flag: int | None
    ) -> tuple[Ask, Person]:
        writer = self._writer(random, person)
        ask = compose(kind, random, person, writer, at.astimezone(self.outlook.zone).date())
        if flag is not None:
            lay_over(ask, book("flags")["flags"][flag], random)
        return ask, writer

    # ---- stories ------------------------------------------------------------------------------------------------

    def _finished(
        self,
        random: Random,
        kind: str,
        at: datetime,
        flag: int | None,
        worse: bool,
        person: Person | None = None,
    ) -> Story:
        person = person or self._patient(random, kind, alone=flag is not None or worse)
        ask, writer = self._ask(random, kind, at, person, flag)
        share = random.betavariate(1.5, 3.3)
        if random.random() < LATE:
            share = 1.03 + random.expovariate(3)
        if flag is not None:
            acts = paths.emergency(ask, random, share)
        elif worse:
            acts = paths.worse_later(ask, random, share)
        else:
            acts = paths.way(ask, random, self.needs_physician)(ask, random, share)
        return Story(at, ask, person.number, writer.number, acts)

    def _seldom(self, random: Random, kind: str, at: datetime, entry: dict[str, Any]) -> Story:
        """One of the rare requests: looked into and answered, or dealt with as the red flag it is."""
        if "baby" in entry["tags"]:
            person = youngest(self.people)
            at = min(at, datetime.combine(person.born + timedelta(days=80), at.timetz()))
        else:
            person = self._patient(random, kind, alone=True)
        ask, writer = self._ask(random, kind, at, person, None)
        lay_over(ask, entry, random)
        way = paths.emergency if "flag" in ask.tags else paths.answered
        return Story(at, ask, person.number, writer.number, way(ask, random, random.betavariate(1.5, 3.3)))

    def _unfinished(self, random: Random, kind: str, state: str, flag: int | None) -> Story:
        # The queues of both facilities are to look alive.
        self.turn = not self.turn
        facility = ("lakeside", "eastside")[self.turn]
        # Red flags, physicians' work and odd symptoms are grown-ups' in the book.
        alone = state in ("urgent", "physician", "triage")
        hosted = self.hosts and state == "open" and kind in ("refill", "symptom", "appointment")
        host = self.people[self.hosts.pop()] if hosted else None
        while True:
            person = host or self._patient(random, kind, alone=alone, facility=facility)
            ask, writer = self._ask(random, kind, self.anchor, person, flag)
            # Only what waits for a physician is theirs, and a symptom for the triage team fits no list.
            if ask.for_physician == (state == "physician") and (state != "triage" or ask.topic == "other"):
                break
        low, high = _PASSED[state]
        share = random.uniform(low, high)
        at = self.outlook.promise(ask, person).before(self.anchor, share, random)
        return Story(at, ask, person.number, writer.number, paths.unfinished(ask, random, state, share))


def _free(kinds: list[str], wanted: str, taken: set[int]) -> int | None:
    """The first request of a kind that is nothing special yet."""
    return next((n for n, kind in enumerate(kinds) if kind == wanted and n not in taken), None)
