"""The pages of measures: who sees which figures, what they say, their files, and what is not shown."""

from __future__ import annotations

import csv
import io
import re
from collections import Counter
from datetime import UTC, date, datetime, timedelta
from html import unescape
from typing import Any
from zoneinfo import ZoneInfo

import pytest

from audit.models import Event
from audit.now import at, now
from portal.people import actions as people
from portal.people.models import User
from queues import actions
from queues.measures import report
from queues.measures.figures import Figures
from queues.models import MeasureCell
from tests import factories as make
from tests.clinic import Clinic
from tests.queues.test_pages import client_of

MONDAY = datetime(2026, 3, 2, 10, 0, tzinfo=ZoneInfo("America/New_York"))


@pytest.fixture
def lead(clinic: Clinic) -> User:
    return make.staff("lead", facility=clinic.facility, name="Lia Lead", email="lead@example.org")


@pytest.fixture
def central(clinic: Clinic) -> User:
    return make.staff("lead", name="Cleo Central", email="central@example.org")


@pytest.fixture
def worked(clinic: Clinic) -> None:
    """Three requests of this month: one answered and ended, one asked of a physician, one that lies."""
    for act in (finish, ask, lambda _clinic, _task: None):
        act(clinic, clinic.task())
    actions.count_changes()


def finish(clinic: Clinic, task: Any) -> None:
    task = actions.claim(task=task, by=clinic.nurse)
    actions.resolve(task=task, outcome=clinic.done, by=clinic.nurse, body="Done.", minutes_spent=5)


def ask(clinic: Clinic, task: Any) -> None:
    task = actions.claim(task=task, by=clinic.nurse)
    actions.escalate(task=task, situation="So.", question="What now?", by=clinic.nurse)


def rows(user: User, table: str, address: str = "/measures/", **query: str) -> list[dict[str, str]]:
    answer = client_of(user).get(address, {"csv": table, **query})
    assert answer["Content-Type"].startswith("text/csv")
    return list(csv.DictReader(io.StringIO(answer.content.decode())))


class TestWhoSees:
    def test_only_those_who_lead_and_administrators(self, clinic: Clinic, lead: User) -> None:
        for user in (clinic.nurse, clinic.physician, clinic.biller, clinic.patient.user):
            for address in ("/measures/", "/measures/fairness/"):
                assert client_of(user).get(address).status_code == 404
        assert client_of(lead).get("/measures/").status_code == 200
        assert client_of(clinic.admin).get("/measures/").status_code == 200

    def test_a_lead_sees_no_other_place(
        self, clinic: Clinic, lead: User, central: User, worked: None
    ) -> None:
        other = make.FacilityFactory(code="hillside", name="Hillside")
        patient = make.PatientFactory(facility=other)
        clinic.patient = patient
        clinic.send("billing")
        actions.count_changes()
        assert [row["facility"] for row in rows(lead, "facility")] == ["Lakeside Clinic", "all"]
        assert rows(lead, "role", place=str(other.pk))[-1]["requests"] == "3"
        assert {row["facility"]: row["requests"] for row in rows(central, "facility")} == {
            "Lakeside Clinic": "3", "Hillside": "1", "all": "4",
        }  # fmt: skip
        assert rows(central, "role", place=str(other.pk))[-1]["requests"] == "1"

    def test_who_leads_two_places_sees_both_and_no_third(
        self, clinic: Clinic, lead: User, worked: None
    ) -> None:
        second, third = (make.FacilityFactory(code=code, name=code) for code in ("second", "third"))
        people.assign_role(user=lead, role="lead", facility=second, by=None)
        for place in (second, third):
            clinic.patient = make.PatientFactory(facility=place)
            clinic.send("billing")
        actions.count_changes()
        assert rows(lead, "role")[-1]["requests"] == "4"
        assert {row["facility"] for row in rows(lead, "facility")} == {"Lakeside Clinic", "second", "all"}

    def test_a_role_that_has_ended_shows_nothing(self, clinic: Clinic, lead: User) -> None:
        lead.staff_roles.update(
            since=now().date() - timedelta(days=9), until=now().date() - timedelta(days=1)
        )
        assert client_of(lead).get("/measures/").status_code == 404

    def test_a_look_is_in_the_trail(self, clinic: Clinic, lead: User) -> None:
        rows(lead, "people")
        event = Event.objects.filter(action="queues.measures.read").latest("pk")
        assert (event.agent, event.detail["table"], event.detail["file"], event.patient_ids) == (
            lead, "people", True, [],
        )  # fmt: skip


