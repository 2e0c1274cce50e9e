"""Queues and the people who work them."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from copy import copy
from datetime import date
from functools import wraps
from typing import ParamSpec, TypeVar

from django.contrib.auth.models import Group
from django.db import IntegrityError, connection, transaction
from django.db.models import Exists, OuterRef, Q, QuerySet
from django.utils.translation import gettext as _

from audit.actions import Kind, record, store
from audit.now import now
from portal.people.models import Facility, User
from portal.people.policies import Refused
from portal.people.prepared import Prepared, rows
from portal.people.reference import remembered
from queues import policies
from queues.actions.path import change, lock, move
from queues.actions.timing import end_wait, new_queue
from queues.lists.scope import LIVE_STATES
from queues.models import Escalation, Queue, QueueGroupPermission, Task
from queues.states import State
from queues.urgency import Urgency


@transaction.atomic
def save_queue(queue: Queue, *, by: User | None) -> Queue:
    """Store a queue and, for a new one, the group of people who work it. Raises Refused where rules don't allow it."""
    policies.check_change(queue)
    if queue._state.adding:
        place = queue.facility.code if queue.facility else "central"
        queue.members = Group.objects.create(
            name=f"queue {queue.code} at {place} ({now():%Y-%m-%d %H:%M:%S.%f})"
        )
    store(queue, by=by)
    QueueGroupPermission.objects.assign_perm("work_queue", queue.members, queue)
    return queue


def hold_still(queue: Queue) -> Queue:
    """The queue as it is, which nobody retires and whose people don't change before this transaction ends. Steps and
    tasks that name it are still written meanwhile: whoever waits for one of those may hold what we need next."""
    return Queue.objects.select_for_update(no_key=True).get(pk=queue.pk)


@transaction.atomic
def set_members(*, queue: Queue, people: Iterable[User], by: User | None) -> None:
    """Let exactly these people work the queue. The last one can't leave while tasks are open in it."""
    people = list(people)
    hold_still(queue)
    before = set(queue.members.user_set.values_list("pk", flat=True))
    after = {person.pk for person in people}
    if not any(person.is_active for person in people):
        if queue.tasks.live().exists() or queue.asked_tasks.live().exists():
            raise Refused(_("Somebody must stay: this queue holds open tasks. Hand them over first."))
        if before:
            policies.check_counted_on(queue)
    strangers = [person.signature for person in people if queue.role not in person.roles]
    if strangers:
        raise Refused(
            _("%(names)s: this queue is worked by the role “%(role)s”.")
            % {"names": ", ".join(strangers), "role": queue.get_role_display()}
        )
    queue.members.user_set.set(people)
    record(
        "queues.queue.members",
        by=by,
        kind=Kind.UPDATE,
        entity=queue,
        detail={"added": sorted(after - before), "removed": sorted(before - after)},
    )


@transaction.atomic
def retire_queue(*, queue: Queue, by: User | None, to: Queue | None = None) -> None:
    """Close a queue for good; `to` takes over its open tasks first, and what is opened again later.

    Raises Refused while open tasks wait in it; the database refuses too.
    """
    if to is None:
        _check_empty(queue)
    # Before the lock: it takes a moment, and requests go on coming in.
    policies.check_retirement(queue)
    queue = Queue.objects.select_for_update().get(pk=queue.pk)
    if to is not None:
        hand_everything_on(queue=queue, to=to, by=by)
        queue.successor = to
    _check_empty(queue)
    queue.retired_at = now()
    queue.save(update_fields=["retired_at", "successor"])
    record("queues.queue.retire", by=by, kind=Kind.UPDATE, entity=queue)


