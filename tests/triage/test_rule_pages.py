"""The pages around rules: what an admin and a clinician see and do before a draft decides."""

import json
from typing import Any

import pytest
from django.http import QueryDict
from django.test import Client
from django.urls import reverse
from hypothesis import given, settings

from audit.models import Event
from tests import factories as make
from tests.clinic import Clinic
from tests.triage import rule_cases as cases
from triage import actions, builder, conditions, tasks
from triage.conditions import Group
from triage.conditions import Test as OneTest
from triage.fields import built_in
from triage.models import LostFlag, Promise, Replay, Ruleset

REFILL = {"field": "request.type", "op": "is", "value": "refill"}


@pytest.fixture
def draft(clinic: Clinic) -> Ruleset:
    return actions.start_draft(by=clinic.admin)


@pytest.fixture
def ada(clinic: Clinic) -> Client:
    client = Client()
    client.force_login(clinic.admin)
    return client


@pytest.fixture
def doctor(clinic: Clinic) -> Client:
    client = Client()
    client.force_login(clinic.physician)
    return client


def page(client: Client, name: str, *args: Any) -> str:
    response = client.get(reverse(name, args=args))
    assert response.status_code == 200
    return response.content.decode()


def test_a_counter_example_opens_its_trace(ada: Client, clinic: Clinic, draft: Ruleset) -> None:
    actions.remove_rule(draft.rules.get(name="red flag"), by=clinic.admin)
    tasks.prove(draft.pk)
    html = page(ada, "admin:triage_ruleset_change", draft.pk)
    assert "“An emergency is urgent and stays so” is broken by this request" in html
    proof = draft.proofs.get()
    n = next(
        n
        for n, one in enumerate(proof.report["findings"])
        if one["name"].startswith("An emergency is urgent")
    )
    url = reverse("admin:triage_ruleset_example", args=[draft.pk, proof.pk, "findings", n])
    assert url in html
    html = ada.get(url).content.decode()
    assert "emergency found in the text" in html
    assert "notice shown" in html
    assert "Queue <b>triage</b>" in html


def test_the_publish_page_asks_for_a_proof_and_says_what_is_missing(
    ada: Client, clinic: Clinic, draft: Ruleset
) -> None:
    html = page(ada, "admin:triage_ruleset_publish", draft.pk)
    assert "being worked out" in html
    tasks.prove(draft.pk)
    html = page(ada, "admin:triage_ruleset_publish", draft.pk)
    assert "It can be published" in html


def test_a_draft_is_compared_field_by_field_and_by_what_it_decides(
    ada: Client, clinic: Clinic, draft: Ruleset
) -> None:
    rule = draft.rules.get(name="refills to nursing")
    rule.queue = "triage"
    actions.save_rule(rule, by=clinic.admin)
    html = page(ada, "admin:triage_ruleset_compare", draft.pk)
    assert '“refills to nursing” <span class="chip">changed</span>' in html
    assert "Queue changes from refills to triage" in html


def test_a_stale_rule_form_is_told_who_was_first(ada: Client, clinic: Clinic, draft: Ruleset) -> None:
    rule = draft.rules.get(name="none left")
    form = {
        "ruleset": draft.pk,
        "stage": rule.stage,
        "position": rule.position,
        "name": rule.name,
        "when": json.dumps(rule.when),
        "urgency": "urgent",
        "seen": rule.version,
    }
    rule.note = "first"
    actions.save_rule(rule, by=clinic.physician)
    html = ada.post(reverse("admin:triage_rule_change", args=[rule.pk]), form).content.decode()
    assert "Dana Chen, MD changed “none left”" in html
    assert draft.rules.get(name="none left").urgency == "soon"


