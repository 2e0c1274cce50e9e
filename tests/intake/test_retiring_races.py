"""A queue that is retired while requests come in: each ends in a live queue or in a sentence, never in an error."""

from threading import Event

from django.db import transaction

from intake import actions as intake
from portal.people.policies import Refused
from queues import actions as queues
from queues import policies
from queues.models import Queue, Task
from tests import factories as make
from tests.clinic import Clinic, open_clinic
from tests.queues.test_races import at_once


def retire_in_between(clinic: Clinic, queue: Queue, sent: Event, looked: Event) -> None:
    """Retires the queue in a transaction that is open while the request is on its way to that queue."""
    with transaction.atomic():
        queues.retire_queue(queue=queue, by=clinic.admin)
        sent.set()
        looked.wait(1)  # the request meets the row's lock here; it goes on when this commits


def race(clinic: Clinic, queue: Queue) -> Task | Refused:
    draft = clinic.draft("billing")
    retired, never = Event(), Event()

    def send() -> Task:
        retired.wait(20)
        return intake.submit(draft_id=draft.pk, by=draft.author).tasks.get()

    _none, result = at_once(lambda: retire_in_between(clinic, queue, retired, never), send)
    assert not isinstance(_none, BaseException), _none
    return result


def test_the_request_goes_to_the_queue_that_serves_now(committed_db: str) -> None:
    clinic = open_clinic()
    local = make.queue("billing", "billing", facility=clinic.facility)
    result = race(clinic, local)
    assert isinstance(result, Task), result
    assert result.queue == clinic.billing


def test_where_nobody_serves_any_more_it_ends_in_a_sentence_and_the_draft_is_kept(committed_db: str) -> None:
    clinic = open_clinic()
    # As if the rules did not need it: the gate would refuse this retirement.
    before, policies.before_retire[:] = list(policies.before_retire), []
    try:
        result = race(clinic, clinic.billing)
    finally:
        policies.before_retire[:] = before
    assert isinstance(result, Refused), result
    assert "Please call us" in str(result)
    assert not Task.objects.exists()
    assert clinic.patient.drafts.count() == 1
