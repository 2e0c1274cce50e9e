"""Rules in the database that can't be read: the last good version decides, and everybody who must know is told."""

import pytest
from django.test import Client

from tests import factories as make
from tests.clinic import Clinic
from triage import actions, checks, notices
from triage.loading import compiled
from triage.models import Rule, Ruleset


@pytest.fixture
def broken(clinic: Clinic) -> Ruleset:
    """A published version that somebody damaged past the actions, with a good one before it."""
    draft = actions.start_draft(by=clinic.admin)
    published = actions.publish(ruleset=draft, by=clinic.admin, reason="the same again")
    Rule.objects.filter(ruleset=published, name="none left").update(when={"field": "request.type", "op": "?"})
    compiled.cache_clear()
    notices._is_unreadable.cache_clear()  # as after some seconds
    return published


def visitor(user: object) -> Client:
    client = Client()
    client.force_login(user)
    return client


def test_the_last_good_version_goes_on_deciding(clinic: Clinic, broken: Ruleset) -> None:
    task = clinic.task(left="none")
    assert task.decision.ruleset.number == broken.number - 1
    assert task.get_urgency_display() == "soon"


def test_staff_read_it_on_their_pages(clinic: Clinic, broken: Ruleset) -> None:
    said = "The newest rules can&#x27;t be read, so an earlier version sorts requests."
    assert said in visitor(clinic.nurse).get("/work/", follow=True).content.decode()
    assert said in visitor(make.staff("lead")).get("/work/rules/sorting/").content.decode()


def test_admins_read_which_rule_and_why(clinic: Clinic, broken: Ruleset) -> None:
    page = visitor(clinic.admin).get("/admin/triage/ruleset/").content.decode()
    assert f"Ruleset {broken.number} can&#x27;t be read" in page
    assert "none left" in page


def test_check_says_it_as_an_error(clinic: Clinic, broken: Ruleset) -> None:
    (error,) = checks.rules_decide(["default"])
    assert error.id == "triage.E001"
    assert "none left" in error.msg


def test_the_health_page_says_it_and_goes_on_serving(clinic: Clinic, broken: Ruleset) -> None:
    response = Client().get("/health/ready")
    assert response.status_code == 200
    assert "an earlier version decides" in response.content.decode()


def test_nothing_is_said_while_all_is_well(clinic: Clinic) -> None:
    assert notices.to_staff() == []
    assert checks.rules_decide(["default"]) == []
    assert Client().get("/health/ready").content == b"ok\n"


def test_a_rule_about_a_question_that_is_gone_is_a_warning(clinic: Clinic) -> None:
    when = {"field": "answer.refill.gone", "op": "answered"}
    Rule.objects.filter(ruleset__status="published", name="none left").update(when=when)
    compiled.cache_clear()
    (warning,) = checks.rules_decide(["default"])
    assert warning.id == "triage.W002"
    assert "none left" in warning.msg
    assert "There is no field “answer.refill.gone”" in warning.msg
