"""Taking in a page: what is merged, what is refused, rows added and removed; and names for any linkId."""

from typing import Any

import pytest
from django.http import QueryDict
from hypothesis import given
from hypothesis import strategies as st

from intake.questionnaires import Questionnaire, UnknownField, accept
from intake.questionnaires.names import decode, encode, resolve
from tests.intake.questionnaires.forms import answer, choice, coded, ext, form, group, item, posted


def post(
    q: Questionnaire, raw: dict[str, Any] | None = None, page: Any = None, /, **fields: Any
) -> dict[str, list[str]]:
    query = QueryDict(mutable=True)
    for name, value in fields.items():
        query.setlist(name.replace("__", ":"), [value] if isinstance(value, str) else value)
    return accept(q, query, {k: list(v) for k, v in (raw or {}).items()}, page)


def named(
    q: Questionnaire, fields: dict[str, Any], raw: dict[str, Any] | None = None, page: Any = None
) -> dict[str, list[str]]:
    return post(q, raw, page, **fields)


@given(st.text(min_size=1))
def test_a_name_survives_any_link_id(link_id: str) -> None:
    try:
        link_id.encode()
    except UnicodeEncodeError:
        return
    coded_id = encode(link_id)
    assert decode(coded_id) == link_id
    assert coded_id.isascii()
    assert not set(coded_id) & set(" .:/\"'<>&#,;[]()")


@pytest.mark.parametrize(
    "link_id",
    ["1.2.3", "with space", "ünï/cödé", "a:b", "~", "~2E", "i", "n", "0", "other", "<script>", "🩺", "_add"],
)
def test_awkward_link_ids_make_the_whole_round(link_id: str) -> None:
    q = form(group("g.1", item("string", link_id), repeats=True))
    name = f"i.{encode('g.1')}.0.{encode(link_id)}"
    raw = named(q, {name: "x"}, page=q.pages[0])
    assert posted(q, raw).facts() == {link_id: ["x"]}


def test_a_post_is_merged_and_what_was_there_stays() -> None:
    q = form(item("string", "a"), item("string", "b"))
    before = {"i.a": ["old"], "i.b": ["kept"]}
    assert named(q, {"i.a": "new"}, before) == {"i.a": ["new"], "i.b": ["kept"]}
    assert before == {"i.a": ["old"], "i.b": ["kept"]}


def test_a_choice_with_nothing_ticked_is_emptied_and_one_not_shown_is_kept() -> None:
    q = form(choice("a", "x", "y", repeats=True), choice("b", "x"))
    before = {"i.a": ["x"], "i.b": ["x"]}
    assert named(q, {"_asked": ["i.a"]}, before) == {"i.a": [], "i.b": ["x"]}
    assert named(q, {"_asked": ["i.a"], "i.a": ["y"]}, before)["i.a"] == ["y"]


@pytest.mark.parametrize(
    "fields",
    [
        {"i.nobody": "x"},
        {"i.": "x"},
        {"i.a.0": "x"},
        {"i.g": "x"},
        {"i.g.a": "x"},
        {"i.g.0": "x"},
        {"i.g.100.b": "x"},
        {"i.g.00.b": "x"},
        {"i.g.-1.b": "x"},
        {"i.g.0.a": "x"},
        {"i.b": "x"},
        {"i.a:unit": "x"},
        {"i.a:nonsense": "x"},
        {"i.g:n": "1", "i.a:n": "1"},
        {"i.told": "x"},
        {"i.hidden": "x"},
        {"i.inner": "x"},
        {"i.display": "x"},
        {"i.~61": "x"},
        {"_asked": ["i.nobody"]},
        {"_add": ["i.a"]},
        {"_add": ["nonsense"]},
        {"_remove": ["i.g"]},
        {"_remove": ["i.g.x"]},
        {"_remove": ["i.a.0"]},
        {"i.many": ["x"] * 501},
    ],
)
def test_fields_the_form_does_not_have_are_refused_in_words(fields: dict[str, Any]) -> None:
    q = form(
        item("string", "a"),
        item("string", "many", repeats=True),
        group("g", item("string", "b"), repeats=True),
        item("string", "told", readOnly=True),
        item("string", "hidden", ext=[ext("questionnaire-hidden", valueBoolean=True)]),
        group("h", item("string", "inner"), ext=[ext("questionnaire-hidden", valueBoolean=True)]),
        item("display", "display"),
    )
    with pytest.raises(UnknownField) as refused:
        named(q, fields)
    assert str(refused.value).endswith(".")


def test_fields_of_another_page_are_refused() -> None:
    q = form(group("g", item("string", "a")), group("h", item("string", "b")))
    assert named(q, {"i.a": "x"}, page=q.pages[0]) == {"i.a": ["x"]}
    assert named(q, {"i.a": "x"}, page="p1") == {"i.a": ["x"]}
    with pytest.raises(UnknownField):
        named(q, {"i.b": "x"}, page=q.pages[0])


