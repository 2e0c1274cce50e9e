"""What one patient asks: the answers to a request type's questionnaire, and what the words about it may name."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import date, timedelta
from random import Random
from typing import Any

from portal.shell.demo.patients import Person
from portal.shell.demo.words import book, pick, sentences

# Share of each kind of request, as practices with a portal see them.
MIX = {"refill": 0.38, "symptom": 0.22, "appointment": 0.19, "result": 0.075, "form": 0.07, "billing": 0.065}

DOCTORS = {"lakeside": ("Dr. Adeyemi", "Dr. de Vries"), "eastside": ("Dr. Sato",)}
DAYS = {
    "en": ("Monday", "Tuesday", "Wednesday", "Thursday", "Friday"),
    "es": ("lunes", "martes", "miércoles", "jueves", "viernes"),
}
TIMES = ("8:40", "9:20", "10:10", "10:50", "11:30", "2:20", "3:10", "3:40", "4:20")


@dataclass
class Ask:
    """A form filled in. `answers` are typed texts by linkId, `tags` say which words fit it."""

    kind: str
    language: str
    answers: dict[str, str | list[str]]
    slots: dict[str, str]
    tags: set[str] = field(default_factory=set)
    topic: str = ""

    @property
    def raw(self) -> dict[str, list[str]]:
        """As a browser would have posted it."""
        return {
            f"i.{link_id}": value if isinstance(value, list) else [value]
            for link_id, value in self.answers.items()
            if value
        }

    @property
    def for_physician(self) -> bool:
        return "physician" in self.tags

    def say(self, text: str) -> str:
        """A text with its slots filled."""
        for name, value in self.slots.items():
            text = text.replace(f"{{{name}}}", value)
        return text

    def words(self) -> dict[str, Any]:
        """What both sides say in the language of the request."""
        found: dict[str, Any] = book(self.kind)[self.language]
        return found


def compose(kind: str, random: Random, person: Person, writer: Person, day: date) -> Ask:
    """A request of this kind by `writer` about `person`, sent on this day."""
    language = person.language
    ask = Ask(
        kind,
        language,
        {},
        {
            "first": writer.given,
            "name": person.given,
            "doctor": random.choice(DOCTORS[person.facility]),
            "day": random.choice(DAYS[language]),
            "time": random.choice(TIMES),
            "amount": f"${random.randint(15, 260)}.{random.choice(('00', '40', '75'))}",
        },
    )
    FORMS[kind](ask, random, person, day)
    ask.answers = {
        link_id: [ask.say(each) for each in value] if isinstance(value, list) else ask.say(value)
        for link_id, value in ask.answers.items()
    }
    if writer is not person and random.random() < 0.15:
        _name_the_patient(ask, person)
    return ask


def _name_the_patient(ask: Ask, person: Person) -> None:
    """Some who write for another say so first, though the form knows."""
    for link_id in ("describe", "note", "details", "question"):
        text = ask.answers.get(link_id)
        if isinstance(text, str) and text:
            about = f"Sobre {person.given}: " if ask.language == "es" else f"About {person.given}: "
            ask.answers[link_id] = about + text
            return


def _weighted(random: Random, weights: Mapping[str, float]) -> str:
    return random.choices(list(weights), list(weights.values()))[0]


def _refill(ask: Ask, random: Random, person: Person, day: date) -> None:
    told, words, age = book("refill"), ask.words(), person.age_on(day)
    if age < 18:
        weights = {"inhaler": 5, "other": 4, "controlled": 2.0 if age > 6 else 0}
        weights["antidepressant"] = 1.0 if age > 12 else 0
    else:
        weights = {
            "heart": 2 + age / 8, "other": 8, "antidepressant": 4, "inhaler": 2.5, "controlled": 1.8,
            "insulin": 1.6, "blood-thinner": 0.5 + max(age - 55, 0) / 20, "seizure": 0.7,
        }  # fmt: skip
    kind = _weighted(random, weights)
    left = _weighted(
        random, {"none": 0.0 if kind == "insulin" else 0.13, "1-3": 0.3, "4-7": 0.34, "more": 0.25}
    )
    changes = random.random() < (0.16 if kind in ("controlled", "antidepressant") else 0.06)
    problems = random.random() < 0.08
    ask.slots |= {
        "medicine": pick(random, told["medicines"][kind]),
        "pharmacy": pick(random, told["pharmacies"]),
    }
    ask.topic = kind
    ask.tags = {kind} | ({"change"} if changes else set()) | ({"problems"} if problems else set())
    if changes and kind in ("controlled", "blood-thinner", "seizure"):
        ask.tags.add("physician")
    note = ""
    if random.random() < 0.55:
        note = sentences(random, words["openings"], words["middles"], words["ends"])
    ask.answers = {
        "medicine": ask.slots["medicine"],
        "kind": kind,
        "left": left,
        "last-dose": _weighted(random, {"today": 3, "yesterday": 4, "2-3": 2, "longer": 0.6})
        if left == "none"
        else "",
        "dose": "change" if changes else "same",
        "dose-wish": pick(random, words["wishes"]) if changes else "",
        "sugar": str(random.randint(92, 248)) if kind == "insulin" and random.random() < 0.8 else "",
        "problems": "true" if problems else "false",
        "problems-text": pick(random, words["problems"]) if problems else "",
        "pharmacy": ask.slots["pharmacy"],
        "supply-days": random.choice(("30", "90", "90")) if kind != "controlled" else "30",
        "note": note,
    }


def _symptom(ask: Ask, random: Random, person: Person, day: date) -> None:
    words, age = ask.words(), person.age_on(day)
    if age < 12:
        weights = {"fever": 5, "cough": 5, "stomach": 3, "skin": 4, "other": 0.8}
    else:
        weights = {
            "cough": 4, "stomach": 3, "skin": 3, "headache": 2.2, "back": 3 + age / 40, "mood": 2.4, "fever": 1.6,
            "breathing": 0.9, "other": 2.2,
        }  # fmt: skip
    what = _weighted(random, weights)
    quick = what in ("fever", "cough", "stomach")
    lasting = {"today": 2.0, "1-3": 5, "4-7": 3} if quick else {"1-3": 2, "4-7": 3, "weeks": 4, "months": 2}
    since = _weighted(random, lasting)
    severity = _weighted(random, {"mild": 4, "moderate": 5, "severe": 0.0 if what == "breathing" else 0.8})
    told = words["tried"]
    tried = [*told.get(what, []), *(told["any"] if what != "mood" else [])]
    ask.topic = what
    ask.tags = {what} | ({"body"} if what != "mood" else set())
    ask.slots |= {"what": WHAT[what], "since": SINCE[since], "severity": severity}
    ask.answers = {
        "what": what,
        "other-what": pick(random, book("symptom")["others"][ask.language]) if what == "other" else "",
        "now": "false" if what == "breathing" else "",
        "temperature": f"{random.uniform(99.6, 103.4):.1f}"
        if what == "fever" and random.random() < 0.85
        else "",
        "blood": "false" if what == "stomach" else "",
        "worst": "false" if what == "headache" else "",
        "harm": "false" if what == "mood" else "",
        "since": since,
        "severity": severity,
        "course": _weighted(random, {"better": 2, "same": 5, "worse": 2}),
        "describe": sentences(random, words["cores"][what], tried, words["ends"]),
    }


WHAT = {
    "fever": "Fever", "cough": "Cough or cold", "stomach": "Stomach or bowel trouble", "skin": "A rash or skin trouble",
    "headache": "Headache", "back": "Back or joint pain", "mood": "Low mood or poor sleep",
    "breathing": "Short of breath on effort", "other": "A symptom of no usual kind",
}  # fmt: skip
SINCE = {
    "today": "since today", "1-3": "for some days", "4-7": "for about a week", "weeks": "for weeks",
    "months": "for months",
}  # fmt: skip


def _appointment(ask: Ask, random: Random, person: Person, day: date) -> None:
    words = ask.words()
    want = _weighted(random, {"new": 5, "move": 3, "cancel": 1.2, "question": 1})
    reason = ""
    if want == "new":
        reason = _weighted(
            random, {"check-up": 4, "follow-up": 4, "vaccine": 2, "lab": 2, "new-problem": 1.4}
        )
    topic = "new-problem" if reason == "new-problem" else want
    notes = words["notes"][topic]
    ask.topic, ask.tags = topic, {topic}
    ahead = random.choice((0, 1, 2, 3, 4, 5, 6, 7, 8, 10, 12, 14, 15, 21))
    helps = {
        "": 6,
        "none": 4,
        "interpreter": 4 if ask.language == "es" else 0,
        "wheelchair": 0.3,
        "ride": 0.3,
    }
    suits = random.sample(["mornings", "afternoons", "mon-wed", "thu-fri"], random.choice((1, 1, 2)))
    ask.answers = {
        "want": want,
        "reason": reason,
        "current": (day + timedelta(days=ahead)).isoformat() if want in ("move", "cancel") else "",
        "days": sorted(suits) if want in ("new", "move") else [],
        "help": _weighted(random, helps) if want in ("new", "move") else "",
        "note": sentences(random, notes["openings"], notes["ends"]),
    }


def _form(ask: Ask, random: Random, person: Person, day: date) -> None:
    words, child = ask.words(), person.age_on(day) < 18
    weights = {"school": 6, "records": 1, "referral": 1, "other": 1} if child else {
        "school": 0.2, "work": 4, "disability": 1.2, "travel": 1, "records": 2, "referral": 4, "other": 1,
    }  # fmt: skip
    which = _weighted(random, weights)
    ask.topic, ask.tags = which, {which} | ({"physician"} if which == "disability" else set())
    ask.slots["what"] = PAPERS[which]
    ask.answers = {
        "which": which,
        "specialist": pick(random, book("form")["specialists"][ask.language]) if which == "referral" else "",
        "needed-by": (day + timedelta(days=random.randint(2, 24))).isoformat()
        if random.random() < 0.7
        else "",
        "deliver": random.choice(("portal", "portal", "pick-up", "mail", "fax")),
        "details": sentences(random, words[which], words["ends"]),
    }


PAPERS = {
    "school": "School form", "work": "Letter for work", "disability": "Disability papers", "travel": "Travel letter",
    "records": "Copy of records", "referral": "Referral", "other": "A paper",
}  # fmt: skip


def _result(ask: Ask, random: Random, person: Person, day: date) -> None:
    words = ask.words()
    topic = _weighted(random, {"ready": 3, "meaning": 5, "next": 2})
    unwell = random.random() < 0.1
    which = _weighted(random, {"blood": 6, "urine": 1, "imaging": 2.5, "screening": 1, "other": 0.5})
    told = pick(random, words["unwell"]) if unwell else ""
    ask.topic, ask.tags = topic, {topic}
    ask.slots |= {"what": RESULTS[which], "unwell": "Feels a little unwell." if unwell else "Feels well."}
    ask.answers = {
        "which": which,
        "taken": (day - timedelta(days=random.randint(2, 16))).isoformat() if random.random() < 0.8 else "",
        "ask": topic,
        "unwell": "true" if unwell else "false",
        "unwell-text": told,
        "question": sentences(random, words[topic]["openings"], words[topic]["ends"]),
    }


RESULTS = {
    "blood": "Blood test", "urine": "Urine test", "imaging": "X-ray or scan", "screening": "Screening test",
    "other": "A result",
}  # fmt: skip


def _billing(ask: Ask, random: Random, person: Person, day: date) -> None:
    words = ask.words()
    about = _weighted(
        random, {"explain": 4, "wrong": 3, "insurance": 3, "plan": 2, "estimate": 1.5, "other": 1}
    )
    ask.topic, ask.tags = about, {about}
    has_bill = about in ("explain", "wrong", "plan") or random.random() < 0.2
    ask.answers = {
        "about": about,
        "bill-date": (day - timedelta(days=random.randint(4, 60))).isoformat() if has_bill else "",
        "amount": ask.slots["amount"].removeprefix("$") if has_bill and random.random() < 0.8 else "",
        "describe": sentences(random, words[about], words["ends"]),
    }


FORMS: dict[str, Callable[[Ask, Random, Person, date], None]] = {
    "refill": _refill,
    "symptom": _symptom,
    "appointment": _appointment,
    "form": _form,
    "result": _result,
    "billing": _billing,
}


def lay_over(ask: Ask, flag: dict[str, Any], random: Random) -> None:
    """Lay a red flag, or something rare, over an ordinary request: its answers, and its words in the free text."""
    if "medicine" in flag:
        medicine = pick(random, book("refill")["medicines"][flag["medicine"]])
        ask.answers |= {
            "medicine": medicine,
            "kind": flag["medicine"],
            "dose-wish": "",
            "last-dose": "",
            "sugar": "",
        }
        ask.slots["medicine"] = medicine
    if ask.kind == "symptom":
        ask.answers |= dict.fromkeys(("other-what", "now", "temperature", "blood", "worst", "harm"), "")
    if ask.kind == "appointment":
        ask.answers |= {"current": "", "days": ["any"]}
    ask.answers |= flag["answers"]
    where = {
        "symptom": "describe", "refill": "note", "appointment": "note", "billing": "describe", "form": "details",
    }[ask.kind]  # fmt: skip
    ask.answers[where] = pick(random, flag[ask.language])
    ask.tags, ask.topic = set(flag.get("tags", ["flag"])), flag.get("topic", ask.topic)
