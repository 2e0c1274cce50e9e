"""Moments from the database are those that Django reads, and what is no moment is told of."""

from datetime import UTC, datetime

import pytest
from django.db import DataError, connection
from django.utils.timezone import get_fixed_timezone

pytestmark = pytest.mark.django_db


@pytest.mark.parametrize(
    "moment",
    [
        datetime(2026, 11, 29, 12, 30, tzinfo=UTC),
        datetime(2026, 11, 29, 12, 30, 5, 120_000, tzinfo=UTC),
        datetime(1904, 1, 1, 0, 0, 0, 1, tzinfo=UTC),
        datetime(9999, 12, 30, 23, 59, 59, 999_999, tzinfo=UTC),
        datetime(2026, 7, 1, 8, 15, tzinfo=get_fixed_timezone(-330)),
    ],
)
@pytest.mark.parametrize("zone", ["UTC", "Asia/Kathmandu"])
def test_a_moment_comes_back_as_it_went(moment: datetime, zone: str) -> None:
    with connection.cursor() as cursor:
        cursor.execute("SELECT set_config('TimeZone', %s, true)", [zone])
        cursor.execute("SELECT %s::timestamptz", [moment])
        (found,) = cursor.fetchone()
    assert found == moment
    assert found.tzinfo is UTC


@pytest.mark.parametrize("told", ["infinity", "0044-03-15 12:00:00+00 BC"])
def test_what_python_cannot_hold_is_told(told: str) -> None:
    with connection.cursor() as cursor:
        cursor.execute("SELECT %s::timestamptz", [told])
        with pytest.raises(DataError, match="timestamp"):
            cursor.fetchone()
