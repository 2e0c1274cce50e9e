"""Every type of item, and what any item may be."""

from __future__ import annotations

from tests.intake.questionnaires.features.rows import Feature
from tests.intake.questionnaires.forms import choice, coded, ext, group, item

FEATURES: dict[str, Feature] = {
    # ---- every item type ---------------------------------------------------------------------------------------
    "group": Feature(
        (group("g", item("string", "a"), text="About you"),),
        {"i.a": "x"},
        ("About you",),
        stores={"a": ["x"]},
    ),
    "display": Feature(
        (item("display", "d", "Take your time."), item("string", "a")), shows=("Take your time.",)
    ),
    "boolean": Feature((item("boolean", "b"),), {"i.b": "false"}, (">Yes<", ">No<"), stores={"b": [False]}),
    "decimal": Feature(
        (item("decimal", "d"),), {"i.d": "98,6"}, ('inputmode="decimal"',), stores={"d": [98.6]}
    ),
    "integer": Feature((item("integer", "n"),), {"i.n": "7"}, ('inputmode="numeric"',), stores={"n": [7]}),
    "date": Feature(
        (item("date", "d"),), {"i.d": "2024-05-31"}, ('type="date"',), stores={"d": ["2024-05-31"]}
    ),
    "dateTime": Feature(
        (item("dateTime", "m"),),
        {"i.m": "2024-05-31", "i.m:time": "14:05"},
        ('type="date"', 'type="time"'),
        stores={"m": ["2024-05-31T14:05:00-04:00"]},
    ),
    "time": Feature((item("time", "t"),), {"i.t": "14:05"}, ('type="time"',), stores={"t": ["14:05:00"]}),
    "string": Feature((item("string", "s"),), {"i.s": "words"}, ('type="text"',), stores={"s": ["words"]}),
    "text": Feature((item("text", "t"),), {"i.t": "one\ntwo"}, ("<textarea",), stores={"t": ["one\ntwo"]}),
    "url": Feature(
        (item("url", "u"),),
        {"i.u": "https://example.org/"},
        ('type="url"',),
        stores={"u": ["https://example.org/"]},
    ),
    "choice": Feature(
        (choice("c", "a", "b"),),
        {"i.c": "b"},
        ('type="radio"',),
        stores={"c": [coded("a", "b")[1]["valueCoding"]]},
    ),
    "open-choice": Feature(
        (item("open-choice", "c", answerOption=coded("a")),),
        {"i.c": "~other", "i.c:other": "mine"},
        ("Something else", 'value="mine"'),
        stores={"c": ["mine"]},
    ),
    "attachment": Feature(
        (item("attachment", "f"),),
        {"i.f": "1"},
        ('type="file"',),
        stores={"f": [{"url": "urn:porter:attachment:1"}]},
    ),
    "reference as free text": Feature(
        (item("reference", "r"),),
        {"i.r": "my heart doctor"},
        ('type="text"',),
        stores={"r": [{"display": "my heart doctor"}]},
    ),
    "quantity": Feature(
        (item("quantity", "q"),),
        {"i.q": "3", "i.q:unit": "days"},
        ("Unit, like kg or days",),
        stores={"q": [{"value": 3, "unit": "days", "system": "http://unitsofmeasure.org", "code": "d"}]},
    ),
    # ---- what an item may be -----------------------------------------------------------------------------------
    "required": Feature(
        (item("string", "a", required=True),), hides=("(optional)",), says={"i.a": "answer this question"}
    ),
    "repeats, of a question": Feature(
        (item("string", "a", repeats=True),), {"i.a": ["x", "y"]}, ("Add another",), stores={"a": ["x", "y"]}
    ),
    "repeats, of a choice": Feature(
        (choice("c", "a", "b", repeats=True),),
        {"i.c": ["a", "b"]},
        ('type="checkbox"',),
        stores={"c": [each["valueCoding"] for each in coded("a", "b")]},
    ),
    "repeats, of a group": Feature(
        (group("g", item("string", "a"), repeats=True),),
        {"i.g:n": "2", "i.g.0.a": "x", "i.g.1.a": "y"},
        ('name="i.g.1.a"', "Remove About g 2"),
        stores={"a": ["x", "y"]},
    ),
    "repeats, nested": Feature(
        (group("g", group("h", item("string", "a"), repeats=True), repeats=True),),
        {
            "i.g:n": "2",
            "i.g.0.h:n": "2",
            "i.g.0.h.0.a": "x",
            "i.g.0.h.1.a": "y",
            "i.g.1.h:n": "1",
            "i.g.1.h.0.a": "z",
        },
        ('name="i.g.0.h.1.a"', 'name="i.g.1.h.0.a"'),
        stores={"a": ["x", "y", "z"]},
    ),
    "readOnly": Feature(
        (item("string", "a", readOnly=True, initial=[{"valueString": "as it is"}]), item("string", "b")),
        {"i.b": "x"},
        ("as it is",),
        ('name="i.a"',),
        {"a": ["as it is"], "b": ["x"]},
    ),
    "maxLength": Feature(
        (item("string", "a", maxLength=3),), {"i.a": "four"}, ('maxlength="3"',), says={"i.a": "3"}
    ),
    "initial": Feature(
        (item("integer", "a", initial=[{"valueInteger": 4}]),), shows=('value="4"',), stores={"a": [4]}
    ),
    "hidden": Feature(
        (
            item(
                "string",
                "a",
                "Secret",
                initial=[{"valueString": "k"}],
                ext=[ext("questionnaire-hidden", valueBoolean=True)],
            ),
            item("string", "b"),
        ),
        hides=("Secret",),
        stores={"a": ["k"]},
    ),
    "prefix": Feature((item("string", "a", prefix="1a)"),), shows=("1a)",)),
}
