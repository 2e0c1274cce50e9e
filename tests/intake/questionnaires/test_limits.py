"""Limits an author sets, each kept, and each told in a sentence."""

from typing import Any

import pytest

from intake.questionnaires import QuestionnaireError, export, render_page
from tests.intake.questionnaires.forms import answer, choice, ext, form, group, item, messages, posted


@pytest.mark.parametrize(
    ("kind", "limit", "good", "bad"),
    [
        ("integer", ext("minValue", valueInteger=1), "1", "0"),
        ("integer", ext("maxValue", valueInteger=10), "10", "11"),
        ("decimal", ext("minValue", valueDecimal=0.5), "0.5", "0.4"),
        ("decimal", ext("maxValue", valueInteger=10), "9.99", "10.01"),
        ("decimal", ext("maxDecimalPlaces", valueInteger=1), "1.5", "1.55"),
        ("decimal", ext("maxDecimalPlaces", valueInteger=0), "2.0", "1.5"),
        ("quantity", ext("sdc:minQuantity", valueQuantity={"value": 2}), "2", "1"),
        ("quantity", ext("sdc:maxQuantity", valueQuantity={"value": 2}), "2", "3"),
        ("date", ext("minValue", valueDate="2020-01-01"), "2020-01-01", "2019-12-31"),
        ("date", ext("maxValue", valueDate="2020-01-01"), "2019-12", "2020-02"),
        ("time", ext("minValue", valueTime="08:00:00"), "08:00", "07:59"),
        ("time", ext("maxValue", valueTime="17:00:00"), "17:00", "17:01"),
        ("dateTime", ext("maxValue", valueDateTime="2025-01-01T00:00:00Z"), "2024-12-31", "2025-02-01"),
        ("string", ext("minLength", valueInteger=3), "abc", "ab"),
        ("string", ext("regex", valueString="[A-Z]{2}[0-9]+"), "AB12", "AB12x"),
        ("integer", ext("regex", valueString="[0-9]{4}"), "1234", "123"),
        ("text", ext("regex", valueString="(a+)+b"), "aab", "a" * 5000),
    ],
)
def test_a_limit_is_kept(kind: str, limit: dict[str, Any], good: str, bad: str) -> None:
    q = form(item(kind, "q", ext=[limit]))
    assert answer(q, q=good).errors == []
    (message,) = messages(answer(q, q=bad)).values()
    assert message.endswith(".")


def test_a_text_that_is_too_long_is_told_how_long_it_is() -> None:
    q = form(item("string", "q", maxLength=5))
    assert messages(answer(q, q="123456")) == {"i.q": "Please write at most 5 characters. There are 6 now."}
    assert answer(q, q="12345").errors == []


@pytest.mark.parametrize(
    ("kind", "good", "bad"), [("integer", "99", "100"), ("integer", "-9", "-99"), ("decimal", "9.", "9.75")]
)
def test_a_number_is_no_longer_than_its_form_allows(kind: str, good: str, bad: str) -> None:
    q = form(item(kind, "q", maxLength=2))
    assert messages(answer(q, q=good)) == {}
    assert "at most 2 characters" in messages(answer(q, q=bad))["i.q"]


def test_the_author_may_say_what_a_pattern_means() -> None:
    told = form(
        item(
            "string",
            "q",
            ext=[
                ext("regex", valueString="[0-9]{5}"),
                ext("https://example.org/validationtext", valueString="Five digits, please."),
            ],
        )
    )
    assert messages(answer(told, q="1")) == {"i.q": "Five digits, please."}
    shown = form(
        item(
            "string", "q", ext=[ext("regex", valueString="[0-9]{5}"), ext("entryFormat", valueString="12345")]
        )
    )
    assert messages(answer(shown, q="1")) == {"i.q": "Please write it like this: 12345"}


def test_the_number_of_answers_is_bounded() -> None:
    limits = [ext("questionnaire-minOccurs", valueInteger=2), ext("questionnaire-maxOccurs", valueInteger=3)]
    q = form(item("string", "q", repeats=True, required=True, ext=limits))
    assert messages(answer(q, q=["a"])) == {"i.q": "Please give at least 2 answers."}
    assert answer(q, q=["a", "b", ""]).errors == []
    assert messages(answer(q, q=["a", "b", "c", "d"])) == {"i.q": "Please give at most 3 answers."}


def test_an_optional_question_may_stay_empty_whatever_it_needs_once_begun() -> None:
    q = form(item("string", "q", repeats=True, ext=[ext("questionnaire-minOccurs", valueInteger=2)]))
    assert answer(q).errors == []
    assert answer(q, q=["a"]).errors != []


def test_the_number_of_rows_is_bounded() -> None:
    limits = [ext("questionnaire-minOccurs", valueInteger=1), ext("questionnaire-maxOccurs", valueInteger=2)]
    q = form(group("g", item("string", "a"), repeats=True, ext=limits))
    assert posted(q, {"i.g.0.a": "x", "i.g.1.a": "y"}).errors == []
    assert messages(posted(q, {f"i.g.{n}.a": "x" for n in range(3)})) == {
        "i.g": "Please give at most 2 answers."
    }
    assert messages(posted(q, {"i.g:n": "0"})) == {"i.g": "Please give at least 1 answer."}


