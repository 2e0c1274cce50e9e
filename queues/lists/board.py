"""The lead's board: how much each queue and each person has before them, and what will be late today."""

from __future__ import annotations

from collections import defaultdict
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any

from django.db.models import Q

from audit.now import now
from portal.people import prepared
from portal.people.models import Facility, User
from portal.people.roles import Role
from queues import clock, forecast
from queues.lists.reading import LINE, LINE_JOINS
from queues.lists.scope import LIVE_STATES, QUEUES
from queues.models import Queue, QueueGroupPermission
from queues.presence import LASTS
from queues.shown import Line, line

MOST_QUEUES = 60  # on the board, those that need a look first
MOST_TASKS = 40
AHEAD = timedelta(hours=36)  # today ends within that, wherever the queue is

LED = f"WITH place AS MATERIALIZED (SELECT id FROM ({QUEUES}) seen WHERE id = ANY(%(led)s))"  # noqa: S608
LOAD = f"""
{LED}
SELECT t.queue_id, count(*), count(*) FILTER (WHERE t.state IN ('open', 'reopened')),
    count(*) FILTER (WHERE t.due_at < %(now)s AND t.state <> 'waiting')
FROM queues_task t WHERE t.queue_id IN (SELECT id FROM place) AND t.state IN {LIVE_STATES} GROUP BY t.queue_id
"""  # noqa: S608 - from constants; every value is a parameter
DONE = f"""
{LED}
SELECT t.queue_id, count(*) FROM queues_task t
WHERE t.queue_id IN (SELECT id FROM place) AND t.state = 'resolved' AND t.resolved_at > %(pace)s GROUP BY t.queue_id
"""  # noqa: S608
SOON = f"""
{LED}
SELECT t.queue_id, t.id, t.due_at FROM queues_task t
WHERE t.queue_id IN (SELECT id FROM place) AND t.state IN {LIVE_STATES} AND t.state <> 'waiting'
AND t.due_at < %(soon)s ORDER BY t.due_at, t.id LIMIT 5000
"""  # noqa: S608
HELD = f"""
{LED}
SELECT t.owner_id, count(*) FILTER (WHERE t.state <> 'waiting'), count(*) FILTER (WHERE t.state = 'waiting'),
    count(*) FILTER (WHERE t.due_at < %(now)s AND t.state <> 'waiting')
FROM queues_task t
WHERE t.queue_id IN (SELECT id FROM place) AND t.state IN {LIVE_STATES} AND t.owner_id IS NOT NULL GROUP BY t.owner_id
"""  # noqa: S608
ROWS = f"""
{LED}
SELECT {LINE} FROM queues_task t {LINE_JOINS}
WHERE t.id = ANY(%(tasks)s) AND t.queue_id IN (SELECT id FROM place) ORDER BY t.due_at, t.id
"""  # noqa: S608


@dataclass
class Load:
    """A queue with what is before it."""

    queue: Queue
    open: int = 0
    unclaimed: int = 0
    late: int = 0
    today: int = 0  # due by midnight and not late yet
    late_today: int = 0  # of those, what will be late at this pace
    pace: float = 0.0  # tasks an open hour, over the last two weeks
    is_open: bool = True

    @property
    def pace_word(self) -> str:
        return f"{self.pace:.1f}"


@dataclass
class Hands:
    """A person with what they hold."""

    user: User
    claimed: int = 0
    waiting: int = 0
    late: int = 0
    queues: list[Queue] = field(default_factory=list)

    @property
    def full(self) -> bool:
        limits = [queue.capacity for queue in self.queues if queue.capacity]
        return bool(limits) and self.claimed >= sum(limits)


@dataclass
class Board:
    led: list[Load]  # every queue, those that need a look first
    hands: list[Hands]
    rows: list[Line]  # late, or late by tonight
    coming: set[int]  # keys of those that are not late yet
    late: int
    late_today: int

    @property
    def loads(self) -> list[Load]:
        """As many as are shown."""
        return self.led[:MOST_QUEUES]


