"""Which answers a value set gives, and when it is better not known."""

from typing import Any

import pytest

from intake.questionnaires import QuestionnaireError
from intake.questionnaires.valuesets import NotKnown, ValueSets, common
from tests.intake.questionnaires.forms import answer, answers_of, ext, form, item

COLOURS = {
    "resourceType": "CodeSystem",
    "url": "https://example.org/colours",
    "content": "complete",
    "concept": [{"code": "red", "display": "Red", "concept": [{"code": "pink"}]}, {"code": "blue"}],
}


NOT = [{"url": "https://example.org/not", "valueBoolean": True}]


def value_set(url: str = "https://example.org/vs", **content: Any) -> dict[str, Any]:
    return {"resourceType": "ValueSet", "url": url, "status": "active", **content}


def codes(made: dict[str, Any], *more: dict[str, Any]) -> list[str]:
    return [coding["code"] for coding in ValueSets([], [made, *more]).codes(made["url"])]


def listed(*names: str, system: str = "s") -> dict[str, Any]:
    return {"system": system, "concept": [{"code": name} for name in names]}


def test_codes_come_in_the_authors_order() -> None:
    assert codes(value_set(compose={"include": [listed("b", "a"), listed("c", "b", system="t")]})) == [
        "b",
        "a",
        "c",
        "b",
    ]
    assert codes(value_set(compose={"include": [listed("a", "b", "c")], "exclude": [listed("b")]})) == [
        "a",
        "c",
    ]
    assert codes(value_set(compose={"include": [{"system": COLOURS["url"]}]}), COLOURS) == [
        "red",
        "pink",
        "blue",
    ]


def test_an_expansion_is_used_where_it_is_whole() -> None:
    contains = [
        {"system": "s", "code": "a", "contains": [{"system": "s", "code": "b"}]},
        {"system": "s", "code": "x", "abstract": True},
        {"system": "s", "code": "y", "inactive": True},
    ]
    assert codes(value_set(expansion={"contains": contains})) == ["a", "b"]
    part = {"total": 500, "contains": contains}
    assert codes(value_set(expansion=part, compose={"include": [listed("z")]})) == ["z"]
    with pytest.raises(NotKnown):
        codes(value_set(expansion=part))


def test_a_value_set_can_stand_on_others() -> None:
    inner = value_set("https://example.org/inner", compose={"include": [listed("a", "b")]})
    assert codes(value_set(compose={"include": [{"valueSet": [inner["url"]]}]}), inner) == ["a", "b"]
    both = {**listed("b", "c"), "valueSet": [inner["url"]]}
    assert codes(value_set(compose={"include": [both]}), inner) == ["b"]
    with pytest.raises(NotKnown, match="contains itself"):
        codes(value_set(compose={"include": [{"valueSet": ["https://example.org/vs"]}]}))


@pytest.mark.parametrize(
    "content",
    [
        {},
        {"compose": {}},
        {"compose": {"include": []}},
        {"compose": {"include": [{}]}},
        {"compose": {"include": [{"system": "s"}]}},
        {
            "compose": {
                "include": [{"system": "s", "filter": [{"property": "concept", "op": "is-a", "value": "1"}]}]
            }
        },
        {"compose": {"include": [{"system": "s", "concept": [{"display": "no code"}]}]}},
        {"compose": {"include": "x"}},
        {"compose": {"include": [{"valueSet": ["https://example.org/nowhere"]}]}},
        {"expansion": {"contains": [{"code": 5}]}},
        {"compose": {"include": [listed("a")], "exclude": [{"system": "s", "filter": [{}]}]}},
        {"compose": {"include": [listed("a")]}, "modifierExtension": NOT},
        {"compose": {"include": [listed("a")], "modifierExtension": NOT}},
        {"compose": {"include": [{**listed("a"), "modifierExtension": NOT}]}},
        {"compose": {"include": [{"system": "s", "concept": [{"code": "a", "modifierExtension": NOT}]}]}},
        {"expansion": {"contains": [{"code": "a", "modifierExtension": NOT}]}},
    ],
)
def test_what_cannot_be_told_is_not_guessed(content: dict[str, Any]) -> None:
    with pytest.raises(NotKnown):
        codes(value_set(**content))


def test_a_version_that_is_not_at_hand_is_not_another() -> None:
    made = value_set(version="2", compose={"include": [listed("a")]})
    sets = ValueSets([], [made])
    assert sets.codes("https://example.org/vs|2")
    assert sets.codes("https://example.org/vs")
    with pytest.raises(NotKnown):
        sets.codes("https://example.org/vs|3")


def test_an_expansion_with_headings_is_whole_when_all_its_entries_are_there() -> None:
    contains = [
        {"abstract": True, "display": "Over the counter", "contains": [{"code": "a", "display": "A"}]},
        {"code": "b", "display": "B", "inactive": True},
        {"code": "c", "display": "C"},
    ]
    assert codes(value_set(expansion={"total": 4, "contains": contains})) == ["a", "c"]
    with pytest.raises(NotKnown):
        codes(value_set(expansion={"total": 5, "contains": contains}))


def test_common_sets_are_known() -> None:
    for name in ("yesnodontknow", "administrative-gender", "gender-identity", "marital-status", "name-use"):
        url = f"http://hl7.org/fhir/ValueSet/{name}"
        assert len(ValueSets([], []).codes(url)) >= 3
    assert len(ValueSets([], []).codes("http://hl7.org/fhir/us/core/ValueSet/omb-race-category")) == 7
    assert all(ValueSets([], []).codes(url) for url in common())


def test_a_contained_set_gives_labels_scores_and_translations() -> None:
    concepts = [
        {
            "code": "a",
            "display": "Never",
            "extension": [ext("ordinalValue", valueDecimal=0)],
            "designation": [{"language": "es", "value": "Nunca"}],
        },
        {"code": "b", "display": "Often", "extension": [ext("ordinalValue", valueDecimal=1.5)]},
    ]
    contained = [
        {
            "resourceType": "ValueSet",
            "id": "v",
            "compose": {"include": [{"system": "s", "concept": concepts}]},
        }
    ]
    q = form(item("choice", "q", answerValueSet="#v"), contained=contained)
    assert [option.label("es") for option in q.item("q").options] == ["Nunca", "Often"]
    state = answer(q, q="b")
    assert state.facts() == {"q": "b", "q:score": 1.5}
    assert answers_of(state) == {"q": [{"system": "s", "code": "b", "display": "Often"}]}


def test_a_choice_from_an_unknown_set_is_refused_and_an_open_one_is_asked_in_words() -> None:
    with pytest.raises(QuestionnaireError):
        form(item("choice", "q", answerValueSet="https://example.org/all-of-medicine"))
    q = form(item("open-choice", "q", answerValueSet="https://example.org/all-of-medicine"))
    assert q.warnings
    assert answers_of(answer(q, q="a rash")) == {"q": ["a rash"]}
    sets = [value_set("https://example.org/all-of-medicine", compose={"include": [listed("a")]})]
    assert (
        form(item("choice", "q", answerValueSet="https://example.org/all-of-medicine"), value_sets=sets)
        .item("q")
        .options
    )
