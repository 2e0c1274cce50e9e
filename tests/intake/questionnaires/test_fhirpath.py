"""The expression engine by itself: the language, its functions, and what it says where it can't."""

from typing import Any

import pytest

from intake.questionnaires.fhirpath import Budget, Fault, Scope, SyntaxFault, parse, run

RESPONSE = {
    "resourceType": "QuestionnaireResponse",
    "item": [
        {"linkId": "n", "answer": [{"valueInteger": 3}]},
        {"linkId": "d", "answer": [{"valueDecimal": 70.5}]},
        {"linkId": "s", "answer": [{"valueString": "hello"}]},
        {"linkId": "day", "answer": [{"valueDate": "1980-02-29"}]},
        {"linkId": "at", "answer": [{"valueDateTime": "2024-05-01T10:00:00-04:00"}]},
        {"linkId": "q", "answer": [{"valueQuantity": {"value": 5, "unit": "kilograms", "code": "kg"}}]},
        {
            "linkId": "c",
            "answer": [
                {"valueCoding": {"system": "s", "code": "x", "display": "X"}},
                {"valueCoding": {"system": "s", "code": "y"}},
            ],
        },
        {"linkId": "g", "item": [{"linkId": "deep", "answer": [{"valueBoolean": True}]}]},
    ],
}
PATIENT = {
    "resourceType": "Patient",
    "birthDate": "1980-02-29",
    "name": [{"given": ["Maya", "J"], "family": "Ortiz"}],
    "deceasedBoolean": False,
}


def value(text: str, variables: dict[str, list[Any]] | None = None) -> list[Any]:
    known = {"patient": [PATIENT], **(variables or {})}
    scope = Scope(
        RESPONSE,
        [RESPONSE],
        lambda name: known.get(name, []),
        today="2025-05-20",
        now="2025-05-20T09:30:00-04:00",
        budget=Budget(),
    )
    found = run(parse(text), scope, [RESPONSE])
    return [part if isinstance(part, (bool, int, str, dict)) else str(part) for part in found]


