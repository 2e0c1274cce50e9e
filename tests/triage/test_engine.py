"""What a ruleset decides, and what it refuses to be."""

import copy
import json
import pickle
from collections.abc import Mapping
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.triage import rule_cases as cases
from triage.conditions import evaluate, first_failure, parse, seen_by, to_json
from triage.engine import (
    STAGES,
    URGENCIES,
    Ruleset,
    RulesetError,
    Tried,
    compile_ruleset,
    decide,
    fired_in,
    read_trace,
)
from triage.fields import CATEGORY, Catalogue, Choice, Field, built_in

ALWAYS = {"always": True}
EMERGENCY = {"field": "signal.emergency", "op": "is", "value": True}
REFILL = {"field": "request.type", "op": "is", "value": "refill"}
OLD = {"field": "patient.age", "op": "ge", "value": 65}
CATALOGUE = built_in(request_types=[("refill", "Refill"), ("symptom", "Symptom")])


def rule(name: str, stage: str, when: Any, **then: Any) -> dict[str, Any]:
    return {"name": name, "stage": stage, "when": when, "then": then}


def ruleset(*rules: Mapping[str, Any], catalogue: Catalogue | None = CATALOGUE) -> Ruleset:
    return compile_ruleset(rules, 7, catalogue, fallback="desk")


REST = rule("the rest", "assignment", ALWAYS, queue="desk")


# --- the stages


def test_every_safety_rule_applies_and_their_urgency_is_the_floor() -> None:
    rules = ruleset(
        rule("old", "safety", OLD, urgency="soon", tags=["frail"]),
        rule("emergency", "safety", EMERGENCY, urgency="urgent", tags=["red"], advice=["Call 911."]),
        rule("calm", "priority", ALWAYS, urgency="routine"),
        REST,
    )
    decision = decide(rules, {"signal.emergency": True, "patient.age": 80})
    assert (decision.urgency, decision.floor) == ("urgent", "urgent")
    assert (decision.tags, decision.advice) == (("frail", "red"), ("Call 911.",))
    assert decision.set_by["urgency"] == decision.set_by["floor"] == "emergency"
    assert decision.set_by["tags.frail"] == "old"


def test_a_priority_rule_raises_the_urgency_but_not_the_floor() -> None:
    rules = ruleset(
        rule("old", "safety", OLD, urgency="soon"), rule("late", "priority", ALWAYS, urgency="urgent"), REST
    )
    decision = decide(rules, {"patient.age": 70})
    assert (decision.urgency, decision.floor) == ("urgent", "soon")
    assert (decision.set_by["urgency"], decision.set_by["floor"]) == ("late", "old")


def test_the_first_category_is_a_fact_for_the_stages_after_it() -> None:
    rules = ruleset(
        rule("refills", "category", REFILL, category="medicine"),
        rule("others", "category", ALWAYS, category="other"),
        rule(
            "to the pharmacist",
            "assignment",
            {"field": CATEGORY, "op": "is", "value": "medicine"},
            queue="pharmacy",
        ),
        REST,
        rule("soon", "priority", {"field": CATEGORY, "op": "is_not", "value": "medicine"}, urgency="soon"),
    )
    refill, other = (decide(rules, {"request.type": kind}) for kind in ("refill", "symptom"))
    assert (refill.category, refill.queue, refill.urgency) == ("medicine", "pharmacy", "routine")
    assert (other.category, other.queue, other.urgency) == ("other", "desk", "soon")
    assert decide(rules, {}).category == "other"


def test_the_queue_of_a_safety_rule_stands_and_what_else_assignment_sets_still_counts() -> None:
    rules = ruleset(
        rule("emergency", "safety", EMERGENCY, queue="nurse"),
        rule("refills", "assignment", ALWAYS, queue="pharmacy", urgency="soon", tags=["refill"]),
    )
    decision = decide(rules, {"signal.emergency": True})
    assert (decision.queue, decision.set_by["queue"]) == ("nurse", "emergency")
    assert (decision.urgency, decision.tags) == ("soon", ("refill",))


