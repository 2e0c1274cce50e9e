"""Who may do what with a task, and in which state. Each refusal is a sentence that the page can show."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from datetime import timedelta
from typing import Any

from django.db.models import OuterRef, Q, QuerySet, Subquery
from django.utils.formats import date_format
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy as _l
from django.utils.translation import ngettext

from audit.now import now
from portal.people.models import Patient, User
from portal.people.policies import Refused
from portal.people.prepared import Prepared
from portal.people.reference import remembered
from portal.people.roles import Field, fields_for
from queues.models import Conversation, Message, Outcome, Protocol, Queue, Task
from queues.states import DONE, TRANSITIONS, UNCLAIMED, State
from queues.urgency import Urgency

# What rooms above have against the end of a queue, or against its new code or role, as sentences: each is asked
# before it is done.
before_retire: list[Callable[[Queue], list[str]]] = []
before_change: list[Callable[[Queue], list[str]]] = []


def check_retirement(queue: Queue) -> None:
    check_counted_on(queue)
    _check(before_retire, queue)


def check_counted_on(queue: Queue) -> None:
    """Whether the queue may lose its people: not while others count on them day and night."""
    counting = (
        Queue.objects.live().filter(urgent_cover=queue, receives_urgent=True).select_related("facility")
    )
    if counting:
        raise Refused(
            _("%(queue)s takes up urgent work for %(others)s day and night. Name another one there first.")
            % {"queue": queue, "others": "; ".join(map(str, counting))}
        )


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
    check_not_done(task)
    if task.state in UNCLAIMED:
        raise Refused(_("Nobody holds this task now. Claim it first."))
    raise Refused(
        _("%(owner)s has this task now (%(state)s); nothing was changed.")
        % {"owner": task.owner.signature if task.owner else _("Nobody"), "state": task.get_state_display()}
    )


def worked_by(user: User) -> frozenset[int]:
    """The keys of the live queues that this person works now."""
    return _worked_by(user.pk)


@remembered
def _worked_by(user: int) -> frozenset[int]:
    granted = Queue.objects.worked_by(User(pk=user)).order_by()
    return frozenset(granted.values_list("pk", flat=True))


def check_works_queue(queue: Queue, by: User) -> None:
    if queue.pk not in worked_by(by):
        raise Refused(_("%(queue)s is not one of your queues.") % {"queue": queue})


def check_room(task: Task, by: User) -> None:
    """Whether this person may claim one more task of its queue. An urgent one is always taken."""
    if task.state in UNCLAIMED and _is_full(task, by):
        raise Refused(_full(task.queue))


def check_room_of(person: User, task: Task) -> None:
    """Whether somebody else may be given one more."""
    if _is_full(task, person):
        raise Refused(
            _("%(who)s holds %(count)d tasks of %(queue)s, the most it allows.")
            % {"who": person.signature, "count": task.queue.capacity or 0, "queue": task.queue}
        )


def _is_full(task: Task, person: User) -> bool:
    capacity = task.queue.capacity
    if capacity is None or task.urgency == Urgency.URGENT:
        return False
    return Task.objects.filter(owner=person, queue=task.queue, state=State.CLAIMED).count() >= capacity


def check_room_anywhere(by: User, queue: Queue | None) -> None:
    """Refuses where something waits that this person could claim if they held less."""
    queues = Queue.objects.worked_by(by).filter(capacity__isnull=False, tasks__state__in=UNCLAIMED)
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


def check_works(task: Task, by: User) -> None:
    """Whether this person works the task's queue, or covers for it."""
    if task.covering_person_id != by.pk and not {task.queue_id, task.covering_queue_id} & worked_by(by):
        raise Refused(_("%(queue)s is not one of your queues.") % {"queue": task.queue})


def check_answers(task: Task, queue: Queue, by: User) -> None:
    """Whether this person works the queue that was asked, or covers for it."""
    covers = task.covering_queue_id in worked_by(by)
    if not covers and task.covering_person_id != by.pk:
        check_works_queue(queue, by)


def as_they_are(tasks: Iterable[Task]) -> dict[int, Task]:
    """These tasks by key, read anew with what `check_alike` asks of each. One query."""
    last = Message.objects.filter(conversation=OuterRef("conversation")).order_by("-pk")
    rows = Task.objects.filter(pk__in=[task.pk for task in tasks]).annotate(
        patient_wrote_last=Subquery(last.values("from_patient")[:1])
    )
    return {row.pk: row for row in rows.only("version", "flags", "floor", "state", "owner_id")}


