"""The gate: nothing decides about patients that is not proven, approved, and kept from losing a red flag."""

from typing import Any

import pytest
from django.db import IntegrityError, transaction

from audit.models import Event
from portal.people.policies import Refused
from queues import actions as queues
from queues.models import Queue
from tests import factories as make
from tests.clinic import Clinic
from triage import actions, engine, proving, publishing, replay, tasks
from triage.loading import compile_rows
from triage.models import AnswerSource, Decision, LostFlag, Promise, Proof, Replay, Rule, Ruleset
from triage.promises import read_promises

EMERGENCY = {"field": "signal.emergency", "op": "is", "value": True}
REFILL = {"field": "request.type", "op": "is", "value": "refill"}


@pytest.fixture
def draft(clinic: Clinic) -> Ruleset:
    return actions.start_draft(by=clinic.admin)


def refusal(draft: Ruleset, clinic: Clinic) -> str:
    with pytest.raises(Refused) as refused:
        actions.publish(ruleset=draft, by=clinic.admin, reason="try")
    assert Ruleset.objects.get(pk=draft.pk).status == "draft"
    return str(refused.value)


def add(draft: Ruleset, clinic: Clinic, **columns: Any) -> Rule:
    rule = Rule(**{"ruleset": draft, "position": 1, "name": "new"} | columns)
    actions.save_rule(rule, by=clinic.admin)
    return rule


def promise(
    draft: Ruleset, clinic: Clinic, never: Any, whenever: Any = REFILL, name: str = "ours"
) -> Promise:
    row = Promise(ruleset=draft, name=name, whenever=whenever, never=never)
    actions.save_promise(row, by=clinic.admin)
    return row


# ---- promises


def test_built_in_promises_are_there_and_nothing_changes_them(clinic: Clinic) -> None:
    built_in = Promise.objects.filter(built_in=True)
    assert built_in.count() == 4
    with pytest.raises(Refused, match="built in"):
        actions.remove_promise(built_in[0], by=clinic.admin)
    weaker = built_in[0]
    weaker.built_in, weaker.ruleset = False, actions.start_draft(by=clinic.admin)
    with pytest.raises(Refused, match="built in"):
        actions.save_promise(weaker, by=clinic.admin)
    with pytest.raises(IntegrityError, match="built-in promise"), transaction.atomic():
        built_in.update(never={"always": True})
    with pytest.raises(IntegrityError, match="built-in promise"), transaction.atomic():
        built_in._raw_delete("default")  # type: ignore[attr-defined]


def test_a_broken_safety_promise_blocks_publishing_and_shows_the_request(
    clinic: Clinic, draft: Ruleset
) -> None:
    actions.remove_rule(draft.rules.get(name="red flag"), by=clinic.admin)
    actions.approve(ruleset=draft, by=make.staff("lead"))
    said = refusal(draft, clinic)
    assert (
        "“An emergency is urgent and stays so” is broken by this request: emergency found in the text: yes"
        in said
    )
    report = publishing.report(draft)
    broken = {one.name: one for one in report.findings if one.verdict == "refuted"}
    assert set(broken) == {"An emergency is urgent and stays so", "An emergency goes to clinicians"}
    # The counter-example is a real one: the engine does with it what the proof says.
    facts = broken["An emergency is urgent and stays so"].example
    assert facts == {"signal.emergency": True}
    assert engine.decide(compile_rows(draft, draft.rules.all()), facts).floor == "routine"


def test_an_emergency_that_reaches_an_office_queue_breaks_a_promise(clinic: Clinic, draft: Ruleset) -> None:
    rule = draft.rules.get(name="red flag")
    rule.queue = "billing"
    actions.save_rule(rule, by=clinic.admin)
    assert "“An emergency goes to clinicians” is broken" in refusal(draft, clinic)


def test_a_promise_of_the_practice_is_proven_or_refuted(clinic: Clinic, draft: Ruleset) -> None:
    promise(draft, clinic, {"field": "decision.queue", "op": "is", "value": "billing"}, name="kept")
    promise(draft, clinic, {"field": "decision.queue", "op": "is", "value": "refills"}, name="broken")
    assert "“broken” is broken by this request: request type: Refill" in refusal(draft, clinic)
    verdicts = {one.name: one.verdict for one in publishing.report(draft).findings if one.kind == "promise"}
    assert verdicts["kept"] == "proven"
    assert verdicts["broken"] == "refuted"


