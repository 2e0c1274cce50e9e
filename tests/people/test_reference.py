"""What processes keep of reference tables is never older than the last change that was committed, or is one's own."""

from datetime import UTC, date, datetime
from threading import Thread

import pytest
from django.db import connection, transaction
from django.test.utils import CaptureQueriesContext

from audit.actions import store
from audit.now import at, now
from portal.people import places
from portal.people.models import Facility, User
from portal.people.policies import Refused
from portal.people.reference import remembered, steady
from queues import policies
from queues.actions import retire_queue, serving, set_members
from queues.models import QueueGroupPermission, ServiceTarget
from queues.urgency import Urgency
from tests import factories as make
from triage import catalogue


def queries(act) -> int:
    with CaptureQueriesContext(
        connection,
    ) as seen:
        act()
    return len(seen)


@pytest.mark.django_db
def test_what_did_not_change_costs_one_small_statement():
    place = make.FacilityFactory()
    places.facility(place.pk)
    assert queries(lambda: places.facility(place.pk)) == 1
    with steady():
        assert queries(lambda: (places.facility(place.pk), catalogue.catalogue())) <= 3
        assert queries(lambda: (places.facility(place.pk), catalogue.catalogue())) == 0


@pytest.mark.django_db
def test_a_change_is_seen_by_the_next_who_asks():
    place = make.FacilityFactory(name="Old name")
    assert places.facility(place.pk).name == "Old name"
    place.name = "New name"
    store(place, by=None)
    assert places.facility(place.pk).name == "New name"
    Facility.objects.filter(pk=place.pk).update(name="Newest name")
    assert places.facility(place.pk).name == "Newest name"


@pytest.mark.django_db
def test_what_is_rolled_back_is_forgotten():
    place = make.FacilityFactory(name="As it is")
    for name in ("Never", "Nor this"):
        with transaction.atomic():
            Facility.objects.filter(pk=place.pk).update(name=name)
            assert places.facility(place.pk).name == name
            transaction.set_rollback(True)
        assert places.facility(place.pk).name == "As it is"


@pytest.mark.django_db
def test_a_queue_is_found_anew_when_it_its_hours_or_its_targets_change(clinic):
    facility = clinic.facility
    assert serving("billing", facility) == clinic.billing
    moment = clinic.task("billing").opened_at
    before = serving("billing", facility).due(Urgency.ROUTINE, moment)
    store(ServiceTarget(queue=clinic.billing, urgency=Urgency.ROUTINE, respond=7, resolve=90), by=None)
    assert serving("billing", facility).due(Urgency.ROUTINE, moment) != before
    clinic.billing.calendar.hours = {day: [] for day in clinic.billing.calendar.hours} | {
        "mon": [["08:00", "08:30"]]
    }
    after = serving("billing", facility).due(Urgency.ROUTINE, moment)
    store(clinic.billing.calendar, by=None)
    assert serving("billing", facility).due(Urgency.ROUTINE, moment) != after
    central = make.queue("triage", facility=facility)
    make.staff("nurse", queues_worked=(central,))
    assert serving("triage", facility) == central
    retire_queue(queue=central, by=clinic.admin)
    assert serving("triage", facility) == clinic.triage


@pytest.mark.django_db
def test_whoever_gets_a_queue_may_change_their_own_copy():
    queue = make.queue("triage")
    make.staff("nurse", queues_worked=(queue,))
    facility = make.FacilityFactory()
    serving("triage", facility).name = "Mine"
    assert serving("triage", facility).name == queue.name


@pytest.mark.django_db
@pytest.mark.parametrize("gone", ["left the queue", "not active", "role over", "grant gone"])
def test_who_works_where_is_known_anew_when_somebody_comes_or_goes(gone):
    queue, facility = make.queue("letters"), make.FacilityFactory()
    with pytest.raises(Refused, match="Nobody works"):
        serving("letters", facility)
    nurse = make.staff("nurse", queues_worked=(queue,))
    assert serving("letters", facility) == queue
    policies.check_works_queue(queue, nurse)
    match gone:
        case "left the queue":
            set_members(queue=queue, people=[], by=None)
        case "not active":
            User.objects.filter(pk=nurse.pk).update(is_active=False)
        case "role over":
            nurse.staff_roles.update(since=date(2020, 1, 1), until=date(2020, 1, 2))
        case "grant gone":
            QueueGroupPermission.objects.filter(content_object=queue).delete()
    with pytest.raises(Refused, match="Nobody works"):
        serving("letters", facility)
    if gone in ("left the queue", "grant gone"):
        with pytest.raises(Refused, match="not one of your queues"):
            policies.check_works_queue(queue, nurse)


@pytest.mark.django_db
def test_a_role_that_ends_with_a_day_needs_no_change_of_a_row():
    queue, facility = make.queue("letters"), make.FacilityFactory()
    make.staff("nurse", queues_worked=(queue,)).staff_roles.update(until=date(2126, 3, 4))
    with at(datetime(2126, 3, 4, 12, tzinfo=UTC)):
        assert serving("letters", facility) == queue
    with at(datetime(2126, 3, 5, 12, tzinfo=UTC)), pytest.raises(Refused, match="Nobody works"):
        serving("letters", facility)


@pytest.mark.django_db
def test_a_log_in_is_no_change_that_others_read_anew_for(clinic):
    serving("billing", clinic.facility)
    clinic.nurse.last_login = now()
    clinic.nurse.save(update_fields=["last_login"])
    assert (
        queries(lambda: serving("billing", clinic.facility)) == 2
    )  # the numbers, for each of two things kept


@pytest.mark.django_db
def test_what_is_raised_is_not_kept():
    asked = []

    @remembered
    def fails(code: str) -> str:
        asked.append(code)
        raise ValueError(code)

    for _again in range(2):
        with pytest.raises(ValueError):
            fails("a")
    assert asked == ["a", "a"]


def test_another_process_sees_a_change_when_it_is_committed(committed_db):
    place = make.FacilityFactory(name="Before")
    seen: list[str] = []

    def look() -> None:
        try:
            seen.append(places.facility(place.pk).name)
        finally:
            connection.close()

    def in_another() -> None:
        other = Thread(target=look)
        other.start()
        other.join()

    with transaction.atomic():
        Facility.objects.filter(pk=place.pk).update(name="After")
        in_another()
    in_another()
    assert seen == ["Before", "After"]
