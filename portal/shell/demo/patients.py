"""The invented patients: about two hundred, from babies to people of 95, a fifth of whom write in Spanish."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import date, timedelta
from random import Random

from portal.people.models import Proxy
from portal.shell.demo.staff import STAFF, address
from portal.shell.demo.words import book
from portal.shell.models import DemoClinic

COUNT = 204
Relationship = Proxy.Relationship


@dataclass
class Person:
    """A patient before there is a row. `acts_for` are the numbers of those they write for; `writer` is the number of
    who writes for them."""

    number: int
    given: str
    family: str
    born: date
    language: str
    facility: str
    has_login: bool = True
    named: bool = False
    is_teen: bool = False  # the one child with a log-in of their own; the history doesn't write with it
    writer: int | None = None
    relationship: str = ""
    acts_for: list[int] = field(default_factory=list)

    @property
    def name(self) -> str:
        return f"{self.given} {self.family}"

    @property
    def household(self) -> int:
        """The number of whoever writes for all of it."""
        return self.number if self.writer is None else self.writer

    @property
    def record_number(self) -> str:
        return f"00-{41000 + self.number * 37}"

    def programs(self, day: date) -> list[str]:
        """A few of the older ones are followed more closely."""
        older = self.age_on(day) >= 50
        found = ["anticoagulation"] if older and self.number % 5 == 0 else []
        return [*found, "diabetes"] if older and self.number % 4 == 1 else found

    def age_on(self, day: date) -> int:
        return day.year - self.born.year - ((day.month, day.day) < (self.born.month, self.born.day))


def people_of(marker: DemoClinic) -> list[Person]:
    """The patients as they were invented for this clinic."""
    return patients(marker.seed, marker.anchor.date())


def patients(seed: int, day: date) -> list[Person]:
    """Everybody, in the order in which they are registered. The first are those that the demo's log-ins name."""
    random = Random(f"patients {seed}")
    people: list[Person] = []
    taken = {worker.email for worker in STAFF}
    for person in _named(random, day):
        people.append(person)
        taken.add(address(person.name))
    while len(people) < COUNT:
        household = list(_household(random, day, len(people)))
        if any(address(person.name) in taken for person in household):
            continue
        taken |= {address(person.name) for person in household}
        people += household
    _teenager(people, day).is_teen = True
    # One is a baby of a few weeks for most of the history.
    youngest(people).born = day - timedelta(days=98)
    return people


def youngest(people: list[Person]) -> Person:
    """The patient who was born last: a child for whom a parent writes."""
    return max(people, key=lambda person: (person.relationship == Relationship.PARENT, person.born))


def _teenager(people: list[Person], day: date) -> Person:
    """The child who is old enough to keep something from their parents, at the facility of most log-ins."""
    children = [
        person for person in people if person.relationship == Relationship.PARENT and not person.named
    ]
    return max(
        children,
        key=lambda each: (
            each.age_on(day) >= 13,
            each.language == "en",
            each.facility == "lakeside",
            -each.number,
        ),
    )


ADULT, SPANISH, PARENT = 0, 1, 2  # the numbers of the patients whom anybody can log in as


def _named(random: Random, day: date) -> Iterator[Person]:
    yield Person(ADULT, "Imani", "Brooks", _born(random, day, 46), "en", "lakeside", named=True)
    yield Person(SPANISH, "Rosa", "Villalobos", _born(random, day, 63), "es", "eastside", named=True)
    yield Person(
        PARENT, "Daniel", "Kovacs", _born(random, day, 38), "en", "lakeside", named=True, acts_for=[3, 4]
    )
    for number, (given, age) in enumerate((("Zoe", 8), ("Milo", 2)), start=3):
        yield Person(
            number, given, "Kovacs", _born(random, day, age), "en", "lakeside",
            has_login=False, writer=PARENT, relationship=Relationship.PARENT,
        )  # fmt: skip


def _household(random: Random, day: date, number: int) -> Iterator[Person]:
    """A grown-up alone, a parent with children, or an old person whose carer is a patient too."""
    spanish = random.random() < 0.21
    language = "es" if spanish else "en"
    names = book("names")[language]
    name = random.choice(names["family"])
    facility = "eastside" if random.random() < (0.6 if spanish else 0.42) else "lakeside"
    firsts = random.sample(names["given"], 4)
    draw = random.random()
    if draw < 0.24 and number <= COUNT - 3:
        children = list(range(number + 1, number + 1 + random.choice((1, 1, 2))))
        age = random.randint(24, 46)
        yield Person(number, firsts[0], name, _born(random, day, age), language, facility, acts_for=children)
        for child in children:
            yield Person(
                child, firsts[child - number], name,
                _born(random, day, random.randint(0, min(16, age - 20))), language, facility,
                has_login=False, writer=number, relationship=Relationship.PARENT,
            )  # fmt: skip
    elif draw < 0.31 and number <= COUNT - 2:
        yield Person(
            number,
            firsts[0],
            name,
            _born(random, day, random.randint(42, 63)),
            language,
            facility,
            acts_for=[number + 1],
        )
        yield Person(
            number + 1, firsts[1], name, _born(random, day, random.randint(78, 95)), language, facility,
            writer=number, relationship=random.choice((Relationship.CHILD, Relationship.CARER)),
        )  # fmt: skip
    else:
        age = random.choice((random.randint(18, 39), random.randint(35, 66), random.randint(55, 88)))
        yield Person(number, firsts[0], name, _born(random, day, age), language, facility)


def _born(random: Random, day: date, age: int) -> date:
    """A birthday that makes somebody this old on the day; babies were born before the history begins."""
    return day - timedelta(days=int(age * 365.25) + random.randint(100, 360))
