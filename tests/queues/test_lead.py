"""The lead's board: what will be late today, and moving work before it is."""

from datetime import UTC, date, datetime, time, timedelta
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from audit.now import at, now
from portal.people.models import Closure, User
from portal.people.policies import Refused
from queues import actions, clock, forecast
from queues.lists.board import board
from queues.lists.week import week
from queues.models import Coverage, Queue, Task
from queues.states import State
from tests import factories as make
from tests.clinic import Clinic
from tests.queues.test_lists import copies
from tests.queues.test_pages import client_of

MONDAY = datetime(2026, 3, 2, 9, 0, tzinfo=ZoneInfo("America/New_York"))
HOURS = clock.Hours.parse("America/New_York", dict.fromkeys(clock.DAYS[:5], [["09:00", "17:00"]]))


def after(*hours: float) -> list[datetime]:
    return [MONDAY + timedelta(hours=each) for each in hours]


def test_a_task_is_late_when_more_stands_before_it_than_can_be_done_in_time() -> None:
    assert forecast.will_be_late(after(1, 1, 2), HOURS, 1.0, MONDAY) == [1, 2]
    assert forecast.will_be_late(after(1, 1, 2), HOURS, 2.0, MONDAY) == []
    # What is late already takes its share; it is not told again.
    assert forecast.will_be_late(after(-3, 1), HOURS, 1.0, MONDAY) == [1]
    # Tomorrow's are tomorrow's, and an hour after closing time adds nothing.
    assert forecast.will_be_late(after(8, 9, 24), HOURS, 0.125, MONDAY) == [1]
    assert forecast.will_be_late(after(1), HOURS, 0.0, MONDAY) == [0]


@given(
    due=st.lists(st.integers(-600, 900), max_size=30).map(sorted),
    pace=st.floats(0, 20),
    more=st.floats(0, 5),
)
def test_more_hands_never_make_more_late_and_what_is_late_is_due_today(due, pace, more) -> None:
    moments = after(*[minutes / 60 for minutes in due])
    late = forecast.will_be_late(moments, HOURS, pace, MONDAY)
    assert set(forecast.will_be_late(moments, HOURS, pace + more, MONDAY)) <= set(late)
    tonight = forecast.end_of_day(HOURS, MONDAY)
    assert all(MONDAY < moments[place] < tonight for place in late)


def test_the_pace_counts_open_hours_only() -> None:
    assert forecast.pace(80, HOURS, MONDAY) == pytest.approx(1.0)
    assert forecast.pace(80, clock.Hours.parse("UTC", {}), MONDAY) == 0.0
    assert forecast.end_of_day(HOURS, MONDAY).astimezone(UTC) == datetime(2026, 3, 3, 5, 0, tzinfo=UTC)


@pytest.fixture
def lead(clinic: Clinic) -> User:
    return make.staff("lead", facility=clinic.facility, name="Lia Lead", email="lead@example.org")


@pytest.fixture
def late(clinic: Clinic) -> Task:
    return due_in_a_minute(clinic)


def due_in_a_minute(clinic: Clinic) -> Task:
    """A task that will be late: due in a minute, in a queue that has done nothing for two weeks."""
    task = clinic.task()
    soon = now() + timedelta(minutes=1)
    Task.objects.filter(pk=task.pk).update(respond_due=soon, due_at=soon)
    task.refresh_from_db()
    return task


def move(user: User, task: Task, to: str):
    data = {"task": f"{task.pk}:{task.version}", "to": to}
    return client_of(user).post("/work/lead/move/", data, follow=True)


@pytest.mark.parametrize(("hour", "ordinary_too"), [(20, False), (9, True)])
def test_the_board_tells_what_will_be_late_and_who_holds_how_much(
    clinic: Clinic, lead: User, hour: int, ordinary_too: bool
) -> None:
    """An ordinary task is due in eight hours: sent in the evening it is tomorrow's, sent in the morning today's."""
    tomorrow = now().astimezone(MONDAY.tzinfo) + timedelta(days=1)
    with at(tomorrow.replace(hour=hour, minute=0)):
        ordinary = clinic.task()
        actions.claim(task=ordinary, by=clinic.nurse)
        late = due_in_a_minute(clinic)
        read = board(lead)
    refills = next(load for load in read.loads if load.queue == clinic.refills)
    coming = {late.pk, ordinary.pk} if ordinary_too else {late.pk}
    assert (refills.open, refills.unclaimed, refills.late, refills.late_today) == (2, 1, 0, len(coming))
    assert read.coming == coming
    assert next(hands.claimed for hands in read.people if hands.user == clinic.nurse) == 1
    assert {load.queue for load in read.loads} == set(Queue.objects.led_by(lead))


