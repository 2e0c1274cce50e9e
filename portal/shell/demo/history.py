"""Telling the demo clinic's ninety days: every act of every story through the real actions.

The stories are told in parts, by household: nothing that one does depends on another's, so each part is told in the
order of time by itself, and several processes tell several at once. Each batch of acts is one transaction that also
writes into the marker what comes next for each story of its part. So a run that was killed goes on exactly where the
last batches ended, and nothing is told twice.
"""

from __future__ import annotations

import gc
import heapq
import multiprocessing
import multiprocessing.connection
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import datetime
from random import Random
from typing import Any, NamedTuple

from django.conf import settings
from django.core.exceptions import ObjectDoesNotExist
from django.db import OperationalError, connection, transaction

from audit.actions import gathered
from audit.now import at
from audit.statements import rows
from portal.people.policies import Refused
from portal.people.reference import steady
from portal.shell import processes
from portal.shell.demo import beside
from portal.shell.demo.acting import Telling, in_a_hurry
from portal.shell.demo.ahead import read_ahead
from portal.shell.demo.patients import people_of
from portal.shell.demo.stories import Story, plan
from portal.shell.models import DemoClinic
from queues.models import Task
from queues.tasks import PAST

BATCH = 100  # acts in one transaction: some fifteen requests' worth
AGAIN = 5  # times in a row that a batch which met a deadlock is told again
HEAD_START = 40  # requests that are read before anybody tells: two who meet a new text wait for each other
_BATCHES, _LOADER = (
    PAST + 1,
    PAST + 2,
)  # name the advisory locks that all batches share, and that one loader holds

Say = Callable[[DemoClinic], None]


class Next(NamedTuple):
    """What a story does next: its act number `act` at `moment`. `task` is its row, 0 before it is sent."""

    moment: datetime
    story: int
    act: int
    task: int


def load_history(*, say: Say = lambda marker: None, loaders: int = 1) -> DemoClinic:
    """Tell what is not told yet, in so many processes. Raises Refused on a database that isn't the demo's, or while
    another run is at it."""
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
            people = people_of(marker)
            stories = plan(seed=marker.seed, anchor=marker.anchor, count=marker.planned, people=people)
            parts = _begin(marker, loaders)
            if loaders == 1:
                for part in range(parts):
                    _Part(marker, stories, part).tell(say)
            else:
                _tell_at_once(marker, stories, parts, say)
            marker.refresh_from_db()
        beside.enter_talk(marker)
        return marker


def _begin(marker: DemoClinic, loaders: int) -> int:
    """In how many parts it is told. Whoever goes on with it keeps to the parts in which it was begun."""
    if "parts" not in marker.unfinished:
        # Before there were parts, one process told it, and wrote down the same about the whole.
        begun = marker.unfinished
        marker.unfinished = {"parts": [begun] if begun else [{} for _each in range(loaders)]}
        marker.save(update_fields=["unfinished"])
    return len(marker.unfinished["parts"])


# ---- several at once --------------------------------------------------------------------------------------------


def _tell_at_once(marker: DemoClinic, stories: list[Story], parts: int, say: Say) -> None:
    """A process for each part, while this one reads ahead of them and says how far they are."""
    to_come = stories[marker.done :]
    reading = read_ahead(marker, to_come)
    read = 0
    while read < min(HEAD_START, len(to_come)):
        read += next(reading)
    gc.freeze()  # what is planned and loaded by now is theirs, too, and nobody copies it by looking through it
    fork = multiprocessing.get_context("fork")
    loaders = [
        fork.Process(target=_load_part, args=(marker, stories, part), daemon=True) for part in range(parts)
    ]
    try:
        for loader in loaders:
            loader.start()
        for _texts in reading:
            _say_how_far(marker, say)
        while working := [loader.sentinel for loader in loaders if loader.is_alive()]:
            multiprocessing.connection.wait(working, timeout=1)
            _say_how_far(marker, say)
            if any(loader.exitcode for loader in loaders):
                raise RuntimeError("One of those who tell the history ended before its time.")
    finally:
        for loader in loaders:
            if loader.pid is not None:
                loader.terminate()
                loader.join()


def _say_how_far(marker: DemoClinic, say: Say) -> None:
    told = marker.done
    marker.refresh_from_db()
    if marker.done != told:
        say(marker)


def _load_part(marker: DemoClinic, stories: list[Story], part: int) -> None:
    processes.end_with_parent()
    connection.connection = None  # the parent's own; to close it here would end it there
    _Part(marker, stories, part).tell(lambda _marker: None)


