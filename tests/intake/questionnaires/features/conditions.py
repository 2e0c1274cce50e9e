"""Conditions, item controls and limits."""

from __future__ import annotations

from tests.intake.questionnaires.features.rows import ENABLED, Feature, by_id, compares, has
from tests.intake.questionnaires.forms import choice, coded, control, expression, ext, item, when

PHONE = {"extension": [ext("regex", valueString=r"[0-9]{3}-[0-9]{4}")]}

FEATURES: dict[str, Feature] = {
    # ---- conditions --------------------------------------------------------------------------------------------
    "enableWhen exists": Feature(
        (item("string", "a"), item("string", "then", enableWhen=[when("a", "exists", answerBoolean=True)])),
        {"i.a": "x", "i.then": "y"},
        ('id="i.then"',),
        stores={"a": ["x"], "then": ["y"]},
    ),
    "enableWhen exists not": Feature(
        (item("string", "a"), item("string", "then", enableWhen=[when("a", "exists", answerBoolean=False)])),
        {"i.a": "x", "i.then": "y"},
        hides=('id="i.then"',),
        stores={"a": ["x"]},
    ),
    "enableWhen =": compares("=", "3", answerInteger=3),
    "enableWhen !=": compares("!=", "4", answerInteger=3),
    "enableWhen >": compares(">", "4", answerInteger=3),
    "enableWhen <": compares("<", "2", answerInteger=3),
    "enableWhen >=": compares(">=", "3", answerInteger=3),
    "enableWhen <=": compares("<=", "3", answerInteger=3),
    "enableWhen that is not met drops the answer": Feature(
        (
            item("boolean", "a"),
            item("string", "then", required=True, enableWhen=has("a", answerBoolean=True)),
        ),
        {"i.a": "false", "i.then": "left over"},
        hides=('id="i.then"', "left over"),
        stores={"a": [False]},
    ),
    "enableBehavior all": Feature(
        (
            item("boolean", "a"),
            item("boolean", "b"),
            item(
                "string",
                "then",
                enableBehavior="all",
                enableWhen=has("a", answerBoolean=True) + has("b", answerBoolean=True),
            ),
        ),
        {"i.a": "true", "i.b": "false", "i.then": "x"},
        hides=('id="i.then"',),
        stores={"a": [True], "b": [False]},
    ),
    "enableBehavior any": Feature(
        (
            item("boolean", "a"),
            item("boolean", "b"),
            item(
                "string",
                "then",
                enableBehavior="any",
                enableWhen=has("a", answerBoolean=True) + has("b", answerBoolean=True),
            ),
        ),
        {"i.a": "true", "i.b": "false", "i.then": "x"},
        shows=('id="i.then"',),
        stores={"a": [True], "b": [False], "then": ["x"]},
    ),
    "enableWhenExpression": Feature(
        (item("integer", "n"), item("string", "then", ext=[expression(ENABLED, f"{by_id('n')} > 3")])),
        {"i.n": "2", "i.then": "x"},
        hides=('id="i.then"',),
        stores={"n": [2]},
    ),
    # ---- item controls -----------------------------------------------------------------------------------------
    "item control radio-button": Feature(
        (
            item(
                "choice",
                "c",
                answerOption=coded(*(f"c{n}" for n in range(20))),
                ext=[control("radio-button")],
            ),
        ),
        shows=('type="radio"',),
        hides=("<select",),
    ),
    "item control drop-down": Feature(
        (choice("c", "a", "b", ext=[control("drop-down")]),), shows=("<select",)
    ),
    "item control check-box": Feature(
        (choice("c", "a", "b", repeats=True, ext=[control("check-box")]),), shows=('type="checkbox"',)
    ),
    "item control slider": Feature(
        (
            item(
                "integer",
                "n",
                ext=[control("slider"), ext("minValue", valueInteger=0), ext("maxValue", valueInteger=10)],
            ),
        ),
        {"i.n": "10"},
        ('class="stops"', 'value="10"'),
        stores={"n": [10]},
    ),
    "item control help": Feature(
        (item("string", "a", item=[item("display", "h", "On the label.", ext=[control("help")])]),),
        shows=("On the label.", 'aria-describedby="i.a-hint0"'),
    ),
    # ---- limits ------------------------------------------------------------------------------------------------
    "minValue": Feature(
        (item("integer", "n", ext=[ext("minValue", valueInteger=5)]),), {"i.n": "4"}, says={"i.n": "5"}
    ),
    "maxValue": Feature(
        (item("date", "d", ext=[ext("maxValue", valueDate="2025-01-01")]),),
        {"i.d": "2025-02-01"},
        ('max="2025-01-01"',),
        says={"i.d": "2025"},
    ),
    "regex": Feature(
        (item("string", "p", ext=PHONE["extension"]),), {"i.p": "555-01000"}, says={"i.p": "form we can use"}
    ),
    "regex that is met": Feature(
        (item("string", "p", ext=PHONE["extension"]),), {"i.p": "555-0100"}, stores={"p": ["555-0100"]}
    ),
    "regex that makes other engines backtrack for ever": Feature(
        (item("string", "p", ext=[ext("regex", valueString="(a+)+b")]),),
        {"i.p": "a" * 5000},
        says={"i.p": "form we can use"},
    ),
    "regex written between slashes": Feature(
        (item("string", "p", ext=[ext("regex", valueString="/^[a-z]{2}$/i")]),),
        {"i.p": "AB"},
        stores={"p": ["AB"]},
    ),
    "regex written between slashes, not met": Feature(
        (item("string", "p", ext=[ext("regex", valueString="/^[a-z]{2}$/")]),),
        {"i.p": "AB"},
        says={"i.p": "form we can use"},
    ),
    "minOccurs": Feature(
        (
            item(
                "string",
                "a",
                repeats=True,
                required=True,
                ext=[ext("questionnaire-minOccurs", valueInteger=2)],
            ),
        ),
        {"i.a": ["x"]},
        says={"i.a": "2"},
    ),
    "maxOccurs": Feature(
        (item("string", "a", repeats=True, ext=[ext("questionnaire-maxOccurs", valueInteger=1)]),),
        {"i.a": ["x", "y"]},
        says={"i.a": "1"},
    ),
}
