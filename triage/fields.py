"""The catalogue: every field a rule may test, with its type and the values that the forms allow.

*Facts* are a plain dictionary that JSON can hold, from a field's key to its value; a key that is absent, or
whose value is None, is *missing*, which is a state of its own. A field of several choices has a list. A value
that its field does not allow (wrong type, unknown choice, out of range) is read as missing, so what is proven
of all the values that a catalogue allows holds for every dictionary whatsoever.

Answers have the key `answer.<questionnaire code>.<linkId>` and the questionnaire's code as their source.
"""

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from enum import Enum
from math import isfinite
from typing import Any, Final, Literal, NamedTuple, cast, get_args

Kind = Literal["choice", "number", "integer", "boolean", "date", "text", "quantity"]
Value = str | bool | int | float | frozenset[str]
Json = Any  # what json.loads gives
Reader = Callable[[object], "Reading"]

KINDS: Final[tuple[str, ...]] = get_args(Kind)
Shape = Literal["choice", "several", "number", "boolean", "text"]
NUMERIC: Final = frozenset({"number", "integer", "date", "quantity"})
WHOLE: Final = frozenset({"integer", "date"})
REQUEST_TYPE: Final = "request.type"
CATEGORY: Final = "decision.category"  # the one field that a stage writes and later stages may test
URGENCIES: Final = ("routine", "soon", "urgent")  # in rising order


class Missing(Enum):
    """The type of the one value that stands for no value."""

    MISSING = "missing"

    def __repr__(self) -> str:
        return "MISSING"


MISSING: Final = Missing.MISSING


class Reading(NamedTuple):
    """What a field makes of a raw value: the value or MISSING, and whether all of the raw value was
    understood."""

    value: Value | Missing
    sound: bool


class CatalogueError(ValueError):
    """A catalogue that contradicts itself. Says which field and why."""


@dataclass(frozen=True, slots=True)
class Choice:
    code: str
    label: str = ""

    @property
    def name(self) -> str:
        return self.label or self.code


@dataclass(frozen=True)
class Field:
    """One thing that rules can test.

    A `choice` without choices is open: any code is allowed. `ordered` says that the choices rise in the order
    given, so that rules may compare them. A `date` is an age in days. Of a `text`, and of anything but
    choices that has several values, rules see only whether it was answered. A `quantity` is a number in
    `unit`. `source` is the code of the questionnaire that asks for it, empty for built-in fields.
    """

    key: str
    label: str
    kind: Kind
    choices: tuple[Choice, ...] = ()
    minimum: float | None = None
    maximum: float | None = None
    unit: str = ""
    many: bool = False
    source: str = ""
    ordered: bool = False

    def __post_init__(self) -> None:
        codes = [choice.code for choice in self.choices]
        if not self.key or self.kind not in KINDS:
            raise CatalogueError(f"“{self.key}” has no key or the unknown kind “{self.kind}”.")
        if (self.choices or self.ordered) and self.kind != "choice":
            raise CatalogueError(f"“{self.key}” is no choice, so it can't have choices or their order.")
        if len(set(codes)) != len(codes):
            raise CatalogueError(f"“{self.key}” has a choice twice.")
        if self.ordered and (self.many or not codes):
            raise CatalogueError(
                f"“{self.key}” can't be ordered: it needs choices, and only one of them at a time."
            )
        if self.minimum is not None and self.maximum is not None and self.minimum > self.maximum:
            raise CatalogueError(f"“{self.key}” has a minimum above its maximum.")

    @property
    def shape(self) -> Shape:
        """What rules can do with it: the kind, as far as it matters to them."""
        if self.many:
            return "several" if self.kind == "choice" else "text"
        return "number" if self.kind in NUMERIC else cast(Shape, self.kind)

    @property
    def codes(self) -> tuple[str, ...]:
        return tuple(choice.code for choice in self.choices)

    def name_of(self, code: object) -> str:
        """The label of a choice, or the code itself where it has none."""
        return next((choice.name for choice in self.choices if choice.code == code), str(code))

    def reader(self) -> Reader:
        """A function that reads this field's raw values. It never raises."""
        match self.shape:
            case "choice":
                return _choice_reader(self.codes)
            case "several":
                return _several_reader(self.codes)
            case "number":
                return _number_reader(self.minimum, self.maximum, whole=self.kind in WHOLE)
            case "boolean":
                return _read_boolean
            case "text":
                return _read_text

    def to_json(self) -> dict[str, Json]:
        """As JSON, without what is at its default."""
        told: dict[str, Json] = {"key": self.key, "label": str(self.label), "kind": self.kind}
        if self.choices:
            told["choices"] = [[choice.code, str(choice.label)] for choice in self.choices]
        rest = {"minimum": None, "maximum": None, "unit": "", "many": False, "source": "", "ordered": False}
        return told | {
            name: getattr(self, name) for name, default in rest.items() if getattr(self, name) != default
        }

    @classmethod
    def from_json(cls, told: Mapping[str, Json]) -> "Field":
        choices = tuple(Choice(*choice) for choice in told.get("choices", ()))
        return cls(**{**told, "choices": choices})


