"""From facts to a decision: a pure function, with no I/O and no clock.

A ruleset is read once into closures; `decide` then takes the facts through four stages:

1. *safety*: every rule that holds applies. Their urgency is the floor, the first queue they set stands.
2. *category*: the first rule that holds gives the category; later stages may test `decision.category`.
3. *assignment*: the first rule that holds applies; its queue stands unless a safety rule has set one.
4. *priority*: every rule that holds applies.

Everywhere urgency only rises and the time to respond only falls; tags, advice and questions to ask back add
up; the first protocol stands. Nothing in here can lower what an earlier rule raised.

The same facts under the same ruleset always give the same decision. Facts never make it raise: a value that
its field does not allow is missing, and its key is noted in `ignored`.
"""

from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, fields
from functools import cached_property
from itertools import islice
from typing import Final, NamedTuple, cast, overload

from triage.closures import Slots
from triage.conditions import Condition, parts_of, plain, to_json
from triage.fields import MISSING, URGENCIES, Json, Missing
from triage.ruleset import (
    FIRST_MATCH,
    LISTS,
    STAGES,
    Outcome,
    Problem,
    Program,
    Rule,
    Ruleset,
    RulesetError,
    compile_ruleset,
    digest_of,
)

__all__ = [
    "FIRST_MATCH",
    "STAGES",
    "URGENCIES",
    "Decision",
    "Outcome",
    "Problem",
    "Rule",
    "Ruleset",
    "RulesetError",
    "Tried",
    "compile_ruleset",
    "digest_of",
    "decide",
]

RANK: Final = {urgency: rank for rank, urgency in enumerate(URGENCIES)}


class Tried(NamedTuple):
    """One rule in a trace: it fired, or did not, or was not tried (None) because `settled_by` had fired.

    Of a rule that did not fire, `failed` is the first part of its condition that was not true (JSON), `part` its
    number among `parts_of` the condition, and `seen` the value it looked at: None if missing, by field if it looked at
    several.
    """

    rule: str
    stage: str
    fired: bool | None
    failed: dict[str, Json] | None = None
    seen: Json = None
    settled_by: str = ""
    part: int | None = None

    def to_json(self) -> Json:
        """What its ruleset doesn't tell: that it fired or was not tried, or which part failed and what was seen."""
        return [self.part, self.seen] if self.fired is False else self.fired


class Trace(Sequence[Tried]):
    """Every rule in the order it was tried. Worked out when first looked at, since many traces never are."""

    def __init__(self, fired: tuple[str, ...], tell: Callable[[], tuple[Tried, ...]]) -> None:
        self.fired = fired
        self._tell = tell

    @cached_property
    def _tried(self) -> tuple[Tried, ...]:
        return self._tell()

    @overload
    def __getitem__(self, index: int) -> Tried: ...
    @overload
    def __getitem__(self, index: slice) -> tuple[Tried, ...]: ...
    def __getitem__(self, index: int | slice) -> Tried | tuple[Tried, ...]:
        return self._tried[index]

    def __len__(self) -> int:
        return len(self._tried)

    def __eq__(self, other: object) -> bool:
        return isinstance(other, tuple | Trace) and self._tried == tuple(other)

    def __hash__(self) -> int:
        return hash(tuple((tried.rule, tried.fired) for tried in self._tried))

    def __repr__(self) -> str:
        return repr(self._tried)

    def __reduce__(self) -> tuple[type[tuple[Tried, ...]], tuple[list[Tried]]]:
        return tuple, (list(self._tried),)  # a pickle or a copy holds what was tried, not the closures


@dataclass(frozen=True)
class Decision:
    """Where a request goes, how soon, and why.

    `set_by` names for each outcome the rule that set it: `queue`, `urgency`, `floor`, `category`,
    `respond_within`, `protocol`, and `tags.<tag>`, `advice.<code>`, `ask_back.<code>`. An outcome that no
    rule set is not in it: so without `queue`, the queue is the fallback. `ignored` holds the keys of facts
    whose value their field does not allow. `ruleset` is the version's number, `rules` the digest of its rules.
    """

    queue: str
    urgency: str
    floor: str
    category: str | None
    respond_within: int | None
    tags: tuple[str, ...]
    advice: tuple[str, ...]
    protocol: str | None
    ask_back: tuple[str, ...]
    set_by: Mapping[str, str]
    trace: Sequence[Tried]
    ruleset: int
    ignored: tuple[str, ...] = ()
    rules: str = ""

    @property
    def fell_back(self) -> bool:
        """Whether no rule gave a queue. Never so under a ruleset that is proven total."""
        return "queue" not in self.set_by

    @property
    def fired(self) -> tuple[str, ...]:
        """The names of the rules that fired, in order."""
        if isinstance(self.trace, Trace):
            return self.trace.fired
        return tuple(tried.rule for tried in self.trace if tried.fired)

    def to_json(self) -> dict[str, Json]:
        """All of it; `read_trace` tells the trace with the rules."""
        told = {one.name: getattr(self, one.name) for one in fields(self)}
        told = {name: list(value) if isinstance(value, tuple) else value for name, value in told.items()}
        return told | {"set_by": dict(self.set_by), "trace": [tried.to_json() for tried in self.trace]}


