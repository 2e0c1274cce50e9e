"""Every feature of a form that Porter promises, one small questionnaire each: imported, shown, answered, checked
against the questionnaire and as R4, and given out again as it came in.
"""

from __future__ import annotations

from typing import Any

import pytest
from fhir.resources.R4B.questionnaire import Questionnaire as R4Questionnaire

from intake.questionnaires import QuestionnaireError, export, load
from tests.intake.questionnaires.features import choosing, conditions, kinds, meaning
from tests.intake.questionnaires.features.rows import CALCULATED, has
from tests.intake.questionnaires.forms import answers_of, expression, ext, item, messages, posted, resource
from tests.intake.questionnaires.test_render import check, html_of
from tests.intake.questionnaires.test_response import check_response

FEATURES = kinds.FEATURES | choosing.FEATURES | conditions.FEATURES | meaning.FEATURES


@pytest.mark.parametrize("name", FEATURES)
def test_a_feature_makes_the_whole_round(name: str) -> None:
    feature = FEATURES[name]
    made = resource(*feature.items, **feature.root)
    R4Questionnaire.model_validate(made)
    q = load(made, value_sets=feature.sets)
    state = posted(q, feature.raw, feature.language)
    pages = "\n".join(html_of(state, number) for number in range(len(state.pages)))
    for number in range(len(state.pages)):
        check(html_of(state, number))
    for words in feature.shows:
        assert words in pages, words
    for words in feature.hides:
        assert words not in pages, words
    found = messages(state)
    assert set(found) == set(feature.says), found
    for field_name, words in feature.says.items():
        assert words in found[field_name]
    if not feature.says:
        check_response(q, state, state.response())
    if feature.stores:
        assert answers_of(state) == feature.stores
    for fact, value in feature.facts.items():
        assert state.facts()[fact] == value
    assert export(q) == made


# The other side: what would silently change meaning is named with its place.
REFUSED: dict[str, tuple[tuple[dict[str, Any], ...], str]] = {
    "a cycle in enableWhen": (
        (
            item("boolean", "a", enableWhen=has("b", answerBoolean=True)),
            item("boolean", "b", enableWhen=has("a", answerBoolean=True)),
        ),
        "item[0]",
    ),
    "two items with one linkId": ((item("string", "a"), item("string", "a")), "item[1]"),
    "an unknown type": ((item("colour", "a"),), "item[0]"),
    "a broken FHIRPath": (
        (item("integer", "a", ext=[expression(CALCULATED, "%resource.where(")]),),
        "item[0]",
    ),
    "a pattern with look-around": (
        (item("string", "a", ext=[ext("regex", valueString="(?=x)y")]),),
        "item[0]",
    ),
    "a pattern between slashes that may be meant so": (
        (item("string", "a", ext=[ext("regex", valueString="/home/i")]),),
        "item[0]",
    ),
    "a pattern with a flag that is not known": (
        (item("string", "a", ext=[ext("regex", valueString="/^a$/q")]),),
        "item[0]",
    ),
    "a value set that is nowhere": (
        (item("choice", "a", answerValueSet="https://example.org/nowhere"),),
        "item[0]",
    ),
}


@pytest.mark.parametrize("name", REFUSED)
def test_what_can_not_be_done_is_refused_with_its_place(name: str) -> None:
    items, where = REFUSED[name]
    with pytest.raises(QuestionnaireError) as refused:
        load(resource(*items))
    assert any(where in problem.path and problem.sentence for problem in refused.value.problems)