@transaction.atomic
def hand_everything_on(*, queue: Queue, to: Queue, by: User | None) -> int:
    """Move every open task, and every question that waits in this queue, to another one. Returns how many.

    Before a queue is retired, or its last member leaves. Owners lose them, waits end, and patients keep their times.
    """
    if to.pk == queue.pk or to.retired_at or to.role != queue.role:
        raise Refused(_("Name another live queue whose people have the same role."))
    check_staffed(to)
    count = 0
    for task in queue.tasks.live().order_by("pk"):
        task = lock(task)
        if not task.is_live or task.queue_id != queue.pk:
            continue
        ended = end_wait(task) if task.state == State.WAITING else {}
        for name, value in ended.items():
            setattr(task, name, value)
        if task.asked_queue_id is not None:
            Escalation.objects.close(
                task, _("%(queue)s was closed before this was answered.") % {"queue": queue}, by=by
            )
        note = _("%(queue)s takes over.") % {"queue": to}
        move(task, "transfer", by=by, note=note, **{**ended, "asked_queue": None, **new_queue(task, to)})
        count += 1
    for task in queue.asked_tasks.live().order_by("pk"):
        task = lock(task)
        if task.asked_queue_id == queue.pk:
            Escalation.objects.filter(task=task, answered_at__isnull=True).update(
                queue=to, alerts=0, alerted_at=None
            )
            change(task, "pass the question on", by=by, note=str(to), asked_queue=to)
            count += 1
    return count


def without_people(user: User) -> list[str]:
    """What is in the way of this person's leaving, as sentences: queues that nobody would work then, with open tasks
    or with others that count on them. Asked after the change, inside its transaction."""
    holds = Task.objects.live().filter(Q(queue=OuterRef("pk")) | Q(asked_queue=OuterRef("pk")))
    worked = Queue.objects.live().filter(members__user=user).annotate(holds=Exists(holds))
    said = []
    for queue in worked.exclude(pk__in=Queue.objects.staffed().order_by().values("pk")):
        if queue.holds:
            said.append(
                _("%(who)s is the last one who works %(queue)s, and it holds open tasks. Hand them on first.")
                % {"who": user.signature, "queue": queue}
            )
        try:
            policies.check_counted_on(queue)
        except Refused as refused:
            said.append(str(refused))
    return said


def check_staffed(queue: Queue) -> None:
    if not is_staffed(queue):
        raise Refused(_("Nobody works %(queue)s now. Pick another queue.") % {"queue": queue})


def is_staffed(queue: Queue) -> bool:
    """Whether anybody works this queue today. The database holds it, too, where a task comes into a queue."""
    return queue.pk in _staffed(now().date())


@remembered
def _staffed(today: date) -> frozenset[int]:
    """The keys of all that are staffed. Roles end with a day, so each day has its own."""
    return frozenset(queue.pk for queue in _staffed_now())


@Prepared
def _staffed_now() -> QuerySet[Queue]:
    return Queue.objects.staffed().only("pk").order_by()


def taking_over(task: Task) -> Queue:
    """Where a finished task goes when it is opened again: its own queue, or whoever took over from it.

    Raises Refused where nobody does: then a new request finds the right people.
    """
    queue = task.queue
    for _hop in range(10):  # a chain of retired queues ends somewhere
        if queue.retired_at is None or queue.successor is None:
            break
        queue = queue.successor
    if queue.retired_at is None and is_staffed(queue):
        return queue
    try:
        return serving(queue.code, task.conversation.patient.facility)
    except Refused:
        raise Refused(
            _("The team that had this request is not there any more. Please send a new request, or call us.")
        ) from None


# Counted as far as it matters, by an index of the live ones alone; the same as `live()` and `late()` of tasks.
OPEN = f"""
SELECT count(*) FROM (
    SELECT 1 FROM queues_task t WHERE t.queue_id = %(queue)s AND t.state IN {LIVE_STATES} LIMIT %(enough)s
) first
"""  # noqa: S608 - from a constant; every value is a parameter
LATE = f"""
SELECT count(*) FROM (
    SELECT 1 FROM queues_task t WHERE t.queue_id = %(queue)s AND t.due_at < %(now)s
    AND t.state IN {LIVE_STATES} AND t.state <> 'waiting' LIMIT %(enough)s
) first
"""  # noqa: S608 - as above


