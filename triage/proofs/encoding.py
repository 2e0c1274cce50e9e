"""A ruleset over a world: for each rule a formula that says that it fires, and for each outcome its possible
values.

This follows `triage.engine.decide` step by step; tests hold the two together on random rulesets and facts.
"""

from collections.abc import Iterable, Mapping, Sequence
from functools import cached_property

from triage.engine import FIRST_MATCH, RANK, STAGES
from triage.fields import CATEGORY, URGENCIES, Value
from triage.promises import decision_fields
from triage.proofs.world import Domain, Formula, OneOf, Several, World
from triage.ruleset import LISTS, Rule, Ruleset


class Encoding:
    """`holds` is by rule name that its condition is true, `fires` that it also is its turn, and `sets` by
    outcome and rule name that it is the one to settle the queue or the protocol."""

    def __init__(self, world: World, ruleset: Ruleset) -> None:
        self.world = world
        self.ruleset = ruleset
        self.holds: dict[str, Formula] = {}
        self.fires: dict[str, Formula] = {}
        self.sets: dict[str, dict[str, Formula]] = {}
        self._outcomes: dict[str, Domain] = {}
        self.order: list[Rule] = []  # as they are tried
        domains: Mapping[str, Domain] = world.domains
        for stage in STAGES:
            rules = ruleset.stage(stage)
            self.order += rules
            self.holds |= {rule.name: world.named(world.known(rule.when, domains)) for rule in rules}
            holding = [self.holds[rule.name] for rule in rules]
            firing = self._first(holding) if stage in FIRST_MATCH else holding
            self.fires |= {rule.name: formula for rule, formula in zip(rules, firing, strict=True)}
            if stage == "category":
                self.category = self._settled("category", rules)
                domains = {**world.domains, CATEGORY: self.category}

    def _first(self, holding: Sequence[Formula]) -> list[Formula]:
        """For each of these, that it is the first that holds."""
        world, firing, none_yet = self.world, [], self.world.true
        for holds in holding:
            firing.append(world.named(world.all_of([none_yet, holds])))
            none_yet = world.named(world.all_of([none_yet, world.negated(holds)]))
        return firing

    def _when(self, rules: Iterable[Rule]) -> Formula:
        return self.world.any_of([self.fires[rule.name] for rule in rules])

    def _settled(self, outcome: str, rules: Iterable[Rule]) -> OneOf:
        """An outcome that the first rule to set it settles."""
        setting = [rule for rule in rules if getattr(rule.then, outcome)]
        first = self._first([self.fires[rule.name] for rule in setting])
        self.sets[outcome] = {rule.name: formula for rule, formula in zip(setting, first, strict=True)}
        by_value: dict[str, list[Formula]] = {}
        for rule, formula in zip(setting, first, strict=True):
            by_value.setdefault(getattr(rule.then, outcome), []).append(formula)
        return self._one_of([(value, self.world.any_of(formulas)) for value, formulas in by_value.items()])

    def _one_of(self, values: Iterable[tuple[Value, Formula]]) -> OneOf:
        named = tuple((value, self.world.named(formula)) for value, formula in values)
        return OneOf(named, self.world.named(self.world.any_of([formula for _, formula in named])))

    @cached_property
    def queue_by_rule(self) -> OneOf:
        """The queue, where a rule sets one. Safety comes first in the order, so its queue is the one that
        stands."""
        return self._settled("queue", self.order)

    @cached_property
    def queue(self) -> OneOf:
        fallback, by_rule = self.ruleset.fallback, self.queue_by_rule
        values = dict(by_rule.values)
        nobody = self.world.negated(by_rule.answered)
        values[fallback] = self.world.any_of([values[fallback], nobody] if fallback in values else [nobody])
        return OneOf(tuple(values.items()), self.world.true)

    @cached_property
    def protocol(self) -> OneOf:
        return self._settled("protocol", self.order)

    def _urgency(self, rules: Sequence[Rule]) -> OneOf:
        def at_least(rank: int) -> Formula:
            raising = [rule for rule in rules if rule.then.urgency and RANK[rule.then.urgency] >= rank]
            return self._when(raising) if rank else self.world.true

        bounds = [at_least(rank) for rank in range(len(URGENCIES))] + [self.world.false]
        values = [
            (urgency, self.world.all_of([bounds[rank], self.world.negated(bounds[rank + 1])]))
            for rank, urgency in enumerate(URGENCIES)
        ]
        return OneOf(self._one_of(values).values, self.world.true)

    @cached_property
    def respond_within(self) -> OneOf:
        minutes = sorted({rule.then.respond_within for rule in self.order if rule.then.respond_within})
        at_most = [
            self._when(rule for rule in self.order if rule.then.respond_within == limit) for limit in minutes
        ]
        return self._one_of(
            list(zip(minutes, self._first([self.world.named(one) for one in at_most]), strict=True))
        )

    def _list(self, outcome: str) -> Several:
        codes = dict.fromkeys(code for rule in self.order for code in getattr(rule.then, outcome))
        formulas = {
            code: self.world.named(
                self._when(rule for rule in self.order if code in getattr(rule.then, outcome))
            )
            for code in codes
        }
        return Several(formulas, self.world.true)

    def outcome(self, name: str) -> Domain:
        """The possible values of one outcome of the decision."""
        if name not in self._outcomes:
            self._outcomes[name] = self._outcome(name)
        return self._outcomes[name]

    def _outcome(self, name: str) -> Domain:
        if name in LISTS:
            return self._list(name)
        match name:
            case "queue":
                return self.queue
            case "category":
                return self.category
            case "urgency":
                return self._urgency(self.order)
            case "floor":
                return self._urgency(self.ruleset.stage("safety"))
            case "respond_within":
                return self.respond_within
            case _:
                return self.protocol

    def decision(self, keys: Iterable[str]) -> dict[str, Domain]:
        """The domains of these decision fields, for conditions that test them."""
        return {key: self.outcome(key.removeprefix("decision.")) for key in keys if key in decision_fields()}
