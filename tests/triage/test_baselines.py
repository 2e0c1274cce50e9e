"""What a baseline would have done with requests, kept beside them for the figures."""

from __future__ import annotations

import pytest
from django_q.models import Schedule

from queues import actions as queues
from queues.models import FormerRouting, MeasureCell, MeasureMark
from tests.clinic import Clinic
from triage import actions, baselines, tasks
from triage.models import Rule, Ruleset

EVERYTHING = [{"name": "all", "stage": "assignment", "when": {"always": True}, "queue": "physician"}]
BY_DESK = [
    {
        "name": "billing to billing",
        "stage": "assignment",
        "when": {"field": "request.type", "op": "is", "value": "billing"},
        "queue": "billing",
    },
    *EVERYTHING,
]


def baseline(clinic: Clinic, rules: list, note: str) -> Ruleset:
    draft = actions.start_draft(by=clinic.admin)
    draft.rules.all().delete()
    for number, rule in enumerate(rules):
        actions.save_rule(Rule(ruleset=draft, position=number, **rule), by=clinic.admin)
    return actions.keep_baseline(ruleset=draft, by=clinic.admin, reason=note)


def whole() -> dict[str, int]:
    return MeasureCell.objects.get(grain="month", cut="all", place=0).counts


def test_what_comes_in_is_asked_of_each_baseline_when_it_is_counted(clinic: Clinic) -> None:
    doctor = baseline(clinic, EVERYTHING, "Everything to the doctor.")
    desk = baseline(clinic, BY_DESK, "Bills to the desk.")
    clinic.send("refill")
    clinic.send("billing")
    assert tasks.count_changes() > 0
    assert FormerRouting.objects.count() == 4
    found = whole()
    assert (found["routed"], found.get("reached", 0)) == (2, 0)
    assert (found[f"former:{doctor.pk}"], found[f"former:{desk.pk}"], found[f"known:{desk.pk}"]) == (2, 1, 2)


def test_a_new_baseline_is_asked_about_the_past(clinic: Clinic, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(baselines, "BATCH", 2)
    for _each in range(5):
        clinic.send("refill")
    tasks.count_changes()
    doctor = baseline(clinic, EVERYTHING, "Everything to the doctor.")
    tasks.route_past(doctor.pk)
    tasks.route_past(doctor.pk)  # twice is as good as once
    assert FormerRouting.objects.filter(baseline=doctor).count() == 5
    assert MeasureMark.objects.exists()
    tasks.count_changes()
    assert whole()[f"former:{doctor.pk}"] == 5


def test_a_part_that_was_split_off_is_no_message(clinic: Clinic) -> None:
    doctor = baseline(clinic, EVERYTHING, "Everything to the doctor.")
    task = queues.claim(task=clinic.task(), by=clinic.nurse)
    queues.split(task=task, queue=clinic.billing, title="The bill", by=clinic.nurse)
    tasks.count_changes()
    assert FormerRouting.objects.filter(baseline=doctor).count() == 1
    assert (whole()["tasks"], whole()["routed"]) == (2, 1)


def test_a_worker_counts_every_minute(db: None) -> None:
    assert Schedule.objects.get(func="triage.tasks.count_changes").minutes == 1


def test_a_baseline_that_cannot_be_read_stops_nothing(
    clinic: Clinic, caplog: pytest.LogCaptureFixture
) -> None:
    broken = baseline(clinic, EVERYTHING, "Everything to the doctor.")
    broken.rules.update(when={"broken": 1})
    clinic.send("refill")
    tasks.count_changes()
    assert whole()["tasks"] == 1
    assert not FormerRouting.objects.exists()
    assert "can't be read" in caplog.text
