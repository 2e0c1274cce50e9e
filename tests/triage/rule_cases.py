"""Small catalogues, with random conditions, rules and facts over them, for tests of rules and proofs.

The catalogues are small enough to try every request that they allow: so a proof can be held to the truth.
"""

from collections.abc import Iterator
from itertools import product
from random import Random
from typing import Any

from hypothesis import HealthCheck, settings
from hypothesis import strategies as st

from triage.conditions import allowed_ops
from triage.fields import EMERGENCY_IS_URGENT, URGENCIES, Catalogue, Choice, Field, Scale
from triage.proofs.allowed import Forms


def choices(*codes: str) -> tuple[Choice, ...]:
    return tuple(Choice(code, code.upper()) for code in codes)


def catalogue_of(*fields: Field, **more: Any) -> Catalogue:
    return Catalogue({one.key: one for one in fields}, **more)


TYPES = Field("request.type", "request type", "choice", choices("refill", "symptom"))

SIGNALS = catalogue_of(
    TYPES,
    Field("signal.emergency", "emergency", "boolean"),
    Field("signal.urgency", "urgency found", "choice", choices(*URGENCIES), ordered=True),
    Field("signal.codes", "signals", "choice", choices("chest", "breath"), many=True),
    Field("answer.cough.blood", "blood", "boolean", source="cough"),
    requests={"cough": ("symptom",)},
    never=(EMERGENCY_IS_URGENT,),
)
NUMBERS = catalogue_of(
    TYPES,
    Field("patient.age", "age", "integer", minimum=0, maximum=2, unit="years"),
    Field("patient.age_months", "age in months", "integer", minimum=0, maximum=8, unit="months"),
    Field(
        "answer.fever.temperature",
        "temperature",
        "quantity",
        minimum=36,
        maximum=40.5,
        unit="°C",
        source="fever",
    ),
    requests={"fever": ("symptom", "refill")},
    scales=(Scale("patient.age", "patient.age_months", 3),),
)
CATALOGUES = (SIGNALS, NUMBERS)

# Every value of a field that matters: between, on and beside the thresholds that the conditions below use.
VALUES: dict[str, list[Any]] = {
    "patient.age": [0, 1, 2],
    "patient.age_months": list(range(9)),
    "answer.fever.temperature": [36, 36.5, 37, 37.2, 38.5, 39, 40.5],
    "signal.codes": [[], ["chest"], ["breath"], ["chest", "breath"]],
}
THRESHOLDS: dict[str, list[Any]] = {
    "patient.age": [0, 1, 2],
    "patient.age_months": [0, 2, 3, 5, 8],
    "answer.fever.temperature": [36, 37, 38.5],
}


def values_of(one: Field) -> list[Any]:
    if one.key in VALUES:
        return VALUES[one.key]
    return [True, False] if one.kind == "boolean" else list(one.codes)


def every_request(catalogue: Catalogue) -> Iterator[dict[str, Any]]:
    """All facts that the forms of a small catalogue allow."""
    forms = Forms(catalogue)
    nothing = object()
    keys = list(catalogue)
    for row in product(*([nothing, *values_of(catalogue[key])] for key in keys)):
        facts = {key: value for key, value in zip(keys, row, strict=True) if value is not nothing}
        if forms.allow(facts):
            yield facts


EVERY_REQUEST = {id(catalogue): list(every_request(catalogue)) for catalogue in CATALOGUES}


def requests_of(catalogue: Catalogue) -> list[dict[str, Any]]:
    return EVERY_REQUEST[id(catalogue)]


def facts(catalogue: Catalogue) -> st.SearchStrategy[dict[str, Any]]:
    """Any values of the fields, allowed together or not; each may be missing."""
    return st.fixed_dictionaries(
        {}, optional={key: st.sampled_from(values_of(catalogue[key])) for key in catalogue}
    )