def test_time_to_respond_only_falls_and_the_first_protocol_stands() -> None:
    rules = ruleset(
        rule("slow", "priority", ALWAYS, respond_within=480, protocol="a"),
        rule("fast", "priority", REFILL, respond_within=60, protocol="b"),
        rule("slower", "priority", REFILL, respond_within=240, ask_back=["Since when?"]),
        REST,
    )
    decision = decide(rules, {"request.type": "refill"})
    assert (decision.respond_within, decision.protocol, decision.ask_back) == (60, "a", ("Since when?",))
    assert decision.set_by["respond_within"] == "fast"


def test_where_no_rule_gives_a_queue_it_falls_back_and_says_so() -> None:
    decision = decide(ruleset(rule("refills", "assignment", REFILL, queue="pharmacy")), {})
    assert (decision.queue, decision.fell_back) == ("desk", True)
    assert not decide(ruleset(REST), {}).fell_back


def test_a_negation_of_the_unknown_does_not_fire() -> None:
    rules = ruleset(rule("not old", "priority", {"not": OLD}, urgency="soon"), REST)
    assert decide(rules, {}).urgency == "routine"
    assert decide(rules, {"patient.age": 3}).urgency == "soon"


# --- the trace


def test_the_trace_tells_of_every_rule_what_became_of_it() -> None:
    rules = ruleset(
        rule("emergency", "safety", EMERGENCY, urgency="urgent"),
        rule("old refills", "assignment", {"all": [REFILL, OLD]}, queue="nurse"),
        rule("refills", "assignment", REFILL, queue="pharmacy"),
        REST,
    )
    decision = decide(rules, {"request.type": "refill", "patient.age": 40})
    assert decision.trace == (
        Tried("emergency", "safety", False, EMERGENCY, None, part=0),
        Tried("old refills", "assignment", False, OLD, 40, part=1),
        Tried("refills", "assignment", True),
        Tried("the rest", "assignment", None, settled_by="refills"),
    )
    assert decision.fired == ("refills",)


def test_no_trace_holds_the_words_of_a_patient() -> None:
    catalogue = CATALOGUE.with_fields([Field("answer.symptom.words", "words", "text", source="symptom")])
    rules = ruleset(
        rule("no words", "priority", {"field": "answer.symptom.words", "op": "missing"}, urgency="soon"),
        REST,
        catalogue=catalogue,
    )
    told = json.dumps(decide(rules, {"answer.symptom.words": "my chest"}).to_json())
    assert "chest" not in told


# --- facts that don't fit


@pytest.mark.parametrize("value", ["70", 70.5, True, -1, 131, [70], {"value": 70}, float("nan")])
def test_a_value_that_the_field_does_not_allow_is_missing_and_noted(value: Any) -> None:
    rules = ruleset(
        rule("any age", "priority", {"field": "patient.age", "op": "answered"}, urgency="soon"), REST
    )
    decision = decide(rules, {"patient.age": value, "request.type": "bill"})
    assert decision.urgency == "routine"
    assert decision.ignored == ("patient.age",)  # nothing tests the request type, so nothing is said of it


def test_none_is_missing_without_a_note_and_a_whole_float_is_a_whole_number() -> None:
    rules = ruleset(rule("old", "priority", OLD, urgency="soon"), REST)
    assert decide(rules, {"patient.age": None}).ignored == ()
    assert decide(rules, {"patient.age": 65.0}).urgency == "soon"


def test_of_a_list_only_the_codes_that_are_not_known_are_left_out() -> None:
    codes = built_in(signal_codes=[("chest", "Chest pain"), ("breath", "Breath")])
    test = {"field": "signal.codes", "op": "includes", "value": "chest"}
    rules = ruleset(rule("chest", "safety", test, urgency="urgent"), REST, catalogue=codes)
    decision = decide(rules, {"signal.codes": ["chest", "new"]})
    assert (decision.urgency, decision.ignored) == ("urgent", ("signal.codes",))
    assert (
        decide(rules, {"signal.codes": ["new"]}).trace[0].seen is None
    )  # nothing known of it: missing, not empty
    assert decide(rules, {"signal.codes": []}).ignored == ()
    assert decide(rules, {"signal.codes": []}).trace[0].seen == []


