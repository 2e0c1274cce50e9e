"""What must hold for every form and every set of answers, whatever they are."""

import copy
import json
from contextlib import suppress
from typing import Any

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from intake.questionnaires import (
    QuestionnaireError,
    UnknownField,
    accept,
    evaluate,
    export,
    inspect,
    load,
    render_page,
)
from intake.questionnaires.names import child_name
from tests.intake.questionnaires.forms import CONTEXT, coded, ext, item, resource, when
from tests.intake.questionnaires.test_render import Page, check
from tests.intake.questionnaires.test_response import check_response

quick = settings(
    max_examples=60, deadline=None, suppress_health_check=[HealthCheck.too_slow, HealthCheck.data_too_large]
)
QUESTIONS = (
    "boolean",
    "integer",
    "decimal",
    "date",
    "dateTime",
    "time",
    "string",
    "text",
    "url",
    "choice",
    "open-choice",
    "quantity",
    "reference",
    "attachment",
)
CONDITIONS: dict[str, list[dict[str, Any]]] = {
    "boolean": [{"answerBoolean": True}, {"answerBoolean": False}],
    "integer": [{"answerInteger": 3}],
    "decimal": [{"answerDecimal": 1.5}],
    "date": [{"answerDate": "2024-01-01"}],
    "string": [{"answerString": "yes"}],
    "choice": [{"answerCoding": {"code": "a"}}, {"answerCoding": {"code": "b"}}],
}
words = st.text(st.characters(codec="utf-8", exclude_characters="\0"), max_size=12)
link_ids = st.one_of(
    st.text(st.sampled_from("ab.1 /é~:🩺"), min_size=1, max_size=4).filter(str.strip), st.uuids().map(str)
)


@st.composite
def questionnaires(draw: st.DrawFn) -> dict[str, Any]:
    """A form of up to about 15 items: groups in groups, repeats, conditions on what came before, limits."""
    used: set[str] = set()
    earlier: list[tuple[str, str]] = []

    def an_item(depth: int) -> dict[str, Any] | None:
        link_id = draw(link_ids)
        if link_id in used or len(used) > 15:
            return None
        used.add(link_id)
        kind = draw(
            st.sampled_from(("group", "display", *QUESTIONS) if depth < 3 else ("display", *QUESTIONS))
        )
        made = item(kind, link_id, draw(words) or "x")
        conditions = draw(st.lists(st.sampled_from(earlier), max_size=2)) if earlier else []
        if conditions:
            made["enableWhen"] = [a_condition(*target) for target in conditions]
            made["enableBehavior"] = draw(st.sampled_from(["all", "any"]))
        if kind == "display":
            return made
        made["required"] = draw(st.booleans())
        made["repeats"] = draw(st.booleans())
        if kind in ("choice", "open-choice"):
            made["answerOption"] = coded("a", "b", "c", scores=draw(st.booleans()))
        elif kind == "string" and draw(st.booleans()):
            made["initial"] = [{"valueString": "start"}]
        elif kind == "integer" and draw(st.booleans()):
            made["extension"] = [ext("minValue", valueInteger=0), ext("maxValue", valueInteger=9)]
        if draw(st.integers(0, 9)) == 0:
            made["readOnly"] = True
        if draw(st.integers(0, 9)) == 0:
            made.setdefault("extension", []).append(ext("questionnaire-hidden", valueBoolean=True))
        if kind in CONDITIONS:
            earlier.append((link_id, kind))
        below = [an_item(depth + 1) for _ in range(draw(st.integers(0, 4 if kind == "group" else 1)))]
        if any(below):
            made["item"] = [entry for entry in below if entry]
        return made

    def a_condition(link_id: str, kind: str) -> dict[str, Any]:
        operators = ["=", "!=", "exists"] + (
            [">", "<="] if kind in ("integer", "decimal", "date", "string") else []
        )
        operator = draw(st.sampled_from(operators))
        return when(
            link_id,
            operator,
            **(
                {"answerBoolean": draw(st.booleans())}
                if operator == "exists"
                else draw(st.sampled_from(CONDITIONS[kind]))
            ),
        )

    items = [entry for entry in (an_item(0) for _ in range(draw(st.integers(1, 6)))) if entry]
    return resource(*(items or [item("string", "fallback")]))


