"""Where the demo clinic works: its calendars, facilities, queues with their targets, and the outcomes of a request."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date, timedelta

from portal.people import days_off
from portal.people.roles import Role
from portal.shell.demo.words import book

ZONE = "America/New_York"
WORKDAYS = ("mon", "tue", "wed", "thu", "fri")
WEEK = (*WORKDAYS, "sat", "sun")
Hours = dict[str, list[list[str]]]

# Both facilities close for lunch at one.
LAKESIDE_HOURS: Hours = {day: [["08:00", "13:00"], ["14:00", "17:30"]] for day in WORKDAYS[:4]} | {
    "fri": [["08:00", "13:00"], ["14:00", "16:00"]]
}
EASTSIDE_HOURS: Hours = {day: [["08:30", "13:00"], ["14:00", "18:00"]] for day in WORKDAYS} | {
    "sat": [["09:00", "12:00"]]
}
CENTRAL_HOURS: Hours = {day: [["07:00", "20:00"]] for day in WORKDAYS} | {"sat": [["09:00", "15:00"]]}
ALWAYS: Hours = {day: [["00:00", "24:00"]] for day in WEEK}

# Public holidays are the country's, but those on which people work here.
COUNTRY = "US"
OPEN_ON = (
    "Martin Luther King Jr. Day",
    "Washington's Birthday",
    "Juneteenth National Independence Day",
    "Columbus Day",
    "Veterans Day",
)

ROUND_THE_CLOCK = "Round the clock"
CENTRAL = "Central team"
CALENDARS: dict[str, Hours] = {
    "Lakeside Clinic": LAKESIDE_HOURS,
    "Eastside Family Health": EASTSIDE_HOURS,
    CENTRAL: CENTRAL_HOURS,
    ROUND_THE_CLOCK: ALWAYS,
}


@dataclass(frozen=True)
class Place:
    code: str
    name: str
    phone: str
    after_hours: str


FACILITIES = (
    Place("lakeside", "Lakeside Clinic", "(315) 555-0142", "(315) 555-0199"),
    Place("eastside", "Eastside Family Health", "(315) 555-0167", "(315) 555-0199"),
)


PROGRAMS = (("anticoagulation", "Blood thinner clinic"), ("diabetes", "Diabetes program"))


@dataclass(frozen=True)
class Room:
    """A queue. `targets` are minutes to the first answer and to the outcome: routine, soon, urgent."""

    code: str
    name: str
    role: str
    team: str
    team_es: str
    targets: tuple[tuple[int, int], tuple[int, int], tuple[int, int]]
    calendar: str = ""


_NURSES = ("the nursing team", "el equipo de enfermería")
_DESK = ("the front desk", "la recepción")

OF_A_FACILITY = (
    Room("refills", "Refills", Role.NURSE, *_NURSES, ((480, 960), (240, 480), (60, 240))),
    Room("symptoms", "Symptoms", Role.NURSE, *_NURSES, ((240, 720), (120, 480), (30, 180))),
    Room("results", "Results", Role.NURSE, *_NURSES, ((720, 1440), (240, 720), (60, 240))),
    Room("appointments", "Appointments", Role.FRONT_DESK, *_DESK, ((480, 960), (240, 480), (60, 240))),
    Room("forms", "Forms and letters", Role.FRONT_DESK, *_DESK, ((720, 1920), (360, 960), (60, 240))),
    Room(
        "physician", "Physician", Role.PHYSICIAN, "the physicians", "el equipo médico",
        ((720, 1440), (300, 720), (60, 240)),
    ),
)  # fmt: skip
OF_THE_CENTRAL_TEAM = (
    Room(
        "triage", "Triage", Role.NURSE, "the triage team", "el equipo de triaje",
        ((360, 1440), (180, 720), (30, 180)), ROUND_THE_CLOCK,
    ),
    Room(
        "urgent", "Urgent", Role.NURSE, "the nurse on call", "la enfermera de guardia",
        ((120, 480), (60, 240), (15, 120)), ROUND_THE_CLOCK,
    ),
    Room(
        "billing", "Billing", Role.BILLING, "the billing team", "el equipo de cobros",
        ((780, 2340), (390, 1170), (60, 240)), CENTRAL,
    ),
)  # fmt: skip


# Nurses' queues of a facility that may receive urgent work name the central queue that never closes.
URGENT_COVER = "urgent"
RECEIVE_URGENT = ("refills", "symptoms", "results")
# Too full with more than this many open ones, new routine refills go to the other facility's nurses.
OVERFLOW = ("refills", 60)
# While the facility's physicians are away or closed, those of the other one answer what is urgent.
COVERED_BY_THE_OTHER = "physician"


@dataclass(frozen=True)
class End:
    """An outcome: its code, what staff and patients read, and the roles that may choose it."""

    code: str
    label: str
    text: str
    text_es: str
    roles: tuple[str, ...]


_ROLES = {"all": tuple(Role), "clinical": (Role.NURSE, Role.PHYSICIAN, Role.LEAD)}


def outcomes() -> list[End]:
    """How a request can end, in the order in which staff see it."""
    return [
        End(
            **{
                **told,
                "roles": _ROLES[told["roles"]] if isinstance(told["roles"], str) else tuple(told["roles"]),
            }
        )
        for told in book("outcomes")["outcomes"]
    ]


def closures(anchor: date) -> Iterator[tuple[str, date, str]]:
    """Calendar, day and name of the days closed from when the history begins to a year after the anchor: public
    holidays, and `trainings`."""
    for day, off in _holidays(anchor).items():
        if anchor - timedelta(days=100) <= day <= anchor + timedelta(days=366):
            yield from ((calendar, day, off.name) for calendar in CALENDARS if calendar != ROUND_THE_CLOCK)
    yield from trainings(anchor)


def trainings(anchor: date) -> Iterator[tuple[str, date, str]]:
    """A day of training each, on the second Wednesday after the anchor and the one after it."""
    wednesday = anchor + timedelta(days=(2 - anchor.weekday()) % 7 + 7)
    taken = _holidays(anchor)
    for number, place in enumerate(FACILITIES):
        day = wednesday + timedelta(days=7 * number)
        if day not in taken:
            yield place.name, day, "Staff training"


def _holidays(anchor: date) -> dict[date, days_off.DayOff]:
    return days_off.holidays_of(COUNTRY, "", range(anchor.year - 1, anchor.year + 2), OPEN_ON)
