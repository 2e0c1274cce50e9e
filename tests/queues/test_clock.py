"""Business time against a slow model that asks every minute, over the nights on which clocks change."""

from datetime import UTC, date, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from queues import clock

ZONES = ["America/New_York", "Europe/Berlin", "Australia/Lord_Howe", "America/Sao_Paulo", "Asia/Kathmandu"]
# Days around changes of the clocks in these zones, and around a year's end.
AROUND = [
    date(2026, 3, 8),
    date(2026, 3, 29),
    date(2026, 4, 5),
    date(2026, 10, 4),
    date(2026, 10, 25),
    date(2026, 11, 1),
    date(2026, 12, 31),
]

times = st.integers(0, 24 * 60).map(lambda minutes: minutes - minutes % 15)


@st.composite
def hours(draw: st.DrawFn) -> clock.Hours:
    week = []
    for _day in range(7):
        ends = sorted(draw(st.lists(times, max_size=4, unique=True)))
        week.append(tuple(zip(ends[::2], ends[1::2], strict=False)))
    closed = draw(st.frozensets(st.sampled_from(AROUND), max_size=2))
    return clock.Hours(ZoneInfo(draw(st.sampled_from(ZONES))), tuple(week), closed)


@st.composite
def moments(draw: st.DrawFn) -> datetime:
    day = draw(st.sampled_from(AROUND)) - timedelta(days=1)
    return datetime(day.year, day.month, day.day, tzinfo=UTC) + timedelta(
        minutes=draw(st.integers(0, 3 * 24 * 60))
    )


def works(hours: clock.Hours, minute: datetime) -> bool:
    """The model: a minute counts when its wall time lies in an opening of its local day."""
    wall = minute.astimezone(hours.zone)
    at = wall.hour * 60 + wall.minute
    return wall.date() not in hours.closed and any(a <= at < b for a, b in hours.week[wall.weekday()])


@settings(max_examples=150, deadline=None)
@given(hours(), moments(), st.integers(0, 4 * 24 * 60))
def test_open_time_between_two_moments_is_the_count_of_open_minutes(
    hours: clock.Hours, start: datetime, length: int
) -> None:
    counted = sum(works(hours, start + timedelta(minutes=n)) for n in range(length))
    assert clock.between(hours, start, start + timedelta(minutes=length)) == timedelta(minutes=counted)


@settings(max_examples=150, deadline=None)
@given(hours(), moments(), st.integers(1, 600))
def test_adding_minutes_and_counting_them_agree(hours: clock.Hours, start: datetime, minutes: int) -> None:
    if not any(hours.week):
        with pytest.raises(clock.NeverOpens):
            clock.add(hours, start, minutes)
        return
    end = clock.add(hours, start, minutes)
    assert clock.between(hours, start, end) == timedelta(minutes=minutes)
    assert works(hours, end - timedelta(minutes=1))


@settings(max_examples=100, deadline=None)
@given(hours(), moments())
def test_open_now_is_what_the_model_says(hours: clock.Hours, moment: datetime) -> None:
    assert clock.is_open(hours, moment) == works(hours, moment)


def test_urgent_work_runs_on_the_wall_clock_though_nobody_is_open() -> None:
    never = clock.Hours(ZoneInfo("UTC"), ((),) * 7)
    start = datetime(2026, 7, 4, 23, tzinfo=UTC)
    assert clock.due(never, start, 30, urgent=True) == start + timedelta(minutes=30)
    with pytest.raises(clock.NeverOpens):
        clock.due(never, start, 30, urgent=False)


def test_a_lunch_break_and_a_weekend_do_not_count() -> None:
    office = clock.Hours.parse(
        "America/New_York", {day: [["08:00", "12:00"], ["13:00", "17:00"]] for day in clock.DAYS[:5]}
    )
    friday = datetime(2026, 7, 10, 11, 30, tzinfo=ZoneInfo("America/New_York"))
    assert clock.add(office, friday, 60) == datetime(2026, 7, 10, 13, 30, tzinfo=ZoneInfo("America/New_York"))
    assert clock.add(office, friday, 8 * 60) == datetime(
        2026, 7, 13, 11, 30, tzinfo=ZoneInfo("America/New_York")
    )
