"""The HTML of a page: every control is named, told and reachable, and nothing an author writes can break out."""

import re
from html.parser import HTMLParser
from typing import Any

import pytest

from intake.questionnaires import Questionnaire, State, accept, render_page
from intake.questionnaires.names import resolve
from tests.intake.questionnaires.forms import (
    answer,
    choice,
    coded,
    control,
    expression,
    ext,
    form,
    group,
    item,
    posted,
    when,
)

VOID = {"input", "br", "hr", "img", "meta", "link", "col", "wbr"}


class Page(HTMLParser):
    """Reads a fragment into elements, and notes tags that don't match."""

    def __init__(self, html: str) -> None:
        super().__init__()
        self.elements: list[tuple[str, dict[str, str], tuple[str, ...]]] = []
        self.open: list[str] = []
        self.unbalanced: list[str] = []
        self.feed(html)
        self.close()

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.elements.append((tag, {k: v or "" for k, v in attrs}, tuple(self.open)))
        if tag not in VOID:
            self.open.append(tag)

    def handle_endtag(self, tag: str) -> None:
        if self.open and self.open[-1] == tag:
            self.open.pop()
        else:
            self.unbalanced.append(tag)

    def all(self, tag: str) -> list[dict[str, str]]:
        return [attrs for name, attrs, _above in self.elements if name == tag]


def html_of(state: State, number: int = 0, *, errors: bool = True) -> str:
    return str(render_page(state, state.pages[number], bound_errors=errors))


def check(html: str) -> Page:
    """What holds for every page: balanced, ids once, controls named, references that meet an id, no inline style."""
    page = Page(html)
    assert page.unbalanced == [] == page.open, html
    ids = [attrs["id"] for _tag, attrs, _above in page.elements if "id" in attrs]
    assert len(ids) == len(set(ids)), sorted(i for i in ids if ids.count(i) > 1)
    labelled = {attrs["for"] for attrs in page.all("label") if "for" in attrs}
    assert labelled <= set(ids)
    for tag, attrs, above in page.elements:
        if tag in ("input", "select", "textarea") and attrs.get("type") != "hidden":
            assert attrs["id"] in labelled or "label" in above, attrs
        for reference in attrs.get("aria-describedby", "").split():
            assert reference in ids, (reference, tag)
        assert "style" not in attrs
        assert not any(name.startswith("on") for name in attrs)
        if tag == "fieldset":
            assert "legend" in html
    assert "script" not in {tag for tag, _attrs, _above in page.elements}
    return page


def everything() -> Questionnaire:
    """A form with each kind of question, shown in each way."""
    return form(
        item("display", "note", "Take your time."),
        item("boolean", "yes"),
        item("boolean", "tick", ext=[control("check-box")], required=True),
        item("integer", "whole", ext=[ext("minValue", valueInteger=0), ext("maxValue", valueInteger=200)]),
        item(
            "integer",
            "scale",
            ext=[control("slider"), ext("minValue", valueInteger=0), ext("maxValue", valueInteger=10)],
        ),
        item(
            "decimal",
            "number",
            ext=[ext("questionnaire-unit", valueCoding={"code": "kg", "display": "kilograms"})],
        ),
        item("quantity", "amount"),
        item(
            "quantity",
            "weight",
            ext=[ext("questionnaire-unitOption", valueCoding={"code": c}) for c in ("kg", "lb")],
        ),
        item("date", "day", ext=[ext("minValue", valueDate="2020-01-01")]),
        item("dateTime", "moment", repeats=True),
        item("time", "clock"),
        item("string", "line", maxLength=20, prefix="1a"),
        item("string", "lines", repeats=True),
        item("text", "words"),
        item("url", "page"),
        item("reference", "who"),
        item("attachment", "file", repeats=True, ext=[ext("mimeType", valueCode="image/png")]),
        choice("one", "a", "b"),
        choice("several", "a", "b", repeats=True),
        choice("listed", "a", "b", ext=[control("drop-down")]),
        item("open-choice", "open", answerOption=coded("a", "b")),
        item("open-choice", "openlisted", answerOption=coded("a", "b"), ext=[control("autocomplete")]),
        item("string", "told", readOnly=True, initial=[{"valueString": "as it is"}]),
        item(
            "string",
            "helped",
            item=[
                item("display", "h", "Look at the label.", ext=[control("help")]),
                item("display", "f", "It flies over.", ext=[control("flyover")]),
                item("display", "p", "It asks first.", ext=[control("prompt")]),
            ],
        ),
        group("rows", item("string", "inrow"), repeats=True, required=True),
        group("plain", item("string", "ingroup")),
    )


