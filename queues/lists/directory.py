"""Every queue that a person sees, with what waits in it: for a central team, hundreds. One query."""

from __future__ import annotations

from dataclasses import dataclass
from itertools import groupby
from typing import Any

from audit.now import now
from portal.people import prepared
from portal.people.models import User
from queues.lists.scope import LIVE_STATES, QUEUES
from queues.lists.search import fold

ALL = f"""
WITH place AS MATERIALIZED ({QUEUES}),
load AS (
    SELECT t.queue_id, count(*) AS open, count(*) FILTER (WHERE t.state IN ('open', 'reopened')) AS unclaimed,
        count(*) FILTER (WHERE t.due_at < %(now)s AND t.state <> 'waiting') AS late,
        count(*) FILTER (WHERE t.urgency = 3) AS urgent
    FROM queues_task t WHERE t.queue_id IN (SELECT id FROM place) AND t.state IN {LIVE_STATES} GROUP BY t.queue_id
)
SELECT q.id, q.name, coalesce(f.id, 0), coalesce(f.name, ''), place.worked, coalesce(load.open, 0),
    coalesce(load.unclaimed, 0), coalesce(load.late, 0), coalesce(load.urgent, 0)
FROM place JOIN queues_queue q ON q.id = place.id LEFT JOIN people_facility f ON f.id = q.facility_id
LEFT JOIN load ON load.queue_id = q.id
ORDER BY f.name NULLS FIRST, f.id, q.name, q.id
"""  # noqa: S608 - put together from constants; every value is a parameter


@dataclass(frozen=True)
class Entry:
    """One queue: where it is, whether this person works it (or only leads it), and what waits in it."""

    pk: int
    name: str
    site: int  # the key of its facility; 0 for a central one
    facility: str
    worked: bool
    open: int
    unclaimed: int
    late: int
    urgent: int

    def fits(self, words: str) -> bool:
        """Whether every word stands in its name or its place."""
        said = fold(f"{self.name} {self.facility}")
        return all(word in said for word in fold(words).split())


@dataclass(frozen=True)
class Site:
    """A facility with all that waits in the queues that this person sees there."""

    pk: int
    name: str
    queues: int
    open: int
    late: int
    urgent: int


def sites(entries: list[Entry]) -> list[Site]:
    """The places of these queues: those with late tasks first, then by name."""
    found = []
    for (pk, name), rows in groupby(entries, key=lambda entry: (entry.site, entry.facility)):
        here = list(rows)
        sums = (sum(getattr(row, what) for row in here) for what in ("open", "late", "urgent"))
        found.append(Site(pk, name, len(here), *sums))
    return sorted(found, key=lambda site: (-site.late, site.pk != 0))


def directory(
    user: User, *, words: str = "", late: bool = False, site: int | None = None
) -> tuple[list[Entry], int]:
    """The queues that fit, by place, and how many there are in all."""
    moment = now()
    given: dict[str, Any] = {"user": user.pk, "today": moment.date(), "now": moment}
    entries = [Entry(*row) for row in prepared.rows(ALL, given)]
    found = [
        entry
        for entry in entries
        if entry.fits(words) and (entry.late or not late) and site in (None, entry.site)
    ]
    return found, len(entries)
