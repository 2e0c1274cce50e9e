"""The outbox: sent once, tried again, and empty of patient data."""

from datetime import timedelta

import pytest
from django.core import mail

from audit.now import at, now
from portal.people import tasks
from portal.people.actions import post_mail
from portal.people.models import Mail
from tests import factories as make


@pytest.fixture
def waiting(db: None) -> Mail:
    return post_mail(recipient=make.UserFactory(), kind=Mail.Kind.NEW_MESSAGE, path="/requests/1/")


def test_a_mail_is_sent_once_however_often_the_task_runs(waiting: Mail) -> None:
    tasks.send_mail(waiting.pk)
    tasks.send_mail(waiting.pk)
    tasks.sweep_mail()
    assert len(mail.outbox) == 1
    assert "/requests/1/" in mail.outbox[0].body


def test_the_sweep_finds_what_no_worker_was_told_of(waiting: Mail) -> None:
    assert tasks.sweep_mail() == 1
    waiting.refresh_from_db()
    assert waiting.state == Mail.State.SENT


def test_a_failure_keeps_the_class_of_the_error_and_is_tried_again_later_five_times_at_most(
    waiting: Mail, settings
) -> None:
    settings.EMAIL_BACKEND = "django.core.mail.backends.smtp.EmailBackend"
    settings.EMAIL_HOST, settings.EMAIL_PORT = "127.0.0.1", 1
    for attempt in range(1, 6):
        with at(now() + timedelta(days=attempt)):
            tasks.send_mail(waiting.pk)
            tasks.send_mail(waiting.pk)
        waiting.refresh_from_db()
        assert waiting.attempts == attempt
    assert (waiting.state, waiting.last_error) == (Mail.State.FAILED, "ConnectionRefusedError")


def test_who_wants_no_notices_gets_none(db: None) -> None:
    assert post_mail(recipient=make.UserFactory(mail_notices=False), kind="new-message", path="/") is None


def test_a_mail_speaks_the_language_of_its_reader(db: None) -> None:
    post_mail(recipient=make.UserFactory(language="es"), kind=Mail.Kind.NEW_MESSAGE, path="/requests/1/")
    tasks.sweep_mail()
    assert "mensaje" in mail.outbox[0].subject
