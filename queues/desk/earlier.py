"""The patient's other requests, for clinical staff."""

from __future__ import annotations

from dataclasses import dataclass

from django.db.models import QuerySet

from portal.people.prepared import Prepared
from queues.models import Task
from queues.states import LIVE, State

PREVIOUS = 6  # earlier requests that the page shows


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
