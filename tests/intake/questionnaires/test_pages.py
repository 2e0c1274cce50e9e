"""Short pages: where a form is cut, what follows what, and which pages are skipped."""

from typing import Any

import pytest

from intake.questionnaires import Questionnaire
from tests.intake.questionnaires.forms import (
    answer,
    choice,
    control,
    expression,
    ext,
    form,
    group,
    item,
    posted,
    when,
)


def laid_out(q: Questionnaire) -> list[tuple[str, list[str]]]:
    return [(page.title, [part.link_id for part in page.items]) for page in q.pages]


def texts(*names: str) -> list[dict[str, Any]]:
    return [item("string", name) for name in names]


def test_each_top_level_group_is_a_page_and_loose_items_gather() -> None:
    q = form(*texts("a", "b"), group("one", *texts("c")), group("two", *texts("d")), *texts("e"))
    assert laid_out(q) == [
        ("A test", ["a", "b"]),
        ("About one", ["one"]),
        ("About two", ["two"]),
        ("A test", ["e"]),
    ]
    assert [page.id for page in q.pages] == ["p1", "p2", "p3", "p4"]


def test_a_long_group_is_cut_at_a_number_people_can_take_in() -> None:
    q = form(group("one", *texts(*"abcdefghijkl")))
    assert [len(items) for _title, items in laid_out(q)] == [5, 5, 2]
    assert {title for title, _items in laid_out(q)} == {"About one"}


def test_groups_in_a_long_group_stay_together() -> None:
    q = form(group("one", *texts("a", "b"), group("two", *texts("c", "d", "e", "f")), *texts("i")))
    assert laid_out(q) == [("About one", ["a", "b"]), ("About one", ["two", "i"])]


def test_what_repeats_is_never_cut() -> None:
    q = form(group("one", *texts(*"abcdefghij"), repeats=True))
    assert laid_out(q) == [("About one", ["one"])]


@pytest.mark.parametrize("code", ["page", "gtable", "grid"])
def test_an_author_can_keep_a_group_on_one_page(code: str) -> None:
    q = form(group("one", *texts(*"abcdefgh"), ext=[control(code)]))
    assert laid_out(q) == [("About one", ["one"])]


def test_a_follow_up_stays_on_the_page_of_its_answer_as_long_as_there_is_room() -> None:
    q = form(
        item("boolean", "a"),
        item("string", "b", enableWhen=[when("a", "=", answerBoolean=True)]),
        item("string", "c"),
    )
    assert [items for _title, items in laid_out(q)] == [["a", "b", "c"]]
    told = form(
        item("boolean", "a"),
        item(
            "string",
            "b",
            ext=[expression("sdc:enableWhenExpression", "%resource.item.where(linkId='a').answer.value")],
        ),
    )
    assert [items for _title, items in laid_out(told)] == [["a", "b"]]
    full = form(
        *(item("string", f"q{n}") for n in range(5)),
        item("string", "c"),
        item("string", "f", enableWhen=[when("q0", "exists", answerBoolean=True)]),
    )
    assert [len(items) for _title, items in laid_out(full)] == [5, 2]


def test_a_text_to_read_stays_with_what_it_belongs_to() -> None:
    q = form(
        item("display", "intro"),
        group("one", *texts("a")),
        item("display", "between"),
        group("two", *texts("b")),
        item("display", "end"),
    )
    assert laid_out(q) == [("About one", ["intro", "one"]), ("About two", ["between", "two", "end"])]


def test_a_form_that_only_says_something_has_a_page() -> None:
    q = form(item("display", "d", "Read this."))
    assert len(q.pages) == 1
    assert len(answer(q).pages) == 1


def test_every_item_is_on_exactly_one_page() -> None:
    q = form(
        item("display", "dd"),
        group(
            "one", group("two", *texts(*"abcdefgh")), *texts("i"), group("rows", *texts("j"), repeats=True)
        ),
        *texts("kk"),
        group("zone", item("boolean", "y", ext=[ext("questionnaire-hidden", valueBoolean=True)])),
    )
    placed = [link_id for page in q.pages for link_id in page.link_ids if q.item(link_id).asks]
    assert sorted(placed) == sorted(item.link_id for item in q.walk() if item.asks)


def test_pages_with_nothing_to_show_are_skipped() -> None:
    q = form(
        item("boolean", "a"),
        group("one", *texts("b"), enableWhen=[when("a", "=", answerBoolean=True)]),
        group("two", item("string", "c", ext=[ext("questionnaire-hidden", valueBoolean=True)])),
        group("three", *texts("d")),
    )
    assert [page.title for page in answer(q, a="false").pages] == ["A test", "About three"]
    assert [page.title for page in answer(q, a="true").pages] == ["A test", "About one", "About three"]


def test_a_page_says_what_it_shows_so_that_new_questions_are_noticed() -> None:
    q = form(
        group(
            "one",
            item("boolean", "a"),
            item("string", "b", enableWhen=[when("a", "=", answerBoolean=True)]),
            repeats=True,
            required=True,
        )
    )
    page = q.pages[0]
    assert posted(q, {}).shown(page) == {"i.one.0.a"}
    assert posted(q, {"i.one.0.a": "true"}).shown(page) == {"i.one.0.a", "i.one.0.b"}


def test_errors_know_their_page() -> None:
    q = form(
        group("one", *[item("string", name, required=True) for name in "abcdefg"]),
        choice("x", "a", required=True),
    )
    state = answer(q)
    assert [len(state.errors_for(page)) for page in q.pages] == [5, 2, 1]
    assert [error.link_id for error in state.errors_for("p3")] == ["x"]


def test_titles_follow_the_language() -> None:
    spanish = {
        "extension": [
            ext(
                "translation",
                extension=[{"url": "lang", "valueCode": "es"}, {"url": "content", "valueString": "Su salud"}],
            )
        ]
    }
    q = form(group("one", *texts("a"), _text=spanish))
    assert answer(q).title(q.pages[0]) == "About one"
    assert answer(q, "es").title(q.pages[0]) == "Su salud"
