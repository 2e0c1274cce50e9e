"""The phone is no parallel inbox: staff write a call down in the same form, under the same rules."""

from datetime import timedelta

import pytest
from django.test import Client

from audit.models import Event
from audit.now import at, now
from intake import actions as intake
from intake import tasks
from intake.models import Draft, Submission
from portal.people.models import Program, User
from queues import actions
from queues.models import Conversation, Task
from queues.states import State
from queues.urgency import Urgency
from tests import factories as make
from tests.clinic import Clinic
from tests.intake.test_emergencies import CHEST


def client_of(user: User) -> Client:
    client = Client(headers={"Origin": "http://testserver"})
    client.force_login(user)
    return client


def begin(clinic: Clinic, by: User, kind: str = "refill") -> tuple[Client, Draft]:
    client = client_of(by)
    client.post(f"/work/callers/{clinic.patient.pk}/file/{kind}/")
    return client, Draft.objects.get(author=by)


def file(clinic: Clinic, by: User, **answers: str) -> Client:
    """Walk the form's two pages and send it."""
    client, draft = begin(clinic, by)
    first = {"i.medicine": "Lisinopril 20 mg", "i.left": answers.pop("left", "days"), "go": "next"}
    where = client.post(f"/drafts/{draft.pk}/", first)["Location"]
    second = {f"i.{key}": value for key, value in answers.items()} | {"go": "next"}
    # An answer may bring up one more question; the second post answers that too.
    response = client.post(where, second)
    response = response if response.status_code == 302 else client.post(where, second)
    where = response["Location"]
    client.sent = client.post(where, follow=True)
    return client


def test_a_call_is_filed_in_the_same_form_and_decided_by_the_same_rules(clinic: Clinic) -> None:
    client = file(clinic, clinic.nurse, left="none")
    html = client.sent.content.decode()
    assert "Tell the caller" in html
    assert "the refills team" in html.lower() or "the nursing team" in html.lower()
    conversation = Conversation.objects.get()
    submission = Submission.objects.get()
    assert (conversation.channel, conversation.author, submission.author) == (
        "phone",
        clinic.nurse,
        clinic.nurse,
    )
    task = conversation.tasks.get()
    assert (task.queue, task.urgency, task.state) == (clinic.refills, Urgency.SOON, State.OPEN)
    assert conversation.reference in html
    assert not Draft.objects.exists()


def test_an_emergency_on_the_phone_is_one_too(clinic: Clinic) -> None:
    client = file(clinic, clinic.nurse, problems="true", which="Crushing chest pain right now")
    assert Task.objects.get().queue == clinic.urgent
    assert "Call 911 now" in client.sent.content.decode()


def test_the_patient_reads_that_it_was_written_down_on_the_phone_and_gets_the_answer(clinic: Clinic) -> None:
    file(clinic, clinic.biller)
    conversation = Conversation.objects.get()
    task = actions.claim(task=conversation.tasks.get(), by=clinic.nurse)
    actions.reply(task=task, body="It is ready.", by=clinic.nurse)
    with at(now() + timedelta(minutes=1)):
        html = client_of(clinic.patient.user).get(conversation.get_absolute_url()).content.decode()
    assert "we wrote this down for you on the phone" in html
    assert "It is ready." in html
    assert "Lisinopril" in html


def test_sending_twice_leads_to_the_one_request(clinic: Clinic) -> None:
    client, draft = begin(clinic, clinic.nurse)
    client.post(f"/drafts/{draft.pk}/", {"i.medicine": "Insulin", "i.left": "days", "go": "next"})
    for _twice in range(2):
        response = client.post(f"/drafts/{draft.pk}/review/")
        assert response["Location"] == f"/work/filed/{Conversation.objects.get().pk}/"
    assert client_of(clinic.second_nurse).get(response["Location"]).status_code == 404


def test_who_is_found_is_of_ones_own_places_and_leaves_an_event_without_the_name(clinic: Clinic) -> None:
    elsewhere = make.PatientFactory(family_name="Ortizo")
    here = make.staff("front-desk", facility=clinic.facility)
    client = client_of(here)
    html = client.post("/work/callers/", {"who": "maya orti"}).content.decode()
    assert f"/work/callers/{clinic.patient.pk}/" in html
    assert "Ortizo" not in html
    event = Event.objects.get(action="intake.callers.search")
    assert (event.patient_ids, event.detail) == ([clinic.patient.pk], {})
    for path in (f"/work/callers/{elsewhere.pk}/", f"/work/callers/{elsewhere.pk}/write/"):
        assert client.get(path).status_code == 404
    assert client.post(f"/work/callers/{elsewhere.pk}/file/refill/").status_code == 404


@pytest.mark.parametrize("who", ["1980-03-04", "3/4/1980", "00-", "Stranger sam", "%", "x" * 500, "ab\x00"])
def test_anything_can_be_typed(clinic: Clinic, who: str) -> None:
    assert client_of(clinic.nurse).post("/work/callers/", {"who": who}).status_code == 200