def decide(ruleset: Ruleset, facts: Mapping[str, Json]) -> Decision:
    """Take these facts through the stages. Never raises, always gives a queue."""
    program = ruleset.program
    steps = program.steps
    slots, ignored = read(program, facts)
    so_far = _SoFar()
    fired: dict[int, str] = {}
    for place, rule, holds in steps["safety"]:
        if holds(slots):
            fired[place] = rule.name
            so_far.apply(rule)
    so_far.set_floor()
    for place, rule, holds in steps["category"]:
        if holds(slots):
            fired[place] = rule.name
            so_far.apply(rule)
            slots[program.category_slot] = cast(str, rule.then.category)
            break
    for place, rule, holds in steps["assignment"]:
        if holds(slots):
            fired[place] = rule.name
            so_far.apply(rule)
            break
    for place, rule, holds in steps["priority"]:
        if holds(slots):
            fired[place] = rule.name
            so_far.apply(rule)
    return Decision(
        queue=so_far.queue or ruleset.fallback,
        urgency=URGENCIES[max(so_far.urgency, 0)],
        floor=URGENCIES[max(so_far.floor, 0)],
        category=so_far.category,
        respond_within=so_far.respond_within,
        tags=tuple(so_far.tags),
        advice=tuple(so_far.advice),
        protocol=so_far.protocol,
        ask_back=tuple(so_far.ask_back),
        set_by=so_far.set_by,
        trace=Trace(tuple(fired.values()), lambda: _tell(program, slots, fired)),
        ruleset=ruleset.number,
        ignored=ignored,
        rules=ruleset.digest,
    )


class _SoFar:
    """The outcomes while the rules are tried."""

    def __init__(self) -> None:
        self.queue: str | None = None
        self.category: str | None = None
        self.protocol: str | None = None
        self.urgency = self.floor = -1  # ranks; -1 until a rule sets one
        self.respond_within: int | None = None
        self.tags: dict[str, None] = {}  # as ordered sets
        self.advice: dict[str, None] = {}
        self.ask_back: dict[str, None] = {}
        self.set_by: dict[str, str] = {}

    def apply(self, rule: Rule) -> None:
        then, set_by = rule.then, self.set_by
        for name in ("queue", "category", "protocol"):
            value = getattr(then, name)
            if value and getattr(self, name) is None:
                setattr(self, name, value)
                set_by[name] = rule.name
        if then.urgency and RANK[then.urgency] > self.urgency:
            self.urgency = RANK[then.urgency]
            set_by["urgency"] = rule.name
        if then.respond_within and (self.respond_within is None or then.respond_within < self.respond_within):
            self.respond_within = then.respond_within
            set_by["respond_within"] = rule.name
        for name in LISTS:
            for code in getattr(then, name):
                getattr(self, name)[code] = None
                set_by.setdefault(f"{name}.{code}", rule.name)

    def set_floor(self) -> None:
        """What safety has raised so far is what nothing later lowers."""
        self.floor = self.urgency
        if "urgency" in self.set_by:
            self.set_by["floor"] = self.set_by["urgency"]


def read(program: Program, facts: Mapping[str, Json]) -> tuple[Slots, tuple[str, ...]]:
    """The facts' values by slot, and the keys of those that were not understood."""
    slots: Slots = [MISSING] * len(program.slot_of)
    ignored = []
    readers = program.readers
    for key, raw in facts.items():
        if raw is None or key not in readers:
            continue
        slot, reader = readers[key]
        slots[slot], sound = reader(raw)
        if not sound:
            ignored.append(key)
    return slots, tuple(sorted(ignored))


def _tell(program: Program, slots: Slots, fired: Collection[int]) -> tuple[Tried, ...]:
    """The trace, from the values and the rules that fired."""
    seen = [None if isinstance(value, Missing) else plain(value) for value in slots]
    told = []
    for stage in STAGES:
        settled_by = ""
        for place, rule, _ in program.steps[stage]:
            if place in fired:
                told.append(Tried(rule.name, stage, True))
                settled_by = rule.name if stage in FIRST_MATCH else ""
            elif settled_by:
                told.append(Tried(rule.name, stage, None, settled_by=settled_by))
            else:
                number, failed = next(
                    (number, part)
                    for number, part in enumerate(program.parts[place])
                    if not part.holds(slots)
                )
                looked = {key: seen[slot] for key, slot in failed.slots.items()}
                one = next(iter(looked.values())) if len(looked) == 1 else looked
                told.append(Tried(rule.name, stage, False, failed.told, one, part=number))
    return tuple(told)


def fired_in(kept: Sequence[Json], ruleset: Ruleset) -> list[Rule]:
    """The rules that fired, from a trace as `Decision.to_json` gave it."""
    in_words = [entry["fired"] if isinstance(entry, dict) else entry for entry in kept]
    return [rule for rule, entry in zip(ruleset.in_order, in_words, strict=True) if entry is True]


def read_trace(kept: Sequence[Json], rules: Iterable[tuple[str, str, Condition]]) -> tuple[Tried, ...]:
    """A trace as `Decision.to_json` gave it, read with the name, stage and condition of each rule of its ruleset."""
    told: list[Tried] = []
    settled_by = dict.fromkeys(STAGES, "")
    in_order = sorted(rules, key=lambda rule: STAGES.index(rule[1]))
    for (name, stage, when), entry in zip(in_order, kept, strict=True):
        if isinstance(entry, dict):  # of a trace that was kept in words
            told.append(Tried(**entry))
        elif entry is True:
            told.append(Tried(name, stage, True))
            settled_by[stage] = name
        elif entry is None:
            told.append(Tried(name, stage, None, settled_by=settled_by[stage]))
        else:
            number, seen = entry
            failed = next(islice(parts_of(when), number, None))
            told.append(Tried(name, stage, False, to_json(failed), seen, part=number))
    return tuple(told)
