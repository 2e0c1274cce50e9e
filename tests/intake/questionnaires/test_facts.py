"""What rules, staff and the red-flag reader get."""

import json

from intake.questionnaires import evaluate
from tests.intake.questionnaires.forms import (
    CONTEXT,
    answer,
    choice,
    coded,
    control,
    ext,
    form,
    group,
    item,
    posted,
)


def test_the_catalogue_tells_every_fact_and_its_type() -> None:
    q = form(
        choice("pain", "none", "some", scores=True),
        choice("where", "head", "back", repeats=True, scores=True),
        item(
            "open-choice",
            "how",
            answerOption=coded("a"),
            ext=[ext("sdc:openLabel", valueString="In my words")],
        ),
        item(
            "integer",
            "days",
            ext=[
                ext("minValue", valueInteger=0),
                ext("maxValue", valueInteger=30),
                ext("questionnaire-unit", valueCoding={"code": "d", "display": "days"}),
            ],
        ),
        item(
            "quantity",
            "weight",
            ext=[ext("questionnaire-unitOption", valueCoding={"code": c}) for c in ("kg", "lb")],
        ),
        item("boolean", "fever", ext=[ext("sdc:shortText", valueString="Fever")]),
        item("date", "since"),
        item("text", "more"),
        item("attachment", "photo"),
        group("g", item("string", "name"), repeats=True),
    )
    entries = {entry["key"]: entry for entry in q.catalogue()}
    assert list(entries) == [
        "pain",
        "pain:score",
        "where",
        "where:score",
        "how",
        "days",
        "weight",
        "weight:unit",
        "fever",
        "since",
        "more",
        "photo",
        "name",
    ]
    assert entries["pain"] == {
        "key": "pain",
        "label": "About pain",
        "kind": "choice",
        "unit": "",
        "min": None,
        "max": None,
        "many": False,
        "choices": [{"code": "none", "label": "None"}, {"code": "some", "label": "Some"}],
    }
    assert (entries["pain:score"]["kind"], entries["pain:score"]["min"], entries["pain:score"]["max"]) == (
        "decimal",
        0,
        1,
    )
    assert entries["where"]["many"]
    assert entries["where:score"]["max"] is None
    assert entries["how"]["choices"][-1] == {"code": "~other", "label": "In my words"}
    assert (entries["days"]["min"], entries["days"]["max"], entries["days"]["unit"]) == (0, 30, "days")
    assert entries["fever"]["label"] == "Fever"
    assert entries["photo"]["kind"] == "integer"
    assert entries["name"]["many"]
    assert [entries[key]["kind"] for key in ("since", "more", "weight", "weight:unit")] == [
        "date",
        "text",
        "decimal",
        "choice",
    ]
    assert json.loads(json.dumps(q.catalogue())) == q.catalogue()


def test_facts_are_plain_json_of_the_promised_types() -> None:
    q = form(
        choice("where", "head", "back", repeats=True, scores=True),
        item("decimal", "t"),
        item("date", "d"),
        group("g", item("integer", "n"), repeats=True),
    )
    state = posted(
        q, {"i.where": ["head", "back"], "i.t": "38.50", "i.d": "2024-01-02", "i.g.0.n": "1", "i.g.1.n": "2"}
    )
    assert state.facts() == {
        "where": ["head", "back"],
        "where:score": 1,
        "t": 38.5,
        "d": "2024-01-02",
        "n": [1, 2],
    }
    assert json.loads(json.dumps(state.facts())) == state.facts()
    assert set(state.facts()) <= {entry["key"] for entry in q.catalogue()}


def test_every_word_of_the_patients_own_is_handed_over() -> None:
    q = form(
        item("string", "s"),
        item("text", "t"),
        item("url", "u"),
        item("reference", "r"),
        choice("c", "x"),
        item("open-choice", "o", answerOption=coded("x")),
        item("choice", "free"),
        item("integer", "n"),
        group("g", item("string", "w", repeats=True), repeats=True),
        item("string", "ro", readOnly=True, initial=[{"valueString": "not theirs"}]),
    )
    state = posted(
        q,
        {
            "i.s": "one",
            "i.t": "two\nlines",
            "i.u": "https://a.org",
            "i.r": "three",
            "i.c": "x",
            "i.o": "~other",
            "i.o:other": "four",
            "i.free": "five",
            "i.n": "chest pain",
            "i.g.0.w": ["six", "seven"],
            "i.g.1.w": ["eight"],
        },
    )
    assert state.texts() == [
        ("s", "one"),
        ("t", "two\nlines"),
        ("u", "https://a.org"),
        ("r", "three"),
        ("o", "four"),
        ("free", "five"),
        ("n", "chest pain"),
        ("w", "six"),
        ("w", "seven"),
        ("w", "eight"),
    ]