def after_overflow(queue: Queue, urgency: Urgency) -> tuple[Queue, str]:
    """The queue that new work goes to, and why it is another one: routine work leaves a queue that is too full. One hop
    only, so that two full queues don't send it round and round."""
    other = queue.overflow_queue if urgency == Urgency.ROUTINE and queue.overflow_queue_id else None
    if other is None or other.retired_at is not None or not is_staffed(other):
        return queue, ""
    for most, counted, word in (
        (queue.overflow_open, OPEN, _("open")),
        (queue.overflow_late, LATE, _("late")),
    ):
        if most is None:
            continue
        given = {"queue": queue.pk, "now": now(), "enough": most + 1}
        if rows(counted, given)[0][0] > most:
            return copy(other), _(
                "%(queue)s has more than %(count)d %(word)s tasks, so routine work goes to %(other)s."
            ) % {"queue": queue, "count": most, "word": word, "other": other}
    return queue, ""


def _check_empty(queue: Queue) -> None:
    waiting = queue.tasks.live().count() + queue.asked_tasks.live().count()
    if waiting:
        raise Refused(
            _("%(count)d open tasks wait in this queue. Hand them over first.") % {"count": waiting}
        )


P = ParamSpec("P")
R = TypeVar("R")


def again_if_retired(act: Callable[P, R]) -> Callable[P, R]:
    """An action that looks for a queue and puts a task into it. Where that queue is retired in between, everything is
    undone and done once more: it then finds the queue that serves now, or says that there is none."""

    @wraps(act)
    def once_more(*args: P.args, **kwargs: P.kwargs) -> R:
        try:
            return act(*args, **kwargs)
        except IntegrityError as error:
            if not _was_retired(error) or connection.in_atomic_block:
                raise
        try:
            return act(*args, **kwargs)
        except IntegrityError as error:
            if not _was_retired(error):
                raise
            raise Refused(_("The team that does this was just changed. Please try once more.")) from error

    return once_more


def _was_retired(error: IntegrityError) -> bool:
    """Whether the database said that a task came into a retired queue."""
    told = getattr(error.__cause__, "diag", None)
    return told is not None and told.constraint_name == "task_in_live_queue"


def serving(code: str, facility: Facility) -> Queue:
    """The live queue of this kind for patients of a facility: its own where somebody works it, else the central team's.

    Raises Refused where there is neither: nothing may be acknowledged that nobody will read.
    """
    candidates = _serving(code, facility.pk)
    queue = next((row for row in candidates if is_staffed(row)), None)
    if queue is None:
        raise Refused(
            _("Nobody works requests of this kind at %(place)s yet. Please call us.") % {"place": facility}
        )
    return copy(queue)


def queue_of(pk: int) -> Queue:
    """The queue with this key and all that its due times need."""
    return copy(_queue(pk))


@remembered
def _queue(pk: int) -> Queue:
    return _kept(_with_hours(Queue.objects.filter(pk=pk)).get())


def _serving(code: str, facility: int) -> list[Queue]:
    """The facility's own, then the central team's, with all that their due times need, and those of their overflow."""
    everywhere = _of_kind(code)
    return [*everywhere.get(facility, ()), *everywhere.get(None, ())]


@remembered
def _of_kind(code: str) -> dict[int | None, list[Queue]]:
    """The live queues of a kind at each facility. Read for all at once: place by place, a process was at it for its
    first thousand requests."""
    rows = _with_hours(_with_hours(Queue.objects.live().filter(code=code)), "overflow_queue__")
    found: dict[int | None, list[Queue]] = {}
    for row in rows.order_by("pk"):
        if row.overflow_queue is not None:
            _kept(row.overflow_queue)
        found.setdefault(row.facility_id, []).append(_kept(row))
    return found


def _kept(queue: Queue) -> Queue:
    queue.kept_hours = {}
    return queue


def _with_hours(rows: QuerySet[Queue], way: str = "") -> QuerySet[Queue]:
    rows = rows.select_related(f"{way}calendar", f"{way}facility")
    return rows.prefetch_related(f"{way}targets", f"{way}calendar__closures")
