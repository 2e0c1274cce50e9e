"""What is let in, and what is refused whole, with the place and a sentence."""

import json
from typing import Any

import pytest

from intake.questionnaires import QuestionnaireError, export, inspect, load
from tests.intake.questionnaires.forms import (
    SDC,
    answer,
    answers_of,
    choice,
    control,
    expression,
    ext,
    form,
    group,
    item,
    resource,
    when,
)


def refusal(made: Any, **more: Any) -> list[str]:
    with pytest.raises(QuestionnaireError) as refused:
        load(made, **more)
    assert all(problem.sentence and problem.feature for problem in refused.value.problems)
    return [f"{problem.path} {problem.feature}" for problem in refused.value.problems]


def test_what_was_given_comes_out_again_unknown_parts_and_all() -> None:
    made = resource(
        group("g", item("string", "a", ext=[ext("https://example.org/unknown", valueString="kept")])),
        ext=[ext("sdc:preferredTerminologyServer", valueUrl="https://example.org/tx")],
        contained=[{"resourceType": "Patient", "id": "template"}],
        meta={"tag": [{"code": "x"}]},
    )
    assert export(load(made)) == made


def test_the_resource_is_a_copy_that_later_changes_do_not_reach() -> None:
    made = resource(item("string", "a"))
    q = load(made)
    made["item"][0]["linkId"] = "b"
    assert q.item("a").link_id == "a"
    assert export(q)["item"][0]["linkId"] == "a"


@pytest.mark.parametrize(
    "raw",
    [
        b"",
        b"\xff\xfe",
        b"[]",
        b"null",
        b'"text"',
        b"{",
        b'{"a":1,"a":2}',
        b'{"resourceType":"Questionnaire","n":NaN}',
        b'{"resourceType":"Questionnaire","n":1e999}',
        b'{"n":' + b"9" * 6000 + b"}",
        b"[" * 100_000,
        b'{"a":' * 50_000 + b"1" + b"}" * 50_000,
        b'"' + b'\\"' * 200_000,
        b'{"resourceType":"Patient"}',
        b'{"resourceType":"Questionnaire","title":"\\ud800","item":[]}',
        b'{"resourceType":"Questionnaire","title":"a\\u0000b","item":[]}',
        b" " * 5_000_001,
        b'{"resourceType":"Questionnaire","item":[1,null,"x",[]]}',
        b'{"resourceType":"Questionnaire","item":{"linkId":"a"}}',
        b'{"resourceType":"Questionnaire","status":"active"}',
    ],
)
def test_bytes_that_are_no_questionnaire_are_refused_in_words(raw: bytes) -> None:
    with pytest.raises(QuestionnaireError) as refused:
        inspect(raw)
    assert refused.value.problems[0].sentence


def test_a_byte_order_mark_does_no_harm() -> None:
    raw = b"\xef\xbb\xbf" + json.dumps(resource(item("string", "a"))).encode()
    assert inspect(raw).title == "A test"


def test_twenty_thousand_items_are_read_and_one_more_is_refused() -> None:
    # Checked at a smaller size elsewhere; here only that the limit holds and is told.
    many = [{"linkId": str(n), "type": "display", "text": "x"} for n in range(20_001)]
    assert any("size" in line for line in refusal(resource(*many)))


def test_items_nested_too_deep_are_refused() -> None:
    inner = item("string", "leaf")
    for n in range(40):
        inner = group(f"g{n}", inner)
    assert any("nesting" in line for line in refusal(resource(inner)))


NOT = [{"url": "https://example.org/not", "valueBoolean": True}]


UCUM = "http://unitsofmeasure.org"
GRAMS = {"value": 3, "unit": "g", "system": UCUM, "code": "g"}


def unit(code: str) -> dict[str, Any]:
    return ext("questionnaire-unitOption", valueCoding={"system": UCUM, "code": code, "display": code})


def weight(*more: dict[str, Any], **fields: Any) -> dict[str, Any]:
    return item("quantity", "a", ext=[unit("kg"), *more], **fields)