class TestWhatItSays:
    def test_the_page_holds_what_was_done(self, clinic: Clinic, lead: User, worked: None) -> None:
        answer = client_of(lead).get("/measures/")
        said = answer.content.decode()
        assert answer.context["requests"] == 3
        assert str(answer.context["physician"]) == "33.3 %"
        (everything,) = answer.context["baselines"]
        assert (str(everything.then), str(everything.reduction)) == ("100.0 %", "66.7 %")
        for words in ("Everything to the doctor", "Ana Ruiz, RN", "Done", "Back within 7 days"):
            assert words in said

    def test_every_table_is_a_file_too(self, clinic: Clinic, lead: User, worked: None) -> None:
        (refills, total) = rows(lead, "queue")
        assert (refills["queue"], refills["place"]) == (clinic.refills.name, str(clinic.refills.place))
        assert (refills["requests"], refills["answers_kept"], refills["escalated"]) == ("3", "1.0", "0.3333")
        assert float(refills["answer_median"]) == 0
        assert total["queue"] == "all"
        assert [row["requests"] for row in rows(lead, "weeks") if row["requests"] != "0"] == ["3"]
        assert rows(lead, "baselines")[0]["reduction"] == "0.6667"
        assert rows(lead, "outcomes") == [{"outcome": "Done", "requests": "1", "share": "1.0"}]
        nurse = next(row for row in rows(lead, "people") if row["person"].startswith("Ana"))
        assert (nurse["tasks"], nurse["resolved"], nurse["minutes"]) == ("2", "1", "5")
        assert client_of(lead).get("/measures/?csv=passwords").status_code == 404

    def test_an_empty_time_says_so(self, clinic: Clinic, lead: User) -> None:
        assert "Nothing came in in this time" in client_of(lead).get("/measures/").content.decode()
        assert (
            "Nothing came in in this quarter" in client_of(lead).get("/measures/fairness/").content.decode()
        )

    def test_what_is_not_counted_yet_is_told(self, clinic: Clinic, lead: User, worked: None) -> None:
        assert "not counted yet" not in client_of(lead).get("/measures/").content.decode()
        clinic.task()
        assert (
            "1 change of the last minute is not counted yet."
            in client_of(lead).get("/measures/").content.decode()
        )

    @pytest.mark.parametrize(
        "query",
        ["from=x&to=9999-99", "from=2026-13", "place=%00", "place=-1", "by=nothing", "quarter=0000-9"],
    )
    def test_a_strange_address_shows_the_usual(self, clinic: Clinic, lead: User, query: str) -> None:
        for address in ("/measures/", "/measures/fairness/"):
            assert client_of(lead).get(f"{address}?{query}").status_code == 200

    def test_a_name_is_no_formula(self, clinic: Clinic, lead: User, worked: None) -> None:
        User.objects.filter(pk=clinic.nurse.pk).update(name="=1+1")
        assert any(row["person"].startswith("'=1+1") for row in rows(lead, "people"))

    def test_as_many_statements_for_one_request_as_for_many(
        self, clinic: Clinic, lead: User, worked: None, django_assert_max_num_queries: Any
    ) -> None:
        client = client_of(lead)
        client.get("/measures/")
        for _each in range(5):
            clinic.task()
        actions.count_changes()
        with django_assert_max_num_queries(18):
            client.get("/measures/?by=queue")


