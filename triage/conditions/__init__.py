"""The conditions of rules: a small tree language, as JSON, with three truth values.

    {"always": true}    {"all": [c, …]}    {"any": [c, …]}    {"not": c}
    {"field": key, "op": op, "value": v}   {"field": key, "op": "answered"}   {"field": key, "op": "missing"}

A test of a missing field is *unknown*, and so is its negation (Kleene's strong logic); only `answered` and
`missing` are always definite. A rule fires only on true. `evaluate` is the definition: the engine's closures
and the proofs' encoding are both held to it by tests.
"""

from triage.conditions.meaning import evaluate, first_failure, holds_of, parts_of, plain, seen_by
from triage.conditions.reading import MAX_DEPTH, MAX_SIZE, MAX_VALUES, ConditionError, allowed_ops, parse
from triage.conditions.telling import describe
from triage.conditions.tree import (
    COMPARED,
    DEFINITE,
    EQUAL,
    INCLUDED,
    LISTED,
    OPS,
    Always,
    Condition,
    Group,
    Known,
    Not,
    Test,
    Truth,
    each_test,
    to_json,
)

__all__ = [
    "COMPARED",
    "DEFINITE",
    "EQUAL",
    "INCLUDED",
    "LISTED",
    "MAX_DEPTH",
    "MAX_SIZE",
    "MAX_VALUES",
    "OPS",
    "Always",
    "Condition",
    "ConditionError",
    "Group",
    "Known",
    "Not",
    "Test",
    "Truth",
    "allowed_ops",
    "describe",
    "each_test",
    "evaluate",
    "first_failure",
    "holds_of",
    "parse",
    "parts_of",
    "plain",
    "seen_by",
    "to_json",
]
