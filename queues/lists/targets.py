"""Where a lead may move work: the queues that make sense are offered, every other one is found by its name or place."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from django.db.models import Q

from queues.lists.board import Board
from queues.lists.search import fold
from queues.models import Queue

ALL = 30  # as many are all offered
FEW_PLACES = 3
CALM = 8  # of many places, this many queues
FITTING = 20  # of those that fit some words, this many are shown


@dataclass
class Targets:
    """Queues to choose from, by where they are; `more` are found by words."""

    central: list[Queue]
    here: list[Queue]
    elsewhere: list[Queue]
    more: bool


def offered(board: Board) -> Targets:
    """The central teams, the queues of the board's own places where these are few, and of many places the open queues
    that do the work of what is late and have least before them. With few queues in all, every one."""
    live = Queue.objects.live().select_related("facility")
    every = list(live[: ALL + 1])
    if len(every) <= ALL:
        return _targets(every, elsewhere=[], more=False)
    places = {load.queue.facility_id for load in board.led if load.queue.facility_id}
    near = places if len(places) <= FEW_PLACES else set()
    some = live.filter(Q(facility__in=near) | Q(facility__isnull=True))
    return _targets(some, elsewhere=[] if near else _calm(board), more=True)


def _targets(queues: Iterable[Queue], *, elsewhere: list[Queue], more: bool) -> Targets:
    rows = list(queues)
    return Targets(
        central=[queue for queue in rows if not queue.facility_id],
        here=[queue for queue in rows if queue.facility_id],
        elsewhere=elsewhere,
        more=more,
    )


def _calm(board: Board) -> list[Queue]:
    """Open queues of places that do the work of what is late, with nothing late; least before them first."""
    late = {row.queue_pk for row in board.rows}
    roles = {load.queue.role for load in board.led if load.queue.pk in late}
    calm = (
        load.queue
        for load in reversed(board.led)
        if load.queue.role in roles and load.is_open and not load.late and not load.late_today
    )
    return [queue for queue in calm if queue.facility_id][:CALM]


def label(queue: Queue) -> str:
    """As it is offered and typed."""
    return f"{queue.name} · {queue.place}"


def fitting(words: str) -> list[Queue]:
    """The live queues that somebody may mean: the one of exactly this label, or all whose name and place hold every
    word."""
    asked = fold(words).replace("·", " ").split()
    if not asked:
        return []
    rows: Iterable[Queue] = Queue.objects.live().select_related("facility").order_by("facility__name", "name")
    named = [(fold(label(row)), row) for row in rows]
    exact = [row for said, row in named if said == " ".join(fold(words).split())]
    return exact or [row for said, row in named if all(word in said for word in asked)]
