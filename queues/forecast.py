"""What will be late today if work goes on as it did: pure arithmetic, without a database and without chance.

A queue works its tasks in the order in which they are due, at the pace of the last two weeks (tasks done in an hour
that it was open). A task is done in time when, until it is due, as much can be done as stands before it and itself.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime, timedelta

from queues import clock

PACE_OVER = timedelta(days=14)


def pace(done: int, hours: clock.Hours, moment: datetime) -> float:
    """Tasks an open hour over the last `PACE_OVER`; 0.0 where nothing was done or the hours were closed all along."""
    open_time = clock.between(hours, moment - PACE_OVER, moment)
    return done / (open_time / timedelta(hours=1)) if open_time else 0.0


def end_of_day(hours: clock.Hours, moment: datetime) -> datetime:
    """The midnight that ends today where the queue is."""
    local = moment.astimezone(hours.zone)
    return (local + timedelta(days=1)).replace(hour=0, minute=0, second=0, microsecond=0)


def will_be_late(
    due: Sequence[datetime], hours: clock.Hours, tasks_an_hour: float, moment: datetime
) -> list[int]:
    """Which of these will be late by the end of today though they aren't yet, as places in `due`, which is in order.

    What is late already stands before the others and takes its share of the work. The hands are taken to be as many
    as they were; a queue that has done nothing for two weeks is taken to do nothing today.
    """
    tonight = end_of_day(hours, moment)
    late = []
    for place, due_at in enumerate(due):
        if due_at >= tonight:
            break
        if due_at <= moment:
            continue
        can_be_done = tasks_an_hour * (clock.between(hours, moment, due_at) / timedelta(hours=1))
        if place + 1 > can_be_done:
            late.append(place)
    return late
