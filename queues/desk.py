"""All that lies beside a task on its page, read in a handful of queries however much there is.

What hangs on one task or its conversation comes with the task itself, as arrays that the database builds; what can be
chosen on the page is one more query. Everything here is read for one viewer, whose field list decides what is kept.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from django.contrib.postgres.expressions import ArraySubquery
from django.db.models import Exists, F, OuterRef, Q, QuerySet, Value
from django.db.models.fields import CharField, TextField
from django.db.models.fields.json import KeyTextTransform, KeyTransform
from django.db.models.functions import Cast, Coalesce, JSONObject
from django.utils import translation
from django.utils.formats import date_format

from audit.now import now
from portal.people.models import Patient, Proxy, User
from portal.people.prepared import Prepared
from queues.models import (
    Call,
    Conversation,
    Escalation,
    Filing,
    FollowUp,
    FollowUpForm,
    Hold,
    Mention,
    Message,
    Note,
    Outcome,
    ProtocolStep,
    Queue,
    ReplyTemplate,
    Step,
    Task,
    Tick,
)
from queues.models.templates import fill
from queues.policies import DID
from queues.shown import Shown
from queues.states import LIVE, State

PREVIOUS = 6  # earlier requests that the page shows


def _array(rows: QuerySet[Any], **keys: str) -> ArraySubquery:
    return ArraySubquery(rows.values(row=JSONObject(**keys)))


def _person(path: str, name: str = "by") -> dict[str, str]:
    return {name: f"{path}__name", f"{name}_title": f"{path}__title", f"{name}_id": f"{path}__id"}


def with_all(tasks: QuerySet[Task], viewer: User) -> QuerySet[Task]:
    """Tasks with everything that `read` needs."""
    task, conversation = OuterRef("pk"), OuterRef("conversation_id")
    return (
        tasks.annotate(
            protocol_code=KeyTextTransform("protocol", "decision__result"),
            prepared=KeyTransform("ask_back", "decision__result"),
            category=KeyTextTransform("category", "decision__result"),
        )
        .annotate(
            all_steps=_array(
                Step.objects.filter(task=task).order_by("id"),
                verb="verb", at="at", note="note", queue="queue__name", **_person("by"),
            ),
            all_questions=_array(
                Escalation.objects.filter(task=task).order_by("id"),
                pk="pk", at="asked_at", situation="situation", background="background", assessment="assessment",
                question="question", options="options", answer="answer", answered_at="answered_at",
                taken_over="taken_over", **_person("asked_by"), **_person("answered_by", "answerer"),
            ),
            all_notes=_array(
                Note.objects.filter(conversation=conversation).order_by("id"),
                at="at", body="body", clinical="clinical", **_person("author"),
            ),
            all_calls=_array(
                Call.objects.filter(conversation=conversation).order_by("id"),
                at="at", note="note", result="result", clinical="clinical", **_person("by"),
            ),
            all_ticks=_array(Tick.objects.filter(task=task), step="step_id", at="at", **_person("by")),
            all_protocol=_array(
                ProtocolStep.objects.filter(protocol__code=OuterRef("protocol_code"), retired=False),
                pk="pk", text="text", title="protocol__title", required="protocol__required",
            ),
            all_follow_ups=_array(
                FollowUp.objects.standing().filter(conversation=conversation).order_by("id"),
                message="message_id", answer="answer_id", title="title", lines="summary",
            ),
            open_hold=_array(
                Hold.objects.filter(task=task, undone_at__isnull=True, by=viewer).order_by("-id")[:1],
                verb="verb", until="until", version="version",
            ),
            last_filing=_array(Filing.objects.filter(task=task).order_by("-id")[:1], state="state"),
            is_read=Exists(
                Proxy.objects.open()
                .filter(patient=OuterRef("conversation__patient"))
                .for_type(OuterRef("conversation__request_type"))
            ),
            unseen=_array(
                Mention.objects.filter(note__conversation=conversation, user=viewer, seen_at__isnull=True), pk="pk"
            ),
        )
    )  # fmt: skip


@dataclass
class Protocol:
    """The checklist of a task: each step with who ticked it and when."""

    title: str
    required: bool
    steps: list[dict[str, Any]]

    @property
    def still_open(self) -> int:
        return sum(not step["done"] for step in self.steps)


@dataclass
class Desk:
    """What the page of one task shows beside its summary, for one viewer."""

    steps: list[dict[str, Any]]
    questions: list[dict[str, Any]]
    timeline: list[dict[str, Any]]
    protocol: Protocol | None
    prepared: list[str]
    hold: dict[str, Any] | None
    filing: str
    has_unseen: bool
    is_read: bool  # whether anybody of the patient's side can log in and read a reply
    open_question: dict[str, Any] | None = field(init=False)

    def __post_init__(self) -> None:
        self.open_question = next((each for each in self.questions if each["answered_at"] is None), None)


def read(task: Task, view: Shown, said: list[Message] | None) -> Desk:
    """Sort what came with the task (`with_all`) into what this viewer may see."""
    row: Any = task
    hides = not view.clinical and (task.conversation.clinical or bool(task.flags))
    questions = _rows(row.all_questions, "at", "answered_at") if view.clinical else []
    notes = [each for each in _rows(row.all_notes, "at") if not (hides and each["clinical"])]
    calls = _rows(row.all_calls, "at")
    for call in calls:
        call["label"] = Call.Result(call["result"]).label
        if hides and call["clinical"]:
            call["note"] = ""
    held = next(iter(_rows(row.open_hold, "until")), None)
    if held and (held["until"] <= now() or held["version"] != task.version):
        held = None
    if held:
        held["seconds"] = int((held["until"] - now()).total_seconds())
    filed = next(iter(row.last_filing), None)
    return Desk(
        steps=_did(_rows(row.all_steps, "at")),
        questions=questions,
        timeline=_timeline(_spoken(said or [], row.all_follow_ups, view), notes, calls, questions),
        protocol=_protocol(row) if view.clinical or not task.conversation.clinical else None,
        prepared=[]
        if any(step["verb"] == "ask back" for step in row.all_steps)
        else list(row.prepared or []),
        hold=held,
        filing=str(Filing.State(filed["state"]).label) if filed else "",
        has_unseen=bool(row.unseen),
        is_read=task.conversation.patient.user_id is not None
        or (row.is_read and not task.conversation.confidential),
    )


def _did(steps: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """Each step as a sentence says it, after the name of who took it."""
    for step in steps:
        step["did"] = DID.get(step["verb"], step["verb"])
        if step["verb"] == "call" and step["note"] in Call.Result:
            step["note"] = Call.Result(step["note"]).label
    return steps


def _rows(rows: Iterable[dict[str, Any]], *moments: str) -> list[dict[str, Any]]:
    """What the database sent as JSON, with its moments as moments and its people as they sign."""
    found = []
    for row in rows:
        for name in moments:
            row[name] = datetime.fromisoformat(row[name]) if row[name] else None
        for name in ("by", "answerer"):
            if row.get(f"{name}_title"):
                row[name] = f"{row[name]}, {row[f'{name}_title']}"
        found.append(row)
    return found


def _spoken(said: list[Message], follow_ups: list[dict[str, Any]], view: Shown) -> list[dict[str, Any]]:
    """Messages, with the small form that came with one, and the answers that another brought back."""
    sent = {each["message"]: each for each in follow_ups}
    back = {each["answer"]: each for each in follow_ups if each["answer"]}
    return [
        {
            "kind": "message",
            "at": message.sent_at,
            "message": message,
            "form": sent.get(message.pk),
            "lines": [
                line
                for line in back.get(message.pk, {}).get("lines", [])
                if view.clinical or not line["clinical"]
            ],
        }
        for message in said
    ]


def _timeline(
    said: list[dict[str, Any]],
    notes: list[dict[str, Any]],
    calls: list[dict[str, Any]],
    questions: list[dict[str, Any]],
) -> list[dict[str, Any]]:
    """Messages, calls, notes and answered questions in the order in which they happened."""
    found = list(said)
    for kind, rows in (("note", notes), ("call", calls), ("question", questions)):
        found += [{"kind": kind, **row} for row in rows]
    return sorted(found, key=lambda each: each["at"])


def _protocol(row: Any) -> Protocol | None:
    if not row.all_protocol:
        return None
    ticks = {tick["step"]: tick for tick in _rows(row.all_ticks, "at")}
    steps = [step | {"done": ticks.get(step["pk"])} for step in row.all_protocol]
    return Protocol(title=steps[0]["title"], required=steps[0]["required"], steps=steps)


# ---- what can be chosen ------------------------------------------------------------------------------------------


@dataclass
class Choices:
    """Outcomes, queues to hand over to, and templates: what the forms of the page offer."""

    outcomes: list[dict[str, Any]] = field(default_factory=list)
    queues: list[dict[str, Any]] = field(default_factory=list)
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
            queues.order_by().values(**row("queue", Value(0), F("pk"), F("name"), place, none)),
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
    return Choices(outcomes=found["outcome"], queues=found["queue"], templates=filled, forms=found["form"])


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


# ---- the patient's other requests --------------------------------------------------------------------------------


@dataclass
class Others:
    """The patient's other requests: those that are open in some queue, and the last ones that ended."""

    open: list[Task]
    ended: list[Task]


@Prepared
def _others(patient: int, beside: int) -> QuerySet[Task]:
    return (
        Task.objects.filter(conversation__patient=patient)
        .exclude(pk=beside)
        .select_related("queue__facility", "conversation", "outcome")
        .defer("summary", "why", "flags")
        .order_by("-pk")[:40]
    )


def others(task: Task) -> Others:
    """For clinical staff: so that two people don't answer past each other, and to know what was before."""
    rows = _others(patient=task.conversation.patient_id, beside=task.pk)
    return Others(
        open=[row for row in rows if row.state in LIVE],
        ended=[row for row in rows if row.state == State.RESOLVED][:PREVIOUS],
    )


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
