"""The histories of many tasks at a time, out of their rows: a few statements whatever their number."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection, Iterable
from datetime import datetime
from typing import Any
from zoneinfo import ZoneInfo

from django.db.models import F

from audit.now import now
from portal.people.models import StaffRole
from portal.people.roles import Role
from queues import clock
from queues.measures.counting import RETURN, Asked, Done, History, count
from queues.models import (
    Assessment,
    Escalation,
    FormerRouting,
    Message,
    Queue,
    Step,
    Task,
    TaskMeasure,
)

TASK = {
    "id", "state", "urgency", "due_at", "split_from_id", "decision_id", "outcome_id", "conversation_id",
}  # fmt: skip


def measured(keys: Collection[int]) -> list[TaskMeasure]:
    """What each of these tasks counts for now. Nothing is stored."""
    rows = list(
        Task.objects.filter(pk__in=keys)
        .order_by("pk")
        .values(
            *TASK,
            patient=F("conversation__patient_id"),
            place=F("conversation__patient__facility_id"),
            zone=F("conversation__patient__facility__calendar__time_zone"),
            language=F("conversation__patient__language"),
            request_type=F("conversation__request_type"),
            sent_as=F("decision__urgency"),
        )
    )
    return list(_Batch(rows).measures()) if rows else []


class _Batch:
    """The rows of some tasks, put together by task."""

    def __init__(self, tasks: list[dict[str, Any]]) -> None:
        self.tasks, self.moment = tasks, now()
        keys = [row["id"] for row in tasks]
        self.hours: dict[int, clock.Hours] = {}
        self.zones: dict[str, ZoneInfo] = {}
        self.physicians = _grouped(
            StaffRole.objects.filter(role=Role.PHYSICIAN).values_list("user_id", "since", "until")
        )
        self.steps = _grouped(
            Step.objects.filter(task__in=keys)
            .order_by("pk")
            .values_list(
                "task_id", "verb", "before", "after", "at", "by_id", "queue_id", "note",
                "respond_due", "resolve_due", "minutes",
            )
        )  # fmt: skip
        queues = Queue.objects.select_related("calendar").prefetch_related("calendar__closures")
        self.queues = queues.in_bulk({step[5] for steps in self.steps.values() for step in steps})
        self.questions = _grouped(Escalation.objects.filter(task__in=keys).values_list("task_id", "pk"))
        self.judged = _grouped(
            Assessment.objects.filter(task__in=keys)
            .order_by("pk")
            .values_list("task_id", "decided_urgency", "urgency")
        )
        conversations = [row["conversation_id"] for row in tasks]
        said = (
            Message.objects.standing()
            .filter(conversation__in=conversations, from_patient=False, author__in=list(self.physicians))
            .values_list("conversation_id", "author_id", "sent_at")
        )
        self.wrote = {conversation for conversation, by, at in said if self._is_physician(by, at)}
        self.former = _grouped(
            FormerRouting.objects.filter(
                decision__in=[row["decision_id"] for row in tasks if row["decision_id"]]
            ).values_list("decision_id", "baseline_id", "physician")
        )
        others = (
            Task.objects.filter(
                conversation__patient__in={row["patient"] for row in tasks}, split_from__isnull=True
            )
            .order_by("pk")
            .values_list(
                "conversation__patient_id", "id", "conversation__opened_at", "urgency", "decision__urgency"
            )
        )
        self.others = _grouped(others)

    def measures(self) -> Iterable[TaskMeasure]:
        for row in self.tasks:
            history = self._history(row)
            counted = count(history)
            first = self.queues[self.steps[row["id"]][0][5]]
            yield TaskMeasure(
                task_id=row["id"],
                day=history.steps[0].at.astimezone(self._zone(row["zone"])).date(),
                facility_id=row["place"],
                queue=first,
                role=first.role,
                request_type=row["request_type"],
                language=row["language"],
                counts=dict(counted.counts),
                work={f"{month} {person}": dict(each) for (month, person), each in counted.work.items()},
                counted_at=self.moment,
            )

    def _history(self, row: dict[str, Any]) -> History:
        zone = self._zone(row["zone"])
        steps = [self._step(step, zone) for step in self.steps[row["id"]]]
        urgency = row["sent_as"] if row["sent_as"] is not None else row["urgency"]
        judged = self.judged.get(row["id"])
        return History(
            steps=steps,
            counted_at=self.moment,
            urgency=urgency,
            due_at=row["due_at"],
            routed=row["decision_id"] is not None and row["split_from_id"] is None,
            questions=len(self.questions.get(row["id"], ())),
            physician_wrote=row["conversation_id"] in self.wrote,
            former=dict(self.former.get(row["decision_id"], ())),
            judged=judged[-1] if judged else None,
            outcome=row["outcome_id"],
            later=[
                Asked(opened, now_urgent if sent_as is None else sent_as)
                for key, opened, now_urgent, sent_as in self.others.get(row["patient"], ())
                if key != row["id"]
            ],
        )

    def _step(self, step: tuple[Any, ...], zone: ZoneInfo) -> Done:
        verb, before, after, at, by, queue, note, respond_due, resolve_due, minutes = step
        return Done(
            verb=verb,
            before=before,
            after=after,
            at=at,
            by=by,
            in_hours=by is None or clock.is_open(self._hours(queue), at),
            month=at.astimezone(zone).date().replace(day=1).isoformat(),
            physicians=self.queues[queue].role == Role.PHYSICIAN,
            by_physician=self._is_physician(by, at),
            note=note,
            respond_due=respond_due,
            resolve_due=resolve_due,
            minutes=minutes,
        )

    def _is_physician(self, user: int | None, at: datetime) -> bool:
        """Whether this person was one at that time."""
        day = at.date()
        return user is not None and any(
            since <= day and (until is None or day <= until) for since, until in self.physicians.get(user, ())
        )

    def _hours(self, queue: int) -> clock.Hours:
        if queue not in self.hours:
            self.hours[queue] = self.queues[queue].hours()
        return self.hours[queue]

    def _zone(self, name: str) -> ZoneInfo:
        return self.zones.setdefault(name, ZoneInfo(name))


def _grouped(rows: Iterable[tuple[Any, ...]]) -> dict[int, list[tuple[Any, ...]]]:
    """By the first column, the others."""
    found: dict[int, list[tuple[Any, ...]]] = defaultdict(list)
    for first, *rest in rows:
        found[first].append(tuple(rest))
    return dict(found)


def beside(keys: Collection[int]) -> set[int]:
    """What else counts anew when these tasks changed: the other tasks of their conversations, and what had ended
    shortly before they came, for which they may be a return."""
    fresh = Task.objects.filter(pk__in=keys).values_list(
        "conversation_id", "conversation__patient_id", "conversation__opened_at"
    )
    conversations, opened = set(), dict[int, datetime]()
    for conversation, patient, at in fresh:
        conversations.add(conversation)
        opened[patient] = min(at, opened.get(patient, at))
    found = Task.objects.filter(conversation__patient__in=opened).values_list(
        "pk", "conversation_id", "conversation__patient_id", "resolved_at"
    )
    return {
        pk
        for pk, conversation, patient, ended in found
        if conversation in conversations or (ended is not None and ended >= opened[patient] - RETURN)
    }