typed = st.one_of(
    st.sampled_from(
        [
            "true",
            "false",
            "3",
            "1.5",
            "-1",
            "2024-01-01",
            "2024-13-01",
            "10:00",
            "a",
            "b",
            "~other",
            "yes",
            "",
            " ",
            "https://a.org",
        ]
    ),
    words,
)


@st.composite
def filled(draw: st.DrawFn) -> tuple[dict[str, Any], dict[str, list[str]]]:
    made = draw(questionnaires())
    q = load(made)
    raw: dict[str, list[str]] = {}
    waiting = [(part, "i") for part in q.items]
    while waiting:
        part, prefix = waiting.pop()
        names = [child_name(prefix, part.link_id)]
        if part.has_rows:
            rows = draw(st.integers(0, 2))
            raw[f"{names[0]}:n"] = [str(rows)]
            names = [f"{names[0]}.{row}" for row in range(rows)]
        for name in names:
            if part.asks and draw(st.integers(0, 3)):
                raw[name] = draw(st.lists(typed, max_size=3))
                if part.kind in ("quantity", "dateTime", "open-choice"):
                    raw[
                        name + {"quantity": ":unit", "dateTime": ":time", "open-choice": ":other"}[part.kind]
                    ] = draw(st.lists(typed, max_size=2))
            waiting.extend((child, name if part.has_rows else prefix) for child in part.items)
    return made, raw


@quick
@given(filled())
def test_every_form_with_every_answer(made: tuple[dict[str, Any], dict[str, list[str]]]) -> None:
    q, raw = load(made[0]), made[1]
    state = evaluate(q, raw, CONTEXT)
    wrong = {error.name for error in state.errors}
    stored = json.dumps(state.response())
    for node in state._tree.walk():
        visible = node.enabled and node.item.writable
        if visible and node.item.required and not node.answers:
            assert node.name in wrong, "an enabled required question blocks"
        if not node.enabled:
            assert node.name not in wrong
        if not any(other.enabled for other in state.nodes(node.item)):
            assert json.dumps(node.item.link_id) not in _link_ids(stored), "a disabled answer is never stored"
    check_response(q, state, state.response())
    assert export(q) == dict(q.resource)
    assert json.loads(json.dumps(state.facts())) == state.facts()
    assert set(state.facts()) <= {entry["key"] for entry in q.catalogue()}
    state.texts(), state.summary()
    for page in state.pages:
        check(str(render_page(state, page, bound_errors=True)))


def _link_ids(text: str) -> set[str]:
    found = set()
    waiting = [json.loads(text)]
    while waiting:
        node = waiting.pop()
        if isinstance(node, dict):
            found.add(json.dumps(node.get("linkId")))
            waiting.extend(node.values())
        elif isinstance(node, list):
            waiting.extend(node)
    return found


@quick
@given(filled())
def test_posting_back_what_a_page_shows_changes_nothing(
    made: tuple[dict[str, Any], dict[str, list[str]]],
) -> None:
    q, raw = load(made[0]), made[1]
    before = evaluate(q, raw, CONTEXT)
    after = {name: list(values) for name, values in raw.items()}
    for page in before.pages:
        after = accept(q, fields_of(str(render_page(before, page, bound_errors=False))), after, page)
    state = evaluate(q, after, CONTEXT)
    assert state.response() == before.response()
    assert state.facts() == before.facts()
    # A choice that isn't offered can't be shown again, so its error may go; no new one may come.
    assert {(error.name, error.link_id) for error in state.errors} <= {
        (error.name, error.link_id) for error in before.errors
    }