def test_without_a_catalogue_the_tests_say_the_types() -> None:
    rules = ruleset(rule("old", "priority", OLD, urgency="soon"), REST, catalogue=None)
    assert decide(rules, {"patient.age": 70}).urgency == "soon"
    assert decide(rules, {"patient.age": "70"}).ignored == ("patient.age",)
    mixed = rule("odd", "priority", {"field": "patient.age", "op": "is", "value": "old"}, urgency="soon")
    with pytest.raises(RulesetError, match="another type"):
        ruleset(rule("old", "priority", OLD, urgency="soon"), mixed, catalogue=None)


# --- what is refused


@pytest.mark.parametrize(
    ("wrong", "field", "word"),
    [
        ({"stage": "later"}, "stage", "The stage is one of"),
        ({"when": {"all": []}}, "when.all", "at least one"),
        ({"when": {"field": "patient.agee", "op": "answered"}}, "when.field", "no field"),
        ({"then": {}}, "then", "at least one outcome"),
        ({"then": {"queue": "desk", "color": "red"}}, "then.color", "not an outcome"),
        ({"then": {"queue": "front desk"}}, "then.queue", "code of a queue"),
        ({"then": {"queue": "moon"}}, "then.queue", "no queue “moon”"),
        ({"then": {"urgency": "soon"}}, "then.queue", "sets the queue"),
        ({"then": {"queue": "desk", "urgency": "now"}}, "then.urgency", "one of"),
        ({"then": {"queue": "desk", "respond_within": 0}}, "then.respond_within", "minutes"),
        ({"then": {"queue": "desk", "respond_within": True}}, "then.respond_within", "minutes"),
        ({"then": {"queue": "desk", "tags": ["a b"]}}, "then.tags", "codes"),
        ({"then": {"queue": "desk", "advice": ["a\nb"]}}, "then.advice", "lines"),
        (
            {"then": {"queue": "desk", "category": "x"}},
            "then.category",
            "Only a rule in the stage “category”",
        ),
        ({"stage": "priority"}, "then.queue", "Only a rule in the stage “safety” or “assignment”"),
        ({"stage": "category", "then": {"urgency": "soon"}}, "then.category", "sets the category"),
        ({"priority": 3}, "priority", "not part of a rule"),
        ({"note": 3}, "note", "text"),
        (
            {"stage": "safety", "when": {"field": CATEGORY, "op": "is", "value": "medicine"}},
            "when",
            "not known before",
        ),
        ({"when": {"field": CATEGORY, "op": "is", "value": "medicin"}}, "when", "No rule sets the category"),
    ],
)
def test_a_wrong_rule_is_named_with_its_field_and_the_reason(wrong: Any, field: str, word: str) -> None:
    category = rule("refills", "category", REFILL, category="medicine")
    with pytest.raises(RulesetError) as caught:
        compile_ruleset(
            [category, {**rule("mine", "assignment", REFILL, queue="desk"), **wrong}],
            catalogue=CATALOGUE,
            fallback="desk",
            queues={"desk"},
        )
    [problem] = caught.value.problems
    assert (problem.rule, problem.field) == ("mine", field)
    assert word in problem.sentence


def test_all_problems_are_listed_at_once() -> None:
    with pytest.raises(RulesetError) as caught:
        compile_ruleset(["?", {}, REST, REST], fallback="", catalogue=CATALOGUE)  # type: ignore[list-item]
    assert [(problem.rule, problem.field) for problem in caught.value.problems] == [
        ("rule 1", ""),
        ("rule 2", "name"),
        ("rule 2", "stage"),
        ("rule 2", "when"),
        ("rule 2", "then"),
        ("the rest", "name"),
        ("", "fallback"),
    ]


def test_a_rule_about_a_category_can_be_checked_by_itself() -> None:
    ruleset(rule("by category", "assignment", cases.IS_LUNGS, queue="desk"))


def test_a_ruleset_knows_its_queues() -> None:
    rules = ruleset(rule("emergency", "safety", EMERGENCY, queue="nurse"), REST)
    assert rules.queues == {"nurse", "desk"}


# --- what holds of all rulesets and all facts