@contextmanager
def _only_one() -> Iterator[None]:
    """Two loaders would tell every story twice, and the clock would work at what is half told. The lock goes with the
    connection, so a killed run leaves none."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_try_advisory_lock(%s)", [_LOADER])
        if not cursor.fetchone()[0]:
            raise Refused("Another process is loading the history at this moment.")
        cursor.execute("SELECT pg_advisory_lock(%s)", [PAST])
    try:
        yield
    finally:
        with connection.cursor() as cursor:
            cursor.execute("SELECT pg_advisory_unlock(%s), pg_advisory_unlock(%s)", [PAST, _LOADER])


def _may_be_told_again(error: OperationalError) -> bool:
    """Whether PostgreSQL ended the batch because the site's own worker, or a visitor, held what it needed while waiting
    for what it held, or because it waited too long for the others to end theirs."""
    return getattr(error.__cause__, "sqlstate", None) in ("40P01", "40001", "55P03")


class _Part(Telling):
    """The stories of some households: the acts of all of them in the order of time."""

    def __init__(self, marker: DemoClinic, stories: list[Story], part: int) -> None:
        super().__init__(marker, stories)
        self.part, parts = part, len(marker.unfinished["parts"])
        people = people_of(marker)
        self.own = [
            number for number, story in enumerate(stories) if people[story.patient].household % parts == part
        ]
        self.at = 0  # the story that is told at this moment
        self.left: set[int] = set()  # those that a visitor has taken over
        self._begin_where_it_ended()

    def _begin_where_it_ended(self) -> None:
        """Go on from what the last batch has written down."""
        unfinished = self.marker.unfinished["parts"][self.part]
        self.sent: int = unfinished.get("sent", 0)
        self.heap = [
            Next(datetime.fromisoformat(moment), *rest) for moment, *rest in unfinished.get("next", [])
        ]
        heapq.heapify(self.heap)
        self.tasks: dict[int, Task] = {}  # by story, as the last act left them

    # ---- the order of time --------------------------------------------------------------------------------------

    def tell(self, say: Say) -> None:
        failed, refused = 0, Counter[int]()
        while self.more:
            try:
                self._tell_a_batch(alone=failed > 0)
            except OperationalError as error:
                failed += 1
                if not _may_be_told_again(error) or failed == AGAIN:
                    raise
            except (Refused, ObjectDoesNotExist, KeyError):
                # The site is open: a visitor was at this task. Told again, each is read as it is now; what can't be
                # done then is the visitor's.
                refused[self.at] += 1
                if refused[self.at] == AGAIN:
                    raise
                if refused[self.at] > 1:
                    self.left.add(self.at)
            else:
                failed = 0
                refused.clear()
                say(self.marker)
                continue
            self.marker.refresh_from_db()
            self._begin_where_it_ended()

    def _tell_a_batch(self, *, alone: bool) -> None:
        with transaction.atomic():
            # Beside the other parts, but for one that met a deadlock: told beside them again it may meet it again.
            lock = "pg_advisory_xact_lock" if alone else "pg_advisory_xact_lock_shared"
            rows(f"SELECT {lock}(%s)", [_BATCHES])
            with gathered(), steady():
                for _each in range(BATCH):
                    if self.more:
                        self._do(self._take())
            self._keep()

    @property
    def more(self) -> bool:
        return bool(self.heap) or self.sent < len(self.own)

    def _take(self) -> Next:
        """The act that is next in time: a request that is sent, or what one of those under way does."""
        number = self.own[self.sent] if self.sent < len(self.own) else None
        if number is None or (self.heap and self.heap[0].moment <= self.stories[number].at):
            return heapq.heappop(self.heap)
        self.sent += 1
        return Next(self.stories[number].at, number, -1, 0)

    def _keep(self) -> None:
        """Write down where the next batch begins, in this batch's own transaction and as its last word: whoever tells
        another part waits for it."""
        marker = self.marker = DemoClinic.objects.select_for_update().get()
        parts: list[dict[str, Any]] = marker.unfinished["parts"]
        parts[self.part] = {
            "sent": self.sent,
            "next": [[coming.moment.isoformat(), *coming[1:]] for coming in sorted(self.heap)],
            "over": not self.more,
        }
        # The last request may be sent while others go on: it counts only when everything is told.
        over = all(part.get("over") for part in parts)
        marker.done = (
            marker.planned if over else min(sum(part.get("sent", 0) for part in parts), marker.planned - 1)
        )
        marker.save(update_fields=["done", "unfinished"])

    def _do(self, coming: Next) -> None:
        self.at = coming.story
        if self.at in self.left:
            return
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
