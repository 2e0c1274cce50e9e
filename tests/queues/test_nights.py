"""Who writes while nobody reads is told when somebody does, and is promised no time before."""

from datetime import UTC, datetime, timedelta

import pytest

from audit.now import at
from intake import actions as intake
from portal.people.models import User
from portal.people.policies import Refused, check_left
from queues import actions
from queues.attendance import attendance
from queues.models import Task
from queues.urgency import Urgency
from tests import factories as make
from tests.clinic import Clinic
from tests.queues.looks import CHEST, OFFICE, sweep_at, told

FRIDAY_NIGHT = datetime(2027, 7, 10, 3, tzinfo=UTC)  # eleven in the evening
MONDAY_NINE = datetime(2027, 7, 12, 13, tzinfo=UTC)


@pytest.fixture
def nobody_at_night(clinic: Clinic, lead: User) -> Clinic:
    """The urgent queue keeps office hours, and nobody covers for it."""
    clinic.urgent.calendar = make.CalendarFactory(hours=OFFICE)
    clinic.urgent.save()
    return clinic


def lines(task: Task) -> list[str]:
    """What nobody of the staff wrote."""
    return list(task.conversation.messages.filter(author=None).order_by("pk").values_list("body", flat=True))


def test_an_urgent_request_of_the_night_is_late_for_the_staff_at_its_hour_and_for_the_patient_when_somebody_is_there(
    nobody_at_night: Clinic,
) -> None:
    with at(FRIDAY_NIGHT):
        task = nobody_at_night.task(**CHEST)
    there = attendance(task.queue, Urgency.URGENT)
    assert (there.reads(FRIDAY_NIGHT), there.opens(FRIDAY_NIGHT)) == (False, MONDAY_NINE)
    for moment in (task.due_at, task.due_at + timedelta(hours=9), MONDAY_NINE - timedelta(minutes=1)):
        sweep_at(moment)
        assert ("late", "Lena") in told(task)
        assert lines(task) == []
    for minutes in (0, 1, 600):
        sweep_at(MONDAY_NINE + timedelta(minutes=minutes))
        (line,) = lines(task)
    assert "is here again" in line
    assert nobody_at_night.facility.phone in line
    assert "promised" not in line


def test_what_is_answered_before_somebody_is_there_again_was_not_late(nobody_at_night: Clinic) -> None:
    with at(FRIDAY_NIGHT):
        task = nobody_at_night.task(**CHEST)
    sweep_at(task.due_at)
    with at(task.due_at + timedelta(hours=5)):
        task = actions.claim(task=task, by=nobody_at_night.nurse)
        actions.reply(task=task, body="Please come in.", by=nobody_at_night.nurse)
    sweep_at(MONDAY_NINE)
    assert lines(task) == []


def test_a_time_promised_just_before_they_close_is_kept_or_late(nobody_at_night: Clinic) -> None:
    with at(datetime(2027, 7, 9, 20, 50, tzinfo=UTC)):  # ten to five, on Friday
        task = nobody_at_night.task(**CHEST)
    sweep_at(task.due_at)
    (line,) = lines(task)
    assert "We promised you an answer by" in line


def test_what_is_handed_to_people_without_nights_keeps_the_time_that_was_promised(
    nobody_at_night: Clinic,
) -> None:
    always = make.queue("always", name="Always there")
    make.staff("nurse", name="Olga Owl", queues_worked=(always,))
    with at(FRIDAY_NIGHT):
        task = nobody_at_night.task(**CHEST)
        Task.objects.filter(pk=task.pk).update(queue=always)
        task.legs.update(queue=always)
        task = actions.claim(task=Task.objects.get(), by=User.objects.get(name="Olga Owl"))
    with at(FRIDAY_NIGHT + timedelta(minutes=5)):
        actions.hand_over(task=task, queue=nobody_at_night.urgent, reason="Yours.", by=task.owner)
    sweep_at(task.due_at)
    (line,) = lines(task)
    assert "We promised you an answer by" in line


@pytest.mark.parametrize("ended", [False, True], ids=["raised", "opened again"])
def test_no_line_of_ours_promises_a_time_at_which_nobody_reads(nobody_at_night: Clinic, ended: bool) -> None:
    clinic = nobody_at_night
    with at(FRIDAY_NIGHT - timedelta(minutes=30)):
        task = actions.claim(task=clinic.task(**(CHEST if ended else {})), by=clinic.nurse)
        if ended:
            actions.resolve(task=task, outcome=clinic.done, body="Come in.", by=clinic.nurse)
            actions.mark_read(conversation=task.conversation, by=clinic.patient.user)
    with at(FRIDAY_NIGHT):
        intake.write(
            conversation=task.conversation,
            body="Now my chest hurts and I can't breathe",
            by=clinic.patient.user,
        )
    line = lines(task)[-1]
    assert "starts again Monday, 9 a.m." in line
    assert clinic.facility.after_hours_phone in line
    assert "answers by" not in line
    sweep_at(FRIDAY_NIGHT + timedelta(hours=8))
    assert lines(task)[-1] == line


def test_urgent_work_of_a_queue_that_never_opens_is_promised_no_time(clinic: Clinic, lead: User) -> None:
    clinic.urgent.calendar = make.CalendarFactory(hours={})
    clinic.urgent.save()
    with at(FRIDAY_NIGHT):
        task = clinic.task(**CHEST)
    sweep_at(task.due_at + timedelta(days=3))
    assert ("late", "Lena") in told(task)
    assert lines(task) == []


def test_who_covers_day_and_night_neither_retires_nor_leaves_while_a_queue_counts_on_them(
    clinic: Clinic,
) -> None:
    night = make.queue("night", name="Night")
    olga = make.staff("nurse", name="Olga Owl", queues_worked=(night,))
    clinic.urgent.calendar, clinic.urgent.urgent_cover = make.CalendarFactory(hours=OFFICE), night
    clinic.urgent.receives_urgent = True
    actions.save_queue(clinic.urgent, by=None)
    with pytest.raises(Refused, match="Urgent"):
        actions.retire_queue(queue=night, by=None)
    with pytest.raises(Refused, match="takes up urgent work for Urgent day and night"):
        actions.set_members(queue=night, people=[], by=None)
    User.objects.filter(pk=olga.pk).update(is_active=False)
    with pytest.raises(Refused, match="takes up urgent work for Urgent"):
        check_left(olga)
    clinic.urgent.receives_urgent, clinic.urgent.urgent_cover = False, None
    actions.save_queue(clinic.urgent, by=None)
    actions.retire_queue(queue=night, by=None)
