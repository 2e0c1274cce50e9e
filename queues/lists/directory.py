"""Every queue that a person sees, with what waits in it: for a central team, hundreds. One query."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from audit.now import now
from portal.people import prepared
from portal.people.models import User
from queues.lists.scope import LIVE_STATES, QUEUES

ALL = f"""
WITH place AS MATERIALIZED ({QUEUES}),
load AS (
    SELECT t.queue_id, count(*) AS open, count(*) FILTER (WHERE t.state IN ('open', 'reopened')) AS unclaimed,
        count(*) FILTER (WHERE t.due_at < %(now)s AND t.state <> 'waiting') AS late,
        count(*) FILTER (WHERE t.urgency = 3) AS urgent
    FROM queues_task t WHERE t.queue_id IN (SELECT id FROM place) AND t.state IN {LIVE_STATES} GROUP BY t.queue_id
)
SELECT q.id, q.name, coalesce(f.name, ''), place.worked, coalesce(load.open, 0), coalesce(load.unclaimed, 0),
    coalesce(load.late, 0), coalesce(load.urgent, 0)
FROM place JOIN queues_queue q ON q.id = place.id LEFT JOIN people_facility f ON f.id = q.facility_id
LEFT JOIN load ON load.queue_id = q.id
ORDER BY f.name NULLS FIRST, q.name, q.id
"""  # noqa: S608 - put together from constants; every value is a parameter


@dataclass(frozen=True)
class Entry:
    """One queue: where it is, whether this person works it (or only leads it), and what waits in it."""

    pk: int
    name: str
    facility: str
    worked: bool
    open: int
    unclaimed: int
    late: int
    urgent: int

    def fits(self, words: str) -> bool:
        """Whether every word stands in its name or its place."""
        said = f"{self.name} {self.facility}".casefold()
        return all(word in said for word in words.casefold().split())


def directory(user: User, *, words: str = "", late: bool = False) -> tuple[list[Entry], int]:
    """The queues that fit, by place, and how many there are in all."""
    moment = now()
    given: dict[str, Any] = {"user": user.pk, "today": moment.date(), "now": moment}
    entries = [Entry(*row) for row in prepared.rows(ALL, given)]
    found = [entry for entry in entries if entry.fits(words) and (entry.late or not late)]
    return found, len(entries)
