"""The language of conditions: what it refuses, what it means, how it is told."""

import json
from random import Random
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.triage import rule_cases as cases
from triage.closures import closure
from triage.conditions import (
    MAX_DEPTH,
    MAX_SIZE,
    OPS,
    ConditionError,
    allowed_ops,
    describe,
    each_test,
    evaluate,
    first_failure,
    parse,
    seen_by,
    to_json,
)
from triage.fields import MISSING, built_in

CATALOGUE = built_in(
    request_types=[("refill", "Refill"), ("symptom", "Symptom")],
    languages=[("en", "English"), ("es", "Spanish")],
    signal_codes=[("chest-pain", "Chest pain"), ("bleeding", "Bleeding")],
)
REFILL = {"field": "request.type", "op": "is", "value": "refill"}


def nested(depth: int) -> Any:
    return REFILL if depth == 1 else {"not": nested(depth - 1)}


@pytest.mark.parametrize(
    ("told", "path", "word"),
    [
        (None, "", "object"),
        ([], "", "object"),
        ({}, "", "exactly one"),
        ({"all": [REFILL], "any": [REFILL]}, "", "exactly one"),
        ({"every": [REFILL]}, "", "every"),
        ({"all": []}, "all", "at least one"),
        ({"any": {"field": "x"}}, "any", "list"),
        ({"always": False}, "always", "only be true"),
        ({"all": [REFILL, {"not": {"any": []}}]}, "all[1].not.any", "at least one"),
        ({"field": "request.type"}, "op", "not an operator"),
        ({"op": "is", "value": 1}, "field", "names the field"),
        ({"field": "request.type", "op": "equals", "value": "refill"}, "op", "equals"),
        ({"field": "request.type", "op": "is"}, "value", "needs a value"),
        ({"field": "request.type", "op": "is", "value": "refill", "not": True}, "", "not part of a test"),
        ({"field": "request.kind", "op": "is", "value": "refill"}, "field", "no field"),
        ({"field": "request.type", "op": "is", "value": "bill"}, "value", "not a choice"),
        ({"field": "request.type", "op": "is", "value": 3}, "value", "a code"),
        ({"field": "request.type", "op": "in", "value": "refill"}, "value", "list"),
        ({"field": "request.type", "op": "in", "value": []}, "value", "list"),
        ({"field": "request.type", "op": "in", "value": ["refill", "refill"]}, "value", "twice"),
        ({"field": "request.type", "op": "in", "value": ["refill", "bill"]}, "value[1]", "not a choice"),
        ({"field": "request.type", "op": "lt", "value": "refill"}, "op", "can't be asked"),
        ({"field": "request.type", "op": "missing", "value": None}, "value", "no value"),
        ({"field": "patient.age", "op": "ge", "value": "65"}, "value", "a number"),
        ({"field": "patient.age", "op": "ge", "value": True}, "value", "a number"),
        ({"field": "patient.age", "op": "ge", "value": 64.5}, "value", "whole number"),
        ({"field": "patient.age", "op": "ge", "value": float("nan")}, "value", "finite"),
        ({"field": "patient.age", "op": "ge", "value": 10**30}, "value", "at most"),
        ({"field": "patient.age", "op": "between", "value": [5]}, "value", "two values"),
        ({"field": "patient.age", "op": "between", "value": [9, 5]}, "value", "lower value first"),
        (
            {"field": "signal.urgency", "op": "between", "value": ["urgent", "soon"]},
            "value",
            "lower value first",
        ),
        ({"field": "signal.codes", "op": "is", "value": "bleeding"}, "op", "can't be asked"),
        ({"field": "signal.emergency", "op": "is", "value": "yes"}, "value", "true or false"),
        (nested(MAX_DEPTH + 1), ".".join(["not"] * MAX_DEPTH), "deep"),
        ({"all": [REFILL] * MAX_SIZE}, f"all[{MAX_SIZE - 1}]", "more than"),
    ],
)
def test_what_is_no_condition_is_refused_with_its_place_and_the_reason(
    told: Any, path: str, word: str
) -> None:
    with pytest.raises(ConditionError) as caught:
        parse(told, CATALOGUE)
    assert caught.value.path == path
    assert word in caught.value.sentence


def test_the_deepest_allowed_condition_is_read() -> None:
    assert to_json(parse(nested(MAX_DEPTH), CATALOGUE)) == nested(MAX_DEPTH)


