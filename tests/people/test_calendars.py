"""Calendars as people write them: hours by weekday, public holidays but those kept open, half holidays, closures."""

from datetime import UTC, date, datetime, time

import pytest
from django.test import Client
from django.urls import reverse

from portal.people.calendar_form import read_hours, write_hours
from portal.people.models import Calendar, Closure
from queues.models import ServiceTarget
from tests import factories as make
from tests.clinic import Clinic

OFFICE = {day: [["08:00", "12:00"], ["13:00", "17:00"]] for day in ("mon", "tue", "wed", "thu", "fri")}


@pytest.fixture
def ada(clinic: Clinic) -> Client:
    client = Client()
    client.force_login(clinic.admin)
    return client


def form(**changes: object) -> dict[str, object]:
    return {
        "name": "Office",
        "time_zone": "America/New_York",
        "mon": "8-12, 13:00 - 17:00",
        "tue": "08:00-17:00",
        "closures-TOTAL_FORMS": 0,
        "closures-INITIAL_FORMS": 0,
    } | changes


def test_hours_are_written_a_line_a_weekday(ada: Client) -> None:
    assert ada.post(reverse("admin:people_calendar_add"), form()).status_code == 302
    calendar = Calendar.objects.get(name="Office")
    assert calendar.hours == {
        "mon": [["08:00", "12:00"], ["13:00", "17:00"]],
        "tue": [["08:00", "17:00"]],
    }
    page = ada.get(reverse("admin:people_calendar_change", args=[calendar.pk])).content.decode()
    assert "08:00-12:00, 13:00-17:00" in page


@pytest.mark.parametrize(
    ("changes", "sentence"),
    [
        ({"mon": "", "tue": ""}, "no opening at all"),
        ({"mon": "morning"}, "“morning” is no opening"),
        ({"mon": "17-8"}, "must be in order"),
        ({"mon": "8-12, 11-14"}, "must not overlap"),
        ({"mon": "8-25"}, "write each opening as two times"),
        ({"time_zone": "Mars/Base"}, "no time zone"),
        ({"country": "US", "subdivision": "XX"}, "UnitedStates knows these"),
        ({"subdivision": "NY"}, "needs its country"),
    ],
)
def test_what_makes_no_sense_is_refused_with_a_sentence(
    ada: Client, changes: dict[str, str], sentence: str
) -> None:
    response = ada.post(reverse("admin:people_calendar_add"), form(**changes))
    text = response.content.decode().replace("United States", "UnitedStates")
    assert sentence in text
    assert not Calendar.objects.filter(name="Office").exists()


def test_holidays_of_a_state_but_those_on_which_people_work(ada: Client) -> None:
    ada.post(reverse("admin:people_calendar_add"), form(country="US", subdivision="NY"))
    calendar = Calendar.objects.get(name="Office")
    page = ada.get(reverse("admin:people_calendar_change", args=[calendar.pk])).content.decode()
    assert "Columbus Day" in page
    url = reverse("admin:people_calendar_change", args=[calendar.pk])
    ada.post(url, form(country="US", subdivision="NY", open_on=["Columbus Day"]))
    calendar.refresh_from_db()
    days = calendar.days_off(range(2026, 2027))
    assert date(2026, 11, 26) in days
    assert date(2026, 10, 12) not in days
    assert days[date(2026, 7, 3)].name.startswith("Independence Day")


def test_a_half_holiday_and_a_short_day_end_the_clock_early(db: None) -> None:
    calendar = make.CalendarFactory(hours=OFFICE, country="US", half_days_close=time(12))
    Closure.objects.create(calendar=calendar, day=date(2026, 7, 8), name="Party", closes_at=time(15))
    queue = make.queue("office", calendar=calendar)
    from queues import clock

    hours = queue.hours()
    zone = calendar.zone
    day = datetime(2026, 7, 8, tzinfo=zone)
    assert clock.between(hours, day, day.replace(hour=23)).total_seconds() == 6 * 3600
    christmas = datetime(2026, 12, 25, 15, tzinfo=UTC)
    assert not clock.is_open(hours, christmas)


