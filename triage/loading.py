"""Rulesets from their rows to the engine's form."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from functools import lru_cache

from triage import engine
from triage.fields import Field
from triage.models import Rule, Ruleset


@lru_cache(maxsize=8)
def compiled(ruleset_id: int) -> engine.Ruleset:
    """The ruleset ready to decide. Published ones never change, so each process compiles it once."""
    row = Ruleset.objects.get(pk=ruleset_id)
    ruleset = compile_rows(row, list(row.rules.all()))
    _ = ruleset.program.parts  # now, so that no request waits for it
    return ruleset


def compile_rows(
    ruleset: Ruleset, rules: Iterable[Rule], catalogue: Mapping[str, Field] | None = None
) -> engine.Ruleset:
    """Raises engine.RulesetError with a sentence a rule and field."""
    return engine.compile_ruleset(
        [rule.as_data() for rule in rules],
        number=ruleset.number,
        catalogue=catalogue,
        fallback=ruleset.fallback,
        signals_version=ruleset.signals_version,
    )