@cases.calm
@given(st.data())
def test_every_dictionary_gets_a_decision_and_always_the_same_one(data: st.DataObject) -> None:
    catalogue = data.draw(cases.catalogues)
    given_rules = cases.some_rules(data.draw(cases.seeds), catalogue)
    facts = data.draw(cases.unruly_facts(catalogue))
    one = decide(ruleset(*given_rules, catalogue=catalogue), facts)
    again = decide(ruleset(*given_rules, catalogue=catalogue), dict(reversed(facts.items())))
    assert one == again
    assert one.queue
    assert [tried.rule for tried in one.trace] == [
        told["name"] for stage in STAGES for told in given_rules if told["stage"] == stage
    ]
    assert pickle.loads(pickle.dumps(one)) == one == copy.deepcopy(one)  # noqa: S301


@cases.calm
@given(st.data())
def test_a_trace_that_was_kept_is_read_with_its_rules(data: st.DataObject) -> None:
    catalogue = data.draw(cases.catalogues)
    rules = ruleset(*cases.some_rules(data.draw(cases.seeds), catalogue), catalogue=catalogue)
    decision = decide(rules, data.draw(cases.facts(catalogue)))
    kept = json.loads(json.dumps(decision.to_json()))["trace"]
    assert read_trace(kept, [(rule.name, rule.stage, rule.when) for rule in rules.rules]) == decision.trace
    assert tuple(rule.name for rule in fired_in(kept, rules)) == decision.fired


def test_what_the_numbers_of_a_kept_trace_mean_does_not_change() -> None:
    """Decisions of years are kept in this form."""
    young = {"field": "patient.age", "op": "lt", "value": 2}
    spanish = {"field": "patient.language", "op": "is", "value": "es"}
    answered = {"field": "patient.facility", "op": "answered"}
    when = {
        "all": [
            REFILL,
            {"all": [OLD, {"any": [answered]}]},
            {"any": [young, spanish]},
            {"not": {"all": [young, OLD]}},
        ]
    }
    rules = [("deep", "assignment", parse(when, CATALOGUE))]
    for number, part in enumerate(
        [REFILL, OLD, answered, {"any": [young, spanish]}, {"not": {"all": [young, OLD]}}]
    ):
        assert read_trace([[number, "seen"]], rules) == (
            Tried("deep", "assignment", False, part, "seen", part=number),
        )


def test_a_trace_that_was_kept_in_words_is_read_as_well() -> None:
    words = [
        {"rule": "old refills", "stage": "assignment", "fired": False, "failed": OLD, "seen": 40},
        {"rule": "refills", "stage": "assignment", "fired": True},
        {"rule": "the rest", "stage": "assignment", "fired": None, "settled_by": "refills"},
    ]
    rules = [(told["rule"], told["stage"], parse(ALWAYS, CATALOGUE)) for told in words]
    assert read_trace(words, rules) == (
        Tried("old refills", "assignment", False, OLD, 40),
        Tried("refills", "assignment", True),
        Tried("the rest", "assignment", None, settled_by="refills"),
    )
    same = ruleset(*[rule(told["rule"], "assignment", ALWAYS, queue="desk") for told in words])
    assert [one.name for one in fired_in(words, same)] == ["refills"]


@cases.calm
@given(st.data())
def test_the_trace_tells_the_first_part_that_failed_and_what_it_saw(data: st.DataObject) -> None:
    catalogue = data.draw(cases.catalogues)
    rules = ruleset(*cases.some_rules(data.draw(cases.seeds), catalogue), catalogue=catalogue)
    facts = data.draw(cases.facts(catalogue))
    decision = decide(rules, facts)
    known = dict(catalogue.read(facts))
    if decision.category:
        known[CATEGORY] = decision.category
    when = {one.name: one.when for one in rules.rules}
    for each in decision.trace:
        if each.fired is False:
            failed = first_failure(when[each.rule], known)
            assert (each.failed, each.seen) == (to_json(failed), seen_by(failed, known))


