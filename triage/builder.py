"""Building a condition from rows, for those who don't write JSON: one row a test, all or any of them, and rows of one
group together. It covers the common shape; a condition that is nested deeper stays as JSON."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field

from django.http import QueryDict
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from triage import conditions
from triage.conditions import COMPARED, DEFINITE, EQUAL, Always, Condition, Group, Test
from triage.fields import NUMERIC, Field, Json

EMPTY_ROWS = 3
MAX_ROWS = 60
OTHER = {"all": "any", "any": "all"}
OPS = {
    "is": gettext_lazy("is"),
    "is_not": gettext_lazy("is not"),
    "in": gettext_lazy("is one of"),
    "not_in": gettext_lazy("is none of"),
    "lt": gettext_lazy("is below"),
    "le": gettext_lazy("is at most"),
    "gt": gettext_lazy("is above"),
    "ge": gettext_lazy("is at least"),
    "between": gettext_lazy("is from … to"),
    "includes": gettext_lazy("includes"),
    "includes_any": gettext_lazy("includes one of"),
    "excludes": gettext_lazy("includes none of"),
    "answered": gettext_lazy("was given"),
    "missing": gettext_lazy("was not given"),
}
SINGLE = (*EQUAL, *COMPARED, "includes")


@dataclass
class Row:
    """One test as it is typed: the values are texts, of which an operator takes none, one, two or many."""

    place: int
    key: str = ""
    op: str = ""
    values: list[str] = field(default_factory=list)
    group: str = ""  # rows of one group belong together
    one: Field | None = None

    @property
    def ops(self) -> list[tuple[str, str]]:
        allowed = conditions.allowed_ops(self.one) if self.one else tuple(OPS)
        return [(op, str(OPS[op])) for op in allowed]

    @property
    def input(self) -> str:
        """What the value is typed into: none, choice, choices, boolean, number, range or text."""
        if self.one is None or self.op in DEFINITE:
            return "none"
        if self.one.kind == "boolean":
            return "boolean"
        if self.op == "between":
            return "range"
        many = self.op not in SINGLE
        if self.one.choices:
            return "choices" if many else "choice"
        return "number" if self.one.kind in NUMERIC and not many else "text"

    @property
    def choices(self) -> list[tuple[str, str]]:
        return [(choice.code, choice.name) for choice in self.one.choices] if self.one else []

    @property
    def value(self) -> str:
        return self.values[0] if self.values else ""

    @property
    def second(self) -> str:
        return self.values[1] if len(self.values) > 1 else ""

    @property
    def listed(self) -> str:
        return ", ".join(self.values)

    def to_json(self) -> dict[str, Json]:
        told: dict[str, Json] = {"field": self.key, "op": self.op}
        if self.op in DEFINITE:
            return told
        texts = self.values
        if self.input == "text" and self.op not in SINGLE:
            texts = [part.strip() for text in texts for part in text.split(",") if part.strip()]
        values = [_typed(text, self.one) for text in texts if text != ""]
        if self.op in SINGLE:
            return told | ({"value": values[0]} if values else {})
        return told | {"value": values}


def _typed(text: str, one: Field | None) -> Json:
    """The value that a text stands for; a text that is no number stays one, and is refused with a sentence."""
    if one is None:
        return text
    if one.kind == "boolean":
        return {"true": True, "false": False}.get(text, text)
    if one.kind in NUMERIC:
        try:
            return int(text)
        except ValueError:
            pass
        try:
            return float(text)
        except ValueError:
            return text
    return text


@dataclass
class Rows:
    """A condition as rows. `join` holds between rows and groups, its other between the rows of one group."""

    join: str = "all"
    rows: list[Row] = field(default_factory=list)

    def to_json(self) -> dict[str, Json]:
        """The condition; always true without any row."""
        parts: list[dict[str, Json]] = []
        groups: dict[str, list[Json]] = {}
        for row in self.rows:
            if not row.group:
                parts.append(row.to_json())
            elif row.group in groups:
                groups[row.group].append(row.to_json())
            else:
                groups[row.group] = [row.to_json()]
                parts.append({OTHER[self.join]: groups[row.group]})
        if not parts:
            return {"always": True}
        return parts[0] if len(parts) == 1 and not groups else {self.join: parts}

    def shown(self) -> Iterator[Row]:
        """The rows, and some empty ones to fill in."""
        yield from self.rows
        for place in range(len(self.rows), len(self.rows) + EMPTY_ROWS):
            yield Row(place)


def rows_of(told: Json, fields: Mapping[str, Field]) -> Rows | None:
    """The rows of a condition, or None where it has another shape. Back and forth gives the same condition."""
    try:
        condition = conditions.parse(told)
    except conditions.ConditionError:
        return None
    found = _rows(condition, fields)
    if found is None or found.to_json() != conditions.to_json(condition):
        return None
    return found


def _rows(condition: Condition, fields: Mapping[str, Field]) -> Rows | None:
    if isinstance(condition, Always):
        return Rows()
    parts: Sequence[Condition] = condition.parts if isinstance(condition, Group) else [condition]
    found = Rows(condition.word if isinstance(condition, Group) else "all")
    groups = 0
    for part in parts:
        if isinstance(part, Test):
            found.rows.append(_row(part, len(found.rows), "", fields))
        elif isinstance(part, Group) and part.word == OTHER[found.join]:
            groups += 1
            for test in part.parts:
                if not isinstance(test, Test):
                    return None
                found.rows.append(_row(test, len(found.rows), str(groups), fields))
        else:
            return None
    return found


def _row(test: Test, place: int, group: str, fields: Mapping[str, Field]) -> Row:
    values = [str(value).lower() if isinstance(value, bool) else str(value) for value in test.values]
    return Row(place, test.field, test.op, values, group, fields.get(test.field))


def read(post: QueryDict, fields: Mapping[str, Field]) -> Rows:
    """The rows as they were typed; a row without a field is left out."""
    join = post.get("join", "all")
    found = Rows(join if join in OTHER else "all")
    for place in range(MAX_ROWS):
        key = post.get(f"field-{place}", "")
        if not key:
            continue
        one = fields.get(key)
        row = Row(
            len(found.rows), key, post.get(f"op-{place}", ""), [], post.get(f"group-{place}", "").strip(), one
        )
        if one and row.op not in conditions.allowed_ops(one):
            row.op = conditions.allowed_ops(one)[0]
        row.values = [value for value in post.getlist(f"value-{place}") if value != ""]
        found.rows.append(row)
    return found


def field_groups(fields: Mapping[str, Field]) -> list[tuple[str, list[tuple[str, str]]]]:
    """The fields for a select, grouped by the questionnaire that asks for them."""
    found: dict[str, list[tuple[str, str]]] = {}
    for key, one in fields.items():
        found.setdefault(one.source or _("every request"), []).append((key, f"{one.label} ({key})"))
    return list(found.items())
