"""From a tree to something that runs: every node becomes a function, so that evaluating is only calling.

An engine of our own because forms are strangers' programs: each step is counted against a budget, so the same
expression on the same answers always stops at the same place, and patterns are matched by an engine that can't
backtrack. Scoring forms look up hundreds of questions by linkId; those look-ups are indexed once per response.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from .conversions import is_type
from .functions import FUNCTIONS
from .loops import SPECIAL
from .operators import OPERATORS, Items, one, truth
from .scope import OWN, Run, Scope, field, inside, items_of
from .syntax import SyntaxFault, Tree
from .values import Fault


def compile_tree(tree: Tree) -> Run:
    """A function that evaluates the tree. Raises SyntaxFault for functions that are not known."""
    kind = tree[0]
    if kind == "literal":
        value = [tree[1]]
        return lambda scope, focus: value
    if kind == "empty":
        return lambda scope, focus: []
    if kind == "variable":
        return _variable(tree[1])
    if kind == "this":
        return lambda scope, focus: scope.look(scope.this)
    if kind == "index":
        return lambda scope, focus: [scope.index]
    if kind == "total":
        return lambda scope, focus: scope.total
    if kind == "sign":
        inner, minus = compile_tree(tree[2]), OPERATORS["*"]
        return lambda scope, focus: minus(inner(scope, focus), [-1])
    if kind == "type":
        return _typed(tree[1], compile_tree(tree[2]), tree[3])
    if kind == "chain":
        return _chain(tree)
    return _path(tree)


def _variable(name: str) -> Run:
    fixed = {
        "ucum": "http://unitsofmeasure.org",
        "sct": "http://snomed.info/sct",
        "loinc": "http://loinc.org",
    }
    if name in fixed:
        value = [fixed[name]]
        return lambda scope, focus: value
    if name.startswith("vs-"):
        value = [f"http://hl7.org/fhir/ValueSet/{name[3:]}"]
        return lambda scope, focus: value
    if name.startswith("ext-"):
        value = [f"http://hl7.org/fhir/StructureDefinition/{name[4:]}"]
        return lambda scope, focus: value
    if name in ("resource", "rootResource"):
        return lambda scope, focus: scope.look([scope.resource])
    if name == "context":
        return lambda scope, focus: scope.look(scope.context)
    return lambda scope, focus: scope.variable(name)


def _typed(operator: str, inner: Run, name: str) -> Run:
    def run(scope: Scope, focus: Items) -> Items:
        items = inner(scope, focus)
        if operator == "as":
            return [item for item in items if is_type(item, name)]
        value = one(items, "“is”")
        return [] if value is None else [is_type(value, name)]

    return run


def _chain(tree: Tree) -> Run:
    first = compile_tree(tree[1])
    rest = [(operator, compile_tree(node)) for operator, node in tree[2]]
    logic = {"and": _and, "or": _or, "xor": _xor, "implies": _implies}
    if rest[0][0] in logic:
        steps = [(logic[operator], run) for operator, run in rest]

        def decide(scope: Scope, focus: Items) -> Items:
            scope.budget.spend(len(steps))
            left = truth(first(scope, focus))
            for combine, run in steps:
                left = combine(left, lambda run=run: truth(run(scope, focus)))  # type: ignore[misc]
            return [] if left is None else [left]

        return decide
    plain = [(OPERATORS[operator], run) for operator, run in rest]

    def compute(scope: Scope, focus: Items) -> Items:
        found = first(scope, focus)
        for combine, run in plain:
            other = run(scope, focus)
            scope.budget.spend(1 + len(found) + len(other))
            found = combine(found, other)
            if found and isinstance(found[0], str):
                scope.budget.spend(len(found[0]) >> 5)
        return found

    return compute


Later = Callable[[], "bool | None"]


def _and(left: bool | None, later: Later) -> bool | None:
    if left is False:
        return False
    right = later()
    return False if right is False else None if left is None or right is None else True


def _or(left: bool | None, later: Later) -> bool | None:
    if left is True:
        return True
    right = later()
    return True if right is True else None if left is None or right is None else False


def _xor(left: bool | None, later: Later) -> bool | None:
    right = later()
    return None if left is None or right is None else left != right


def _implies(left: bool | None, later: Later) -> bool | None:
    if left is False:
        return True
    right = later()
    if left is None:
        return True if right is True else None
    return right


def _path(tree: Tree) -> Run:
    start, steps = tree[1], list(tree[2])
    begin: Run | None = None if start is None else compile_tree(start)
    runs: list[Run] = []
    # %resource.repeat(item).where(linkId = '…') is how forms find a question, or without the repeat: the index knows.
    rooted = start in (("variable", "resource"), ("variable", "rootResource"))
    wanted = _link_id(steps[1]) if len(steps) > 1 else None
    looked_up = bool(steps) and (rooted or start is None)
    looked_up &= steps[:1] == [_REPEAT_ITEM] or (steps[:1] == [("field", "item")] and wanted is not None)
    if looked_up:
        runs.append(_walk(wanted, top=steps[0] != _REPEAT_ITEM))
        steps = steps[1 if wanted is None else 2 :]
    if looked_up and rooted:
        begin = lambda scope, focus: [scope.resource]  # noqa: E731 - the look-up notes what of it was read
    place = 0
    while place < len(steps):
        step = steps[place]
        after = steps[place + 1] if place + 1 < len(steps) else None
        if step[0] == "field" and after and after[0] == "call" and after[1] == "ofType":
            runs.append(_of_type(step[1], after[2][0][1], first=start is None and not runs))
            place += 2
            continue
        runs.append(_step(step, first=start is None and not runs))
        place += 1

    def run(scope: Scope, focus: Items) -> Items:
        found = focus if begin is None else begin(scope, focus)
        if not looked_up:
            scope.look(found)
        for each in runs:
            found = each(scope, found)
            scope.budget.spend(1 + len(found))
        return found

    return run


_REPEAT_ITEM = ("call", "repeat", (("path", None, (("field", "item"),)),))


def _link_id(step: Tree) -> str | None:
    """The linkId that where(linkId = '…') asks for, None for any other step."""
    if step[:2] != ("call", "where") or len(step[2]) != 1:
        return None
    test = step[2][0]
    if test[0] == "chain" and test[1] == ("path", None, (("field", "linkId"),)) and len(test[2]) == 1:
        operator, other = test[2][0]
        if operator == "=" and other[0] == "literal" and isinstance(other[1], str):
            return other[1]
    return None


def _walk(link_id: str | None, *, top: bool) -> Run:
    """Items by their linkId, or all of them (None): right below what is looked at, or at any depth."""

    def run(scope: Scope, focus: Items) -> Items:
        if len(focus) != 1 or focus[0] is not scope.resource:
            if top and focus is scope.context:
                scope.reads.add((OWN, link_id))
            else:
                scope.look(focus)
            found = items_of(focus) if top else inside(focus)
            scope.budget.spend(len(found))
            return found if link_id is None else [item for item in found if item.get("linkId") == link_id]
        if link_id is None:
            scope.look(focus)
            return scope.items.everything
        scope.reads.add(link_id)
        index = scope.items.top if top else scope.items.by_link
        return index.get(link_id, [])

    return run


def _of_type(name: str, type_: str, *, first: bool) -> Run:
    """value.ofType(Quantity): the JSON name tells the type, where there is a choice of them."""
    short = type_.rpartition(".")[2]
    key = name + short[0].upper() + short[1:]

    def run(scope: Scope, focus: Items) -> Items:
        found: Items = []
        for item in focus:
            if isinstance(item, dict) and key in item:
                found.extend(field([item], key))
            else:
                found.extend(value for value in field([item], name) if is_type(value, type_))
        return found

    return run


def _step(step: Tree, *, first: bool) -> Run:
    if step[0] == "field":
        name = step[1]
        if first and name[0].isupper():
            return lambda scope, focus: (
                [item for item in focus if isinstance(item, dict) and item.get("resourceType") == name]
                or field(focus, name)
            )
        return lambda scope, focus: field(focus, name)
    if step[0] == "at":
        place = compile_tree(step[1])
        return lambda scope, focus: _at(focus, one(place(scope, scope.this), "An index"))
    return _call(step[1], step[2])


def _at(items: Items, place: Any) -> Items:
    if place is None:
        return []
    if isinstance(place, bool) or not isinstance(place, int):
        raise Fault("An index must be a whole number.")
    return items[place : place + 1] if place >= 0 else []


def _call(name: str, args: tuple[Tree, ...]) -> Run:
    if name in ("is", "as", "ofType"):
        type_ = args[0][1] if args and args[0][0] == "literal" else None
        if not isinstance(type_, str):
            raise SyntaxFault(f"{name}() needs the name of a type.")
        if name == "is":
            return _typed("is", lambda scope, focus: focus, type_)
        return lambda scope, focus: [item for item in focus if is_type(item, type_)]
    if name in SPECIAL:
        make, least, most = SPECIAL[name]
        _check_count(name, len(args), least, most)
        if name == "where" and (link_id := _link_id(("call", name, args))) is not None:
            return lambda scope, focus: [
                item for item in focus if isinstance(item, dict) and item.get("linkId") == link_id
            ]
        return make(*(compile_tree(arg) for arg in args))
    if name not in FUNCTIONS:
        raise SyntaxFault(f"The function {name}() is not known here.")
    function, least, most = FUNCTIONS[name]
    _check_count(name, len(args), least, most)
    runs = [compile_tree(arg) for arg in args]

    def run(scope: Scope, focus: Items) -> Items:
        # Arguments are evaluated where the whole expression stands, not on what the function is called on.
        scope.budget.spend(len(focus))
        return function(focus, *(argument(scope, scope.this) for argument in runs))

    return run


def _check_count(name: str, given: int, least: int, most: int) -> None:
    if not least <= given <= most:
        raise SyntaxFault(f"{name}() has {given} arguments.")
