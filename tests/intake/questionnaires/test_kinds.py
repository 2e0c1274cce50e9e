"""What people type, read as what each kind of question asks for; and what they are told when it can't be."""

from typing import Any

import pytest

from intake.questionnaires import Context, Questionnaire, QuestionnaireError
from tests.intake.questionnaires.forms import (
    CONTEXT,
    answer,
    answers_of,
    choice,
    coded,
    control,
    ext,
    form,
    item,
    messages,
    posted,
)


@pytest.mark.parametrize(
    ("kind", "typed", "stored"),
    [
        ("boolean", "true", True),
        ("boolean", "false", False),
        ("integer", "42", 42),
        ("integer", " -7 ", -7),
        ("integer", "+3", 3),
        ("integer", "12.0", 12),
        ("integer", "٤٢", 42),
        ("integer", "\u22125", -5),
        ("decimal", "98.6", 98.6),
        ("decimal", "98,6", 98.6),
        ("decimal", ".5", 0.5),
        ("decimal", "5.", 5),
        ("decimal", "3", 3),
        ("date", "2024-05-31", "2024-05-31"),
        ("date", "2024-5-1", "2024-05-01"),
        ("date", "2024-05", "2024-05"),
        ("date", "2024", "2024"),
        ("time", "14:05", "14:05:00"),
        ("time", "2:05 pm", "14:05:00"),
        ("time", "12:30 a.m.", "00:30:00"),
        ("time", "23:59:59", "23:59:59"),
        ("string", "  some words ", "some words"),
        ("text", "one\r\ntwo\r\n", "one\ntwo"),
        ("url", "https://example.org/a?b=c", "https://example.org/a?b=c"),
        ("reference", "my heart doctor", {"display": "my heart doctor"}),
        ("choice", "in my words", {"display": "in my words"}),
        ("open-choice", "in my words", "in my words"),
        ("quantity", "70.5", {"value": 70.5}),
        ("attachment", "file-1", {"url": "urn:porter:attachment:file-1"}),
    ],
)
def test_an_answer_is_stored_as_its_type(kind: str, typed: str, stored: Any) -> None:
    state = answer(form(item(kind, "q")), q=typed)
    assert state.errors == []
    assert answers_of(state) == {"q": [stored]}


@pytest.mark.parametrize(
    ("kind", "typed"),
    [
        ("boolean", "maybe"),
        ("integer", "ten"),
        ("integer", "1.5"),
        ("integer", "1,234"),
        ("integer", "1 000"),
        ("integer", "9999999999"),
        ("integer", "1e3"),
        ("integer", "--1"),
        ("decimal", "1.2.3"),
        ("decimal", "1,234"),
        ("decimal", "1e400"),
        ("decimal", "NaN"),
        ("decimal", "0.12345678901234567890"),
        ("decimal", "about 5"),
        ("date", "2024-02-30"),
        ("date", "31/05/2024"),
        ("date", "05/31/2024"),
        ("date", "tomorrow"),
        ("date", "0000-01-01"),
        ("time", "25:00"),
        ("time", "13:00 pm"),
        ("time", "noon"),
        ("dateTime", "2024-13-01"),
        ("dateTime", "2024-05-01T99:00"),
        ("url", "example.org"),
        ("url", "javascript:alert(1)"),
        ("url", "https://exa mple.org"),
        ("quantity", "heavy"),
        ("string", "a\ufffdb"),
        ("string", "a\x00b"),
        ("string", "a\x07b"),
        ("text", "\ud800"),
        ("text", "x" * 20_001),
    ],
)
def test_what_cannot_be_read_is_an_error_and_never_stored(kind: str, typed: str) -> None:
    state = answer(form(item(kind, "q")), q=typed)
    (message,) = messages(state).values()
    assert message.endswith(".")
    assert answers_of(state) == {}
    assert state.facts() == {}


@pytest.mark.parametrize(
    "kind", ["boolean", "integer", "date", "string", "text", "url", "quantity", "choice"]
)
@pytest.mark.parametrize("typed", ["", "   "])
def test_an_empty_field_is_no_answer(kind: str, typed: str) -> None:
    state = answer(form(item(kind, "q")), q=typed)
    assert state.errors == []
    assert answers_of(state) == {}


