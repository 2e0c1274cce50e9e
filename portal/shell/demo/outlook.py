"""What the demo clinic would do with a request: its queue and the open time promised, worked out without a database.

The plan of the history needs to know before anything is sent. It asks the same pure parts as a real submit does: the
questionnaire, the reader of texts, the engine and the queues' hours.
"""

from __future__ import annotations

import json
from collections.abc import Callable
from datetime import date, datetime, timedelta
from functools import cached_property
from pathlib import Path
from random import Random
from typing import Any
from zoneinfo import ZoneInfo

from intake.questionnaires import Context, Questionnaire, evaluate, load
from portal.shell.demo import places
from portal.shell.demo.asks import Ask
from portal.shell.demo.patients import Person
from portal.shell.demo.places import Room
from queues import clock
from triage import engine, facts, rules_yaml, signals

HERE = Path(__file__).parent
ORDER = ("refill", "symptom", "appointment", "result", "form", "billing")


def resources() -> dict[str, dict[str, Any]]:
    """The questionnaires, as FHIR resources, by code."""
    return {
        code: json.loads((HERE / "questionnaires" / f"{code}.json").read_text(encoding="utf-8"))
        for code in ORDER
    }


def rules(name: str) -> str:
    """The rules as YAML: “now” are those that decide, “former” the practice's routing before."""
    return (HERE / "rules" / f"{name}.yaml").read_text(encoding="utf-8")


class Promise:
    """A queue's hours and the minutes in which it promises the first answer."""

    def __init__(self, queue: str, urgency: str, hours: clock.Hours, minutes: int) -> None:
        self.queue, self.urgency, self.hours, self.minutes = queue, urgency, hours, minutes

    def before(self, moment: datetime, share: float, random: Random) -> datetime:
        """A time at which a request came in if this share of the promise has passed at `moment`.

        Where the queue was closed, many times say the same; one is drawn.
        """
        passed = timedelta(minutes=self.minutes * share)
        if self.urgency == "urgent":
            return moment - passed
        slack = timedelta(seconds=30)
        earliest = self._first(moment, lambda at: clock.between(self.hours, at, moment) <= passed + slack)
        latest = self._first(moment, lambda at: clock.between(self.hours, at, moment) < passed - slack)
        return earliest + (latest - earliest) * random.random()

    @staticmethod
    def _first(moment: datetime, holds: Callable[[datetime], bool]) -> datetime:
        """The first time of the three weeks before `moment` at which it holds, and so does ever after; by halving."""
        low, high = moment - timedelta(days=21), moment
        while high - low > timedelta(seconds=20):
            middle = low + (high - low) / 2
            low, high = (low, middle) if holds(middle) else (middle, high)
        return high


class Outlook:
    """The rules, forms and hours of the clinic around one anchor."""

    def __init__(self, anchor: datetime) -> None:
        self.anchor = anchor
        self.zone = ZoneInfo(places.ZONE)
        self.today: date = anchor.astimezone(self.zone).date()
        closed: dict[str, list[date]] = {}
        for calendar, day, _name in places.closures(self.today):
            closed.setdefault(calendar, []).append(day)
        self.hours = {
            name: clock.Hours.parse(places.ZONE, hours, closed.get(name, []))
            for name, hours in places.CALENDARS.items()
        }

    @cached_property
    def ruleset(self) -> engine.Ruleset:
        return rules_yaml.load(rules("now")).ruleset

    @cached_property
    def forms(self) -> dict[str, Questionnaire]:
        return {code: load(resource) for code, resource in resources().items()}

    def promise(self, ask: Ask, person: Person) -> Promise:
        """What a request sent around the anchor would be promised."""
        decided = self.decide(ask, person)
        room = self._room(decided.queue)
        minutes = room.targets[engine.URGENCIES.index(decided.urgency)][0]
        if decided.respond_within:
            minutes = min(minutes, decided.respond_within)
        place = next(place.name for place in places.FACILITIES if place.code == person.facility)
        return Promise(room.code, decided.urgency, self.hours[room.calendar or place], minutes)

    def decide(
        self, ask: Ask, person: Person, at: datetime | None = None, open_requests: int = 0
    ) -> engine.Decision:
        """What is decided about a request sent at a moment (the anchor), while so many others of theirs are open."""
        told = self._facts(ask, person, at or self.anchor) | {"patient.open_requests": open_requests}
        decided = engine.decide(self.ruleset, told)
        if "flag" in ask.tags and decided.floor == "urgent":
            # Whoever writes one of these saves a page of it, and is shown what to do now.
            return engine.decide(self.ruleset, told | {"notice.shown": True})
        return decided

    def _room(self, code: str) -> Room:
        return next(
            room for room in (*places.OF_A_FACILITY, *places.OF_THE_CENTRAL_TEAM) if room.code == code
        )

    def _facts(self, ask: Ask, person: Person, at: datetime) -> dict[str, Any]:
        local = at.astimezone(self.zone)
        today = local.date()
        state = evaluate(self.forms[ask.kind], ask.raw, Context(today=today, now=local), language="en")
        texts = [text for _link_id, text in state.texts() if text.strip()]
        told: dict[str, Any] = {
            "request.type": ask.kind,
            "patient.age": person.age_on(today),
            "patient.age_months": (today - person.born).days * 12 // 365,
            "patient.language": ask.language,
            "patient.programs": person.programs(today),
            "file.unscreened": "photo" in ask.tags,
            "notice.shown": False,
        }
        told |= facts.signals(signals.read_many(texts, ask.language))
        told |= {
            f"answer.{ask.kind}.{link_id}": _typed(value, today) for link_id, value in state.facts().items()
        }
        return told


def _typed(value: Any, today: date) -> Any:
    """A day as rules read it: its age in days."""
    if isinstance(value, str) and len(value) == 10 and value[4] == value[7] == "-":
        return (today - date.fromisoformat(value)).days
    return value
