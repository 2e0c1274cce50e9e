"""The lead's board: how much each queue and each person has before them, and what will be late today."""

from __future__ import annotations

from collections import defaultdict
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from audit.now import now
from portal.people import prepared
from portal.people.models import Facility, User
from portal.people.roles import Role
from queues import clock, forecast
from queues.lists.reading import LINE, LINE_JOINS
from queues.lists.scope import LIVE_STATES
from queues.models import Queue
from queues.presence import LASTS
from queues.shown import Line, lines

MOST_QUEUES = 24  # on the board, those that need a look first
MOST_PEOPLE = 12
MOST_HELPERS = 40
MOST_TASKS = 40
AHEAD = timedelta(hours=36)  # today ends within that, wherever the queue is

# The queues that this person leads, as keys that were read before.
LED = "WITH place AS MATERIALIZED (SELECT unnest(%(led)s::bigint[]) AS id)"
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
WORKING = f"""
{LED}
SELECT u.id, u.name, u.title, array_agg(DISTINCT p.content_object_id), sum(q.capacity)
FROM queues_queuegrouppermission p
JOIN auth_permission a ON a.id = p.permission_id AND a.codename = 'work_queue'
JOIN people_user_groups g ON g.group_id = p.group_id JOIN people_user u ON u.id = g.user_id AND u.is_active
JOIN queues_queue q ON q.id = p.content_object_id
WHERE p.content_object_id IN (SELECT id FROM place) GROUP BY u.id
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
    works: frozenset[int] = frozenset()  # of the board's queues
    limit: int | None = None  # the most that those of them allow which limit it

    @property
    def full(self) -> bool:
        return self.limit is not None and self.claimed >= self.limit


@dataclass
class Board:
    led: list[Load]  # every queue, those that need a look first
    people: list[Hands]  # all of them, those with most before them first
    rows: list[Line]  # late, or late by tonight
    coming: set[int]  # keys of those that are not late yet
    late: int
    late_today: int

    @property
    def loads(self) -> list[Load]:
        """As many as are shown."""
        return self.led[:MOST_QUEUES]

    @property
    def hands(self) -> list[Hands]:
        """As many as are shown."""
        return self.people[:MOST_PEOPLE]

    @property
    def helpers(self) -> list[Hands]:
        """Who may get what is on the board: its queues are theirs to work. Those with least before them first."""
        queues = {row.queue_pk for row in self.rows}
        return [each for each in reversed(self.people) if queues & each.works][:MOST_HELPERS]


def board(lead: User, *, facility: Facility | None = None) -> Board:
    """Everything as it stands now, for the queues that this person leads (at one facility, or at all of them)."""
    moment = now()
    # Places and calendars are far fewer than queues: each is read once.
    queues = Queue.objects.led_by(lead).prefetch_related("facility", "calendar__closures")
    if facility is not None:
        queues = queues.filter(facility=facility)
    loads = {queue.pk: Load(queue) for queue in queues}
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
    rows = lines(prepared.rows(ROWS, given | {"tasks": late_by_tonight[:MOST_TASKS]}), lead)
    shown = sorted(
        loads.values(), key=lambda load: (-load.late_today, -load.late, -load.open, str(load.queue))
    )
    return Board(
        led=shown,
        people=_people(given),
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


def _people(given: dict[str, Any]) -> list[Hands]:
    """The people of these queues, and who holds something of theirs; those with most before them first."""
    held: dict[int, Any] = {owner: counts for owner, *counts in prepared.rows(HELD, given)}
    people = []
    for pk, name, title, works, limit in prepared.rows(WORKING, given):
        claimed, waiting, late = held.pop(pk, (0, 0, 0))
        user = User(pk=pk, name=name, title=title)
        people.append(Hands(user, claimed, waiting, late, frozenset(works), limit))
    for user in User.objects.filter(pk__in=held) if held else []:
        people.append(Hands(user, *held[user.pk]))
    return sorted(people, key=lambda each: (-each.late, -each.claimed, each.user.name))


def facilities(lead: User) -> list[Facility]:
    """The places whose queues this person leads."""
    return list(Facility.objects.filter(queues__in=Queue.objects.led_by(lead).order_by()).distinct())


def leads(user: User) -> bool:
    return Role.LEAD in user.roles
