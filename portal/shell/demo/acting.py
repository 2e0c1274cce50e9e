"""What every act of a story does, through the real actions: for a history that is told, and for a simulated month."""

from __future__ import annotations

import gc
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from random import Random
from zoneinfo import ZoneInfo

from django.conf import settings
from django.db import connection
from django.db.models import QuerySet

from intake import actions as intake
from intake.attachments.actions import add_to_draft
from intake.models import RequestType
from portal.people.models import Patient, StaffRole, User
from portal.people.prepared import Prepared
from portal.shell.demo import pictures, places
from portal.shell.demo.paths import AWAKE, SHARE, WALL, Act
from portal.shell.demo.patients import Person, people_of
from portal.shell.demo.staff import address
from portal.shell.demo.stories import Story
from portal.shell.models import DemoClinic
from queues import actions, clock
from queues.assessing import Assessed
from queues.models import Escalation, Message, Outcome, Queue, Task
from queues.states import UNCLAIMED, State
from queues.urgency import Urgency

CALLED = "We spoke on the phone and all is well. Please write or call whenever something worries you."


@contextmanager
def in_a_hurry() -> Iterator[None]:
    """A connection made for many small statements.

    The same few are sent a hundred thousand times, so the server plans each of them once. And an action, which is a
    transaction of its own everywhere else, is no savepoint inside a batch: none is refused here, and a batch that
    fails is rolled back whole. A commit needn't wait for the disk: what a power cut takes is told again. Nobody in a
    past takes back what they sent, so nothing waits for that. The plan and the forms stay to the end, so nobody looks
    through them for garbage.
    """
    options, savepoints = connection.settings_dict["OPTIONS"], connection.features.uses_savepoints
    connection.close()
    connection.settings_dict["OPTIONS"] = options | {
        "server_side_binding": True,
        "prepare_threshold": 3,
        "options": f"{options.get('options', '')} -c synchronous_commit=off",
    }
    connection.features.uses_savepoints = False
    undo, settings.UNDO_SECONDS = settings.UNDO_SECONDS, 0
    seldom = gc.get_threshold()
    gc.freeze()
    gc.set_threshold(50_000, 20, 100)
    try:
        yield
    finally:
        gc.set_threshold(*seldom)
        gc.unfreeze()
        settings.UNDO_SECONDS = undo
        connection.close()
        connection.settings_dict["OPTIONS"] = options
        connection.features.uses_savepoints = savepoints