_NOT_UNDERSTOOD: Final = Reading(MISSING, False)


def _choice_reader(codes: Sequence[str]) -> Reader:
    closed = frozenset(codes)

    def read(raw: object) -> Reading:
        known = isinstance(raw, str) and raw != "" and (not closed or raw in closed)
        return Reading(raw, True) if known else _NOT_UNDERSTOOD  # type: ignore[arg-type]

    return read


def _several_reader(codes: Sequence[str]) -> Reader:
    closed = frozenset(codes)

    def read(raw: object) -> Reading:
        """Unknown members are left out. An empty list is an answer: none of them."""
        if not isinstance(raw, list | tuple | set | frozenset):
            return _NOT_UNDERSTOOD
        members = frozenset(
            one for one in raw if isinstance(one, str) and one and (not closed or one in closed)
        )
        if raw and not members:
            return _NOT_UNDERSTOOD
        return Reading(members, all(isinstance(one, str) and one in members for one in raw))

    return read


def _number_reader(minimum: float | None, maximum: float | None, *, whole: bool) -> Reader:
    def read(raw: object) -> Reading:
        if isinstance(raw, bool) or not isinstance(raw, int | float):
            return _NOT_UNDERSTOOD
        if isinstance(raw, float):
            if not isfinite(raw) or (whole and not raw.is_integer()):
                return _NOT_UNDERSTOOD
            raw = int(raw) if whole else raw
        if (minimum is not None and raw < minimum) or (maximum is not None and raw > maximum):
            return _NOT_UNDERSTOOD
        return Reading(raw, True)

    return read


def _read_boolean(raw: object) -> Reading:
    return Reading(raw, True) if isinstance(raw, bool) else _NOT_UNDERSTOOD


def _read_text(raw: object) -> Reading:
    """Anything but nothing counts as answered; the words themselves are dropped, so that no trace can hold
    them."""
    return _NOT_UNDERSTOOD if raw is False or raw in ("", [], ()) else Reading(True, True)


@dataclass(frozen=True)
class Scale:
    """Two whole numbers that measure one thing: `fine` divided by `per`, rounded down, is `coarse`."""

    coarse: str
    fine: str
    per: int


