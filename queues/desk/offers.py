"""What the forms of a task's page offer: outcomes, queues, templates with their variables filled, small forms."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from django.db.models import F, Q, Value
from django.db.models.fields import CharField, TextField
from django.db.models.functions import Cast, Coalesce
from django.utils import translation
from django.utils.formats import date_format

from portal.people.models import Patient, User
from portal.people.prepared import Prepared
from queues import policies
from queues.desk.beside import Desk
from queues.models import Conversation, FollowUpForm, Outcome, Queue, ReplyTemplate, Task
from queues.models.templates import fill
from queues.shown import Shown


@dataclass
class Choices:
    """Outcomes, queues, and templates: what the forms of the page offer."""

    outcomes: list[dict[str, Any]] = field(default_factory=list)
    queues: list[dict[str, Any]] = field(default_factory=list)  # for a part of it
    takers: list[dict[str, Any]] = field(default_factory=list)  # for the whole
    templates: list[dict[str, Any]] = field(default_factory=list)
    forms: list[dict[str, Any]] = field(default_factory=list)


@Prepared
def _choices(queue: int, code: str, facility: int, roles: tuple[str, ...], clinical: bool) -> Any:
    """What the forms of the page offer, in one query: what it is, how it is ranked, picked and called."""

    def row(what: str, rank: Any, pick: Any, words: Any, first: Any, second: Any) -> dict[str, Any]:
        return {
            "what": Value(what),
            "rank": rank,
            "pick": Cast(pick, CharField()),
            "words": words,
            "first": Cast(first, TextField()),
            "second": Cast(second, TextField()),
        }

    none = Value("")
    outcomes = Outcome.objects.filter(retired=False, roles__overlap=list(roles))
    queues = Queue.objects.live().exclude(pk=queue)
    queues = queues.filter(Q(facility=facility) | Q(facility__isnull=True))
    templates = ReplyTemplate.objects.offered().filter(
        Q(queue="") | Q(queue=code), Q(role="") | Q(role__in=roles)
    )
    place = Coalesce(F("facility__name"), none)
    return (
        outcomes.order_by()
        .values(**row("outcome", F("position"), F("code"), F("label"), none, none))
        .union(
            queues.order_by().values(**row("queue", Value(0), F("pk"), F("name"), place, F("role"))),
            templates.order_by().values(
                **row("template", F("position"), F("pk"), F("title"), F("body"), F("body_es"))
            ),
            FollowUpForm.objects.offered(clinical=clinical)
            .order_by()
            .values(**row("form", Value(0), F("code"), F("title"), none, none)),
            all=True,
        )
    )


def choices(task: Task, view: Shown, viewer: User) -> Choices:
    """Everything that can be picked, in one query; templates come filled, in the patient's language."""
    rows: Any = _choices(
        queue=task.queue_id,
        code=task.queue.code,
        facility=task.conversation.patient.facility_id,
        roles=tuple(viewer.roles),
        clinical=viewer.is_clinical,
    )
    found: dict[str, list[dict[str, Any]]] = defaultdict(list)
    for each in rows:
        told = {
            "code": each["pick"],
            "label": each["words"],
            "first": each["first"],
            "second": each["second"],
        }
        found[each["what"]].append(told | {"rank": each["rank"]})
    for listed in found.values():
        listed.sort(key=lambda each: (each["rank"], each["label"]))
    values = Values(task, view, viewer)
    filled = [
        {"code": each["code"], "label": each["label"], **values.fill(each["first"], each["second"])}
        for each in found["template"]
    ]
    return Choices(
        outcomes=found["outcome"],
        queues=found["queue"],
        takers=[each for each in found["queue"] if policies.may_take(each["second"], task)],
        templates=filled,
        forms=found["form"],
    )


class Values:
    """What the variables of a template stand for on this task, in the language of the patient."""

    def __init__(self, task: Task, view: Shown, viewer: User) -> None:
        self.patient: Patient = task.conversation.patient
        facility = self.patient.facility
        # Only what the viewer sees can be put into a reply: a role without clinical fields has no medicine.
        medicine = next((line["value"] for line in view.lines if line.get("key") == "medicine"), "")
        self.due = task.due_at
        self.values = {
            "patient_first_name": self.patient.given_name,
            "first_name": _reader(task).get_short_name(),
            "reference": task.conversation.reference,
            "medicine": medicine,
            "my_name": viewer.signature,
            "clinic_name": facility.name,
            "clinic_phone": facility.phone,
            "after_hours_phone": facility.after_hours_phone,
            "emergency_number": facility.emergency_number,
        }
        self.queue = task.queue

    def fill(self, english: str, spanish: str) -> dict[str, str]:
        """The text as it goes into the box, and the language it is in."""
        language = "es" if self.patient.language == "es" and spanish else "en"
        with translation.override(language):
            moment = self.patient.local(self.due)
            due = date_format(moment, "l, j F, H:i" if language == "es" else "l, F j, P")
        values = self.values | {"due": due, "team": self.queue.team_in(language)}
        return {"text": fill(spanish if language == "es" else english, values), "language": language}


def _reader(task: Task) -> User:
    """Who reads the reply: who wrote from the patient's side, or else the patient."""
    conversation = task.conversation
    patient_wrote = conversation.channel == Conversation.Channel.PORTAL
    return conversation.author if patient_wrote else User(name=conversation.patient.given_name)


def first_words(task: Task, view: Shown, background: str) -> Mapping[str, str]:
    """What a question to a physician may begin with; the asker writes over it."""
    situation = f"{view.patient.name}, {view.patient.age}: {view.title}."
    if view.subtitle:
        situation += f" {view.subtitle}."
    return {"situation": situation, "background": background}


def ask_with(beside: Desk, chosen: Choices) -> dict[str, str]:
    """What the rules prepared for a question back: words, and a form where they name one by its code."""
    codes = {form["code"] for form in chosen.forms}
    return {
        "words": "\n".join(line for line in beside.prepared if line not in codes),
        "form": next((line for line in beside.prepared if line in codes), ""),
    }
