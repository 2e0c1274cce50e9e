"""All facts that the forms allow, as a formula: what every proof is about.

A field of one value is one Boolean a cell, at most one of them true; none true means missing. A field of
several has one Boolean for each code that is tested, and one for being answered. So every question is a
propositional one, which the solver answers quickly and exactly, and numbers can't be rounded on the way.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from math import isinf
from time import monotonic
from typing import Any, Literal

import z3

from triage.conditions import Always, Condition, Group, Not, Test, each_test, evaluate, holds_of, parse
from triage.fields import REQUEST_TYPE, Catalogue, Field, Json, Scale, Value
from triage.proofs.cells import Cell, cells_of

Formula = Any  # z3 comes without types
Answer = Literal["yes", "no", "unknown"]


@dataclass(frozen=True)
class OneOf:
    """Something with at most one value: for each possible value a formula that says so, and one for having
    any."""

    values: tuple[tuple[Value, Formula], ...]
    answered: Formula


@dataclass(frozen=True)
class Several:
    """Something with a list of codes: for each code a formula that says that it is in the list."""

    codes: Mapping[str, Formula]
    answered: Formula


Domain = OneOf | Several


class World:
    """The solver, the fields' domains, and what the forms promise about them.

    Only fields that matter to `conditions` are in it: those they test, and those that the catalogue ties to
    them. All checks share one time limit in seconds, after which each is answered “unknown”.
    """

    def __init__(self, catalogue: Catalogue, conditions: Iterable[Condition], *, seconds: float) -> None:
        self.catalogue = catalogue
        self.deadline = monotonic() + seconds
        # A context of our own: z3's shared one must not be used from two threads.
        self.context = z3.Context()
        self.solver = z3.SolverFor("QF_FD", ctx=self.context)
        self.solver.set("phase", "always_false")  # begin with little given, as a short example needs
        self.true, self.false = (z3.BoolVal(value, self.context) for value in (True, False))
        never = tuple(parse(told, catalogue) for told in catalogue.never)
        self.domains: dict[str, Domain] = {}
        self.cells: dict[str, tuple[Cell, ...]] = {}
        self._booleans = 0
        self._sizes: dict[int, Formula] = {}
        self._literals: dict[tuple[Test, bool], Formula] = {}
        relevant, tied = self._relevant([*conditions], never)
        self.tests = relevant
        for key, tests in relevant.items():
            self.domains[key] = self._domain(catalogue[key], tests)
        self._tie(tied)

    # --- formulas

    def any_of(self, formulas: Sequence[Formula]) -> Formula:
        return z3.Or(formulas) if len(formulas) > 1 else formulas[0] if formulas else self.false

    def all_of(self, formulas: Sequence[Formula]) -> Formula:
        return z3.And(formulas) if len(formulas) > 1 else formulas[0] if formulas else self.true

    def negated(self, formula: Formula) -> Formula:
        return z3.Not(formula)

    def boolean(self) -> Formula:
        """A new Boolean."""
        self._booleans += 1
        return z3.Bool(f"b{self._booleans}", self.context)

    def named(self, formula: Formula) -> Formula:
        """A new Boolean that stands for the formula, so that a question can name it."""
        one = self.boolean()
        self.solver.add(one == formula)
        return one

    def known(self, condition: Condition, domains: Mapping[str, Domain], *, want: bool = True) -> Formula:
        """That the condition is known to be `want`: the engine's three truth values as two questions."""
        match condition:
            case Always():
                return self.true if want else self.false
            case Not(part):
                return self.known(part, domains, want=not want)
            case Group(word, parts):
                formulas = [self.known(part, domains, want=want) for part in parts]
                return self.all_of(formulas) if (word == "all") == want else self.any_of(formulas)
            case Test():
                domain = domains[condition.field]
                if domain is not self.domains.get(condition.field):
                    return self._test(condition, domain, want)
                if (condition, want) not in self._literals:
                    self._literals[condition, want] = self._test(condition, domain, want)
                return self._literals[condition, want]

    def _test(self, test: Test, domain: Domain, want: bool) -> Formula:
        if test.op in ("answered", "missing"):
            return domain.answered if (test.op == "answered") == want else self.negated(domain.answered)
        if isinstance(domain, OneOf):
            return self.any_of([formula for value, formula in domain.values if holds_of(test, value) == want])
        found = self.any_of([domain.codes[code] for code in map(str, test.values) if code in domain.codes])
        included = (test.op != "excludes") == want
        return self.all_of([domain.answered, found if included else self.negated(found)])

    # --- the fields

    def _relevant(
        self, conditions: list[Condition], never: Sequence[Condition]
    ) -> tuple[dict[str, list[Test]], list[Condition]]:
        """The tests of each field that matters, and the impossible combinations to hold."""
        tied = [one for one in never if evaluate(one, {}) is True]
        fields = {test.field for one in (*conditions, *tied) for test in each_test(one)}
        while True:
            if any(self.catalogue[key].source for key in fields & self.catalogue.keys()):
                fields.add(REQUEST_TYPE)  # an answer depends on what is asked for
            more = [
                one for one in never if one not in tied and any(t.field in fields for t in each_test(one))
            ]
            if not more:
                break
            tied += more
            fields |= {test.field for one in more for test in each_test(one)}
        tests: dict[str, list[Test]] = {key: [] for key in self.catalogue if key in fields}
        for one in (*conditions, *tied):
            for test in each_test(one):
                if test.field in tests:
                    tests[test.field].append(test)
        if REQUEST_TYPE in tests:
            for key in tests:
                if types := self.catalogue.asked_in(self.catalogue[key]):
                    tests[REQUEST_TYPE].append(Test(REQUEST_TYPE, "in", types))
        return {key: list(dict.fromkeys(found)) for key, found in tests.items()}, tied

    def _domain(self, one: Field, tests: Sequence[Test]) -> Domain:
        key = one.key
        if one.shape == "several":
            answered = self.boolean()
            tested = dict.fromkeys(str(code) for test in tests for code in test.values)
            codes = {c: self.boolean() for c in tested if not one.choices or c in one.codes}
            return Several(codes, answered)
        self.cells[key] = cells_of(one, tests)
        values = tuple((cell.value, self.boolean()) for cell in self.cells[key])
        formulas = [formula for _, formula in values]
        if len(formulas) > 1:
            self.solver.add(z3.AtMost(*formulas, 1))
        return OneOf(values, self.named(self.any_of(formulas)))

    def _tie(self, never: Iterable[Condition]) -> None:
        for condition in never:
            self.solver.add(self.negated(self.known(condition, self.domains)))
        types = self.domains.get(REQUEST_TYPE)
        for key, domain in self.domains.items():
            if types and (asked_in := self.catalogue.asked_in(self.catalogue[key])):
                shown = self._test(Test(REQUEST_TYPE, "in", asked_in), types, True)
                self.solver.add(z3.Implies(domain.answered, shown))
        for scale in self.catalogue.scales:
            coarse, fine = self.domains.get(scale.coarse), self.domains.get(scale.fine)
            if isinstance(coarse, OneOf) and isinstance(fine, OneOf):
                for cell, (_, here) in zip(self.cells[scale.coarse], coarse.values, strict=True):
                    fits = [
                        there
                        for other, (_, there) in zip(self.cells[scale.fine], fine.values, strict=True)
                        if _joint(scale, cell, other)
                    ]
                    both = self.all_of([here, fine.answered])
                    self.solver.add(z3.Implies(both, self.any_of(fits)))

    # --- questions

    def ask(self, *formulas: Formula) -> Answer:
        """Whether some allowed facts make all these Booleans true at once."""
        left = self.deadline - monotonic()
        if left <= 0:
            return "unknown"
        self.solver.set("timeout", max(1, int(left * 1000)))
        found = self.solver.check(*formulas)
        return "yes" if found == z3.sat else "no" if found == z3.unsat else "unknown"

    def culprits(self, formulas: Mapping[str, Formula], *needed: Formula) -> tuple[str, ...] | None:
        """The names of some of these formulas that can't all be true beside the needed ones, none of them
        dispensable; None if all of them can, or if it can't be told in time."""
        if self.ask(*needed, *formulas.values()) != "no":
            return None
        core = {formula.get_id() for formula in self.solver.unsat_core()}
        names = [name for name, formula in formulas.items() if formula.get_id() in core]
        for name in tuple(names):
            rest = [one for one in names if one != name]
            if self.ask(*needed, *(formulas[one] for one in rest)) == "no":
                names = rest
        return tuple(names)

    def holds(self, formula: Formula, model: z3.ModelRef) -> bool:
        return bool(z3.is_true(model.eval(formula, model_completion=True)))

    def find(self, *formulas: Formula, fewest: bool = True) -> tuple[Answer, dict[str, Json]]:
        """Facts that make these true; with `fewest`, and time enough, as few of them as there can be."""
        answer = self.ask(*formulas)
        if answer != "yes":
            return answer, {}
        best = self.solver.model()
        while fewest and (size := self._size(best)):
            self.solver.push()
            self.solver.add(self._fewer_than(size))
            smaller = self.ask(*formulas) == "yes"
            best = self.solver.model() if smaller else best
            self.solver.pop()
            if not smaller:
                break
        return "yes", self.facts(best)

    def _size(self, model: z3.ModelRef) -> int:
        """How many facts are given, each code of a list counted as one more."""
        size = 0
        for domain in self.domains.values():
            if self.holds(domain.answered, model):
                codes = domain.codes.values() if isinstance(domain, Several) else ()
                size += 1 + sum(self.holds(formula, model) for formula in codes)
        return size

    def _fewer_than(self, size: int) -> Formula:
        if size not in self._sizes:
            counted = [domain.answered for domain in self.domains.values()]
            for domain in self.domains.values():
                counted += domain.codes.values() if isinstance(domain, Several) else ()
            self._sizes[size] = z3.AtMost(*counted, size - 1)
        return self._sizes[size]

    def facts(self, model: z3.ModelRef) -> dict[str, Json]:
        """The facts that a model stands for, each with a value of its cell, ready for `decide`."""
        found: dict[str, Json] = {}
        places: dict[str, Cell] = {}
        for key, domain in self.domains.items():
            if not self.holds(domain.answered, model):
                continue
            if isinstance(domain, Several):
                found[key] = [code for code, formula in domain.codes.items() if self.holds(formula, model)]
                continue
            there = (self.holds(formula, model) for _, formula in domain.values)
            places[key] = next(cell for cell, here in zip(self.cells[key], there, strict=False) if here)
            found[key] = places[key].value
        for scale in self.catalogue.scales:
            if scale.coarse in places and scale.fine in places:
                joint = _joint(scale, places[scale.coarse], places[scale.fine])
                if joint:
                    found[scale.coarse], found[scale.fine] = joint
        return found


def _joint(scale: Scale, coarse: Cell, fine: Cell) -> tuple[int, int] | None:
    """A value in each of the two cells such that the fine one, divided and rounded down, is the coarse
    one."""
    low, high = (bound if isinf(bound) else bound // scale.per for bound in (fine.low, fine.high))
    low, high = max(coarse.low, low), min(coarse.high, high)
    if low > high:
        return None
    whole = int(next(bound for bound in (low, high, 0) if not isinf(bound)))
    return whole, int(max(fine.low, whole * scale.per))
