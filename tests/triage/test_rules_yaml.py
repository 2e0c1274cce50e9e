"""Rules as YAML: the round trip is exact, and what YAML allows but rules don't is refused by name."""

from contextlib import suppress
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.triage import rule_cases as cases
from triage.engine import RulesetError, compile_ruleset
from triage.fields import Field
from triage.promises import read_promises
from triage.rules_yaml import MAX_DEPTH, dump, load

TEXT = """\
ruleset: 12
signals: '3'
fallback: front-desk
rules:
  - name: Emergency words
    stage: safety
    when: {field: signal.emergency, op: is, value: true}
    then: {urgency: urgent, tags: [red-flag]}
    note: The text was read as an emergency.
  - name: Fever in a baby
    stage: safety
    when:
      all:
        - {field: patient.age_months, op: lt, value: 3}
        - any:
            - {field: answer.fever.temperature, op: ge, value: 38.0}
            - not: {field: answer.fever.temperature, op: answered}
    then: {urgency: urgent}
  - name: In Norwegian
    stage: assignment
    when: {field: patient.language, op: in, value: ['no', nn]}
    then: {queue: front-desk}
  - name: The rest
    stage: assignment
    when: {always: true}
    then: {queue: front-desk}
promises:
  - name: An emergency is urgent
    whenever: {field: signal.emergency, op: is, value: true}
    never: {field: decision.urgency, op: lt, value: urgent}
"""

CATALOGUE = cases.catalogue_of(
    Field("signal.emergency", "emergency", "boolean"),
    Field("patient.age_months", "age in months", "integer"),
    Field("answer.fever.temperature", "temperature", "quantity"),
    Field("patient.language", "language", "choice"),
)


def test_the_text_of_a_ruleset_is_the_text_that_it_was_read_from() -> None:
    loaded = load(TEXT)
    assert dump(*loaded) == TEXT
    assert (loaded.ruleset.number, loaded.ruleset.signals_version) == (12, "3")
    assert [promise.name for promise in loaded.promises] == ["An emergency is urgent"]


def test_words_are_words() -> None:
    assert load(TEXT.replace("'no'", "no")) == load(TEXT)


names = st.text(st.characters(exclude_categories=["C", "Z"]), min_size=1, max_size=20) | st.sampled_from(
    [
        "null",
        "~",
        "yes",
        "1.5",
        "2024-01-01",
        "a: b",
        "- x",
        "#",
        "*a",
        "&a",
        "!x",
        "{",
        "'",
        '"',
        "=",
        "<<",
        "é 😀",
    ]
)

notes = st.text(
    st.characters(exclude_categories=["Cs"]) | st.sampled_from("\x85\u2028\u2029\ufeff\n\r\t \\\"':#"),
    max_size=60,
)


@cases.calm
@given(st.data())
def test_any_rules_come_back_exactly(data: st.DataObject) -> None:
    catalogue = data.draw(cases.catalogues)
    chance = data.draw(cases.seeds)
    told = cases.some_rules(chance, catalogue)
    names_drawn = data.draw(st.lists(names, min_size=len(told), max_size=len(told), unique=True))
    for rule, name in zip(told, names_drawn, strict=True):
        rule["name"] = name
    told[0]["note"] = data.draw(notes)
    ruleset = compile_ruleset(told, chance.randint(0, 99), catalogue, fallback="desk", signals_version="no")
    promised = [
        {
            "name": name,
            "whenever": cases.a_condition(chance, catalogue),
            "never": {"field": "decision.queue", "op": "is", "value": "desk"},
        }
        for name in names_drawn[:2]
    ]
    promises = read_promises(promised, catalogue)
    text = dump(ruleset, promises)
    assert load(text, catalogue) == (ruleset, promises)
    assert dump(*load(text, catalogue)) == text


