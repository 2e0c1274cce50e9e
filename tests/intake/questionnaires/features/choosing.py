"""Answers to choose from."""

from __future__ import annotations

from tests.intake.questionnaires.features.rows import Feature, value_set
from tests.intake.questionnaires.forms import SYSTEM, choice, coded, ext, item

FEATURES: dict[str, Feature] = {
    # ---- answers to choose from --------------------------------------------------------------------------------
    "answerOption, coding with ordinal values": Feature(
        (choice("c", "never", "often", scores=True),),
        {"i.c": "often"},
        ("Often",),
        facts={"c": "often", "c:score": 1},
        stores={"c": [coded("never", "often")[1]["valueCoding"]]},
    ),
    "answerOption, string": Feature(
        (item("choice", "c", answerOption=[{"valueString": "left"}, {"valueString": "right"}]),),
        {"i.c": "left"},
        ("left",),
        stores={"c": ["left"]},
    ),
    "answerOption, integer": Feature(
        (item("choice", "c", answerOption=[{"valueInteger": 1}, {"valueInteger": 2}]),),
        {"i.c": "2"},
        stores={"c": [2]},
    ),
    "answerOption, date": Feature(
        (item("choice", "c", answerOption=[{"valueDate": "2024-05-01"}]),),
        {"i.c": "2024-05-01"},
        stores={"c": ["2024-05-01"]},
    ),
    "answerOption, preselected": Feature(
        (item("choice", "c", answerOption=[coded("a")[0] | {"initialSelected": True}]),),
        shows=("checked",),
        stores={"c": [coded("a")[0]["valueCoding"]]},
    ),
    "answerValueSet contained in the resource": Feature(
        (item("choice", "c", answerValueSet="#sides"),),
        {"i.c": "left"},
        ("Left", "Right"),
        stores={"c": [{"system": SYSTEM, "code": "left", "display": "Left"}]},
        root={"contained": [value_set("https://example.org/sides", "left", "right", id_="sides")]},
    ),
    "a value set uploaded with the questionnaire": Feature(
        (item("choice", "c", answerValueSet="https://example.org/sides"),),
        {"i.c": "right"},
        ("Left", "Right"),
        stores={"c": [{"system": SYSTEM, "code": "right", "display": "Right"}]},
        sets=(value_set("https://example.org/sides", "left", "right"),),
    ),
    "common value set, yes and no": Feature(
        (item("choice", "c", answerValueSet="http://hl7.org/fhir/ValueSet/yesnodontknow"),),
        {"i.c": "Y"},
        ("Yes", "No", "Don&#x27;t know"),
        stores={
            "c": [{"system": "http://terminology.hl7.org/CodeSystem/v2-0136", "code": "Y", "display": "Yes"}]
        },
    ),
    "common value set, gender": Feature(
        (item("choice", "c", answerValueSet="http://hl7.org/fhir/ValueSet/administrative-gender"),),
        {"i.c": "other"},
        ("Female",),
        stores={
            "c": [
                {"system": "http://hl7.org/fhir/administrative-gender", "code": "other", "display": "Other"}
            ]
        },
    ),
    "option prefix": Feature(
        (
            item(
                "choice",
                "c",
                answerOption=[
                    coded("a")[0] | {"extension": [ext("questionnaire-optionPrefix", valueString="A.")]}
                ],
            ),
        ),
        shows=("A.",),
    ),
    "exclusive option": Feature(
        (
            item(
                "choice",
                "c",
                repeats=True,
                answerOption=[
                    *coded("a"),
                    coded("none")[0]
                    | {"extension": [ext("questionnaire-optionExclusive", valueBoolean=True)]},
                ],
            ),
        ),
        {"i.c": ["a", "none"]},
        ("Only this answer",),
        says={"i.c": "None"},
    ),
}
