"""The demo clinic: only in a database of its own, the same each time, believable, and told once whatever stops it."""

import os
import signal
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from threading import Event as Signal
from threading import Thread

import psycopg
import pytest
from django.core.management import CommandError, call_command
from django.db import connections

from audit.models import Event
from intake.attachments.models import Attachment
from portal.people import actions as people
from portal.people.models import Patient, User
from portal.people.policies import Refused
from portal.shell.demo import history, logins
from portal.shell.demo.ahead import read_ahead
from portal.shell.demo.base import load_base
from portal.shell.demo.patients import patients
from portal.shell.demo.stories import plan
from portal.shell.models import DemoClinic
from queues import actions as queues
from queues.models import Conversation, Message, Outcome, Queue, Step, Task
from queues.states import State
from queues.tasks import PAST, sweep
from tests import databases
from tests.conftest import forget, point_at
from triage import engine
from triage.loading import compiled
from triage.models import Decision, Ruleset, TextReading

ANCHOR = datetime(2026, 3, 4, 20, 10, tzinfo=UTC)  # a Wednesday afternoon at the clinic
SEED = 20
FEW = 60


@contextmanager
def a_database() -> Iterator[None]:
    """A database where commits are real, for longer than one test."""
    before = dict(connections.settings["default"])
    with databases.fresh_database() as (_, app_url):
        point_at(app_url)
        try:
            yield
        finally:
            connections["default"].close()
            connections.settings["default"].update(before)
            forget()


statements: list[int] = []  # one for each that told the history
read_before: list[int] = []  # how many texts were read when it began


@pytest.fixture(scope="module")
def told(django_db_setup, django_db_blocker) -> Iterator[DemoClinic]:
    """A small clinic with its whole history."""
    with django_db_blocker.unblock(), a_database():
        marker = load_base(planned=FEW, seed=SEED, anchor=ANCHOR)
        planned = plan(seed=SEED, anchor=ANCHOR, count=FEW, people=patients(SEED, ANCHOR.date()))
        assert sum(read_ahead(marker, planned)) > FEW
        read_before.append(TextReading.objects.count())

        def count(execute, *told):
            statements.append(1)
            return execute(*told)

        with connections["default"].execute_wrapper(count):
            marker = history.load_history()
        yield marker


def gist() -> list[tuple]:
    """What the requests are, in the order they were sent, and what became of them. A part that was split off was sent
    with the rest."""
    told = (
        "conversation__opened_at",
        "conversation__patient__record_number",
        "title",
        "state",
        "outcome__code",
    )
    return list(Task.objects.order_by(*told).values_list(*told, "queue__name"))


# ---- whose database ---------------------------------------------------------------------------------------------


@pytest.mark.django_db
def test_a_database_that_is_in_use_is_refused_and_left_as_it_is():
    people.add_user(email="somebody@example.com", name="Somebody", by=None)
    before = Event.objects.count()
    for arguments in (["--base"], ["--history"], ["--logins"], []):
        with pytest.raises(CommandError, match="not the demo's"):
            call_command("load_demo", *arguments)
    assert (User.objects.count(), Event.objects.count()) == (1, before)
    assert not DemoClinic.objects.exists()


@pytest.mark.django_db
def test_a_production_is_refused_even_when_it_is_empty(settings):
    settings.PRODUCTION = True
    for load in (load_base, history.load_history):
        with pytest.raises(Refused, match="production"):
            load()
    assert not User.objects.exists()


def test_what_is_there_is_not_entered_again(told):
    before = (User.objects.count(), Event.objects.count())
    call_command("load_demo")
    assert (User.objects.count(), Event.objects.count()) == before


# ---- the clinic -------------------------------------------------------------------------------------------------


def test_the_clinic_has_people_queues_and_published_rules(told):
    assert Patient.objects.count() == len(patients(SEED, ANCHOR.date()))
    spanish = Patient.objects.filter(language="es").count() / Patient.objects.count()
    assert 0.15 < spanish < 0.3
    assert Ruleset.objects.published().get().rules.count() >= 25
    assert Ruleset.objects.filter(baseline=True).count() == 1
    for queue in Queue.objects.live():
        assert queue.members.user_set.exists(), queue
        assert queue.targets.count() == 3
    roles = {role for outcome in Outcome.objects.all() for role in outcome.roles}
    assert roles >= {queue.role for queue in Queue.objects.live()}


