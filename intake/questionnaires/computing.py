"""Working out what a form computes: values, conditions, options and texts told in FHIRPath.

Expressions may depend on each other through the answers, so they are evaluated in rounds until nothing changes: one
round builds the response as it stands, evaluates everything on it, and stores what came out. Sources: SDC "Form
behavior and calculation" (variable, calculatedExpression, enableWhenExpression, answerExpression, toggles).
"""

from __future__ import annotations

from collections.abc import Mapping
from decimal import ROUND_HALF_UP, Decimal
from typing import TYPE_CHECKING, Any

from .fhirpath import Budget, Fault, Items, Quantity, Scope, Temporal, run, truth
from .items import Constraint, Expression, Item, Option
from .options import keyed, option_of, plain_option, well_formed
from .response import answer_of
from .scripts import toggle_key
from .starting import entry_of

if TYPE_CHECKING:
    from .tree import Entry, Node, Tree

MOST_STEPS = 400_000
MOST_ROUNDS = 40
ORDINAL_URL = "http://hl7.org/fhir/StructureDefinition/ordinalValue"


class Computing:
    """The expressions of one form on one set of answers.

    `faults` are (path, sentence) of what couldn't be worked out.
    """

    def __init__(self, tree: Tree) -> None:
        self.tree = tree
        self.faults: dict[tuple[str, str], None] = {}
        self.left = MOST_STEPS
        listed = list(tree.walk()) if has_expressions(tree.q) else []
        self.conditions = [(n, e) for n in listed if (e := n.item.enable_expression) is not None]
        self.options = [n for n in listed if n.item.option_expression or n.item.toggles]
        self.values = [(n, e) for n in listed if (e := n.item.calculated) is not None and e.runs]
        self.most_rounds = min(MOST_ROUNDS, 3 + len(self.conditions) + len(self.options) + len(self.values))
        self._launch = _launch(tree)
        # Has the response been looked at as it is now?
        self._seen = False
        self._rounds = 0
        self.resource: dict[str, Any] = {}
        self._elements: dict[int, dict[str, Any]] = {}
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
        self._look()
        for node, expression in waiting:
            entries = self._entries(node, self._evaluate(expression, node) or [], expression)
            if entries:
                node.entries = list(entries if node.item.many else entries[:1])
                self.tree.understand(node)

    def advance(self) -> bool:
        """One round. True when something changed, so that another is needed."""
        if not (self.conditions or self.options or self.values):
            return False
        before = (self.resource, self._elements)
        self._look()
        # What was worked out then comes out again: most answers change what is asked, and few what is said.
        if self._rounds and before == (self.resource, self._elements):
            self._seen = True
            return False
        self._rounds += 1
        changed = False
        for node, expression in self.conditions:
            found = self._evaluate(expression, node)
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
            entries = self._entries(node, self._evaluate(expression, node) or [], expression)
            if entries != self._computed.get(node.name, ()):
                self._computed[node.name] = entries
                node.entries = list(entries)
                self.tree.understand(node)
                changed = True
                for _place, sentence in node.refusals:
                    self._fault(expression, sentence)
        self._seen = not changed
        return changed

    def finish(self) -> None:
        """What nothing else depends on: texts told by an expression, and the rules over answers."""
        if not has_expressions(self.tree.q):
            return
        if not self._seen:
            self._look()
        for node in self.tree.walk():
            if not node.enabled:
                continue
            dynamic = node.item.wording.expression
            if dynamic is not None and dynamic.runs:
                found = self._evaluate(dynamic, node)
                if found and isinstance(found[0], str):
                    node.text = found[0]
            self._check(node.item.constraints, node)
        self._check(self.tree.q.constraints, None)

    def _check(self, constraints: tuple[Constraint, ...], node: Node | None) -> None:
        """Note the rules that don't hold. One that can't be told yet, for want of an answer, holds."""
        for constraint in constraints:
            if self._evaluate(constraint.expression, node) == [False] and constraint.blocking:
                self.tree.broken.append((node, constraint.human))

    # ── evaluating ───────────────────────────────────────────────────────────────────────────────────
    def _look(self) -> None:
        """Build the response as it stands, for the expressions to look at."""
        self._elements = {}
        self._cache: dict[Any, Any] = {}
        self._variables: dict[tuple[str, str], Items | None] = {}
        self.resource = {"resourceType": "QuestionnaireResponse", "status": "in-progress"}
        items = self._build(self.tree.roots, attach=True)
        if items:
            self.resource["item"] = items

    def _build(self, nodes: list[Node], *, attach: bool) -> list[dict[str, Any]]:
        items: list[dict[str, Any]] = []
        for node in nodes:
            item = node.item
            if item.kind == "display":
                self._elements[id(node)] = {"linkId": item.link_id}
                continue
            counted = attach and node.enabled
            below = self._build(node.children, attach=counted)
            element: dict[str, Any] = {"linkId": item.link_id, "text": item.text}
            if item.asks:
                answers = [_scored(answer_of(answer), answer.ordinal) for answer in node.answers]
                if answers and below:
                    answers[0]["item"] = below
                if answers and counted and node.row and items and items[-1]["linkId"] == item.link_id:
                    element = items[-1]
                    element["answer"].extend(answers)
                elif answers:
                    element["answer"] = answers
                    if counted:
                        items.append(element)
            elif below:
                element["item"] = below
                if counted:
                    items.append(element)
            self._elements[id(node)] = element
        return items

    def _evaluate(self, expression: Expression, node: Node | None) -> Items | None:
        """The result, [] for nothing; None, with the fault noted, where it can't be worked out."""
        try:
            return self._run(expression, node)
        except Fault as fault:
            self._fault(expression, str(fault))
            return None

    def _run(self, expression: Expression, node: Node | None) -> Items:
        if expression.program is None:
            return []
        if self.left <= 0:
            raise Fault("It takes too long to work out.")
        context = [self.resource if node is None else self._elements[id(node)]]
        budget = Budget()
        granted = budget.left
        scope = Scope(
            self.resource,
            context,
            lambda name: self._variable(name, node),
            today=self.tree.context.today.isoformat(),
            now=self.tree.context.now.isoformat(timespec="seconds"),
            budget=budget,
            cache=self._cache,
        )
        try:
            return run(expression.program, scope, context)
        finally:
            self.left -= granted - budget.left

    def _fault(self, expression: Expression, sentence: str) -> None:
        self.faults[expression.path, sentence] = None

    def _variable(self, name: str, node: Node | None) -> Items:
        """The value of %name as seen from a node: the nearest declaration above, then what the form is given."""
        if name == "questionnaire":
            return [self.tree.q.resource]
        if name == "qitem":
            return [dict(node.item.source)] if node is not None else []
        above = node
        while above is not None:
            for expression in above.item.variables:
                if expression.name == name:
                    return self._declared(expression, above)
            above = above.parent
        for expression in self.tree.q.variables:
            if expression.name == name:
                return self._declared(expression, None)
        return self._launch.get(name, [])

    def _declared(self, expression: Expression, node: Node | None) -> Items:
        if not expression.runs:
            return []
        key = (node.name if node is not None else "", expression.name)
        if key in self._variables:
            known = self._variables[key]
            if known is None:
                raise Fault(f"%{expression.name} depends on itself.")
            return known
        self._variables[key] = None
        try:
            found = self._run(expression, node)
        except Fault:
            del self._variables[key]
            raise
        self._variables[key] = found
        return found

    # ── from results to what the form holds ──────────────────────────────────────────────────────────
    def _entries(self, node: Node, found: Items, expression: Expression) -> tuple[Entry, ...]:
        item = node.item
        if len(found) > 1 and not item.many:
            self._fault(expression, "It gives several values, and the question holds one.")
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
                self._fault(expression, f"A {item.kind} can't hold what it gives.")
            else:
                entries.append(entry)
        return tuple(entries)

    def _options(self, node: Node) -> tuple[Option, ...]:
        item = node.item
        options = item.options
        if item.option_expression is not None and item.option_expression.runs:
            found = self._evaluate(item.option_expression, node) or []
            made = (_option(value) for value in found)
            options = keyed(option for option in made if option is not None)
        hidden: set[str] = set()
        for keys, expression in item.toggles:
            found_toggle = self._evaluate(expression, node)
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


