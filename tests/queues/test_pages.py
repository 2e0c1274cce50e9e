"""The staff's pages: each person their own queues, each role its own fields."""

import pytest
from django.test import Client

from audit.models import Event
from portal.people.models import User
from queues import actions
from queues.models import Task
from tests import factories as make
from tests.clinic import Clinic


def client_of(user: User) -> Client:
    return make.log_in(Client(headers={"Origin": "http://testserver"}), user)


def test_the_page_of_a_task_is_one_event_with_its_patient(clinic: Clinic) -> None:
    task = clinic.task()
    client_of(clinic.nurse).get(task.get_absolute_url())
    event = Event.objects.filter(action="queues.task.read").get()
    assert (event.agent, event.patient_ids, event.entity_id) == (
        clinic.nurse,
        [clinic.patient.pk],
        str(task.pk),
    )


def test_a_list_is_one_event_with_every_patient_it_shows(clinic: Clinic) -> None:
    clinic.task(), clinic.task()
    client_of(clinic.nurse).get(f"/work/queues/{clinic.refills.pk}/")
    event = Event.objects.filter(action="queues.list.read").get()
    assert event.patient_ids == [clinic.patient.pk]
    assert len(event.detail["tasks"]) == 2


def test_outsiders_get_404_and_people_without_a_log_in_the_log_in_page(clinic: Clinic) -> None:
    task = clinic.task()
    for user in (clinic.biller, clinic.physician, clinic.patient.user, clinic.admin):
        assert client_of(user).get(task.get_absolute_url()).status_code == 404
        assert client_of(user).post(task.get_absolute_url() + "claim/").status_code == 404
    assert client_of(clinic.biller).get(f"/work/queues/{clinic.refills.pk}/").status_code == 404
    assert Client().get(task.get_absolute_url())["Location"].startswith("/accounts/login/")


@pytest.fixture
def handed_to_billing(clinic: Clinic) -> Task:
    """A refill that was handed to the billing office, with words about health in it."""
    task = actions.claim(
        task=clinic.task(medicine="Sertraline 50 mg", problems="true", which="A rash."), by=clinic.nurse
    )
    actions.reply(task=task, body="Is the rash itchy?", by=clinic.nurse)
    return actions.hand_over(task=task, queue=clinic.billing, reason="Wants a receipt.", by=clinic.nurse)


@pytest.mark.parametrize("path", ["{task}", "/work/queues/{billing}/", "/work/all/", "/work/search/"])
def test_billing_sees_no_word_about_health_on_any_page(
    clinic: Clinic, handed_to_billing: Task, path: str
) -> None:
    path = path.format(task=handed_to_billing.get_absolute_url(), billing=clinic.billing.pk)
    client = client_of(clinic.biller)
    client.post("/work/search/", {"q": "Ortiz"})
    html = client.get(path).content.decode()
    assert "Refill" in html
    for word in ("Sertraline", "rash", "itchy", "few days"):
        assert word not in html


def test_a_refused_reply_shows_the_page_with_the_words_still_in_the_box(clinic: Clinic) -> None:
    task = actions.claim(task=clinic.task(), by=clinic.nurse)
    actions.reply(task=task, body="First.", by=clinic.nurse)
    response = client_of(clinic.nurse).post(
        task.get_absolute_url() + "reply/", {"body": "Second thoughts", "go": "send", "version": "1"}
    )
    assert response.status_code == 409
    html = response.content.decode()
    assert "Second thoughts" in html
    assert "changed this task meanwhile" in html


def test_resolving_without_an_outcome_asks_for_one(clinic: Clinic) -> None:
    task = actions.claim(task=clinic.task(), by=clinic.nurse)
    response = client_of(clinic.nurse).post(
        task.get_absolute_url() + "reply/", {"body": "Done.", "go": "resolve"}
    )
    assert response.status_code == 409
    assert "Pick the outcome first." in response.content.decode()
    assert not task.conversation.messages.exists()


def test_the_trace_page_tells_every_rule_and_why_it_did_not_fire(clinic: Clinic) -> None:
    html = client_of(clinic.nurse).get(clinic.task().get_absolute_url() + "why/").content.decode()
    for name in ("red flag", "none left", "refills to nursing", "billing to billing"):
        assert name in html
    assert "here it was: A few days" in html


def test_a_trace_is_told_with_no_other_rules_than_those_that_decided(clinic: Clinic) -> None:
    task = clinic.task()
    client = client_of(clinic.nurse)
    assert task.decision is not None
    task.decision.ruleset.rules.filter(name="none left").update(queue="billing")
    html = client.get(task.get_absolute_url() + "why/").content.decode()
    assert "are not those any more that decided" in html
    assert "here it was" not in html
    assert "refills to nursing" in html  # by name, in the sentence of what was decided


@pytest.mark.parametrize("rows", [1, 30])
def test_the_number_of_queries_of_a_task_page_does_not_grow_with_the_rows(
    clinic: Clinic, rows: int, django_assert_max_num_queries
) -> None:
    for _ in range(rows):
        clinic.task()
    task = Task.objects.first()
    client = client_of(clinic.nurse)
    with django_assert_max_num_queries(24):
        client.get(task.get_absolute_url())


def test_who_works_no_queue_is_told_whom_to_ask(clinic: Clinic) -> None:
    response = client_of(make.staff("nurse")).get("/work/")
    assert "You work no queue yet" in response.content.decode()