def test_words_that_are_too_long_are_read_for_red_flags_all_the_same() -> None:
    q = form(item("string", "s", maxLength=5), item("text", "t"))
    words = "x" * 20_001 + " chest pain"
    assert answer(q, s="chest pain", t=words).texts() == [("s", "chest pain"), ("t", words)]


def test_the_summary_reads_like_the_form() -> None:
    q = form(
        item("boolean", "a"),
        item("decimal", "t", ext=[ext("questionnaire-unit", valueCoding={"code": "Cel", "display": "°C"})]),
        group("g", item("string", "n"), repeats=True),
        item("dateTime", "at"),
        item("time", "clock"),
        item("string", "empty"),
        group("q", item("string", "untitled", text=" ") | {"text": ""}, text="What else?")
        | {"text": "What else?"},
    )
    state = posted(
        q,
        {
            "i.a": "true",
            "i.t": "38.50",
            "i.g.0.n": "x",
            "i.g.1.n": "y",
            "i.at": "2024-01-02",
            "i.at:time": "10:00",
            "i.clock": "9:05",
            "i.untitled": "z",
        },
    )
    assert [(line["label"], line["value"]) for line in state.summary()] == [
        ("About a", "Yes"),
        ("About t", "38.50 °C"),
        ("About n (1)", "x"),
        ("About n (2)", "y"),
        ("About at", "Jan. 2, 2024, 10 a.m."),
        ("About clock", "9:05 a.m."),
        ("What else?", "z"),
    ]


def test_typed_values_can_be_asked_for() -> None:
    q = form(
        item("integer", "n"),
        item("string", "m", repeats=True),
        group("g", item("boolean", "b"), repeats=True),
        item("boolean", "tick", ext=[control("check-box")]),
    )
    state = posted(q, {"i.n": "4", "i.m": ["x"], "i.g.0.b": "true", "i.g.1.b": "false"})
    assert state.value("n") == 4
    assert state.value("m") == ["x"]
    assert state.value("b") == [True, False]
    assert state.value("i.g.1.b") is False
    assert state.value(q.item("n")) == 4
    assert state.value("tick") is None
    assert state.value("nobody") is None


def test_evaluating_changes_nothing_it_was_given() -> None:
    q = form(item("string", "a"), group("g", item("string", "b"), repeats=True))
    raw = {
        "i.a": ["x"],
        "i.g.0.b": ["y"],
        "stray": ["z"],
        "i.g.999.b": ["w"],
        "i..": ["v"],
        "i.g.-1.b": ["u"],
    }
    before = {name: list(values) for name, values in raw.items()}
    state = evaluate(q, raw, CONTEXT)
    state.response(), state.errors, state.facts()
    assert raw == before
    assert state.facts() == {"a": "x", "b": ["y"]}


def test_a_scale_has_a_total_once_all_of_it_is_answered() -> None:
    q = form(
        group(
            "scale",
            choice("a", "no", "yes", scores=True),
            group("more", choice("b", "no", "yes", scores=True)),
            choice("c", "x"),
        )
    )
    entry = next(entry for entry in q.catalogue() if entry["key"] == "scale:score")
    assert (entry["kind"], entry["min"], entry["max"], entry["many"]) == ("decimal", 0, 2, False)
    assert "scale:score" not in answer(q, a="yes").facts()
    assert answer(q, a="yes", b="yes").facts()["scale:score"] == 2
    assert "more:score" not in answer(q, a="yes", b="yes").facts()


def test_a_link_id_that_looks_like_a_score_keeps_its_name() -> None:
    q = form(choice("a", "no", "yes", scores=True), item("string", "a:score"))
    assert [entry["key"] for entry in q.catalogue()] == ["a", "a:score"]
    assert posted(q, {"i.a": "yes", "i.a~3Ascore": "words"}).facts() == {"a": "yes", "a:score": "words"}