class Telling:
    """The stories, and the rows that their acts need again and again."""

    def __init__(self, marker: DemoClinic, stories: list[Story]) -> None:
        self.marker, self.stories = marker, stories
        self._look_up(people_of(marker))

    def _look_up(self, people: list[Person]) -> None:
        """The rows that every story needs again and again, read once."""
        patients = Patient.objects.select_related("facility__calendar").prefetch_related(
            "facility__calendar__closures"
        )
        rows = {row.record_number: row for row in patients}
        users = {user.email: user for user in User.objects.all()}
        roles: dict[int, list[str]] = {}
        for key, role in StaffRole.objects.order_by("role").values_list("user", "role"):
            roles.setdefault(key, []).append(role)
        for user in users.values():
            # Nobody's roles change in these ninety days; each would be asked for at their first act.
            user.roles = sorted(set(roles.get(user.pk, [])))
        self.by_key = {user.pk: user for user in users.values()}
        self.patients = [rows[person.record_number] for person in people]
        self.patient_by_key = {row.pk: row for row in self.patients}
        self.users = {person.number: users[address(person.name)] for person in people if person.has_login}
        self.request_types = {row.code: row for row in RequestType.objects.select_related("questionnaire")}
        self.outcomes = {row.code: row for row in Outcome.objects.all()}
        self.members: dict[int, list[User]] = {}
        self.hours: dict[int, clock.Hours] = {}
        self.queues: dict[tuple[str, int | None], Queue] = {}
        self.queue_by_key: dict[int, Queue] = {}
        for queue in (
            Queue.objects.live().select_related("calendar").prefetch_related("targets", "calendar__closures")
        ):
            workers = queue.members.user_set.order_by("email").values_list("email", flat=True)
            self.members[queue.pk] = [users[email] for email in workers]
            self.hours[queue.pk] = queue.hours()
            self.queues[queue.code, queue.facility_id] = self.queue_by_key[queue.pk] = queue

    def moment_of(self, act: Act, task: Task, before: datetime) -> datetime:
        hours = self.hours[task.asked_queue_id or task.queue_id]
        least = before + timedelta(seconds=20)
        if act.measure == WALL or task.urgency == Urgency.URGENT and act.measure != AWAKE:
            # An urgent task runs by the clock, and so do those who work on it.
            amount = act.amount * 15 if act.measure == SHARE else min(act.amount, 25)
            return max(least, before + timedelta(minutes=amount))
        if act.measure == AWAKE:
            return _awake(max(least, before + timedelta(minutes=act.amount)))
        if act.measure == SHARE:
            promised = clock.between(hours, task.opened_at, task.respond_due)
            minutes = act.amount * (promised / timedelta(minutes=1))
            return max(least, clock.add(hours, task.opened_at, int(minutes) + 1))
        return max(least, clock.add(hours, before, int(act.amount) + 1))

    def send(self, story: Story) -> Task:
        patient, by = self.patients[story.patient], self.users[story.writer]
        # Page by page nothing would have happened but saving: the answers are there from the beginning.
        draft = intake.start_draft(
            request_type=self.request_types[story.ask.kind], patient=patient, by=by, raw=story.ask.raw
        )
        if "photo" in story.ask.tags:
            # Drawn for the moment it is sent at, so that a history that goes on sends the same.
            picture = pictures.spots(Random(story.at.isoformat()))
            add_to_draft(draft=draft, field="i.photos", file=picture, several=True, by=by)
        if "flag" in story.ask.tags:
            intake.save_draft(draft=draft, raw=story.ask.raw, by=by)
        conversation = intake.submit(draft_id=draft.pk, by=by)
        return self._known(conversation.opened or conversation.tasks.select_related("decision").get())

    def row(self, pk: int) -> Task:
        (task,) = _with_conversation(pk=pk)
        return self._known(task)

    def _known(self, task: Task) -> Task:
        """The task with the people and the queue that every act on it asks for."""
        conversation = task.conversation
        conversation.author = self.by_key[conversation.author_id]
        conversation.patient = self.patient_by_key[conversation.patient_id]
        task.queue = self.queue_by_key[task.queue_id]
        return task

    def act(self, act: Act, task: Task, random: Random) -> Task:
        """Do it, and give the task as it is afterwards."""
        conversation, author = task.conversation, self.by_key[task.conversation.author_id]
        match act.verb:
            case "read":
                actions.mark_read(conversation=conversation, by=author)
            case "write":
                actions.mark_read(conversation=conversation, by=author)
                intake.write(conversation=conversation, body=act.words, by=author)
                return self.row(task.pk)
            case "withdraw" if task.floor == Urgency.URGENT:
                # Nobody takes back what was read as a red flag: a nurse calls, and finds that all is well.
                return self._work(Act("resolve", WALL, 0, CALLED, outcome="advice"), task, random)
            case "withdraw":
                actions.withdraw(conversation=conversation, by=author)
            case "claim":
                if task.state in UNCLAIMED:
                    return actions.claim(task=task, by=self.somebody(task.queue_id, random))
            case "answer":
                question = task.escalations.get(answered_at__isnull=True)
                question.task = task
                actions.answer(
                    escalation=question,
                    text=act.words,
                    by=self.somebody(question.queue_id, random),
                    minutes_spent=1 + min(int(random.lognormvariate(0.8, 0.5)), 15),
                )
                return self.row(task.pk)
            case _:
                return self._work(act, task, random)
        return task

    def _work(self, act: Act, task: Task, random: Random) -> Task:
        """What only the owner does. A task that a red flag took from its owner is claimed by somebody new first."""
        if task.state in UNCLAIMED:
            task = actions.claim(task=task, by=self.somebody(task.queue_id, random))
        if task.state != State.CLAIMED or task.owner_id is None:
            return task
        by = self.by_key[task.owner_id]
        # A word that nobody meant as a red flag may be read as one; what is urgent can't wait for the patient.
        verb = "reply" if act.verb == "ask back" and task.urgency == Urgency.URGENT else act.verb
        match verb:
            case "release":
                return actions.release(task=task, by=by)
            case "reply":
                return _task_of(actions.reply(task=task, body=act.words, by=by))
            case "ask back":
                return _task_of(actions.ask_back(task=task, question=act.words, by=by))
            case "escalate":
                return _task_of(
                    actions.escalate(
                        task=task, situation=act.words, question=act.question, options=act.options, by=by
                    )
                )
            case "hand over":
                to = self.queue_of(act.to, task)
                if to.pk == task.queue_id or task.floor == Urgency.URGENT:
                    return task  # it is theirs already, or must stay with those who can read why it is urgent
                return actions.hand_over(task=task, queue=to, reason=act.words, by=by)
            case "resolve":
                return actions.resolve(
                    task=task,
                    outcome=self.outcome(act.outcome, by),
                    body=act.words,
                    minutes_spent=1 + min(int(random.lognormvariate(1.5, 0.6)), 40),
                    assessed=_assessed(task, random),
                    by=by,
                )
        raise ValueError(f"Nobody knows how to {act.verb}.")

    def somebody(self, queue_id: int, random: Random) -> User:
        return random.choice(self.members[queue_id])

    def queue_of(self, code: str, task: Task) -> Queue:
        facility = self.patient_by_key[task.conversation.patient_id].facility_id
        return self.queues.get((code, facility)) or self.queues[code, None]

    def outcome(self, code: str, by: User) -> Outcome:
        outcome = self.outcomes[code]
        return outcome if set(outcome.roles) & set(by.roles) else self.outcomes["answered"]


@Prepared
def _with_conversation(pk: int) -> QuerySet[Task]:
    return Task.objects.select_related("conversation", "decision").filter(pk=pk)


def _assessed(task: Task, random: Random) -> Assessed | None:
    """Most people tap whether it was sorted right, and mostly it was. What was called soon is too high most often."""
    if random.random() > 0.6:
        return None
    roll = random.random()
    if task.urgency == Urgency.SOON:
        return Assessed(urgency=Urgency.ROUTINE if roll < 0.14 else Urgency.URGENT if roll < 0.16 else None)
    if task.urgency == Urgency.URGENT:
        return Assessed(urgency=Urgency.SOON if roll < 0.12 else None)
    elsewhere = task.conversation.request_type == "appointment" and roll > 0.94
    return Assessed(urgency=Urgency.SOON if roll < 0.04 else None, category="symptom" if elsewhere else None)


def _task_of(said: Message | Escalation) -> Task:
    """The task of what was just written: the very object that the action locked and changed."""
    if said.task is None:
        raise ValueError("Staff say nothing outside of a task.")
    return said.task


def _awake(moment: datetime) -> datetime:
    """The moment, or the next morning where people sleep."""
    local = moment.astimezone(ZoneInfo(places.ZONE))
    if 7 <= local.hour < 22:
        return moment
    day = local if local.hour < 7 else local + timedelta(days=1)
    return day.replace(hour=7, minute=5 + moment.minute % 50).astimezone(UTC)
