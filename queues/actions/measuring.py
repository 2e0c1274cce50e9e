"""Counting what changed, for the figures. Nothing here changes a task, so there is no `by` and no audit event."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Callable, Collection

from django.db import connection, transaction

from queues.measures.cells import Place, cells_of, differences, move
from queues.measures.reading import beside, measured
from queues.models import MeasureCell, MeasureMark, Task, TaskMeasure

BATCH = 500  # tasks counted in one transaction
AT_ONCE = 2_000  # and in one go when all are counted anew
LOCK = 7_305_118  # who counts; any number that nothing else locks

TAKEN = """
DELETE FROM queues_measuremark WHERE id IN (SELECT id FROM queues_measuremark ORDER BY id LIMIT %s) RETURNING task_id
"""


def count_changes(prepare: Callable[[Collection[int]], None] = lambda _tasks: None) -> int:
    """Take the oldest marks and count their tasks anew, in one transaction. Returns how many marks were taken: 0 where
    none is left, or another worker is at it. `prepare` adds, before they are counted, what other rooms know of them.

    A change that commits meanwhile leaves a mark of its own that isn't seen here, and is counted next time.
    """
    with transaction.atomic(), connection.cursor() as cursor:
        cursor.execute("SELECT pg_try_advisory_xact_lock(%s)", [LOCK])
        if not cursor.fetchone()[0]:
            return 0
        cursor.execute(TAKEN, [BATCH])
        marked = [key for (key,) in cursor.fetchall()]
        keys = set(marked)
        if keys:
            prepare(keys)
            _store(keys | beside(keys))
        return len(marked)


def _store(keys: Collection[int]) -> None:
    new, old = measured(keys), list(TaskMeasure.objects.filter(task__in=keys))
    move(differences(old, new))
    TaskMeasure.objects.bulk_create(
        new,
        batch_size=1000,
        update_conflicts=True,
        unique_fields=["task"],
        update_fields=[
            "day", "facility", "queue", "role", "request_type", "language", "counts", "work", "counted_at",
        ],
    )  # fmt: skip


def count_all(say: Callable[[str], None] = lambda _said: None) -> int:
    """Forget all sums and count every task anew, in one transaction: pages show the old ones until it ends."""
    with transaction.atomic(), connection.cursor() as cursor:
        cursor.execute("SELECT pg_advisory_xact_lock(%s)", [LOCK])
        # Marks first: what they stand for is committed, so it is read below. Later ones stay for the next count.
        MeasureMark.objects.all().delete()
        MeasureCell.objects.all().delete()
        TaskMeasure.objects.all().delete()
        done = last = 0
        while keys := list(
            Task.objects.filter(pk__gt=last).order_by("pk").values_list("pk", flat=True)[:AT_ONCE]
        ):
            TaskMeasure.objects.bulk_create(measured(keys), batch_size=1000)
            done, last = done + len(keys), keys[-1]
            say(f"{done} tasks counted")
        say("Summing up")
        _sum_up()
    return done


def _sum_up() -> None:
    """Add up what each task counts for, month by month, so that each sum is written once and few are held."""
    held: dict[Place, Counter[str]] = defaultdict(Counter)
    month = ""
    for measure in TaskMeasure.objects.order_by("day").iterator(AT_ONCE):
        if (this := f"{measure.day:%Y-%m-01}") != month:
            month = this
            # Weeks may begin, and work may be done, in another month than the request came in.
            over = {place for place in held if place.start < month and place.grain != MeasureCell.Grain.WEEK}
            move({place: held.pop(place) for place in over})
        for place, counts in cells_of(measure):
            held[place].update(counts)
    move(held)