@pytest.mark.parametrize(
    ("told", "word"),
    [
        ({"field": "x", "op": "lt", "value": "b"}, "a number or one of routine, soon, urgent"),
        ({"field": "x", "op": "lt", "value": True}, "a number"),
        ({"field": "x", "op": "includes", "value": 3}, "a code"),
        ({"field": "x", "op": "in", "value": [True]}, "a code or a number"),
        ({"field": "x", "op": "in", "value": [1, "a"]}, "mixes"),
        ({"field": "x", "op": "is", "value": [1]}, "true or false"),
        ({"field": "x", "op": "is", "value": ""}, "characters"),
    ],
)
def test_without_a_catalogue_the_operator_says_what_fits(told: Any, word: str) -> None:
    with pytest.raises(ConditionError, match=word):
        parse(told)


def test_without_a_catalogue_urgencies_still_have_their_order() -> None:
    condition = parse({"field": "signal.urgency", "op": "lt", "value": "urgent"})
    assert evaluate(condition, {"signal.urgency": "soon"}) is True
    assert evaluate(condition, {"signal.urgency": "urgent"}) is False


@cases.calm
@given(st.data())
def test_a_condition_comes_back_from_json_as_it_was(data: st.DataObject) -> None:
    catalogue = data.draw(cases.catalogues)
    told = cases.a_condition(data.draw(cases.seeds), catalogue)
    condition = parse(told, catalogue)
    assert to_json(condition) == told
    assert parse(json.loads(json.dumps(to_json(condition))), catalogue) == condition


@pytest.mark.parametrize(
    ("test", "value", "truth"),
    [
        (("request.type", "is", "refill"), "refill", True),
        (("request.type", "is_not", "refill"), "refill", False),
        (("request.type", "not_in", ["refill"]), "symptom", True),
        (("patient.age", "between", [2, 5]), 2, True),
        (("patient.age", "between", [2, 5]), 5, True),
        (("patient.age", "between", [2, 5]), 6, False),
        (("signal.urgency", "ge", "soon"), "urgent", True),
        (("signal.urgency", "ge", "soon"), "routine", False),
        (("signal.codes", "includes", "bleeding"), frozenset(), False),
        (("signal.codes", "includes_any", ["bleeding", "chest-pain"]), frozenset({"bleeding"}), True),
        (("signal.codes", "excludes", ["bleeding", "chest-pain"]), frozenset({"bleeding"}), False),
        (("signal.codes", "excludes", "bleeding"), frozenset({"chest-pain"}), True),
        (("signal.codes", "excludes", "bleeding"), frozenset(), True),
    ],
)
def test_what_each_operator_means(test: Any, value: Any, truth: bool) -> None:
    key, op, wanted = test
    condition = parse({"field": key, "op": op, "value": wanted}, CATALOGUE)
    assert evaluate(condition, {key: value}) is truth
    assert evaluate(condition, {}) is None


def test_only_answered_and_missing_are_definite_of_a_missing_field() -> None:
    missing, answered = ({"field": "patient.age", "op": op} for op in ("missing", "answered"))
    assert evaluate(parse(missing, CATALOGUE), {}) is True
    assert evaluate(parse(answered, CATALOGUE), {}) is False
    assert evaluate(parse({"not": answered}, CATALOGUE), {}) is True
    assert evaluate(parse({"not": {"field": "patient.age", "op": "lt", "value": 2}}, CATALOGUE), {}) is None


TRUTHS = (True, False, None)


def kleene(truth: bool | None) -> int:
    return {False: 0, None: 1, True: 2}[truth]


@cases.calm
@given(st.data())
def test_kleene_and_is_the_least_or_the_greatest_and_not_turns_over(data: st.DataObject) -> None:
    catalogue = data.draw(cases.catalogues)
    chance = data.draw(cases.seeds)
    parts = [cases.a_condition(chance, catalogue) for _ in range(chance.randint(1, 4))]
    known = catalogue.read(data.draw(cases.facts(catalogue)))

    def truth(told: Any) -> bool | None:
        return evaluate(parse(told, catalogue), known)

    truths = [kleene(truth(part)) for part in parts]
    assert kleene(truth({"all": parts})) == min(truths)
    assert kleene(truth({"any": parts})) == max(truths)
    assert kleene(truth({"not": parts[0]})) == 2 - truths[0]
    assert truth({"not": {"not": parts[0]}}) == truth(parts[0])
    assert truth({"not": {"all": parts}}) == truth({"any": [{"not": part} for part in parts]})
    assert truth({"not": {"any": parts}}) == truth({"all": [{"not": part} for part in parts]})


@cases.calm
@given(st.data())
def test_learning_more_never_overturns_what_was_known(data: st.DataObject) -> None:
    """But for tests that ask what is missing, a truth stays whatever else becomes known."""
    catalogue = data.draw(cases.catalogues)
    told = cases.a_condition(data.draw(cases.seeds), catalogue, definite=False)
    condition = parse(told, catalogue)
    less, more = (catalogue.read(data.draw(cases.facts(catalogue))) for _ in range(2))
    before = evaluate(condition, less)
    assert before is None or evaluate(condition, {**more, **less}) == before