def test_past_decisions_agree_with_what_was_proven(clinic: Clinic) -> None:
    clinic.send(left="none")
    clinic.send("billing", question="I have crushing chest pain and can't breathe")
    published = Ruleset.objects.published().get()
    around = proving.Surroundings.present()
    kept = read_promises(proving.promises_of(published, around), around.catalogue)
    for row in Decision.objects.all():
        decision, known = engine.Decision(**row.result), around.catalogue.read(row.facts)
        assert not [one.name for one in kept if one.broken_by(known, decision)]


# ---- totality, reachability, queues


def test_rules_that_leave_a_request_to_the_fallback_are_refused(clinic: Clinic, draft: Ruleset) -> None:
    actions.remove_rule(draft.rules.get(name="all else"), by=clinic.admin)
    assert "No rule gives a queue to this request" in refusal(draft, clinic)


def test_a_rule_that_can_never_fire_is_refused_with_what_hides_it(clinic: Clinic, draft: Ruleset) -> None:
    add(draft, clinic, stage="assignment", position=99, when=REFILL, queue="triage", name="hidden")
    assert "“hidden” can never fire: every request it is for is taken before by" in refusal(draft, clinic)


def test_a_facility_without_a_queue_of_this_kind_is_told(clinic: Clinic, draft: Ruleset) -> None:
    make.FacilityFactory(code="hilltop", name="Hilltop")
    assert "“refills” has a queue wherever it is used" in refusal(draft, clinic)


def test_a_field_that_no_form_asks_is_named(clinic: Clinic, draft: Ruleset) -> None:
    add(
        draft,
        clinic,
        stage="priority",
        urgency="soon",
        when={"field": "answer.refill.gone", "op": "answered"},
    )
    assert "There is no field “answer.refill.gone”" in refusal(draft, clinic)