def test_a_date_and_a_time_make_a_moment_with_the_offset_of_the_place() -> None:
    q = form(item("dateTime", "q"))
    assert answers_of(posted(q, {"i.q": "2025-05-19", "i.q:time": "21:15"})) == {
        "q": ["2025-05-19T21:15:00-04:00"]
    }
    assert answers_of(posted(q, {"i.q": "2025-05-19"})) == {"q": ["2025-05-19"]}
    assert messages(posted(q, {"i.q": "", "i.q:time": "21:15"})) == {
        "i.q": "Give the date as well as the time."
    }
    assert messages(posted(q, {"i.q": "2025", "i.q:time": "21:15"}))
    whole = posted(q, {"i.q": "2025-05-19T08:00:00Z"})
    assert answers_of(whole) == {"q": ["2025-05-19T08:00:00Z"]}


@pytest.mark.parametrize(
    ("code", "shown"),
    [("{score}", "score"), ("{drinks}/wk", "drinks/wk"), ("[degF]", "°F"), ("mm[Hg]", "mmHg"), ("kg", "kg")],
)
def test_a_unit_is_named_as_people_read_it_and_stored_by_its_code(code: str, shown: str) -> None:
    unit = ext("questionnaire-unit", valueCoding={"system": "http://unitsofmeasure.org", "code": code})
    q = form(item("quantity", "q", ext=[unit]), item("decimal", "n", ext=[unit]))
    state = answer(q, q="3", n="4")
    assert [line["value"] for line in state.summary()] == [f"3 {shown}", f"4 {shown}"]
    (stored,) = answers_of(state)["q"]
    assert (stored["unit"], stored["code"]) == (shown, code)


def test_a_quantity_has_the_unit_its_author_offers() -> None:
    one = form(
        item(
            "quantity",
            "q",
            ext=[
                ext(
                    "questionnaire-unit",
                    valueCoding={"system": "http://unitsofmeasure.org", "code": "kg", "display": "kilograms"},
                )
            ],
        )
    )
    assert answers_of(answer(one, q="70")) == {
        "q": [{"value": 70, "unit": "kilograms", "system": "http://unitsofmeasure.org", "code": "kg"}]
    }
    two = form(
        item(
            "quantity",
            "q",
            ext=[
                ext("questionnaire-unitOption", valueCoding={"code": "kg", "display": "kilograms"}),
                ext("questionnaire-unitOption", valueCoding={"code": "[lb_av]", "display": "pounds"}),
            ],
        )
    )
    state = posted(two, {"i.q": "154", "i.q:unit": "[lb_av]"})
    assert answers_of(state)["q"][0]["unit"] == "pounds"
    assert state.facts() == {"q": 154, "q:unit": "[lb_av]"}
    assert messages(posted(two, {"i.q": "154"})) == {"i.q": "Choose the unit for this number."}
    free = posted(form(item("quantity", "q")), {"i.q": "3", "i.q:unit": "weeks"})
    assert answers_of(free) == {
        "q": [{"value": 3, "unit": "weeks", "system": "http://unitsofmeasure.org", "code": "wk"}]
    }


@pytest.mark.parametrize(
    ("typed", "code"),
    [
        ("kg", "kg"), (" Kilos ", "kg"), ("lbs.", "[lb_av]"), ("libras", "[lb_av]"), ("mL", "mL"), ("ML", "mL"),
        ("µg", "ug"), ("mcg", "ug"), ("Días", "d"), ("°F", "[degF]"), ("mmHg", "mm[Hg]"), ("[in_i]", "[in_i]"),
        # What may mean two things, is no unit, or is a code in another case stays in words.
        ("m", None), ("t", None), ("units", None), ("Mg", None), ("KG", "kg"), ("[LB_AV]", None),
        ("puffs", None), ("kg kg", None),
    ],
)  # fmt: skip
def test_a_unit_in_words_gets_its_code_where_that_is_sure(typed: str, code: str | None) -> None:
    (stored,) = answers_of(posted(form(item("quantity", "q")), {"i.q": "3", "i.q:unit": typed}))["q"]
    assert stored["unit"] == typed.strip()
    assert stored.get("code") == code
    assert stored.get("system") == ("http://unitsofmeasure.org" if code else None)


