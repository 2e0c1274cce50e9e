"""Expressions at load: where SDC lets an author write FHIRPath, what each is for, and which names it may use.

Sources: SDC "Form behavior and calculation", "Form population". An expression in another language is refused where
the form would mean something else without it, and noted where only a starting value or a query is lost.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from . import extensions as ext
from .fhirpath import SyntaxFault, parse
from .items import Constraint, Expression
from .limits import bound_of
from .problems import Findings

FHIRPATH = "text/fhirpath"
QUERY = "application/x-fhir-query"
# What an environment always knows (FHIRPath §environment variables; SDC adds questionnaire and qitem).
ALWAYS = frozenset({"resource", "rootResource", "context", "questionnaire", "qitem", "ucum", "sct", "loinc"})
KNOWN_LAUNCH = frozenset({"patient", "user"})


class Scripts:
    """Reads expressions while the form is read, and knows which variables are in sight at each item."""

    def __init__(self, resource: Mapping[str, Any], findings: Findings) -> None:
        self.findings = findings
        self._scopes: list[set[str]] = [set(ALWAYS)]
        self.launch = frozenset(self._launch_names(resource))
        self._scopes[0] |= self.launch
        for extension in ext.all_of(resource, ext.SOURCE_QUERIES):
            reference = ext.typed_value(extension)[1]
            if isinstance(reference, Mapping) and isinstance(reference.get("reference"), str):
                self._scopes[0].add(reference["reference"].lstrip("#"))

    def _launch_names(self, resource: Mapping[str, Any]) -> set[str]:
        names = set()
        for extension in ext.all_of(resource, ext.LAUNCH):
            parts = ext.parts_of(extension)
            name = parts.get("name")
            name = name.get("code") if isinstance(name, Mapping) else name
            if isinstance(name, str):
                names.add(name)
                if name not in KNOWN_LAUNCH:
                    self.findings.warn(
                        "Questionnaire.extension",
                        "launchContext",
                        f"Nothing here knows %{name}: it stays empty.",
                    )
        return names

    def open(self, element: Mapping[str, Any], path: str) -> None:
        """Enter an item (or the form): the variables it declares are in sight until `close`."""
        names = set()
        for url in (ext.VARIABLE, ext.POPULATION_CONTEXT):
            for extension in ext.all_of(element, url):
                value = ext.typed_value(extension)[1]
                if isinstance(value, Mapping) and isinstance(value.get("name"), str):
                    names.add(value["name"])
        self._scopes.append(names)
        self._path = path

    def close(self) -> None:
        self._scopes.pop()

    def knows(self, name: str) -> bool:
        return any(name in scope for scope in self._scopes) or name.startswith(("vs-", "ext-"))

    def read(self, value: Any, path: str, feature: str, *, optional: bool = False) -> Expression | None:
        """One Expression element; None, with the fault noted, where it can't be used.

        `optional` is for what a form means the same without: a fault in it is only a warning.
        """
        say = self.findings.warn if optional else self.findings.refuse
        if isinstance(value, str):
            value = {"language": FHIRPATH, "expression": value}
        if not isinstance(value, Mapping) or not isinstance(value.get("expression"), str):
            say(path, feature, "It needs an expression.")
            return None
        name = value["name"] if isinstance(value.get("name"), str) else ""
        language, text = value.get("language", FHIRPATH), value["expression"]
        if language == QUERY:
            self.findings.warn(
                path, feature, "It asks a record server, which isn't done here: it stays empty."
            )
            return Expression(text, path, name, None, QUERY)
        if language != FHIRPATH:
            say(path, feature, f"It is written in {language}; only FHIRPath is understood.")
            return None
        try:
            program = parse(text)
        except SyntaxFault as fault:
            say(path, feature, f"The expression can't be read: {fault}")
            return None
        for used in sorted(program.variables):
            if not self.knows(used):
                say(path, feature, f"It uses %{used}, and nothing gives that a value.")
                return None
        return Expression(text, path, name, program, FHIRPATH, program.link_ids)

    def variables_of(self, element: Mapping[str, Any]) -> tuple[Expression, ...]:
        found: list[Expression] = []
        for extension in ext.all_of(element, ext.VARIABLE):
            expression = self.read(
                ext.typed_value(extension)[1], f"{self._path}.extension(variable)", "variable"
            )
            if expression is None:
                continue
            if not expression.name:
                self.findings.refuse(self._path, "variable", "A variable needs a name.")
            elif any(other.name == expression.name for other in found):
                self.findings.refuse(self._path, "variable", f"%{expression.name} is declared twice here.")
            else:
                found.append(expression)
        return tuple(found)

    def of_item(self, entry: Mapping[str, Any], path: str, kind: str) -> dict[str, Any]:
        """The expressions of one item, under the names `Item` has for them."""
        found: dict[str, Any] = {}
        asks = kind not in ("group", "display")
        for key, url, feature, optional in (
            ("enable_expression", ext.ENABLE_EXPRESSION, "enableWhenExpression", False),
            ("calculated", ext.CALCULATED, "calculatedExpression", False),
            ("initial_expression", ext.INITIAL_EXPRESSION, "initialExpression", True),
            ("option_expression", ext.ANSWER_EXPRESSION, "answerExpression", kind == "open-choice"),
        ):
            extension = ext.first(entry, url)
            if extension is None:
                continue
            if not asks and key != "enable_expression":
                if key != "initial_expression":
                    self.findings.refuse(path, feature, "Only a question can have it.")
                continue
            expression = self.read(ext.typed_value(extension)[1], path, feature, optional=optional)
            if (
                expression is not None
                and not expression.runs
                and key in ("enable_expression", "calculated", "option_expression")
            ):
                say = self.findings.warn if optional else self.findings.refuse
                say(path, feature, "It needs a record server, so the form would mean something else here.")
                expression = None
            found[key] = expression
        if ext.first(entry, ext.ENABLE_EXPRESSION) and entry.get("enableWhen"):
            self.findings.refuse(
                path,
                "enableWhenExpression",
                "It has both enableWhen and enableWhenExpression; only one may be.",
            )
        candidates = ext.first(entry, ext.CANDIDATES)
        if candidates is not None and kind == "choice" and not found.get("option_expression"):
            found["option_expression"] = self.read(
                ext.typed_value(candidates)[1], path, "candidateExpression"
            )
        for key, which in (("low_expression", "min"), ("high_expression", "max")):
            bound = bound_of(entry, which)
            told = ext.told_by_expression(bound) if bound is not None else None
            if told is not None:
                found[key] = self._bound(told, f"{path}.extension({which}Value)", f"{which}Value")
        dynamic = ext.first(entry, ext.DYNAMIC_TEXT)
        if dynamic is not None and asks and "calculated" not in found:
            # The older way to say "this answer is computed" puts the expression on the item itself.
            found["calculated"] = self._older_calculation(dynamic, path)
        found["toggles"] = self._toggles(entry, path)
        return found

    def _bound(self, told: Any, path: str, feature: str) -> Expression | None:
        expression = self.read(told, path, feature)
        if expression is not None and not expression.runs:
            self.findings.refuse(
                path, feature, "The limit needs a record server, and nothing would be held to it."
            )
        return expression

    def _older_calculation(self, extension: Mapping[str, Any], path: str) -> Expression | None:
        value = ext.typed_value(extension)[1]
        if isinstance(value, Mapping) and value.get("language") == FHIRPATH:
            return self.read(value, path, "cqf-expression", optional=True)
        # Asking a person to work it out would be worse than leaving it out.
        self.findings.warn(
            path, "cqf-expression", "Its value comes from a library that isn't at hand: it stays empty."
        )
        return Expression(str(value), path)

    def _toggles(self, entry: Mapping[str, Any], path: str) -> tuple[tuple[frozenset[str], Expression], ...]:
        found = []
        for extension in ext.all_of(entry, ext.TOGGLE):
            listed = extension.get("extension")
            parts = [part for part in listed if isinstance(part, Mapping)] if isinstance(listed, list) else []
            told = ext.parts_of(extension).get("expression")
            expression = self.read(told, path, "answerOptionsToggleExpression")
            named = [ext.typed_value(part)[1] for part in parts if part.get("url") == "option"]
            keys = frozenset(toggle_key(value) for value in named)
            if expression is not None and expression.runs and keys:
                found.append((keys, expression))
        return tuple(found)

    def constraints(self, element: Mapping[str, Any], path: str) -> tuple[Constraint, ...]:
        found = []
        for url in (ext.CONSTRAINT, ext.TARGET_CONSTRAINT):
            for extension in ext.all_of(element, url):
                parts = ext.parts_of(extension)
                expression = self.read(parts.get("expression"), path, "constraint")
                if expression is None or not expression.runs:
                    continue
                human = parts.get("human")
                if not isinstance(human, str) or not human:
                    self.findings.refuse(
                        path, "constraint", "A constraint needs a sentence for people (human)."
                    )
                    continue
                found.append(
                    Constraint(
                        str(parts.get("key") or ""), human, parts.get("severity") != "warning", expression
                    )
                )
        return tuple(found)


def toggle_key(value: Any) -> str:
    """How an option is told in a toggle: system|code, or its text."""
    if isinstance(value, Mapping):
        told = value.get("code") or value.get("display") or value.get("reference") or ""
        return f"{value.get('system') or ''}|{told}"
    return str(value)
