"""A row of the table of features, and what rows are made of."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

from tests.intake.questionnaires.forms import SYSTEM, ext, item, when

CALCULATED, ENABLED, INITIAL = (
    "sdc:calculatedExpression",
    "sdc:enableWhenExpression",
    "sdc:initialExpression",
)


@dataclass
class Feature:
    items: tuple[dict[str, Any], ...]
    raw: dict[str, Any] = field(default_factory=dict)
    shows: tuple[str, ...] = ()
    hides: tuple[str, ...] = ()
    stores: dict[str, list[Any]] = field(default_factory=dict)
    says: dict[str, str] = field(default_factory=dict)
    root: dict[str, Any] = field(default_factory=dict)
    sets: tuple[dict[str, Any], ...] = ()
    language: str = "en"
    facts: dict[str, Any] = field(default_factory=dict)


def has(question: str, **value: Any) -> list[dict[str, Any]]:
    return [when(question, "=", **value)]


def by_id(name: str) -> str:
    return f"%resource.descendants().where(linkId='{name}').answer.value"


def translated(**words: str) -> dict[str, Any]:
    return {
        "extension": [
            ext(
                "translation",
                extension=[
                    {"url": "lang", "valueCode": language},
                    {"url": "content", "valueString": said},
                ],
            )
            for language, said in words.items()
        ]
    }


def said(url: str, text: str) -> dict[str, Any]:
    return {"extension": [ext(url, **{"valueMarkdown" if "markdown" in url else "valueString": text})]}


def value_set(url: str, *codes: str, id_: str = "") -> dict[str, Any]:
    concepts = [{"code": code, "display": code.title()} for code in codes]
    made = {
        "resourceType": "ValueSet",
        "status": "active",
        "url": url,
        "compose": {"include": [{"system": SYSTEM, "concept": concepts}]},
    }
    return made | ({"id": id_} if id_ else {})


def compares(operator: str, answered: str, **value: Any) -> Feature:
    """A question that this condition on an integer brings up."""
    return Feature(
        (item("integer", "n"), item("string", "then", enableWhen=[when("n", operator, **value)])),
        raw={"i.n": answered, "i.then": "x"},
        shows=('id="i.then"',),
        stores={"n": [int(answered)], "then": ["x"]},
    )
