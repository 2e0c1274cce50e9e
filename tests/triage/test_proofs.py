"""Proofs are held to the truth: of small catalogues, every request is tried, and every verdict must agree."""

import json
from collections.abc import Iterator
from random import Random
from typing import Any

import pytest
import z3
from hypothesis import Phase, given, settings
from hypothesis import strategies as st

from tests.triage import rule_cases as cases
from triage.conditions import Always, evaluate, holds_of
from triage.engine import FIRST_MATCH, Decision, Ruleset, RulesetError, compile_ruleset, decide
from triage.fields import CATEGORY, WHOLE, Catalogue, Field, built_in
from triage.promises import Promise, outcomes_of, read_promises
from triage.proofs import DoesNotReplay, compare, find_overlaps, prove
from triage.proofs.allowed import Forms
from triage.proofs.encoding import Encoding
from triage.proofs.subject import Subject
from triage.proofs.world import OneOf, Several, World
from triage.ruleset import LISTS, Rule

# Each example tries every request: shrinking takes minutes and can't shorten rules drawn from a seed.
few = settings(cases.calm, max_examples=25, phases=[Phase.explicit, Phase.reuse, Phase.generate])
ALWAYS = {"always": True}
EMERGENCY = {"field": "signal.emergency", "op": "is", "value": True}
REFILL = {"field": "request.type", "op": "is", "value": "refill"}
BELOW_URGENT = {"field": "decision.urgency", "op": "lt", "value": "urgent"}
CATALOGUE = built_in(
    request_types=[("refill", "Refill"), ("symptom", "Symptom")], signal_codes=[("chest", "Chest pain")]
)


def rule(name: str, stage: str, when: Any, **then: Any) -> dict[str, Any]:
    return {"name": name, "stage": stage, "when": when, "then": then}


def ruleset(*rules: Any, catalogue: Catalogue = CATALOGUE) -> Ruleset:
    return compile_ruleset(rules, 1, catalogue, fallback="desk")


def some_ruleset(chance: Random, catalogue: Catalogue) -> Ruleset:
    rules = cases.some_rules(chance, catalogue)
    if chance.random() < 0.5:
        rules.append(rule("the rest", "assignment", ALWAYS, queue="desk"))
    return ruleset(*rules, catalogue=catalogue)


def decisions(rules: Ruleset, catalogue: Catalogue) -> Iterator[tuple[dict[str, Any], Decision]]:
    """Every request that the forms allow, and what is decided about it."""
    for facts in cases.requests_of(catalogue):
        yield facts, decide(rules, facts)


# --- the model is the engine


def pinned(world: World, facts: dict[str, Any]) -> list[Any]:
    """Formulas that say that the facts are exactly these."""
    known = world.catalogue.read(facts)
    formulas = []
    for key, domain in world.domains.items():
        value = known.get(key)
        formulas.append(domain.answered if key in known else world.negated(domain.answered))
        if isinstance(domain, Several):
            for code, formula in domain.codes.items():
                here = isinstance(value, frozenset) and code in value
                formulas.append(formula if here else world.negated(formula))
        elif value is not None:
            formulas.append(world.named(world.any_of(alike(world, key, value))))
    return formulas


def alike(world: World, key: str, value: Any) -> list[Any]:
    """The formulas of the cells whose values no test can tell from this one."""
    domain, whole = world.domains[key], world.catalogue[key].kind in WHOLE
    assert isinstance(domain, OneOf)
    return [
        formula
        for cell, (_, formula) in zip(world.cells[key], domain.values, strict=True)
        if (not whole or cell.low <= value <= cell.high)
        and all(holds_of(test, cell.value) == holds_of(test, value) for test in world.tests[key])
    ]


def modelled(encoding: Encoding, model: z3.ModelRef, outcome: str) -> Any:
    """What the model says of one outcome."""
    domain, holds = encoding.outcome(outcome), encoding.world.holds
    if isinstance(domain, OneOf):
        found = [value for value, formula in domain.values if holds(formula, model)]
        assert len(found) == holds(domain.answered, model)
        return found[0] if found else None
    return {code for code, formula in domain.codes.items() if holds(formula, model)}


