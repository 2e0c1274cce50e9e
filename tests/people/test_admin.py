"""The admin is no back door."""

import pytest
from django.apps import apps
from django.contrib import admin
from django.test import Client
from django.urls import reverse

from audit.models import Event
from intake.attachments.models import Attachment, AttachmentContent
from intake.models import Draft, Submission
from intake.notices import Notice as ShownNotice
from portal.people.models import Facility, Invitation, Mail, Patient, Proxy
from portal.records.models import Chart, ChartEntry
from queues.models import (
    Alert,
    Assessment,
    Call,
    Conversation,
    Escalation,
    Filing,
    FollowUp,
    FormerRouting,
    Hold,
    Leg,
    MeasureCell,
    MeasureMark,
    Mention,
    Message,
    Note,
    Notice,
    Presence,
    PromiseMove,
    SearchDocument,
    Step,
    Task,
    TaskMeasure,
    Tick,
)
from tests.clinic import Clinic
from triage import actions as triage
from triage.models import Decision, LostFlag, Rule, Ruleset, TextReading

PATIENT_DATA = {
    FormerRouting,
    MeasureCell,
    MeasureMark,
    TaskMeasure,
    ShownNotice,
    SearchDocument,
    FollowUp,
    Invitation,
    Patient,
    Proxy,
    Mail,
    Draft,
    Submission,
    Conversation,
    Message,
    Task,
    Step,
    Escalation,
    Filing,
    Assessment,
    Call,
    Hold,
    Mention,
    Note,
    Presence,
    Tick,
    Chart,
    ChartEntry,
    Leg,
    PromiseMove,
    Notice,
    Alert,
    Decision,
    LostFlag,
    TextReading,
    Attachment,
    AttachmentContent,
}


@pytest.fixture
def ada(clinic: Clinic) -> Client:
    client = Client()
    client.force_login(clinic.admin)
    return client


def test_no_model_with_patient_data_is_registered() -> None:
    registered = set(admin.site._registry)
    assert not registered & PATIENT_DATA
    # The libraries' tables hold mail addresses, log-in secrets and background work: none of them is here either.
    assert {model.__module__.partition(".")[0] for model in registered} <= {
        "audit",
        "portal",
        "queues",
        "triage",
        "intake",
    }


def test_its_log_in_is_everybodys(db: None) -> None:
    response = Client().get("/admin/", follow=True)
    assert response.redirect_chain[-1][0].startswith("/accounts/login/")
    assert (
        Client()
        .post("/admin/login/", {"username": "a", "password": "b"})["Location"]
        .startswith("/accounts/login/")
    )


def test_every_page_of_the_admin_opens(ada: Client, clinic: Clinic) -> None:
    triage.start_draft(by=clinic.admin)
    for model in admin.site._registry:
        label = f"{model._meta.app_label}_{model._meta.model_name}"
        assert ada.get(reverse(f"admin:{label}_changelist")).status_code == 200, label
        row = model._default_manager.first()
        if row is not None:
            assert ada.get(reverse(f"admin:{label}_change", args=[row.pk])).status_code == 200, label


def test_its_first_page_says_what_decides_now_and_starts_the_next_draft(ada: Client, clinic: Clinic) -> None:
    published = Ruleset.objects.published().get()
    page = ada.get("/admin/").content.decode()
    assert "The rules that decide" in page
    assert f"Ruleset {published.number} (published)" in page
    ada.post(reverse("admin:triage_ruleset_draft", args=[published.pk]))
    draft = Ruleset.objects.get(status=Ruleset.Status.DRAFT)
    page = ada.get("/admin/").content.decode()
    assert reverse("admin:triage_ruleset_change", args=[draft.pk]) in page
    assert "Go on with the draft" in page
    assert "Start a draft" not in page