@pytest.mark.parametrize(
    "kind",
    [
        "string",
        "text",
        "integer",
        "decimal",
        "date",
        "dateTime",
        "time",
        "url",
        "quantity",
        "reference",
        "attachment",
        "boolean",
        "open-choice",
    ],
)
def test_a_required_question_blocks_until_it_is_answered(kind: str) -> None:
    q = form(item(kind, "q", required=True))
    assert [error.link_id for error in answer(q).errors] == ["q"]


def test_a_required_choice_asks_to_choose() -> None:
    assert messages(answer(form(choice("q", "a", required=True)))) == {"i.q": "Please choose an answer."}


def test_a_required_group_wants_one_answer_in_it() -> None:
    q = form(group("g", item("string", "a"), item("string", "b"), required=True))
    assert messages(answer(q)) == {"i.g": "Please answer at least one of these questions."}
    assert answer(q, b="x").errors == []


def test_what_nobody_can_fill_in_never_blocks() -> None:
    q = form(
        item("string", "shown", required=True, readOnly=True),
        item("string", "hidden", required=True, ext=[ext("questionnaire-hidden", valueBoolean=True)]),
        group(
            "g",
            item("string", "inner", required=True),
            required=True,
            ext=[ext("questionnaire-hidden", valueBoolean=True)],
        ),
        group("r", item("string", "kept", required=True), required=True, readOnly=True),
    )
    assert answer(q).errors == []


def test_a_repeated_group_nobody_needs_starts_without_rows_and_asks_for_nothing() -> None:
    q = form(group("g", item("string", "name", required=True), repeats=True))
    empty = posted(q, {})
    assert empty.errors == []
    assert empty.enabled("g")
    assert not empty.enabled("name")
    begun = posted(q, {"i.g:n": "1"})
    assert messages(begun) == {"i.g.0.name": "Please answer this question."}


def test_rules_over_answers_are_kept() -> None:
    rule = ext(
        "questionnaire-constraint",
        extension=[
            {"url": "key", "valueId": "order"},
            {"url": "severity", "valueCode": "error"},
            {"url": "human", "valueString": "The end can't be before the start."},
            {
                "url": "expression",
                "valueString": "item.where(linkId='end').answer.value >= item.where(linkId='start').answer.value",
            },
        ],
    )
    q = form(group("g", item("date", "start"), item("date", "end"), ext=[rule]))
    assert answer(q, start="2024-01-02").errors == []
    assert answer(q, start="2024-01-02", end="2024-01-03").errors == []
    assert messages(answer(q, start="2024-01-02", end="2024-01-01")) == {
        "i.g": "The end can't be before the start."
    }
    root = form(item("date", "start"), item("date", "end"), ext=[rule])
    assert messages(answer(root, start="2024-01-02", end="2024-01-01")) == {
        "": "The end can't be before the start."
    }


def told(
    name: str, text: str, kind: str = "Date", language: str = "text/fhirpath", **more: Any
) -> dict[str, Any]:
    """A limit that an expression gives."""
    given = ext("cqf-calculatedValue", valueExpression={"language": language, "expression": text})
    return ext(name, **{f"_value{kind}": {"extension": [given]}}, **more)


def test_a_limit_told_by_an_expression_follows_the_day_and_the_other_answers() -> None:
    q = form(
        item("date", "born", ext=[told("maxValue", "today()"), told("minValue", "today() - 120 years")]),
        item("integer", "top"),
        item(
            "integer",
            "low",
            ext=[told("maxValue", "%resource.item.where(linkId='top').answer.value", "Integer")],
        ),
    )
    assert answer(q, born="2025-05-20", low="7").errors == []
    assert messages(answer(q, born="2025-05-21")) == {"i.born": "It must be May 20, 2025 or earlier."}
    assert messages(answer(q, born="1905-05-19")) == {"i.born": "It must be May 20, 1905 or later."}
    assert messages(answer(q, top="5", low="7")) == {"i.low": "The number must be 5 or less."}
    assert 'max="2025-05-20"' in render_page(answer(q), q.pages[0], bound_errors=False)
    assert export(q) == q.resource


def test_the_expression_goes_before_the_value_beside_it_and_falls_back_on_it() -> None:
    limit = told("maxValue", "%resource.item.where(linkId='a').answer.value", "Integer", valueInteger=3)
    q = form(item("integer", "a"), item("integer", "b", ext=[limit]))
    assert messages(answer(q, b="4"))["i.b"] == "The number must be 3 or less."
    assert answer(q, a="9", b="4").errors == []


@pytest.mark.parametrize(
    ("kind", "limit", "said"),
    [
        ("date", told("maxValue", "Today()", language="text/cql"), "only FHIRPath is understood"),
        ("date", told("maxValue", "Patient?x", language="application/x-fhir-query"), "record server"),
        ("date", told("maxValue", "today("), "can't be read"),
        ("date", told("maxValue", "'soon'"), "can't be the limit"),
        ("integer", told("minValue", "today()", "Integer"), "can't be the limit"),
        ("decimal", told("minValue", "5 'kg'", "Quantity"), "can't be the limit"),
        ("date", ext("maxValue"), "something other than a value"),
        ("date", ext("maxValue", valueDate="tomorrow"), "can't have a limit"),
    ],
)
def test_a_limit_that_nothing_here_can_tell_is_refused_by_its_path(
    kind: str, limit: dict[str, Any], said: str
) -> None:
    with pytest.raises(QuestionnaireError, match=said) as refused:
        form(item(kind, "q", ext=[limit]))
    assert all(
        problem.path.startswith("Questionnaire.item[0].extension") for problem in refused.value.problems
    )
