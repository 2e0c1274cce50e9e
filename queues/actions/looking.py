"""What the clock does: one look at one task whose next step is due, in a transaction of its own.

A look does all that is due, once, whatever it missed while nothing ran, and notes when the next one is due. Several
workers may look at the same time: a task that one of them holds is passed over, and found done by the others.
"""

from __future__ import annotations

from datetime import datetime, timedelta
from functools import cached_property

from django.db import transaction
from django.db.models import Q
from django.utils.translation import gettext as _

from audit.actions import Kind as Act
from audit.actions import record
from audit.now import now
from portal.people.models import User
from queues import clock
from queues.actions.covering import COVERED, WHOLLY_LATE, Cover
from queues.actions.incoming import reopen
from queues.actions.path import LET_GO, move
from queues.actions.saying import say_ourselves
from queues.actions.telling import (
    Kind,
    alert,
    end_of_coverage,
    leads_of,
    members_of,
    next_coverage,
    people_of,
    stand_ins,
    tell,
)
from queues.actions.timing import end_wait
from queues.attendance import Attendance, when_promised
from queues.models import Coverage, Escalation, MeasureMark, Queue, Task
from queues.states import UNCLAIMED, State
from queues.urgency import Urgency

# Of the promised time: at which parts somebody is told. Beyond the whole of it others cover.
MARKS = (50, 80, 100, WHOLLY_LATE)
OFTEN = 6  # this many alerts come at the queue's own pace, the later ones six times as slowly


@transaction.atomic
def look(task_id: int) -> bool:
    """Do what is due for this task. False where nothing was: done already, or another worker is at it."""
    task = Task.objects.select_for_update(skip_locked=True).due_for_the_clock().filter(pk=task_id).first()
    if task is None:
        return False
    _Look(task).run()
    return True


def look_soon(queue: Queue) -> int:
    """Let the next sweep look at all that waits in this queue or is covered for it, whose coverage was just changed.
    Returns how many."""
    here = Task.objects.live().filter(Q(queue=queue) | Q(asked_queue=queue))
    # In the order of keys: two who lock many rows in any order may wait for each other.
    waiting = here.filter(Q(state__in=UNCLAIMED) | COVERED).select_for_update(no_key=True).order_by("pk")
    return Task.objects.filter(pk__in=waiting.values("pk")).update(next_step_at=now())


def put_off(task_id: int) -> None:
    """Look at a task later whose look failed, so that it doesn't stand in the way of the others."""
    Task.objects.filter(pk=task_id).update(next_step_at=now() + timedelta(minutes=5))


