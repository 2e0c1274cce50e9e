"""Expected lateness of a replay: the past's own rates, in proportion to the load."""

from datetime import timedelta

from audit.now import at, now
from queues import actions as queues
from queues.models import Task
from tests.clinic import Clinic
from triage import actions, lateness, replay
from triage.models import Replay, Rule


def test_more_requests_for_the_same_people_are_late_in_proportion() -> None:
    known = {("refills", 1): 0.1, ("", 1): 0.2}
    found = lateness.expected({("refills", 1): 100}, {("refills", 1): 150}, known)
    assert found == {"refills": [10.0, 22.5]}


def test_a_kind_of_request_that_a_queue_never_had_is_as_late_as_elsewhere() -> None:
    known = {("", 2): 0.5}
    assert lateness.expected({}, {("triage", 2): 10}, known) == {"triage": [0.0, 5.0]}


def test_no_queue_is_more_than_all_late() -> None:
    known = {("refills", 1): 0.9, ("", 1): 0.9}
    assert lateness.expected({("refills", 1): 1}, {("refills", 1): 10}, known)["refills"] == [0.9, 10.0]


def test_the_rates_are_those_of_the_same_days(clinic: Clinic) -> None:
    moment = now()
    late, timely = clinic.task(), clinic.task()
    for task, hours in ((timely, 1), (late, 20)):
        with at(moment + timedelta(hours=hours)):
            queues.claim(task=task, by=clinic.nurse)
            queues.reply(task=task, body="It is ready.", by=clinic.nurse)
    known = lateness.rates(moment - timedelta(days=1), moment + timedelta(days=1))
    assert known["refills", 1] == 0.5
    assert Task.objects.count() == 2


def test_a_replay_tells_it_for_each_queue(clinic: Clinic) -> None:
    clinic.task()
    draft = actions.start_draft(by=clinic.admin)
    when = {"field": "request.type", "op": "is", "value": "refill"}
    actions.save_rule(
        Rule(ruleset=draft, stage="assignment", position=1, name="first", when=when, queue="triage"),
        by=clinic.admin,
    )
    row = actions.start_replay(ruleset=draft, days=7, by=clinic.admin, in_worker=False)
    assert replay.advance(row.pk, seconds=30)
    result = Replay.objects.get(pk=row.pk).result
    assert set(result["late"]) == {"refills", "triage"}
    assert result["load"] == {"refills": [1, 0], "triage": [0, 1]}
