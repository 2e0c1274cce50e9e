"""What a patient reads about time is true: no time that has passed is promised, and none before anybody is there."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from html import unescape

import pytest
from django.test import Client
from django.urls import reverse

from audit.now import at
from intake import actions as intake
from intake.promise import promise
from queues import actions
from queues.models import Conversation
from queues.urgency import Urgency
from tests import factories as make
from tests.clinic import Clinic

MONDAY = datetime(2027, 7, 12, 14, tzinfo=UTC)  # ten in the morning at the clinic
OFFICE = {day: [["08:00", "17:00"]] for day in ("mon", "tue", "wed", "thu", "fri")}
CHEST = {"problems": "true", "problem-kind": "chest", "which": "It hurts."}


@pytest.fixture
def sent(clinic: Clinic) -> Conversation:
    """A request of ten in the morning to a queue that keeps office hours and answers within eight of them."""
    clinic.refills.calendar = make.CalendarFactory(hours=OFFICE)
    actions.save_queue(clinic.refills, by=None)
    with at(MONDAY):
        return clinic.send()


def page(clinic: Clinic, sent: Conversation, moment: datetime, name: str = "conversation") -> str:
    """The words of the box at the top."""
    client = Client(headers={"Origin": "http://testserver"})
    client.force_login(clinic.patient.user)
    with at(moment):
        html = client.get(reverse(name, args=[sent.pk])).content.decode()
    box = html.partition('class="promise')[2].partition("</span>\n  </div></div>")[0]
    return unescape(box)


def spanish(clinic: Clinic) -> None:
    user = clinic.patient.user
    assert user is not None
    user.language = "es"
    user.save()


def test_a_time_that_is_still_to_come_is_promised(clinic: Clinic, sent: Conversation) -> None:
    said = page(clinic, sent, MONDAY + timedelta(hours=1))
    assert "The nursing team answers by tomorrow, 9 a.m." in said
    assert "They are reading now." in said
    assert "late" not in said


def test_once_it_has_passed_it_says_that_we_are_late_and_whom_to_call(
    clinic: Clinic, sent: Conversation
) -> None:
    due = sent.tasks.get().respond_due
    for name in ("conversation", "sent"):
        said = page(clinic, sent, due + timedelta(minutes=1), name)
        assert "We are late with our answer" in said
        assert "had promised it by today, 9 a.m." in said
        assert clinic.facility.phone in said
        assert clinic.facility.emergency_number in said
        assert "answers by" not in said
        assert "They are reading now" not in said
    spanish(clinic)
    said = page(clinic, sent, due + timedelta(minutes=1))
    assert "Respondemos con retraso" in said
    assert "responde a más tardar" not in said
    assert "Están leyendo" not in said


def test_late_and_closed_it_names_the_other_number_and_when_somebody_is_there(
    clinic: Clinic, sent: Conversation
) -> None:
    said = page(clinic, sent, sent.tasks.get().respond_due + timedelta(hours=12))
    assert "We are late with our answer" in said
    assert "they start again tomorrow, 8 a.m." in said
    assert clinic.facility.after_hours_phone in said
    assert clinic.facility.phone not in said


def test_late_in_a_queue_that_closed_at_that_very_minute_is_late(clinic: Clinic, sent: Conversation) -> None:
    closing = datetime(2027, 7, 12, 21, tzinfo=UTC)
    sent.tasks.update(respond_due=closing, due_at=closing)
    assert "We are late" in page(clinic, sent, closing + timedelta(hours=2))


def test_answered_it_promises_nothing_more(clinic: Clinic, sent: Conversation) -> None:
    with at(MONDAY + timedelta(hours=1)):
        task = actions.claim(task=sent.tasks.get(), by=clinic.nurse)
        actions.reply(task=task, body="It is at your pharmacy.", by=clinic.nurse)
    assert page(clinic, sent, MONDAY + timedelta(hours=40)) == ""


class TestWhereNobodyIsThereAtNight:
    NIGHT = datetime(2027, 7, 13, 3, tzinfo=UTC)  # eleven in the evening

    @pytest.fixture
    def urgent(self, clinic: Clinic) -> Conversation:
        clinic.urgent.calendar = make.CalendarFactory(hours=OFFICE)
        actions.save_queue(clinic.urgent, by=None)
        with at(self.NIGHT):
            return clinic.send(**CHEST)

    def test_the_time_it_opens_is_said_and_not_promised(self, clinic: Clinic, urgent: Conversation) -> None:
        # The hour of an urgent answer passes at midnight, and that time was never said to anybody.
        for hours in (0.5, 2):
            said = page(clinic, urgent, self.NIGHT + timedelta(hours=hours))
            assert "starts to read again" in said
            assert "answers by" not in said
            assert "late" not in said
            assert "not even urgent ones" in said
            assert clinic.facility.after_hours_phone in said
        spanish(clinic)
        said = page(clinic, urgent, self.NIGHT + timedelta(hours=0.5))
        assert "vuelve a leer mañana, 08:00" in said
        assert "a más tardar" not in said

    def test_it_is_late_once_somebody_is_there(self, clinic: Clinic, urgent: Conversation) -> None:
        said = page(clinic, urgent, datetime(2027, 7, 13, 12, 30, tzinfo=UTC))
        assert "We are late" in said
        assert "is here again" in said
        assert "had promised" not in said  # the time at midnight was never said

    def test_what_was_promised_before_they_closed_stays_promised(
        self, clinic: Clinic, urgent: Conversation
    ) -> None:
        with at(datetime(2027, 7, 13, 20, 50, tzinfo=UTC)):  # ten to five
            sent = clinic.send(**CHEST)
        due = sent.tasks.get().respond_due
        assert "answers by" in page(clinic, sent, datetime(2027, 7, 13, 20, 55, tzinfo=UTC))
        assert "had promised it by" in page(clinic, sent, due + timedelta(minutes=1))

    def test_a_queue_that_never_opens_promises_nothing_urgent(
        self, clinic: Clinic, urgent: Conversation
    ) -> None:
        clinic.urgent.calendar.hours = {}
        clinic.urgent.calendar.save()
        for hours in (0.5, 40):
            said = page(clinic, urgent, self.NIGHT + timedelta(hours=hours))
            assert said.count("Nobody reads messages right now.") == 1
            assert "answers by" not in said
            assert clinic.facility.after_hours_phone in said

    def test_the_same_is_said_before_it_is_sent(self, clinic: Clinic, urgent: Conversation) -> None:
        with at(self.NIGHT):
            told = promise(clinic.urgent, clinic.patient, urgency=Urgency.URGENT)
            assert told.headline == "The urgent team starts to read again tomorrow, 8 a.m."


def test_a_queue_that_never_opens_again_says_no_time(clinic: Clinic, sent: Conversation) -> None:
    clinic.refills.calendar.hours = {day: [] for day in OFFICE}
    clinic.refills.calendar.save()
    said = page(clinic, sent, MONDAY + timedelta(hours=1))
    assert "Nobody reads messages right now." in said
    assert "start again" not in said
    assert clinic.facility.after_hours_phone in said


def test_a_time_that_ends_in_a_stop_ends_its_sentence_with_one(clinic: Clinic, sent: Conversation) -> None:
    night = page(clinic, sent, MONDAY + timedelta(hours=8))
    assert "they start again tomorrow, 8 a.m. If it can't wait" in night
    with at(MONDAY + timedelta(hours=1)):
        task = actions.claim(task=sent.tasks.get(), by=clinic.nurse)
        actions.ask_back(task=task, question="Which?", by=clinic.nurse)
    with at(MONDAY + timedelta(hours=2)):
        intake.write(conversation=sent, body="Invoice 7.", by=clinic.patient.user)
    line = sent.messages.filter(author=None).latest("pk").body
    assert line.endswith("a.m.")
    assert not line.endswith("..")
