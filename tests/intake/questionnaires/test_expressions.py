"""What a form computes: scores, conditions, options, texts, starting values; and what bounds it."""

import time
from typing import Any

import pytest

from intake.questionnaires import QuestionnaireError
from tests.intake.questionnaires.forms import (
    SYSTEM,
    answer,
    answers_of,
    choice,
    coded,
    expression,
    ext,
    form,
    group,
    item,
    messages,
    posted,
    when,
)

CALCULATED, ENABLED, INITIAL = "sdc:calculatedExpression", "sdc:enableWhenExpression", "sdc:initialExpression"
FREQUENCY = ("never", "sometimes", "often", "always")


def by_id(link_id: str) -> str:
    return f"%resource.repeat(item).where(linkId='{link_id}').answer.value"


def scored_form(total: str) -> Any:
    """Nine scored questions and a total, as depression scales have them."""
    questions = [choice(f"q{n}", *FREQUENCY, scores=True, required=True) for n in range(1, 10)]
    return form(
        group(
            "scale", *questions, item("integer", "total", readOnly=True, ext=[expression(CALCULATED, total)])
        ),
        item("display", "high", "Please also call us.", ext=[expression(ENABLED, f"{by_id('total')} >= 20")]),
        item("string", "more", enableWhen=[when("total", ">=", answerInteger=10)]),
    )


@pytest.mark.parametrize(
    "total",
    [
        "%resource.item.where(linkId='scale').item.answer.value.ordinal().sum()",
        "%resource.repeat(item).answer.value.weight().sum()",
        "%resource.repeat(item).answer.value.extension('http://hl7.org/fhir/StructureDefinition/ordinalValue').value.sum()",
        "%resource.descendants().where(linkId.startsWith('q')).answer.value.ordinal().aggregate($this + $total, 0)",
    ],
)
def test_a_score_is_added_up_and_rules_can_use_it(total: str) -> None:
    q = scored_form(total)
    state = answer(q, **{f"q{n}": "always" for n in range(1, 10)})
    assert state.facts()["total"] == 27
    assert state.facts()["q1:score"] == 3
    assert answers_of(state)["total"] == [27]
    assert state.enabled("high")
    assert state.enabled("more")
    low = answer(q, **{f"q{n}": "sometimes" for n in range(1, 10)})
    assert low.facts()["total"] == 9
    assert not low.enabled("high")
    assert not low.enabled("more")
    total = {"link_id": "total", "name": "i.total", "label": "About total", "value": "9", "kind": "integer"}
    assert low.summary()[-1] == total


def test_a_computed_answer_cannot_be_posted_over() -> None:
    q = scored_form("1")
    assert answer(q, total="27").facts()["total"] == 1


def test_variables_reach_what_is_below_them() -> None:
    q = form(
        group(
            "body",
            item("decimal", "height"),
            item("decimal", "weight"),
            item(
                "decimal",
                "bmi",
                readOnly=True,
                ext=[
                    expression(CALCULATED, "%kg / (%m * %m)"),
                    ext("maxDecimalPlaces", valueInteger=1),
                ],
            ),
            ext=[
                expression("variable", "item.where(linkId='weight').answer.value", name="kg"),
                expression("variable", "item.where(linkId='height').answer.value / 100", name="m"),
            ],
        )
    )
    state = answer(q, height="180", weight="81")
    assert state.facts()["bmi"] == 25
    assert answer(q, height="180").facts().get("bmi") is None
    with pytest.raises(QuestionnaireError):
        form(
            group("g", item("string", "a"), ext=[expression("variable", "1", name="x")]),
            item("integer", "b", ext=[expression(CALCULATED, "%x")]),
        )


def test_in_rows_a_variable_sees_its_own_row() -> None:
    q = form(
        group(
            "dose",
            item("integer", "pills"),
            item("integer", "times"),
            item(
                "integer",
                "day",
                readOnly=True,
                ext=[expression(CALCULATED, "%p * item.where(false).count() + %p * %t")],
            ),
            repeats=True,
            ext=[
                expression("variable", "item.where(linkId='pills').answer.value", name="p"),
                expression("variable", "item.where(linkId='times').answer.value", name="t"),
            ],
        )
    )
    state = posted(
        q, {"i.dose.0.pills": "2", "i.dose.0.times": "3", "i.dose.1.pills": "1", "i.dose.1.times": "1"}
    )
    assert state.facts()["day"] == [6, 1]


def test_computations_build_on_each_other() -> None:
    steps = [item("integer", "n0")]
    steps += [
        item("integer", f"n{k}", ext=[expression(CALCULATED, f"{by_id(f'n{k - 1}')} + 1")])
        for k in range(1, 20)
    ]
    assert answer(form(*reversed(steps)), n0="1").facts()["n19"] == 20