@pytest.mark.parametrize("errors", [True, False])
def test_every_page_of_every_kind_is_sound(errors: bool) -> None:
    q = everything()
    full = {
        "i.lines": ["x", "y"],
        "i.moment": ["2024-01-01", "2024-01-02"],
        "i.moment:time": ["10:00", ""],
        "i.file": ["1", "2"],
        "i.rows:n": ["2"],
        "i.open": ["~other"],
        "i.open:other": ["mine"],
        "i.whole": ["9999"],
        "i.day": ["2019-01-01"],
        "i.one": ["z"],
    }
    for raw in ({}, full):
        state = posted(q, raw)
        for page in state.pages:
            check(str(render_page(state, page, bound_errors=errors)))


def test_what_a_page_posts_is_what_the_form_takes() -> None:
    q = everything()
    state = posted(q, {"i.lines": ["x", "y"], "i.rows:n": ["2"], "i.file": ["1"]})
    seen = set()
    for page in state.pages:
        html = Page(str(render_page(state, page, bound_errors=False)))
        fields = {
            attrs["name"]: [attrs.get("value", "")]
            for tag in ("input", "select", "textarea")
            for attrs in html.all(tag)
        }
        accept(q, fields, {}, page)
        seen |= {found[0].link_id for name in fields if name.startswith("i.") and (found := resolve(q, name))}
        for button in html.all("button"):
            accept(q, {button["name"]: [button["value"]]}, {}, page)
    assert {item.link_id for item in q.walk() if item.writable} <= seen


def test_the_same_state_gives_the_same_html() -> None:
    q = everything()
    assert html_of(posted(q, {}), 1) == html_of(posted(q, {}), 1)


def test_an_error_stands_beside_its_question_and_is_read_out_with_it() -> None:
    q = form(item("integer", "a", required=True), choice("b", "x", required=True))
    html = html_of(answer(q))
    page = check(html)
    field = next(attrs for attrs in page.all("input") if attrs.get("id") == "i.a")
    assert field["aria-invalid"] == "true"
    assert "i.a-error" in field["aria-describedby"]
    assert field["aria-required"] == "true"
    assert 'id="i.b-error"' in html
    assert "Please choose an answer." in html
    assert "Please" not in html_of(answer(q), errors=False)


def test_what_was_typed_is_shown_again_even_when_it_is_wrong() -> None:
    q = form(
        item("integer", "a"),
        item("text", "b"),
        choice("c", "x", "y"),
        choice("d", "x", ext=[control("drop-down")]),
        item("boolean", "e"),
    )
    page = Page(html_of(answer(q, a="ten", b="<b>bold</b>", c="y", d="x", e="false")))
    assert next(a for a in page.all("input") if a.get("id") == "i.a")["value"] == "ten"
    assert [a["value"] for a in page.all("input") if "checked" in a] == ["y", "false"]
    assert [a["value"] for a in page.all("option") if "selected" in a] == ["x"]
    assert "&lt;b&gt;bold" in html_of(answer(q, b="<b>bold</b>"))


NASTY = "<script>alert(1)</script><img src=x onerror=alert(1)>\"'><b>"


