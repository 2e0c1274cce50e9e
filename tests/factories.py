"""Rows for tests, made by walking the real actions."""

from __future__ import annotations

import itertools
from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from datetime import date
from typing import Any
from zoneinfo import ZoneInfo

import factory
from allauth.usersessions.models import UserSession
from django.conf import settings
from django.test import Client

from audit.now import now
from intake import actions as intake
from intake.models import Questionnaire, RequestType
from portal.people import actions as people
from portal.people.models import Calendar, Facility, Patient, User
from queues import actions as queues
from queues.models import Outcome, Queue
from triage import actions as triage
from triage.models import Rule, Ruleset

numbers = itertools.count(1)
DAY = [["00:00", "24:00"]]
ALWAYS = dict.fromkeys(("mon", "tue", "wed", "thu", "fri", "sat", "sun"), DAY)


# Where the places are that a test makes without saying so.
zone: ContextVar[str] = ContextVar("zone", default="America/New_York")


@contextmanager
def where_it_is_day() -> Iterator[None]:
    """Places that are made inside of this have between six in the morning and six in the evening now, whenever the
    tests run: what is due in half an hour there is due today."""
    zones = ("America/New_York", "Europe/Athens", "Asia/Tokyo")
    token = zone.set(next(each for each in zones if 6 <= now().astimezone(ZoneInfo(each)).hour < 18))
    try:
        yield
    finally:
        zone.reset(token)


class CalendarFactory(factory.django.DjangoModelFactory):
    class Meta:
        model = Calendar

    name = factory.Sequence(lambda n: f"Calendar {n}")
    time_zone = factory.LazyFunction(zone.get)
    hours = ALWAYS


class FacilityFactory(factory.django.DjangoModelFactory):
    class Meta:
        model = Facility

    code = factory.Sequence(lambda n: f"place-{n}")
    name = factory.Sequence(lambda n: f"Place {n}")
    calendar = factory.SubFactory(CalendarFactory)
    phone = "555-0100"
    after_hours_phone = "555-0199"


class UserFactory(factory.Factory):
    class Meta:
        model = User

    email = factory.Sequence(lambda n: f"person{n}@example.org")
    name = factory.Sequence(lambda n: f"Person {n}")

    @classmethod
    def _create(cls, model_class: Any, *args: Any, **kwargs: Any) -> User:
        return people.add_user(by=None, **kwargs)


class PatientFactory(factory.Factory):
    """A patient with a log-in of their own."""

    class Meta:
        model = Patient

    given_name = "Maya"
    family_name = factory.Sequence(lambda n: f"Ortiz{n}")
    birth_date = date(1980, 3, 4)
    facility = factory.SubFactory(FacilityFactory)
    user = factory.SubFactory(UserFactory)
    record_number = factory.Sequence(lambda n: f"00-{n:05d}")

    @classmethod
    def _create(cls, model_class: Any, *args: Any, **kwargs: Any) -> Patient:
        return people.register_patient(by=None, **kwargs)


def staff(
    role: str, *, facility: Facility | None = None, queues_worked: tuple[Queue, ...] = (), **kwargs: Any
) -> User:
    """Somebody who works here in this role, and in these queues."""
    user = UserFactory(**kwargs)
    people.assign_role(user=user, role=role, facility=facility, by=None)
    for queue in queues_worked:
        queues.set_members(queue=queue, people=[*queue.members.user_set.all(), user], by=None)
    return user


def queue(code: str, role: str = "nurse", *, facility: Facility | None = None, **kwargs: Any) -> Queue:
    """A live queue, open round the clock unless a calendar is given."""
    return queues.save_queue(
        Queue(
            code=code,
            name=kwargs.pop("name", code.capitalize()),
            team=kwargs.pop("team", f"the {code} team"),
            role=role,
            facility=facility,
            calendar=kwargs.pop("calendar", None) or CalendarFactory(),
            **kwargs,
        ),
        by=None,
    )


def outcome(code: str = "done", *roles: str) -> Outcome:
    return Outcome.objects.create(
        code=code,
        label=code.capitalize(),
        patient_text=f"Result: {code}",
        roles=list(roles) or ["nurse", "billing", "physician", "front-desk"],
    )


def ruleset(*rules: dict[str, Any], by: User) -> Ruleset:
    """A published ruleset of these rules, approved by a lead; the fallback queue must exist."""
    draft = triage.start_draft(by=by)
    for number, rule in enumerate(rules):
        triage.save_rule(
            Rule(**{"ruleset": draft, "position": number, "name": f"rule {number}"} | rule), by=by
        )
    triage.approve(ruleset=draft, by=staff("lead"))
    return triage.publish(ruleset=draft, by=by, reason="for the test")


def request_type(code: str, resource: dict[str, Any], **kwargs: Any) -> RequestType:
    questionnaire = Questionnaire.objects.create(code=code, title=code.capitalize())
    row = RequestType(
        code=code,
        name=kwargs.pop("name", code.capitalize()),
        description=f"About {code}",
        questionnaire=questionnaire,
        **kwargs,
    )
    intake.save_request_type(row, by=None)
    intake.publish_version(questionnaire=questionnaire, resource=resource, by=None)
    return row


def log_in(client: Client, user: User) -> Client:
    """A browser in which this person is logged in, as allauth leaves it: it notes whose session that is."""
    client.force_login(user, settings.AUTHENTICATION_BACKENDS[0])
    UserSession.objects.create(user=user, session_key=client.session.session_key, ip="127.0.0.1")
    return client