@pytest.mark.parametrize(
    ("made", "where"),
    [
        (item("string", "a", required="yes"), "required"),
        ({"type": "string", "text": "no id"}, "linkId"),
        ({"linkId": " ", "type": "string"}, "linkId"),
        (item("question", "a"), "type"),
        (item("coding", "a"), "type"),
        (item("display", "a", item=[item("string", "b")]), "display"),
        (item("string", "a", answerOption=[{"valueString": "x"}]), "answerOption"),
        (
            item("choice", "a", answerOption=[{"valueString": "x"}], answerValueSet="#v"),
            "answerOption",
        ),
        (item("choice", "a", answerOption=[{}]), "answerOption"),
        (item("choice", "a", answerOption=[{"valueDecimal": 1.5}]), "answerOption"),
        (item("choice", "a", answerOption=[{"valueInteger": "1"}]), "answerOption"),
        (item("choice", "a", answerOption=[{"valueCoding": {"system": "s"}}]), "answerOption"),
        (item("choice", "a", answerValueSet="#nowhere"), "answerValueSet"),
        (item("choice", "a", answerValueSet="https://example.org/vs"), "answerValueSet"),
        (item("string", "a", maxLength=0), "maxLength"),
        (item("string", "a", maxLength="9"), "maxLength"),
        (item("string", "a", initial=[{"valueString": "x"}, {"valueString": "y"}]), "initial"),
        (item("integer", "a", initial=[{"valueString": "x"}]), "initial"),
        (item("date", "a", initial=[{"valueDate": "yesterday"}]), "initial"),
        (choice("a", "x", initial=[{"valueCoding": {"code": "y"}}]), "initial"),
        (group("g", item("string", "b"), initial=[{"valueString": "x"}]), "initial"),
        (
            item("string", "a", modifierExtension=[{"url": "https://example.org/not", "valueBoolean": True}]),
            "modifierExtension",
        ),
        (item("string", "a", initial=[{"valueString": "x", "modifierExtension": NOT}]), "initial[0]"),
        (choice("a", "x", answerConstraint="optionsOrString"), "answerConstraint"),
        (item("choice", "a", option=[{"valueString": "x"}]), "option"),
        (item("choice", "a", options={"reference": "#v"}), "options"),
        (item("string", "a", initialString="x"), "initialString"),
        (weight(initial=[{"valueQuantity": GRAMS}]), "initial"),
        (weight(initial=[{"valueQuantity": {"value": 3, "unit": "g"}}]), "initial"),
        (weight(initial=[{"valueQuantity": {"value": "three"}}]), "initial"),
        (weight(initial=[{"valueQuantity": {"value": True}}]), "initial"),
        (weight(initial=[{"valueQuantity": {"value": 3, "comparator": "<"}}]), "initial"),
        (weight(ext("minQuantity", valueQuantity=GRAMS)), "minValue"),
        (weight(ext("maxValue", valueQuantity=GRAMS)), "maxValue"),
        (weight(unit("g"), ext("maxValue", valueQuantity=GRAMS)), "maxValue"),
        (item("string", "a", answerConstraint="optionsOrType"), "answerConstraint"),
        (
            item("string", "a", ext=[ext("sdc:subQuestionnaire", valueCanonical="https://example.org/q")]),
            "sdc-questionnaire-subQuestionnaire",
        ),
        (item("integer", "a", ext=[ext("minValue", valueString="one")]), "minValue"),
        (
            item("integer", "a", ext=[ext("minValue", valueInteger=9), ext("maxValue", valueInteger=1)]),
            "minValue",
        ),
        (item("string", "a", ext=[ext("maxValue", valueInteger=1)]), "maxValue"),
        (item("string", "a", ext=[ext("regex", valueString="(")]), "regex"),
        (item("string", "a", ext=[ext("regex", valueString=r"(?=a)b")]), "regex"),
        (item("string", "a", ext=[ext("minLength", valueInteger=-1)]), "minLength"),
        (
            item("string", "a", repeats=True, ext=[ext("questionnaire-minOccurs", valueInteger=5000)]),
            "minOccurs",
        ),
        (
            item("quantity", "a", ext=[ext("questionnaire-unitValueSet", valueCanonical="#no")]),
            "unitValueSet",
        ),
        (
            item("string", "a", enableBehavior="some", enableWhen=[when("a", "exists", answerBoolean=True)]),
            "enableBehavior",
        ),
        (item("integer", "a", ext=[expression("sdc:calculatedExpression", "1 +")]), "calculatedExpression"),
        (
            item("integer", "a", ext=[expression("sdc:calculatedExpression", "%nobody")]),
            "calculatedExpression",
        ),
        (
            item("integer", "a", ext=[expression("sdc:calculatedExpression", "resolve()")]),
            "calculatedExpression",
        ),
        (
            item(
                "integer",
                "a",
                ext=[
                    ext(
                        "sdc:calculatedExpression",
                        valueExpression={"language": "text/cql", "expression": "X"},
                    )
                ],
            ),
            "calculatedExpression",
        ),
        (item("integer", "a", ext=[expression("sdc:calculatedExpression", "'many words'")]), "expression"),
        (item("integer", "a", ext=[expression("sdc:calculatedExpression", "'a' + 1")]), "expression"),
        (item("string", "a", ext=[expression("variable", "1")]), "variable"),
        (
            item(
                "string",
                "a",
                ext=[expression("variable", "1", name="x"), expression("variable", "2", name="x")],
            ),
            "variable",
        ),
    ],
)
def test_what_would_change_the_meaning_is_refused_with_its_place(made: dict[str, Any], where: str) -> None:
    found = refusal(resource(made))
    assert any(where in line for line in found), found
    assert any(line.startswith("Questionnaire.item[0]") for line in found), found


