"""Working out what a form computes: values, conditions, options, limits and texts told in FHIRPath.

Expressions may depend on each other through the answers, so they are evaluated in rounds until nothing changes: one
round builds the response as it stands, evaluates what looks at a part of it that has changed, and stores what came
out. Sources: SDC "Form behavior and calculation" (variable, calculatedExpression, enableWhenExpression,
answerExpression, toggles).
"""

from __future__ import annotations

from dataclasses import replace
from decimal import ROUND_HALF_UP, Decimal
from typing import TYPE_CHECKING, Any

from .fhirpath import Fault, Items, Quantity, Temporal, truth
from .items import Constraint, Expression, Item, Limits, Option
from .limits import bound_from
from .options import keyed, option_of, plain_option, well_formed
from .results import Results
from .scripts import toggle_key
from .starting import entry_of
from .units import foreign

if TYPE_CHECKING:
    from .tree import Entry, Node, Tree

MOST_ROUNDS = 40


class Computing:
    """The expressions of one form on one set of answers."""

    def __init__(self, tree: Tree) -> None:
        self.tree = tree
        self.results = Results(tree)
        listed = list(tree.walk()) if has_expressions(tree.q) else []
        self.conditions = [(n, e) for n in listed if (e := n.item.enable_expression) is not None]
        self.options = [n for n in listed if n.item.option_expression or n.item.toggles]
        self.values = [(n, e) for n in listed if (e := n.item.calculated) is not None and e.runs]
        self.most_rounds = min(MOST_ROUNDS, 3 + len(self.conditions) + len(self.options) + len(self.values))
        # Has the response been looked at as it is now?
        self._seen = False
        self._rounds = 0
        self._computed: dict[str, tuple[Entry, ...]] = {}

    def start(self) -> None:
        """Fill in what starts from an expression, where nobody has answered yet (SDC initialExpression)."""
        if not has_expressions(self.tree.q):
            return
        waiting = [
            (node, expression)
            for node in self.tree.walk()
            if (expression := node.item.initial_expression) is not None
            and expression.runs
            and not node.touched
            and not node.entries
        ]
        if not waiting:
            return
        self.results.look()
        for node, expression in waiting:
            entries = self._entries(node, self.results.evaluate(expression, node) or [], expression)
            if entries:
                node.entries = list(entries if node.item.many else entries[:1])
                self.tree.understand(node)

    def advance(self) -> bool:
        """One round. True when something changed, so that another is needed."""
        if not (self.conditions or self.options or self.values):
            return False
        # What was worked out then comes out again: most answers change what is asked, and few what is said.
        if not self.results.look() and self._rounds:
            self._seen = True
            return False
        self._rounds += 1
        changed = False
        for node, expression in self.conditions:
            found = self.results.evaluate(expression, node)
            # What can't be worked out is asked rather than hidden.
            wanted = True if found is None else _true(found)
            changed |= wanted is not node.wanted
            node.wanted = wanted
        for node in self.options:
            options = self._options(node)
            if options != node.options:
                node.options = options
                self.tree.understand(node)
                changed = True
        for node, expression in self.values:
            entries = self._entries(node, self.results.evaluate(expression, node) or [], expression)
            if entries != self._computed.get(node.name, ()):
                self._computed[node.name] = entries
                node.entries = list(entries)
                self.tree.understand(node)
                changed = True
                for _place, sentence in node.refusals:
                    self.results.fault(expression, sentence)
        self._seen = not changed
        return changed

    def finish(self) -> None:
        """What nothing else depends on: texts told by an expression, and the rules over answers."""
        if not has_expressions(self.tree.q):
            return
        if not self._seen:
            self.results.look()
        for node in self.tree.walk():
            if not node.enabled:
                continue
            dynamic = node.item.wording.expression
            if dynamic is not None and dynamic.runs:
                found = self.results.evaluate(dynamic, node)
                if found and isinstance(found[0], str):
                    node.text = found[0]
            if node.item.low_expression is not None or node.item.high_expression is not None:
                node.told_limits = self._limits(node)
            self._check(node.item.constraints, node)
        self._check(self.tree.q.constraints, None)

    def _limits(self, node: Node) -> Limits:
        """The limits of a question with those that expressions give; where one gives nothing, there is none yet."""
        item, found = node.item, node.item.limits
        for name, expression in (("min_value", item.low_expression), ("max_value", item.high_expression)):
            given = self.results.evaluate(expression, node) if expression is not None else None
            if expression is None or not given:
                continue
            told = fhir_value(given[0])[1]
            bound = bound_from(item.kind, told) if len(given) == 1 else None
            # Nothing is converted, so a limit in a unit needs an answer that can only be in the same.
            other = isinstance(told, dict) and (
                len(item.units) != 1 or item.unit_open or foreign(item.units, told)
            )
            if bound is None or other:
                self.results.fault(
                    expression, f"What it gives can't be the limit of this question ({item.kind})."
                )
            else:
                found = replace(found, **{name: bound})
        return found

    def _check(self, constraints: tuple[Constraint, ...], node: Node | None) -> None:
        """Note the rules that don't hold. One that can't be told yet, for want of an answer, holds."""
        for constraint in constraints:
            if self.results.evaluate(constraint.expression, node) == [False] and constraint.blocking:
                self.tree.broken.append((node, constraint.human))

    # ── from results to what the form holds ──────────────────────────────────────────────────────────
    def _entries(self, node: Node, found: Items, expression: Expression) -> tuple[Entry, ...]:
        item = node.item
        if len(found) > 1 and not item.many:
            self.results.fault(expression, "It gives several values, and the question holds one.")
            return ()
        entries = []
        for value in found:
            type_, plain = fhir_value(value)
            if (
                isinstance(plain, Decimal)
                and item.limits.decimal_places is not None
                and item.kind == "decimal"
            ):
                plain = plain.quantize(
                    Decimal(1).scaleb(-min(item.limits.decimal_places, 12)), rounding=ROUND_HALF_UP
                )
            entry = entry_of(item, type_, plain, node.options)
            if entry is None:
                self.results.fault(expression, f"A {item.kind} can't hold what it gives.")
            else:
                entries.append(entry)
        return tuple(entries)

    def _options(self, node: Node) -> tuple[Option, ...]:
        item = node.item
        options = item.options
        if item.option_expression is not None and item.option_expression.runs:
            found = self.results.evaluate(item.option_expression, node) or []
            made = (_option(value) for value in found)
            options = keyed(option for option in made if option is not None)
        hidden: set[str] = set()
        for keys, expression in item.toggles:
            found_toggle = self.results.evaluate(expression, node)
            if found_toggle is not None and not _true(found_toggle):
                hidden |= keys
        if not hidden:
            return options
        return tuple(option for option in options if toggle_key(option.value) not in hidden)


