"""The patient's pages take anything: what is wrong is shown with what was typed, and nothing is stored half."""

from datetime import timedelta

import pytest
from django.test import Client
from django.urls import reverse

from audit.models import Event
from audit.now import at, now
from intake import actions
from intake.models import Draft, Submission
from portal.people import actions as people
from portal.people.models import Mail, Patient, User
from portal.people.policies import Refused
from queues import actions as queues
from queues.models import Conversation, Message, Task
from tests import factories as make
from tests.clinic import BILLING, REFILL, Clinic
from tests.intake.questionnaires.forms import expression, ext, group, item, resource
from triage.models import Decision

ORIGIN = "http://testserver"


def client_of(user: User, **kwargs: object) -> Client:
    client = Client(headers={"Origin": ORIGIN}, **kwargs)
    client.force_login(user)
    return client


@pytest.fixture
def maya(clinic: Clinic) -> Client:
    return client_of(clinic.patient.user)


def page_of(draft: Draft, page: str = "p1") -> str:
    return reverse("draft", args=[draft.pk, page])


def test_a_blank_required_answer_gives_the_page_back_with_a_summary_linked_to_the_field(
    maya: Client, clinic: Clinic
) -> None:
    draft = clinic.draft()
    response = maya.post(page_of(draft), {"i.medicine": "", "i.left": "days", "go": "next"})
    assert response.status_code == 422
    html = response.content.decode()
    assert 'href="#i.medicine"' in html
    assert 'id="i.medicine"' in html
    assert 'value="days" checked' in html


def test_a_choice_that_is_not_on_the_list_is_an_error_and_never_sent(maya: Client, clinic: Clinic) -> None:
    draft = clinic.draft()
    response = maya.post(page_of(draft), {"i.medicine": "Lisinopril", "i.left": "plenty", "go": "next"})
    assert response.status_code == 422
    assert maya.post(reverse("review", args=[draft.pk])).status_code == 422
    assert not Submission.objects.exists()


@pytest.mark.parametrize(
    ("text", "shown"), [("x" * 200_000, "x" * 200_000), ("a\x00b", "a\ufffdb")], ids=["200 KB", "NUL"]
)
def test_a_text_that_cannot_be_an_answer_is_shown_again_and_never_sent(
    maya: Client, clinic: Clinic, text: str, shown: str
) -> None:
    draft = clinic.draft()
    response = maya.post(page_of(draft), {"i.medicine": text, "i.left": "days", "go": "next"})
    assert response.status_code == 422
    html = response.content.decode()
    assert f'value="{shown}"' in html
    assert 'href="#i.medicine"' in html
    assert maya.post(reverse("review", args=[draft.pk])).status_code == 422
    assert not Submission.objects.exists()


def test_an_unknown_question_is_refused_what_was_typed_is_shown_and_the_draft_stays_as_it_was(
    maya: Client, clinic: Clinic
) -> None:
    draft = clinic.draft()
    response = maya.post(
        page_of(draft), {"i.medicine": "Other", "i.left": "", "i.invented": "1", "i.which": "x", "go": "next"}
    )
    assert response.status_code == 400
    html = response.content.decode()
    assert "This page has changed since you opened it." in html
    assert 'value="Other"' in html
    assert 'href="#i.left"' in html
    draft.refresh_from_db()
    assert draft.raw["i.medicine"] == ["Lisinopril 20 mg"]


def test_an_expired_token_keeps_what_was_typed(clinic: Clinic) -> None:
    client = client_of(clinic.patient.user, enforce_csrf_checks=True)
    draft = clinic.draft()
    response = client.post(
        page_of(draft), {"i.medicine": "Metformin", "i.left": "none", "go": "next"}, follow=True
    )
    assert response.status_code == 200
    assert "Metformin" in response.content.decode()
    assert "What you wrote is kept" in response.content.decode()


