"""What a rule must not be, at each door: on the form, in the builder, from a file, and in `check`. Each is refused with
the rule's name and the field, and nothing of it is stored."""

from typing import Any

import pytest
from django.test import Client
from django.urls import reverse

from portal.people.policies import Refused
from queues import actions as queues
from queues import policies
from tests.clinic import Clinic
from triage import actions, checks, rules_yaml
from triage.models import Rule, Ruleset

ALWAYS = {"always": True}
TOO_DEEP: Any = ALWAYS
for _level in range(200):
    TOO_DEEP = {"not": TOO_DEEP}

WRONG: list[tuple[str, Any, str, str]] = [
    (
        "a question that is gone",
        {"field": "answer.refill.gone", "op": "answered"},
        "refills",
        "There is no field",
    ),
    ("a value of another type", {"field": "patient.age", "op": "ge", "value": "old"}, "refills", "old"),
    ("a choice that is none", {"field": "answer.refill.left", "op": "is", "value": "x"}, "refills", "x"),
    ("an empty group", {"all": []}, "refills", "at least one condition"),
    (
        "a pattern",
        {"field": "answer.refill.medicine", "op": "matches", "value": "(a+)+$"},
        "refills",
        "matches",
    ),
    ("nested too deep", TOO_DEEP, "refills", "deep"),
    ("a queue that nobody works", ALWAYS, "no-such", "No live queue has the code “no-such”"),
]
CASES = [pytest.param(when, queue, word, id=name) for name, when, queue, word in WRONG]


@pytest.fixture
def draft(clinic: Clinic) -> Ruleset:
    return actions.start_draft(by=clinic.admin)


@pytest.mark.parametrize(("when", "queue", "word"), CASES)
def test_the_form_refuses_it(clinic: Clinic, draft: Ruleset, when: Any, queue: str, word: str) -> None:
    import json

    ada = Client()
    ada.force_login(clinic.admin)
    posted = {"ruleset": draft.pk, "stage": "assignment", "position": 1, "name": "wrong", "queue": queue}
    response = ada.post(reverse("admin:triage_rule_add"), posted | {"when": json.dumps(when)})
    assert response.status_code == 200
    errors = " ".join(response.context["adminform"].form.non_field_errors())
    assert word in errors
    assert ("queue" if queue == "no-such" else "when") in errors
    assert not Rule.objects.filter(name="wrong").exists()


@pytest.mark.parametrize(("when", "queue", "word"), CASES)
def test_a_file_with_it_is_refused_and_the_draft_is_as_it_was(
    clinic: Clinic, draft: Ruleset, when: Any, queue: str, word: str
) -> None:
    import json

    before = list(draft.rules.values_list("name", "when"))
    rule = {"name": "wrong", "stage": "assignment", "when": when, "then": {"queue": queue}}
    text = f"fallback: triage\nrules:\n  - {json.dumps(rule)}\n"
    with pytest.raises(Refused) as refused:
        actions.import_draft(text=text, by=clinic.admin)
    assert word in str(refused.value)
    assert "wrong" in str(refused.value) or "line 3" in str(refused.value)
    assert list(draft.rules.values_list("name", "when")) == before


@pytest.mark.parametrize(("when", "queue", "word"), CASES)
def test_check_tells_it_of_the_published_rules(clinic: Clinic, when: Any, queue: str, word: str) -> None:
    from triage.loading import compiled

    Rule.objects.filter(name="refills to nursing").update(when=when, queue=queue)
    compiled.cache_clear()
    said = " ".join(message.msg for message in checks.rules_decide(["default"]))
    assert word in said
    assert "refills to nursing" in said


@pytest.mark.parametrize(
    "text",
    [
        "a: &a [x]\nfallback: *a\n",
        "fallback: triage\nfallback: triage\nrules: []\n",
        "fallback: triage\nrules: []\nsurprise: 1\n",
        "fallback: triage\nrules: " + "[" * 3000 + "]" * 3000,
        "fallback: triage\nrules:\n" + "  - x\n" * 2_000_000,
        "fallback: !!python/object/apply:os.system ['true']\n",
        "\x00",
    ],
    ids=["anchors", "a key twice", "an unknown key", "nesting", "megabytes", "a tag", "a null byte"],
)
def test_a_file_that_is_made_to_do_harm_is_refused(clinic: Clinic, text: str) -> None:
    with pytest.raises(Refused):
        actions.import_draft(text=text, by=clinic.admin)
    assert not Ruleset.objects.filter(status=Ruleset.Status.DRAFT).exists()


def test_ten_thousand_rules_are_refused(clinic: Clinic) -> None:
    one = "  - {name: r%d, stage: priority, when: {always: true}, then: {urgency: soon}}\n"
    text = "fallback: triage\nrules:\n" + "".join(one % n for n in range(10_000))
    with pytest.raises(Refused, match="more than 5000"):
        actions.import_draft(text=text, by=clinic.admin)


def test_a_retired_queue_is_named_with_the_rule(
    clinic: Clinic, draft: Ruleset, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(policies, "before_retire", [])  # as if it happened past the gate
    queues.retire_queue(queue=clinic.billing, by=clinic.admin)
    said = " ".join(message.msg for message in checks.rules_decide(["default"]))
    assert "billing to billing: then.queue: No live queue has the code “billing”" in said
    with pytest.raises(Refused, match="billing to billing"):
        actions.publish(ruleset=draft, by=clinic.admin, reason="x")


def test_what_is_exported_is_imported_again(clinic: Clinic, draft: Ruleset) -> None:
    rows = actions.compile_rows(draft, draft.rules.all())
    text = rules_yaml.dump(rows, ())
    again = actions.import_draft(text=text, by=clinic.admin)
    assert rules_yaml.dump(actions.compile_rows(again, again.rules.all()), ()) == text
