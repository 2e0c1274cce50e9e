"""Claim next: the task that should be worked now."""

from datetime import timedelta

import pytest
from django.urls import reverse

from audit.now import at, now
from portal.people.policies import Refused
from queues import actions
from queues.actions.claiming import PATIENCE
from queues.models import Queue, Task
from tests import factories as make
from tests.clinic import Clinic
from tests.pages import stamp
from tests.queues.test_pages import client_of

CHEST = {"problems": "true", "which": "My chest hurts and I can't breathe"}


def test_urgent_comes_before_what_is_due_earlier(clinic: Clinic) -> None:
    with at(now() - timedelta(days=2)):
        late = clinic.task()
    urgent = clinic.task(**CHEST)
    assert [actions.claim_next(by=clinic.nurse) for _ in range(3)] == [urgent, late, None]


def test_what_is_very_late_is_not_kept_waiting_by_urgent_ones_for_ever(clinic: Clinic) -> None:
    with at(now() - PATIENCE - timedelta(days=2)):
        forgotten = clinic.task()
    for _ in range(3):
        clinic.task(**CHEST)
    assert actions.claim_next(by=clinic.nurse) == forgotten


def test_of_one_queue_only_that_queues(clinic: Clinic) -> None:
    first = clinic.task()
    assert actions.claim_next(by=clinic.nurse, queue=clinic.triage) is None
    assert actions.claim_next(by=clinic.nurse, queue=clinic.refills) == first
    assert actions.claim_next(by=clinic.biller, queue=clinic.refills) is None


def test_a_queues_capacity_is_the_most_one_person_holds_and_urgent_ones_are_taken_all_the_same(
    clinic: Clinic,
) -> None:
    Queue.objects.update(capacity=1)
    clinic.task()
    second = clinic.task()
    assert actions.claim_next(by=clinic.nurse)
    with pytest.raises(Refused, match="You hold 1 tasks of Refills"):
        actions.claim_next(by=clinic.nurse)
    with pytest.raises(Refused, match="the most it allows"):
        actions.claim(task=second, by=clinic.nurse)
    urgent = clinic.task(**CHEST)
    assert actions.claim_next(by=clinic.nurse) == urgent
    assert actions.claim_next(by=clinic.second_nurse) == second
    assert actions.claim_next(by=clinic.second_nurse) is None


def test_what_somebody_covers_for_is_theirs_to_claim_next_as_a_queue_or_as_a_person(clinic: Clinic) -> None:
    helpers = make.queue("helpers", name="Helpers")
    hal = make.staff("nurse", name="Hal Helper", queues_worked=(helpers,))
    lone = make.staff("nurse", name="Lou Lone")
    tasks = [clinic.task() for _ in range(3)]
    assert actions.claim_next(by=hal) is None
    Task.objects.filter(pk=tasks[0].pk).update(covering_queue=helpers)
    Task.objects.filter(pk=tasks[1].pk).update(covering_person=lone)
    assert actions.claim_next(by=lone) == tasks[1]
    assert actions.claim_next(by=hal, queue=clinic.refills) is None
    assert actions.claim_next(by=hal, queue=helpers) == tasks[0]
    assert [actions.claim_next(by=person) for person in (hal, lone)] == [None, None]


def test_of_what_is_covered_urgent_comes_first_and_the_capacity_is_that_of_its_own_queue(
    clinic: Clinic,
) -> None:
    lone = make.staff("nurse", name="Lou Lone")
    with at(now() - timedelta(days=1)):
        first = clinic.task()
    second, urgent = clinic.task(), clinic.task(**CHEST)
    Task.objects.update(covering_person=lone)
    Queue.objects.update(capacity=1)
    assert [actions.claim_next(by=lone) for _ in range(3)] == [urgent, first, None]
    assert Task.objects.get(pk=second.pk).owner is None


def test_two_clicks_on_one_page_claim_one_task_and_the_next_page_another(clinic: Clinic) -> None:
    for _number in range(3):
        clinic.task()
    nurse = client_of(clinic.nurse)
    page = stamp(nurse.get(reverse("all")))
    first, second = (nurse.post("/work/next/", {"page": page}).url for _click in range(2))
    assert first == second
    fresh = stamp(nurse.get(first))
    assert nurse.post("/work/next/", {"page": fresh}).url != first
    assert nurse.post("/work/next/", {"page": "x"}).url not in ("", first)
    assert Task.objects.filter(owner=clinic.nurse).count() == 3