class TestOfferedUnitsAndOthers:
    @staticmethod
    def asks(*extensions: dict[str, Any], **more: Any) -> Questionnaire:
        kg = ext(
            "questionnaire-unitOption", valueCoding={"system": "u", "code": "kg", "display": "kilograms"}
        )
        return form(
            item(
                "quantity", "q", ext=[kg, ext("sdc:unitOpen", valueCode="optionsOrType"), *extensions], **more
            )
        )

    @pytest.mark.parametrize("typed", ["kilograms", "Kilograms", "kg"])
    def test_one_that_is_offered_is_that_one(self, typed: str) -> None:
        state = posted(self.asks(), {"i.q": "70", "i.q:unit": typed})
        assert answers_of(state) == {"q": [{"value": 70, "unit": "kilograms", "system": "u", "code": "kg"}]}
        assert state.facts() == {"q": 70, "q:unit": "kg"}
        assert state.texts() == []

    def test_words_that_are_no_unit_are_read_as_free_text_and_no_fact(self) -> None:
        state = posted(self.asks(), {"i.q": "7", "i.q:unit": "pills and I want to die"})
        assert answers_of(state) == {"q": [{"value": 7, "unit": "pills and I want to die"}]}
        assert state.facts() == {"q": 7, "q:unit": "~other"}
        assert [text for _link, text in state.texts()] == ["pills and I want to die"]

    def test_without_one_the_unit_is_asked_for(self) -> None:
        assert messages(posted(self.asks(), {"i.q": "7"})) == {"i.q": "Choose the unit for this number."}

    def test_a_limit_in_one_of_them_is_refused(self) -> None:
        with pytest.raises(QuestionnaireError, match="told in one unit"):
            self.asks(ext("minValue", valueQuantity={"value": 3, "code": "kg"}))

    def test_a_first_value_in_another_is_kept(self) -> None:
        q = self.asks(initial=[{"valueQuantity": {"value": 11, "unit": "stone"}}])
        assert answers_of(posted(q, {}))["q"][0]["code"] == "[stone_av]"


def test_units_can_come_from_a_value_set() -> None:
    sets = [
        {
            "resourceType": "ValueSet",
            "url": "https://example.org/units",
            "compose": {
                "include": [
                    {
                        "system": "http://unitsofmeasure.org",
                        "concept": [{"code": "cm"}, {"code": "[in_i]", "display": "inches"}],
                    }
                ]
            },
        }
    ]
    q = form(
        item(
            "quantity",
            "q",
            ext=[ext("questionnaire-unitValueSet", valueCanonical="https://example.org/units")],
        ),
        value_sets=sets,
    )
    assert [unit.label for unit in q.item("q").units] == ["cm", "inches"]


def test_choices_of_every_type_come_back_as_what_they_were() -> None:
    options = [
        {"valueCoding": {"code": "a", "display": "Apple"}},
        {"valueString": "plain words"},
        {"valueInteger": 7},
        {"valueDate": "2024-01-01"},
        {"valueTime": "08:00:00"},
        {"valueReference": {"reference": "Practitioner/1", "display": "Dr. Reed"}},
    ]
    q = form(item("choice", "q", answerOption=options, repeats=True))
    keys = [option.key for option in q.item("q").options]
    assert keys == ["a", "plain words", "7", "2024-01-01", "08:00:00", "Practitioner/1"]
    state = answer(q, q=keys)
    assert [list(a)[0] for a in state.response()["item"][0]["answer"]] == [
        "valueCoding",
        "valueString",
        "valueInteger",
        "valueDate",
        "valueTime",
        "valueReference",
    ]
    assert state.facts()["q"] == ["a", "plain words", 7, "2024-01-01", "08:00:00", "Practitioner/1"]


def test_the_same_code_in_two_systems_stays_two_answers() -> None:
    options = [{"valueCoding": {"system": s, "code": "1", "display": s}} for s in ("s1", "s2")]
    q = form(item("choice", "q", answerOption=options))
    assert [option.key for option in q.item("q").options] == ["s1|1", "s2|1"]
    assert answers_of(answer(q, q="s2|1"))["q"][0]["system"] == "s2"


def test_a_code_that_looks_like_our_own_mark_is_told_apart() -> None:
    q = form(item("open-choice", "q", answerOption=[{"valueCoding": {"code": "~other", "display": "Tilde"}}]))
    assert q.item("q").options[0].key == "Coding|~other"


