"""The filters of a list as data: how each is read from the address, told as a chip, and asked of the database.

An address holds keys and codes and nothing about a patient, so that a list can be kept as a bookmark or sent on.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, NamedTuple
from urllib.parse import urlencode

from django.utils.translation import gettext as _

from audit.now import now
from portal.people.models import LANGUAGES, Facility
from queues.urgency import Urgency

AGES = {"child": (0, 18), "adult": (18, 65), "older": (65, 200)}
SINCE = {"1d": timedelta(days=1), "3d": timedelta(days=3), "7d": timedelta(days=7)}

# Filter by filter: the words of SQL, over t (task), p (patient). Those with p need the patient's row.
SQL = {
    "urgency": "t.urgency = %(urgency)s",
    "late": "t.due_at < %(now)s AND t.state <> 'waiting'",
    "mine": "t.owner_id = %(user)s",
    "unclaimed": "t.owner_id IS NULL",
    "since": "t.opened_at < %(since)s",
    "tag": "%(tag)s = ANY(t.tags)",
    "facility": "p.facility_id = %(facility)s",
    "language": "p.language = %(language)s",
    "age": "p.birth_date > %(born_after)s AND p.birth_date <= %(born_until)s",
}
PATIENTS = ("facility", "language", "age")


class Chip(NamedTuple):
    """A choice as a word, and the address without it."""

    word: str
    without: str


@dataclass(frozen=True)
class Choices:
    """What somebody chose to see of a list. Empty values choose nothing."""

    urgency: str = ""
    late: str = ""
    mine: str = ""
    unclaimed: str = ""
    since: str = ""
    tag: str = ""
    facility: str = ""
    language: str = ""
    age: str = ""

    @classmethod
    def read(cls, given: Mapping[str, str]) -> Choices:
        """From an address. What is no known choice is left out: an old bookmark still shows the list."""
        allowed = {
            "urgency": [urgency.word for urgency in Urgency],
            "late": ["1"],
            "mine": ["1"],
            "unclaimed": ["1"],
            "since": list(SINCE),
            "language": [code for code, _name in LANGUAGES],
            "age": list(AGES),
        }
        chosen = {name: given.get(name, "") for name in allowed if given.get(name, "") in allowed[name]}
        tag, facility = given.get("tag", ""), given.get("facility", "")
        if tag.replace("-", "").replace("_", "").isalnum() and len(tag) <= 40:
            chosen["tag"] = tag
        if facility.isdecimal() and len(facility) < 10:
            chosen["facility"] = facility
        if chosen.get("mine"):
            chosen.pop("unclaimed", None)
        return cls(**chosen)

    def chosen(self) -> dict[str, str]:
        return {name: value for name, value in vars(self).items() if value}

    def __bool__(self) -> bool:
        return bool(self.chosen())

    def query(self, *, without: str = "") -> str:
        """The part of an address behind the "?", with its mark; empty when nothing is chosen."""
        left = {name: value for name, value in self.chosen().items() if name != without}
        return f"?{urlencode(left)}" if left else ""

    @property
    def needs_patient(self) -> bool:
        return any(name in PATIENTS for name in self.chosen())

    def where(self) -> str:
        return "".join(f" AND {SQL[name]}" for name in self.chosen())

    def values(self) -> dict[str, Any]:
        moment = now()
        young, old = AGES.get(self.age, (0, 0))
        return {
            "urgency": Urgency.from_word(self.urgency) if self.urgency else None,
            "since": moment - SINCE[self.since] if self.since else None,
            "tag": self.tag,
            "facility": int(self.facility or 0),
            "language": self.language,
            "born_until": _years_before(moment, young),
            "born_after": _years_before(moment, old),
        }

    def chips(self) -> tuple[Chip, ...]:
        return tuple(
            Chip(self._word(name, value), self.query(without=name) or "?")
            for name, value in self.chosen().items()
        )

    def _word(self, name: str, value: str) -> str:
        if name == "facility":
            return Facility.objects.filter(pk=int(value)).values_list("name", flat=True).first() or value
        if name == "tag":
            return value
        return str(dict(options()[name])[value])


def options() -> dict[str, list[tuple[str, Any]]]:
    """What can be chosen in each filter that has a fixed list, as (value, words)."""
    return {
        "urgency": [(urgency.word, urgency.label) for urgency in reversed(Urgency)],
        "late": [("1", _("late"))],
        "mine": [("1", _("claimed by me"))],
        "unclaimed": [("1", _("unclaimed"))],
        "since": [
            ("1d", _("in for over a day")),
            ("3d", _("in for over 3 days")),
            ("7d", _("in for over a week")),
        ],
        "language": list(LANGUAGES),
        "age": [("child", _("under 18")), ("adult", _("18 to 64")), ("older", _("65 and over"))],
    }


def _years_before(moment: datetime, years: int) -> Any:
    """The day on which somebody who turns so many years today was born."""
    day = moment.date()
    year = max(day.year - years, 1)
    return day.replace(year=year, day=28) if (day.month, day.day) == (2, 29) else day.replace(year=year)