def test_a_forged_post_from_elsewhere_keeps_nothing(clinic: Clinic) -> None:
    client = Client(headers={"Origin": "https://elsewhere.example"}, enforce_csrf_checks=True)
    client.force_login(clinic.patient.user)
    draft = clinic.draft()
    response = client.post(page_of(draft), {"i.medicine": "Metformin", "i.left": "none", "go": "next"})
    assert response.status_code == 403
    draft.refresh_from_db()
    assert draft.raw["i.medicine"] == ["Lisinopril 20 mg"]


def test_a_log_in_that_ran_out_in_the_middle_of_a_form_loses_nothing(clinic: Clinic) -> None:
    draft = clinic.draft()
    client = Client(headers={"Origin": ORIGIN})
    response = client.post(page_of(draft), {"i.medicine": "Metformin", "i.left": "none", "go": "next"})
    assert response.status_code == 302
    user = clinic.patient.user
    user.set_password("a long enough password")
    user.save()
    response = client.post(
        response["Location"], {"login": user.email, "password": "a long enough password"}, follow=True
    )
    assert "Metformin" in response.content.decode()
    draft.refresh_from_db()
    assert draft.raw["i.medicine"] == ["Metformin"]


def test_somebody_else_who_logs_in_on_the_same_computer_sees_nothing_of_it(clinic: Clinic) -> None:
    draft = clinic.draft()
    client = Client(headers={"Origin": ORIGIN})
    where = client.post(page_of(draft), {"i.medicine": "Metformin", "go": "next"})["Location"]
    user = clinic.stranger.user
    user.set_password("a long enough password")
    user.save()
    response = client.post(where, {"login": user.email, "password": "a long enough password"}, follow=True)
    assert response.status_code == 404
    draft.refresh_from_db()
    assert draft.raw["i.medicine"] == ["Lisinopril 20 mg"]


def test_a_fragment_request_without_a_log_in_is_told_so_and_gets_no_page(clinic: Clinic) -> None:
    response = Client(headers={"HX-Request": "true", "Origin": ORIGIN}).post(
        page_of(clinic.draft()), {"i.medicine": "M"}
    )
    assert (response.status_code, response.content) == (401, b"")


def test_a_form_that_was_replaced_meanwhile_keeps_the_answers_and_asks_to_look_again(
    maya: Client, clinic: Clinic
) -> None:
    draft = clinic.draft()
    actions.publish_version(
        questionnaire=clinic.refill.questionnaire, resource=REFILL | {"title": "Refills"}, by=clinic.admin
    )
    response = maya.post(reverse("review", args=[draft.pk]), follow=True)
    assert "Lisinopril 20 mg" in response.content.decode()
    assert not Submission.objects.exists()
    response = maya.post(reverse("review", args=[draft.pk]), follow=True)
    assert "We have your request" in response.content.decode()


def test_a_form_that_was_retired_keeps_the_draft_and_says_what_to_do(maya: Client, clinic: Clinic) -> None:
    draft = clinic.draft()
    clinic.refill.retired_at = now()
    actions.save_request_type(clinic.refill, by=clinic.admin)
    response = maya.post(reverse("review", args=[draft.pk]))
    assert response.status_code == 409
    assert "not offered any more" in response.content.decode()
    assert "Lisinopril 20 mg" in response.content.decode()
    assert Draft.objects.filter(pk=draft.pk).exists()


def test_a_page_of_a_form_that_was_retired_is_still_kept(maya: Client, clinic: Clinic) -> None:
    draft = clinic.draft()
    clinic.refill.retired_at = now()
    actions.save_request_type(clinic.refill, by=clinic.admin)
    response = maya.post(
        page_of(draft, "p2"), {"i.problems": "true", "i.which": "A rash", "go": "next"}, follow=True
    )
    assert "A rash" in response.content.decode()
    draft.refresh_from_db()
    assert draft.raw["i.which"] == ["A rash"]