def board(lead: User, *, facility: Facility | None = None) -> Board:
    """Everything as it stands now, for the queues that this person leads (at one facility, or at all of them)."""
    moment = now()
    queues = Queue.objects.led_by(lead).select_related("facility", "calendar")
    if facility is not None:
        queues = queues.filter(facility=facility)
    loads = {queue.pk: Load(queue) for queue in queues.prefetch_related("calendar__closures")}
    given: dict[str, Any] = {
        "user": lead.pk,
        "today": moment.date(),
        "now": moment,
        "led": list(loads),
        "pace": moment - forecast.PACE_OVER,
        "soon": moment + AHEAD,
        "present": moment - LASTS,
    }
    for pk, live, unclaimed, late in prepared.rows(LOAD, given):
        loads[pk].open, loads[pk].unclaimed, loads[pk].late = live, unclaimed, late
    hours: dict[int, clock.Hours] = {}
    opened: dict[int, bool] = {}
    for load in loads.values():
        if load.queue.calendar_id not in hours:
            hours[load.queue.calendar_id] = load.queue.hours()
            opened[load.queue.calendar_id] = clock.is_open(hours[load.queue.calendar_id], moment)
        load.is_open = opened[load.queue.calendar_id]
    for pk, done in prepared.rows(DONE, given):
        loads[pk].pace = forecast.pace(done, hours[loads[pk].queue.calendar_id], moment)
    late_by_tonight, coming = _foresee(loads, hours, moment, given)
    rows = [
        line(row, viewer=lead, moment=moment)
        for row in prepared.rows(ROWS, given | {"tasks": late_by_tonight[:MOST_TASKS]})
    ]
    shown = sorted(
        loads.values(), key=lambda load: (-load.late_today, -load.late, -load.open, str(load.queue))
    )
    return Board(
        led=shown,
        hands=_hands(list(loads), given),
        rows=rows,
        coming=coming,
        late=sum(load.late for load in loads.values()),
        late_today=sum(load.late_today for load in loads.values()),
    )


def _foresee(
    loads: dict[int, Load], hours: dict[int, clock.Hours], moment: datetime, given: dict[str, Any]
) -> tuple[list[int], set[int]]:
    """Which tasks are late or will be by tonight, those that can still be saved first."""
    due: dict[int, list[tuple[datetime, int]]] = defaultdict(list)
    for pk, task, due_at in prepared.rows(SOON, given):
        due[pk].append((due_at, task))
    late: list[tuple[datetime, int]] = []
    coming: list[tuple[datetime, int]] = []
    for pk, tasks in due.items():
        load = loads[pk]
        open_hours = hours[load.queue.calendar_id]
        tonight = forecast.end_of_day(open_hours, moment)
        load.today = sum(moment < due_at < tonight for due_at, _task in tasks)
        places = forecast.will_be_late([due_at for due_at, _task in tasks], open_hours, load.pace, moment)
        load.late_today = len(places)
        coming += [tasks[place] for place in places]
        late += [each for each in tasks if each[0] < moment]
    coming.sort()
    return [task for _due, task in [*coming, *sorted(late)]], {task for _due, task in coming}


def _hands(led: list[int], given: dict[str, Any]) -> list[Hands]:
    """The people of these queues, those with most before them first."""
    held = {owner: counts for owner, *counts in prepared.rows(HELD, given)}
    grants = QueueGroupPermission.objects.filter(
        content_object__in=led, permission__codename="work_queue"
    ).select_related("content_object__facility")
    queues_of: dict[int, list[Queue]] = defaultdict(list)
    for grant in grants:
        queues_of[grant.group_id].append(grant.content_object)
    people = User.objects.filter(Q(groups__in=list(queues_of)) | Q(pk__in=held), is_active=True).distinct()
    hands = []
    for user in people.prefetch_related("groups"):
        claimed, waiting, late = held.get(user.pk, [0, 0, 0])
        queues = [queue for group in user.groups.all() for queue in queues_of.get(group.pk, [])]
        hands.append(Hands(user, claimed, waiting, late, queues))
    return sorted(hands, key=lambda each: (-each.late, -each.claimed, each.user.name))[:MOST_QUEUES]


def facilities(lead: User) -> list[Facility]:
    """The places whose queues this person leads."""
    return list(Facility.objects.filter(queues__in=Queue.objects.led_by(lead).order_by()).distinct())


def leads(user: User) -> bool:
    return Role.LEAD in user.roles
