"""Telling one month: patients send when patients do, and staff do what each request needs as soon as they are free.

What a request needs (a question back, a physician's word, another queue) is drawn as for the demo clinic's history; but
when it happens follows here from the queue it waits in and the people who work there. Everything is done through the
real actions at its own moment; the same seed gives the same month.
"""

from __future__ import annotations

import heapq
from collections import deque
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from itertools import count
from math import log
from random import Random
from zoneinfo import ZoneInfo

from audit.actions import gathered
from audit.now import at
from portal.people.models import User
from portal.people.reference import steady
from portal.shell.demo import places
from portal.shell.demo.acting import Telling, in_a_hurry
from portal.shell.demo.base import load_base
from portal.shell.demo.paths import Act
from portal.shell.demo.patients import people_of
from portal.shell.demo.stories import Story, month
from portal.shell.models import DemoClinic
from portal.shell.simulation.mix import Mix
from queues import actions, clock
from queues.models import Escalation, Queue, Task
from queues.states import DONE, UNCLAIMED, State
from queues.urgency import Urgency

START = datetime(2026, 3, 2, tzinfo=ZoneInfo(places.ZONE)).astimezone(
    UTC
)  # a Monday without holidays around it
DAYS = 28
STAFF_DO = frozenset({"reply", "ask back", "escalate", "hand over", "release", "resolve"})
# Two people stand for the rota of the team that works round the clock.
DAY_AND_NIGHT = (("07:00", "19:00"),), (("00:00", "07:00"), ("19:00", "24:00"))


@dataclass
class Worker:
    """Somebody at work: their hours, their own list of what came back to them, and the minutes they gave."""

    user: User
    role: str
    queues: list[Queue]
    hours: clock.Hours
    back: deque[int] = field(default_factory=deque)  # conversations that wait for this person's next step
    idle: bool = False
    minutes: float = 0.0