def test_nothing_an_author_or_a_patient_writes_breaks_out() -> None:
    options = [{"valueCoding": {"code": NASTY, "display": NASTY}}, {"valueString": NASTY}]
    q = form(
        item("display", "d", NASTY),
        item("string", "s", NASTY, prefix=NASTY, ext=[ext("entryFormat", valueString=NASTY)]),
        item("choice", "c", NASTY, answerOption=options),
        item("choice", "l", NASTY, answerOption=options, ext=[control("drop-down")]),
        item(
            "quantity",
            "q",
            NASTY,
            ext=[
                ext("questionnaire-unitOption", valueCoding={"code": NASTY}),
                ext("questionnaire-unitOption", valueCoding={"code": "kg"}),
            ],
        ),
        group("g", item("string", NASTY, NASTY), text=NASTY) | {"repeats": True},
        title=NASTY,
    )
    state = posted(q, {"i.s": NASTY, "i.g:n": ["1"], "i.c": NASTY})
    for page in state.pages:
        html = str(render_page(state, page, bound_errors=True))
        check(html)
        assert "<script" not in html
        assert "<img" not in html


def test_formatted_text_is_kept_and_made_safe() -> None:
    xhtml = (
        '<div xmlns="http://www.w3.org/1999/xhtml" style="color:red"><h1>Title</h1>'
        '<p onclick="x()">One <b>bold</b></p><script>x</script><a href="javascript:x">bad</a>'
        '<a href="https://a.org">good</a><svg><script>y</script></svg><ul><li>item</li></ul></div>'
    )
    q = form(
        item("display", "d", "Plain", _text={"extension": [ext("rendering-xhtml", valueString=xhtml)]}),
        item(
            "string",
            "s",
            "Plain",
            _text={
                "extension": [ext("rendering-markdown", valueMarkdown="**Strong** and\n\n- a\n- b <script>")]
            },
        ),
    )
    html = html_of(answer(q))
    check(html)
    assert "<b>bold</b>" in html
    assert "<h3>Title</h3>" in html
    assert "<li>item</li>" in html
    assert "<strong>Strong</strong>" in html
    assert 'href="https://a.org"' in html
    assert "javascript" not in html
    assert "onclick" not in html
    assert "<svg" not in html
    assert "<li>a" not in html, "a label holds no list"


def test_a_style_becomes_a_class_where_it_means_something() -> None:
    q = form(
        item(
            "string",
            "s",
            _text={"extension": [ext("rendering-style", valueString="color: red; font-weight: bold")]},
        )
    )
    html = html_of(answer(q))
    assert 'class="strong"' in html
    assert "red" not in html


def test_translations_are_shown_in_the_readers_language() -> None:
    def spanish(text: str) -> dict[str, Any]:
        return {
            "extension": [
                ext(
                    "translation",
                    extension=[{"url": "lang", "valueCode": "es"}, {"url": "content", "valueString": text}],
                )
            ]
        }

    options = coded("yes")
    options[0]["valueCoding"]["_display"] = spanish("Sí, mucho")
    q = form(item("choice", "c", "Does it hurt?", answerOption=options, _text=spanish("¿Le duele?")))
    assert "¿Le duele?" in html_of(answer(q, "es"))
    assert "Sí, mucho" in html_of(answer(q, "es-MX"))
    assert "Does it hurt?" in html_of(answer(q, "fr"))
    assert answer(q, "es", c="yes").summary() == [
        {"link_id": "c", "name": "i.c", "label": "¿Le duele?", "value": "Sí, mucho", "kind": "choice"}
    ]


@pytest.mark.parametrize(
    ("language", "reader", "marked"),
    [
        ("ar", "en", '<div lang="ar" dir="rtl">'),
        ("fr-CA", "es", '<div lang="fr-CA" dir="ltr">'),
        ("en-US", "en", ""),
        ("en", "es", ""),  # translated
        ("", "es", ""),
    ],
)
def test_a_form_in_another_language_than_the_reader_says_so(language: str, reader: str, marked: str) -> None:
    spanish = [{"url": "lang", "valueCode": "es"}, {"url": "content", "valueString": "¿Qué?"}]
    told = {"extension": [ext("translation", extension=spanish)]} if language == "en" else {}
    root = {"language": language} if language else {}
    html = html_of(answer(form(item("string", "a", **({"_text": told} if told else {})), **root), reader))
    check(html)
    assert html.count("<div lang=") == bool(marked)
    assert marked in html