def test_an_answer_that_is_not_offered_is_refused() -> None:
    state = answer(form(choice("q", "a", "b")), q="c")
    assert messages(state) == {"i.q": "Choose one of the answers listed."}
    assert answers_of(state) == {}


def test_of_a_doubled_single_answer_the_last_one_counts() -> None:
    assert answer(form(choice("q", "a", "b")), q=["a", "b"]).facts() == {"q": "b"}
    assert answer(form(item("string", "q")), q=["x", "y"]).facts() == {"q": "y"}


def test_an_open_choice_takes_words_of_ones_own() -> None:
    q = form(item("open-choice", "q", answerOption=coded("a", "b")))
    state = posted(q, {"i.q": "~other", "i.q:other": " my own "})
    assert answers_of(state) == {"q": ["my own"]}
    assert state.facts() == {"q": "~other"}
    assert state.texts() == [("q", "my own")]
    assert answers_of(posted(q, {"i.q:other": "just written"})) == {"q": ["just written"]}
    assert messages(posted(q, {"i.q": "~other", "i.q:other": " "}))
    both = posted(q, {"i.q": "a", "i.q:other": "chest pain"})
    assert "Clear the box" in messages(both)["i.q"]
    assert both.texts() == [("q", "chest pain")]


def test_a_repeated_open_choice_takes_both() -> None:
    q = form(item("open-choice", "q", answerOption=coded("a", "b"), repeats=True))
    state = posted(q, {"i.q": ["a", "~other"], "i.q:other": "words"})
    assert state.facts() == {"q": ["a", "~other"]}
    assert [type(a) for a in answers_of(state)["q"]] == [dict, str]


def test_an_exclusive_answer_stands_alone() -> None:
    options = coded("a", "b", "none")
    options[2]["extension"] = [ext("questionnaire-optionExclusive", valueBoolean=True)]
    q = form(item("choice", "q", answerOption=options, repeats=True))
    assert "“None”" in messages(answer(q, q=["a", "none"]))["i.q"]
    assert answer(q, q=["none"]).errors == []
    assert answer(q, q=["a", "b"]).errors == []


def test_files_are_told_by_what_is_known_of_them() -> None:
    q = form(
        item(
            "attachment",
            "q",
            repeats=True,
            ext=[ext("maxSize", valueDecimal=1), ext("mimeType", valueCode="image/*")],
        )
    )
    known = {
        "1": {"contentType": "image/png", "title": "rash.png", "size": 100, "url": "https://example.org/1"},
        "2": {"contentType": "image/png", "title": "big.png", "size": 5_000_000},
        "3": {"contentType": "text/html", "title": "page.html", "size": 10},
    }
    context = Context(today=CONTEXT.today, now=CONTEXT.now, attachments=known)
    good = answer(q, context=context, q=["1"])
    assert answers_of(good) == {"q": [known["1"]]}
    assert good.facts() == {"q": 1}
    assert good.summary()[0]["value"] == "rash.png"
    for wrong in ("2", "3", "somebody-else's"):
        assert messages(answer(q, context=context, q=[wrong])), wrong


def test_a_tick_box_left_empty_is_no_answer_rather_than_no() -> None:
    q = form(item("boolean", "q", required=True, ext=[control("check-box")]))
    assert messages(posted(q, {"i.q": []})) == {"i.q": "Please tick the box to go on."}
    assert answers_of(answer(q, q="true")) == {"q": [True]}


@pytest.mark.parametrize(
    ("kind", "typed", "english", "spanish"),
    [
        ("date", "2024-05-03", "May 3, 2024", "3 de mayo de 2024"),
        ("date", "2024-05", "May 2024", "mayo de 2024"),
        ("date", "2024", "2024", "2024"),
        ("dateTime", "2024-05-03T14:05", "May 3, 2024, 2:05 p.m.", "3 de mayo de 2024, 14:05"),
        ("time", "14:05", "2:05 p.m.", "14:05"),
    ],
)
def test_days_and_times_are_told_in_the_readers_language_and_kept_as_fhir_has_them(
    kind: str, typed: str, english: str, spanish: str
) -> None:
    q = form(item(kind, "q"))
    for language, said in (("en", english), ("es", spanish)):
        state = answer(q, language, q=typed)
        assert [line["value"] for line in state.summary()] == [said]
        assert answers_of(state)["q"][0].startswith(typed)
