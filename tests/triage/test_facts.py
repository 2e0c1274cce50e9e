"""The facts beside the answers: programs, open requests, the clock at the facility, and files that nobody has seen."""

from datetime import UTC, datetime

import pytest

from portal.people import actions as people
from portal.people.models import Program
from portal.people.policies import Refused
from tests import factories as make
from tests.clinic import Clinic
from triage import actions, catalogue, facts
from triage.models import Rule, Ruleset


def of(clinic: Clinic, moment: datetime, **more: bool) -> dict[str, object]:
    return facts.build(
        request_type="refill",
        questionnaire="refill",
        answers={},
        patient=clinic.patient,
        readings=[],
        open_requests=2,
        moment=moment,
        **more,
    )


def test_the_clock_is_the_facilitys_own(clinic: Clinic) -> None:
    calendar = clinic.facility.calendar
    calendar.hours = {"mon": [["08:00", "17:00"]]}
    calendar.save()
    told = of(clinic, datetime(2026, 3, 2, 14, 30, tzinfo=UTC))  # 9:30 on a Monday in New York
    assert (told["time.open"], told["time.hour"], told["time.weekday"]) == (True, 9, "mon")
    told = of(clinic, datetime(2026, 3, 3, 2, 30, tzinfo=UTC))  # 21:30, still Monday there
    assert (told["time.open"], told["time.hour"], told["time.weekday"]) == (False, 21, "mon")


def test_files_that_nobody_has_seen_are_told_apart_from_words_that_nobody_could_read(clinic: Clinic) -> None:
    moment = datetime(2026, 3, 2, 14, 30, tzinfo=UTC)
    assert of(clinic, moment)["file.unscreened"] is False
    told = of(clinic, moment, unseen_files=True)
    assert (told["file.unscreened"], told["text.unscreened"]) == (True, False)


def test_earlier_open_requests_are_counted(clinic: Clinic) -> None:
    first, second = clinic.task(), clinic.task()
    assert first.decision.facts["patient.open_requests"] == 0
    assert second.decision.facts["patient.open_requests"] == 1


def test_a_rule_can_test_a_program_and_the_builder_knows_its_choices(clinic: Clinic) -> None:
    Program.objects.create(code="anticoagulation", name="Blood thinner clinic")
    people.set_programs(patient=clinic.patient, programs=["anticoagulation"], by=clinic.admin)
    assert catalogue.catalogue()["patient.programs"].name_of("anticoagulation") == "Blood thinner clinic"
    draft = actions.start_draft(by=clinic.admin)
    when = {"field": "patient.programs", "op": "includes", "value": "anticoagulation"}
    actions.save_rule(
        Rule(ruleset=draft, stage="priority", name="on a thinner", when=when, urgency="soon", position=9),
        by=clinic.admin,
    )
    actions.publish(ruleset=draft, by=clinic.admin, reason="a program")
    assert Ruleset.objects.published().get() == draft
    assert clinic.task().get_urgency_display() == "soon"


def test_a_program_that_there_is_not_is_refused(clinic: Clinic) -> None:
    with pytest.raises(Refused, match="no-such"):
        people.set_programs(patient=clinic.patient, programs=["no-such"], by=clinic.admin)
    with pytest.raises(Refused):
        make.PatientFactory(programs=["no-such"])