@few
@given(catalogue=cases.catalogues, chance=cases.seeds, data=st.data())
def test_the_model_decides_as_the_engine_does(
    catalogue: Catalogue, chance: Random, data: st.DataObject
) -> None:
    rules = some_ruleset(chance, catalogue)
    subject = Subject(rules, catalogue, seconds=60)
    world, encoding = subject.world, subject.encoding
    outcomes = ["queue", "urgency", "floor", "category", "respond_within", "protocol", *LISTS]
    for outcome in outcomes:
        encoding.outcome(outcome)
    for _ in range(8):
        facts = data.draw(cases.facts(catalogue))
        facts = {key: value for key, value in facts.items() if key in world.domains}
        if world.ask(*pinned(world, facts)) == "no":
            assert not subject.forms.allow(facts)
            continue
        # Cells may be allowed together where these values of them are not, such as age 3 and 50 months.
        model, decision = world.solver.model(), decide(rules, facts)
        example = world.facts(model)
        assert subject.forms.allow(example)
        assert decide(rules, example).set_by == decision.set_by
        for tried in decision.trace:
            assert world.holds(encoding.fires[tried.rule], model) == bool(tried.fired)
        for outcome in outcomes:
            value = getattr(decision, outcome)
            assert modelled(encoding, model, outcome) == (set(value) if outcome in LISTS else value)
        assert world.holds(encoding.queue_by_rule.answered, model) != decision.fell_back


# --- the verdicts are true


@few
@given(catalogue=cases.catalogues, chance=cases.seeds)
def test_totality_and_reachability_are_what_trying_every_request_shows(
    catalogue: Catalogue, chance: Random
) -> None:
    rules = some_ruleset(chance, catalogue)
    report = prove(rules, catalogue, seconds=60)
    fell_back, fired = False, set()
    for _, decision in decisions(rules, catalogue):
        fell_back |= decision.fell_back
        fired |= {*decision.fired}
    assert report.totality.verdict == ("refuted" if fell_back else "proven")
    if report.totality.example is not None:
        assert decide(rules, report.totality.example).fell_back
    silent = {one.name for one in rules.rules} - fired
    assert {one.rule for one in report.reachability.unreachable} == silent
    assert report.reachability.verdict == ("refuted" if silent else "proven")
    assert report.sound == (not fell_back and not silent)
    json.dumps(report.to_json())


@few
@given(catalogue=cases.catalogues, chance=cases.seeds)
def test_the_rules_that_shadow_another_really_do_and_each_is_needed(
    catalogue: Catalogue, chance: Random
) -> None:
    rules = some_ruleset(chance, catalogue)
    conditions = {one.name: one.when for one in rules.rules}
    by_stage = {one.name: one.stage for one in rules.rules}
    for one in prove(rules, catalogue, seconds=60).reachability.unreachable:
        category_free = one.stage not in ("assignment", "priority")
        assert all(by_stage[name] == one.stage for name in one.shadowed_by)
        assert one.stage in FIRST_MATCH or not one.shadowed_by
        for left_out in (None, *one.shadowed_by):
            passing = False
            for facts, decision in decisions(rules, catalogue):
                known = catalogue.read(facts)
                if not category_free and decision.category:
                    known[CATEGORY] = decision.category
                taken = [
                    name
                    for name in one.shadowed_by
                    if name != left_out and evaluate(conditions[name], known) is True
                ]
                passing |= not taken and evaluate(conditions[one.rule], known) is True
            assert passing == (left_out is not None)