def check_alike(task: Task, by: User, seen: int | None, *, fresh: Any = None) -> None:
    """Whether a task may be treated like many others at once, without being opened. Doubt says no. `fresh` is it as
    `as_they_are` read it, where many are asked about."""
    fresh = fresh or as_they_are([task])[task.pk]
    if fresh.flags or fresh.floor > Urgency.ROUTINE:
        raise Refused(_("A red flag was found in it: please open it."))
    if fresh.state == State.ESCALATED:
        raise Refused(_("A physician was asked about it and has not answered yet."))
    if fresh.state == State.WAITING:
        raise Refused(_("It waits for the patient's answer."))
    if fresh.patient_wrote_last:
        raise Refused(_("The patient has written again: please read it first."))
    check_seen(fresh, seen, by=by)
    if fresh.state == State.CLAIMED:
        check_owner(task, by)
    elif fresh.state in DONE:
        raise Refused(_("It is done already."))


def can_lead(queue: Queue, by: User) -> bool:
    return Queue.objects.led_by(by).filter(pk=queue.pk).exists()


def check_leads(queue: Queue, by: User) -> None:
    if not can_lead(queue, by):
        raise Refused(_("Only a lead of %(queue)s moves other people's work.") % {"queue": queue})


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


def check_not_done(task: Task) -> None:
    """Nothing more is said or done on a request that ended; the refusal tells who ended it, and when."""
    if task.state not in DONE:
        return
    last = task.steps.select_related("by").filter(verb__in=("resolve", "withdraw")).last()
    if last is None or last.by is None:
        raise Refused(
            _("This request is %(state)s; nothing was changed.") % {"state": task.get_state_display()}
        )
    zone = task.queue.calendar.zone
    said = {"who": last.by.signature, "time": date_format(last.at.astimezone(zone), "j M H:i")}
    if task.state == State.WITHDRAWN:
        raise Refused(_("%(who)s took this request back (%(time)s). Nothing was sent or changed.") % said)
    raise Refused(_("%(who)s resolved this request (%(time)s). Nothing was sent or changed.") % said)


def why_closed(conversation: Conversation) -> str:
    """Why the patient's side can't go on in this request, with what to do instead; "" while it can."""
    task = next(iter(front_task(conversation=conversation.pk, locked=False)), None)
    if task is None or task.state not in DONE:
        return ""
    if task.state == State.WITHDRAWN:
        return _("You took this request back, so nobody reads it any more. Please send a new request.")
    days = conversation.patient.facility.reopen_days
    if task.resolved_at is None or now() < task.resolved_at + timedelta(days=days):
        return ""
    return ngettext(
        "This request was finished more than %(days)d day ago. Please send a new request.",
        "This request was finished more than %(days)d days ago. Please send a new request.",
        days,
    ) % {"days": days}


@Prepared
def front_task(conversation: int, locked: bool) -> QuerySet[Task]:
    """The task that speaks for a request, if it has one: what waits for the patient, or is open, or the newest."""
    tasks = Task.objects.select_for_update() if locked else Task.objects.all()
    return tasks.filter(conversation=conversation).front_first()[:1]


def can_keep(task: Task) -> bool:
    """Whether a withdrawal can still be taken back."""
    if task.state != State.WITHDRAWN:
        return False
    last = task.steps.filter(verb="withdraw").last()
    return last is not None and now() < last.at + timedelta(days=1)


def check_seen(task: Task, seen: int | None, *, by: User) -> None:
    """Refuses what was decided on a page that is no longer true, and says what happened since."""
    if seen is not None and seen != task.version:
        raise Refused(what_changed(task, by=by))


# What a step did, after the name of who did it.
DID = {
    "open": _l("sent it"),
    "claim": _l("claimed it"),
    "acknowledge": _l("said that they have it"),
    "assign": _l("gave it to somebody"),
    "release": _l("put it back"),
    "reply": _l("replied"),
    "ask back": _l("asked the patient"),
    "hear from patient": _l("answered"),
    "reach": _l("reached the patient, who was asked"),
    "message": _l("wrote a message"),
    "escalate": _l("asked a physician"),
    "answer": _l("answered the question"),
    "take over": _l("took it over"),
    "hand over": _l("handed it over"),
    "transfer": _l("moved it to another queue"),
    "split": _l("split off a task"),
    "call": _l("logged a call"),
    "resolve": _l("resolved it"),
    "undo": _l("took a step back"),
    "withdraw": _l("took the request back"),
    "reopen": _l("opened it again"),
    "raise": _l("wrote something that made it more urgent"),
    "send": _l("sent the form"),
    "pass the question on": _l("passed the question on"),
    # The clock does these by itself.
    "fall asleep": _l("it went back into the queue"),
    "stop waiting": _l("the wait for the patient ended"),
}


