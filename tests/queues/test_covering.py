"""Who stands in sees a task for as long as they stand in, and not a minute longer."""

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from django.core.exceptions import ValidationError
from django.test import Client

from audit.models import Event
from audit.now import at
from portal.people.models import User
from portal.people.policies import Refused
from queues import actions, tasks
from queues.models import Coverage, Queue, Task
from tests import factories as make
from tests.clinic import Clinic

CHEST: dict[str, Any] = {"problems": "true", "which": "My chest hurts and I can't breathe"}
MONDAY = datetime(2027, 7, 5, 14, tzinfo=UTC)  # ten in the morning in New York
MIDNIGHT = datetime(2027, 7, 6, 4, tzinfo=UTC)
OFFICE = {day: [["09:00", "17:00"]] for day in ("mon", "tue", "wed", "thu", "fri")}


@pytest.fixture
def helpers() -> Queue:
    return make.queue("helpers", name="Helpers")


@pytest.fixture
def hal(helpers: Queue) -> User:
    return make.staff("nurse", name="Hal Helper", queues_worked=(helpers,))


@pytest.fixture
def hugo(helpers: Queue, hal: User) -> User:
    """Hal's colleague."""
    return make.staff("nurse", name="Hugo Helper", queues_worked=(helpers,))


def sees(person: User, task: Task) -> bool:
    return Task.objects.visible_to(person).filter(pk=task.pk).exists()


def sweep_at(moment: datetime) -> None:
    with at(moment):
        tasks.sweep()


def cover_today(queue: Queue, **by: Any) -> Coverage:
    return Coverage.objects.create(queue=queue, when="days", since="2027-07-05", until="2027-07-05", **by)


def test_who_covers_by_the_day_sees_it_until_midnight_there(clinic: Clinic, helpers, hal) -> None:
    cover_today(clinic.refills, covering_queue=helpers)
    with at(MONDAY):
        task = clinic.task()
        tasks.sweep()
    assert sees(hal, task)
    sweep_at(MIDNIGHT - timedelta(minutes=1))
    assert sees(hal, task)
    sweep_at(MIDNIGHT)
    assert not sees(hal, task)
    assert sees(clinic.nurse, task)
    event = Event.objects.filter(action="queues.task.uncover").get()
    assert event.patient_ids == [clinic.patient.pk]


def test_who_covers_the_night_sees_what_is_urgent_until_the_queue_opens(clinic: Clinic, helpers, hal) -> None:
    clinic.urgent.calendar = make.CalendarFactory(hours=OFFICE)
    actions.save_queue(clinic.urgent, by=None)
    Coverage.objects.create(queue=clinic.urgent, covering_queue=helpers)
    morning = datetime(2027, 7, 6, 13, tzinfo=UTC)
    with at(morning - timedelta(minutes=30)):
        task = clinic.task(**CHEST)
        tasks.sweep()
        actions.acknowledge(task=task, by=hal)
    sweep_at(morning - timedelta(minutes=1))
    assert sees(hal, task)
    sweep_at(morning)
    assert not sees(hal, task)


def test_what_its_people_leave_lying_stays_with_whoever_covers(clinic: Clinic, helpers, hal) -> None:
    Coverage.objects.create(queue=clinic.urgent, covering_queue=helpers)
    with at(MONDAY):
        task = clinic.task(**CHEST)
    for minutes in (0, 10, 20, 30, 60 * 24):
        sweep_at(MONDAY + timedelta(minutes=minutes))
        assert sees(hal, task) == (minutes >= 20)


def test_a_coverage_that_is_taken_away_ends_at_the_next_look(clinic: Clinic, helpers, hal) -> None:
    coverage = cover_today(clinic.refills, covering_queue=helpers)
    with at(MONDAY):
        task = clinic.task()
        tasks.sweep()
        coverage.delete()
        actions.look_soon(clinic.refills)
        tasks.sweep()
    assert not sees(hal, task)


def test_another_who_covers_takes_the_place_of_the_first(clinic: Clinic, helpers, hal) -> None:
    cover_today(clinic.refills, covering_queue=helpers)
    Coverage.objects.create(
        queue=clinic.refills, when="days", person=clinic.biller, since="2027-07-06", until="2027-07-06"
    )
    with at(MONDAY):
        task = clinic.task()
        tasks.sweep()
    sweep_at(MIDNIGHT)
    assert not sees(hal, task)
    assert sees(clinic.biller, task)


