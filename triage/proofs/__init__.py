"""Proofs about rulesets: not tested on examples, but true of every request that the forms allow.

Importing this loads the solver, which takes a moment: import it where a proof is asked for, not where
requests are decided. Everything here is pure; `seconds` bounds the time, and what is not decided within it
counts as not proven.
"""

from triage.promises import Promise, decision_fields, read_promises
from triage.proofs.difference import compare
from triage.proofs.overlaps import find_overlaps
from triage.proofs.results import (
    Change,
    Difference,
    Kept,
    Overlap,
    Overlaps,
    Reachability,
    Report,
    Totality,
    Unreachable,
)
from triage.proofs.subject import DoesNotReplay, prove

__all__ = [
    "Change",
    "Difference",
    "DoesNotReplay",
    "Kept",
    "Overlap",
    "Overlaps",
    "Promise",
    "Reachability",
    "Report",
    "Totality",
    "Unreachable",
    "compare",
    "decision_fields",
    "find_overlaps",
    "prove",
    "read_promises",
]