class TestPeriods:
    def test_whole_months_back_from_this_one(self) -> None:
        with at(MONDAY):
            assert report.Period.of() == report.Period(date(2026, 1, 1), date(2026, 3, 1))
            assert report.Period.of("2025-11", "2026-02").months == [
                date(2025, 11, 1), date(2025, 12, 1), date(2026, 1, 1), date(2026, 2, 1),
            ]  # fmt: skip
            assert report.Period.of("2026-02", "2025-11") == report.Period(
                date(2025, 11, 1), date(2025, 11, 1)
            )
            assert report.Period.of("2026-01", "2031-01").last == date(2026, 3, 1)
            assert report.Period.of("1990-01", "2026-01").first == date(2024, 4, 1)

    def test_quarters_do_not_overlap(self) -> None:
        with at(MONDAY):
            this = report.Quarter.of("")
            assert (this.code, this.before.code) == ("2026-1", "2025-4")
            assert report.Quarter.of("2026-2") == this  # it has not begun
            assert this.before.period.last < this.period.first


class TestSmallGroups:
    def test_the_page_and_the_file_hide_the_same(self, clinic: Clinic, central: User) -> None:
        other = make.FacilityFactory(code="hillside", name="Hillside")
        for place, language, number in (
            (clinic.facility, "en", 12), (clinic.facility, "es", 3), (other, "en", 14), (other, "es", 12),
        ):  # fmt: skip
            clinic.patient = make.PatientFactory(facility=place, language=language)
            for _each in range(number):
                clinic.send("billing")
        while actions.count_changes():
            pass
        found = {
            (row["Facility"], row["Language"]): row["Requests"]
            for row in rows(central, "1", "/measures/fairness/")
        }
        assert found["all", "all"] == "41"
        small = "fewer than 11, or hidden with them"
        # The three, and with them what would give them away by subtraction.
        assert found["Lakeside Clinic", "Español"] == found["Lakeside Clinic", "English"] == small
        assert found["Hillside", "Español"] == found["Hillside", "English"] == small
        assert found["Lakeside Clinic", "all"] == "15"
        page = client_of(central).get("/measures/fairness/").content.decode()
        assert page.count(small) == 4

    def test_nothing_of_a_hidden_group_is_told(self, clinic: Clinic, lead: User, worked: None) -> None:
        (row, *_rest) = rows(lead, "1", "/measures/fairness/")
        assert [row[name] for name in ("First answer", "In time", "Physician", "Late")] == ["–"] * 4


def test_waits_are_told_by_the_middle_of_their_span() -> None:
    figures = Figures(Counter({"answer:5": 3, "answer:90": 1, "answer:6000": 1, "answered": 5}))
    assert str(figures.wait("answer", 0.5)) == "5 min"
    assert str(figures.wait("answer", 0.8)) == "1.5 h"
    assert str(figures.wait("answer", 1)).endswith("days")
    assert str(figures.wait("end", 0.5)) == "–"


def test_the_week_chart_ends_with_this_week(clinic: Clinic) -> None:
    here = report.Scope((clinic.facility,), everywhere=False, chosen=clinic.facility)
    with at(datetime(2026, 3, 18, 12, tzinfo=UTC)):
        shown = [week.start for week in report.weeks(here, report.Period.of("2026-03", "2026-03"))]
    assert shown == [date(2026, 2, 23), date(2026, 3, 2), date(2026, 3, 9), date(2026, 3, 16)]


def test_a_table_of_hundreds_shows_those_with_most_and_all_when_asked(
    clinic: Clinic, worked: None, central: User
) -> None:
    start = now().date().replace(day=1)
    for number in range(1, 53):
        MeasureCell.objects.create(
            code=f"month|type|{number}",
            grain=MeasureCell.Grain.MONTH,
            start=start,
            place=0,
            cut=MeasureCell.Cut.TYPE,
            key=f"kind-{number:03}",
            counts={"tasks": 1000 + number},
        )
    page = client_of(central).get("/measures/?by=type").content.decode()
    assert "The 50 with most requests, of 53." in page
    assert "Kind 052" in page
    assert "Kind 002" not in page
    address = re.search(r'href="([^"]+)">Show all', page)
    assert address is not None
    whole = client_of(central).get("/measures/" + unescape(address[1]).partition("#")[0]).content.decode()
    assert "Kind 002" in whole
    assert "Show all" not in whole
    assert len(rows(central, "type")) == 54  # with the sum
