"""Who acts for whom: what a grant opens, how it ends, and what stays between a patient and the clinic."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta

import pytest
from django.core import mail
from django.db import DatabaseError, transaction
from django.test import Client
from django.urls import reverse

from audit.models import Event
from audit.now import at, now
from intake import actions as intake
from intake.models import Draft
from portal.people import actions as people
from portal.people import tasks
from portal.people.models import Mail, Patient, PatientUserPermission, Proxy, User
from portal.people.policies import Refused, may_keep_confidential
from queues import actions as queues
from queues.models import Conversation
from tests import factories as make
from tests.clinic import Clinic


def client_of(user: User) -> Client:
    client = Client(headers={"Origin": "http://testserver"})
    client.force_login(user)
    return client


def years_ago(years: int, *, days: int = 0) -> date:
    today = now().date()
    return today.replace(year=today.year - years, day=min(today.day, 28)) - timedelta(days=days)


@pytest.fixture
def teen(clinic: Clinic) -> Patient:
    """Fifteen, with a log-in of her own."""
    clinic.patient.birth_date = years_ago(15, days=40)
    clinic.patient.save()
    return clinic.patient


@pytest.fixture
def parent(clinic: Clinic, teen: Patient) -> User:
    user = make.UserFactory(name="Pat Ortiz", email="parent@example.org")
    people.grant_proxy(user=user, patient=teen, relationship="parent", by=clinic.admin)
    return user


def send(clinic: Clinic, *, by: User, kind: str = "refill", confidential: bool = False) -> Conversation:
    draft = clinic.draft(kind, by=by)
    if confidential:
        intake.keep_confidential(draft=draft, by=by)
    return intake.submit(draft_id=draft.pk, by=by)


class TestANarrowGrant:
    @pytest.fixture
    def carer(self, clinic: Clinic) -> User:
        user = make.UserFactory(name="Cary Carer")
        people.grant_proxy(
            user=user, patient=clinic.patient, relationship="carer", scope=["billing"], by=clinic.admin
        )
        return user

    def test_opens_the_types_it_names_and_nothing_else(self, clinic: Clinic, carer: User) -> None:
        bill, refill = clinic.send("billing"), clinic.send()
        client = client_of(carer)
        assert client.get(bill.get_absolute_url()).status_code == 200
        assert client.get(refill.get_absolute_url()).status_code == 404
        html = client.get("/").content.decode()
        assert "Billing question" in html
        assert "Refill" not in html
        assert refill.get_absolute_url() not in client.get("/requests/").content.decode()
        assert client.post(reverse("start", args=["refill"])).status_code == 404
        assert client.post(reverse("start", args=["billing"])).status_code == 302

    def test_a_draft_of_before_the_grant_was_narrowed_is_neither_read_nor_sent(
        self, clinic: Clinic, carer: User
    ) -> None:
        Proxy.objects.filter(user=carer).update(scope=None)
        draft = clinic.draft(by=carer)
        Proxy.objects.filter(user=carer).update(scope=["billing"])
        assert client_of(carer).get(reverse("draft", args=[draft.pk])).status_code == 404
        assert client_of(carer).post(reverse("review", args=[draft.pk])).status_code == 404
        with pytest.raises(Refused):
            intake.submit(draft_id=draft.pk, by=carer)
        assert Draft.objects.filter(pk=draft.pk).exists()

    def test_that_names_nothing_is_refused_by_the_database_too(self, clinic: Clinic, carer: User) -> None:
        with pytest.raises(DatabaseError), transaction.atomic():
            Proxy.objects.filter(user=carer).update(scope=[])

    def test_what_is_said_about_another_type_is_mailed_to_the_patient(
        self, clinic: Clinic, carer: User
    ) -> None:
        Proxy.objects.filter(user=carer).update(scope=None)
        sent = send(clinic, by=carer)
        Proxy.objects.filter(user=carer).update(scope=["billing"])
        task = queues.claim(task=sent.tasks.get(), by=clinic.nurse)
        Mail.objects.all().delete()
        queues.reply(task=task, body="It is ready.", by=clinic.nurse)
        assert {row.recipient for row in Mail.objects.all()} == {clinic.patient.user}


class TestWhatIsConfidential:
    def test_is_absent_from_every_page_of_the_parent(
        self, clinic: Clinic, teen: Patient, parent: User
    ) -> None:
        hidden, open_one = send(clinic, by=teen.user, confidential=True), send(clinic, by=teen.user)
        client = client_of(parent)
        for path in (
            hidden.get_absolute_url(),
            reverse("sent", args=[hidden.pk]),
            reverse("draft", args=[hidden.submission.draft_key]),
            reverse("review", args=[hidden.submission.draft_key]),
        ):
            assert client.get(path).status_code == 404
        assert client.post(reverse("withdraw", args=[hidden.pk])).status_code == 404
        assert client.post(hidden.get_absolute_url(), {"body": "What is it?"}).status_code == 404
        for path in ("/", "/requests/"):
            html = client.get(path).content.decode()
            assert hidden.get_absolute_url() not in html
            assert open_one.get_absolute_url() in html
        assert client_of(teen.user).get(hidden.get_absolute_url()).status_code == 200

    def test_is_mailed_to_nobody_but_the_patient(self, clinic: Clinic, teen: Patient, parent: User) -> None:
        hidden = send(clinic, by=teen.user, confidential=True)
        Mail.objects.all().delete()
        task = queues.claim(task=hidden.tasks.get(), by=clinic.nurse)
        queues.reply(task=task, body="It is ready.", by=clinic.nurse)
        assert {row.recipient for row in Mail.objects.all()} == {teen.user}

    def test_a_type_can_be_so_by_itself_when_the_patient_sends_it(
        self, clinic: Clinic, teen: Patient, parent: User
    ) -> None:
        clinic.refill.confidential = True
        intake.save_request_type(clinic.refill, by=clinic.admin)
        assert send(clinic, by=teen.user).confidential
        assert not send(clinic, by=parent).confidential

    def test_the_home_page_asks_who_may_and_nobody_else(
        self, clinic: Clinic, teen: Patient, parent: User
    ) -> None:
        assert 'name="confidential"' in client_of(teen.user).get("/").content.decode()
        assert 'name="confidential"' not in client_of(parent).get("/").content.decode()
        client_of(teen.user).post(reverse("start", args=["refill"]), {"confidential": "yes"})
        assert Draft.objects.get(author=teen.user).confidential
        client_of(parent).post(reverse("start", args=["refill"]), {"confidential": "yes"})
        assert not Draft.objects.get(author=parent).confidential

    @pytest.mark.parametrize(("age", "may"), [(12, False), (13, True), (17, True), (18, False)])
    def test_from_the_facilitys_age_on(self, clinic: Clinic, age: int, may: bool) -> None:
        clinic.patient.birth_date = years_ago(age, days=30)
        assert may_keep_confidential(clinic.patient, clinic.patient.user) is may

    def test_an_adult_may_too_while_somebody_acts_for_them(self, clinic: Clinic) -> None:
        people.grant_proxy(
            user=make.UserFactory(), patient=clinic.patient, relationship="carer", by=clinic.admin
        )
        assert may_keep_confidential(clinic.patient, clinic.patient.user)

    def test_a_proxy_cannot_write_in_confidence_not_even_with_sql(
        self, clinic: Clinic, teen: Patient, parent: User
    ) -> None:
        with pytest.raises(Refused):
            intake.keep_confidential(draft=clinic.draft(by=parent), by=parent)
        sent = send(clinic, by=parent)
        with pytest.raises(DatabaseError), transaction.atomic():
            Conversation.objects.filter(pk=sent.pk).update(confidential=True)

    def test_stays_so_even_with_sql(self, clinic: Clinic, teen: Patient) -> None:
        hidden = send(clinic, by=teen.user, confidential=True)
        with pytest.raises(DatabaseError), transaction.atomic():
            Conversation.objects.filter(pk=hidden.pk).update(confidential=False)


class TestComingOfAge:
    def test_closes_the_parents_pages_that_very_day_on_the_facilitys_wall_clock(
        self, clinic: Clinic, teen: Patient, parent: User
    ) -> None:
        teen.birth_date = date(2010, 6, 15)
        teen.save()
        Proxy.objects.update(since=date(2020, 1, 1))
        # Midnight in New York is four o'clock in UTC.
        with at(datetime(2028, 6, 15, 3, 59, tzinfo=UTC)):
            assert Patient.objects.reachable_by(parent).exists()
        with at(datetime(2028, 6, 15, 4, 1, tzinfo=UTC)):
            assert not Patient.objects.reachable_by(parent).exists()

    def test_goes_by_the_facilitys_age(self, clinic: Clinic, teen: Patient, parent: User) -> None:
        clinic.facility.majority_age = 15
        clinic.facility.save()
        assert not Patient.objects.reachable_by(parent).exists()

    def test_is_told_to_both_and_leaves_a_trace_the_night_after_once(
        self, clinic: Clinic, teen: Patient, parent: User
    ) -> None:
        teen.birth_date = years_ago(18, days=1)
        teen.save()
        Proxy.objects.update(since=years_ago(1))
        Mail.objects.all().delete()
        assert tasks.end_grants() == 1
        assert tasks.end_grants() == 0
        event = Event.objects.get(action="people.proxy.end")
        assert (event.agent, event.detail) == (None, {"why": "of-age"})
        assert {row.recipient for row in Mail.objects.all()} == {teen.user, parent}
        assert {row.kind for row in Mail.objects.all()} == {"grant-ended"}

    def test_a_guardian_of_a_grown_up_stays_and_one_of_a_child_goes(
        self, clinic: Clinic, teen: Patient
    ) -> None:
        guardian = make.UserFactory()
        people.grant_proxy(user=guardian, patient=teen, relationship="guardian", by=clinic.admin)
        teen.birth_date = years_ago(18, days=30)
        teen.save()
        assert Patient.objects.reachable_by(guardian).exists()  # put in after that birthday
        Proxy.objects.filter(user=guardian).update(since=years_ago(1))
        assert not Patient.objects.reachable_by(guardian).exists()

    def test_a_parent_of_a_grown_up_is_refused(self, clinic: Clinic) -> None:
        with pytest.raises(Refused):
            people.grant_proxy(
                user=make.UserFactory(), patient=clinic.patient, relationship="parent", by=clinic.admin
            )

    def test_a_last_day_that_has_passed_is_ended_in_the_row_too(self, clinic: Clinic) -> None:
        proxy = people.grant_proxy(
            user=make.UserFactory(),
            patient=clinic.patient,
            relationship="carer",
            until=now().date(),
            by=clinic.admin,
        )
        assert tasks.end_grants() == 0
        with at(now() + timedelta(days=2)):
            assert tasks.end_grants() == 1
        proxy.refresh_from_db()
        assert proxy.ended_at


def test_grants_and_their_ends_are_mailed_to_both_even_to_who_wants_no_other_news_and_say_nothing(
    clinic: Clinic,
) -> None:
    user = make.UserFactory(name="Cary Carer", email="cary@example.org", mail_notices=False)
    proxy = people.grant_proxy(user=user, patient=clinic.patient, relationship="carer", by=clinic.admin)
    people.end_proxy(proxy=proxy, by=clinic.patient.user)
    tasks.sweep_mail()
    assert sorted((letter.to[0], letter.subject) for letter in mail.outbox) == [
        ("cary@example.org", "Who acts for whom: something has ended"),
        ("cary@example.org", "Who acts for whom: something was added"),
        ("patient@example.org", "Who acts for whom: something has ended"),
        ("patient@example.org", "Who acts for whom: something was added"),
    ]
    for letter in mail.outbox:
        for secret in ("Maya", "Ortiz", "Cary", clinic.patient.record_number, "Lakeside", "carer"):
            assert secret not in letter.subject + letter.body


WORLDS: dict[str, dict[str, object]] = {
    "nothing": {},
    "a narrow grant that names it": {"scope": ["refill", "form"]},
    "a narrow grant that names another": {"scope": ["billing"]},
    "a grant that has ended": {"ended_at": datetime(2026, 1, 5, tzinfo=UTC)},
    "a grant whose last day has passed": {"until": date(2026, 1, 5)},
    "a grant of tomorrow": {"since": date(2126, 1, 5), "until": date(2126, 2, 5)},
    "a parent's, of a grown-up": {"relationship": "parent"},
}


@pytest.mark.parametrize("world", WORLDS.values(), ids=WORLDS)
@pytest.mark.parametrize("confidential", [False, True])
@pytest.mark.parametrize("allowed", [True, False], ids=["with guardian's row", "without it"])
def test_one_row_is_open_to_exactly_those_who_find_it_in_a_list(
    clinic: Clinic, world: dict[str, object], confidential: bool, allowed: bool
) -> None:
    carer, patient = make.UserFactory(name="Cary Carer"), clinic.patient
    row = people.grant_proxy(user=carer, patient=patient, relationship="carer", by=clinic.admin)
    sent = send(clinic, by=patient.user, confidential=confidential)
    draft = clinic.draft(by=carer)
    Proxy.objects.filter(pk=row.pk).update(**{"since": date(2020, 1, 1)} | world)
    if not allowed:
        PatientUserPermission.objects.all().delete()
    for user in (patient.user, carer, clinic.stranger.user, clinic.nurse):
        sent, draft = Conversation.objects.get(pk=sent.pk), Draft.objects.get(pk=draft.pk)
        assert sent.is_reachable_by(user) is Conversation.objects.reachable_by(user).exists()
        assert draft.is_open_to(user) is Draft.objects.reachable_by(user).exists()
    open_now = allowed and world in ({}, WORLDS["a narrow grant that names it"])
    assert sent.is_reachable_by(carer) is (open_now and not confidential)
    assert draft.is_open_to(carer) is open_now


def test_a_call_written_down_is_open_to_its_writer_while_they_care_for_the_patient(clinic: Clinic) -> None:
    draft = intake.start_draft(
        request_type=clinic.refill, patient=clinic.patient, by=clinic.nurse, channel=Draft.Channel.PHONE
    )
    for cares in (True, False):
        if not cares:
            clinic.nurse.staff_roles.update(since=date(2020, 1, 1), until=date(2020, 1, 2))
        for user in (clinic.nurse, clinic.second_nurse, clinic.patient.user):
            assert draft.is_open_to(user) is Draft.objects.reachable_by(user).exists()
        assert draft.is_open_to(clinic.nurse) is cares