@cases.calm
@given(st.data())
def test_the_closures_agree_with_the_definition(data: st.DataObject) -> None:
    catalogue = data.draw(cases.catalogues)
    condition = parse(cases.a_condition(data.draw(cases.seeds), catalogue), catalogue)
    known = catalogue.read(data.draw(cases.facts(catalogue)))
    slot_of = {key: slot for slot, key in enumerate(catalogue)}
    slots = [known.get(key, MISSING) for key in catalogue]
    truth = evaluate(condition, known)
    assert closure(condition, slot_of)(slots) == (truth is True)
    assert closure(condition, slot_of, want=False)(slots) == (truth is False)


@cases.calm
@given(st.data())
def test_what_failed_first_is_a_part_that_is_not_true(data: st.DataObject) -> None:
    catalogue = data.draw(cases.catalogues)
    condition = parse(cases.a_condition(data.draw(cases.seeds), catalogue), catalogue)
    known = catalogue.read(data.draw(cases.facts(catalogue)))
    if evaluate(condition, known) is not True:
        failed = first_failure(condition, known)
        assert evaluate(failed, known) is not True
        assert {*each_test(failed)} <= {*each_test(condition)}
        json.dumps(seen_by(failed, known))


def test_what_failed_first_is_the_test_and_the_value_it_saw() -> None:
    old = {"field": "patient.age", "op": "ge", "value": 65}
    either = {"any": [old, {"field": "patient.language", "op": "is", "value": "es"}]}
    known = CATALOGUE.read({"request.type": "refill", "patient.age": 40})
    failed = first_failure(parse({"all": [REFILL, old]}, CATALOGUE), known)
    assert (to_json(failed), seen_by(failed, known)) == (old, 40)
    failed = first_failure(parse({"all": [REFILL, either]}, CATALOGUE), known)
    assert (to_json(failed), seen_by(failed, known)) == (
        either,
        {"patient.age": 40, "patient.language": None},
    )


@pytest.mark.parametrize(
    ("told", "words"),
    [
        ({"always": True}, "always"),
        (REFILL, "request type is Refill"),
        ({"field": "patient.age", "op": "between", "value": [2, 5]}, "age is from 2 to 5 years"),
        ({"field": "patient.age", "op": "missing"}, "age was not given"),
        ({"field": "signal.emergency", "op": "is", "value": True}, "emergency found in the text: yes"),
        ({"field": "signal.emergency", "op": "is_not", "value": True}, "emergency found in the text: no"),
        (
            {"field": "request.type", "op": "not_in", "value": ["refill", "symptom"]},
            "request type is neither Refill nor Symptom",
        ),
        (
            {"all": [REFILL, {"any": [{"field": "time.open", "op": "answered"}, {"not": REFILL}]}]},
            "request type is Refill and (facility open was given or request type is not Refill)",
        ),
        ({"any": [{"all": [REFILL]}]}, "request type is Refill"),
        ({"not": {"field": "patient.age", "op": "lt", "value": 65}}, "age is at least 65 years"),
        ({"not": {"field": "patient.age", "op": "between", "value": [2, 5]}}, "age is not from 2 to 5 years"),
        (
            {"not": {"field": "signal.emergency", "op": "is", "value": True}},
            "emergency found in the text: no",
        ),
        (
            {"not": {"all": [REFILL, {"field": "signal.codes", "op": "excludes", "value": "bleeding"}]}},
            "request type is not Refill or signals found in the text includes Bleeding",
        ),
        ({"not": {"always": True}}, "never"),
    ],
)
def test_a_condition_is_told_in_plain_words(told: Any, words: str) -> None:
    assert describe(parse(told, CATALOGUE), CATALOGUE) == words


def test_what_is_drawn_at_random_holds_every_operator_on_every_shape_of_field():
    chance, drawn = Random(5), set()
    for _each in range(3_000):
        catalogue = chance.choice(cases.CATALOGUES)
        test = cases.a_test(chance, catalogue)
        drawn.add((catalogue[test["field"]].shape, test["op"], isinstance(test.get("value"), list)))
    assert {op for _shape, op, _many in drawn} == set(OPS)
    for catalogue in cases.CATALOGUES:
        for one in catalogue.values():
            assert set(allowed_ops(one)) <= {op for shape, op, _many in drawn if shape == one.shape}
    assert {("several", "excludes", True), ("several", "excludes", False)} <= drawn