def test_a_condition_is_built_from_rows(ada: Client, clinic: Clinic, draft: Ruleset) -> None:
    rule = draft.rules.get(name="none left")
    url = reverse("admin:triage_rule_build", args=[rule.pk])
    assert "How much is left?" in ada.get(url).content.decode()
    typed = {
        "seen": rule.version,
        "join": "all",
        "field-0": "answer.refill.left",
        "op-0": "in",
        "value-0": ["none", "days"],
        "field-1": "patient.age",
        "op-1": "ge",
        "value-1": "65",
        "group-1": "a",
        "field-2": "patient.age",
        "op-2": "missing",
        "group-2": "a",
    }
    assert "A few days" in ada.post(url, typed | {"show": "1"}).content.decode()
    assert draft.rules.get(name="none left").version == rule.version
    assert "needs a value" in ada.post(url, typed | {"value-1": "", "save": "1"}).content.decode()
    assert ada.post(url, typed | {"save": "1"}).status_code == 302
    assert draft.rules.get(name="none left").when == {
        "all": [
            {"field": "answer.refill.left", "op": "in", "value": ["none", "days"]},
            {
                "any": [
                    {"field": "patient.age", "op": "ge", "value": 65},
                    {"field": "patient.age", "op": "missing"},
                ]
            },
        ]
    }
    assert "Somebody" not in ada.get(url).content.decode()
    assert "Ada Admin changed" in ada.post(url, typed | {"save": "1"}).content.decode()


def test_a_condition_nested_deeper_stays_as_json(ada: Client, clinic: Clinic, draft: Ruleset) -> None:
    rule = draft.rules.get(name="none left")
    rule.when = {"not": {"all": [REFILL]}}
    actions.save_rule(rule, by=clinic.admin)
    assert "nested too deep" in page(ada, "admin:triage_rule_build", rule.pk)


@settings(cases.calm, max_examples=100)
@given(chance=cases.seeds)
def test_rows_and_conditions_go_back_and_forth(chance: Any) -> None:
    fields = built_in(request_types=[("refill", "Refill"), ("symptom", "Symptom")])
    keys = list(fields)

    def test() -> OneTest:
        key = chance.choice(keys)
        op = chance.choice(conditions.allowed_ops(fields[key]))
        one = fields[key]
        pool: list[Any] = list(one.codes) or ["a", "b"]
        if one.kind == "boolean":
            pool = [True, False]
        elif one.shape == "number":
            pool = [1, 2, 7]
        if op in conditions.DEFINITE:
            return OneTest(key, op)
        if op in builder.SINGLE:
            return OneTest(key, op, chance.choice(pool))
        return OneTest(key, op, tuple(pool[:2]))

    join = chance.choice(["all", "any"])
    parts: list[Any] = [test() for _each in range(chance.randint(1, 3))]
    if chance.random() < 0.5:
        parts.insert(0, Group(builder.OTHER[join], (test(), test())))  # type: ignore[arg-type]
    condition = Group(join, tuple(parts)) if len(parts) > 1 else parts[0]
    told = conditions.to_json(condition)
    rows = builder.rows_of(told, fields)
    if rows is None:  # a lone group
        assert len(parts) == 1
        return
    typed = QueryDict(mutable=True)
    typed["join"] = rows.join
    for row in rows.shown():
        typed[f"field-{row.place}"], typed[f"op-{row.place}"] = row.key, row.op
        typed[f"group-{row.place}"] = row.group
        typed.setlist(f"value-{row.place}", row.values if row.input != "text" else [row.listed])
    assert builder.read(typed, fields).to_json() == told


def test_an_earlier_version_is_published_again_from_its_page(
    ada: Client, clinic: Clinic, draft: Ruleset
) -> None:
    before = Ruleset.objects.published().get()
    actions.publish(ruleset=draft, by=clinic.admin, reason="the same")
    assert "Publish it again" in page(ada, "admin:triage_ruleset_change", before.pk)
    ada.post(reverse("admin:triage_ruleset_rollback", args=[before.pk]), {"reason": "Better so."})
    assert Ruleset.objects.published().get().note == "Better so."