def what_changed(task: Task, *, by: User) -> str:
    """What the last step did to a task and who took it, for a page that didn't know."""
    last = task.steps.select_related("by").last()
    words = {
        "who": last.by.signature if last and last.by else "",
        "did": str(DID.get(last.verb, last.verb)) if last else "",
        "state": task.get_state_display(),
    }
    if not words["who"]:
        return (
            _(
                "This task changed meanwhile by itself (%(did)s): it is now %(state)s. Nothing of yours was stored; "
                "look again."
            )
            % words
        )
    if last and last.by_id == by.pk:
        return (
            _(
                "You changed this task meanwhile, in another tab or with a second click (%(did)s): it is now "
                "%(state)s. Nothing was done twice; look again."
            )
            % words
        )
    return (
        _(
            "%(who)s changed this task meanwhile (%(did)s): it is now %(state)s. Nothing of yours was stored; "
            "look again."
        )
        % words
    )


def check_sees(task: Task, by: User) -> None:
    """Whoever works the task's queue, or the one that was asked, may add to it."""
    if not Task.objects.visible_to(by).filter(pk=task.pk).exists():
        raise Refused(_("This task is not in one of your queues."))


def check_protocol(task: Task) -> None:
    """A required protocol is done before the task is."""
    protocol = protocol_of(task)
    if protocol is None or not protocol.required:
        return
    steps = open_steps(task, protocol)
    if steps:
        raise Refused(
            _("“%(protocol)s” must be done first. Still open: %(steps)s.")
            % {"protocol": protocol, "steps": "; ".join(steps)}
        )


def protocol_of(task: Task) -> Protocol | None:
    """The checklist that a rule asked for, where there is one of this code."""
    code = task.decision.result.get("protocol") if task.decision else None
    return _protocol(code) if code else None


@remembered
def _protocol(code: str) -> Protocol | None:
    return Protocol.objects.filter(code=code).first()


def open_steps(task: Task, protocol: Protocol) -> list[str]:
    steps = protocol.steps.filter(retired=False).exclude(ticks__task=task)
    return list(steps.values_list("text", flat=True))


def check_cares_for(patient: Patient, by: User) -> None:
    if not Patient.objects.cared_for_by(by).filter(pk=patient.pk).exists():
        raise Refused(_("This patient is seen at a place where you don't work."))


def people_of(task: Task) -> list[User]:
    """Who may be mentioned: the members of the task's queue and of the one that was asked, who stands in for them, and
    its owner."""
    queues = [pk for pk in (task.queue_id, task.asked_queue_id, task.covering_queue_id) if pk]
    people = Q(groups__queue__in=queues) | Q(
        pk__in=[pk for pk in (task.covering_person_id, task.owner_id) if pk]
    )
    return list(User.objects.filter(people, is_active=True).order_by("name").distinct())


def check_serves(queue: Queue, patient: Patient) -> None:
    """Whether this queue is one for patients of this place."""
    if queue.facility_id not in (None, patient.facility_id):
        raise Refused(
            _("%(queue)s doesn't serve the patients of %(facility)s. Pick another queue.")
            % {"queue": queue, "facility": patient.facility}
        )


def may_take(role: str, task: Task) -> bool:
    """What a red flag made urgent stays with people of a role that can read why."""
    return task.floor < Urgency.URGENT or Field.CLINICAL in fields_for([role])


def check_takes(queue: Queue, task: Task) -> None:
    if not may_take(queue.role, task):
        raise Refused(
            _(
                "A red flag made this urgent, and %(queue)s sees nothing about health. Keep it, and split off what is "
                "theirs."
            )
            % {"queue": queue}
        )


def check_outcome(outcome: Outcome, by: User) -> None:
    if outcome.retired or not set(outcome.roles) & set(by.roles):
        raise Refused(
            _("“%(outcome)s” is not an outcome that your role can choose.") % {"outcome": outcome.label}
        )


def check_words(text: str, *, limit: int = 10_000, empty: bool = False) -> str:
    """The text without outer white space; refuses an empty one, one too long, or one with unstorable characters."""
    text = text.replace("\r\n", "\n").strip()
    if not text and not empty:
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