@pytest.mark.parametrize("lost", ["log-in", "token"])
def test_what_ran_out_at_the_very_end_sends_nothing_until_it_is_pressed_again(
    clinic: Clinic, lost: str
) -> None:
    draft, user = clinic.draft(), clinic.patient.user
    where = reverse("review", args=[draft.pk])
    client = Client(headers={"Origin": ORIGIN}, enforce_csrf_checks=True)
    if lost == "token":
        client.force_login(user)
    response = client.post(where, follow=True)
    assert not Submission.objects.exists()
    client = client_of(user)
    assert "Lisinopril 20 mg" in client.get(where).content.decode()
    assert "We have your request" in client.post(where, follow=True).content.decode()
    assert response.status_code in (200, 403)


@pytest.mark.parametrize(
    "typed",
    [
        {"i.medicine": ""},
        {"i.medicine": "Metformin", "i.left": "plenty"},
        {"i.medicine": "x" * 200_000},
        {"i.medicine": "a\x00b"},
        {"i.medicine": "Metformin", "i.invented": "1"},
    ],
    ids=["blank", "no such choice", "200 KB", "NUL", "unknown"],
)
def test_whatever_is_wrong_nothing_of_a_request_is_stored(
    maya: Client, clinic: Clinic, typed: dict[str, str]
) -> None:
    draft = clinic.draft()
    Draft.objects.filter(pk=draft.pk).update(raw={})
    assert maya.post(page_of(draft), typed | {"go": "next"}).status_code in (400, 422)
    assert maya.post(reverse("review", args=[draft.pk])).status_code == 422
    for model in (Submission, Decision, Conversation, Task, Mail):
        assert not model.objects.exists()
    assert not Event.objects.filter(action="intake.submission.send").exists()
    assert Draft.objects.filter(pk=draft.pk).exists()


def test_a_questionnaire_that_the_published_rules_need_is_not_taken_away(clinic: Clinic) -> None:
    with pytest.raises(Refused):
        actions.retire_version(version=clinic.refill.questionnaire.live, by=clinic.admin)
    clinic.refill.questionnaire.refresh_from_db()
    assert clinic.refill.questionnaire.live is not None


def test_the_same_page_in_two_tabs_sends_one_request(maya: Client, clinic: Clinic) -> None:
    draft = clinic.draft()
    first = maya.post(reverse("review", args=[draft.pk]))
    second = maya.post(reverse("review", args=[draft.pk]))
    assert first["Location"] == second["Location"]
    assert Submission.objects.count() == 1


def test_a_swap_and_a_reload_show_the_same_page(maya: Client, clinic: Clinic) -> None:
    draft = clinic.draft()
    answers = {"i.medicine": "Metformin", "i.left": "none"}
    swapped = maya.post(page_of(draft), answers, headers={"HX-Request": "true"}).content.decode()
    reloaded = maya.get(page_of(draft)).content.decode()
    assert swapped.strip() in reloaded


class TestActingForSomebody:
    @pytest.fixture
    def parent(self, clinic: Clinic) -> User:
        parent = make.UserFactory(name="Pat Ortiz")
        people.grant_proxy(user=parent, patient=clinic.patient, relationship="carer", by=clinic.admin)
        return parent

    def test_a_proxy_sees_the_patient_and_what_they_sent(self, clinic: Clinic, parent: User) -> None:
        conversation = clinic.send()
        response = client_of(parent).get(conversation.get_absolute_url())
        assert "Lisinopril 20 mg" in response.content.decode()

    def test_an_ended_grant_closes_every_page_at_once(self, clinic: Clinic, parent: User) -> None:
        conversation = clinic.send()
        people.end_proxy(proxy=parent.proxies.get(), by=clinic.patient.user)
        client = client_of(parent)
        assert client.get(conversation.get_absolute_url()).status_code == 404
        assert client.get("/requests/").status_code == 404
        assert not Patient.objects.reachable_by(parent).exists()

    def test_a_grant_without_its_permission_row_opens_nothing(self, clinic: Clinic, parent: User) -> None:
        from portal.people.models import PatientUserPermission

        PatientUserPermission.objects.all().delete()
        assert not Patient.objects.reachable_by(parent).exists()

    def test_who_acts_for_two_people_chooses_first(self, clinic: Clinic, parent: User) -> None:
        people.grant_proxy(user=parent, patient=clinic.stranger, relationship="carer", by=clinic.admin)
        client = client_of(parent)
        assert client.get("/", follow=True).redirect_chain == [("/person/", 302)]
        response = client.post("/person/", {"patient": clinic.stranger.pk}, follow=True)
        assert clinic.stranger.name in response.content.decode()
        outsider = make.PatientFactory(facility=clinic.facility)
        assert client.post("/person/", {"patient": outsider.pk}).status_code == 404