def _true(found: Items) -> bool:
    try:
        return truth(found) is True
    except Fault:
        return False


def _option(value: Any) -> Option | None:
    if well_formed(value):
        return option_of(value)
    if isinstance(value, Temporal):
        return plain_option("date", value.text) if value.kind == "date" else None
    if isinstance(value, bool) or not isinstance(value, (str, int)):
        return None
    return plain_option("integer" if isinstance(value, int) else "string", value)


def fhir_value(value: Any) -> tuple[str, Any]:
    """A FHIRPath value as the type and content FHIR has for it."""
    if isinstance(value, Temporal):
        return value.kind, value.text
    if isinstance(value, Quantity):
        return "Quantity", {"value": value.value, "unit": value.unit, "code": value.unit}
    if isinstance(value, bool):
        return "boolean", value
    if isinstance(value, dict):
        return "Coding", {key: part for key, part in value.items() if key != "extension"}
    if isinstance(value, int):
        return "integer", value
    return ("decimal" if isinstance(value, Decimal) else "string"), value


def computes(item: Item) -> bool:
    return bool(
        item.enable_expression
        or item.calculated
        or item.option_expression
        or item.toggles
        or item.low_expression
        or item.high_expression
    )


def has_expressions(q: Any) -> bool:
    """Does the form hold any expression at all? Most don't, and need none of this."""
    known = q.__dict__.get("_has_expressions")
    if known is None:
        known = bool(q.constraints) or any(
            computes(item) or item.initial_expression or item.constraints or item.wording.expression
            for item in q.walk()
        )
        q.__dict__["_has_expressions"] = known
    return bool(known)