def test_a_lead_moves_a_task_to_a_queue_and_to_a_person_whoever_holds_it(
    clinic: Clinic, lead: User, late: Task
) -> None:
    actions.claim(task=late, by=clinic.nurse)
    late.refresh_from_db()
    html = move(lead, late, f"person:{clinic.second_nurse.pk}").content.decode()
    assert "1 task moved to Kim Osei, RN." in html
    late.refresh_from_db()
    assert (late.state, late.owner) == (State.CLAIMED, clinic.second_nurse)
    assert late.steps.last().note == "So that it is done in time."
    move(lead, late, f"queue:{clinic.triage.pk}")
    late.refresh_from_db()
    assert (late.state, late.owner, late.queue) == (State.OPEN, None, clinic.triage)


def test_nobody_else_moves_what_others_hold(clinic: Clinic, lead: User, late: Task) -> None:
    elsewhere = make.staff("lead", facility=make.FacilityFactory())
    actions.claim(task=late, by=clinic.nurse)
    late.refresh_from_db()
    assert move(clinic.second_nurse, late, f"person:{clinic.second_nurse.pk}").status_code == 404
    move(elsewhere, late, f"person:{clinic.second_nurse.pk}")
    late.refresh_from_db()
    assert late.owner == clinic.nurse
    for by in (clinic.second_nurse, elsewhere, clinic.admin):
        with pytest.raises(Refused, match="Only a lead"):
            actions.assign(task=late, to=clinic.second_nurse, reason="r", by=by)


def test_a_lead_gives_work_only_to_members_and_not_over_the_queues_capacity(
    clinic: Clinic, lead: User, late: Task
) -> None:
    with pytest.raises(Refused, match="doesn't work Refills"):
        actions.assign(task=late, to=clinic.biller, reason="r", by=lead)
    Queue.objects.update(capacity=1)
    actions.claim(task=clinic.task(), by=clinic.nurse)
    late = Task.objects.get(pk=late.pk)
    with pytest.raises(Refused, match="Ana Ruiz, RN holds 1 tasks"):
        actions.assign(task=late, to=clinic.nurse, reason="r", by=lead)


def test_the_board_is_for_leads_and_shows_their_places_only(clinic: Clinic, lead: User, late: Task) -> None:
    assert client_of(clinic.nurse).get("/work/lead/").status_code == 404
    elsewhere = make.staff("lead", facility=make.FacilityFactory())
    html = client_of(elsewhere).get("/work/lead/").content.decode()
    assert "Lisinopril" not in html
    assert "Nothing is late" in html


def test_the_week_shows_who_stands_in_and_when(clinic: Clinic, lead: User) -> None:
    today = now().date()
    Coverage.objects.create(
        queue=clinic.refills,
        when="days",
        person=clinic.second_nurse,
        instead_of=clinic.nurse,
        since=today + timedelta(days=1),
        until=today + timedelta(days=2),
    )
    html = client_of(lead).get("/work/lead/").content.decode()
    assert html.count("Kim Osei, RN (Ana Ruiz, RN)") == 2


def test_the_week_shows_holidays_closures_and_days_that_end_early(clinic: Clinic) -> None:
    clinic.refills.calendar = make.CalendarFactory(
        hours=dict.fromkeys(("thu", "fri", "sat"), [["08:00", "12:00"], ["13:00", "17:00"]]), country="US"
    )
    calendar = clinic.refills.calendar
    Closure.objects.create(calendar=calendar, day=date(2026, 11, 27), name="Inventory", closes_at=time(14))
    Closure.objects.create(calendar=calendar, day=date(2026, 11, 28), name="Training")
    (covered,) = week([clinic.refills], date(2026, 11, 25))
    assert [hours for hours, _people in covered.days[:4]] == [
        [],
        ["Thanksgiving Day"],
        ["Inventory", "08:00–12:00", "13:00–14:00"],
        ["Training"],
    ]


@pytest.mark.parametrize("rows", [1, 50])
def test_the_queries_of_the_board_do_not_grow_with_the_tasks(
    clinic: Clinic, lead: User, late: Task, rows: int, django_assert_max_num_queries
) -> None:
    copies(late, rows - 1)
    client = client_of(lead)
    with django_assert_max_num_queries(24):
        client.get("/work/lead/")