def test_other_names_are_the_callers() -> None:
    assert named(form(item("string", "a")), {"csrfmiddlewaretoken": "x", "go": "next", "i.a": "y"}) == {
        "i.a": ["y"]
    }


def test_characters_nothing_can_store_are_marked_and_told() -> None:
    q = form(item("string", "a"))
    raw = named(q, {"i.a": "be\0fore"})
    assert raw == {"i.a": ["be\ufffdfore"]}
    assert posted(q, raw).errors
    assert "stored" in posted(q, raw).errors[0].message
    assert accept(q, {"i.a": ["\ud83d"]}, {}, None)["i.a"] == ["?"]


def test_a_text_that_is_far_too_long_is_kept_and_told() -> None:
    q = form(item("text", "a"))
    raw = named(q, {"i.a": "x" * 25_000})
    assert len(raw["i.a"][0]) == 25_000
    assert "20000" in posted(q, raw).errors[0].message


def test_lines_of_a_repeated_question_come_and_go() -> None:
    q = form(item("string", "a", repeats=True))
    raw = named(q, {"i.a": ["x"], "_add": "i.a"})
    assert raw == {"i.a": ["x", ""]}
    raw = named(q, {"i.a": ["x", "y"], "_remove": "i.a.0"}, raw)
    assert raw == {"i.a": ["y"]}
    assert named(q, {"_add": "i.a"}) == {"i.a": ["", ""]}
    assert named(q, {"_remove": "i.a.7"}, raw) == raw


def test_both_parts_of_a_line_go_together() -> None:
    q = form(item("quantity", "a", repeats=True))
    raw = named(q, {"i.a": ["1", "2"], "i.a:unit": ["kg", "lb"], "_remove": "i.a.0"})
    assert raw == {"i.a": ["2"], "i.a:unit": ["lb"]}


def test_rows_of_a_group_come_and_go() -> None:
    q = form(group("g", item("string", "a"), group("h", item("string", "b"), repeats=True), repeats=True))
    raw = named(q, {"_add": "i.g"})
    assert raw == {"i.g:n": ["1"]}
    raw = named(q, {"i.g:n": "1", "i.g.0.a": "one", "_add": "i.g"}, raw)
    raw = named(q, {"i.g:n": "2", "i.g.1.a": "two", "i.g.1.h.0.b": "deep", "_add": "i.g.1.h"}, raw)
    assert posted(q, raw).facts() == {"a": ["one", "two"], "b": ["deep"]}
    raw = named(q, {"_remove": "i.g.0"}, raw)
    assert posted(q, raw).facts() == {"a": ["two"], "b": ["deep"]}
    assert "i.g.0.h:n" in raw
    assert "i.g.1.a" not in raw
    raw = named(q, {"_remove": "i.g.0"}, raw)
    assert posted(q, raw).facts() == {}
    assert posted(q, raw).nodes("g")[0].row is None
    assert named(q, {"_remove": "i.g.0"}, raw) == raw


def test_no_more_rows_than_the_author_allows() -> None:
    q = form(
        group("g", item("string", "a"), repeats=True, ext=[ext("questionnaire-maxOccurs", valueInteger=2)])
    )
    raw: dict[str, list[str]] = {}
    for _time in range(4):
        raw = named(q, {"_add": "i.g"}, raw)
    assert raw == {"i.g:n": ["2"]}


def test_a_repeated_question_with_questions_below_has_rows() -> None:
    q = form(
        item("choice", "drug", answerOption=coded("a", "b"), repeats=True, item=[item("string", "dose")])
    )
    raw = named(q, {"i.drug.0": "a", "i.drug.0.dose": "5", "_add": "i.drug"})
    assert [node.name for node in posted(q, raw).nodes("drug")] == ["i.drug.0", "i.drug.1"]
    raw = named(q, {"i.drug.1": "b", "i.drug.1.dose": "7"}, raw)
    (only,) = posted(q, raw).response()["item"]
    assert [a["valueCoding"]["code"] for a in only["answer"]] == ["a", "b"]
    assert [a["item"][0]["answer"][0]["valueString"] for a in only["answer"]] == ["5", "7"]
    raw = named(q, {"_remove": "i.drug.0"}, raw)
    assert answer(q, **{name[2:]: value for name, value in raw.items()}).facts() == {
        "drug": ["b"],
        "dose": ["7"],
    }


def test_a_file_can_be_taken_back() -> None:
    q = form(item("attachment", "a"))
    raw = named(q, {"i.a": ["1"], "_asked": ["i.a"], "_remove": "i.a.0"})
    assert raw == {"i.a": []}


def test_names_from_a_page_always_resolve_to_their_item() -> None:
    q = form(
        group("g", item("string", "a"), item("string", "m", repeats=True), repeats=True),
        item("quantity", "w"),
    )
    for name in ("i.g.3.a", "i.g.0.m", "i.w", "i.w:unit", "i.g:n"):
        assert resolve(q, name) is not None, name
    assert resolve(q, "i." + "a" * 5000) is None
