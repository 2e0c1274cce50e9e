"""Telling the demo clinic's ninety days: every act of every story, in the order of time, through the real actions.

Each batch of acts is one transaction that also writes into the marker what comes next for each story that has begun.
So a run that was killed goes on exactly where the last batch ended, and nothing is told twice.
"""

from __future__ import annotations

import heapq
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import datetime
from random import Random
from typing import NamedTuple

from django.conf import settings
from django.db import OperationalError, connection

from audit.actions import gathered
from audit.now import at
from portal.people.policies import Refused
from portal.people.reference import steady
from portal.shell.demo import beside
from portal.shell.demo.acting import Telling, in_a_hurry
from portal.shell.demo.patients import people_of
from portal.shell.demo.stories import plan
from portal.shell.models import DemoClinic
from queues.models import Task

BATCH = 150  # acts in one transaction: some twenty requests' worth
AGAIN = 5  # times in a row that a batch which met a deadlock is told again
_LOCK = 7_306_425_119  # names the database's advisory lock that one loader holds


class Next(NamedTuple):
    """What a story does next: its act number `act` at `moment`. `task` is its row, 0 before it is sent."""

    moment: datetime
    story: int
    act: int
    task: int


def load_history(*, say: Callable[[DemoClinic], None] = lambda marker: None) -> DemoClinic:
    """Tell what is not told yet. Raises Refused on a database that isn't the demo's, or while another run is at it."""
    if settings.PRODUCTION:
        raise Refused(
            "This Porter serves a practice (PORTER_MODE is “production”): the demo clinic stays out of it."
        )
    if not DemoClinic.objects.exists():
        raise Refused(
            "This database is not the demo's, and nothing was changed: `load_demo --base` prepares an empty one."
        )
    with in_a_hurry(), _only_one():
        marker = DemoClinic.objects.get()
        if marker.loading:
            _History(marker).tell(say)
        beside.enter_talk(marker)
        return marker


@contextmanager
def _only_one() -> Iterator[None]:
    """Two loaders would tell every story twice. The lock goes with the connection, so a killed run leaves none."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_try_advisory_lock(%s)", [_LOCK])
        if not cursor.fetchone()[0]:
            raise Refused("Another process is loading the history at this moment.")
    try:
        yield
    finally:
        with connection.cursor() as cursor:
            cursor.execute("SELECT pg_advisory_unlock(%s)", [_LOCK])


def _may_be_told_again(error: OperationalError) -> bool:
    """Whether PostgreSQL ended the batch because the site's own worker, or a visitor, held what it needed while waiting
    for what it held."""
    return getattr(error.__cause__, "sqlstate", None) in ("40P01", "40001")


class _History(Telling):
    """Ninety days of stories: the acts of all of them in the order of time."""

    def __init__(self, marker: DemoClinic) -> None:
        stories = plan(seed=marker.seed, anchor=marker.anchor, count=marker.planned, people=people_of(marker))
        super().__init__(marker, stories)
        self._begin_where_it_ended()

    def _begin_where_it_ended(self) -> None:
        """Go on from what the last batch has written down."""
        unfinished = self.marker.unfinished
        self.sent: int = unfinished.get("sent", 0)
        self.heap = [
            Next(datetime.fromisoformat(moment), *rest) for moment, *rest in unfinished.get("next", [])
        ]
        heapq.heapify(self.heap)
        self.tasks: dict[int, Task] = {}  # by story, as the last act left them

    # ---- the order of time --------------------------------------------------------------------------------------

    def tell(self, say: Callable[[DemoClinic], None]) -> None:
        failed = 0
        while self.more:
            try:
                self._tell_a_batch()
            except OperationalError as error:
                failed += 1
                if not _may_be_told_again(error) or failed == AGAIN:
                    raise
                self.marker.refresh_from_db()
                self._begin_where_it_ended()
            else:
                failed = 0
                say(self.marker)

    def _tell_a_batch(self) -> None:
        with gathered(), steady():
            for _each in range(BATCH):
                if self.more:
                    self._do(self._take())
            self._keep()

    @property
    def more(self) -> bool:
        return bool(self.heap) or self.sent < len(self.stories)

    def _take(self) -> Next:
        """The act that is next in time: a request that is sent, or what one of those under way does."""
        story = self.stories[self.sent] if self.sent < len(self.stories) else None
        if story is None or (self.heap and self.heap[0].moment <= story.at):
            return heapq.heappop(self.heap)
        self.sent += 1
        return Next(story.at, self.sent - 1, -1, 0)

    def _keep(self) -> None:
        """Write down where the next batch begins, in this batch's own transaction."""
        marker, following = self.marker, sorted(self.heap)
        # The last request may be sent while others go on: it counts only when everything is told.
        marker.done = min(self.sent, marker.planned - 1) if self.more else marker.planned
        marker.unfinished = {
            "sent": self.sent,
            "next": [[coming.moment.isoformat(), *coming[1:]] for coming in following],
        }
        marker.save(update_fields=["done", "unfinished"])

    def _do(self, coming: Next) -> None:
        story = self.stories[coming.story]
        # The same draws whether this run began at the beginning or goes on after another.
        random = Random(f"act {self.marker.seed} {coming.story} {coming.act}")
        with at(coming.moment):
            if coming.act < 0:
                task = self.send(story)
            else:
                task = self.tasks.pop(coming.story) if coming.story in self.tasks else self.row(coming.task)
                task.queue = self.queue_by_key[task.queue_id]
                task = self.act(story.acts[coming.act], task, random)
        follows = coming.act + 1
        if follows < len(story.acts):
            moment = self.moment_of(story.acts[follows], task, coming.moment)
            if moment <= self.marker.anchor:
                self.tasks[coming.story] = task
                heapq.heappush(self.heap, Next(moment, coming.story, follows, task.pk))