def unruly_facts(catalogue: Catalogue) -> st.SearchStrategy[dict[str, Any]]:
    """Anything that JSON can hold under the keys of the fields, and under others."""
    scalars = st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=5)
    words = st.sampled_from(["refill", "chest", "urgent"])
    anything = scalars | words | st.lists(scalars | words, max_size=3)
    return st.dictionaries(st.sampled_from([*catalogue, "unknown"]), anything)


# Conditions and rules are drawn from a seed: a hundred times quicker than part by part, at the price that
# Hypothesis can't shorten them.
seeds = st.integers(0, 2**32).map(Random)


def a_test(chance: Random, catalogue: Catalogue) -> dict[str, Any]:
    one = catalogue[chance.choice(list(catalogue))]
    op = chance.choice(allowed_ops(one))
    told = {"field": one.key, "op": op}
    if op in ("answered", "missing"):
        return told
    values = THRESHOLDS.get(one.key) or ([True, False] if one.kind == "boolean" else list(one.codes))
    if op == "between":
        low, high = sorted(chance.choices(range(len(values)), k=2))
        return told | {"value": [values[low], values[high]]}
    if op in ("in", "not_in", "includes_any") or (op == "excludes" and chance.random() < 0.5):
        return told | {"value": chance.sample(values, chance.randint(1, len(values)))}
    return told | {"value": chance.choice(values)}


CATEGORIES = ("lungs", "heart")
QUEUES = ("nurse", "desk", "physician")
IS_LUNGS = {"field": "decision.category", "op": "is", "value": "lungs"}
CATEGORY_TESTS = (
    IS_LUNGS,
    {"field": "decision.category", "op": "is_not", "value": "heart"},
    {"field": "decision.category", "op": "missing"},
)


def a_condition(
    chance: Random, catalogue: Catalogue, *, depth: int = 3, definite: bool = True, category: bool = False
) -> dict[str, Any]:
    """A condition as JSON; without `definite`, none that asks what is missing."""
    more: Any = {"depth": depth - 1, "definite": definite, "category": category}
    kind = chance.random() if depth else 0.0
    if kind < 0.45:
        if category and chance.random() < 0.2:
            return chance.choice(CATEGORY_TESTS)
        test = a_test(chance, catalogue)
        return test if definite or "value" in test else {"always": True}
    if kind < 0.5:
        return {"always": True}
    if kind < 0.65:
        return {"not": a_condition(chance, catalogue, **more)}
    parts = [a_condition(chance, catalogue, **more) for _ in range(chance.randint(1, 3))]
    return {"all" if kind < 0.85 else "any": parts}


def some_rules(chance: Random, catalogue: Catalogue, *, most: int = 8) -> list[dict[str, Any]]:
    """Rules of all stages, as JSON. Nothing makes them total or reachable."""
    found: list[dict[str, Any]] = [
        {
            "name": f"category {code}",
            "stage": "category",
            "when": a_condition(chance, catalogue),
            "then": {"category": code},
        }
        for code in CATEGORIES
    ]
    outcomes: dict[str, Any] = {
        "urgency": lambda: chance.choice(URGENCIES),
        "queue": lambda: chance.choice(QUEUES),
        "respond_within": lambda: chance.choice([30, 60, 240]),
        "tags": lambda: chance.sample(["a", "b"], chance.randint(1, 2)),
        "advice": lambda: ["Call us."],
        "protocol": lambda: chance.choice(["p1", "p2"]),
    }
    for place in range(chance.randint(0, most)):
        stage = chance.choice(["safety", "assignment", "priority"])
        needed = "queue" if stage == "assignment" else "urgency"
        then = {name: draw() for name, draw in outcomes.items() if name == needed or chance.random() < 0.3}
        if stage == "priority":
            then.pop("queue", None)
        when = a_condition(chance, catalogue, category=stage != "safety")
        found.append({"name": f"rule {place}", "stage": stage, "when": when, "then": then})
    return found


catalogues = st.sampled_from(CATALOGUES)

# A busy machine is no reason to fail.
calm = settings(deadline=None, suppress_health_check=[HealthCheck.too_slow])
