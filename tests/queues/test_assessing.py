"""Was it sorted right? What staff say of it when they resolve a task."""

import pytest
from django.test import Client

from audit.models import Event
from portal.people.policies import Refused
from queues import actions, assessing
from queues.assessing import Assessed
from queues.models import Assessment
from queues.urgency import Urgency
from tests.clinic import Clinic


def resolve(clinic: Clinic, **posted: str) -> Client:
    task = clinic.task()
    actions.claim(task=task, by=clinic.nurse)
    visitor = Client()
    visitor.force_login(clinic.nurse)
    visitor.post(f"{task.get_absolute_url()}reply/", {"go": "resolve", "outcome": "done", **posted})
    return visitor


def test_one_tap_confirms_urgency_and_subject(clinic: Clinic) -> None:
    resolve(clinic, sorted="right")
    found = Assessment.objects.get()
    assert found.urgency == found.decided_urgency == Urgency.ROUTINE
    assert found.category == found.decided_category == "refill"
    assert found.decision == found.task.decision
    assert found.by == clinic.nurse
    assert Event.objects.get(action="queues.task.assess").patient_ids == [clinic.patient.pk]


def test_one_tap_corrects_the_urgency_and_leaves_the_task_as_it_was_worked(clinic: Clinic) -> None:
    resolve(clinic, should_urgency="urgent")
    found = Assessment.objects.get()
    assert (found.decided_urgency, found.urgency) == (Urgency.ROUTINE, Urgency.URGENT)
    assert found.task.urgency == Urgency.ROUTINE


def test_one_tap_corrects_the_subject(clinic: Clinic) -> None:
    resolve(clinic, should_category="symptom")
    found = Assessment.objects.get()
    assert (found.decided_category, found.category) == ("refill", "symptom")
    assert found.urgency == found.decided_urgency


def test_nothing_tapped_says_nothing(clinic: Clinic) -> None:
    resolve(clinic)
    assert not Assessment.objects.exists()


@pytest.mark.parametrize("posted", [{"should_urgency": "whenever"}, {"should_category": "no-such"}])
def test_what_is_on_no_list_is_refused_and_nothing_is_resolved(
    clinic: Clinic, posted: dict[str, str]
) -> None:
    with pytest.raises(Refused):
        assessing.read(posted)
    resolve(clinic, **posted)
    assert not Assessment.objects.exists()
    assert clinic.patient.conversations.get().tasks.get().state == "claimed"


def test_an_assessment_needs_no_page(clinic: Clinic) -> None:
    task = clinic.task()
    actions.claim(task=task, by=clinic.nurse)
    actions.resolve(task=task, outcome=clinic.done, assessed=Assessed(urgency=Urgency.SOON), by=clinic.nurse)
    assert Assessment.objects.get().urgency == Urgency.SOON