def test_what_one_of_them_holds_stays_theirs_alone_until_they_let_go_of_it(
    clinic: Clinic, helpers, hal, hugo
) -> None:
    Queue.objects.update(sleeps_after=6000)
    cover_today(clinic.refills, covering_queue=helpers)
    with at(MONDAY):
        task = clinic.task()
        tasks.sweep()
        actions.claim(task=task, by=hal)
    assert sees(hugo, task)
    sweep_at(MIDNIGHT)
    assert sees(hal, task)
    assert not sees(hugo, task)
    with at(MIDNIGHT):
        tasks.check_nightly()  # nor is it taken from them
        assert Task.objects.get(pk=task.pk).owner == hal
        actions.release(task=task, by=hal)
        tasks.sweep()
    assert not sees(hal, task)


def test_one_who_covers_and_asked_a_physician_has_it_back_with_the_answer(
    clinic: Clinic, helpers, hal
) -> None:
    cover_today(clinic.refills, covering_queue=helpers)
    with at(MONDAY):
        task = clinic.task()
        tasks.sweep()
        task = actions.claim(task=task, by=hal)
        actions.escalate(task=task, situation="Cough.", question="Change it?", by=hal)
        tasks.sweep()
        assert sees(hal, task)
        actions.answer(escalation=task.escalations.get(), text="Yes.", by=clinic.physician)
        tasks.sweep()
    assert sees(hal, task)
    assert Task.objects.get(pk=task.pk).owner == hal


@pytest.fixture
def cora() -> User:
    """A physician of no queue here."""
    return make.staff("physician", name="Cora Cover", title="MD")


@pytest.mark.parametrize("by_name", [True, False], ids=["a nurse by name", "a queue of nurses"])
def test_one_who_stands_in_and_asked_keeps_sight_while_a_physician_by_name_stands_in_for_the_asked(
    clinic: Clinic, helpers, hal, hugo, cora, by_name: bool
) -> None:
    cover_today(clinic.refills, **({"person": hal} if by_name else {"covering_queue": helpers}))
    cover_today(clinic.physicians, person=cora)
    with at(MONDAY):
        task = clinic.task()
        tasks.sweep()
        task = actions.claim(task=task, by=hal)
        actions.escalate(task=task, situation="Cough.", question="Change it?", by=hal)
        tasks.sweep()
        assert sees(hal, task)
        assert sees(cora, task)
        assert not sees(hugo, task)
        client = Client()
        client.force_login(hal)
        assert client.get(task.get_absolute_url()).status_code == 200
        assert task.get_absolute_url() in client.get("/work/mine/").content.decode()
        search = client.post("/work/search/", {"q": task.conversation.reference}, follow=True)
        assert [each.line.pk for each in search.context["found"]] == [task.pk]
        actions.answer(escalation=task.escalations.get(), text="Yes.", by=cora)
        tasks.sweep()
    assert sees(hal, task)
    assert not sees(cora, task)
    assert Task.objects.get(pk=task.pk).owner == hal


def test_who_covers_can_be_mentioned(clinic: Clinic, hal) -> None:
    cover_today(clinic.refills, person=hal)
    with at(MONDAY):
        task = clinic.task()
        with pytest.raises(Refused, match="Hal"):
            actions.add_note(task=task, body="@Hal, please look", by=clinic.nurse)
        tasks.sweep()
        task.refresh_from_db()
        actions.add_note(task=task, body="@Hal, please look", by=clinic.nurse)
    assert hal.mentions.filter(note__task=task).exists()


def test_a_queue_that_may_receive_urgent_work_and_closes_names_who_is_there_then(clinic: Clinic) -> None:
    clinic.urgent.calendar, clinic.urgent.receives_urgent = make.CalendarFactory(hours=OFFICE), True
    with pytest.raises(ValidationError, match="name the queue that takes up its urgent work"):
        actions.save_queue(clinic.urgent, by=None)
    closes = make.queue("closes", calendar=make.CalendarFactory(hours=OFFICE))
    clinic.urgent.urgent_cover = closes
    with pytest.raises(ValidationError, match="isn't open day and night"):
        actions.save_queue(clinic.urgent, by=None)
    clinic.urgent.urgent_cover = make.queue("doctors", "physician")
    with pytest.raises(ValidationError, match="don't have the role"):
        actions.save_queue(clinic.urgent, by=None)


