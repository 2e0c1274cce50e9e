"""Business time against a slow model that asks every minute, over the nights on which clocks change."""

from datetime import UTC, date, datetime, time, timedelta
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from queues import clock

ZONES = [
    "America/New_York",
    "Europe/Madrid",
    "Australia/Lord_Howe",  # half an hour
    "Africa/Casablanca",  # turned back for Ramadan
    "Asia/Kathmandu",  # never, and a quarter of an hour off
]
# Days around changes of the clocks in these zones, and around a year's end.
AROUND = [
    date(2026, 2, 15),
    date(2026, 3, 22),
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
    early = draw(st.dictionaries(st.sampled_from(AROUND), times, max_size=2))
    return clock.Hours(ZoneInfo(draw(st.sampled_from(ZONES))), tuple(week), closed, early)


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
    if wall.date() in hours.closed or at >= hours.early.get(wall.date(), 24 * 60):
        return False
    return any(a <= at < b for a, b in hours.week[wall.weekday()])


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


@settings(max_examples=100, deadline=None)
@given(hours(), moments(), st.integers(1, 2 * 24 * 60), st.sampled_from([0.5, 0.8]))
def test_a_share_of_a_span_has_that_share_of_its_open_minutes_behind_it(
    hours: clock.Hours, start: datetime, length: int, share: float
) -> None:
    end = start + timedelta(minutes=length)
    counted = sum(works(hours, start + timedelta(minutes=n)) for n in range(length))
    moment = clock.moment_of(hours, start, end, share, urgent=False)
    assert start <= moment <= end
    if counted:
        passed = clock.between(hours, start, moment)
        assert abs(passed - timedelta(minutes=counted) * share) < timedelta(milliseconds=1)
    else:
        assert moment == start + (end - start) * share


@settings(max_examples=100, deadline=None)
@given(hours(), moments(), st.integers(0, 24 * 60), st.integers(0, 600))
def test_a_pause_moves_what_is_due_by_the_open_minutes_waited(
    hours: clock.Hours, start: datetime, waited: int, left: int
) -> None:
    """What is left of the promise after the wait is what was left before it."""
    if not any(hours.week):
        return
    due = clock.later(hours, start, timedelta(minutes=left))
    pause = clock.between(hours, start, start + timedelta(minutes=waited))
    moved = clock.later(hours, due, pause)
    after = start + timedelta(minutes=waited)
    if clock.between(hours, start, moved) == timedelta(minutes=left) + pause:
        assert clock.between(hours, after, moved) == timedelta(minutes=left)


@given(moments(), st.sampled_from(ZONES), st.integers(0, 95), st.integers(0, 95))
def test_a_mail_held_back_goes_out_when_quiet_hours_end(
    moment: datetime, zone: str, begins: int, ends: int
) -> None:
    if begins == ends:
        return
    first, last = time(begins // 4, begins % 4 * 15), time(ends // 4, ends % 4 * 15)
    local = moment.astimezone(ZoneInfo(zone))
    wait = clock.until_quiet_ends(local, first, last)
    quiet = first <= local.time() < last if first < last else not last <= local.time() < first
    assert timedelta() <= wait <= timedelta(hours=25)
    if quiet and wait:
        out = (moment + wait).astimezone(ZoneInfo(zone)).time()
        # Where that time is skipped this night, it is as much later as was skipped.
        assert (
            out == last
            or clock.until_quiet_ends((moment + wait).astimezone(ZoneInfo(zone)), first, last) == timedelta()
        )
    if not quiet:
        assert wait == timedelta()
    assert clock.until_quiet_ends(local, None, None) == timedelta()


@pytest.mark.parametrize(("zone", "night"), [
    ("America/New_York", date(2026, 3, 8)), ("America/New_York", date(2026, 11, 1)),
    ("Europe/Madrid", date(2026, 3, 29)), ("Europe/Madrid", date(2026, 10, 25)),
    ("Australia/Lord_Howe", date(2026, 4, 5)), ("Australia/Lord_Howe", date(2026, 10, 4)),
    ("Africa/Casablanca", date(2026, 2, 15)), ("Africa/Casablanca", date(2026, 3, 22)),
    ("Asia/Kathmandu", date(2026, 3, 29)),
])  # fmt: skip
def test_openings_at_times_that_are_skipped_or_come_twice_count_as_the_wall_clock_shows_them(
    zone: str, night: date
) -> None:
    """Every quarter of an hour of the night is once an opening of its own."""
    for quarter in range(16):
        week = tuple((((quarter * 15), quarter * 15 + 15),) for _day in range(7))
        hours = clock.Hours(ZoneInfo(zone), week)
        start = datetime.combine(night, time(), ZoneInfo(zone)).astimezone(UTC)
        counted = sum(works(hours, start + timedelta(minutes=n)) for n in range(6 * 60))
        assert clock.between(hours, start, start + timedelta(hours=6)) == timedelta(minutes=counted)


def test_a_due_time_is_there_even_where_the_hours_never_open_again() -> None:
    never = clock.Hours(ZoneInfo("UTC"), ((),) * 7)
    start = datetime(2026, 7, 4, 23, tzinfo=UTC)
    assert clock.due_anyway(never, start, 90, urgent=False) == start + timedelta(minutes=90)


def test_only_hours_without_any_gap_never_close() -> None:
    day = {day: [["00:00", "12:00"], ["12:00", "24:00"]] for day in clock.DAYS}
    assert clock.Hours.parse("UTC", day).never_close
    assert not clock.Hours.parse("UTC", day, closed=[date(2026, 12, 25)]).never_close
    assert not clock.Hours.parse("UTC", day | {"sun": [["00:00", "23:59"]]}).never_close


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
