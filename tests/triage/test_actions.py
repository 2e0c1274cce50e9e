"""The life of a ruleset, and why intake never stops for one."""

import pytest
from django.core.exceptions import ValidationError
from django.db import IntegrityError, transaction

from portal.people.policies import Refused
from tests.clinic import Clinic
from triage import actions, explain
from triage.models import Decision, Rule, Ruleset

ANYTHING = {"always": True}


def test_a_draft_copies_the_published_rules_and_changes_nothing_until_it_is_published(clinic: Clinic) -> None:
    draft = actions.start_draft(by=clinic.admin)
    assert list(draft.rules.values_list("name", flat=True)) == list(
        Ruleset.objects.published().get().rules.values_list("name", flat=True)
    )
    rule = draft.rules.get(name="refills to nursing")
    rule.queue = "triage"
    actions.save_rule(rule, by=clinic.admin)
    assert clinic.task().queue == clinic.refills
    actions.publish(ruleset=draft, by=clinic.admin, reason="Refills go to triage this week.")
    assert clinic.task().queue == clinic.triage


def test_the_same_facts_under_the_same_ruleset_give_the_same_decision(clinic: Clinic) -> None:
    facts = Decision.objects.get(submission=clinic.send().submission).facts
    again = [actions.preview(facts) for _ in range(3)]
    assert again[0] == again[1] == again[2]


def test_a_published_ruleset_cannot_be_edited(clinic: Clinic) -> None:
    rule = Ruleset.objects.published().get().rules.first()
    rule.urgency = "urgent"
    with pytest.raises(Refused, match="Start a draft"):
        actions.save_rule(rule, by=clinic.admin)


def test_there_is_one_draft_and_one_published_ruleset(clinic: Clinic) -> None:
    actions.start_draft(by=clinic.admin)
    with pytest.raises(Refused, match="a draft already"):
        actions.start_draft(by=clinic.admin)
    with pytest.raises(IntegrityError), transaction.atomic():
        Ruleset.objects.filter(status="draft").update(status="published", published_at="2026-01-01T00:00Z")


@pytest.mark.parametrize(
    ("change", "sentence"),
    [
        ({"queue": "nowhere"}, "No live queue has the code “nowhere”"),
        ({"when": {"field": "answer.refill.left", "op": "resembles", "value": "none"}}, "resembles"),
        ({"when": {"all": []}}, "refills to nursing"),
    ],
)
def test_a_rule_that_cannot_work_is_named_when_publishing(
    clinic: Clinic, change: dict, sentence: str
) -> None:
    draft = actions.start_draft(by=clinic.admin)
    rule = draft.rules.get(name="refills to nursing")
    for name, value in change.items():
        setattr(rule, name, value)
    actions.save_rule(rule, by=clinic.admin)
    with pytest.raises(Refused, match=sentence):
        actions.publish(ruleset=draft, by=clinic.admin, reason="try")


def test_publishing_needs_a_reason(clinic: Clinic) -> None:
    with pytest.raises(Refused, match="Say why"):
        actions.publish(ruleset=actions.start_draft(by=clinic.admin), by=clinic.admin, reason=" ")


def test_a_ruleset_that_no_longer_loads_never_stops_intake(clinic: Clinic) -> None:
    draft = actions.start_draft(by=clinic.admin)
    published = actions.publish(ruleset=draft, by=clinic.admin, reason="the same again")
    Rule.objects.filter(ruleset=published).update(when={"broken": 1})
    actions.compiled.cache_clear()
    task = clinic.task()
    assert task.queue == clinic.refills
    assert task.decision.ruleset != published


def test_two_rules_with_one_name_are_refused(clinic: Clinic) -> None:
    draft = actions.start_draft(by=clinic.admin)
    with pytest.raises(ValidationError, match="has this name"):
        actions.save_rule(
            Rule(ruleset=draft, name="red flag", stage="safety", when=ANYTHING, urgency="soon"),
            by=clinic.admin,
        )


def test_a_decision_is_explained_in_sentences(clinic: Clinic) -> None:
    task = clinic.task(left="none")
    assert "soon" in " ".join(task.why)
    lines = {line.name: line for line in explain.kept(task.decision).lines}
    assert lines["none left"].fired
    assert lines["billing to billing"].reason == "Not tried: “refills to nursing” had settled it."
    assert "here it was: no" in lines["red flag"].reason


def test_later_words_of_the_patient_only_raise(clinic: Clinic) -> None:
    from intake import actions as intake
    from queues import actions as queues
    from queues.urgency import Urgency

    task = clinic.task("billing")
    queues.claim(task=task, by=clinic.biller)
    queues.resolve(task=task, outcome=clinic.done, by=clinic.biller)
    intake.write(
        conversation=task.conversation,
        body="Now I have crushing chest pain and can't breathe",
        by=clinic.patient.user,
    )
    task.refresh_from_db()
    assert (task.state, task.queue, task.urgency) == ("open", clinic.urgent, Urgency.URGENT)
    assert task.flags
    intake.write(conversation=task.conversation, body="Never mind, thanks.", by=clinic.patient.user)
    task.refresh_from_db()
    assert (task.urgency, task.floor) == (Urgency.URGENT, Urgency.URGENT)