class Month(Telling):
    """One practice for four weeks. `tell_all` runs it; what it did is in the database."""

    def __init__(self, marker: DemoClinic, mix: Mix, *, messages: int, speed: float) -> None:
        people = people_of(marker)
        super().__init__(
            marker,
            month(
                seed=marker.seed, start=START, days=DAYS, count=messages, people=people,
                shares=mix.shares, red_flags=mix.red_flags, needs_physician=mix.needs_physician,
            ),
        )  # fmt: skip
        self.mix, self.speed = mix, speed
        self.random = Random(f"month {marker.seed}")
        self.end = START + timedelta(days=DAYS)
        self.events: list[tuple[datetime, int, Callable[[datetime], None]]] = []
        self.numbers = count()
        self.story_of: dict[int, int] = {}  # by conversation
        self.step: dict[int, int] = {}  # by conversation: the number of the act that comes next
        self.asked: dict[int, deque[int]] = {}  # by physicians' queue: conversations with an open question
        self.flagged: set[int] = set()  # conversations that hold a red flag in truth
        self.acting: User | None = None
        self.workers = self._hire()

    def _hire(self) -> list[Worker]:
        found: dict[int, Worker] = {}
        for queue in self.queue_by_key.values():
            for user in self.members[queue.pk]:
                worker = found.setdefault(user.pk, Worker(user, queue.role, [], self.hours[queue.pk]))
                worker.queues.append(queue)
        night = 0
        for worker in found.values():
            calendars = {queue.calendar.name for queue in worker.queues}
            if calendars == {places.ROUND_THE_CLOCK}:
                spans = [list(span) for span in DAY_AND_NIGHT[night % 2]]
                worker.hours = clock.Hours.parse(places.ZONE, dict.fromkeys(places.WEEK, spans))
                night += 1
            else:
                own = next(queue for queue in worker.queues if queue.calendar.name != places.ROUND_THE_CLOCK)
                worker.hours = self.hours[own.pk]
        return sorted(found.values(), key=lambda worker: worker.user.email)

    # ---- the order of time --------------------------------------------------------------------------------------

    def tell_all(self, say: Callable[[int, int], None] = lambda done, of: None) -> None:
        for number, story in enumerate(self.stories):
            self._at(story.at, lambda moment, number=number: self._arrive(number, moment))  # type: ignore[misc]
        for worker in self.workers:
            self._at(START, lambda moment, worker=worker: self._free(worker, moment))  # type: ignore[misc]
        sent = 0
        with in_a_hurry():
            while self.events and self.events[0][0] < self.end:
                with gathered(), steady():
                    for _each in range(100):
                        if not self.events or self.events[0][0] >= self.end:
                            break
                        moment, _number, event = heapq.heappop(self.events)
                        with at(moment):
                            event(moment)
                if len(self.story_of) // 200 > sent // 200:
                    say(len(self.story_of), len(self.stories))
                sent = len(self.story_of)

    def _at(self, moment: datetime, event: Callable[[datetime], None]) -> None:
        heapq.heappush(self.events, (moment, next(self.numbers), event))

    def _minutes(self, of: str, worker: Worker) -> float:
        """A draw of how long this takes, in minutes of undivided work."""
        drawn = self.random.lognormvariate(log(self.mix.minutes[of]), self.mix.sigma) / self.speed
        worker.minutes += drawn
        return drawn

    def _after(self, worker: Worker, moment: datetime, minutes: float, *, urgent: bool = False) -> datetime:
        """When work of so many minutes is done: people give the portal only part of their hours, but all of them to
        what is urgent."""
        if urgent:
            return moment + timedelta(minutes=minutes)
        spent = minutes / self.mix.attention[worker.role]
        whole = int(spent)
        end = clock.add(worker.hours, moment, whole) if whole else moment
        return max(end, moment) + timedelta(minutes=spent - whole)

    # ---- patients -----------------------------------------------------------------------------------------------

    def _arrive(self, number: int, moment: datetime) -> None:
        story = self.stories[number]
        task = self.send(story)
        key = task.conversation_id
        self.story_of[key], self.step[key] = number, 0
        if "flag" in story.ask.tags:
            self.flagged.add(key)
        self._patient_next(key, moment)
        self._wake(task, moment)

    def _patient_next(self, key: int, moment: datetime) -> None:
        """Where the next act is the patient's, let it happen when they come to it."""
        act = self._act_of(key)
        if act is not None and act.verb in ("read", "write", "withdraw"):
            self._at(
                self.moment_of(act, self._task(key), moment), lambda moment: self._patient(key, act, moment)
            )

    def _patient(self, key: int, act: Act, moment: datetime) -> None:
        task = self._task(key)
        self.step[key] += 1
        if act.verb != "withdraw" or task.state not in DONE:
            task = self.act(act, task, self.random)
        if act.verb == "write":
            owner = next((worker for worker in self.workers if worker.user.pk == task.owner_id), None)
            if owner is not None:
                owner.back.append(key)
                self._rouse(owner, moment, self._notice(task))
            elif task.state not in DONE:
                self._wake(task, moment)
        self._patient_next(key, moment)

    def _act_of(self, key: int) -> Act | None:
        acts = self.stories[self.story_of[key]].acts
        return acts[self.step[key]] if self.step[key] < len(acts) else None

    def _task(self, key: int) -> Task:
        return self._known(
            Task.objects.select_related("conversation").filter(conversation=key).order_by("-pk")[0]
        )

    # ---- staff --------------------------------------------------------------------------------------------------

    def _wake(self, task: Task, moment: datetime) -> None:
        """Those who have nothing to do notice a task that came into one of their queues, or a question in it."""
        place = task.asked_queue_id or task.queue_id
        for worker in self.workers:
            if any(queue.pk == place for queue in worker.queues):
                self._rouse(worker, moment, self._notice(task))

    def _notice(self, task: Task) -> float:
        return self.mix.notice_urgent if task.urgency == Urgency.URGENT else self.mix.notice

    def _rouse(self, worker: Worker, moment: datetime, notice: float) -> None:
        if worker.idle:
            worker.idle = False
            minutes = self.random.lognormvariate(log(notice), self.mix.sigma)
            self._at(moment + timedelta(minutes=minutes), lambda moment: self._free(worker, moment))

    def _free(self, worker: Worker, moment: datetime) -> None:
        """Somebody looks for what to do next: what came back to them, a question asked, or the next task."""
        opens = clock.next_opening(worker.hours, moment)
        if opens > moment:
            self._at(opens, lambda moment: self._free(worker, moment))
            return
        if worker.back:
            key = worker.back.popleft()
            task = self._task(key)
            if task.owner_id == worker.user.pk:
                self._take(worker, task, moment)
            else:
                self._at(moment, lambda moment: self._free(worker, moment))
            return
        waiting = next((self.asked[queue.pk] for queue in worker.queues if self.asked.get(queue.pk)), None)
        if waiting:
            asked = waiting.popleft()
            done = self._after(worker, moment, self._minutes("answer", worker))
            self._at(done, lambda moment: self._answer(worker, asked, moment))
            return
        claimed = actions.claim_next(by=worker.user)
        if claimed is None:
            worker.idle = True
            return
        self._take(worker, claimed, moment)

    def _take(self, worker: Worker, task: Task, moment: datetime) -> None:
        key = task.conversation_id
        act = self._act_of(key)
        while act is not None and act.verb in ("claim", "read"):
            self.step[key] += 1
            act = self._act_of(key)
        verb = act.verb if act is not None and act.verb in STAFF_DO else "resolve"
        minutes = self._minutes("look", worker) + self._minutes(verb, worker)
        done = self._after(worker, moment, minutes, urgent=task.urgency == Urgency.URGENT)
        self._at(done, lambda moment: self._do(worker, key, verb, moment))

    def _do(self, worker: Worker, key: int, verb: str, moment: datetime) -> None:
        """The next thing done to a task, by the one who still holds it."""
        task, act = self._task(key), self._act_of(key)
        if task.state == State.CLAIMED and task.owner_id == worker.user.pk:
            if act is not None and act.verb == verb:
                self.step[key] += 1
            else:
                # The story went another way than the plan knew: whoever holds it brings it to an end.
                act = Act(
                    "resolve", "", 0, self.words_to_end(self.stories[self.story_of[key]]), outcome="answered"
                )
            self.acting = worker.user
            task = self.act(act, task, self.random)
            self._follow(worker, key, task, moment)
        self._at(moment, lambda moment: self._free(worker, moment))

    def _follow(self, worker: Worker, key: int, task: Task, moment: datetime) -> None:
        """What a thing done brings about for others, or next for the one who did it."""
        coming = self._act_of(key)
        if task.state == State.ESCALATED and task.asked_queue_id is not None:
            self.asked.setdefault(task.asked_queue_id, deque()).append(key)
            self._wake(task, moment)
        elif task.state in UNCLAIMED:
            self._wake(task, moment)
        elif task.state == State.CLAIMED and (coming is None or coming.verb not in ("write", "withdraw")):
            worker.back.append(key)
        self._patient_next(key, moment)

    def _answer(self, worker: Worker, key: int, moment: datetime) -> None:
        question = Escalation.objects.filter(task__conversation=key, answered_at__isnull=True).first()
        act = self._act_of(key)
        if question is not None and act is not None and act.verb == "answer":
            self.step[key] += 1
            actions.answer(escalation=question, text=act.words, by=worker.user)
            asker = next(each for each in self.workers if each.user.pk == question.asked_by_id)
            asker.back.append(key)
            self._rouse(asker, moment, self.mix.notice)
        self._at(moment, lambda moment: self._free(worker, moment))

    def somebody(self, queue_id: int, random: Random) -> User:
        if self.acting is None:
            raise ValueError("Nobody is at work.")
        return self.acting

    def words_to_end(self, story: Story) -> str:
        return {"es": "Ya quedó atendido. Escríbanos si necesita algo más."}.get(
            story.ask.language, "This is taken care of. Write to us if you need anything else."
        )


def practice(mix: Mix, *, messages: int, seed: int, speed: float = 1.0) -> Month:
    """The practice at the beginning of its month, entered into an empty database."""
    marker = load_base(planned=0, seed=seed, anchor=START)
    return Month(marker, mix, messages=messages, speed=speed)
