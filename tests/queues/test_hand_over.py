"""Where a task may go: what its page offers and nothing else, but for those who lead."""

import pytest

from portal.people.policies import Refused
from queues import actions
from queues.models import Queue, Task
from tests import factories as make
from tests.clinic import Clinic
from tests.queues.looks import CHEST
from tests.queues.test_pages import client_of


@pytest.fixture
def elsewhere() -> Queue:
    """The same work at another place."""
    queue = make.queue("refills", facility=make.FacilityFactory(name="Hillside"))
    make.staff("nurse", queues_worked=(queue,))
    return queue


def offered(clinic: Clinic, task: Task) -> set[int]:
    choices = client_of(clinic.nurse).get(task.get_absolute_url()).context["choices"]
    return {int(each["code"]) for each in choices.takers}


def test_every_queue_that_the_page_offers_takes_it_and_no_other_does(
    clinic: Clinic, elsewhere: Queue
) -> None:
    task = actions.claim(task=clinic.task(), by=clinic.nurse)
    codes = offered(clinic, task)
    assert codes == {each.pk for each in (clinic.billing, clinic.urgent, clinic.triage, clinic.physicians)}
    for queue in Queue.objects.exclude(pk=task.queue_id):
        row = actions.claim(task=clinic.task(), by=clinic.nurse)
        data = {"queue": queue.pk, "reason": "Theirs.", "version": row.version}
        response = client_of(clinic.nurse).post(row.get_absolute_url() + "hand-over/", data)
        row.refresh_from_db()
        assert (row.queue == queue) == (response.status_code == 302) == (queue.pk in codes)


def test_a_queue_of_another_place_is_refused_with_a_sentence_and_the_words_stay(
    clinic: Clinic, elsewhere: Queue
) -> None:
    task = actions.claim(task=clinic.task(), by=clinic.nurse)
    data = {"queue": elsewhere.pk, "reason": "They have room.", "version": task.version}
    response = client_of(clinic.nurse).post(task.get_absolute_url() + "hand-over/", data)
    html = response.content.decode()
    assert "Refills, Hillside doesn&#x27;t serve the patients of Lakeside Clinic. Pick another queue." in html
    assert 'value="They have room."' in html
    task.refresh_from_db()
    assert (task.queue, task.owner) == (clinic.refills, clinic.nurse)


def test_who_leads_moves_it_to_another_place(clinic: Clinic, lead, elsewhere: Queue) -> None:
    task = actions.claim(task=clinic.task(), by=clinic.nurse)
    assert actions.hand_over(task=task, queue=elsewhere, reason="Room.", by=lead).queue == elsewhere


def test_what_a_red_flag_made_urgent_stays_with_those_who_can_read_why(clinic: Clinic, lead) -> None:
    task = actions.claim(task=clinic.task(**CHEST), by=clinic.nurse)
    assert clinic.billing.pk not in offered(clinic, task)
    assert clinic.triage.pk in offered(clinic, task)
    for by in (clinic.nurse, lead):
        with pytest.raises(Refused, match="Billing sees nothing about health"):
            actions.hand_over(task=task, queue=clinic.billing, reason="A bill.", by=by)
    part = actions.split(task=task, queue=clinic.billing, title="The bill", by=clinic.nurse)
    assert part.queue == clinic.billing
