"""Looks of the clock at a moment, and who was told by them."""

from datetime import UTC, datetime
from typing import Any

from audit.now import at
from queues import tasks
from queues.models import Notice, Task

CHEST: dict[str, Any] = {"problems": "true", "which": "My chest hurts and I can't breathe"}
MONDAY = datetime(2027, 7, 5, 14, tzinfo=UTC)  # ten in the morning in New York
OFFICE = {day: [["09:00", "12:00"], ["13:00", "17:00"]] for day in ("mon", "tue", "wed", "thu", "fri")}


def told(task: Task) -> list[tuple[str, str]]:
    """Kind and name of everybody who was told, in order."""
    rows = Notice.objects.filter(task=task).order_by("pk").select_related("recipient")
    return [(row.kind, row.recipient.name.split()[0]) for row in rows]


def sweep_at(moment: datetime) -> None:
    with at(moment):
        tasks.sweep()