@cases.calm
@given(st.data())
def test_what_is_not_understood_decides_as_if_it_were_not_there(data: st.DataObject) -> None:
    catalogue = data.draw(cases.catalogues)
    rules = ruleset(*cases.some_rules(data.draw(cases.seeds), catalogue), catalogue=catalogue)
    facts = data.draw(cases.unruly_facts(catalogue))
    understood = {k: sorted(v) if isinstance(v, frozenset) else v for k, v in catalogue.read(facts).items()}
    with_all, with_some = decide(rules, facts).to_json(), decide(rules, understood).to_json()
    assert {**with_all, "ignored": []} == {**with_some, "ignored": []}


@cases.calm
@given(st.data())
def test_a_rule_fires_only_on_true_and_the_trace_says_why_not(data: st.DataObject) -> None:
    catalogue = data.draw(cases.catalogues)
    rules = ruleset(*cases.some_rules(data.draw(cases.seeds), catalogue), catalogue=catalogue)
    facts = data.draw(cases.facts(catalogue))
    decision = decide(rules, facts)
    known = catalogue.read(facts)
    conditions = {one.name: one.when for one in rules.rules}
    for each in decision.trace:
        if each.stage in ("assignment", "priority") and decision.category:
            known[CATEGORY] = decision.category
        if each.fired is not None:
            assert each.fired == (evaluate(conditions[each.rule], known) is True)
        assert (each.failed is not None) == (each.fired is False)


def rank(urgency: str) -> int:
    return URGENCIES.index(urgency)


@cases.calm
@given(st.data())
def test_another_safety_rule_never_lowers_an_urgency(data: st.DataObject) -> None:
    catalogue = data.draw(cases.catalogues)
    chance = data.draw(cases.seeds)
    rules, more = cases.some_rules(chance, catalogue), cases.some_rules(chance, catalogue)
    added = [{**told, "name": f"new {told['name']}"} for told in more if told["stage"] == "safety"]
    place = data.draw(st.integers(0, len(rules)))
    facts = data.draw(cases.facts(catalogue))
    before = decide(ruleset(*rules, catalogue=catalogue), facts)
    after = decide(ruleset(*rules[:place], *added, *rules[place:], catalogue=catalogue), facts)
    assert rank(after.urgency) >= rank(before.urgency)
    assert rank(after.floor) >= rank(before.floor)
    assert {*after.tags} >= {*before.tags}
    assert {*after.advice} >= {*before.advice}
    assert before.respond_within is None or (after.respond_within or 0) <= before.respond_within


@cases.calm
@given(st.data())
def test_no_later_rule_lowers_what_safety_has_raised(data: st.DataObject) -> None:
    catalogue = data.draw(cases.catalogues)
    rules = cases.some_rules(data.draw(cases.seeds), catalogue)
    facts = data.draw(cases.facts(catalogue))
    whole = decide(ruleset(*rules, catalogue=catalogue), facts)
    safety = decide(
        ruleset(*(told for told in rules if told["stage"] == "safety"), catalogue=catalogue), facts
    )
    assert whole.floor == safety.urgency
    assert rank(whole.urgency) >= rank(whole.floor)
    assert safety.fell_back or whole.queue == safety.queue


# --- the catalogue


def test_a_catalogue_comes_back_from_json_as_it_was() -> None:
    for catalogue in (*cases.CATALOGUES, CATALOGUE):
        assert Catalogue.from_json(json.loads(json.dumps(catalogue.to_json()))) == catalogue


@pytest.mark.parametrize(
    "field",
    [
        {"kind": "colour"},
        {"kind": "number", "choices": (Choice("a"),)},
        {"kind": "choice", "choices": (Choice("a"), Choice("a"))},
        {"kind": "choice", "ordered": True},
        {"kind": "integer", "minimum": 3, "maximum": 2},
    ],
)
def test_a_field_that_contradicts_itself_is_refused(field: Any) -> None:
    with pytest.raises(ValueError, match="x"):
        Field("x", "x", **field)


def test_an_answer_must_belong_to_a_request_type() -> None:
    with pytest.raises(ValueError, match="unknown request type “cough”"):
        CATALOGUE.with_fields([Field("answer.cough.x", "x", "boolean", source="cough")])
    answers = [Field("answer.cough.x", "x", "boolean", source="cough")]
    assert CATALOGUE.with_fields(answers, requests={"cough": ["symptom"]})["answer.cough.x"].kind == "boolean"