def test_nobody_but_staff_has_these_pages(clinic: Clinic) -> None:
    for user in (clinic.patient.user, clinic.admin):
        for path in ("/work/callers/", f"/work/callers/{clinic.patient.pk}/"):
            assert client_of(user).get(path).status_code == 404


def test_who_no_longer_works_there_cannot_go_on_with_the_draft(clinic: Clinic) -> None:
    client, draft = begin(clinic, clinic.nurse)
    clinic.nurse.staff_roles.update(
        until=now().date() - timedelta(days=1), since=now().date() - timedelta(days=9)
    )
    assert client.get(f"/drafts/{draft.pk}/").status_code == 404
    assert client_of(clinic.second_nurse).get(f"/drafts/{draft.pk}/").status_code == 404


def test_billing_reads_what_kind_of_request_is_open_and_no_word_about_health(clinic: Clinic) -> None:
    clinic.task(medicine="Sertraline 50 mg")
    html = client_of(clinic.biller).get(f"/work/callers/{clinic.patient.pk}/").content.decode()
    assert "Sertraline" not in html
    assert "Refill" in html


def test_staff_write_first_and_refused_words_stay(clinic: Clinic) -> None:
    client = client_of(clinic.nurse)
    path = f"/work/callers/{clinic.patient.pk}/write/"
    refused = client.post(path, {"subject": "", "body": "Please book a test.", "queue": clinic.refills.pk})
    assert refused.status_code == 409
    assert "Please book a test." in refused.content.decode()
    told = {"subject": "Your test", "body": "Please book a test.", "queue": clinic.refills.pk, "wait": "yes"}
    assert client.post(path, told, follow=True).status_code == 200
    task = Task.objects.get()
    assert (task.state, task.owner) == (State.WAITING, clinic.nurse)
    with at(now() + timedelta(minutes=1)):
        html = client_of(clinic.patient.user).get(task.conversation.get_absolute_url()).content.decode()
    assert "we wrote to you" in html
    assert "Please book a test." in html
    other = client.post(path, told | {"queue": clinic.billing.pk})
    assert "Pick the queue that the answer comes to." in other.content.decode()


def test_clinical_staff_enter_the_programs_that_rules_may_test(clinic: Clinic) -> None:
    for code, name in (("anticoagulation", "Blood thinner clinic"), ("diabetes", "Diabetes care")):
        Program.objects.create(code=code, name=name)
    nurse, path = client_of(clinic.nurse), f"/work/callers/{clinic.patient.pk}/"
    assert "Blood thinner clinic" in nurse.get(path).content.decode()
    html = nurse.post(f"{path}programs/", {"program": ["anticoagulation"]}, follow=True).content.decode()
    assert "The programs are stored" in html
    assert 'value="anticoagulation" checked' in html
    event = Event.objects.filter(action="people.patient.programs").get()
    assert (event.agent, event.patient_ids) == (clinic.nurse, [clinic.patient.pk])
    assert clinic.task().decision.facts["patient.programs"] == ["anticoagulation"]
    # From a page that was opened before, and what there is not.
    html = nurse.post(f"{path}programs/", {"program": ["diabetes"]}, follow=True).content.decode()
    assert "A colleague changed the programs meanwhile" in html
    html = nurse.post(
        f"{path}programs/", {"was": ["anticoagulation"], "program": ["no-such"]}, follow=True
    ).content.decode()
    assert "There is no program" in html
    clinic.patient.refresh_from_db()
    assert clinic.patient.programs == ["anticoagulation"]


def test_the_office_sees_and_changes_no_program(clinic: Clinic) -> None:
    Program.objects.create(code="anticoagulation", name="Blood thinner clinic")
    biller, path = client_of(clinic.biller), f"/work/callers/{clinic.patient.pk}/"
    assert "Blood thinner clinic" not in biller.get(path).content.decode()
    assert biller.post(f"{path}programs/", {"program": ["anticoagulation"]}).status_code == 404
    elsewhere = make.staff("nurse", facility=make.FacilityFactory())
    assert client_of(elsewhere).post(f"{path}programs/", {"program": []}).status_code == 404


def test_a_call_that_was_left_and_is_sent_after_all_joins_its_call_back_and_tells_what_to_say(
    clinic: Clinic,
) -> None:
    client, draft = begin(clinic, clinic.nurse)
    answers = {"medicine": "Lisinopril 20 mg", "left": "days"} | CHEST
    intake.save_draft(
        draft=draft, raw={f"i.{key}": [value] for key, value in answers.items()}, by=clinic.nurse
    )
    with at(now() + timedelta(minutes=16)):
        assert tasks.call_back() == 1
    for _click in range(2):  # the second click of two finds what the first one sent
        page = client.post(f"/drafts/{draft.pk}/review/", follow=True)
        assert page.status_code == 200
        assert "Tell the caller" in page.content.decode()
    conversation = Conversation.objects.get()
    assert (conversation.channel, conversation.author) == ("phone", clinic.nurse)
    assert conversation.tasks.count() == 1
    assert client.get(f"/drafts/{draft.pk}/review/", follow=True).status_code == 200
