"""Figures of the forms: how long a page of a very large questionnaire takes."""

from __future__ import annotations

import json
from collections.abc import Iterator
from datetime import UTC, date, datetime
from time import process_time
from typing import Any

from intake.questionnaires import Context, Page, Questionnaire, accept, evaluate, inspect, render_page
from intake.questionnaires.trial import sample_answers

Told = tuple[str, float, str, str]
SECTIONS = 40
CONTEXT = Context(date(2030, 5, 6), datetime(2030, 5, 6, 9, 30, tzinfo=UTC), {"birthDate": "1980-01-01"}, {})
EXPRESSION = "http://hl7.org/fhir/uv/sdc/StructureDefinition/sdc-questionnaire-"
FHIR = "http://hl7.org/fhir/StructureDefinition/"
KINDS = ("choice", "text", "integer", "string", "display", "open-choice", "date")


def large_form() -> bytes:
    """800 items in a megabyte: 280 conditions told in expressions, 40 totals, and a list of 2,000 answers."""
    first = _told(
        FHIR + "variable", "%resource.repeat(item).where(linkId='s0.2').answer.value > 40", name="older"
    )
    concepts = [
        {"code": f"c{n}", "display": f"Condition number {n}", "definition": "x" * 420} for n in range(2000)
    ]
    resource = {
        "resourceType": "Questionnaire",
        "status": "active",
        "title": "Everything at once",
        "extension": [first],
        "contained": [
            {
                "resourceType": "ValueSet",
                "id": "long",
                "compose": {"include": [{"system": "https://example.org/conditions", "concept": concepts}]},
            }
        ],
        "item": [_section(f"s{n}") for n in range(SECTIONS)],
    }
    return json.dumps(resource).encode()


def _section(name: str) -> dict[str, Any]:
    opens = f"%resource.repeat(item).where(linkId='{name}.0').answer.value = true or %older"
    total = f"%resource.item.where(linkId='{name}').item.answer.value.ordinal().sum()"
    items: list[dict[str, Any]] = [{"linkId": f"{name}.0", "type": "boolean", "text": "Any of these?"}]
    for n in range(1, 15):
        entry: dict[str, Any] = {"linkId": f"{name}.{n}", "type": KINDS[n % 7], "text": f"Question {n}"}
        if "choice" in entry["type"]:
            entry["answerOption"] = [_option(n) for n in range(3)]
        if n % 2:
            entry["extension"] = [_told(EXPRESSION + "enableWhenExpression", opens)]
        items.append(entry)
    items += [
        {"linkId": f"{name}.long", "type": "choice", "text": "Which condition?", "answerValueSet": "#long"},
        {
            "linkId": f"{name}.rows",
            "type": "group",
            "text": "Others",
            "repeats": True,
            "item": [{"linkId": f"{name}.row", "type": "string", "text": "Name"}],
        },
        {
            "linkId": f"{name}.sum",
            "type": "decimal",
            "text": "Total",
            "extension": [_told(EXPRESSION + "calculatedExpression", total)],
        },
    ]
    return {"linkId": name, "type": "group", "text": f"Section {name}", "item": items}


def _option(score: int) -> dict[str, Any]:
    scored = {"url": FHIR + "ordinalValue", "valueDecimal": score}
    return {"valueCoding": {"code": f"o{score}", "display": f"Answer {score}", "extension": [scored]}}


def _told(url: str, expression: str, **more: str) -> dict[str, Any]:
    return {"url": url, "valueExpression": {"language": "text/fhirpath", "expression": expression, **more}}


def forms() -> Iterator[Told]:
    """One large form: taking it in, and the slowest of its pages, opened and saved."""
    raw = large_form()
    before = process_time()
    form = inspect(raw)
    yield "form_import", process_time() - before, "s", "<= 10"
    yield "form_items", sum(1 for _item in form.walk()), "items", ">= 750"
    yield "form_size", len(raw) / 1e6, "MB", ">= 0.95"
    answers: dict[str, list[str]] = sample_answers(form, 1)
    state = evaluate(form, answers, CONTEXT)
    pages = list(state.pages)
    yield "form_page_empty", 1000 * max(_open(form, {}, page) for page in pages[:12]), "ms", "<= 100"
    yield "form_page_full", 1000 * max(_open(form, answers, page) for page in pages[:12]), "ms", "<= 100"
    yield "form_page_saved", 1000 * max(_save(form, answers, page) for page in pages[:12]), "ms", "<= 100"


def _open(form: Questionnaire, raw: dict[str, list[str]], page: Page) -> float:
    """Seconds of the processor to show a page, the best of two: it waits for nothing else."""
    found = []
    for _turn in range(2):
        before = process_time()
        state = evaluate(form, raw, CONTEXT)
        if page in state.pages:
            render_page(state, page, bound_errors=True)
        found.append(process_time() - before)
    return min(found)


def _save(form: Questionnaire, raw: dict[str, list[str]], page: Page) -> float:
    """Seconds of the processor to take a page's answers in, work everything out again, and know what is wrong."""
    shown = evaluate(form, raw, CONTEXT).shown(page)
    posted = {name: values for name, values in raw.items() if name in shown}
    found = []
    for _turn in range(2):
        before = process_time()
        _errors = evaluate(form, accept(form, posted, raw, page), CONTEXT).errors
        found.append(process_time() - before)
    return min(found)
