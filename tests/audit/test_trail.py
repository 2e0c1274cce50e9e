"""The trail: written with the thing it tells of, and by nobody taken back."""

import pytest
from django.apps import apps
from django.db import DatabaseError, connection, transaction

from audit.models import Event
from intake import actions as intake
from intake.models import Draft, Submission
from queues import actions as queues
from queues.models import Message, Task
from tests.clinic import Clinic
from triage.models import Decision


@pytest.fixture
def no_audit(db: None):
    """From here on the database takes no audit event, as when its disk is full."""

    def close() -> None:
        Event.objects.raw("SELECT 1")
        with connection.cursor() as cursor:
            cursor.execute("CREATE TEMP TABLE audit_event (nothing int CHECK (false))")

    return close


def test_when_the_event_cannot_be_written_the_submit_is_not_acknowledged(clinic: Clinic, no_audit) -> None:
    draft = clinic.draft()
    no_audit()
    with pytest.raises(DatabaseError), transaction.atomic():
        intake.submit(draft_id=draft.pk, by=clinic.patient.user)
    for model in (Submission, Decision, Task):
        assert not model.objects.exists()
    assert Draft.objects.filter(pk=draft.pk).exists()


def test_when_the_event_cannot_be_written_no_reply_goes_out(clinic: Clinic, no_audit) -> None:
    task = queues.claim(task=clinic.task(), by=clinic.nurse)
    no_audit()
    with pytest.raises(DatabaseError), transaction.atomic():
        queues.reply(task=task, body="Done.", by=clinic.nurse)
    assert not Message.objects.exists()


@pytest.mark.parametrize("sql", ["UPDATE {} SET id = id", "DELETE FROM {}", "TRUNCATE {}"])
def test_the_apps_role_can_change_no_append_only_table(clinic: Clinic, sql: str) -> None:
    clinic.send()
    tables = [model._meta.db_table for model in apps.get_models() if getattr(model, "append_only", False)]
    assert "audit_event" in tables
    for table in tables:
        with (
            pytest.raises(DatabaseError, match="permission denied"),
            transaction.atomic(),
            connection.cursor() as cursor,
        ):
            cursor.execute(sql.format(table))


def test_not_even_the_owner_changes_an_event(committed_db: str) -> None:
    import psycopg

    from portal.people.actions import add_user
    from portal.shell.database import with_database
    from tests.databases import handed_on

    add_user(email="somebody@example.org", name="Somebody", by=None)
    owner = with_database(handed_on().owner_url, connection.settings_dict["NAME"])
    with psycopg.connect(owner, autocommit=True) as there:
        for sql in ("UPDATE audit_event SET action = 'x'", "DELETE FROM audit_event", "TRUNCATE audit_event"):
            with pytest.raises(psycopg.errors.InsufficientPrivilege, match="only ever added"):
                there.execute(sql)


def test_no_event_of_a_whole_request_holds_what_the_patient_said(clinic: Clinic) -> None:
    task = clinic.task(medicine="Sertraline", problems="true", which="A purple rash.")
    queues.claim(task=task, by=clinic.nurse)
    queues.reply(task=task, body="How large is it?", by=clinic.nurse)
    everything = " ".join(f"{event.action} {event.detail}" for event in Event.objects.all())
    for word in ("Sertraline", "purple", "large", "Ortiz"):
        assert word not in everything


def test_the_databases_own_time_stands_beside_the_applications(clinic: Clinic) -> None:
    from datetime import timedelta

    from audit.now import at, now

    with at(now() - timedelta(days=30)):
        clinic.send()
    event = Event.objects.filter(action="intake.submission.send").get()
    assert event.recorded_at - event.occurred_at > timedelta(days=29)