@pytest.mark.parametrize(
    ("old", "new", "problem"),
    [
        ("stage: safety\n", "stage: &s safety\n", ("Emergency words", "stage", "“&s” is an anchor")),
        (
            "op: is, value: true}\n    then",
            "op: is, value: *x}\n    then",
            ("Emergency words", "when.value", "alias"),
        ),
        ("front-desk}", "!!str front-desk}", ("In Norwegian", "then.queue", "is a tag")),
        (
            "    then: {urgency: urgent}",
            "    then: {urgency: urgent, urgency: soon}",
            ("Fever in a baby", "then.urgency", "comes twice"),
        ),
        (
            "then: {urgency: urgent}",
            "than: {urgency: urgent}",
            ("Fever in a baby", "than", "not part of a rule"),
        ),
        ("then: {urgency: urgent}", "then: {urgency: now}", ("Fever in a baby", "then.urgency", "one of")),
        ("value: 38.0", "value: [38.0]", ("Fever in a baby", "when.all[1].any[0].value", "number")),
        ("fallback: front-desk", "fallback: 3", ("", "fallback", "code of a queue")),
        ("ruleset: 12", "ruleset: twelve", ("", "ruleset", "whole number")),
        ("signals: '3'", "signals: 3", ("", "signals", "quotes")),
        ("promises:", "promise:", ("", "promise", "not part of a ruleset")),
        ("whenever:", "when:", ("An emergency is urgent", "when", "not part of a promise")),
        (
            "never: {field: decision.urgency",
            "never: {field: decision.urgencies",
            ("An emergency is urgent", "never.field", "no field"),
        ),
        ("  - name: The rest", "  -", ("rule 4", "name", "needs a name")),
        ("ruleset: 12", "? [a]\n: 3", ("", "", "A key is a word")),
        ("promises:", "---\npromises:", ("", "", "more than one document")),
        ("rules:", "rules: [", ("", "line 5", "This is not YAML")),
        ("ruleset: 12", "ruleset: \x00", ("", "", "characters")),
    ],
)
def test_what_is_wrong_is_told_with_its_rule_and_field(old: str, new: str, problem: Any) -> None:
    assert TEXT.count(old) >= 1
    with pytest.raises(RulesetError) as caught:
        load(TEXT.replace(old, new, 1), CATALOGUE)
    found = [(one.rule, one.field, one.sentence) for one in caught.value.problems]
    assert any(one[:2] == problem[:2] and problem[2] in one[2] for one in found), found


@pytest.mark.parametrize("text", ["", "rules", "- rules", "[]", "3", "rules: {}", "rules: 3\npromises: 4"])
def test_a_text_that_is_no_ruleset_is_refused(text: str) -> None:
    with pytest.raises(RulesetError):
        load(text)


def test_bombs_do_not_go_off() -> None:
    laughs = "a: &a [x, x]\n" + "".join(
        f"{chr(98 + n)}: &{chr(98 + n)} [{', '.join(['*' + chr(97 + n)] * 9)}]\n" for n in range(20)
    )
    for text in (laughs, "[" * 100_000, "a: " + "{a: " * (MAX_DEPTH + 2), "rules: [" + "1, " * 20_000 + "]"):
        with pytest.raises(RulesetError):
            load(text)


def test_too_many_rules_are_refused() -> None:
    with pytest.raises(RulesetError, match="more than 5000 entries"):
        load("fallback: a\nrules:\n" + "- {}\n" * 10_001)


@cases.calm
@given(st.integers(0, len(TEXT)), st.integers(0, 8), st.text("[]{}&*!|>?-:,'\"#%@ \nx1\t\x85", max_size=4))
def test_any_text_is_either_read_or_refused(place: int, length: int, text: str) -> None:
    with suppress(RulesetError):
        load(TEXT[:place] + text + TEXT[place + length :])


@pytest.mark.parametrize("stage", ["[]", "{}", "[[safety]]", "7", "null", "true", "{a: safety}"])
def test_a_stage_of_a_wrong_type_is_refused_with_the_rule_and_the_field(stage: str) -> None:
    rule = f"{{name: odd, stage: {stage}, when: {{always: true}}, then: {{queue: desk}}}}"
    text = f"fallback: desk\nrules:\n  - {rule}\n"
    with pytest.raises(RulesetError) as refused:
        load(text)
    assert ("odd", "stage") in [(one.rule, one.field) for one in refused.value.problems]