def test_faults_of_the_whole_form_are_told() -> None:
    assert refusal(resource(item("string", "a"), implicitRules="https://example.org/rules"))
    assert refusal(resource(item("string", "a"), modifierExtension=[{"url": "https://example.org/x"}]))
    assert refusal(resource(item("string", "a"), item("string", "a")))
    assert refusal(resource())
    assert refusal(resource(item("string", "a"), contained={"id": "x"}))


@pytest.mark.parametrize(
    "condition",
    [
        when("nobody", "exists", answerBoolean=True),
        when("g", "exists", answerBoolean=True),
        when("text", "exists", answerString="x"),
        when("text", "like", answerString="x"),
        when("text", "=", answerInteger=1),
        when("number", "=", answerString="1"),
        when("number", ">", answerInteger="1"),
        when("yes", ">", answerBoolean=True),
        when("pick", ">", answerCoding={"code": "x"}),
        when("pick", "=", answerCoding="x"),
        when("text", "="),
        when("text", "=", answerString="a", answerInteger=1),
        {"operator": "=", "answerString": "x"},
    ],
)
def test_conditions_that_can_never_be_told_are_refused(condition: dict[str, Any]) -> None:
    found = refusal(
        resource(
            group("g", item("string", "text"), item("integer", "number"), item("boolean", "yes")),
            choice("pick", "x"),
            item("string", "a", enableWhen=[condition]),
        )
    )
    assert any("enableWhen" in line for line in found)


def test_two_conditions_need_a_behaviour() -> None:
    pair = [when("a", "exists", answerBoolean=True), when("b", "exists", answerBoolean=True)]
    assert refusal(resource(item("string", "a"), item("string", "b"), item("string", "c", enableWhen=pair)))


@pytest.mark.parametrize(
    "items",
    [
        [item("string", "a", enableWhen=[when("a", "exists", answerBoolean=True)])],
        [
            item("string", "a", enableWhen=[when("b", "exists", answerBoolean=True)]),
            item("string", "b", enableWhen=[when("a", "exists", answerBoolean=True)]),
        ],
        [group("g", item("string", "a"), enableWhen=[when("a", "exists", answerBoolean=True)])],
    ],
)
def test_questions_that_wait_for_themselves_are_refused(items: list[dict[str, Any]]) -> None:
    assert any("enableWhen" in line for line in refusal(resource(*items)))