def test_a_superuser_and_staff_get_no_patient_page_by_being_that(clinic: Clinic) -> None:
    conversation, draft = clinic.send(), clinic.draft("billing")
    for user in (clinic.admin, clinic.nurse):
        client = client_of(user)
        for path in (
            conversation.get_absolute_url(),
            page_of(draft),
            "/requests/",
            reverse("sent", args=[conversation.pk]),
        ):
            assert client.get(path).status_code == 404


def test_the_form_of_a_billing_question_is_its_own(maya: Client, clinic: Clinic) -> None:
    response = maya.post(reverse("start", args=["billing"]), follow=True)
    assert BILLING["item"][0]["text"] in response.content.decode()


@pytest.mark.parametrize("who", ["patient", "proxy"])
def test_a_form_starts_with_the_names_of_both_as_they_are_kept(clinic: Clinic, who: str) -> None:
    """A family name of several words stays one."""
    patient = make.PatientFactory(
        facility=clinic.facility,
        given_name="Ana Sofía",
        family_name="de la Cruz",
        user__name="Ana Sofía Cruz",
    )
    writer = patient.user
    if who == "proxy":
        writer = make.UserFactory(name="Pat Ortiz")
        people.grant_proxy(user=writer, patient=patient, relationship="carer", by=clinic.admin)
    context = (
        "%patient.name.first().family",
        "%patient.name.given.join('+')",
        "%user.name.family",
        "%user is Patient",
    )
    form = resource(
        *(
            item("string", f"q{n}", ext=[expression("sdc:initialExpression", f"({told}).toString()")])
            for n, told in enumerate(context)
        ),
        ext=[launched("patient", "Patient"), launched("user", "Patient")],
    )
    kind = make.request_type("names", form, name="Names")
    response = client_of(writer).post(reverse("start", args=[kind.code]), follow=True)
    html = response.content.decode()
    assert all(f'value="{said}"' in html for said in ("de la Cruz", "Ana+Sofía"))
    assert ('value="Cruz"' in html, 'value="true"' in html) == (who == "patient", who == "patient")
    assert ('value="Ortiz"' in html) == (who == "proxy")


def launched(name: str, kind: str) -> dict[str, object]:
    parts = [{"url": "name", "valueCoding": {"code": name}}, {"url": "type", "valueCode": kind}]
    return ext("sdc:launchContext", extension=parts)


def test_home_shows_first_what_waits_for_the_patient_and_when_each_was_sent(
    maya: Client, clinic: Clinic
) -> None:
    with at(now() - timedelta(days=400)):
        asked = clinic.send("billing")
    with at(now() - timedelta(days=399)):
        read = clinic.send("billing")
    queues.ask_back(
        task=queues.claim(task=asked.tasks.get(), by=clinic.biller), question="Which?", by=clinic.biller
    )
    told = queues.reply(
        task=queues.claim(task=read.tasks.get(), by=clinic.biller), body="Paid.", by=clinic.biller
    )
    Message.objects.update(shown_at=now())
    newer = [clinic.send().pk for _number in range(6)]
    home = maya.get("/")
    first = [row.conversation.pk for row in home.context["conversations"]]
    assert first == [read.pk, asked.pk, *newer[:2:-1]]
    assert f", {asked.opened_at.year}, " in home.content.decode()
    maya.get(told.conversation.get_absolute_url())
    first = [row.conversation.pk for row in maya.get("/").context["conversations"]]
    assert first == [asked.pk, *newer[:1:-1]]


