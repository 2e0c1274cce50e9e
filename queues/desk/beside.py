"""What was done and said about a task, as arrays that the database builds, sorted into what one viewer may see."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from django.contrib.postgres.expressions import ArraySubquery
from django.db.models import Exists, OuterRef, QuerySet
from django.db.models.fields.json import KeyTextTransform, KeyTransform
from django.db.models.functions import JSONObject

from audit.now import now
from portal.people.models import Proxy, User
from queues.models import (
    Call,
    Escalation,
    Filing,
    FollowUp,
    Hold,
    Mention,
    Message,
    Note,
    ProtocolStep,
    Step,
    Task,
    Tick,
)
from queues.policies import DID
from queues.shown import Shown


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
        if step["verb"] == "undo":
            step["note"] = DID.get(step["note"], step["note"])
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
