"""The rules on the command line: out to a file and back, proven, replayed."""

import json
from io import StringIO
from pathlib import Path
from typing import Any

import pytest
from django.core.management import call_command
from django.core.management.base import CommandError

from tests.clinic import Clinic
from triage import actions
from triage.models import Promise, Rule, Ruleset


def run(*args: Any) -> str:
    out = StringIO()
    call_command(*map(str, args), stdout=out)
    return out.getvalue()


def proves(*args: Any) -> tuple[int, dict[str, Any]]:
    out = StringIO()
    try:
        call_command("prove", *map(str, args), "--json", stdout=out)
    except SystemExit as stopped:
        return int(str(stopped.code)), json.loads(out.getvalue())
    return 0, json.loads(out.getvalue())


@pytest.fixture
def rich(clinic: Clinic) -> Ruleset:
    """A draft with everything that a rule can say."""
    draft = actions.start_draft(by=clinic.admin)
    rule = Rule(
        ruleset=draft,
        name="everything",
        stage="safety",
        position=5,
        when={"not": {"all": [{"field": "patient.age", "op": "lt", "value": 200}, {"always": True}]}},
        queue="urgent",
        urgency="soon",
        respond_within=30,
        tags=["one", "two"],
        advice="Rest.\nDrink water: yes.",
        protocol="p-1",
        ask_back="Since when?\nno",
        note="A note\nof two lines.",
    )
    actions.save_rule(rule, by=clinic.admin)
    promise = Promise(
        ruleset=draft,
        name="Refills stay with clinicians",
        whenever={"field": "request.type", "op": "is", "value": "refill"},
        never={"field": "decision.queue", "op": "not_in", "value": ["@clinical"]},
        note="Because.",
    )
    actions.save_promise(promise, by=clinic.admin)
    return draft


def test_rules_go_out_and_come_back_exactly(clinic: Clinic, rich: Ruleset, tmp_path: Path) -> None:
    file, again = tmp_path / "rules.yaml", tmp_path / "again.yaml"
    run("rules", "export", "--draft", file)
    before = [rule.as_data() for rule in rich.rules.all()]
    Rule.objects.filter(ruleset=rich, name="all else").delete()
    run("rules", "import", "--draft", "--by", clinic.admin.email, file)
    run("rules", "export", "--draft", again)
    assert again.read_bytes() == file.read_bytes()
    assert [rule.as_data() for rule in Ruleset.objects.get(status="draft").rules.all()] == before


def test_a_file_becomes_a_draft_and_decides_nothing_yet(clinic: Clinic, tmp_path: Path) -> None:
    file = tmp_path / "rules.yaml"
    run("rules", "export", file)
    assert "Ruleset 2 is a draft" in run("rules", "import", file)
    with pytest.raises(CommandError, match="a draft already"):
        run("rules", "import", file)
    assert Ruleset.objects.published().get().number == 1


def test_a_file_with_a_mistake_changes_nothing(clinic: Clinic, rich: Ruleset, tmp_path: Path) -> None:
    file, before = tmp_path / "rules.yaml", list(rich.rules.values_list("pk", flat=True))
    file.write_text(
        "fallback: triage\nrules:\n- {name: a, stage: safety, when: {always: true}, then: {urgency: now}}\n"
    )
    with pytest.raises(CommandError, match="a: then.urgency: The urgency is one of"):
        run("rules", "import", "--draft", file)
    assert list(rich.rules.values_list("pk", flat=True)) == before


def test_prove_says_what_fails_and_exits_with_1(clinic: Clinic, rich: Ruleset, tmp_path: Path) -> None:
    status, told = proves("--draft", rich.number)
    assert status == 1
    assert [one["name"] for one in told["findings"] if one["verdict"] != "proven"] == ["everything"]
    actions.remove_rule(rich.rules.get(name="everything"), by=clinic.admin)
    assert proves()[0] == 0
    file = tmp_path / "rules.yaml"
    run("rules", "export", "--draft", file)
    assert proves("--file", file)[0] == 0
    file.write_text(
        file.read_text().replace("refills\n", "nowhere\n").replace("queue: refills", "queue: nowhere")
    )
    status, told = proves("--file", file)
    assert (status, told["problems"]) == (
        1,
        ["refills to nursing: then.queue: No live queue has the code “nowhere”."],
    )


def test_replay_prints_what_would_change(clinic: Clinic) -> None:
    clinic.send()
    draft = actions.start_draft(by=clinic.admin)
    rule = draft.rules.get(name="refills to nursing")
    rule.queue = "physician"
    actions.save_rule(rule, by=clinic.admin)
    told = json.loads(run("replay", "--draft", draft.number, "--days", 90, "--json"))
    assert told["moves"] == [["refills", "physician", 1]]
    assert "refills → physician: 1" in run("replay")
