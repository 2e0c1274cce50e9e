"""Promises: what a practice wants never to happen, whatever the rules.

“Whenever C, never D”: no facts that the forms allow may make both C and D true. C and D are conditions, and
both may test the facts as well as the decision, whose fields are here:

    {"name": "An emergency is urgent",
     "whenever": {"field": "signal.emergency", "op": "is", "value": true},
     "never":    {"field": "decision.urgency", "op": "lt", "value": "urgent"}}

`triage.proofs` proves or refutes them; `broken_by` says of one decision whether it breaks the promise.
"""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

from triage.conditions import Condition, ConditionError, evaluate, parse, to_json
from triage.engine import Decision
from triage.fields import CATEGORY, URGENCIES, Choice, Field, Json, Value
from triage.ruleset import MAX_NAME, MAX_TEXT, Problem, RulesetError

MAX_PROMISES: Final = 1_000


def decision_fields(queues: Collection[str] | None = None) -> dict[str, Field]:
    """What a promise can test of a decision, by key. With `queues`, the queues that there are."""
    urgencies = tuple(Choice(urgency) for urgency in URGENCIES)
    found = [
        Field("decision.queue", "queue", "choice", tuple(Choice(code) for code in sorted(queues or ()))),
        Field("decision.urgency", "urgency", "choice", urgencies, ordered=True),
        Field("decision.floor", "urgency set by safety", "choice", urgencies, ordered=True),
        Field(CATEGORY, "category", "choice"),
        Field("decision.respond_within", "time to respond", "integer", minimum=1, unit="minutes"),
        Field("decision.tags", "tags", "choice", many=True),
        Field("decision.advice", "advice", "choice", many=True),
        Field("decision.protocol", "protocol", "choice"),
        Field("decision.ask_back", "questions to ask back", "choice", many=True),
    ]
    return {one.key: one for one in found}


@dataclass(frozen=True)
class Promise:
    name: str
    whenever: Condition
    never: Condition
    note: str = ""

    def to_json(self) -> dict[str, Json]:
        told = {"name": self.name, "whenever": to_json(self.whenever), "never": to_json(self.never)}
        return told | ({"note": self.note} if self.note else {})

    def broken_by(self, known: Mapping[str, Value], decision: Decision) -> bool:
        """Whether this decision about these facts, as read by their fields, breaks the promise."""
        both = {**known, **outcomes_of(decision)}
        return evaluate(self.whenever, both) is True and evaluate(self.never, both) is True


def outcomes_of(decision: Decision) -> dict[str, Value]:
    """The decision as values of its fields."""
    told: dict[str, Any] = {
        key: getattr(decision, key.removeprefix("decision.")) for key in decision_fields()
    }
    return {key: frozenset(v) if isinstance(v, tuple) else v for key, v in told.items() if v is not None}


def read_promises(
    told: Sequence[Mapping[str, Json]],
    catalogue: Mapping[str, Field] | None = None,
    *,
    queues: Collection[str] | None = None,
) -> tuple[Promise, ...]:
    """Read and check promises, each {"name", "whenever", "never", "note"}.

    With a catalogue, every field and choice must be in it; with `queues`, every queue must be one of them: a
    promise about a queue that was misspelt would be kept by any rules. Raises RulesetError with all problems.
    """
    problems: list[Problem] = []
    fields = None if catalogue is None else {**catalogue, **decision_fields(queues)}
    if len(told) > MAX_PROMISES:
        raise RulesetError([Problem("", "promises", f"There are more than {MAX_PROMISES} promises.")])
    found = [_read(one, f"promise {place}", fields, problems) for place, one in enumerate(told, 1)]
    names = [promise.name for promise in found if promise]
    for name in sorted({name for name in names if names.count(name) > 1}):
        problems.append(Problem(name, "name", "Two promises have this name."))
    if problems:
        raise RulesetError(problems)
    return tuple(promise for promise in found if promise)


def _read(
    told: Json, place: str, fields: Mapping[str, Field] | None, problems: list[Problem]
) -> Promise | None:
    if not isinstance(told, Mapping):
        problems.append(Problem(place, "", "A promise is an object with “name”, “whenever” and “never”."))
        return None
    before = len(problems)
    name, note = told.get("name"), told.get("note", "")
    if not isinstance(name, str) or not name.strip() or len(name) > MAX_NAME or not name.isprintable():
        problems.append(Problem(place, "name", f"A promise needs a name of 1 to {MAX_NAME} characters."))
        name = place
    if not isinstance(note, str) or len(note) > 10 * MAX_TEXT:
        problems.append(Problem(name, "note", f"A note is text of at most {10 * MAX_TEXT} characters."))
    for word in told:
        if word not in ("name", "whenever", "never", "note"):
            problems.append(Problem(name, str(word), f"“{word}” is not part of a promise."))
    read: dict[str, Condition] = {}
    for word in ("whenever", "never"):
        try:
            read[word] = parse(told.get(word), fields)
        except ConditionError as wrong:
            path = f"{word}.{wrong.path}" if wrong.path else word
            problems.append(Problem(name, path, wrong.sentence))
    return Promise(name, read["whenever"], read["never"], note) if len(problems) == before else None
