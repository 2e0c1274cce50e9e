"""Who is there to read a request, and so which time its patient may be told: nobody is promised an answer at an hour
at which nobody reads."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from queues import clock
from queues.models import Queue, Task
from queues.urgency import Urgency


@dataclass(frozen=True)
class Attendance:
    """Who reads requests of one urgency in one queue. `covered`: somebody does at any hour."""

    hours: clock.Hours
    urgent: bool
    covered: bool

    def reads(self, moment: datetime) -> bool:
        return self.covered or clock.is_open(self.hours, moment)

    def opens(self, moment: datetime) -> datetime | None:
        """The moment itself while somebody reads, or else when somebody next does; None where nobody ever does."""
        if self.covered:
            return moment
        try:
            return clock.next_opening(self.hours, moment)
        except clock.NeverOpens:
            return None

    def tells(self, due: datetime, since: datetime) -> bool:
        """Whether a patient was told `due` at `since`: not where it is urgent and nobody reads until then. They were
        told when somebody does."""
        if not self.urgent:
            return True
        opens = self.opens(since)
        return opens is not None and opens <= due


def attendance(queue: Queue, urgency: Urgency) -> Attendance:
    """Who reads what is so urgent in this queue: its own people, or for urgent work whoever covers day and night."""
    cover = queue.urgent_cover if urgency == Urgency.URGENT else None
    return Attendance(
        hours=queue.hours(),
        urgent=urgency == Urgency.URGENT,
        covered=cover is not None and cover.retired_at is None,
    )


def when_promised(task: Task) -> Attendance:
    """Who read when the patient was told the time that is due: in the queue that the task was in then."""
    queue = task.queue
    if task.hand_overs and task.urgency == Urgency.URGENT:
        legs = task.legs.filter(entered_at__lte=task.promised_at).select_related("queue")
        leg = legs.order_by("-entered_at", "pk").first()
        queue = leg.queue if leg else queue
    return attendance(queue, Urgency(task.urgency))
