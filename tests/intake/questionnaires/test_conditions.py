"""enableWhen: every operator on every type, together, in rows, and what a disabled question gives away (nothing)."""

from typing import Any

import pytest

from tests.intake.questionnaires.forms import (
    SYSTEM,
    answer,
    answers_of,
    choice,
    coded,
    form,
    group,
    item,
    posted,
    when,
)


def asked(kind: str, typed: Any, operator: str, /, **value: Any) -> bool:
    target = choice("t", "a", "b", repeats=True) if kind == "choice" else item(kind, "t")
    q = form(target, item("string", "q", enableWhen=[when("t", operator, **value)]))
    return answer(q, t=typed).enabled("q")


@pytest.mark.parametrize(
    ("kind", "typed", "operator", "value", "expected"),
    [
        ("boolean", "true", "=", {"answerBoolean": True}, True),
        ("boolean", "false", "=", {"answerBoolean": True}, False),
        ("boolean", "false", "!=", {"answerBoolean": True}, True),
        ("boolean", "", "=", {"answerBoolean": False}, False),
        ("boolean", "", "!=", {"answerBoolean": False}, True),
        ("boolean", "", "exists", {"answerBoolean": True}, False),
        ("boolean", "", "exists", {"answerBoolean": False}, True),
        ("boolean", "false", "exists", {"answerBoolean": True}, True),
        ("integer", "5", "=", {"answerInteger": 5}, True),
        ("integer", "5", ">", {"answerInteger": 5}, False),
        ("integer", "5", ">=", {"answerInteger": 5}, True),
        ("integer", "5", "<", {"answerInteger": 6}, True),
        ("integer", "5", "<=", {"answerInteger": 4}, False),
        ("integer", "", "<", {"answerInteger": 4}, False),
        ("integer", "5", ">", {"answerDecimal": 4.5}, True),
        ("decimal", "5.50", "=", {"answerDecimal": 5.5}, True),
        ("decimal", "5", ">", {"answerInteger": 4}, True),
        ("decimal", "abc", "!=", {"answerInteger": 4}, True),
        ("string", "Yes", "=", {"answerString": "Yes"}, True),
        ("string", "yes", "=", {"answerString": "Yes"}, False),
        ("string", "b", ">", {"answerString": "a"}, True),
        ("text", "x", "!=", {"answerString": "y"}, True),
        ("date", "2024-05-01", "=", {"answerDate": "2024-05-01"}, True),
        ("date", "2024-05-01", ">", {"answerDate": "2024-04"}, True),
        ("date", "2024", ">", {"answerDate": "2024-04-01"}, False),
        ("date", "2024", "<=", {"answerDate": "2025-01-01"}, True),
        ("dateTime", "2024-05-01T10:00:00Z", ">", {"answerDateTime": "2024-05-01T05:59:00-04:00"}, True),
        ("dateTime", "2024-05-01T10:00:00Z", "=", {"answerDateTime": "2024-05-01T06:00:00-04:00"}, True),
        ("time", "08:30", "<", {"answerTime": "09:00:00"}, True),
        ("quantity", "5", ">", {"answerQuantity": {"value": 4}}, True),
        ("quantity", "5", "=", {"answerQuantity": {"value": 5, "unit": "kg"}}, True),
        ("choice", ["a"], "=", {"answerCoding": {"system": SYSTEM, "code": "a"}}, True),
        ("choice", ["a"], "=", {"answerCoding": {"code": "a"}}, True),
        ("choice", ["a"], "=", {"answerCoding": {"system": "https://else", "code": "a"}}, False),
        ("choice", ["a", "b"], "=", {"answerCoding": {"code": "b"}}, True),
        ("choice", ["a", "b"], "!=", {"answerCoding": {"code": "b"}}, False),
        ("choice", [], "!=", {"answerCoding": {"code": "b"}}, True),
        ("url", "https://a.org", "=", {"answerString": "https://a.org"}, True),
        ("reference", "Dr. Reed", "=", {"answerReference": {"display": "Dr. Reed"}}, True),
    ],
)
def test_every_operator(kind: str, typed: Any, operator: str, value: dict[str, Any], expected: bool) -> None:
    assert asked(kind, typed, operator, **value) is expected


