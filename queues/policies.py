"""Who may do what with a task, and in which state. Each refusal is a sentence that the page can show."""

from __future__ import annotations

from collections.abc import Callable

from django.utils.translation import gettext as _

from portal.people.models import User
from portal.people.policies import Refused
from queues.models import Outcome, Queue, Task
from queues.states import DONE, TRANSITIONS, State
from queues.urgency import Urgency

# What rooms above have against the end of a queue, or against its new code or role, as sentences: each is asked
# before it is done.
before_retire: list[Callable[[Queue], list[str]]] = []
before_change: list[Callable[[Queue], list[str]]] = []


def check_retirement(queue: Queue) -> None:
    _check(before_retire, queue)


def check_change(queue: Queue) -> None:
    _check(before_change, queue)


def _check(asked: list[Callable[[Queue], list[str]]], queue: Queue) -> None:
    said = [sentence for ask in asked for sentence in ask(queue)]
    if said:
        raise Refused(" ".join(said))


def check_transition(task: Task, verb: str) -> None:
    """Whether the table of states allows this verb now; says what is in the way."""
    if task.state in TRANSITIONS[verb].sources:
        return
    if task.state in DONE:
        raise Refused(
            _("This request is %(state)s; nothing was changed.") % {"state": task.get_state_display()}
        )
    if task.state == State.OPEN:
        raise Refused(_("Nobody holds this task now. Claim it first."))
    raise Refused(
        _("%(owner)s has this task now (%(state)s); nothing was changed.")
        % {"owner": task.owner.signature if task.owner else _("Nobody"), "state": task.get_state_display()}
    )


def check_works_queue(queue: Queue, by: User) -> None:
    if not Queue.objects.worked_by(by).filter(pk=queue.pk).exists():
        raise Refused(_("%(queue)s is not one of your queues.") % {"queue": queue})


def check_room(task: Task, by: User) -> None:
    """Whether this person may hold one more task of its queue. An urgent one is always taken."""
    capacity = task.queue.capacity
    if capacity is None or task.urgency == Urgency.URGENT or task.state != State.OPEN:
        return
    if Task.objects.filter(owner=by, queue=task.queue, state=State.CLAIMED).count() >= capacity:
        raise Refused(_full(task.queue))


def check_room_anywhere(by: User, queue: Queue | None) -> None:
    """Refuses where something waits that this person could claim if they held less."""
    queues = Queue.objects.worked_by(by).filter(capacity__isnull=False, tasks__state=State.OPEN)
    if queue is not None:
        queues = queues.filter(pk=queue.pk)
    full = queues.first()
    if full is not None:
        raise Refused(_full(full))


def _full(queue: Queue) -> str:
    return _("You hold %(count)d tasks of %(queue)s, the most it allows. Finish one first.") % {
        "count": queue.capacity or 0,
        "queue": queue,
    }


def check_owner(task: Task, by: User) -> None:
    """Only the one who claimed a task replies to it, resolves it or passes it on."""
    if task.owner_id == by.pk:
        return
    if task.owner is None:
        raise Refused(_("Nobody holds this task now. Claim it first."))
    raise Refused(
        _("%(owner)s has this task. Ask for it, or take another one.") % {"owner": task.owner.signature}
    )


def can_work(task: Task, by: User) -> bool:
    return task.owner_id == by.pk and task.state == State.CLAIMED


def check_seen(task: Task, seen: int | None) -> None:
    """Refuses what was decided on a page that is no longer true, and says what happened since."""
    if seen is None or seen == task.version:
        return
    last = task.steps.select_related("by").last()
    who = last.by.signature if last and last.by else _("Somebody")
    raise Refused(
        _(
            "%(who)s changed this task meanwhile: it is now %(state)s. Nothing of yours was stored; look again."
        )
        % {"who": who, "state": task.get_state_display()}
    )


def check_outcome(outcome: Outcome, by: User) -> None:
    if outcome.retired or not set(outcome.roles) & set(by.roles):
        raise Refused(
            _("“%(outcome)s” is not an outcome that your role can choose.") % {"outcome": outcome.label}
        )


def check_words(text: str, *, limit: int = 10_000) -> str:
    """The text without outer white space; refuses an empty one, one too long, or one with unstorable characters."""
    text = text.replace("\r\n", "\n").strip()
    if not text:
        raise Refused(_("Write something first."))
    if "\x00" in text:
        raise Refused(
            _("The text holds a character that can't be stored. Type it again instead of pasting it.")
        )
    if len(text) > limit:
        raise Refused(
            _("The text has %(length)d characters; the most is %(limit)d.")
            % {"length": len(text), "limit": limit}
        )
    return text