def test_expressions_enable_and_disable() -> None:
    q = form(
        item("integer", "age"),
        item("string", "guardian", required=True, ext=[expression(ENABLED, f"{by_id('age')} < 18")]),
        item("string", "school", required=True, ext=[expression(ENABLED, f"{by_id('guardian')}.exists()")]),
    )
    assert answer(q, age="30", guardian="x").errors == []
    assert answers_of(answer(q, age="30", guardian="x", school="y")) == {"age": [30]}
    assert list(messages(answer(q, age="9"))) == ["i.guardian"]
    assert list(messages(answer(q, age="9", guardian="x"))) == ["i.school"]


def test_a_condition_told_in_an_expression_hides_a_group_without_rows_too() -> None:
    q = form(
        item("boolean", "a"),
        group("g", item("string", "b"), repeats=True, ext=[expression(ENABLED, by_id("a"))]),
    )
    assert not answer(q, a="false").enabled("g")
    assert answer(q, a="true").enabled("g")


def test_answers_start_from_the_patient() -> None:
    q = form(
        item("string", "name", ext=[expression(INITIAL, "%patient.name.first().text")]),
        item("date", "born", ext=[expression(INITIAL, "%patient.birthDate")]),
        item(
            "choice",
            "sex",
            answerValueSet="http://hl7.org/fhir/ValueSet/administrative-gender",
            ext=[expression(INITIAL, "%patient.gender")],
        ),
        item("date", "today", ext=[expression(INITIAL, "today()")]),
        item(
            "boolean",
            "adult",
            readOnly=True,
            ext=[expression(INITIAL, "%patient.birthDate <= today() - 18 years")],
        ),
        ext=[
            ext(
                "sdc:launchContext",
                extension=[
                    {"url": "name", "valueCoding": {"code": "patient"}},
                    {"url": "type", "valueCode": "Patient"},
                ],
            )
        ],
    )
    found = answers_of(answer(q))
    assert found["name"] == ["Maya Ortiz"]
    assert found["born"] == ["1980-02-29"]
    assert found["sex"][0]["code"] == "female"
    assert found["today"] == ["2025-05-20"]
    assert found["adult"] == [True]
    assert answers_of(answer(q, name="", born="1980-03-01")).get("name") is None


def test_initial_values_and_preselected_options_are_there_until_touched() -> None:
    options = coded("a", "b")
    options[1]["initialSelected"] = True
    q = form(
        item("choice", "c", answerOption=options),
        item("string", "s", initial=[{"valueString": "as usual"}]),
        item(
            "string",
            "h",
            initial=[{"valueString": "secret"}],
            ext=[ext("questionnaire-hidden", valueBoolean=True)],
        ),
        item("boolean", "b", initial=[{"valueBoolean": False}]),
        item("quantity", "w", initial=[{"valueQuantity": {"value": 3, "unit": "kg"}}]),
        item("string", "many", repeats=True, initial=[{"valueString": "x"}, {"valueString": "y"}]),
        item("open-choice", "o", answerOption=coded("a"), initial=[{"valueString": "mine"}]),
    )
    state = answer(q)
    assert state.facts() == {
        "c": "b",
        "s": "as usual",
        "h": "secret",
        "b": False,
        "w": 3,
        "many": ["x", "y"],
        "o": "~other",
    }
    touched = posted(q, {f"i.{name}": [] for name in ("c", "s", "b", "w", "many", "o")})
    assert touched.facts() == {"h": "secret"}
    assert [line["link_id"] for line in state.summary()].count("h") == 0


def test_options_can_come_from_answers() -> None:
    q = form(
        item("string", "name", repeats=True),
        item("choice", "which", ext=[expression("sdc:answerExpression", by_id("name"))]),
    )
    state = answer(q, name=["Ann", "Bo"], which="Bo")
    assert [option.key for option in state.nodes("which")[0].options] == ["Ann", "Bo"]
    assert answers_of(state)["which"] == ["Bo"]
    assert "i.which" in messages(answer(q, name=["Ann"], which="Bo"))


def test_options_can_come_and_go() -> None:
    toggle = ext(
        "sdc:answerOptionsToggleExpression",
        extension=[
            {"url": "option", "valueCoding": {"system": SYSTEM, "code": "b"}},
            {
                "url": "expression",
                "valueExpression": {"language": "text/fhirpath", "expression": by_id("adult")},
            },
        ],
    )
    q = form(item("boolean", "adult"), choice("c", "a", "b", ext=[toggle]))
    assert [o.key for o in answer(q, adult="false").nodes("c")[0].options] == ["a"]
    assert answer(q, adult="true", c="b").errors == []
    assert answer(q, adult="false", c="b").errors != []


def test_texts_can_be_computed() -> None:
    dynamic = {"extension": [expression("cqf-expression", f"'Hello ' & {by_id('name')}")]}
    q = form(item("string", "name"), item("display", "d", _text=dynamic))
    assert answer(q, name="Ann").nodes("d")[0].text == "Hello Ann"


def test_a_total_that_only_a_library_can_work_out_is_left_out_with_a_warning() -> None:
    cql = ext("cqf-expression", valueExpression={"language": "text/cql", "expression": "Total"})
    q = form(item("string", "a"), item("integer", "total", required=True, ext=[cql]))
    assert q.warnings
    assert answer(q).errors == []
    assert "total" not in answer(q).facts()


