"""A new facility takes the gate: nobody can be a patient of a place whose requests would find nobody."""

import pytest

from portal.people import actions as people
from portal.people.models import Facility
from portal.people.policies import Refused
from tests import factories as make
from tests.clinic import Clinic
from triage import proving


def hilltop(clinic: Clinic) -> Facility:
    return make.FacilityFactory.build(code="hilltop", name="Hilltop", calendar=clinic.facility.calendar)


def test_a_facility_that_the_rules_find_no_queue_at_is_stored_and_stays_closed(clinic: Clinic) -> None:
    place = hilltop(clinic)
    (said,) = people.save_facility(facility=place, by=clinic.admin)
    assert "“refills” has a queue wherever it is used" in said
    assert place.opened_at is None
    assert "hilltop" not in proving.Surroundings.present().facilities
    with pytest.raises(Refused, match="not open yet"):
        make.PatientFactory(facility=place)


def test_a_queue_without_people_is_not_enough(clinic: Clinic) -> None:
    place = hilltop(clinic)
    people.save_facility(facility=place, by=clinic.admin)
    queue = make.queue("refills", facility=place)
    with pytest.raises(Refused, match="Nobody works “Refills, Hilltop” yet"):
        people.open_facility(facility=place, by=clinic.admin)
    make.staff("nurse", queues_worked=(queue,))
    people.open_facility(facility=place, by=clinic.admin)
    assert make.PatientFactory(facility=place).facility == place


def test_a_central_team_serves_a_new_facility_too(clinic: Clinic) -> None:
    central = make.queue("refills")
    make.staff("nurse", queues_worked=(central,))
    assert people.save_facility(facility=hilltop(clinic), by=clinic.admin) == []


def test_the_admin_is_told_and_opens_it_later(clinic: Clinic, client: object) -> None:
    place = hilltop(clinic)
    people.save_facility(facility=place, by=clinic.admin)
    client.force_login(clinic.admin)
    path, posted = "/admin/people/facility/", {"action": "open", "_selected_action": [place.pk]}
    page = client.post(path, posted, follow=True).content.decode()
    assert "has a queue wherever it is used" in page
    make.staff("nurse", queues_worked=(make.queue("refills", facility=place),))
    assert "Hilltop is open" in client.post(path, posted, follow=True).content.decode()