PROMISED = (
    {"field": "decision.queue", "op": "in", "value": ["physician", "nurse"]},
    BELOW_URGENT,
    {"field": "decision.floor", "op": "is", "value": "routine"},
    {"field": "decision.respond_within", "op": "gt", "value": 60},
    {"field": "decision.respond_within", "op": "missing"},
    {"field": "decision.tags", "op": "includes", "value": "a"},
    {"field": "decision.tags", "op": "excludes", "value": ["a", "b"]},
    {"field": "decision.category", "op": "is_not", "value": "lungs"},
    {"not": {"field": "decision.protocol", "op": "is", "value": "p1"}},
    {"field": "decision.advice", "op": "includes", "value": "Call us."},
)


@few
@given(catalogue=cases.catalogues, chance=cases.seeds)
def test_a_promise_is_kept_exactly_if_no_request_breaks_it(catalogue: Catalogue, chance: Random) -> None:
    rules = some_ruleset(chance, catalogue)
    told = [
        {"name": f"{n}", "whenever": cases.a_condition(chance, catalogue), "never": chance.choice(PROMISED)}
        for n in range(4)
    ]
    promises = read_promises(told, catalogue)
    report = prove(rules, catalogue, promises, seconds=60)
    for promise, kept in zip(promises, report.promises, strict=True):
        breaking, applies = [], False
        for facts, decision in decisions(rules, catalogue):
            known = catalogue.read(facts)
            applies |= evaluate(promise.whenever, {**known, **outcomes_of(decision)}) is True
            if promise.broken_by(known, decision):
                breaking.append(facts)
        assert kept.verdict == ("refuted" if breaking else "proven")
        assert kept.vacuous == (not applies)
        if kept.example is not None:
            assert promise.broken_by(catalogue.read(kept.example), decide(rules, kept.example))
            assert Forms(catalogue).allow(kept.example)
            assert size(kept.example) == min(map(size, breaking))


def size(facts: dict[str, Any]) -> int:
    return sum(1 + len(value) if isinstance(value, list) else 1 for value in facts.values())


@few
@given(catalogue=cases.catalogues, chance=cases.seeds)
def test_a_comparison_finds_every_kind_of_change_and_no_other(catalogue: Catalogue, chance: Random) -> None:
    old, new = some_ruleset(chance, catalogue), some_ruleset(chance, catalogue)
    difference = compare(old, new, catalogue, seconds=60)
    expected = set()
    for facts, before in decisions(old, catalogue):
        expected |= {*changes_between(before, decide(new, facts))}
    assert {(one.outcome, one.before, one.after) for one in difference.changes} == expected
    assert difference.verdict == ("refuted" if expected else "proven")
    for one in difference.changes:
        shown = changes_between(decide(old, one.example), decide(new, one.example))
        assert (one.outcome, one.before, one.after) in shown
    json.dumps(difference.to_json())


def changes_between(before: Decision, after: Decision) -> Iterator[tuple[str, Any, Any]]:
    for name in ("queue", "urgency", "floor", "category", "respond_within", "protocol"):
        one, other = getattr(before, name), getattr(after, name)
        if one != other:
            yield name, one, other
    for name in LISTS:
        had, has = {*getattr(before, name)}, {*getattr(after, name)}
        yield from ((name, code, None) for code in had - has)
        yield from ((name, None, code) for code in has - had)


@few
@given(catalogue=cases.catalogues, chance=cases.seeds)
def test_rulesets_decide_alike_when_only_the_order_of_safety_rules_differs(
    catalogue: Catalogue, chance: Random
) -> None:
    rules = [told for told in cases.some_rules(chance, catalogue) if told["stage"] == "safety"]
    for told in rules:
        told["then"].pop("queue", None)
        told["then"].pop("protocol", None)
    turned = ruleset(*reversed(rules), catalogue=catalogue)
    assert compare(ruleset(*rules, catalogue=catalogue), turned, catalogue, seconds=60).verdict == "proven"


