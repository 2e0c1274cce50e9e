"""Rules and rulesets, and how they are read and checked.

A ruleset is plain data: anything that `compile_ruleset` lets through can be decided with, dumped, and proven
about.
"""

import json
import re
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field, fields
from functools import cached_property
from hashlib import sha256
from typing import Any, Final, NamedTuple, cast

from triage.closures import Holds, closure
from triage.conditions import INCLUDED, Condition, ConditionError, Test, each_test, parse, parts_of, to_json
from triage.fields import CATEGORY, URGENCIES, Choice, Field, Json, Kind, Reader

STAGES: Final = ("safety", "category", "assignment", "priority")
FIRST_MATCH: Final = frozenset({"category", "assignment"})
LISTS: Final = ("tags", "advice", "ask_back")
CODES: Final = ("queue", "category", "protocol")

MAX_RULES: Final = 5_000
MAX_NAME: Final = 120
MAX_TEXT: Final = 500
MAX_MINUTES: Final = 366 * 24 * 60
_CODE = re.compile(r"[A-Za-z0-9]+(?:[-_.:/][A-Za-z0-9]+)*")


@dataclass(frozen=True)
class Outcome:
    """What a rule does when it fires. Codes throughout, except that `advice` and `ask_back` may be words to
    show.

    `respond_within` is in minutes.
    """

    queue: str | None = None
    urgency: str | None = None
    category: str | None = None
    respond_within: int | None = None
    tags: tuple[str, ...] = ()
    advice: tuple[str, ...] = ()
    protocol: str | None = None
    ask_back: tuple[str, ...] = ()

    def to_json(self) -> dict[str, Json]:
        """Only what is set."""
        told = {one.name: getattr(self, one.name) for one in fields(self)}
        return {
            name: list(v) if isinstance(v, tuple) else v for name, v in told.items() if v not in (None, ())
        }


OUTCOMES: Final = tuple(one.name for one in fields(Outcome))


@dataclass(frozen=True)
class Rule:
    name: str
    stage: str
    when: Condition
    then: Outcome
    note: str = ""

    def to_json(self) -> dict[str, Json]:
        """As `compile_ruleset` reads it."""
        told = {
            "name": self.name,
            "stage": self.stage,
            "when": to_json(self.when),
            "then": self.then.to_json(),
        }
        return told | ({"note": self.note} if self.note else {})


class Step(NamedTuple):
    """A rule ready to be tried: its place in the ruleset, the rule, and its condition as a closure."""

    place: int
    rule: Rule
    holds: Holds


class Part(NamedTuple):
    """What has to be true for a rule to fire, ready to be told: as a closure, as JSON, and the slots it looks at by
    field."""

    holds: Holds
    told: dict[str, Json]
    slots: dict[str, int]


class Program:
    """A ruleset made ready to decide: what reads each fact into its slot, and the steps of each stage."""

    def __init__(self, ruleset: "Ruleset") -> None:
        keys = [key for key in ruleset.fields if key != CATEGORY]
        self.slot_of = {key: slot for slot, key in enumerate([*keys, CATEGORY])}
        self.category_slot = self.slot_of[CATEGORY]
        self.readers: dict[str, tuple[int, Reader]] = {
            key: (self.slot_of[key], ruleset.fields[key].reader()) for key in keys
        }
        self.steps: dict[str, tuple[Step, ...]] = {
            stage: tuple(
                Step(place, rule, closure(rule.when, self.slot_of))
                for place, rule in enumerate(ruleset.rules)
                if rule.stage == stage
            )
            for stage in STAGES
        }

    @cached_property
    def parts(self) -> dict[int, tuple[Part, ...]]:
        """By a rule's place, all that has to be true for it. Only for traces."""
        return {
            step.place: tuple(
                Part(
                    closure(part, self.slot_of),
                    to_json(part),
                    {test.field: self.slot_of[test.field] for test in each_test(part)},
                )
                for part in parts_of(step.rule.when)
            )
            for steps in self.steps.values()
            for step in steps
        }


@dataclass(frozen=True)
class Ruleset:
    """A numbered version of the rules. `fallback` is the queue if no rule sets one.

    `digest` names the rules as they were given. `fields` types every field that the conditions test.
    Build it with `compile_ruleset`, which checks
    everything.
    """

    number: int
    rules: tuple[Rule, ...]
    signals_version: str = ""
    fallback: str = ""
    fields: Mapping[str, Field] = field(default_factory=dict, repr=False)
    digest: str = field(default="", compare=False)

    def stage(self, name: str) -> tuple[Rule, ...]:
        """The rules of one stage, in order."""
        return tuple(rule for rule in self.rules if rule.stage == name)

    @cached_property
    def in_order(self) -> tuple[Rule, ...]:
        """The rules in the order they are tried."""
        return tuple(rule for stage in STAGES for rule in self.stage(stage))

    @property
    def queues(self) -> frozenset[str]:
        """Every queue that a decision can name."""
        return frozenset({self.fallback, *(rule.then.queue for rule in self.rules if rule.then.queue)})

    @cached_property
    def program(self) -> Program:
        return Program(self)

    def to_json(self) -> dict[str, Json]:
        return {
            "number": self.number,
            "signals_version": self.signals_version,
            "fallback": self.fallback,
            "rules": [rule.to_json() for rule in self.rules],
        }