def test_everybody_was_born_before_their_first_request():
    for person in patients(SEED, ANCHOR.date()):
        assert 0 <= person.age_on(ANCHOR.date()) <= 95
        assert (ANCHOR.date() - person.born).days >= 95


def test_every_patient_is_reached_by_a_login(told):
    for patient in Patient.objects.select_related("user"):
        grown_up = patient.age_on(ANCHOR.date()) >= 18
        assert patient.user or not grown_up
        assert patient.user or patient.proxies.running().exists()


def test_only_those_whom_anybody_can_be_get_mail(told):
    known = {login.email for login in logins.logins(told) if login.is_patient}
    assert set(User.objects.filter(mail_notices=True).values_list("email", flat=True)) == known


# ---- the history ------------------------------------------------------------------------------------------------


def test_everything_went_through_the_actions(told):
    assert not told.loading
    told = Conversation.objects.filter(channel="portal", confidential=False)
    assert told.count() == Task.objects.filter(conversation__in=told, split_from=None).count() == FEW
    # One came by phone, one the clinic began, one is between a teenager and the clinic, and one is a part split off.
    assert Task.objects.get(split_from__isnull=False).queue.code == "billing"
    assert Step.objects.filter(verb="open").count() == FEW + 4
    assert Event.objects.filter(action="queues.task.open").count() == FEW + 4
    assert (
        Event.objects.filter(action="queues.task.resolve").count()
        == Step.objects.filter(verb="resolve").count()
    )
    assert not Step.objects.filter(at__gt=ANCHOR).exists()
    assert Task.objects.filter(state=State.RESOLVED).count() > FEW / 2
    assert Task.objects.live().exists()
    assert Message.objects.filter(from_patient=True).exists()


def test_what_is_rare_is_told_as_it_was_planned(told):
    """A photo, a baby's fever, words in a third language, and somebody who asks for four things in a row."""
    rules = {
        rule.name
        for decision in Decision.objects.all()
        for rule in engine.fired_in(decision.result["trace"], compiled(decision.ruleset_id))
    }
    assert rules >= {
        "Photo of a symptom",
        "Any other photo or file",
        "Fever in a baby under three months",
        "Emergency notice shown",
        "Text that could not be read",
        "Several open requests",
    }
    (photo,) = Attachment.objects.all()
    assert photo.is_image
    assert photo.submission is not None


def test_a_request_is_told_in_few_statements(told):
    """Time can't be tested; what it is made of can. Sending one, working on it with its clocks and
    checklists, and ending it takes some thirty-two; the more requests, the fewer, for who works where is read once."""
    assert len(statements) / (FEW + 3) < 33  # with the three of the last hour


def test_what_is_read_ahead_is_what_is_sent_later(told):
    assert read_before[0] > FEW / 2
    read_meanwhile = TextReading.objects.count() - read_before[0]
    assert read_meanwhile == 1  # what a teenager says in the last hour is in no plan


def contents() -> list[tuple]:
    """Every step of every task with all that was said, told without the database's own keys."""
    steps = Step.objects.order_by("at", "task__title", "verb").values_list(
        "at",
        "verb",
        "before",
        "after",
        "note",
        "minutes",
        "by__email",
        "queue__name",
        "task__title",
        "task__due_at",
    )
    messages = Message.objects.order_by("sent_at", "body").values_list(
        "sent_at", "body", "author__email", "read_at", "shown_at", "conversation__patient__record_number"
    )
    events = Event.objects.order_by("occurred_at", "action", "agent__email").values_list(
        "occurred_at", "action", "agent__email", "agent_role", "kind"
    )
    return [*gist(), *steps, *messages, *events]


def test_two_who_tell_it_at_once_tell_the_same(told):
    expected = contents()
    with a_database():
        load_base(planned=FEW, seed=SEED, anchor=ANCHOR)
        said: list[int] = []
        assert not history.load_history(say=lambda marker: said.append(marker.done), loaders=2).loading
        assert said[-1] == FEW
        assert [part["over"] for part in DemoClinic.objects.get().unfinished["parts"]] == [True, True]
        assert contents() == expected