def test_a_very_long_chain_of_conditions_is_fine() -> None:
    chain = [item("boolean", "q0")]
    chain += [
        item("boolean", f"q{n}", enableWhen=[when(f"q{n - 1}", "=", answerBoolean=True)])
        for n in range(1, 3000)
    ]
    q = form(*chain)
    assert len(q.pages) == 375


def test_calculations_that_chase_each_other_are_refused() -> None:
    one = item(
        "integer",
        "a",
        ext=[
            expression(
                "sdc:calculatedExpression", "iif(%resource.item.where(linkId='b').answer.value = 1, 2, 1)"
            )
        ],
    )
    two = item(
        "integer",
        "b",
        ext=[
            expression(
                "sdc:calculatedExpression", "iif(%resource.item.where(linkId='a').answer.value = 1, 1, 2)"
            )
        ],
    )
    assert any("expressions" in line for line in refusal(resource(one, two)))


def test_faults_in_what_the_form_does_not_use_are_only_warnings() -> None:
    q = form(
        item("string", "a"),
        contained=[
            {"resourceType": "ValueSet", "id": "empty"},
            {
                "resourceType": "ValueSet",
                "id": "filtered",
                "compose": {"include": [{"system": "s", "filter": [{}]}]},
            },
            {"resourceType": "ValueSet", "id": "odd", "compose": {"include": [{"concept": 3}]}},
            "not a resource",
            {"resourceType": "Patient"},
        ],
    )
    assert len(q.warnings) == 5
    assert {warning.feature for warning in q.warnings} == {"valueSet", "contained"}


def test_oddities_that_harm_nobody_are_warnings() -> None:
    q = form(
        item("display", "d", required=True),
        group("g"),
        item("choice", "free"),
        item("open-choice", "open", answerValueSet="https://example.org/huge"),
        item("string", "told", required=True, readOnly=True),
        {"type": "display", "text": "without a linkId"},
        choice("c", "x"),
        item("string", "never", enableWhen=[when("c", "=", answerCoding={"code": "y"})]),
        status="retired",
        subjectType=["Practitioner"],
    )
    features = {warning.feature for warning in q.warnings}
    assert {
        "display",
        "group",
        "answerOption",
        "answerValueSet",
        "required",
        "linkId",
        "enableWhen",
    } <= features
    assert {"status", "subjectType"} <= features


def test_hints_for_other_systems_are_carried_without_a_word() -> None:
    q = form(
        item(
            "string",
            "a",
            ext=[
                ext("sdc:observationExtract", valueBoolean=True),
                ext(
                    "sdc:itemPopulationContext",
                    valueExpression={"language": "text/fhirpath", "expression": "x", "name": "X"},
                ),
                ext(SDC + "sdc-questionnaire-width", valueQuantity={"value": 10}),
                control("something-new"),
            ],
        )
    )
    assert q.warnings == ()


def test_an_unknown_style_modifier_that_is_known_is_let_in() -> None:
    made = resource(
        item("string", "a", modifierExtension=[ext("rendering-styleSensitive", valueBoolean=True)]),
    )
    assert load(made).item("a").text == "About a"


def test_pictures_are_linked_or_the_form_is_refused() -> None:
    linked = ext(
        "sdc:itemMedia", valueAttachment={"contentType": "image/png", "url": "https://example.org/body.png"}
    )
    assert form(item("string", "a", ext=[linked])).item("a").links == ("https://example.org/body.png",)
    embedded = ext("sdc:itemMedia", valueAttachment={"contentType": "image/png", "data": "AAAA"})
    assert any("itemMedia" in line for line in refusal(resource(item("string", "a", ext=[embedded]))))


@pytest.mark.parametrize("key", ["_required", "_maxLength", "_readOnly", "_answerValueSet"])
def test_a_property_told_by_an_expression_is_refused(key: str) -> None:
    dynamic = {"extension": [expression("cqf-expression", "true")]}
    assert any(key[1:] in line for line in refusal(resource(item("string", "a", **{key: dynamic}))))