@pytest.mark.parametrize(
    ("behaviour", "expected"), [("all", [False, False, True]), ("any", [False, True, True])]
)
def test_conditions_together(behaviour: str, expected: list[bool]) -> None:
    conditions = [when("a", "=", answerBoolean=True), when("b", "=", answerBoolean=True)]
    q = form(
        item("boolean", "a"),
        item("boolean", "b"),
        item("string", "q", enableWhen=conditions, enableBehavior=behaviour),
    )
    given: list[dict[str, str]] = [{}, {"a": "true"}, {"a": "true", "b": "true"}]
    assert [answer(q, **raw).enabled("q") for raw in given] == expected


def test_what_is_not_asked_is_not_required_not_stored_and_counts_for_nothing() -> None:
    q = form(
        item("boolean", "a"),
        item("string", "b", required=True, enableWhen=[when("a", "=", answerBoolean=True)]),
        item("string", "c", required=True, enableWhen=[when("b", "exists", answerBoolean=True)]),
    )
    state = answer(q, a="false", b="left over", c="left over too")
    assert state.errors == []
    assert answers_of(state) == {"a": [False]}
    assert state.facts() == {"a": False}
    assert state.texts() == []
    assert [line["link_id"] for line in state.summary()] == ["a"]
    back = answer(q, a="true", b="left over", c="left over too")
    assert answers_of(back) == {"a": [True], "b": ["left over"], "c": ["left over too"]}


def test_a_disabled_group_takes_everything_in_it_along() -> None:
    q = form(
        item("boolean", "a"),
        group(
            "g",
            group("h", item("string", "b", required=True)),
            enableWhen=[when("a", "=", answerBoolean=True)],
        ),
    )
    assert answer(q, b="x").errors == []
    assert answers_of(answer(q, b="x")) == {}
    assert answer(q, a="true").errors != []


def test_conditions_look_forward_too() -> None:
    q = form(
        item("string", "q", enableWhen=[when("later", "=", answerBoolean=True)]), item("boolean", "later")
    )
    assert answer(q, later="true").enabled("q")
    assert not answer(q).enabled("q")


def test_in_rows_a_condition_looks_at_its_own_row() -> None:
    q = form(
        group(
            "g",
            item("boolean", "a"),
            item("string", "b", enableWhen=[when("a", "=", answerBoolean=True)]),
            repeats=True,
        )
    )
    state = posted(q, {"i.g.0.a": "true", "i.g.1.a": "false", "i.g.2.a": "true"})
    assert [state.enabled(f"i.g.{n}.b") for n in range(3)] == [True, False, True]


def test_from_outside_rows_the_nearest_one_counts() -> None:
    q = form(
        item("string", "before", enableWhen=[when("a", "=", answerBoolean=True)]),
        group("g", item("boolean", "a"), repeats=True),
        item("string", "after", enableWhen=[when("a", "=", answerBoolean=True)]),
    )
    state = posted(q, {"i.g.0.a": "true", "i.g.1.a": "false"})
    assert state.enabled("before")
    assert not state.enabled("after")


def test_in_rows_within_rows_the_common_row_is_looked_at() -> None:
    q = form(
        group(
            "g",
            item("boolean", "a"),
            group("h", item("string", "b", enableWhen=[when("a", "=", answerBoolean=True)]), repeats=True),
            repeats=True,
        )
    )
    state = posted(
        q, {"i.g.0.a": "true", "i.g.0.h.0.b": "", "i.g.1.a": "false", "i.g.1.h.0.b": "", "i.g.1.h.1.b": ""}
    )
    assert state.enabled("i.g.0.h.0.b")
    assert not state.enabled("i.g.1.h.1.b")


def test_a_question_without_rows_has_no_answer() -> None:
    q = form(
        group("g", item("boolean", "a"), repeats=True),
        item("string", "q", enableWhen=[when("a", "exists", answerBoolean=False)]),
    )
    assert posted(q, {}).enabled("q")


def test_questions_below_a_question_wait_for_its_answer() -> None:
    q = form(choice("pain", "head", "back", item=[item("string", "since", required=True)]))
    assert answer(q).errors == []
    assert not answer(q).enabled("since")
    state = answer(q, pain="head", since="Monday")
    assert state.response()["item"] == [
        {
            "linkId": "pain",
            "text": "About pain",
            "answer": [
                {
                    "valueCoding": coded("head")[0]["valueCoding"],
                    "item": [
                        {"linkId": "since", "text": "About since", "answer": [{"valueString": "Monday"}]}
                    ],
                }
            ],
        }
    ]
