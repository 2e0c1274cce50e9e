"""Trying a form out before anybody fills it in: every expression is evaluated on answers made up for it.

A score that fails on every complete set of answers would silently be missing for ever; it is better told to the person
who imports the form.
"""

from __future__ import annotations

from decimal import Decimal

from .computing import has_expressions
from .items import Item, Questionnaire
from .names import ROOT, child_name
from .problems import Findings
from .state import evaluate
from .values import SAMPLE


def sample_answers(q: Questionnaire, variant: int) -> dict[str, list[str]]:
    """Raw answers to every question: 0 takes first answers and single rows, 1 takes last answers and two rows."""
    raw: dict[str, list[str]] = {}
    waiting = [(item, ROOT) for item in q.items]
    while waiting and len(raw) < 40_000:
        item, prefix = waiting.pop()
        names = [child_name(prefix, item.link_id)]
        if item.has_rows:
            rows = min(1 + variant, item.limits.max_occurs or 2)
            names = [f"{names[0]}.{row}" for row in range(rows)]
        for name in names:
            if item.writable:
                raw.update(_answer(item, name, variant))
            below = name if item.has_rows else prefix
            waiting.extend((child, below) for child in item.items)
    return raw


def _answer(item: Item, name: str, variant: int) -> dict[str, list[str]]:
    limits = item.limits
    if item.options:
        return {name: [item.options[-1 if variant else 0].key]}
    if item.kind in ("integer", "decimal", "quantity"):
        number = limits.max_value if variant and limits.max_value is not None else limits.min_value
        number = Decimal(1 + variant) if number is None else number
        extra = {f"{name}:unit": [item.units[0].key]} if item.kind == "quantity" and item.units else {}
        return {name: [f"{number:f}"], **extra}
    if item.kind == "boolean":
        return {name: ["false" if variant else "true"]}
    fixed = {
        "date": "2024-01-10",
        "dateTime": "2024-01-10T09:30",
        "time": "09:30",
        "url": "https://example.org/a",
    }
    if isinstance(limits.min_value, str):
        return {name: [limits.min_value]}
    return {name: [fixed.get(item.kind, "12" if limits.pattern else "Some words")]}


def try_out(q: Questionnaire, findings: Findings) -> None:
    """Evaluate the form empty and filled in, and note what its expressions can't do."""
    if not has_expressions(q):
        return
    empty = evaluate(q, {}, SAMPLE)
    filled = [evaluate(q, sample_answers(q, variant), SAMPLE) for variant in (0, 1)]
    if any(state.unsettled for state in (empty, *filled)):
        findings.refuse(
            "Questionnaire", "expressions", "What it computes goes round in a circle and never settles."
        )
    always = set(filled[0].faults) & set(filled[1].faults)
    vital = {
        e.path
        for item in q.walk()
        for e in (
            item.calculated,
            item.enable_expression,
            item.option_expression,
            item.low_expression,
            item.high_expression,
        )
        if e
    }
    for path, sentence in dict.fromkeys((*empty.faults, *filled[0].faults, *filled[1].faults)):
        if (path, sentence) in always and path in vital:
            findings.refuse(
                path, "expression", f"It can't be worked out on any answers that were tried: {sentence}"
            )
        else:
            findings.warn(
                path, "expression", f"It couldn't be worked out on some answers that were tried: {sentence}"
            )
