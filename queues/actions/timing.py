"""How a task's due times move with what happens."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

from audit.now import now
from queues import clock
from queues.models import Task


def answered(task: Task) -> dict[str, Any]:
    """The clock after words to the patient: from now on the outcome is due."""
    if task.responded_at is not None:
        return {}
    return {"responded_at": now(), "due_at": task.resolve_due}


def end_wait(task: Task) -> None:
    """Move what is due by the open time that was waited."""
    hours = task.queue.hours()
    waited = clock.between(hours, task.waiting_since or now(), now())
    minutes = int(waited / timedelta(minutes=1))
    task.resolve_due = clock.add(hours, task.resolve_due, minutes) if minutes else task.resolve_due
    task.due_at = task.resolve_due
    task.save(update_fields=["resolve_due", "due_at"])