def test_a_change_of_reference_data_leaves_an_event(ada: Client, clinic: Clinic) -> None:
    facility = clinic.facility
    form = {
        name: getattr(facility, name)
        for name in (
            "code",
            "phone",
            "after_hours_phone",
            "emergency_number",
            "crisis_line",
            "poison_control",
            "majority_age",
            "confidential_age",
            "callback_minutes",
            "reopen_days",
        )
    }
    ada.post(
        reverse("admin:people_facility_change", args=[facility.pk]),
        form | {"name": "Lakeside", "calendar": facility.calendar_id},
    )
    assert Facility.objects.get().name == "Lakeside"
    event = Event.objects.filter(action="people.facility.change").get()
    assert (event.agent, event.detail) == (clinic.admin, {"fields": ["name"]})


def test_an_admin_drafts_a_rule_and_publishes_it_with_a_reason(ada: Client, clinic: Clinic) -> None:
    published = Ruleset.objects.published().get()
    ada.post(reverse("admin:triage_ruleset_draft", args=[published.pk]))
    draft = Ruleset.objects.get(status="draft")
    rule = draft.rules.get(name="billing to billing")
    form = {
        "ruleset": draft.pk,
        "stage": rule.stage,
        "position": rule.position,
        "name": rule.name,
        "when": '{"always": false}',
        "queue": "triage",
    }
    response = ada.post(reverse("admin:triage_rule_change", args=[rule.pk]), form)
    assert "always" in response.content.decode()
    assert Rule.objects.get(pk=rule.pk).queue == "billing"
    response = ada.post(
        reverse("admin:triage_rule_change", args=[rule.pk]),
        form | {"when": '{"field": "request.type", "op": "is", "value": "billing"}'},
    )
    assert response.status_code == 302
    ada.post(reverse("admin:triage_ruleset_publish", args=[draft.pk]), {"reason": "Billing is on holiday."})
    assert clinic.task("billing").queue == clinic.triage
    assert Ruleset.objects.published().get().note == "Billing is on holiday."
    assert {"triage.ruleset.draft", "triage.rule.change", "triage.ruleset.publish"} <= set(
        Event.objects.values_list("action", flat=True)
    )


def test_rules_of_a_published_ruleset_are_shown_and_cannot_be_saved(ada: Client, clinic: Clinic) -> None:
    rule = Ruleset.objects.published().get().rules.get(name="red flag")
    url = reverse("admin:triage_rule_change", args=[rule.pk])
    assert ada.get(url).status_code == 200
    assert ada.post(url, {"name": "x"}).status_code == 403
    assert ada.post(reverse("admin:triage_rule_delete", args=[rule.pk]), {"post": "yes"}).status_code == 403


def test_members_of_a_queue_need_its_role(ada: Client, clinic: Clinic) -> None:
    queue = clinic.billing
    form = {name: getattr(queue, name) for name in ("code", "name", "team", "role")}
    form |= {"calendar": queue.calendar_id, "targets-TOTAL_FORMS": 0, "targets-INITIAL_FORMS": 0}
    form |= {"coverage-TOTAL_FORMS": 0, "coverage-INITIAL_FORMS": 0}
    url = reverse("admin:queues_queue_change", args=[queue.pk])
    response = ada.post(url, form | {"people": [clinic.nurse.pk]})
    assert "have this role" in response.content.decode()
    ada.post(url, form | {"people": [clinic.biller.pk]})
    assert list(queue.members.user_set.all()) == [clinic.biller]


def test_accounts_of_patients_are_not_listed(ada: Client, clinic: Clinic) -> None:
    html = ada.get(reverse("admin:people_user_changelist")).content.decode()
    assert clinic.nurse.name in html
    assert clinic.patient.user.email not in html
    assert ada.get(reverse("admin:people_user_change", args=[clinic.patient.user.pk])).status_code == 302


def test_every_model_of_ours_is_either_patient_data_or_looked_after_here(db: None) -> None:
    ours = {
        model
        for model in apps.get_models()
        if model.__module__.split(".")[0] in ("audit", "portal", "queues", "triage", "intake")
    }
    in_admin = set(admin.site._registry)
    inlined = {inline.model for site in admin.site._registry.values() for inline in site.inlines}
    grants = {model for model in ours if model.__name__.endswith("Permission")}
    unknown = ours - PATIENT_DATA - in_admin - inlined - grants
    assert {model.__name__ for model in unknown} <= {"AnswerSource", "DemoClinic", "FollowUpForm", "Quiet"}