def test_every_request_is_in_the_list_however_many_there_are(
    maya: Client, clinic: Clinic, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("intake.views.A_PAGE", 3)
    sent = [clinic.send().pk for _number in range(7)]
    found: list[int] = []
    for query in ("", "?page=2", "?page=3"):
        page = maya.get("/requests/" + query)
        found += [row.conversation.pk for row in page.context["conversations"]]
        assert ("Newest" in page.content.decode()) == bool(query)
    assert found == sent[::-1]
    assert "Earlier requests" not in page.content.decode()
    assert maya.get("/requests/?page=99999999999").status_code == 200
    assert maya.get("/requests/?page=x").context["page"] == 1


def test_a_row_that_was_added_is_where_the_page_goes_on(maya: Client, clinic: Clinic) -> None:
    """Pressing the button loads the page anew: without a place in it, who can't see it begins at the top."""
    rows = group("meds", item("string", "name"), repeats=True)
    form = resource(rows, item("string", "alias", repeats=True))
    kind = make.request_type("rows", form, name="Rows")
    draft = actions.start_draft(request_type=kind, patient=clinic.patient, by=clinic.patient.user)
    for page, button, place in (
        ("p1", {"_add": "i.meds"}, "i.meds.0"),
        ("p1", {"_add": "i.meds", "i.meds:n": "1"}, "i.meds.1"),
        ("p1", {"_remove": "i.meds.0", "i.meds:n": "2"}, "i.meds"),
        ("p2", {"_add": "i.alias", "i.alias": ["Mia"]}, "i.alias-1"),
    ):
        where = page_of(draft, page)
        response = maya.post(where, button)
        assert response.url == f"{where}#{place}"
        assert f'id="{place}"' in maya.get(where).content.decode()
    assert maya.post(where, {"i.alias": ["Mia"]}).url == where


def test_a_change_leads_straight_back_to_looking_it_over(maya: Client, clinic: Clinic) -> None:
    """But first through a page that the change has brought up."""
    ill = item("boolean", "ill")
    more = item("string", "more", enableWhen=[{"question": "ill", "operator": "=", "answerBoolean": True}])
    form = resource(
        *(
            group(f"g{n}", each)
            for n, each in enumerate((item("string", "a"), ill, more, item("string", "z")))
        )
    )
    kind = make.request_type("pages", form, name="Pages")
    draft = actions.start_draft(request_type=kind, patient=clinic.patient, by=clinic.patient.user)
    review = reverse("review", args=[draft.pk])
    where, answers = page_of(draft), {"p1": {"i.a": "one"}, "p2": {"i.ill": "false"}, "p4": {"i.z": "end"}}
    for page in answers:
        where = maya.post(page_of(draft, page), answers[page] | {"go": "next"}).url
    assert where == review
    html = maya.get(review).content.decode()
    change = page_of(draft, "p1") + "?review"
    assert f'href="{change}"' in html
    page = maya.get(change).content.decode()
    assert "Done" in page
    assert f'action="{change}"' in page
    assert f'hx-post="{change}"' in page
    assert maya.post(change, {"i.a": "two", "go": "next"}).url == review
    brought_up = maya.post(page_of(draft, "p2") + "?review", {"i.ill": "true", "go": "next"}).url
    assert brought_up == page_of(draft, "p3") + "?review"
    assert maya.post(brought_up, {"i.more": "a cold", "go": "next"}).url == review