def by(link_id: str) -> str:
    return f"item.where(linkId='{link_id}').answer.value"


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        # literals and arithmetic
        ("1 + 2 * 3", [7]),
        ("(1 + 2) * 3", [9]),
        ("-3 + 1", [-2]),
        ("7 div 2", [3]),
        ("7 mod 2", [1]),
        ("7 / 2", ["3.5"]),
        ("1 / 0", []),
        ("5 div 0", []),
        ("'a' + 'b'", ["ab"]),
        ("'a' & {} & 'b'", ["ab"]),
        ("1 + {}", []),
        ("-7 mod 3", [-1]),
        ("0.1 + 0.2 = 0.3", [True]),
        ("'it\\'s \\u0041'", ["it's A"]),
        ("{}", []),
        ("true", [True]),
        ("// note\n 1", [1]),
        ("1 /* note */ + 1", [2]),
        ("2 'mg' + 3 'mg'", ["5 'mg'"]),
        ("2 * 3 'mg'", ["6 'mg'"]),
        ("6 'mg' / 2", ["3 'mg'"]),
        # comparison and equality
        ("1 < 2", [True]),
        ("2 <= 1", [False]),
        ("'a' < 'b'", [True]),
        ("1 = 1.0", [True]),
        ("1 != 2", [True]),
        ("1 = {}", []),
        ("(1 | 2) = (1 | 2)", [True]),
        ("(1 | 2) = (2 | 1)", [False]),
        ("(1 | 2) ~ (2 | 1)", [True]),
        ("'Ab  c' ~ 'aB c'", [True]),
        ("1 !~ 2", [True]),
        ("@2024-01-01 < @2024-01-02", [True]),
        ("@2024-01 < @2024-01-02", []),
        ("@2024 = @2024-01", []),
        ("@2024-01-01T10:00:00Z = @2024-01-01T06:00:00-04:00", [True]),
        ("@T10:00 < @T11:00", [True]),
        ("10 'mg' > 5 'mg'", [True]),
        ("true = true", [True]),
        ("'1' = 1", [False]),
        ("1.25 ~ 1.3", [True]),
        # logic
        ("true and {}", []),
        ("false and {}", [False]),
        ("true or {}", [True]),
        ("false or {}", []),
        ("true xor true", [False]),
        ("false implies {}", [True]),
        ("{} implies true", [True]),
        ("true implies false", [False]),
        ("true and 5", [True]),
        ("false.not()", [True]),
        # paths
        ("item.count()", [8]),
        ("item[0].linkId", ["n"]),
        ("item.first().linkId", ["n"]),
        ("item.last().linkId", ["g"]),
        ("item[99]", []),
        (by("n"), [3]),
        (by("d"), ["70.5"]),
        ("%resource.repeat(item).where(linkId='deep').answer.value", [True]),
        ("repeat(item).where(linkId='deep').answer.value", [True]),
        ("QuestionnaireResponse.item.count()", [8]),
        ("item.answer.value.code", ["kg", "x", "y"]),
        ("descendants().where(linkId = 'deep').count()", [1]),
        ("nothing.at.all", []),
        ("`item`.count()", [8]),
        ("%context.item.count()", [8]),
        ("%patient.name.given.join(' ')", ["Maya J"]),
        ("%patient.deceased", [False]),
        ("%resource.item.answer.valueInteger", [3]),
        ("children().count()", [8]),
        # existence, filtering
        ("item.exists()", [True]),
        ("item.exists(linkId='x')", [False]),
        ("{}.empty()", [True]),
        ("item.all(linkId.exists())", [True]),
        ("(1|2|3).where($this > 1)", [2, 3]),
        ("(5|6|7).where($index = 1)", [6]),
        ("(1|2|3).select($this * 2)", [2, 4, 6]),
        ("(true|false).allTrue()", [False]),
        ("(true|false).anyTrue()", [True]),
        ("(false).allFalse()", [True]),
        ("(true|false).anyFalse()", [True]),
        ("(1|2).subsetOf(1|2|3)", [True]),
        ("(1|2|3).supersetOf(4)", [False]),
        ("(1).combine(1).isDistinct()", [False]),
        ("(1).combine(1).distinct()", [1]),
        ("(1|2|3).tail()", [2, 3]),
        ("(1|2|3).skip(1)", [2, 3]),
        ("(1|2|3).take(2)", [1, 2]),
        ("(1|2|3).intersect(2|3|4)", [2, 3]),
        ("(1|2|3).exclude(2)", [1, 3]),
        ("(1|2).union(2|3)", [1, 2, 3]),
        ("2 in (1|2)", [True]),
        ("(1|2) contains 3", [False]),
        ("{} in (1)", []),
        ("(1|2|3).aggregate($this + $total, 0)", [6]),
        ("(7).single()", [7]),
        ("(1|2|3).sum()", [6]),
        ("(1|2|6).avg()", ["3"]),
        ("(4|2|9).min()", [2]),
        ("(4|2|9).max()", [9]),
        # texts
        ("'abcdef'.substring(2, 3)", ["cde"]),
        ("'abc'.substring(9)", []),
        ("'abc'.indexOf('c')", [2]),
        ("'abc'.startsWith('ab')", [True]),
        ("'abc'.endsWith('x')", [False]),
        ("'abc'.contains('b')", [True]),
        ("'aBc'.upper()", ["ABC"]),
        ("'aBc'.lower()", ["abc"]),
        ("'abc'.replace('b', 'xx')", ["axxc"]),
        ("'abc'.matches('^a.c$')", [True]),
        ("'abc'.matches('b')", [True]),
        ("'abc'.matchesFull('b')", [False]),
        ("'a1b2'.replaceMatches('[0-9]', '-')", ["a-b-"]),
        ("'abc'.length()", [3]),
        ("'abc'.toChars()", ["a", "b", "c"]),
        ("'a,b'.split(',')", ["a", "b"]),
        ("('a'|'b').join('-')", ["a-b"]),
        ("' a '.trim()", ["a"]),
        # numbers
        ("(-5).abs()", [5]),
        ("1.1.ceiling()", [2]),
        ("1.9.floor()", [1]),
        ("1.9.truncate()", [1]),
        ("2.power(3)", ["8"]),
        ("9.sqrt()", ["3.0"]),
        ("1.25.round(1)", ["1.3"]),
        ("2.5.round()", [3]),
        ("(-1).sqrt()", []),
        ("0.ln()", []),
        ("100.log(10)", ["2.0"]),
        ("0.exp()", ["1.0"]),
        # types
        ("1 is Integer", [True]),
        ("'a' is String", [True]),
        ("@2024 is Date", [True]),
        (by("q") + " is Quantity", [True]),
        (by("q") + ".ofType(Quantity).unit", ["kilograms"]),
        ("item.answer.value.ofType(Coding).code", ["x", "y"]),
        ("(item.answer.value as Coding).code", ["x", "y"]),
        ("%patient is Patient", [True]),
        ("1.is(Integer)", [True]),
        ("'x'.as(Integer)", []),
        ("'12'.toInteger()", [12]),
        ("'x'.toInteger()", []),
        ("true.toInteger()", [1]),
        ("'1.5'.toDecimal()", ["1.5"]),
        ("1.toString()", ["1"]),
        ("'yes'.toBoolean()", [True]),
        ("'2024-01-01'.toDate()", ["2024-01-01"]),
        ("'4 mg'.toQuantity()", ["4 'mg'"]),
        ("'x'.convertsToDate()", [False]),
        ("'2024-01-01'.convertsToDate()", [True]),
        ("1.convertsToDecimal()", [True]),
        ("(1|2).toString().single()", None),
        # dates
        ("today()", ["2025-05-20"]),
        ("now()", ["2025-05-20T09:30:00-04:00"]),
        ("timeOfDay()", ["09:30:00"]),
        ("today() - 18 years", ["2007-05-20"]),
        (by("day") + " + 1 year", ["1981-02-28"]),
        ("@2024-01-31 + 1 month", ["2024-02-29"]),
        ("@2024-01-31.toString() & '.'", ["2024-01-31."]),
        ("@2024-01-31T10:00:00.500Z.toString()", ["2024-01-31T10:00:00.500Z"]),
        ("@2024-03-01 - 1 day", ["2024-02-29"]),
        ("@2024-01-01T23:30:00Z + 1 hour", ["2024-01-02T00:30:00Z"]),
        ("@T23:30 + 1 hour", ["00:30"]),
        ("@2024 + 2 years", ["2026"]),
        ("@2024-01-01 + 2 weeks", ["2024-01-15"]),
        (by("at") + ".toString().substring(0, 10)", ["2024-05-01"]),
        ("%patient.birthDate <= today() - 18 years", [True]),
        # more
        ("iif(1 > 2, 'a', 'b')", ["b"]),
        ("iif({}, 'a')", []),
        ("%sct", ["http://snomed.info/sct"]),
        ("%`ext-translation`", ["http://hl7.org/fhir/StructureDefinition/translation"]),
        ("item.trace('all').count()", [8]),
        ("1.hasValue()", [True]),
        ("item.hasValue()", [False]),
        ("1.getValue()", [1]),
    ],
)
def test_the_language(text: str, expected: list[Any] | None) -> None:
    if expected is None:
        with pytest.raises(Fault):
            value(text)
    else:
        assert value(text) == expected