class Problem(NamedTuple):
    """What is wrong: in which rule (its name, or “rule 3”; empty for the ruleset), at which field of it, and
    why."""

    rule: str
    field: str
    sentence: str

    def __str__(self) -> str:
        return ": ".join(part for part in self if part)


class RulesetError(ValueError):
    """A ruleset that can't be used. `problems` lists everything that is wrong, not only the first."""

    def __init__(self, problems: Sequence[Problem]) -> None:
        super().__init__("\n".join(map(str, problems)))
        self.problems = tuple(problems)


def digest_of(rules: Sequence[Mapping[str, Json]]) -> str:
    """What tells one set of rules from another, in their order: sixteen letters of a SHA-256.

    A decision keeps it, and its trace is told with no others.
    """
    told = json.dumps([dict(rule) for rule in rules], sort_keys=True)
    return sha256(told.encode()).hexdigest()[:16]


def compile_ruleset(
    rules: Sequence[Mapping[str, Json]],
    number: int = 0,
    catalogue: Mapping[str, Field] | None = None,
    *,
    fallback: str,
    signals_version: str = "",
    queues: Collection[str] | None = None,
) -> Ruleset:
    """Read, check and compile rules, each {"name", "stage", "when", "then", "note"}.

    With a catalogue, every field and choice must be in it; without one, the tests say the types. With
    `queues`, every queue must be one of them. Raises RulesetError with all problems.
    """
    check = _Check(catalogue, queues)
    if len(rules) > MAX_RULES:
        raise RulesetError([Problem("", "rules", f"There are {len(rules)} rules; the limit is {MAX_RULES}.")])
    read = [check.rule(told, place) for place, told in enumerate(rules, 1)]
    check.queue("", "fallback", fallback)
    known = [rule for rule in read if rule is not None]
    fields_tested = check.fields(known)
    if check.problems:
        raise RulesetError(check.problems)
    ruleset = Ruleset(number, tuple(known), signals_version, fallback, fields_tested, digest_of(rules))
    _ = ruleset.program  # compiled here, so that no patient waits for it
    return ruleset