def _scored(answer: dict[str, Any], ordinal: Decimal | None) -> dict[str, Any]:
    """A chosen coding with its score on it, where scoring expressions look for it."""
    if ordinal is not None and "valueCoding" in answer:
        answer["valueCoding"] = {
            **answer["valueCoding"],
            "extension": [{"url": ORDINAL_URL, "valueDecimal": ordinal}],
        }
    return answer


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
    if isinstance(value, Mapping):
        return "Coding", {key: part for key, part in value.items() if key != "extension"}
    if isinstance(value, int):
        return "integer", value
    return ("decimal" if isinstance(value, Decimal) else "string"), value


def computes(item: Item) -> bool:
    return bool(item.enable_expression or item.calculated or item.option_expression or item.toggles)


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


def _launch(tree: Tree) -> dict[str, Items]:
    context = tree.context
    return {
        "patient": [_patient(context.patient)] if context.patient else [],
        "user": [dict(context.user)] if context.user else [],
    }


def _patient(about: Mapping[str, Any]) -> dict[str, Any]:
    """What is known of the patient, as the FHIR resource expressions expect."""
    patient = {
        "resourceType": "Patient",
        **{key: value for key, value in about.items() if value not in (None, "")},
    }
    name, language = patient.get("name"), patient.pop("language", None)
    if isinstance(name, str):
        given, _space, family = name.rpartition(" ")
        patient["name"] = [
            {"use": "official", "text": name, "family": family, **({"given": given.split()} if given else {})}
        ]
    if language:
        patient["communication"] = [
            {"language": {"coding": [{"system": "urn:ietf:bcp:47", "code": language}]}, "preferred": True}
        ]
    if hasattr(patient.get("birthDate"), "isoformat"):
        patient["birthDate"] = patient["birthDate"].isoformat()
    return patient