@few
@given(catalogue=cases.catalogues, chance=cases.seeds)
def test_overlaps_are_the_pairs_whose_order_matters_for_some_request(
    catalogue: Catalogue, chance: Random
) -> None:
    rules = some_ruleset(chance, catalogue)
    found = {(one.first, one.second) for one in find_overlaps(rules, catalogue, seconds=60)}
    expected: set[tuple[str, str]] = set()
    for facts, decision in decisions(rules, catalogue):
        known = catalogue.read(facts) | ({CATEGORY: decision.category} if decision.category else {})
        for place, first in enumerate(rules.rules):
            if first.name in decision.fired and first.when != Always():
                for second in rules.rules[place + 1 :]:
                    same = second.stage == first.stage and second.when != Always()
                    if same and differ(first, second, decision) and evaluate(second.when, known) is True:
                        expected.add((first.name, second.name))
    assert found == expected


def differ(first: Rule, second: Rule, decision: Decision) -> bool:
    """Whether the second would settle something otherwise that the first settles in this decision."""
    if first.stage in FIRST_MATCH:
        return first.then != second.then
    return any(
        getattr(second.then, name) not in (None, getattr(first.then, name))
        and decision.set_by.get(name) == first.name
        for name in ("queue", "protocol")
    )


# --- told in sentences


def test_a_sound_ruleset_is_told_so() -> None:
    rules = ruleset(
        rule("emergency", "safety", EMERGENCY, urgency="urgent"),
        rule("refills", "assignment", REFILL, queue="pharmacy"),
        rule("the rest", "assignment", ALWAYS, queue="desk"),
    )
    promises = read_promises(
        [{"name": "An emergency is urgent", "whenever": EMERGENCY, "never": BELOW_URGENT}], CATALOGUE
    )
    report = prove(rules, CATALOGUE, promises)
    assert report.sound
    assert [*report.sentences()] == [
        "Every request that the forms allow gets a queue from a rule.",
        "Every rule can fire.",
        "“An emergency is urgent” is kept for every request that the forms allow.",
    ]


def test_what_is_wrong_is_told_with_an_example() -> None:
    rules = ruleset(
        rule("old", "assignment", {"field": "patient.age", "op": "ge", "value": 65}, queue="nurse"),
        rule("young", "assignment", {"field": "patient.age", "op": "lt", "value": 65}, queue="desk"),
        rule("forty", "assignment", {"field": "patient.age", "op": "is", "value": 40}, queue="forty"),
        rule("ageless", "priority", {"field": "patient.age", "op": "gt", "value": 130}, urgency="soon"),
    )
    told = [
        {"name": "urgent", "whenever": EMERGENCY, "never": BELOW_URGENT},
        {
            "name": "misspelt",
            "whenever": ALWAYS,
            "never": {"field": "decision.queue", "op": "is", "value": "phys"},
        },
    ]
    report = prove(rules, CATALOGUE, read_promises(told, CATALOGUE))
    assert not report.sound
    assert report.totality.example == {}
    assert [*report.sentences()] == [
        "No rule gives a queue to this request, which goes to the fallback: nothing known at all.",
        "“forty” can never fire: every request it is for is taken before by “young”.",
        "“ageless” can never fire: no request that the forms allow meets its condition.",
        "“urgent” is broken by this request: emergency found in the text: yes; nothing else known. "
        "No rule fires.",
        "“misspelt” is kept for every request that the forms allow.",
        "“misspelt” names what no rule sets: “phys”. Is it misspelt?",
    ]


def test_a_missing_age_is_what_two_halves_leave_out() -> None:
    """The usual surprise: “below 65” and “at least 65” are not everybody."""
    old, young = ({"field": "patient.age", "op": op, "value": 65} for op in ("ge", "lt"))
    halves = [rule("old", "assignment", old, queue="nurse"), rule("young", "assignment", young, queue="desk")]
    assert prove(ruleset(*halves), CATALOGUE).totality.verdict == "refuted"
    unknown = rule("unknown", "assignment", {"field": "patient.age", "op": "missing"}, queue="desk")
    assert prove(ruleset(*halves, unknown), CATALOGUE).sound


