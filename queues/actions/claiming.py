"""The next task to work on: never two owners, never an old one forgotten."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Any

from django.db import transaction
from django.db.models import Case, F, QuerySet, When
from django.db.models.expressions import RawSQL

from audit.now import now
from portal.people.models import User
from portal.people.prepared import Prepared, kept_statements
from queues import policies
from queues.actions.working import take
from queues.models import Queue, Task
from queues.states import UNCLAIMED, State
from queues.urgency import Urgency

# Urgent work comes first, and what is due first comes first among the rest: a due time stands still while later
# requests get later ones, so that an old task moves to the front by itself. Only a stream of urgent ones could keep
# it waiting for ever; what is this late goes before them.
PATIENCE = timedelta(days=7)
WORTH = Case(
    When(urgency=Urgency.URGENT, then=F("due_at") - PATIENCE),
    default=F("due_at"),
)
# How many of the best are read, try by try. A few may be locked by colleagues who claim at this moment, and are passed
# over; then as many are read as more people than there ever are could lock, which takes four times as long.
AHEAD = (8, 64, 64, 64, 64)

# It begins at the person's own groups, since asking each queue for them was most of the work.
# From each queue its first few by due time and its first few urgent ones, by an index each; the best of them all are
# the candidates. So the work is the same whether ten tasks wait or fifty thousand. A queue in which this person holds
# as many as its capacity allows gives its urgent ones only. What these people cover for comes in the same way, by the
# covering queue or person.
CANDIDATES = """
WITH mine AS (
    SELECT q.id, q.capacity IS NULL OR q.capacity > (
        SELECT count(*) FROM queues_task h WHERE h.owner_id = %s AND h.queue_id = q.id AND h.state = 'claimed'
    ) AS room
    FROM (
        SELECT p.content_object_id AS id FROM people_user_groups g
        JOIN queues_queuegrouppermission p ON p.group_id = g.group_id
        JOIN auth_permission a ON a.id = p.permission_id AND a.codename = 'work_queue'
        WHERE g.user_id = %s GROUP BY p.content_object_id
    ) own JOIN queues_queue q ON q.id = own.id
    WHERE q.retired_at IS NULL AND (%s::bigint IS NULL OR q.id = %s)
), covered AS NOT MATERIALIZED (
    SELECT t.id, t.due_at, t.urgency, t.covering_queue_id, t.covering_person_id
    FROM queues_task t JOIN queues_queue q ON q.id = t.queue_id
    WHERE t.state IN ('open', 'reopened') AND q.retired_at IS NULL AND (
        q.capacity IS NULL OR t.urgency = 3 OR q.capacity > (
            SELECT count(*) FROM queues_task h WHERE h.owner_id = %s AND h.queue_id = q.id AND h.state = 'claimed'
        )
    )
), best AS (
    SELECT t.id, t.due_at FROM mine CROSS JOIN LATERAL (
        SELECT id, due_at FROM queues_task WHERE queue_id = mine.id AND state IN ('open', 'reopened')
        ORDER BY due_at, id LIMIT %s
    ) t WHERE mine.room
    UNION ALL
    SELECT t.id, t.due_at - %s FROM mine CROSS JOIN LATERAL (
        SELECT id, due_at FROM queues_task WHERE queue_id = mine.id AND state IN ('open', 'reopened') AND urgency = 3
        ORDER BY due_at, id LIMIT %s
    ) t
    UNION ALL
    SELECT t.id, t.worth FROM mine CROSS JOIN LATERAL (
        SELECT id, CASE urgency WHEN 3 THEN due_at - %s ELSE due_at END AS worth FROM covered
        WHERE covering_queue_id = mine.id ORDER BY worth, id LIMIT %s
    ) t
    UNION ALL
    (SELECT id, CASE urgency WHEN 3 THEN due_at - %s ELSE due_at END AS worth FROM covered
    WHERE covering_person_id = %s AND %s::bigint IS NULL ORDER BY worth, id LIMIT %s)
)
SELECT id FROM (SELECT id, min(due_at) AS worth FROM best GROUP BY id ORDER BY worth, id LIMIT %s) AS first
"""


def _waiting(by: int, queue: int | None, ahead: int) -> QuerySet[Task]:
    """What this person may claim, from one queue or from all of theirs; the best of it, so many."""
    # The text is the constant above, and every value a parameter.
    given = [by, by, queue, queue, by, ahead, PATIENCE, ahead]
    given += [PATIENCE, ahead, PATIENCE, by, queue, ahead, ahead]
    candidates = RawSQL(CANDIDATES, given)  # noqa: S611
    return Task.objects.filter(pk__in=candidates, state__in=UNCLAIMED).order_by(WORTH, "pk")


@Prepared
def _first_free(by: int, queue: int, ahead: int) -> QuerySet[Task]:
    free = _waiting(by, queue, ahead).select_related("conversation")
    return free.select_for_update(skip_locked=True, of=("self",))[:1]


TWICE = timedelta(seconds=5)  # two clicks within it, on one page, are one


@kept_statements()
@transaction.atomic
def claim_next(*, by: User, queue: Queue | None = None, page_at: datetime | None = None) -> Task | None:
    """Claim the open task that should be worked now, from the person's queues or from one of them, and from those
    they cover for.

    Urgent first, then what is due first, but nothing is more than `PATIENCE` late behind urgent ones. From a page that
    was made at `page_at`, its second click, in the moment after the first, gives the task that the first one claimed.
    None when all is done; Refused when something waits and the person holds as many tasks as its queue allows.
    """
    taken = _just_claimed(by, page_at) if page_at is not None else None
    if taken is not None:
        return taken
    asked: Any = {"by": by.pk, "queue": queue.pk if queue is not None else None}
    for ahead in AHEAD:
        # Rows that a colleague is claiming at this moment are skipped, not waited for; one that was claimed since the
        # candidates were read is looked at again by the database, and passed over. The conversation never changes.
        first = _first_free(**asked, ahead=ahead)
        if first:
            return take(first[0], by)
        if not _waiting(**asked, ahead=1).exists():
            break
    policies.check_room_anywhere(by, queue)
    return None


def _just_claimed(by: User, page_at: datetime) -> Task | None:
    """What this page's first click claimed."""
    # One click of a person after the other; nobody else waits for it.
    User.objects.select_for_update(no_key=True).get(pk=by.pk)
    since = max(page_at, now() - TWICE)
    mine = Task.objects.filter(owner=by, state=State.CLAIMED, claimed_at__gt=since)
    return mine.order_by("-claimed_at").first()
