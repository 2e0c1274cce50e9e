"""FHIRPath (N1, with what FHIR R4 and SDC add), evaluated on answers within a fixed budget of steps.

`parse` gives a `Program`; `run` evaluates it in a `Scope`. Not done: resolve(), memberOf(), conformsTo(), %factory and
%terminologies, which all need a server; they are named when a form that uses them is read.
"""

from __future__ import annotations

from dataclasses import dataclass
from decimal import localcontext

from .engine import compile_tree
from .operators import Items, truth
from .scope import OWN, WHOLE, Budget, Index, Run, Scope
from .syntax import SyntaxFault, Tree, nodes, read
from .values import Fault, Quantity, Temporal


@dataclass(frozen=True, slots=True)
class Program:
    """An expression ready to run: the variables it names, and the linkIds it compares with."""

    text: str
    run: Run
    variables: frozenset[str]
    link_ids: frozenset[str]


def parse(text: str) -> Program:
    """Read an expression. Raises SyntaxFault with a sentence."""
    tree = read(text)
    try:
        run = compile_tree(tree)
    except RecursionError:
        raise SyntaxFault("The expression nests too deep.") from None
    found = list(nodes(tree))
    variables = frozenset(str(node[1]) for node in found if node[0] == "variable")
    return Program(text, run, variables, frozenset(_link_ids(found)))


def _link_ids(found: list[Tree]) -> set[str]:
    """Texts compared with a linkId anywhere in the expression."""
    named: set[str] = set()
    for node in found:
        if node[0] != "chain":
            continue
        sides = [node[1], *(side for _operator, side in node[2])]
        if any(side[0] == "path" and side[2] and side[2][-1] == ("field", "linkId") for side in sides):
            for side in sides:
                named.update(
                    part[1] for part in nodes(side) if part[0] == "literal" and isinstance(part[1], str)
                )
    return named


def run(program: Program, scope: Scope, focus: Items) -> Items:
    """Evaluate. Raises Fault, and nothing else, when the expression can't be worked out on these answers."""
    try:
        with localcontext() as numbers:
            numbers.prec = 28
            return program.run(scope, focus)
    except RecursionError:
        raise Fault("It nests too deep.") from None
    except (ArithmeticError, ValueError, TypeError, AttributeError, KeyError, IndexError) as fault:
        raise (
            fault
            if isinstance(fault, Fault)
            else Fault(f"It doesn't fit the answers ({type(fault).__name__}).")
        ) from None


__all__ = [
    "OWN",
    "WHOLE",
    "Budget",
    "Fault",
    "Index",
    "Items",
    "Program",
    "Quantity",
    "Scope",
    "SyntaxFault",
    "Temporal",
    "parse",
    "run",
    "truth",
]