def fields_of(html: str) -> dict[str, list[str]]:
    """What a browser would post of a page without pressing a button."""
    found: dict[str, list[str]] = {}
    page = Page(html)
    texts = dict(_textareas(html))
    chosen = ""
    for tag, attrs, _above in page.elements:
        name = attrs.get("name", "")
        if tag == "input" and (attrs.get("type") not in ("radio", "checkbox", "file") or "checked" in attrs):
            found.setdefault(name, []).append(attrs.get("value", ""))
        elif tag == "textarea":
            found.setdefault(name, []).append(texts[attrs["id"]])
        elif tag == "select":
            chosen = name
            found.setdefault(name, []).append("")
        elif tag == "option" and "selected" in attrs:
            found[chosen][-1] = attrs.get("value", "")
    return found


def _textareas(html: str) -> list[tuple[str, str]]:
    import html as entities
    import re

    # A browser drops the first line break, and posts every other as \r\n.
    return [
        (hit[1], re.sub(r"\r\n|\r|\n", "\r\n", entities.unescape(hit[2]).removeprefix("\n")))
        for hit in re.finditer(r'<textarea id="([^"]*)"[^>]*>(.*?)</textarea>', html, re.DOTALL)
    ]


@quick
@given(
    questionnaires(),
    st.dictionaries(
        st.one_of(words, st.sampled_from(["i.a", "i.a.0.b", "i.a:n", "i.a.0"])),
        st.lists(words, max_size=3),
        max_size=5,
    ),
)
def test_stray_fields_never_break_anything(made: dict[str, Any], raw: dict[str, list[str]]) -> None:
    q = load(made)
    state = evaluate(q, raw, CONTEXT)
    state.errors, state.response(), state.facts()
    with suppress(UnknownField):
        accept(q, raw, {}, None)


json_values = st.recursive(
    st.one_of(
        st.none(),
        st.booleans(),
        st.integers(-5, 5),
        st.floats(allow_nan=False, allow_infinity=False, width=16),
        words,
        st.just("a"),
    ),
    lambda inner: st.one_of(
        st.lists(inner, max_size=3),
        st.dictionaries(
            st.sampled_from(["linkId", "type", "item", "url", "valueString", "code", "extension", "x"]),
            inner,
            max_size=3,
        ),
    ),
    max_leaves=6,
)


@quick
@given(questionnaires(), st.data())
def test_a_damaged_form_is_refused_or_read_but_never_breaks(
    made: dict[str, Any], data: st.DataObject
) -> None:
    damaged = copy.deepcopy(made)
    damaged.setdefault(
        "extension", [ext("questionnaire-constraint", extension=[{"url": "human", "valueString": "x"}])]
    )
    damaged.setdefault(
        "contained",
        [
            {
                "resourceType": "ValueSet",
                "id": "v",
                "compose": {"include": [{"system": "s", "concept": [{"code": "a"}]}]},
            }
        ],
    )
    for _ in range(data.draw(st.integers(1, 3))):
        places: list[tuple[Any, Any]] = []
        waiting: list[Any] = [damaged]
        while waiting:
            node = waiting.pop()
            inside = (
                list(node.items())
                if isinstance(node, dict)
                else list(enumerate(node))
                if isinstance(node, list)
                else []
            )
            places.extend((node, key) for key, _value in inside)
            waiting.extend(value for _key, value in inside)
        if places:
            node, key = data.draw(st.sampled_from(places))
            node[key] = data.draw(json_values)
    q = None
    with suppress(QuestionnaireError):
        q = inspect(json.dumps(damaged).encode())
    if q is None:
        return
    state = evaluate(q, {}, CONTEXT)
    state.errors, state.response(), state.facts(), state.summary(), q.catalogue()
    for page in state.pages:
        render_page(state, page, bound_errors=True)
    assert export(q) == damaged