def test_nobody_answers_their_own_question_by_standing_in_for_nurses(clinic: Clinic, hal) -> None:
    cover_today(clinic.refills, person=hal)
    with at(MONDAY):
        task = clinic.task()
        tasks.sweep()
        task = actions.claim(task=task, by=hal)
        escalation = actions.escalate(task=task, situation="Cough.", question="Change it?", by=hal)
        for _before_and_after_the_look in range(2):
            with pytest.raises(Refused, match="not one of your queues"):
                actions.answer(escalation=escalation, text="Yes.", by=hal)
            tasks.sweep()


def test_the_covering_physicians_are_told_of_a_question_and_lose_sight_of_it_with_the_day(
    clinic: Clinic,
) -> None:
    others = make.queue("other-physicians", "physician", name="Other physicians")
    cora = make.staff("physician", name="Cora Cover", title="MD", queues_worked=(others,))
    cover_today(clinic.physicians, covering_queue=others)
    with at(MONDAY):
        task = actions.claim(task=clinic.task(), by=clinic.nurse)
        actions.escalate(task=task, situation="Cough.", question="Change it?", by=clinic.nurse)
        tasks.sweep()
    assert sees(cora, task)
    assert cora.notices.filter(kind="covered", queue=clinic.physicians).exists()
    sweep_at(MIDNIGHT)
    assert not sees(cora, task)
    assert sees(clinic.physician, task)


def test_the_night_ends_the_sight_of_what_is_done(clinic: Clinic, helpers, hal) -> None:
    cover_today(clinic.refills, covering_queue=helpers)
    with at(MONDAY):
        task = clinic.task()
        tasks.sweep()
        actions.claim(task=task, by=hal)
        actions.resolve(task=task, outcome=clinic.done, by=hal)
        tasks.check_nightly()
    assert sees(hal, task)  # it is still their day
    with at(MIDNIGHT):
        tasks.check_nightly()
    assert not sees(hal, task)


def test_the_night_looks_at_coverages_that_ended_unseen(clinic: Clinic, helpers, hal) -> None:
    """As where a row was changed by hand, beside the admin."""
    coverage = cover_today(clinic.refills, covering_queue=helpers)
    with at(MONDAY):
        task = clinic.task()
        tasks.sweep()
        coverage.delete()
        tasks.check_nightly()
        tasks.sweep()
    assert not sees(hal, task)


def test_a_claim_by_coverage_is_given_back_when_its_owner_leaves_the_other_queue(
    clinic: Clinic, helpers, hal, hugo
) -> None:
    cover_today(clinic.refills, covering_queue=helpers)
    with at(MONDAY):
        task = clinic.task()
        tasks.sweep()
        actions.claim(task=task, by=hal)
        actions.set_members(queue=helpers, people=[hugo], by=None)
        tasks.check_nightly()
    assert Task.objects.get(pk=task.pk).owner is None


def test_a_retired_queue_covers_for_nobody(clinic: Clinic, helpers, hal) -> None:
    cover_today(clinic.refills, covering_queue=helpers)
    actions.retire_queue(queue=helpers, by=None)
    with at(MONDAY):
        task = clinic.task()
        tasks.sweep()
    assert not Task.objects.get(pk=task.pk).covering_queue_id


def test_who_stands_in_for_one_member_works_the_queue_and_so_sees_what_they_are_told_of(
    clinic: Clinic, helpers, hal
) -> None:
    row = Coverage(
        queue=clinic.refills, when="days", since="2027-07-05", until="2027-07-05", instead_of=clinic.nurse
    )
    row.covering_queue = helpers
    with pytest.raises(ValidationError, match="Name the person who stands in for Ana Ruiz, RN"):
        row.full_clean()
    row.covering_queue, row.person = None, hal
    with pytest.raises(ValidationError, match="Hal Helper doesn't work this queue"):
        row.full_clean()
    row.person = clinic.second_nurse
    row.full_clean()