@pytest.mark.parametrize(
    "text",
    [
        "",
        "1 +",
        "(1",
        "1)",
        "item.",
        ".item",
        "item[",
        "'open",
        "$this.$index",
        "a b",
        "where()",
        "item.where()",
        "item.nothing()",
        "resolve()",
        "memberOf('x')",
        "1 ++",
        "@2024-99-99T",
        "%",
        "{1}",
        "item.first(1)",
        "x.is()",
        "#",
        "(" * 100 + "1" + ")" * 100,
        "1 + " * 20_000 + "1",
    ],
)
def test_what_is_not_fhirpath_is_refused(text: str) -> None:
    with pytest.raises(SyntaxFault):
        parse(text)


@pytest.mark.parametrize(
    "text",
    [
        "(1 | 2) + 1",
        "'a' + 1",
        "1 < 'a'",
        "(1 | 2).single()",
        "1 < true",
        "'a'.substring('b')",
        "(1|2) and true",
        "@T10:00 < @2024",
        "1 'kg' < 1 'm'",
        "today() + 3 'kg'",
        "item.matches('x')",
        "'a'.matches('(')",
        "@9999-12-31 + 1 day",
        "'a'.round(1)",
        "2.power(5000)",
        "10.power(20) * 10.power(20)",
    ],
)
def test_what_cannot_be_worked_out_is_a_fault(text: str) -> None:
    with pytest.raises(Fault):
        value(text)


def test_many_operators_in_a_row_are_no_trouble() -> None:
    assert value(" + ".join(["1"] * 4000)) == [4000]
    assert value(" or ".join(["false"] * 2000)) == [False]
    assert value("item" + ".first()" * 2000 + ".linkId") == ["n"]


def test_what_an_expression_speaks_of_is_known() -> None:
    program = parse(
        "%a + %resource.item.where(linkId = 'x').answer.value + item.where(linkId in ('y' | 'z')).count() + %`b c`"
    )
    assert program.variables == {"a", "resource", "b c"}
    assert program.link_ids == {"x", "y", "z"}
