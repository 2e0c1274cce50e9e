"""How much waits in each queue, for the frame of every staff page: one query, by indexes alone."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

from audit.now import now
from audit.statements import Question
from portal.people import prepared
from portal.people.models import User
from queues.lists.scope import LIVE_STATES, QUEUES
from queues.models import place_name

MOST = 1000  # counted up to here; a person reads no more out of 1,384 than out of 999+
BESIDE = 100  # in the panel beside a page, "99+" is all that is read
FEW = (
    20  # with more queues than that, the frame shows those with late tasks, and a page of their own shows all
)
SHOWN = 12

COUNTS = f"""
WITH place AS MATERIALIZED ({QUEUES}),
size AS MATERIALIZED (SELECT count(*) AS n FROM place),
tardy AS MATERIALIZED (
    SELECT queue_id, count(*) AS late FROM (
        SELECT t.queue_id FROM queues_task t
        WHERE (SELECT n FROM size) > {FEW} AND t.state IN {LIVE_STATES}
        AND t.due_at < %(now)s
        ORDER BY t.due_at LIMIT 2000
    ) first GROUP BY queue_id
),
chosen AS (
    SELECT place.id, place.worked, CASE WHEN place.id = %(here)s OR %(whole)s THEN {MOST} ELSE {BESIDE} END AS most
    FROM place LEFT JOIN tardy ON tardy.queue_id = place.id
    ORDER BY place.id <> %(here)s, coalesce(tardy.late, 0) DESC, NOT place.worked, place.id
    LIMIT CASE WHEN (SELECT n FROM size) > {FEW} THEN {SHOWN} ELSE {FEW} END
)
SELECT q.id, q.name, coalesce(f.name, ''), q.role, q.capacity, chosen.worked, (SELECT n FROM size),
    (SELECT count(*) FROM (SELECT 1 FROM queues_task t WHERE t.queue_id = q.id
        AND t.state IN {LIVE_STATES} LIMIT chosen.most) c)
    + (SELECT count(*) FROM (SELECT 1 FROM queues_task t WHERE t.asked_queue_id = q.id LIMIT chosen.most) c)
    + (SELECT count(*) FROM (SELECT 1 FROM queues_task t WHERE t.covering_queue_id = q.id
        AND t.state IN {LIVE_STATES} LIMIT chosen.most) c),
    (SELECT count(*) FROM (SELECT 1 FROM queues_task t WHERE t.queue_id = q.id AND t.due_at < %(now)s
        AND t.state IN {LIVE_STATES} AND t.state <> 'waiting' LIMIT chosen.most) c),
    (SELECT count(*) FROM (SELECT 1 FROM queues_task t WHERE t.queue_id = q.id AND t.urgency = 3
        AND t.state IN {LIVE_STATES} LIMIT chosen.most) c),
    own.claimed, own.waiting, (SELECT array_agg(id) FROM place WHERE worked),
    (SELECT count(*) FROM queues_mention m WHERE m.user_id = %(user)s AND m.seen_at IS NULL),
    told.unseen, told.alarms
FROM chosen CROSS JOIN LATERAL (SELECT * FROM queues_queue WHERE id = chosen.id OFFSET 0) q
LEFT JOIN people_facility f ON f.id = q.facility_id
CROSS JOIN (
    SELECT count(*) FILTER (WHERE t.state <> 'waiting') AS claimed,
        count(*) FILTER (WHERE t.state = 'waiting') AS waiting
    FROM queues_task t
    WHERE t.owner_id = %(user)s AND t.state IN ('claimed', 'waiting', 'escalated')
) own
CROSS JOIN (
    SELECT count(*) AS unseen, count(*) FILTER (WHERE n.kind IN ('take-up', 'asked-urgently', 'call')) AS alarms
    FROM (SELECT kind FROM queues_notice WHERE recipient_id = %(user)s AND seen_at IS NULL LIMIT {MOST}) n
) told
ORDER BY f.name NULLS FIRST, q.name, q.id
"""  # noqa: S608 - put together from constants; every value is a parameter


def few(number: int, most: int = MOST) -> str:
    """A count as it is shown: "12", "999+"."""
    return str(number) if number < most else f"{most - 1}+"


@dataclass(frozen=True)
class Place:
    """A queue in the frame, with what waits in it."""

    pk: int
    name: str
    facility: str
    role: str
    capacity: int | None
    worked: bool
    open: int
    late: int
    urgent: int

    def __str__(self) -> str:
        return f"{self.name}, {self.facility}" if self.facility else self.name

    @property
    def place(self) -> str:
        return place_name(self.facility)

    @property
    def open_word(self) -> str:
        return few(self.open)

    @property
    def late_word(self) -> str:
        return few(self.late)

    @property
    def open_beside(self) -> str:
        return few(self.open, BESIDE)

    @property
    def late_beside(self) -> str:
        return few(self.late, BESIDE)


@dataclass(frozen=True)
class Counts:
    """A person's queues (all, or the latest where there are many), and what they hold themselves."""

    places: tuple[Place, ...] = ()
    queues: int = 0  # all of them, shown or not
    claimed: int = 0
    waiting: int = 0
    mentions: int = 0  # notes that name them and that they haven't seen
    notices: int = 0  # that they have not seen yet
    alarms: int = 0  # of these, the urgent ones
    # Every queue that the person works, shown or not. What is shown is the same whatever they are.
    works: frozenset[int] = field(default=frozenset(), compare=False)

    @property
    def many(self) -> bool:
        return self.queues > FEW

    def find(self, pk: int) -> Place | None:
        return next((place for place in self.places if place.pk == pk), None)


def counts(user: User, *, here: int = 0, whole: bool = False) -> Counts:
    """`here` is the queue whose page it is; it is among the places if the person may see it. What waits there is
    counted up to `MOST`, in the others up to `BESIDE`, but where the `whole` of all is shown."""
    return counts_of(prepared.rows(*counting(user, here=here, whole=whole)))


def counting(user: User, *, here: int = 0, whole: bool = False) -> Question:
    """The question for the same, for who asks something else beside it."""
    moment = now()
    return COUNTS, {"user": user.pk, "today": moment.date(), "now": moment, "here": here, "whole": whole}


def counts_of(rows: list[tuple[Any, ...]]) -> Counts:
    """What the rows that were found for `counting` say."""
    if not rows:
        return Counts()
    return Counts(
        tuple(Place(*row[:6], *row[7:10]) for row in rows),
        queues=rows[0][6],
        claimed=rows[0][10],
        waiting=rows[0][11],
        works=frozenset(rows[0][12] or ()),
        mentions=rows[0][13],
        notices=rows[0][14],
        alarms=rows[0][15],
    )
