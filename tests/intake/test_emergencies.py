"""Emergency first: what interrupts the form, in whose words, and what happens when it is left there."""

from __future__ import annotations

import re
from datetime import timedelta

import pytest
from django.core.exceptions import ValidationError
from django.urls import reverse

from audit.actions import store
from audit.models import Event
from audit.now import at, now
from intake import actions as intake
from intake import emergencies, tasks
from intake.models import Draft
from intake.notices import Notice
from portal.people import actions as people
from portal.people.models import Guidance, Patient, User
from queues import actions as queues
from queues.models import Conversation, Task
from queues.urgency import Urgency
from tests import factories as make
from tests.clinic import Clinic
from tests.people.test_grants import client_of, parent, teen
from triage import actions as triage
from triage.models import Ruleset

__all__ = ["parent", "teen"]

CHEST = {"problems": "true", "problem-kind": "chest", "which": "It hurts a bit"}
HARM = {"problems": "true", "which": "I want to kill myself"}


def page(draft: Draft, user: User, where: str = "p2") -> str:
    return client_of(user).get(reverse("draft", args=[draft.pk, where])).content.decode()


def later(minutes: int):
    return at(now() + timedelta(minutes=minutes))


def publish(draft: Ruleset, clinic: Clinic) -> None:
    triage.approve(ruleset=draft, by=make.staff("lead"))
    triage.publish(ruleset=draft, by=clinic.admin, reason="for the test")


class TestTheWords:
    def test_are_built_in_with_the_facilitys_numbers(self, clinic: Clinic) -> None:
        html = page(clinic.draft(**CHEST), clinic.patient.user)
        assert "This can be an emergency" in html
        assert 'href="tel:911"' in html
        assert 'role="alert"' in html

    def test_are_the_default_rows_else_and_the_facilitys_own_before_all(self, clinic: Clinic) -> None:
        words = {"kind": "emergency", "language": "en", "words": "Call {phone} at once."}
        store(Guidance(heading="Everywhere", **words), by=clinic.admin)
        assert "Everywhere" in page(clinic.draft(**CHEST), clinic.patient.user)
        own = Guidance(heading="At Lakeside", facility=clinic.facility, phone="555-0911", **words)
        store(own, by=clinic.admin)
        html = page(Draft.objects.get(), clinic.patient.user)
        assert "At Lakeside" in html
        assert "Call 555-0911 at once." in html
        assert "Everywhere" not in html

    def test_are_never_those_of_another_language(self, clinic: Clinic) -> None:
        store(Guidance(kind="emergency", language="es", heading="Ya", words="Llame."), by=clinic.admin)
        assert "This can be an emergency" in page(clinic.draft(**CHEST), clinic.patient.user)

    def test_of_a_row_with_an_unknown_gap_are_refused(self, db: None) -> None:
        with pytest.raises(ValidationError):
            store(Guidance(kind="crisis", heading="Call", words="Call {somebody}"), by=None)

    def test_follow_the_kind_that_the_rules_tag_names(self, clinic: Clinic) -> None:
        draft = triage.start_draft(by=clinic.admin)
        rule = draft.rules.get(name="chest pain on the medicine")
        rule.tags = ["poison"]
        triage.save_rule(rule, by=clinic.admin)
        publish(draft, clinic)
        assert "This can be a poisoning" in page(clinic.draft(**CHEST), clinic.patient.user)

    def test_follow_the_red_flag_in_what_is_written(self, clinic: Clinic) -> None:
        assert "have to be alone with this" in page(clinic.draft(**HARM), clinic.patient.user)

    def test_of_several_kinds_end_with_the_emergency_number_once(self, clinic: Clinic) -> None:
        both = HARM | {"which": "I took all my pills at once, I want to die."}
        html = page(clinic.draft(**both), clinic.patient.user)
        assert "This can be a poisoning" in html
        assert "have to be alone with this" in html
        assert html.count('class="button plain" href="tel:911"') == 1


class TestUnderAProxysLogIn:
    def test_self_harm_is_told_neutrally_with_a_way_out(
        self, clinic: Clinic, teen: Patient, parent: User
    ) -> None:
        html = page(clinic.draft(by=parent, **HARM), parent)
        assert "Please call today" in html
        assert not re.search(r"\b988\b", html)  # as a number, and not within a key
        assert "alone" not in html
        assert 'href="/away/" data-exit' in html

    def test_chest_pain_is_told_as_it_is(self, clinic: Clinic, teen: Patient, parent: User) -> None:
        html = page(clinic.draft(by=parent, **CHEST), parent)
        assert "This can be an emergency" in html
        assert "data-exit" not in html