def test_what_is_not_decided_in_time_is_not_proven(
    clinic: Clinic, draft: Ruleset, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(publishing, "AT_ONCE_SECONDS", 0.0)
    assert "not proven" in refusal(draft, clinic)


def test_overlaps_are_told_and_stop_nothing(clinic: Clinic, draft: Ruleset) -> None:
    older = {"all": [REFILL, {"field": "patient.age", "op": "ge", "value": 65}]}
    add(draft, clinic, stage="assignment", when=older, queue="triage", name="older")
    tasks.prove(draft.pk)
    report = publishing.report(draft)
    assert report.passes
    assert "“older”, its special case, comes before “refills to nursing”" in report.overlaps[0].sentences[0]


def test_a_stored_proof_is_of_exactly_these_rules(clinic: Clinic, draft: Ruleset) -> None:
    assert not publishing.report(draft).passes  # not worked out yet
    tasks.prove(draft.pk)
    tasks.prove(draft.pk)
    assert publishing.report(draft).passes
    assert Proof.objects.filter(ruleset=draft).count() == 1
    rule = draft.rules.get(name="refills to nursing")
    rule.queue = "triage"
    actions.save_rule(rule, by=clinic.admin)
    assert publishing.report(draft).proof is None
    rule.note = "only words"
    before = publishing.report(draft).digest
    actions.save_rule(rule, by=clinic.admin)
    assert publishing.report(draft).digest == before


def test_every_save_asks_for_one_proof(
    clinic: Clinic, draft: Ruleset, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert Ruleset.objects.get(pk=draft.pk).prove_asked
    asked: list[Any] = []
    monkeypatch.setattr("triage.actions.drafts.nudge", lambda *args: asked.append(args))
    tasks.prove(draft.pk)
    for name in ("one", "two"):
        add(draft, clinic, stage="priority", when={"always": True}, urgency="soon", name=name)
    assert asked == [("triage.tasks.prove", draft.pk)]


# ---- approval


def test_a_changed_safety_stage_needs_a_clinician_who_did_not_write_it(
    clinic: Clinic, draft: Ruleset
) -> None:
    baby = {"field": "patient.age_months", "op": "lt", "value": 3}
    rule = add(draft, clinic, stage="safety", when=baby, urgency="urgent", queue="urgent", name="baby")
    assert "must approve" in refusal(draft, clinic)
    with pytest.raises(Refused, match="Only a triage lead or a physician"):
        actions.approve(ruleset=draft, by=clinic.nurse)
    lead = make.staff("lead")
    rule.note = "Agreed."
    actions.save_rule(rule, by=lead)
    with pytest.raises(Refused, match="yourself"):
        actions.approve(ruleset=draft, by=lead)
    actions.approve(ruleset=draft, by=clinic.physician)
    rule.urgency = "soon"
    actions.save_rule(rule, by=clinic.admin)
    assert "changed after they were approved" in refusal(draft, clinic)
    actions.approve(ruleset=draft, by=clinic.physician)
    actions.publish(ruleset=draft, by=clinic.admin, reason="Babies are seen at once.")
    event = Event.objects.filter(action="triage.ruleset.approve").latest("pk")
    assert event.agent == clinic.physician


def test_an_approver_who_wrote_afterwards_approves_no_more(clinic: Clinic, draft: Ruleset) -> None:
    promise(draft, clinic, {"field": "decision.queue", "op": "is", "value": "billing"})
    actions.approve(ruleset=draft, by=clinic.physician)
    add(draft, clinic, stage="priority", when=REFILL, urgency="soon")
    rule = draft.rules.get(name="new")
    rule.note = "mine"
    actions.save_rule(rule, by=clinic.physician)
    assert "must approve" in refusal(draft, clinic)


def test_an_approval_is_of_what_was_looked_at(clinic: Clinic, draft: Ruleset) -> None:
    seen = proving.safety_digest(draft)
    promise(draft, clinic, {"field": "decision.queue", "op": "is", "value": "billing"})
    with pytest.raises(Refused, match="after you opened this page"):
        actions.approve(ruleset=draft, by=clinic.physician, seen=seen)


# ---- two people, one rule


def test_the_second_of_two_who_edit_a_rule_is_told_who_was_first(clinic: Clinic, draft: Ruleset) -> None:
    rule = draft.rules.get(name="none left")
    seen = rule.version
    rule.urgency = "urgent"
    actions.save_rule(rule, by=clinic.physician, seen=seen)
    rule.urgency = "soon"
    with pytest.raises(Refused, match="Dana Chen, MD changed “none left”"):
        actions.save_rule(rule, by=clinic.admin, seen=seen)
    assert draft.rules.get(name="none left").urgency == "urgent"


# ---- going back


def test_an_earlier_version_decides_again_in_one_step(clinic: Clinic, draft: Ruleset) -> None:
    before = Ruleset.objects.published().get()
    rule = draft.rules.get(name="refills to nursing")
    rule.queue = "triage"
    actions.save_rule(rule, by=clinic.admin)
    actions.publish(ruleset=draft, by=clinic.admin, reason="Refills go to triage.")
    waiting = actions.start_draft(by=clinic.admin)
    back = actions.roll_back(to=before, by=clinic.admin, reason="That was wrong.")
    assert back.number > waiting.number
    assert (back.status, back.note) == ("published", "That was wrong.")
    assert clinic.task().queue == clinic.refills
    assert Ruleset.objects.get(pk=waiting.pk).status == "draft"


def test_going_back_takes_the_same_gate(clinic: Clinic, draft: Ruleset) -> None:
    before = Ruleset.objects.published().get()
    actions.publish(ruleset=draft, by=clinic.admin, reason="the same")
    before.rules.get(name="red flag").delete()
    with pytest.raises(Refused, match="An emergency is urgent"):
        actions.roll_back(to=before, by=clinic.admin, reason="try")
    assert Ruleset.objects.published().get() == draft


def test_a_baseline_is_kept_and_never_decides(clinic: Clinic, draft: Ruleset) -> None:
    draft.rules.all().delete()
    add(draft, clinic, stage="assignment", when={"always": True}, queue="physician")
    kept = actions.keep_baseline(ruleset=draft, by=clinic.admin, reason="The former routing.")
    published = Ruleset.objects.published().get()
    Rule.objects.filter(ruleset=published).update(when={"broken": 1})
    actions.compiled.cache_clear()
    with pytest.raises(Refused):
        actions.deciding()
    with pytest.raises(Refused, match="decided before"):
        actions.roll_back(to=kept, by=clinic.admin, reason="try")


# ---- the other ways to change decisions


def test_a_form_that_takes_a_question_from_a_rule_is_refused(clinic: Clinic) -> None:
    source = AnswerSource.objects.get(code="refill")
    assert publishing.check_catalogue(instead=source) == []
    source.fields = [told for told in source.fields if not told["key"].endswith(".left")]
    (said,) = publishing.check_catalogue(instead=source)
    assert "There is no field “answer.refill.left”" in said
    assert "no field" in publishing.check_catalogue(without="refill")[0]
    assert publishing.check_catalogue(without="nothing") == []


def test_a_form_with_another_choice_is_proven_anew(clinic: Clinic, draft: Ruleset) -> None:
    for name in ("all else", "refills to nursing"):
        actions.remove_rule(draft.rules.get(name=name), by=clinic.admin)
    for code in ("none", "days", "more"):
        when = {"field": "answer.refill.left", "op": "is", "value": code}
        add(draft, clinic, stage="assignment", when=when, queue="refills", name=f"left {code}")
    rest = {
        "any": [{"field": "answer.refill.left", "op": "missing"}, {"field": "request.type", "op": "missing"}]
    }
    add(draft, clinic, stage="assignment", position=99, when=rest, queue="triage", name="rest")
    actions.publish(ruleset=draft, by=clinic.admin, reason="One rule a choice.")
    source = AnswerSource.objects.get(code="refill")
    left = next(told for told in source.fields if told["key"].endswith(".left"))
    left["choices"].append(["unknown", "I don't know"])
    (said,) = publishing.check_catalogue(instead=source)
    assert said.startswith("No rule gives a queue to this request")
    assert "I don't know" in said


def test_a_queue_that_the_rules_name_is_not_retired(clinic: Clinic) -> None:
    with pytest.raises(Refused, match="No live queue has the code “billing”"):
        queues.retire_queue(queue=clinic.billing, by=clinic.admin)
    second = make.queue("billing", "billing", facility=clinic.facility)
    queues.retire_queue(queue=second, by=clinic.admin)
    assert Queue.objects.live().filter(code="billing").count() == 1


def test_a_queue_for_emergencies_stays_with_a_clinical_role(clinic: Clinic) -> None:
    clinic.urgent.role = "front-desk"
    with pytest.raises(Refused, match="“An emergency goes to clinicians” is broken"):
        queues.save_queue(clinic.urgent, by=clinic.admin)
    with pytest.raises(Refused, match="don't allow this"):
        make.queue("urgent", "billing", facility=clinic.facility)
    clinic.billing.name = "Bills"
    queues.save_queue(clinic.billing, by=clinic.admin)


def test_rules_written_for_other_signals_are_told(clinic: Clinic, draft: Ruleset) -> None:
    from triage.checks import signals_fit

    assert signals_fit(["default"]) == []
    Ruleset.objects.published().update(signals_version="older")
    (warning,) = signals_fit(["default"])
    assert "written for signals older" in warning.msg


# ---- replay


def test_a_replay_counts_what_a_draft_would_change(clinic: Clinic, draft: Ruleset) -> None:
    for _each in range(2):
        clinic.send()
    clinic.send("billing")
    rule = draft.rules.get(name="refills to nursing")
    rule.queue, rule.urgency = "physician", "soon"
    actions.save_rule(rule, by=clinic.admin)
    row = actions.start_replay(ruleset=draft, days=90, by=clinic.admin)
    tasks.replay(row.pk)
    row.refresh_from_db()
    assert (row.state, row.done, row.total) == ("done", 3, 3)
    result = row.result
    assert result["moves"] == [["refills", "physician", 2]]
    assert result["urgencies"] == [["routine", "soon", 2]]
    assert result["load"]["refills"] == [2, 0]
    assert result["physician_share"] == [0.0, 66.7]
    assert result["changed"] == len(result["shown"]) == 2
    assert result["lost"] == 0


def test_a_replay_in_slices_says_the_same(
    clinic: Clinic, draft: Ruleset, monkeypatch: pytest.MonkeyPatch
) -> None:
    facts = clinic.task().decision.facts
    for age in range(20):
        actions.decide({**facts, "patient.age": age})
    when = {"all": [REFILL, {"field": "patient.age", "op": "lt", "value": 7}]}
    add(draft, clinic, stage="assignment", when=when, queue="triage")
    monkeypatch.setattr(replay, "SLICE", 4)
    row = actions.start_replay(ruleset=draft, days=1, by=None)
    while not replay.advance(row.pk, seconds=0.001):
        pass
    row.refresh_from_db()
    assert (row.done, row.result["changed"]) == (21, 7)
    late = row.result.pop("late")
    assert set(late) == {"refills", "triage"}
    assert replay.Tally.from_json(row.result).to_json() == row.result


def test_a_replay_of_rules_that_changed_meanwhile_stops(clinic: Clinic, draft: Ruleset) -> None:
    row = actions.start_replay(ruleset=draft, days=1, by=None)
    add(draft, clinic, stage="priority", when=REFILL, urgency="soon")
    tasks.replay(row.pk)
    row.refresh_from_db()
    assert (row.state, row.error) == (Replay.State.FAILED, "changed")


def test_a_lost_red_flag_blocks_until_a_clinician_accepts_it(clinic: Clinic) -> None:
    draft = actions.start_draft(by=clinic.admin)
    none_left = {"field": "answer.refill.left", "op": "is", "value": "none"}
    add(draft, clinic, stage="safety", when=none_left, urgency="urgent", queue="urgent", name="no gap")
    actions.remove_rule(draft.rules.get(name="none left"), by=clinic.admin)
    actions.approve(ruleset=draft, by=clinic.physician)
    actions.publish(ruleset=draft, by=clinic.admin, reason="No gap.")
    submission = clinic.send().submission
    flagged = actions.decide({"request.type": "refill", "answer.refill.left": "none"}, submission=submission)
    assert flagged.queue == "urgent"
    draft = actions.start_draft(by=clinic.admin)
    rule = draft.rules.get(name="no gap")
    rule.urgency = "soon"
    actions.save_rule(rule, by=clinic.admin)
    actions.approve(ruleset=draft, by=clinic.physician)
    assert "1 past red flags would be lost or lowered" in refusal(draft, clinic)
    lost = LostFlag.objects.get()
    assert (lost.decision, lost.urgency) == (flagged, 2)
    with pytest.raises(Refused, match="Say why"):
        actions.accept_lost_flag(lost=lost, by=clinic.physician, reason=" ")
    with pytest.raises(Refused, match="Only a triage lead"):
        actions.accept_lost_flag(lost=lost, by=clinic.nurse, reason="fine")
    actions.accept_lost_flag(lost=lost, by=clinic.physician, reason="Two hours are enough.")
    actions.publish(ruleset=draft, by=clinic.admin, reason="Soon is enough.")
    assert Event.objects.filter(action="triage.lostflag.accept", patient_ids=[clinic.patient.pk]).exists()


def test_what_was_accepted_is_one_outcome_and_no_lower_one(clinic: Clinic) -> None:
    flagged = actions.decide({"request.type": "refill", "notice.shown": True})
    draft = actions.start_draft(by=clinic.admin)
    rule = draft.rules.get(name="notice shown")
    rule.urgency = "soon"
    actions.save_rule(rule, by=clinic.admin)
    assert replay.find_lost_flags(draft) == 1
    actions.accept_lost_flag(lost=LostFlag.objects.get(), by=clinic.physician, reason="for the test")
    assert replay.find_lost_flags(draft) == 0
    rule.urgency = ""
    actions.save_rule(rule, by=clinic.admin)
    assert replay.find_lost_flags(draft) == 1
    assert LostFlag.objects.filter(decision=flagged).count() == 2