def test_items_meant_for_reading_a_finished_form_are_not_asked() -> None:
    usage = ext("questionnaire-usageMode", valueCode="display-non-empty")
    assert form(item("string", "a", ext=[usage]), item("string", "b")).item("a").hidden


def test_a_condition_in_a_unit_nobody_can_answer_in_is_refused() -> None:
    waits = item("string", "b", enableWhen=[when("a", ">", answerQuantity=GRAMS)])
    assert any("enableWhen[0]" in line for line in refusal(resource(weight(), waits)))
    load(resource(weight(unit("g")), waits))
    waits["enableWhen"][0]["answerQuantity"] = {"value": 3, "comparator": "<"}
    assert any("enableWhen[0]" in line for line in refusal(resource(weight(), waits)))
    load(resource(weight(initial=[{"valueQuantity": GRAMS | {"unit": "kg", "code": "kg"}}])))


@pytest.mark.parametrize(
    ("made", "path", "said"),
    [
        (item("string", "a", ext=[ext("questionnaire-hidden", valueString="true")]), "extension", "hidden"),
        (
            {**item("string", "a"), "extension": ext("questionnaire-hidden", valueBoolean=True)},
            "extension",
            "list",
        ),
        (item("choice", "a", answerOption={"valueString": "x"}), "answerOption", "list"),
        (
            item(
                "choice", "a", answerOption=[{"valueString": name, "initialSelected": True} for name in "xy"]
            ),
            "answerOption",
            "several",
        ),
        (
            item(
                "choice",
                "a",
                answerOption=[{"valueString": "x", "initialSelected": True}, {"valueString": "y"}],
                initial=[{"valueString": "y"}],
            ),
            "answerOption",
            "only one",
        ),
        (
            item("choice", "a", answerOption=[{"valueString": "x", "initialSelected": "yes"}]),
            "answerOption",
            "true",
        ),
        (item("attachment", "a", ext=[ext("mimeType", valueCode="audio/mpeg")]), "extension", "photos"),
        (
            item("string", "a", _text={"extension": [ext("rendering-xhtml", valueString="<div>" * 300)]}),
            "text",
            "deep",
        ),
        (
            item("string", "a", _text={"extension": [ext("rendering-markdown", valueMarkdown="[" * 60_000)]}),
            "text",
            "long",
        ),
    ],
    ids=lambda value: value if isinstance(value, str) else "",
)
def test_what_would_be_passed_over_or_hold_up_a_page_is_refused(
    made: dict[str, Any], path: str, said: str
) -> None:
    with pytest.raises(QuestionnaireError, match=said) as refused:
        load(resource(made))
    assert [problem.path for problem in refused.value.problems] == [f"Questionnaire.item[0].{path}"]


def test_a_condition_on_a_date_that_is_none_and_a_language_that_is_no_text_are_refused() -> None:
    condition = {"question": "d", "operator": ">", "answerDate": "not a date"}
    for made in (
        resource(item("date", "d"), item("string", "s", enableWhen=[condition])),
        resource(item("string", "s"), language=["en"]),
    ):
        with pytest.raises(QuestionnaireError):
            load(made)


def test_a_number_of_thousands_of_digits_is_told_in_a_sentence_for_people() -> None:
    with pytest.raises(QuestionnaireError, match="too many digits"):
        inspect(b'{"resourceType": "Questionnaire", "maxLength": ' + b"9" * 5000 + b"}")


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("lookupQuestionnaire", {"valueCanonical": "https://example.org/Questionnaire/clinics"}),
        ("questionnaireAdaptive", {"valueBoolean": True}),
    ],
)
def test_what_a_form_wants_of_other_services_is_told_and_the_form_is_asked_as_it_stands(
    name: str, value: dict[str, Any]
) -> None:
    wanted = ext(f"sdc:{name}", **value)
    q = form(item("reference", "a", ext=[wanted]), item("string", "b"))
    assert [problem.feature for problem in q.warnings] == [f"sdc-questionnaire-{name}"]
    assert answers_of(answer(q, a="The clinic by the lake")) == {"a": [{"display": "The clinic by the lake"}]}