class TestWhatIsRecorded:
    def test_is_each_notice_once_and_that_it_was_sent(self, clinic: Clinic) -> None:
        draft = clinic.draft(**CHEST)
        intake.save_draft(draft=draft, raw=draft.raw, by=draft.author)
        (row,) = Notice.objects.all()
        assert (row.kind, row.outcome) == ("emergency", "")
        sent = intake.submit(draft_id=draft.pk, by=draft.author)
        row.refresh_from_db()
        assert (row.outcome, row.submission) == (Notice.Outcome.SENT, sent.submission)

    def test_is_that_the_draft_was_deleted(self, clinic: Clinic) -> None:
        draft = clinic.draft(**CHEST)
        intake.discard_draft(draft=draft, by=draft.author)
        assert Notice.objects.get().outcome == Notice.Outcome.DELETED

    def test_is_a_floor_that_other_answers_leave_in_place(self, clinic: Clinic) -> None:
        draft = clinic.draft(**CHEST)
        intake.save_draft(
            draft=draft, raw={"i.medicine": ["Lisinopril"], "i.left": ["more"]}, by=draft.author
        )
        task = intake.submit(draft_id=draft.pk, by=draft.author).tasks.get()
        assert (task.urgency, task.floor) == (Urgency.URGENT, Urgency.URGENT)


class TestAFormThatIsLeft:
    def test_becomes_an_urgent_call_back_once(self, clinic: Clinic) -> None:
        clinic.draft(**CHEST)
        with later(14):
            assert tasks.call_back() == 0
        with later(16):
            assert tasks.call_back() == 1
            assert tasks.call_back() == 0
        task = Task.objects.get()
        assert (task.urgency, task.floor, task.queue.role) == (Urgency.URGENT, Urgency.URGENT, "nurse")
        assert task.title.startswith("Call back")
        assert Notice.objects.get().outcome == Notice.Outcome.LEFT
        assert Event.objects.filter(action="intake.callback.open", agent=None).count() == 1
        assert client_of(clinic.nurse).get(task.get_absolute_url()).status_code == 200

    def test_and_deleted_is_left_too(self, clinic: Clinic) -> None:
        draft = clinic.draft(**CHEST)
        intake.discard_draft(draft=draft, by=draft.author)
        with later(16):
            assert tasks.call_back() == 1

    def test_is_left_alone_where_the_facility_does_not_call(self, clinic: Clinic) -> None:
        clinic.facility.callback_minutes = None
        clinic.facility.save()
        draft = clinic.draft(**CHEST)
        assert "are told after" not in page(draft, clinic.patient.user)
        with later(600):
            assert tasks.call_back() == 0

    def test_tells_so_in_the_notice(self, clinic: Clinic) -> None:
        assert "our nurses are told after 15 minutes" in page(clinic.draft(**CHEST), clinic.patient.user)

    def test_makes_no_call_back_once_it_is_sent(self, clinic: Clinic) -> None:
        clinic.send(**CHEST)
        with later(60):
            assert tasks.call_back() == 0
        assert Task.objects.count() == 1

    def test_and_then_sent_joins_its_call_back(self, clinic: Clinic) -> None:
        draft = clinic.draft(**CHEST)
        with later(16):
            tasks.call_back()
        task = queues.claim(task=Task.objects.get(), by=clinic.nurse)
        with later(20):
            conversation = intake.submit(draft_id=draft.pk, by=draft.author)
        assert conversation == task.conversation
        task.refresh_from_db()
        assert task.owner == clinic.nurse
        assert task.floor == Urgency.URGENT
        assert any(line["value"] == "Lisinopril 20 mg" for line in task.summary)
        assert Task.objects.count() == Conversation.objects.count() == 1
        assert client_of(draft.author).get(conversation.get_absolute_url()).status_code == 200
        with later(40):
            assert tasks.call_back() == 0

    def test_by_a_teenager_over_self_harm_is_not_told_to_the_parent(
        self, clinic: Clinic, teen: Patient, parent: User
    ) -> None:
        clinic.draft(by=teen.user, **HARM)
        with later(16):
            tasks.call_back()
        conversation = Conversation.objects.get()
        assert conversation.confidential
        assert client_of(parent).get(conversation.get_absolute_url()).status_code == 404
        assert client_of(teen.user).get(conversation.get_absolute_url()).status_code == 200

    def test_by_a_proxy_is_called_back_too(self, clinic: Clinic, teen: Patient, parent: User) -> None:
        clinic.draft(by=parent, **HARM)
        with later(16):
            assert tasks.call_back() == 1

    def test_nobody_but_an_unread_form_is_found_by_the_schedule(self, db: None) -> None:
        from django_q.models import Schedule

        assert Schedule.objects.get(func="intake.tasks.call_back").minutes == 1
        assert Schedule.objects.filter(func="portal.people.tasks.end_grants").exists()


def test_every_kind_has_words_of_its_own(clinic: Clinic) -> None:
    said = {emergencies._part(kind, clinic.facility).heading for kind in emergencies.ORDER}
    assert len(said) == len(Guidance.Kind)


def test_who_reads_at_night_is_told_before_sending(clinic: Clinic) -> None:
    """Without anybody round the clock the form says so and whom to call."""
    calendar = make.CalendarFactory(hours={"mon": [["09:00", "09:01"]]})
    clinic.urgent.calendar = calendar
    clinic.urgent.save()
    people.choose_language(user=clinic.patient.user, language="en", by=clinic.admin)
    html = page(clinic.draft(**CHEST), clinic.patient.user)
    assert "not even urgent ones" in html
    assert "Call 555-0199 now" in html