def test_one_of_two_who_was_killed_is_told_of_and_what_is_left_is_told_later(told, monkeypatch):
    expected = contents()
    monkeypatch.setattr(history, "BATCH", 25)
    done = history._Part._do

    def die_in_the_middle(self, coming, seen=[]):  # noqa: B006
        seen.append(coming)
        if self.part == 1 and len(seen) == 40:
            os.kill(os.getpid(), signal.SIGKILL)
        done(self, coming)

    with a_database():
        load_base(planned=FEW, seed=SEED, anchor=ANCHOR)
        monkeypatch.setattr(history._Part, "_do", die_in_the_middle)
        with pytest.raises(RuntimeError, match="ended before its time"):
            history.load_history(loaders=2)
        monkeypatch.setattr(history._Part, "_do", done)
        assert 0 < DemoClinic.objects.get().done < FEW
        # Whoever goes on may be alone: the parts stay as they were begun.
        assert not history.load_history(loaders=1).loading
        assert contents() == expected


def test_a_history_that_was_killed_goes_on_and_is_the_same(told, django_db_blocker, monkeypatch):
    expected = gist()
    monkeypatch.setattr(history, "BATCH", 25)

    class Killed(BaseException):
        pass

    def die_after_two_batches(marker, seen=[]):  # noqa: B006
        seen.append(marker.done)
        if len(seen) == 2:
            raise Killed

    done = history._Part._do

    def die_in_the_middle(self, coming, seen=[]):  # noqa: B006
        seen.append(coming)
        if len(seen) == 40:
            raise Killed
        done(self, coming)

    with a_database():
        load_base(planned=FEW, seed=SEED, anchor=ANCHOR)
        with pytest.raises(Killed):
            history.load_history(say=die_after_two_batches)
        monkeypatch.setattr(history._Part, "_do", die_in_the_middle)
        with pytest.raises(Killed):
            history.load_history()
        monkeypatch.setattr(history._Part, "_do", done)
        half = DemoClinic.objects.get()
        assert half.loading
        assert 0 < Conversation.objects.count() < FEW
        # As it was written down before there were parts.
        DemoClinic.objects.update(unfinished=half.unfinished["parts"][0])
        assert not history.load_history(loaders=2).loading
        assert Conversation.objects.filter(channel="portal", confidential=False).count() == FEW
        assert gist() == expected


def test_a_teenager_keeps_something_from_the_parent_who_writes_for_them(told):
    (kept,) = Conversation.objects.filter(confidential=True)
    teen = kept.patient
    assert teen.user
    assert Conversation.objects.reachable_by(teen.user).filter(pk=kept.pk).exists()
    (parent,) = (grant.user for grant in teen.proxies.open())
    assert not Conversation.objects.reachable_by(parent).filter(pk=kept.pk).exists()
    # Nobody has to hunt for it: the nurse whom anybody can be has it in a list.
    nurse = next(login for login in logins.logins(told) if login.code == "nurse")
    assert kept.tasks.get().queue in Queue.objects.worked_by(User.objects.get(email=nurse.email))


def test_an_adult_has_a_neighbor_with_a_narrow_grant_and_one_that_is_ended(told):
    adult, parent = (
        next(each for each in logins.logins(told) if each.code == code) for code in ("adult", "parent")
    )
    patient = Patient.objects.get(user__email=adult.email)
    (narrow,) = patient.proxies.open()
    assert (narrow.user.email, narrow.scope) == (parent.email, ["billing", "appointment"])
    assert patient.proxies.filter(ended_at__isnull=False).count() == 1


def another_connection() -> psycopg.Connection:
    settings = connections["default"].settings_dict
    place = {word: settings[word.upper()] for word in ("host", "port", "user", "password")}
    return psycopg.connect(**place, dbname=settings["NAME"])