@dataclass(frozen=True)
class Catalogue(Mapping[str, Field]):
    """All fields by key, and what the forms promise about them together.

    `requests` gives for a source the request types whose form it is; a source that is not listed is its own
    request type. An answer can be present only in those. `never` holds conditions (JSON) that no facts can
    make true, such as a question answered that was never shown. Both matter to proofs only. Raises
    CatalogueError.
    """

    fields: Mapping[str, Field]
    requests: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    never: tuple[Mapping[str, Json], ...] = ()
    scales: tuple[Scale, ...] = ()

    def __post_init__(self) -> None:
        for key, one in self.fields.items():
            if key != one.key:
                raise CatalogueError(f"“{key}” holds the field “{one.key}”.")
        types = self.fields.get(REQUEST_TYPE)
        for one in self.fields.values():
            unknown = set(self.asked_in(one)) - set(types.codes) if types and types.choices else set()
            if unknown:
                raise CatalogueError(f"“{one.key}” is asked in the unknown request type “{min(unknown)}”.")

    def __getitem__(self, key: str) -> Field:
        return self.fields[key]

    def __iter__(self) -> Iterator[str]:
        return iter(self.fields)

    def __len__(self) -> int:
        return len(self.fields)

    def read(self, facts: Mapping[str, Json]) -> dict[str, Value]:
        """The values of these facts as the fields read them, without the missing ones."""
        readings = {
            key: self[key].reader()(raw).value
            for key, raw in facts.items()
            if key in self and raw is not None
        }
        return {key: value for key, value in readings.items() if not isinstance(value, Missing)}

    def asked_in(self, one: Field) -> tuple[str, ...]:
        """The request types in which this field can have a value; empty means in all."""
        return tuple(self.requests.get(one.source, (one.source,))) if one.source else ()

    def with_fields(
        self,
        fields: Iterable[Field],
        *,
        requests: Mapping[str, Sequence[str]] | None = None,
        never: Sequence[Mapping[str, Json]] = (),
    ) -> "Catalogue":
        """This catalogue and these fields; a field that is in both is the new one."""
        merged = dict(self.requests) | {source: tuple(types) for source, types in (requests or {}).items()}
        both = {**self.fields, **{one.key: one for one in fields}}
        return Catalogue(both, merged, (*self.never, *never), self.scales)

    def to_json(self) -> dict[str, Json]:
        return {
            "fields": [one.to_json() for one in self.fields.values()],
            "requests": {source: list(types) for source, types in self.requests.items()},
            "never": [dict(condition) for condition in self.never],
            "scales": [[scale.coarse, scale.fine, scale.per] for scale in self.scales],
        }

    @classmethod
    def from_json(cls, told: Mapping[str, Json]) -> "Catalogue":
        fields = [Field.from_json(one) for one in told["fields"]]
        return cls(
            {one.key: one for one in fields},
            {source: tuple(types) for source, types in told.get("requests", {}).items()},
            tuple(told.get("never", ())),
            tuple(Scale(*scale) for scale in told.get("scales", ())),
        )


Pairs = Iterable[tuple[str, str]]
WEEKDAYS: Final = (
    ("mon", "Monday"),
    ("tue", "Tuesday"),
    ("wed", "Wednesday"),
    ("thu", "Thursday"),
    ("fri", "Friday"),
    ("sat", "Saturday"),
    ("sun", "Sunday"),
)

# An emergency in the text is urgent; the two signals are read from the same match.
EMERGENCY_IS_URGENT: Final[dict[str, Json]] = {
    "all": [
        {"field": "signal.emergency", "op": "is", "value": True},
        {"field": "signal.urgency", "op": "lt", "value": "urgent"},
    ]
}


def built_in(
    *,
    request_types: Pairs = (),
    languages: Pairs = (),
    facilities: Pairs = (),
    programs: Pairs = (),
    signal_codes: Pairs = (),
    signal_categories: Pairs = (),
) -> Catalogue:
    """The fields that every request has. Give the choices of this practice as (code, label); none given means
    open."""

    def choice(key: str, label: str, pairs: Pairs, *, many: bool = False, ordered: bool = False) -> Field:
        choices = tuple(Choice(code, name) for code, name in pairs)
        return Field(key, label, "choice", choices, many=many, ordered=ordered)

    urgencies = [(code, code) for code in URGENCIES]
    fields = [
        choice(REQUEST_TYPE, "request type", request_types),
        Field("patient.age", "age", "integer", minimum=0, maximum=130, unit="years"),
        Field(
            "patient.age_months", "age in months", "integer", minimum=0, maximum=130 * 12 + 11, unit="months"
        ),
        choice("patient.language", "language", languages),
        choice("patient.facility", "facility", facilities),
        choice("patient.programs", "program", programs, many=True),
        Field("patient.open_requests", "number of open requests", "integer", minimum=0),
        Field("signal.emergency", "emergency found in the text", "boolean"),
        choice("signal.urgency", "urgency found in the text", urgencies, ordered=True),
        choice("signal.codes", "signals found in the text", signal_codes, many=True),
        choice("signal.category", "subject found in the text", signal_categories),
        Field("text.unscreened", "text that could not be screened", "boolean"),
        Field("file.unscreened", "photo or file that nobody has looked at", "boolean"),
        Field("notice.shown", "emergency notice shown while writing", "boolean"),
        Field("time.open", "facility open", "boolean"),
        Field("time.hour", "hour of the day", "integer", minimum=0, maximum=23),
        choice("time.weekday", "day of the week", WEEKDAYS),
    ]
    scales = (Scale("patient.age", "patient.age_months", 12),)
    return Catalogue({one.key: one for one in fields}, never=(EMERGENCY_IS_URGENT,), scales=scales)