def test_what_the_forms_never_ask_together_is_no_counter_example() -> None:
    cough = [Field("answer.cough.blood", "blood", "boolean", source="cough")]
    catalogue = CATALOGUE.with_fields(cough, requests={"cough": ["symptom"]})
    blood = {"field": "answer.cough.blood", "op": "is", "value": True}
    rules = ruleset(
        rule(
            "symptoms", "safety", {"field": "request.type", "op": "is", "value": "symptom"}, urgency="urgent"
        ),
        rule("the rest", "assignment", ALWAYS, queue="desk"),
        catalogue=catalogue,
    )
    promises = read_promises([{"name": "blood", "whenever": blood, "never": BELOW_URGENT}], catalogue)
    assert prove(rules, catalogue, promises).sound
    never = {"all": [blood, {"field": "request.type", "op": "is", "value": "symptom"}]}
    [kept] = prove(rules, catalogue.with_fields([], never=[never]), promises).promises
    assert (kept.verdict, kept.vacuous) == ("proven", True)


def test_a_rule_that_takes_nothing_from_another_is_not_named(monkeypatch: pytest.MonkeyPatch) -> None:
    """The solver may name more than it needs; here it names all."""
    child, adult = ({"field": "patient.age", "op": op, "value": 18} for op in ("lt", "ge"))
    rules = ruleset(
        rule("night", "assignment", {"field": "time.open", "op": "is", "value": False}, queue="nurse"),
        rule("child", "assignment", child, queue="desk"),
        rule("adult", "assignment", adult, queue="desk"),
        rule("aged", "assignment", {"field": "patient.age", "op": "answered"}, queue="moon"),
    )
    subject = Subject(rules, CATALOGUE, seconds=60)
    passed = [subject.world.negated(formula) for formula in subject.encoding.holds.values()]
    monkeypatch.setattr(z3.Solver, "unsat_core", lambda _: passed)
    [one] = subject.reachability().unreachable
    assert (one.rule, one.shadowed_by) == ("aged", ("child", "adult"))


def test_years_and_months_of_an_example_are_of_one_age() -> None:
    """The small catalogue has years of three months."""
    old = {"field": "patient.age", "op": "ge", "value": 2}
    months = {"field": "patient.age_months", "op": "ge", "value": 3}
    rules = ruleset(rule("old", "assignment", {"all": [old, months]}, queue="nurse"), catalogue=cases.NUMBERS)
    told = [{"name": "old", "whenever": old, "never": {"all": [months, {"not": BELOW_URGENT}]}}]
    told += [{"name": "months", "whenever": {"all": [old, months]}, "never": BELOW_URGENT}]
    report = prove(rules, cases.NUMBERS, read_promises(told, cases.NUMBERS))
    assert [kept.example for kept in report.promises] == [None, {"patient.age": 2, "patient.age_months": 6}]
    young = {"all": [old, {"field": "patient.age_months", "op": "lt", "value": 6}]}
    never = ruleset(rule("young", "assignment", young, queue="nurse"), catalogue=cases.NUMBERS)
    assert [one.rule for one in prove(never, cases.NUMBERS).reachability.unreachable] == ["young"]


def test_an_overlap_names_both_rules_and_says_which_is_the_special_case() -> None:
    chest = {"field": "signal.codes", "op": "includes", "value": "chest"}
    rules = ruleset(
        rule("chest refills", "assignment", {"all": [REFILL, chest]}, queue="nurse"),
        rule("refills", "assignment", REFILL, queue="pharmacy"),
        rule("chest", "assignment", chest, queue="physician"),
        rule("the rest", "assignment", ALWAYS, queue="desk"),
    )
    overlaps = find_overlaps(rules, CATALOGUE)
    assert overlaps.complete
    assert [(one.first, one.second, one.special) for one in overlaps] == [
        ("chest refills", "refills", True),
        ("chest refills", "chest", True),
    ]
    assert next(overlaps.sentences()) == (
        "“chest refills”, its special case, comes before “refills” and gives queue nurse, not pharmacy: "
        "request type: Refill; signals found in the text: Chest pain; nothing else known."
    )


