"""What the expressions of a form give on the answers as they stand, worked out no more often than answers call for.

The response is built anew for each look; what an expression gave before holds as long as nothing it looked at then is
another now.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal
from typing import TYPE_CHECKING, Any

from .fhirpath import OWN, WHOLE, Budget, Fault, Index, Items, Scope, run
from .items import Expression
from .response import answer_of

if TYPE_CHECKING:
    from .tree import Node, Tree
    from .values import Answer

MOST_STEPS = 400_000
ORDINAL_URL = "http://hl7.org/fhir/StructureDefinition/ordinalValue"


@dataclass(slots=True)
class _Result:
    """What came of an expression, and the parts of the response it looked at, as they were then."""

    found: Items | Fault
    reads: dict[Any, Any]


class Results:
    """What each expression gives where it stands.

    `resource` is the response at the last look; `faults` are (path, sentence) of what couldn't be worked out.
    """

    def __init__(self, tree: Tree) -> None:
        self.tree = tree
        self.faults: dict[tuple[str, str], None] = {}
        self.resource: dict[str, Any] = {}
        self._left = MOST_STEPS
        self._launch = _launch(tree)
        self._today = tree.context.today.isoformat()
        self._now = tree.context.now.isoformat(timespec="seconds")
        self._index = Index(self.resource)
        self._elements: dict[int, dict[str, Any]] = {}
        self._made: dict[int, tuple[Sequence[Answer], dict[str, Any]]] = {}
        self._results: dict[tuple[int | str, int], _Result] = {}
        self._declared: dict[tuple[int, int], tuple[Expression, Node | None]] = {}
        self._reading: list[dict[Any, Any]] = []
        self._busy: set[tuple[int, int]] = set()

    # ── the response as it stands ────────────────────────────────────────────────────────────────────
    def look(self) -> bool:
        """Build the response as it stands, for the expressions to look at. Is any of it another than before?"""
        before, self._elements = self._elements, {}
        resource: dict[str, Any] = {"resourceType": "QuestionnaireResponse", "status": "in-progress"}
        items = self._build(self.tree.roots, attach=True)
        if items:
            resource["item"] = items
        if resource != self.resource:
            self.resource, self._index = resource, Index(resource)
            return True
        return before != self._elements

    def _build(self, nodes: Sequence[Node], *, attach: bool) -> list[dict[str, Any]]:
        items: list[dict[str, Any]] = []
        for node in nodes:
            item = node.item
            if item.kind == "display":
                self._elements[id(node)] = {"linkId": item.link_id}
                continue
            counted = attach and node.enabled
            if item.asks and not node.children:
                element = self._question(node)
                self._elements[id(node)] = element
                if counted and node.answers:
                    items.append(element)
                continue
            below = self._build(node.children, attach=counted)
            element = {"linkId": item.link_id, "text": item.text}
            if item.asks:
                answers = _answers(node)
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

    def _question(self, node: Node) -> dict[str, Any]:
        """A question with nothing below it; the same element as long as its answer is the same."""
        made = self._made.get(id(node))
        if made is None or made[0] is not node.answers:
            element: dict[str, Any] = {"linkId": node.item.link_id, "text": node.item.text}
            if node.answers:
                element["answer"] = _answers(node)
            made = self._made[id(node)] = node.answers, element
        return made[1]

    # ── evaluating ───────────────────────────────────────────────────────────────────────────────────
    def evaluate(self, expression: Expression, node: Node | None) -> Items | None:
        """The result, [] for nothing; None, with the fault noted, where it can't be worked out."""
        try:
            return self._run(expression, node)
        except Fault as fault:
            self.fault(expression, str(fault))
            return None

    def _run(self, expression: Expression, node: Node | None) -> Items:
        if expression.program is None:
            return []
        found = self._result(expression, node).found
        if isinstance(found, Fault):
            raise found
        return found

    def _result(self, expression: Expression, node: Node | None) -> _Result:
        """As it was, as long as nothing it looked at has changed, or worked out now. Raises Fault in a circle."""
        key, shared = (id(expression), id(node)), (expression.text, _sight(node))
        known = self._results.get(key) or self._results.get(shared)
        try:
            if known is not None and not self._has_changed(known.reads):
                return known
        except RecursionError:
            raise Fault("It nests too deep.") from None
        if key in self._busy:
            # What it would read isn't known, so whoever asked waits for any change.
            self._reading[-1][WHOLE] = self.resource
            raise Fault(f"%{expression.name} depends on itself.")
        self._busy.add(key)
        try:
            known, own = self._work_out(expression, node)
        finally:
            self._busy.discard(key)
        # Forms ask the same of many items: what doesn't depend on where it stands is worked out once for all.
        self._results[key if own else shared] = known
        return known

    def _work_out(self, expression: Expression, node: Node | None) -> tuple[_Result, bool]:
        """What comes of it now, and whether that depends on the element it stands on."""
        context = [self.resource if node is None else self._elements[id(node)]]
        budget = Budget()
        granted = budget.left
        scope = Scope(
            self.resource,
            context,
            lambda name: self._variable(name, node),
            today=self._today,
            now=self._now,
            budget=budget,
            items=self._index,
        )
        reads: dict[Any, Any] = {}
        self._reading.append(reads)
        found: Items | Fault
        try:
            if self._left <= 0:
                raise Fault("It takes too long to work out.")
            found = run(expression.program, scope, context)  # type: ignore[arg-type]
        except Fault as fault:
            found = fault
        finally:
            self._reading.pop()
            self._left -= granted - budget.left
        own = id(node) in reads
        for place in scope.reads:
            if place == OWN or isinstance(place, tuple):
                own = True
                place = id(node) if place == OWN else (id(node), place[1])
            reads[place] = self._part(place)
        return _Result(found, reads), own

    def _part(self, place: Any) -> Any:
        """What an expression read: everything, items by their linkId, an element, items right below one, a variable."""
        if place == WHOLE:
            return self.resource
        if isinstance(place, str):
            return self._index.by_link.get(place)
        if isinstance(place, int):
            return self._elements.get(place)
        if place in self._declared:
            return self._result(*self._declared[place]).found
        below = self._elements.get(place[0], {}).get("item", ())
        return [item for item in below if item["linkId"] == place[1]]

    def _has_changed(self, reads: dict[Any, Any]) -> bool:
        """Is any of these parts another than when it was read?"""
        for place, part in reads.items():
            now = self._part(place)
            # The whole is only ever replaced by another one.
            if now is not part and (place == WHOLE or now != part):
                return True
        return False

    def fault(self, expression: Expression, sentence: str) -> None:
        """Note that this can't be worked out, and why."""
        self.faults[expression.path, sentence] = None

    def _variable(self, name: str, node: Node | None) -> Items:
        """The value of %name as seen from a node: the nearest declaration above, then what the form is given."""
        if name == "questionnaire":
            return [self.tree.q.resource]
        if name == "qitem":
            if node is None:
                return []
            self._reading[-1][id(node)] = self._elements.get(id(node))
            return [dict(node.item.source)]
        above = node
        while above is not None:
            for expression in above.item.variables:
                if expression.name == name:
                    return self._read_variable(expression, above)
            above = above.parent
        for expression in self.tree.q.variables:
            if expression.name == name:
                return self._read_variable(expression, None)
        return self._launch.get(name, [])

    def _read_variable(self, expression: Expression, node: Node | None) -> Items:
        if not expression.runs:
            return []
        key = id(expression), id(node)
        self._declared[key] = expression, node
        found = self._reading[-1][key] = self._result(expression, node).found
        if isinstance(found, Fault):
            raise found
        return found


def _sight(node: Node | None) -> int:
    """From where variables are seen: all nodes below the nearest one that declares any see the same ones."""
    while node is not None and not node.item.variables:
        node = node.parent
    return id(node)


def _answers(node: Node) -> list[dict[str, Any]]:
    return [_scored(answer_of(answer), answer.ordinal) for answer in node.answers]


def _scored(answer: dict[str, Any], ordinal: Decimal | None) -> dict[str, Any]:
    """A chosen coding with its score on it, where scoring expressions look for it."""
    if ordinal is not None and "valueCoding" in answer:
        answer["valueCoding"] = {
            **answer["valueCoding"],
            "extension": [{"url": ORDINAL_URL, "valueDecimal": ordinal}],
        }
    return answer


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