class _Check:
    """Reads the parts of rules and gathers what is wrong with them."""

    def __init__(self, catalogue: Mapping[str, Field] | None, queues: Collection[str] | None) -> None:
        # What the categories are is known only once all rules are read; until then, the field is open.
        self.catalogue = (
            None if catalogue is None else {**catalogue, CATEGORY: Field(CATEGORY, "category", "choice")}
        )
        self.queues = queues
        self.problems: list[Problem] = []
        self.names: set[str] = set()

    def wrong(self, rule: str, where: str, sentence: str) -> None:
        self.problems.append(Problem(rule, where, sentence))

    def rule(self, told: Json, place: int) -> Rule | None:
        before = len(self.problems)
        if not isinstance(told, Mapping):
            self.wrong(f"rule {place}", "", "A rule is an object with “name”, “stage”, “when” and “then”.")
            return None
        name = told.get("name")
        if (
            not isinstance(name, str)
            or not 0 < len(name.strip()) <= len(name) <= MAX_NAME
            or not name.isprintable()
        ):
            self.wrong(
                f"rule {place}", "name", f"A rule needs a name of 1 to {MAX_NAME} characters in one line."
            )
            name = f"rule {place}"
        if name in self.names:
            self.wrong(name, "name", "Two rules have this name.")
        self.names.add(name)
        for word in told:
            if word not in ("name", "stage", "when", "then", "note"):
                self.wrong(name, str(word), f"“{word}” is not part of a rule.")
        stage, note = told.get("stage"), told.get("note", "")
        if stage not in STAGES:
            self.wrong(name, "stage", f"The stage is one of {', '.join(STAGES)}.")
        if not isinstance(note, str) or len(note) > 10 * MAX_TEXT:
            self.wrong(name, "note", f"A note is text of at most {10 * MAX_TEXT} characters.")
        when = self.condition(name, told.get("when"))
        then = self.outcome(name, stage, told.get("then"))
        if when is None or then is None or len(self.problems) > before:
            return None
        return Rule(name, cast(str, stage), when, then, cast(str, note))

    def condition(self, name: str, told: Json) -> Condition | None:
        try:
            return parse(told, self.catalogue)
        except ConditionError as wrong:
            self.wrong(name, f"when.{wrong.path}" if wrong.path else "when", wrong.sentence)
            return None

    def outcome(self, name: str, stage: Json, told: Json) -> Outcome | None:
        if not isinstance(told, Mapping) or not told:
            self.wrong(name, "then", "A rule needs at least one outcome.")
            return None
        read: dict[str, Any] = {}
        for word, value in told.items():
            here = f"then.{word}"
            if word not in OUTCOMES:
                self.wrong(name, here, f"“{word}” is not an outcome; there are {', '.join(OUTCOMES)}.")
            elif word in LISTS:
                read[word] = self.texts(name, here, value, code=word == "tags")
            elif word == "queue":
                read[word] = self.queue(name, here, value)
            elif word == "urgency" and value not in URGENCIES:
                self.wrong(name, here, f"The urgency is one of {', '.join(URGENCIES)}.")
            elif word == "respond_within" and not (type(value) is int and 0 < value <= MAX_MINUTES):
                self.wrong(
                    name, here, f"The time to respond is a whole number of minutes from 1 to {MAX_MINUTES}."
                )
            elif word in CODES and not (isinstance(value, str) and _is_code(value)):
                self.wrong(
                    name, here, "This needs a code: letters and digits, joined by “-”, “_”, “.”, “:” or “/”."
                )
            else:
                read[word] = value
        self.fits(name, stage, told)
        return Outcome(**read)

    def fits(self, name: str, stage: Json, then: Mapping[str, Json]) -> None:
        """A stage that asks for the first match does so for the one thing that it settles."""
        settled = {"category": "category", "assignment": "queue"}.get(str(stage))
        if settled and settled not in then:
            self.wrong(name, f"then.{settled}", f"A rule in the stage “{stage}” sets the {settled}.")
        if "category" in then and stage in ("safety", "assignment", "priority"):
            self.wrong(name, "then.category", "Only a rule in the stage “category” sets the category.")
        if "queue" in then and stage in ("category", "priority"):
            self.wrong(
                name, "then.queue", "Only a rule in the stage “safety” or “assignment” sets the queue."
            )

    def texts(self, name: str, where: str, told: Json, *, code: bool) -> tuple[str, ...]:
        told = [told] if isinstance(told, str) else told  # one may stand without a list
        fine = (
            isinstance(told, list | tuple)
            and 0 < len(told) <= 50
            and all(isinstance(one, str) for one in told)
        )
        if (
            not fine
            or not all(_is_code(one) if code else _is_line(one) for one in told)
            or len(set(told)) < len(told)
        ):
            kind = "codes" if code else f"lines of at most {MAX_TEXT} characters"
            self.wrong(name, where, f"This needs a list of 1 to 50 different {kind}.")
            return ()
        return tuple(told)

    def queue(self, name: str, where: str, told: Json) -> str | None:
        if not isinstance(told, str) or not _is_code(told):
            self.wrong(name, where, "This needs the code of a queue.")
            return None
        if self.queues is not None and told not in self.queues:
            self.wrong(name, where, f"There is no queue “{told}”.")
            return None
        return told

    def fields(self, rules: Sequence[Rule]) -> dict[str, Field]:
        """The type of every field that is tested. Sees that a category is tested only where it is known."""
        categories = {rule.then.category: None for rule in rules if rule.then.category}
        found: dict[str, Field] = {
            CATEGORY: Field(CATEGORY, "category", "choice", tuple(Choice(code) for code in categories))
        }
        for rule in rules:
            for test in each_test(rule.when):
                if test.field == CATEGORY:
                    self.category_test(rule, test, categories)
                elif self.catalogue is not None:
                    found.setdefault(test.field, self.catalogue[test.field])
                else:
                    self.infer(rule, test, found)
        return found

    def category_test(self, rule: Rule, test: Test, categories: Collection[str]) -> None:
        if rule.stage in ("safety", "category"):
            self.wrong(
                rule.name, "when", "The category is not known before the stages assignment and priority."
            )
        for value in test.values:
            if categories and value not in categories:  # none at all: a rule is being checked by itself
                self.wrong(rule.name, "when", f"No rule sets the category “{value}”.")

    def infer(self, rule: Rule, test: Test, found: dict[str, Field]) -> None:
        kind: Kind = "text"
        if any(isinstance(value, bool) for value in test.values):
            kind = "boolean"
        elif test.values:
            kind = "choice" if isinstance(test.values[0], str) else "number"
        many, rising = test.op in INCLUDED, tuple(Choice(code) for code in test.scale)
        guess = Field(test.field, test.field, kind, rising, many=many, ordered=bool(rising))
        before = found.setdefault(test.field, guess)
        if before.shape == "text" or (before.shape == guess.shape and guess.ordered):
            found[test.field] = guess
        elif guess.shape not in ("text", before.shape):
            self.wrong(rule.name, "when", f"Other tests of “{test.field}” need another type of value.")


def _is_code(text: str) -> bool:
    return len(text) <= MAX_NAME and _CODE.fullmatch(text) is not None


def _is_line(text: str) -> bool:
    return text.strip() != "" and len(text) <= MAX_TEXT and text.isprintable()
