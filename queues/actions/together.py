"""The same thing done to many tasks, one transaction each, and never to those that want a look of their own."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass, field

from django.db import transaction
from django.utils.translation import gettext as _

from portal.people.models import User
from portal.people.policies import Refused
from queues import policies
from queues.actions.saying import readers_of
from queues.actions.working import claim, hand_over, resolve
from queues.models import Outcome, Queue, Task
from queues.states import UNCLAIMED

Seen = dict[int, int]  # the version in which each task was on the screen when it was picked


@dataclass
class Result:
    """What was done, and what was left out with a sentence why."""

    done: list[Task] = field(default_factory=list)
    left: list[tuple[Task, str]] = field(default_factory=list)


def sort_out(*, tasks: Iterable[Task], by: User, seen: Seen) -> Result:
    """Which of these may be treated alike. Writes nothing; each is asked again when it is done."""
    result, tasks = Result(), list(tasks)
    fresh = policies.as_they_are(tasks)
    for task in tasks:
        try:
            policies.check_alike(task, by, seen.get(task.pk), fresh=fresh[task.pk])
        except Refused as refused:
            result.left.append((task, str(refused)))
        else:
            result.done.append(task)
    return result


def claim_all(*, tasks: Iterable[Task], by: User, seen: Seen) -> Result:
    return _each(tasks, by, seen, lambda task: claim(task=task, by=by, seen=seen.get(task.pk)))


def hand_over_all(*, tasks: Iterable[Task], queue: Queue, reason: str, by: User, seen: Seen) -> Result:
    return _each(
        tasks,
        by,
        seen,
        lambda task: hand_over(task=task, queue=queue, reason=reason, by=by, seen=seen.get(task.pk)),
    )


def resolve_all(*, tasks: Iterable[Task], outcome: Outcome, body: str, by: User, seen: Seen) -> Result:
    """End them all with the same words and outcome; what nobody holds yet is claimed on the way. Words that nobody
    would read are not sent: that patient is called."""

    def end(task: Task) -> Task:
        if body.strip() and not readers_of(task.conversation):
            raise Refused(_("Nobody can log in to read a reply for this patient: please call."))
        if task.state in UNCLAIMED:
            task = claim(task=task, by=by, seen=seen.get(task.pk))
            return resolve(task=task, outcome=outcome, body=body, by=by)
        return resolve(task=task, outcome=outcome, body=body, by=by, seen=seen.get(task.pk))

    return _each(tasks, by, seen, end)


def _each(tasks: Iterable[Task], by: User, seen: Seen, act: Callable[[Task], Task]) -> Result:
    result = Result()
    for task in tasks:
        try:
            with transaction.atomic():
                # The lock comes first: what a patient writes at this moment is waited for, and then seen.
                Task.objects.select_for_update().only("pk").get(pk=task.pk)
                policies.check_alike(task, by, seen.get(task.pk))
                result.done.append(act(task))
        except Refused as refused:
            result.left.append((task, str(refused)))
    return result