def test_a_negation_narrows_a_rule_as_far_as_it_says_and_no_further() -> None:
    aged, ageless = ({"not": {"field": "patient.age", "op": op}} for op in ("missing", "answered"))
    rules = ruleset(
        rule("aged", "assignment", aged, queue="nurse"),
        rule("child", "assignment", {"field": "patient.age", "op": "lt", "value": 12}, queue="desk"),
        rule("ageless", "assignment", ageless, queue="physician"),
    )
    assert [(one.first, one.second, one.special) for one in find_overlaps(rules, CATALOGUE)] == [
        ("aged", "child", False)
    ]


def test_a_change_is_told_with_a_request_that_shows_it() -> None:
    rest = rule("the rest", "assignment", ALWAYS, queue="desk")
    refills = rule("refills", "assignment", REFILL, queue="pharmacy", tags=["refill"])
    difference = compare(ruleset(rest), ruleset(refills, rest), CATALOGUE)
    assert [*difference.sentences()] == [
        "Queue changes from desk to pharmacy: request type: Refill; nothing else known.",
        "Tags changes from none to refill: request type: Refill; nothing else known.",
    ]


# --- no more than can be said


def test_without_time_nothing_is_proven_and_it_is_said() -> None:
    rules = ruleset(rule("the rest", "assignment", ALWAYS, queue="desk"))
    promises = read_promises([{"name": "urgent", "whenever": EMERGENCY, "never": BELOW_URGENT}], CATALOGUE)
    report = prove(rules, CATALOGUE, promises, seconds=0)
    assert not report.sound
    assert {report.totality.verdict, report.reachability.verdict, report.promises[0].verdict} == {"undecided"}
    assert all("not proven" in sentence for sentence in report.sentences())
    other = ruleset(rule("refills", "assignment", REFILL, queue="desk"))
    assert compare(rules, other, CATALOGUE, seconds=0).verdict == "undecided"


def test_an_example_that_does_not_replay_is_an_error_and_no_proof(monkeypatch: pytest.MonkeyPatch) -> None:
    rules = ruleset(rule("refills", "assignment", REFILL, queue="pharmacy"))
    monkeypatch.setattr(World, "find", lambda *_args, **_more: ("yes", {"request.type": "refill"}))
    with pytest.raises(DoesNotReplay):
        prove(rules, CATALOGUE)


def test_a_promise_knows_its_own_words() -> None:
    told = {"name": "urgent", "whenever": EMERGENCY, "never": BELOW_URGENT, "note": "By policy."}
    [promise] = read_promises([told], CATALOGUE)
    assert isinstance(promise, Promise)
    assert promise.to_json() == told


@pytest.mark.parametrize(
    ("told", "problem"),
    [
        ("?", ("promise 1", "")),
        ({"whenever": ALWAYS, "never": BELOW_URGENT}, ("promise 1", "name")),
        ({"name": "a", "whenever": ALWAYS}, ("a", "never")),
        ({"name": "a", "whenever": {"all": []}, "never": BELOW_URGENT}, ("a", "whenever.all")),
        ({"name": "a", "whenever": ALWAYS, "never": BELOW_URGENT, "note": 3}, ("a", "note")),
        ({"name": "b", "whenever": ALWAYS, "never": BELOW_URGENT}, ("b", "name")),
        (
            {
                "name": "a",
                "whenever": ALWAYS,
                "never": {"field": "decision.queue", "op": "is", "value": "moon"},
            },
            ("a", "never.value"),
        ),
    ],
)
def test_a_wrong_promise_is_named_with_its_field(told: Any, problem: tuple[str, str]) -> None:
    other = {"name": "b", "whenever": EMERGENCY, "never": BELOW_URGENT}
    with pytest.raises(RulesetError) as caught:
        read_promises([told, other], CATALOGUE, queues={"desk"})
    assert [(one.rule, one.field) for one in caught.value.problems] == [problem]
