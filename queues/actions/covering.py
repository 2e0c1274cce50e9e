"""Who sees a task because they stand in for its own people, and for how long."""

from __future__ import annotations

from functools import cached_property
from typing import Any

from django.db import transaction
from django.db.models import Q

from audit.actions import Kind, record
from audit.now import now
from portal.people.models import User
from queues.actions.telling import coverage_of, people_of, uncovered
from queues.models import Coverage, Escalation, Task
from queues.states import LIVE, State
from queues.urgency import Urgency

COVERED = Q(covering_queue__isnull=False) | Q(covering_person__isnull=False)
IN_VAIN = 2  # alerted more often than this, urgent work goes to whoever covers, too
WHOLLY_LATE = 150  # and all that took one and a half of its promised time


class Cover:
    """One task, locked, and those who stand in for the people it lies with: those of its queue, or those who were asked
    about it."""

    def __init__(self, task: Task) -> None:
        self.task, self.moment = task, now()

    @cached_property
    def question(self) -> Escalation | None:
        if self.task.state != State.ESCALATED:
            return None
        asked = Escalation.objects.filter(task=self.task, answered_at__isnull=True)
        return asked.select_related("queue__calendar").first()

    @property
    def place(self) -> Any:
        return self.question.queue if self.question else self.task.queue

    @property
    def given(self) -> bool:
        """Whether anybody sees it who is not of its queue, now."""
        return bool(self.task.covering_queue_id or self.task.covering_person_id)

    @property
    def lies(self) -> bool:
        """Whether its own people have left it lying, so that whoever covers at all gets it."""
        in_vain = self.question.alerts > 1 if self.question else self.task.alerts > IN_VAIN
        return in_vain or self.task.told >= WHOLLY_LATE

    def now(self) -> Coverage | None:
        """Who should stand in now."""
        urgent = self.task.urgency == Urgency.URGENT or (self.question is not None and self.question.urgent)
        return coverage_of(self.place, self.moment, urgent=urgent or self.lies, anyway=self.lies)

    def is_given(self, row: Coverage | None) -> bool:
        return all(getattr(self.task, name) == value for name, value in self._sight(row).items())

    def give(self, row: Coverage | None) -> list[User]:
        """Let those see and claim it whom the coverage names, and nobody else beside its own people; saved by the
        caller. Returns to whom it is new."""
        if self.is_given(row):
            return []
        self._set(**self._sight(row))
        return people_of(row) if row is not None else []

    def end_after_work(self) -> bool:
        """Whoever stood in for what is done loses sight of it, where they don't stand in any more."""
        row = self.now()
        if not self.given or row is not None and self.is_given(row):
            return False
        self._set(covering_queue=None, covering_person=None)
        self.task.save(update_fields=["covering_queue", "covering_person"])
        return True

    def _sight(self, row: Coverage | None) -> dict[str, Any]:
        """Who sees it beside its own people, as changes of the task. One who stood in and holds it does, too; with an
        open question they do anyway, and only whoever stands in for the asked may answer it."""
        if row is None and self.question is None:
            return uncovered(self.task)
        return {
            "covering_queue": row.covering_queue if row else None,
            "covering_person": row.person if row else None,
        }

    def _set(self, **changes: Any) -> None:
        for name, value in changes.items():
            setattr(self.task, name, value)
        record(
            "queues.task.cover" if self.given else "queues.task.uncover",
            by=None,
            kind=Kind.UPDATE,
            patients=[self.task.conversation.patient_id],
            entity=self.task,
            detail={"queue": self.task.covering_queue_id, "person": self.task.covering_person_id},
        )


def look_again_at_covered() -> int:
    """Let the next sweep look at all that somebody stands in for, whatever became of that coverage, and end it where
    the work is done. Returns how many ended."""
    # In the order of keys, and past those that are held: two who lock many rows in any order wait for each other. What
    # is held is being changed, and looked at for that.
    free = Task.objects.live().filter(COVERED).select_for_update(skip_locked=True, no_key=True).order_by("pk")
    Task.objects.filter(pk__in=free.values("pk")).update(next_step_at=now())
    done = Task.objects.filter(COVERED).exclude(state__in=LIVE).order_by("pk").values_list("pk", flat=True)
    return sum(_end_after_work(pk) for pk in list(done[:5000]))


@transaction.atomic
def _end_after_work(task_id: int) -> bool:
    task = Task.objects.select_for_update(skip_locked=True).filter(pk=task_id).exclude(state__in=LIVE).first()
    return task is not None and Cover(task).end_after_work()