def test_hours_read_back_are_those_that_were_written() -> None:
    for spans in ([], [["08:00", "12:00"]], [["00:00", "24:00"]], [["07:30", "12:15"], ["13:00", "18:45"]]):
        assert read_hours(write_hours(spans)) == spans


def test_a_promise_longer_than_two_years_is_refused_with_a_sentence(clinic: Clinic) -> None:
    from django.core.exceptions import ValidationError

    calendar = make.CalendarFactory(hours={"mon": [["08:00", "09:00"]]})
    queue = make.queue("rare", calendar=calendar)
    with pytest.raises(ValidationError, match="longer than two years"):
        ServiceTarget(queue=queue, urgency=1, respond=60, resolve=60 * 500).full_clean()
    # What is urgent runs on the wall clock.
    ServiceTarget(queue=queue, urgency=3, respond=60, resolve=60 * 500).full_clean()
    with pytest.raises(ValidationError, match="longer than two years"):
        ServiceTarget(queue=queue, urgency=3, respond=60, resolve=60 * 24 * 800).full_clean()


def test_an_account_with_the_last_hands_of_a_queue_is_not_closed(ada: Client, clinic: Clinic) -> None:
    clinic.task("billing")
    biller = clinic.biller
    role = biller.staff_roles.get()
    url = reverse("admin:people_user_change", args=[biller.pk])
    posted = {
        "email": biller.email,
        "name": biller.name,
        "language": "en",
        "staff_roles-TOTAL_FORMS": 1,
        "staff_roles-INITIAL_FORMS": 1,
        "staff_roles-0-id": role.pk,
        "staff_roles-0-user": biller.pk,
        "staff_roles-0-role": "billing",
        "staff_roles-0-since": "2020-01-01",
    }
    for leaving in ({}, {"is_active": "on", "staff_roles-0-until": "2020-02-01"}):
        page = ada.post(url, posted | leaving, follow=True).content.decode()
        assert "is the last one who works Billing" in page
        biller.refresh_from_db()
        assert biller.is_active
        assert biller.staff_roles.get().until is None


def test_a_queue_that_closes_needs_coverage_for_urgent_work(ada: Client, clinic: Clinic) -> None:
    queue = clinic.refills
    queue.calendar = make.CalendarFactory(hours=OFFICE)
    queue.save()
    url = reverse("admin:queues_queue_change", args=[queue.pk])
    posted = {name: getattr(queue, name) for name in ("code", "name", "team", "role")} | {
        "calendar": queue.calendar_id,
        "facility": clinic.facility.pk,
        "people": [clinic.nurse.pk],
        "targets-TOTAL_FORMS": 0,
        "targets-INITIAL_FORMS": 0,
        "coverage-TOTAL_FORMS": 0,
        "coverage-INITIAL_FORMS": 0,
        "receives_urgent": "on",
    }
    assert "This queue closes" in ada.post(url, posted).content.decode()
    ada.post(url, posted | {"urgent_cover": clinic.urgent.pk})
    queue.refresh_from_db()
    assert (queue.receives_urgent, queue.urgent_cover) == (True, clinic.urgent)


def test_a_queue_hands_everything_on_and_loses_its_last_member_in_one_go(ada: Client, clinic: Clinic) -> None:
    second = make.queue("second", "billing", name="Second")
    make.staff("billing", queues_worked=(second,))
    task = clinic.task("billing")
    queue = clinic.billing
    url = reverse("admin:queues_queue_change", args=[queue.pk])
    posted = {name: getattr(queue, name) for name in ("code", "name", "team", "role")} | {
        "calendar": queue.calendar_id,
        "targets-TOTAL_FORMS": 0,
        "targets-INITIAL_FORMS": 0,
        "coverage-TOTAL_FORMS": 0,
        "coverage-INITIAL_FORMS": 0,
    }
    assert "Somebody must stay" in ada.post(url, posted).content.decode()
    assert ada.post(url, posted | {"hand_on_to": second.pk}).status_code == 302
    task.refresh_from_db()
    assert task.queue == second
    assert not queue.members.user_set.exists()