def test_a_batch_that_a_deadlock_ended_is_told_again_and_the_history_is_the_same(told, monkeypatch):
    """Somebody holds the task that comes next and waits for one that this batch has changed."""
    expected = gist()
    monkeypatch.setattr(history, "BATCH", 4)  # so that a batch works on tasks that earlier ones have sent
    changed, touched, begun_again, others = [], set(), [], []
    do, begin = history._Part._do, history._Part._begin_where_it_ended

    def meet(self, coming):
        verb = self.stories[coming.story].acts[coming.act].verb if coming.act >= 0 else "send"
        if (
            verb not in ("send", "read", "write", "answer")
            and coming.task <= newest[0]
            and len(begun_again) < 2
        ):
            if changed and coming.task not in touched and not any(other.is_alive() for other in others):
                holds = Signal()
                other = Thread(
                    target=hold_and_want, args=(another_connection(), coming.task, changed[0], holds)
                )
                other.start()
                others.append(other)
                holds.wait()
            changed.append(coming.task)
        touched.add(coming.task)
        do(self, coming)

    def hold_and_want(other, held, wanted, holds):
        lock = "SELECT 1 FROM queues_task WHERE id = %s FOR UPDATE"
        with other:
            try:
                other.execute(lock, [held])
                holds.set()
                while not other.execute("SELECT 1 FROM pg_locks WHERE NOT granted").fetchall():
                    pass
                other.execute(lock, [wanted])
            except psycopg.errors.DeadlockDetected:
                pass  # it was we who were ended: the next act tries once more
            other.rollback()

    def begin_again(self):
        begun_again.append(self.marker.done)
        changed.clear(), touched.clear()
        begin(self)

    def committed(marker):
        changed.clear(), touched.clear()
        newest[0] = Task.objects.order_by("pk").last().pk

    newest = [0]
    monkeypatch.setattr(history._Part, "_do", meet)
    monkeypatch.setattr(history._Part, "_begin_where_it_ended", begin_again)
    with a_database():
        load_base(planned=FEW, seed=SEED, anchor=ANCHOR)
        assert not history.load_history(say=committed).loading
        for other in others:
            other.join()
        assert len(begun_again) == 2  # once to begin with, and once after the deadlock
        assert gist() == expected


def test_two_loaders_do_not_tell_the_same_twice(told):
    with another_connection() as another:
        another.execute("SELECT pg_advisory_lock(%s)", [history._LOADER])
        with pytest.raises(Refused, match="Another process"):
            history.load_history()


@contextmanager
def refusals(monkeypatch) -> Iterator[list[str]]:
    """What the acts of the history were refused."""
    refused: list[str] = []
    do = history._Part._do

    def listen(self, coming):
        try:
            do(self, coming)
        except Refused as error:
            refused.append(str(error))
            raise

    monkeypatch.setattr(history._Part, "_do", listen)
    yield refused


def test_what_a_visitor_did_meanwhile_stays_and_the_history_goes_on(told, monkeypatch):
    """Between two batches somebody takes back what a person of the past has claimed, resolves another, and so on."""
    monkeypatch.setattr(history, "BATCH", 30)
    released, ended = [], []

    def visit(_marker):
        done = Outcome.objects.get(code="answered")
        for task in Task.objects.filter(state=State.CLAIMED, owner__isnull=False).select_related("owner"):
            if task.pk % 2:
                queues.release(task=task, by=task.owner)
                released.append(task.pk)
            elif done.roles and set(done.roles) & {task.queue.role}:
                queues.resolve(task=task, outcome=done, by=task.owner)
                ended.append(task.pk)

    with a_database():
        load_base(planned=FEW, seed=SEED, anchor=ANCHOR)
        with refusals(monkeypatch) as refused:
            assert not history.load_history(say=visit).loading
        assert released
        assert ended
        assert refused
        assert Task.objects.filter(pk__in=ended, state=State.RESOLVED).exists()


def test_the_clock_stands_still_while_a_past_is_told(told):
    due = Task.objects.due_for_the_clock().count()
    assert due
    with another_connection() as another:
        another.execute("SELECT pg_advisory_lock(%s)", [PAST])
        assert sweep() == 0
        # Given back by name: a server process ends, and lets go, some time after its connection is closed.
        another.execute("SELECT pg_advisory_unlock(%s)", [PAST])
    assert Task.objects.due_for_the_clock().count() == due
    assert sweep(seconds=0.01) > 0
