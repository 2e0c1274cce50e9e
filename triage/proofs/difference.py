"""Exactly what changes when one ruleset replaces another: every kind of change with a request that shows
it."""

from collections.abc import Iterator
from typing import Final, cast

from triage.engine import decide
from triage.fields import Catalogue, Json
from triage.proofs.allowed import Forms
from triage.proofs.encoding import Encoding
from triage.proofs.results import Change, Difference, Verdict, tell_facts
from triage.proofs.subject import DoesNotReplay, under
from triage.proofs.world import Answer, Formula, OneOf, Several, World
from triage.ruleset import LISTS, Ruleset

SINGLE: Final = ("queue", "urgency", "floor", "category", "respond_within", "protocol")


def compare(old: Ruleset, new: Ruleset, catalogue: Catalogue, *, seconds: float = 20.0) -> Difference:
    """Every kind of difference between the decisions of two rulesets, or a proof that there is none.

    Raises RulesetError if the catalogue lacks what the rules of either test.
    """
    return _Comparison(under(old, catalogue), under(new, catalogue), catalogue, seconds).difference()


class _Comparison:
    def __init__(self, old: Ruleset, new: Ruleset, catalogue: Catalogue, seconds: float) -> None:
        self.old, self.new, self.catalogue, self.forms = old, new, catalogue, Forms(catalogue)
        conditions = [rule.when for ruleset in (old, new) for rule in ruleset.rules]
        self.world = World(catalogue, conditions, seconds=seconds)
        self.before, self.after = Encoding(self.world, old), Encoding(self.world, new)

    def difference(self) -> Difference:
        changes: list[Change] = []
        undecided: list[str] = []
        for outcome in (*SINGLE, *LISTS):
            for found in self._lists(outcome) if outcome in LISTS else self._values(outcome):
                if isinstance(found, Change):
                    changes.append(found)
                elif found == "unknown":
                    undecided.append(outcome)
                    break
        verdict: Verdict = "refuted" if changes else "undecided" if undecided else "proven"
        return Difference(verdict, tuple(changes), tuple(undecided))

    def _values(self, outcome: str) -> Iterator[Change | Answer]:
        """The changes from one value to another, each pair once; at last “no”, or “unknown”."""
        world = self.world
        before, after = self._by_value(self.before, outcome), self._by_value(self.after, outcome)
        same = [world.all_of([formula, after[value]]) for value, formula in before.items() if value in after]
        left = world.named(world.negated(world.any_of(same)))
        while (answer := world.ask(left)) == "yes":
            model = world.solver.model()
            one = next(value for value, formula in before.items() if world.holds(formula, model))
            other = next(value for value, formula in after.items() if world.holds(formula, model))
            pair = world.named(world.all_of([before[one], after[other]]))
            yield self._change(outcome, one, other, pair)
            left = world.named(world.all_of([left, world.negated(pair)]))
        yield answer

    def _by_value(self, encoding: Encoding, outcome: str) -> dict[Json, Formula]:
        domain = cast(OneOf, encoding.outcome(outcome))
        return {**dict(domain.values), None: self.world.negated(domain.answered)}

    def _lists(self, outcome: str) -> Iterator[Change | Answer]:
        """The codes that are new in a list, and those that are gone from it."""
        world = self.world
        before, after = (cast(Several, one.outcome(outcome)).codes for one in (self.before, self.after))
        for code in dict.fromkeys((*before, *after)):
            had, has = before.get(code, world.false), after.get(code, world.false)
            for one, other, formulas in (
                (code, None, [had, world.negated(has)]),
                (None, code, [world.negated(had), has]),
            ):
                differs = world.named(world.all_of(formulas))
                answer = world.ask(differs)
                yield answer if answer != "yes" else self._change(outcome, one, other, differs)

    def _change(self, outcome: str, one: Json, other: Json, where: Formula) -> Change | Answer:
        answer, facts = self.world.find(where)
        if answer != "yes":
            return answer
        was, becomes = (getattr(decide(ruleset, facts), outcome) for ruleset in (self.old, self.new))
        if outcome in LISTS:
            shown = (one in was) != (one in becomes) if one else (other in was) != (other in becomes)
        else:
            shown = (was, becomes) == (one, other)
        if not shown or not self.forms.allow(facts):
            raise DoesNotReplay(self.old.number, self.new.number, outcome)
        return Change(outcome, one, other, facts, tell_facts(facts, self.catalogue))
