"""The QuestionnaireResponse: nested as the form is, valid R4, and checked against its questionnaire."""

from typing import Any

from fhir.resources.R4B.questionnaire import Questionnaire as R4Questionnaire
from fhir.resources.R4B.questionnaireresponse import QuestionnaireResponse

from intake.questionnaires import Questionnaire, State
from intake.questionnaires.trial import sample_answers
from tests.intake.questionnaires.forms import answer, choice, form, group, item, posted
from tests.intake.questionnaires.test_render import everything

TYPES = {
    "boolean": {"valueBoolean"},
    "decimal": {"valueDecimal"},
    "integer": {"valueInteger"},
    "date": {"valueDate"},
    "dateTime": {"valueDateTime"},
    "time": {"valueTime"},
    "string": {"valueString"},
    "text": {"valueString"},
    "url": {"valueUri"},
    "choice": {"valueCoding", "valueString", "valueInteger", "valueDate", "valueTime", "valueReference"},
    "open-choice": {"valueCoding", "valueString", "valueInteger", "valueDate", "valueTime", "valueReference"},
    "attachment": {"valueAttachment"},
    "reference": {"valueReference"},
    "quantity": {"valueQuantity"},
}


def check_response(q: Questionnaire, state: State, found: dict[str, Any]) -> None:
    """Is it R4, and does it follow the questionnaire? (R4 QuestionnaireResponse, "Using QuestionnaireResponses")"""
    QuestionnaireResponse.model_validate(found)

    def walk(entries: list[dict[str, Any]], allowed: tuple[Any, ...]) -> None:
        order = [part.link_id for part in allowed]
        places = [order.index(entry["linkId"]) for entry in entries]
        assert places == sorted(places), "in the questionnaire's order"
        for entry in entries:
            part = q.item(entry["linkId"])
            assert part.kind != "display"
            assert state.enabled(part)
            if part.kind == "group":
                assert "answer" not in entry
                assert entry["item"]
                assert part.repeats or sum(1 for e in entries if e["linkId"] == part.link_id) == 1
                walk(entry["item"], part.items)
                continue
            assert "item" not in entry
            assert entry["answer"]
            assert sum(1 for e in entries if e["linkId"] == part.link_id) == 1
            assert part.repeats or len(entry["answer"]) == 1
            for given in entry["answer"]:
                keys = {key for key in given if key != "item"}
                assert len(keys) == 1
                assert keys <= TYPES[part.kind], part.kind
                if part.kind == "choice" and part.options:
                    assert next(iter(given[key] for key in keys)) in [option.value for option in part.options]
                walk(given.get("item", []), part.items)

    walk(found.get("item", []), q.items)


def test_the_head_of_the_document() -> None:
    q = form(item("string", "a"), version="2")
    found = answer(q, "es", a="x").response("in-progress", subject={"reference": "Patient/7"}, author=None)
    assert found == {
        "resourceType": "QuestionnaireResponse",
        "status": "in-progress",
        "questionnaire": "https://example.org/Questionnaire/test|2",
        "language": "es",
        "authored": "2025-05-20T09:30:00-04:00",
        "subject": {"reference": "Patient/7"},
        "item": [{"linkId": "a", "text": "About a", "answer": [{"valueString": "x"}]}],
    }


def test_an_empty_form_gives_an_empty_but_valid_document() -> None:
    q = form(item("string", "a"), group("g", item("string", "b")))
    assert "item" not in answer(q).response()
    check_response(q, answer(q), answer(q).response())


def test_every_kind_makes_a_valid_document() -> None:
    q = everything()
    R4Questionnaire.model_validate(dict(q.resource))
    for variant in (0, 1):
        state = posted(q, {**sample_answers(q, variant), "i.file": ["1"]})
        check_response(q, state, state.response())
        assert {entry["linkId"] for entry in state.response()["item"]} >= {
            "yes",
            "moment",
            "weight",
            "several",
            "told",
            "rows",
        }


def test_repeated_groups_are_items_and_repeated_questions_are_answers() -> None:
    q = form(group("g", item("string", "a", repeats=True), repeats=True))
    state = posted(q, {"i.g.0.a": ["1", "", "2"], "i.g.1.a": ["3"], "i.g.2.a": [""]})
    assert state.response()["item"] == [
        {
            "linkId": "g",
            "text": "About g",
            "item": [
                {"linkId": "a", "text": "About a", "answer": [{"valueString": "1"}, {"valueString": "2"}]}
            ],
        },
        {
            "linkId": "g",
            "text": "About g",
            "item": [{"linkId": "a", "text": "About a", "answer": [{"valueString": "3"}]}],
        },
    ]
    check_response(q, state, state.response())


def test_scores_stay_out_of_the_document() -> None:
    q = form(choice("a", "x", "y", scores=True))
    assert answer(q, a="y").response()["item"][0]["answer"] == [
        {"valueCoding": {"system": "https://example.org/codes", "code": "y", "display": "Y"}}
    ]