def test_a_replay_is_started_and_shown(ada: Client, clinic: Clinic, draft: Ruleset) -> None:
    clinic.send()
    rule = draft.rules.get(name="refills to nursing")
    rule.queue = "physician"
    actions.save_rule(rule, by=clinic.admin)
    response = ada.post(reverse("admin:triage_ruleset_replay", args=[draft.pk]), {"days": "30"})
    row = Replay.objects.get()
    assert response["Location"] == reverse("admin:triage_replay_change", args=[row.pk])
    running = ada.get(response["Location"])
    assert running["Refresh"]
    assert "0 of 1 requests" in running.content.decode()
    tasks.replay(row.pk)
    row.refresh_from_db()
    done = ada.get(response["Location"])
    assert "Refresh" not in done
    html = done.content.decode()
    assert "0.0 % → 100.0 %" in html
    assert "clinicians can open them" in html
    assert reverse("rules-both", args=[draft.pk, row.result["shown"][0]["decision"]]) not in html


def test_who_may_not_change_rules_may_not_post_them(clinic: Clinic, draft: Ruleset) -> None:
    client = Client()
    client.force_login(make.UserFactory(is_staff=True))
    for name in ("draft", "discard", "publish", "rollback", "replay", "prove"):
        url = reverse(f"admin:triage_ruleset_{name}", args=[draft.pk])
        assert client.post(url, {"reason": "x"}).status_code == 403
    assert client.get(reverse("admin:triage_ruleset_compare", args=[draft.pk])).status_code == 403


def test_a_physician_reads_and_approves_a_draft(doctor: Client, clinic: Clinic, draft: Ruleset) -> None:
    promise = Promise(
        ruleset=draft,
        name="No refill to billing",
        whenever=REFILL,
        never={"field": "decision.queue", "op": "is", "value": "billing"},
    )
    actions.save_promise(promise, by=clinic.admin)
    html = page(doctor, "rules-approval")
    assert 'Promise “No refill to billing” <span class="chip">new</span>' in html
    assert "Whenever request type is Refill: never queue is billing." in html
    digest = html.split('name="digest" value="')[1].split('"')[0]
    doctor.post(reverse("rules-approve"), {"digest": digest})
    assert "Approved by Dana Chen, MD" in page(doctor, "rules-approval")
    assert draft.approvals.get().by == clinic.physician


def test_only_those_who_may_approve_find_the_page(clinic: Clinic, draft: Ruleset) -> None:
    for person in (clinic.nurse, clinic.biller, clinic.patient.user, clinic.admin):
        client = Client()
        client.force_login(person)
        assert client.get(reverse("rules-approval")).status_code == 404
        assert client.post(reverse("rules-approve")).status_code == 404


def test_a_physician_accepts_a_lost_red_flag_after_seeing_both_traces(
    doctor: Client, clinic: Clinic, draft: Ruleset
) -> None:
    submission = clinic.send().submission
    facts = {"request.type": "refill", "notice.shown": True, "patient.age": 40}
    decision = actions.decide(facts, submission=submission)
    rule = draft.rules.get(name="notice shown")
    rule.urgency = "soon"
    actions.save_rule(rule, by=clinic.admin)
    html = page(doctor, "rules-approval")
    assert "urgent becomes soon" in html
    both = page(doctor, "rules-both", draft.pk, decision.pk)
    assert "Ruleset 1 (published)" in both
    assert "Ruleset 2 (draft)" in both
    read = Event.objects.filter(action="triage.replay.read").get()
    assert (read.agent, read.patient_ids) == (clinic.physician, [clinic.patient.pk])
    lost = LostFlag.objects.get()
    doctor.post(reverse("rules-accept", args=[lost.pk]), {"reason": "Agreed in the team."})
    lost.refresh_from_db()
    assert (lost.accepted_by, lost.reason) == (clinic.physician, "Agreed in the team.")
    client = Client()
    client.force_login(clinic.nurse)
    assert client.get(reverse("rules-both", args=[draft.pk, decision.pk])).status_code == 404
