"""Claim next: the task that should be worked now."""

from datetime import timedelta

import pytest

from audit.now import at, now
from portal.people.policies import Refused
from queues import actions
from queues.actions.claiming import PATIENCE
from queues.models import Queue
from tests.clinic import Clinic

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
