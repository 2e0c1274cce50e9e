"""Who is logged in comes with the session, as they are at this request, and only with a session of their own."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest
from allauth.usersessions.models import UserSession
from django.contrib.sessions.models import Session
from django.db import connection
from django.test import Client
from django.urls import reverse
from django.utils import timezone

from audit.now import now
from portal.people.models import User
from tests import factories as make
from tests.clinic import Clinic


@pytest.fixture
def ana(clinic: Clinic) -> Client:
    return make.log_in(Client(headers={"Origin": "http://testserver"}), clinic.nurse)


def asked(client: Client) -> list[str]:
    """The questions about the session and the user of one request."""
    seen: list[str] = []

    def see(execute: Any, sql: Any, *told: Any) -> Any:
        seen.append(str(sql))
        return execute(sql, *told)

    with connection.execute_wrapper(see):
        assert client.get(reverse("all")).status_code == 200
    return [sql for sql in seen if 'FROM "django_session"' in sql or 'FROM "people_user"' in sql]


def test_one_question_finds_both(ana: Client) -> None:
    assert len(asked(ana)) == 1


def test_a_session_that_nobody_noted_is_found_as_well(ana: Client) -> None:
    UserSession.objects.all().delete()
    assert len(asked(ana)) == 3


def test_a_role_that_has_ended_has_ended_at_the_next_request(clinic: Clinic, ana: Client) -> None:
    assert ana.get(reverse("all")).status_code == 200
    yesterday = now().date() - timedelta(days=1)
    clinic.nurse.staff_roles.update(since=yesterday, until=yesterday)
    assert ana.get(reverse("all")).status_code == 404


def test_who_is_not_active_any_more_is_out(clinic: Clinic, ana: Client) -> None:
    User.objects.filter(pk=clinic.nurse.pk).update(is_active=False)
    assert ana.get(reverse("all")).status_code == 302


def test_a_session_that_has_run_out_is_none(ana: Client) -> None:
    Session.objects.update(expire_date=timezone.now() - timedelta(seconds=1))
    assert ana.get(reverse("all")).status_code == 302


def test_it_is_the_session_that_says_who_it_is(clinic: Clinic, ana: Client) -> None:
    """A note that names somebody else opens nothing of theirs."""
    UserSession.objects.update(user=clinic.physician)
    page = ana.get(reverse("all")).content.decode()
    assert clinic.nurse.signature in page
    assert clinic.physician.signature not in page


def test_with_another_password_the_other_browsers_are_out(clinic: Clinic, ana: Client) -> None:
    clinic.nurse.set_password("quite another password")
    clinic.nurse.save()
    assert ana.get(reverse("all")).status_code == 302
