"""Questions that are written once: the same answers as the queryset itself gives, for whoever asks, at any time."""

from __future__ import annotations

from datetime import timedelta

import pytest
from django.db import connection
from django.db.models import F, Q, QuerySet, Value
from django.test.utils import CaptureQueriesContext

from audit.now import at, now
from portal.people.models import Facility, Patient, StaffRole, User
from portal.people.prepared import Prepared, rows
from tests import factories as make

pytestmark = pytest.mark.django_db


def test_it_finds_what_the_queryset_finds_with_what_is_selected_and_annotated() -> None:
    @Prepared
    def born_by(name: str, facility: int) -> QuerySet[Patient]:
        found = Patient.objects.filter(Q(given_name=name) | Q(family_name=name), facility=facility)
        return found.select_related("facility__calendar").annotate(twice=F("pk") * Value(2))

    first, second = make.PatientFactory(given_name="Ada"), make.PatientFactory(given_name="Bo")
    for patient in (first, second, first):
        with CaptureQueriesContext(connection) as asked:
            (found,) = born_by(name=patient.given_name, facility=patient.facility_id)
            assert found == patient
            assert found.facility.calendar == patient.facility.calendar
            assert found.twice == 2 * patient.pk
        assert len(asked) == 1
    assert born_by(name="Ada", facility=second.facility_id) == []


def test_it_gives_values_by_name_where_the_queryset_does() -> None:
    @Prepared
    def told(facility: int) -> QuerySet[Patient]:
        named = Patient.objects.filter(facility=facility).order_by("pk")
        return named.values("given_name", place=F("facility__name"))  # type: ignore[return-value]

    patient = make.PatientFactory(given_name="Ada")
    for _again in range(2):
        assert told(facility=patient.facility_id) == [{"given_name": "Ada", "place": patient.facility.name}]


def test_a_person_stands_for_a_key_and_an_unknown_or_endless_key_finds_nothing() -> None:
    @Prepared
    def roles_of(user: int) -> QuerySet[StaffRole]:
        return StaffRole.objects.filter(user=User(pk=user))

    user = make.UserFactory()
    role = StaffRole.objects.create(user=user, role="nurse", facility=make.FacilityFactory())
    assert roles_of(user=user.pk) == [role]
    assert roles_of(user=10**30) == roles_of(user=0) == []


def test_the_clock_goes_on_after_it_was_written() -> None:
    @Prepared
    def current(user: int) -> QuerySet[StaffRole]:
        return StaffRole.objects.current().filter(user=user)

    user = make.UserFactory()
    role = StaffRole.objects.create(
        user=user, role="nurse", facility=make.FacilityFactory(), until=now().date() + timedelta(days=3)
    )
    assert current(user=user.pk) == [role]
    with at(now() + timedelta(days=3)):
        assert current(user=user.pk) == [role]
    with at(now() + timedelta(days=4)):
        assert current(user=user.pk) == []
    assert current(user=user.pk) == [role]


def test_each_value_of_a_bool_and_each_tuple_is_a_question_of_its_own() -> None:
    @Prepared
    def named(names: tuple[str, ...], backwards: bool) -> QuerySet[Patient]:
        return Patient.objects.filter(given_name__in=names).order_by("-pk" if backwards else "pk")

    patients = [make.PatientFactory(given_name=name) for name in ("Cy", "Di")]
    for _again in range(2):
        assert named(names=("Cy", "Di"), backwards=False) == patients
        assert named(names=("Cy", "Di"), backwards=True) == patients[::-1]
        assert named(names=("Di",), backwards=True) == patients[1:]


def test_what_would_be_frozen_is_refused() -> None:
    @Prepared
    def inside(name: str) -> QuerySet[Patient]:
        return Patient.objects.filter(given_name__contains=name)

    @Prepared
    def asks_first(facility: int) -> QuerySet[Patient]:
        there = Facility.objects.filter(pk=facility).first()
        return Patient.objects.filter(facility=there)

    with pytest.raises(TypeError, match="inside of another value"):
        inside(name="Ada")
    with pytest.raises(RuntimeError, match="written once"):
        asks_first(facility=1)


def test_the_server_keeps_the_plan_of_what_is_asked_again() -> None:
    assert rows("SELECT 40 + %(more)s", {"more": 2}) == [(42,)]
    rows("SELECT 40 + %(more)s", {"more": 3})
    kept = rows("SELECT statement FROM pg_prepared_statements WHERE statement LIKE %s", ["SELECT 40%"])
    assert kept == [("SELECT 40 + $1",)]