def test_queries_against_a_record_stay_empty_and_are_told() -> None:
    query = ext(
        "variable",
        valueExpression={
            "name": "Obs",
            "language": "application/x-fhir-query",
            "expression": "Observation?x",
        },
    )
    q = form(item("string", "a", ext=[expression(INITIAL, "%Obs.entry.resource.first().value")]), ext=[query])
    assert any("record server" in warning.sentence for warning in q.warnings)
    assert answer(q).facts() == {}


def test_what_cannot_be_worked_out_shows_the_question_rather_than_hiding_it() -> None:
    q = form(
        item("string", "word", repeats=True),
        item("string", "q", ext=[expression(ENABLED, f"{by_id('word')}.single() = 'x'")]),
    )
    state = answer(q, word=["a", "b"])
    assert state.enabled("q")
    assert state.faults


@pytest.mark.parametrize(
    "endless",
    [
        "(1|2|3|4|5|6|7|8|9|10).repeat($this + 1).count()",
        "'a'.repeat($this + 'a').count()",
        "%resource.descendants().select(%resource.descendants().select(%resource.descendants().select(%resource.descendants().select(%resource.descendants())))).count()",
        "(1 | 2).select(10.power(900)).count()",
        "'" + "a" * 3000 + "'.replace('a', '" + "b" * 3000 + "').length()",
        "'" + "a" * 40 + "!'.matches('^(a+)+$') and (1).repeat($this + 1).exists()",
    ],
)
def test_an_endless_computation_is_stopped_soon_and_refused(endless: str) -> None:
    before = time.perf_counter()
    with pytest.raises(QuestionnaireError):
        form(
            *[item("string", f"s{n}") for n in range(20)],
            item("integer", "a", ext=[expression(CALCULATED, endless)]),
        )
    assert time.perf_counter() - before < 8


def test_the_whole_form_has_one_budget() -> None:
    heavy = "%resource.descendants().select(%resource.descendants().count()).count() * 0 + 1"
    before = time.perf_counter()
    with pytest.raises(QuestionnaireError, match="too long"):
        form(
            *[item("string", f"s{n}") for n in range(30)],
            *[item("integer", f"c{n}", ext=[expression(CALCULATED, f"{heavy} + {n}")]) for n in range(10)],
        )
    assert time.perf_counter() - before < 8


def test_what_an_expression_gave_is_kept_only_while_nothing_it_looked_at_changes() -> None:
    """Each of these depends on the one before it through another way of looking: at the item, around it, at all."""
    q = form(
        item("integer", "a"),
        item(
            "integer", "b", ext=[expression(CALCULATED, "%resource.item.where(linkId='a').answer.value + 1")]
        ),
        item(
            "integer",
            "c",
            ext=[expression(CALCULATED, "%resource.repeat(item).where(linkId='b').answer.value + 1")],
        ),
        item(
            "integer",
            "d",
            ext=[expression(CALCULATED, "%resource.item.where(linkId != 'd').answer.value.sum()")],
        ),
        group(
            "g",
            item("integer", "e", ext=[expression(CALCULATED, "%told + 1")]),
            item("boolean", "f", ext=[expression(ENABLED, "%context.linkId = 'f' and %told > 5")]),
            item("boolean", "h", ext=[expression(ENABLED, "%context.linkId = 'h' and %told > 50")]),
            ext=[expression("variable", "%above.first() * 2", name="told")],
        ),
        ext=[expression("variable", "item.where(linkId='c').answer.value", name="above")],
    )
    state = answer(q, a="3")
    assert [state.value(name) for name in "bcde"] == [4, 5, 12, 11]
    assert state.enabled("f")
    assert not state.enabled("h")


def test_variables_that_name_each_other_in_a_circle_are_a_fault_only_as_long_as_they_do() -> None:
    round_about = [
        expression("variable", "iif(%resource.item.where(linkId='turn').answer.value, %two, 1)", name="one"),
        expression("variable", "%one + 1", name="two"),
    ]
    q = form(
        item("boolean", "turn"),
        item("integer", "sum", ext=[expression(CALCULATED, "%one + %two")]),
        ext=round_about,
    )
    assert answer(q, turn="false").value("sum") == 3
    assert answer(q, turn="true").value("sum") is None
    assert any("depends on itself" in sentence for _path, sentence in answer(q, turn="true").faults)


def test_the_same_answers_always_give_the_same_state() -> None:
    q = scored_form("%resource.repeat(item).answer.value.ordinal().sum()")
    raw = {f"q{n}": FREQUENCY[n % 4] for n in range(1, 10)}
    first, second = answer(q, **raw), answer(q, **raw)
    assert first.response() == second.response()
    assert first.facts() == second.facts()
    assert [(n.name, n.enabled) for n in first._tree.walk()] == [
        (n.name, n.enabled) for n in second._tree.walk()
    ]