def test_hints_stand_with_their_question() -> None:
    html = html_of(posted(everything(), {}), 4)
    page = check(html)
    field = next(attrs for attrs in page.all("input") if attrs.get("id") == "i.helped")
    assert len(field["aria-describedby"].split()) == 3
    assert "Look at the label." in html


def test_hidden_and_disabled_questions_are_not_in_the_page() -> None:
    q = form(
        item("boolean", "a"),
        item("string", "b", "Secret words", ext=[ext("questionnaire-hidden", valueBoolean=True)]),
        group("g", item("string", "c", "Later words"), enableWhen=[when("a", "=", answerBoolean=True)]),
    )
    state = answer(q)
    html = "".join(html_of(state, n) for n in range(len(state.pages)))
    assert "Secret" not in html
    assert "Later" not in html


def test_a_slider_never_answers_for_anybody() -> None:
    short = html_of(
        answer(
            form(
                item(
                    "integer",
                    "a",
                    ext=[
                        control("slider"),
                        ext("minValue", valueInteger=0),
                        ext("maxValue", valueInteger=10),
                    ],
                )
            )
        )
    )
    assert short.count('type="radio"') == 11
    assert "checked" not in short
    long = html_of(
        answer(
            form(
                item(
                    "integer",
                    "a",
                    ext=[
                        control("slider"),
                        ext("minValue", valueInteger=0),
                        ext("maxValue", valueInteger=500),
                    ],
                )
            )
        )
    )
    assert 'type="range"' not in long
    assert 'inputmode="numeric"' in long


def test_a_page_has_one_heading_of_the_first_level() -> None:
    q = form(
        item("string", "only"),
        group("g", item("string", "a"), item("string", "b")),
        group("h", item("string", "c")),
        group("r", item("string", "d"), repeats=True),
        group("k", item("string", "e", readOnly=True)),
    )
    for number in range(len(q.pages)):
        html = html_of(answer(q), number)
        assert len(re.findall(r'<h1|aria-level="1"', html)) == 1, html


def test_display_categories_and_links_are_shown() -> None:
    category = ext("questionnaire-displayCategory", valueCodeableConcept={"coding": [{"code": "security"}]})
    q = form(
        item(
            "display",
            "d",
            "Kept safe.",
            ext=[category, ext("questionnaire-supportLink", valueUri="https://example.org/help")],
        ),
        item("string", "s"),
    )
    html = html_of(answer(q))
    assert 'class="note security"' in html
    assert 'href="https://example.org/help"' in html


def test_a_link_that_could_run_something_is_not_a_link() -> None:
    q = form(item("string", "s", ext=[ext("questionnaire-supportLink", valueUri="javascript:alert(1)")]))
    assert "javascript" not in html_of(answer(q))


def test_headers_and_footers_frame_every_page() -> None:
    q = form(
        group("head", item("display", "hd", "Always above"), ext=[control("header")]),
        group("one", item("string", "a")),
        group("two", item("string", "b")),
        item("display", "foot", "Always below", ext=[control("footer")]),
    )
    assert len(q.pages) == 2
    for number in range(2):
        html = html_of(answer(q), number)
        assert html.index("Always above") < html.index("Always below")


def test_computed_values_are_shown_and_not_asked() -> None:
    q = form(
        item("integer", "n"),
        item(
            "integer",
            "twice",
            ext=[expression("sdc:calculatedExpression", "%resource.item.where(linkId='n').answer.value * 2")],
        ),
    )
    html = html_of(answer(q, n="4"))
    assert 'name="i.twice"' not in html
    assert '<p class="value">8' in html


def test_an_option_prefix_and_an_exclusive_answer_are_seen() -> None:
    options = coded("a", "none")
    options[0]["extension"] = [ext("questionnaire-optionPrefix", valueString="a)")]
    options[1]["extension"] = [ext("questionnaire-optionExclusive", valueBoolean=True)]
    html = html_of(answer(form(item("choice", "c", answerOption=options, repeats=True))))
    assert "a)" in html
    assert "Only this answer" in html