class _Look:
    """One task, locked, at one moment."""

    def __init__(self, task: Task) -> None:
        self.task, self.queue, self.moment = task, task.queue, now()
        self.hours = self.queue.hours()
        self.urgent = task.urgency == Urgency.URGENT
        self.cover = Cover(task)
        self.question = self.cover.question
        self.next: list[datetime] = []

    def run(self) -> None:
        task = self.task
        version = task.version
        for step in self._steps():
            step()
            if task.version != version:
                return  # another state: it is looked at anew, from the beginning
        task.next_step_at = min(self.next, default=self.moment + timedelta(days=1) if task.is_live else None)
        task.save(
            update_fields=[
                "next_step_at", "told", "alerts", "alerted_at", "reminded_at", "unread_since", "call_since",
                "covering_queue", "covering_person",
            ]
        )  # fmt: skip

    def _steps(self) -> list:
        steps = [self._unread]
        match self.task.state:
            case State.WAITING:
                steps += [self._covered, self._wait]
            case State.OPEN | State.REOPENED:
                steps += [self._never_open, self._covered, self._take_up, self._promise, self._here_again]
            case State.CLAIMED:
                steps += [self._covered, self._asleep, self._promise, self._here_again]
            case State.ESCALATED:
                steps += [self._covered, self._question, self._promise, self._here_again]
        return steps

    def _due(self, moment: datetime) -> bool:
        """Whether it is time; if not, the next look is then."""
        if moment <= self.moment:
            return True
        self.next.append(moment)
        return False

    # ---- waiting for the patient --------------------------------------------------------------------------------

    def _wait(self) -> None:
        task, queue = self.task, self.queue
        since = task.waiting_since or self.moment
        if self._due(since + timedelta(hours=queue.wait_ends_after)):
            owner = task.owner
            move(task, "stop waiting", by=None, owner=None, claimed_at=None, **end_wait(task, "wait over"))
            tell(task, Kind.WAIT_OVER, stand_ins(queue, [owner] if owner else []), round=task.version)
        elif task.reminded_at is None and self._due(since + timedelta(hours=queue.remind_after)):
            say_ourselves(task, "reminder")
            task.reminded_at = self.moment
            record(
                "queues.task.remind",
                by=None,
                kind=Act.UPDATE,
                patients=[task.conversation.patient_id],
                entity=task,
            )

    # ---- claims -------------------------------------------------------------------------------------------------

    def _asleep(self) -> None:
        task, owner = self.task, self.task.owner
        since = max(task.active_at, task.claimed_at or task.active_at)
        first = self.urgent and task.responded_at is None
        minutes = self.queue.minutes(Urgency.URGENT)[0] if first else self.queue.sleeps_after
        if not self._due(clock.due_anyway(self.hours, since, minutes, urgent=self.urgent)):
            return
        move(task, "fall asleep", by=None, note=_("Nothing was done with it for a while."), **LET_GO)
        tell(task, Kind.FELL_ASLEEP, [owner] if owner else [], round=task.version)

    # ---- coverage -----------------------------------------------------------------------------------------------

    def _covered(self) -> None:
        """Whoever stands in now gets it beside the queue's own people, and whoever no longer does loses sight of it.
        What one of them holds stays theirs until they let go of it, and nobody else's."""
        cover = self.cover
        waits = self.task.state not in (State.CLAIMED, State.WAITING)
        if not waits and not cover.given:
            return
        row = cover.now()
        if row is not None and not waits and not cover.is_given(row):
            row = None  # what somebody holds is given to nobody new
        people = self._give(row)
        if people and not self.urgent:  # who covers what is urgent is alerted with the others
            tell(self.task, Kind.COVERED, people, round="cover", queue=cover.place)
        if waits and (begins := next_coverage(cover.place)) is not None:
            self._due(begins)

    def _give(self, row: Coverage | None) -> list[User]:
        """Returns to whom it is new. It is looked at again when that coverage is over."""
        if row is not None and (end := end_of_coverage(row, self.moment, anyway=self.cover.lies)) is not None:
            self._due(end)
        return self.cover.give(row)

    def _those_who_cover(self) -> list[User]:
        row = self.cover.now()
        if row is None:
            return []
        self._give(row)
        return people_of(row)

    # ---- urgent work --------------------------------------------------------------------------------------------

    def _take_up(self) -> None:
        """Alert until somebody takes it up: its people, then the lead as well, then whoever covers."""
        task = self.task
        if not self.urgent or task.acknowledged_at is not None:
            return
        if not self._due(self._again(task.alerted_at, task.alerts, self.queue.acknowledge_within)):
            return
        people = members_of(self.queue)
        if task.alerts >= 1:
            people += leads_of(self.queue)
        round, task.alerts, task.alerted_at = task.alerts, task.alerts + 1, self.moment
        if self.cover.lies or self.cover.given:
            people += self._those_who_cover()
        tell(task, Kind.TAKE_UP, people, round=f"{task.promises}.{round}")
        alert(task, Kind.TAKE_UP)
        self._due(self._again(task.alerted_at, task.alerts, self.queue.acknowledge_within))

    def _again(self, last: datetime | None, times: int, minutes: int) -> datetime:
        if last is None:
            return self.moment
        return last + timedelta(minutes=minutes * (1 if times < OFTEN else OFTEN))

    # ---- questions to a physician -------------------------------------------------------------------------------

    def _question(self) -> None:
        """The asked are told once; what is urgent again until somebody has it, to more people each time."""
        question = self.question
        if question is None:
            return
        if question.alerts == 0:
            self._ask(question)
        if not question.urgent or question.acknowledged_at is not None:
            return
        within = question.queue.acknowledge_within
        while self._due(self._again(question.alerted_at, question.alerts, within)):
            self._ask(question)
            alert(self.task, Kind.ASKED_URGENTLY)

    def _ask(self, question: Escalation) -> None:
        times, question.alerts, question.alerted_at = question.alerts, question.alerts + 1, self.moment
        question.save(update_fields=["alerts", "alerted_at"])
        people = members_of(question.queue)
        if self.cover.lies or self.cover.given:
            people += self._those_who_cover()
        if times:
            people += leads_of(question.queue)
        kind = Kind.ASKED_URGENTLY if question.urgent else Kind.ASKED
        tell(self.task, kind, people, round=f"{question.pk}.{times}", queue=question.queue)

    # ---- the promise --------------------------------------------------------------------------------------------

    def _promise(self) -> None:
        """The owner hears at half of the time, their colleagues when most is over, the lead when it is late, and then
        whoever covers; the patient too, when what was promised to them is not kept."""
        task = self.task
        reached = task.told
        for mark in MARKS:
            if mark > task.told and self._due(self._moment_of(mark)):
                reached = mark
        if reached == task.told:
            return
        late_before, task.told = task.told >= 100, reached
        own = stand_ins(self.queue, [task.owner]) if task.owner else members_of(self.queue)
        number = task.promises
        if reached == 50:
            tell(task, Kind.HALF, own, round=number)
        elif reached == 80:
            tell(task, Kind.NEARLY, [*own, *members_of(self.queue)], round=number)
        else:
            tell(task, Kind.LATE, [*own, *leads_of(self.queue)], round=number)
        if reached == WHOLLY_LATE:
            tell(task, Kind.STILL_LATE, self._those_who_cover(), round=number)
        if reached >= 100 and not late_before:
            MeasureMark.objects.create(task=task)  # nobody did anything, and yet it is late now
            if self._was_told_the_time():
                say_ourselves(task, "late")

    def _moment_of(self, mark: int) -> datetime:
        task = self.task
        if mark == 100:
            return task.due_at
        if mark < 100:
            return clock.moment_of(self.hours, task.promised_at, task.due_at, mark / 100, urgent=self.urgent)
        if self.urgent:
            return task.due_at + (task.due_at - task.promised_at) * (mark / 100 - 1)
        time = clock.between(self.hours, task.promised_at, task.due_at)
        return clock.later(self.hours, task.due_at, time * (mark / 100 - 1))

    def _was_told_the_time(self) -> bool:
        """The first answer is always promised, but where nobody reads until then; a time for the outcome only where a
        promise moved to it."""
        task = self.task
        if task.responded_at is not None:
            return task.promise_moves.filter(after=task.due_at).exists()
        return self._there.tells(task.due_at, task.promised_at)

    @cached_property
    def _there(self) -> Attendance:
        return when_promised(self.task)

    def _here_again(self) -> None:
        """Who wrote something urgent while nobody read was told when somebody does. An answer that isn't there by then
        is late for them too, and they are told once what to do."""
        task = self.task
        if not self.urgent or task.told < 100 or task.responded_at is not None or self._was_told_the_time():
            return
        opens = self._there.opens(task.promised_at)
        if opens is None or not self._due(opens):
            return
        if not task.conversation.messages.filter(task=task, author=None, sent_at__gte=opens).exists():
            say_ourselves(task, "here again")

    def _never_open(self) -> None:
        """In a queue that never opens again its time was counted day and night, and the lead must know."""
        if not self.urgent and next(clock.spans(self.hours, self.moment), None) is None:
            tell(self.task, Kind.NEVER_OPENS, leads_of(self.queue), round="closed")

    # ---- urgent replies that nobody reads -----------------------------------------------------------------------

    def _unread(self) -> None:
        """An urgent reply that lies unread becomes a call. What was finished with it comes back for that."""
        task = self.task
        if task.unread_since is None or task.call_since is not None:
            return
        said = task.conversation.messages.standing().filter(
            from_patient=False, author__isnull=False, read_at__isnull=True, sent_at__gte=task.unread_since
        )
        if not said.exists():
            task.unread_since = None
            return
        if not self._due(task.unread_since + timedelta(minutes=self.queue.read_within)):
            return
        task.call_since = self.moment
        if task.state not in (*UNCLAIMED, State.CLAIMED, State.WAITING, State.ESCALATED):
            reopen(
                task, by=None, note=_("An urgent answer was not read: please call."), call_since=self.moment
            )
        owner = [task.owner] if task.owner else members_of(task.queue)
        tell(task, Kind.CALL, stand_ins(task.queue, owner), round=task.promises)
        alert(task, Kind.CALL)
