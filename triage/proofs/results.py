"""What the proofs found, as data and in plain sentences.

A verdict is `proven`, `refuted`, or `undecided` where the time ran out: undecided is not proven, and every
result says so. A counter-example is a dictionary of facts that `decide` was given and that did show what is
claimed.
"""

from abc import ABC, abstractmethod
from collections.abc import Iterator
from dataclasses import asdict, dataclass, field
from typing import Literal

from triage.fields import Catalogue, Json

Verdict = Literal["proven", "refuted", "undecided"]
UNDECIDED = "The time ran out before this was decided, so it is not proven."


@dataclass(frozen=True)
class Result(ABC):
    """Anything found. `sentences` is for pages, `to_json` for storage."""

    @abstractmethod
    def sentences(self) -> Iterator[str]: ...

    def to_json(self) -> dict[str, Json]:
        return asdict(self)


@dataclass(frozen=True)
class Totality(Result):
    """Whether rules give a queue to all facts, so that the fallback is never used."""

    verdict: Verdict
    example: dict[str, Json] | None = None
    told: str = ""

    def sentences(self) -> Iterator[str]:
        if self.verdict == "proven":
            yield "Every request that the forms allow gets a queue from a rule."
        elif self.verdict == "refuted":
            yield f"No rule gives a queue to this request, which goes to the fallback: {self.told}."
        else:
            yield f"Does every request get a queue from a rule? {UNDECIDED}"


@dataclass(frozen=True)
class Unreachable(Result):
    """A rule that never fires. `shadowed_by` are the rules before it that together take every request it is
    for; empty if its own condition is never true."""

    rule: str
    stage: str
    shadowed_by: tuple[str, ...] = ()

    def sentences(self) -> Iterator[str]:
        if not self.shadowed_by:
            yield f"“{self.rule}” can never fire: no request that the forms allow meets its condition."
        else:
            takers = _listed(self.shadowed_by)
            yield f"“{self.rule}” can never fire: every request it is for is taken before by {takers}."


@dataclass(frozen=True)
class Reachability(Result):
    """Whether every rule can fire."""

    verdict: Verdict
    unreachable: tuple[Unreachable, ...] = ()
    undecided: tuple[str, ...] = ()

    def sentences(self) -> Iterator[str]:
        if self.verdict == "proven":
            yield "Every rule can fire."
        for one in self.unreachable:
            yield from one.sentences()
        if self.undecided:
            yield f"Can these rules fire: {_listed(self.undecided)}? {UNDECIDED}"


@dataclass(frozen=True)
class Kept(Result):
    """What was found about one promise. `rules` are those that fired in the counter-example.

    `vacuous` says that the promise is kept only because no request ever meets its “whenever”; `unknown` lists
    codes that it names and no rule sets, which may be misspelt.
    """

    promise: str
    verdict: Verdict
    example: dict[str, Json] | None = None
    told: str = ""
    decision: dict[str, Json] | None = None
    rules: tuple[str, ...] = ()
    vacuous: bool = False
    unknown: tuple[str, ...] = ()

    def sentences(self) -> Iterator[str]:
        if self.verdict == "refuted":
            deciding = f"It is decided by {_listed(self.rules)}." if self.rules else "No rule fires."
            yield f"“{self.promise}” is broken by this request: {self.told}. {deciding}"
        elif self.verdict == "undecided":
            yield f"“{self.promise}”: {UNDECIDED}"
        else:
            yield f"“{self.promise}” is kept for every request that the forms allow."
        if self.vacuous:
            yield f"“{self.promise}” is about nothing: no request that the forms allow meets its “whenever”."
        if self.unknown:
            yield f"“{self.promise}” names what no rule sets: {_listed(self.unknown)}. Is it misspelt?"


@dataclass(frozen=True)
class Overlap(Result):
    """Two rules of one stage whose order matters: for the example, `first` settles what `second` would settle
    otherwise. `special` says that `first` is a special case of `second`, which is the usual reason for an
    order."""

    first: str
    second: str
    stage: str
    outcomes: dict[str, tuple[Json, Json]]
    example: dict[str, Json]
    told: str
    special: bool | None

    def sentences(self) -> Iterator[str]:
        differing = " and ".join(
            f"{name} {_said(a)}, not {_said(b)}" for name, (a, b) in self.outcomes.items()
        )
        kind = ", its special case," if self.special else ""
        yield f"“{self.first}”{kind} comes before “{self.second}” and gives {differing}: {self.told}."


@dataclass(frozen=True)
class Overlaps(Result):
    """All overlaps, grouped by the rule that comes first. `complete` is false if the time ran out."""

    by_rule: dict[str, tuple[Overlap, ...]]
    complete: bool

    def __iter__(self) -> Iterator[Overlap]:
        for overlaps in self.by_rule.values():
            yield from overlaps

    def sentences(self) -> Iterator[str]:
        for overlap in self:
            yield from overlap.sentences()
        if not self.complete:
            yield "The time ran out before all pairs of rules were compared, so there may be more."
        elif not self.by_rule:
            yield "The order of the rules makes no difference within any stage."


@dataclass(frozen=True)
class Change(Result):
    """One kind of difference between two rulesets: an outcome that was `before` and is `after`, and a request
    for which it is so. For tags, advice and questions, `before` or `after` is None: it is new, or gone."""

    outcome: str
    before: Json
    after: Json
    example: dict[str, Json]
    told: str

    def sentences(self) -> Iterator[str]:
        name = self.outcome.replace("_", " ")
        yield f"{name.capitalize()} changes from {_said(self.before)} to {_said(self.after)}: {self.told}."


@dataclass(frozen=True)
class Difference(Result):
    """Everything that two rulesets decide otherwise. `proven` that they decide alike, `refuted` by the
    changes.

    `undecided` names the outcomes for which the time ran out: there may be more changes in them.
    """

    verdict: Verdict
    changes: tuple[Change, ...] = ()
    undecided: tuple[str, ...] = ()

    def sentences(self) -> Iterator[str]:
        if self.verdict == "proven":
            yield "The two rulesets decide every request alike."
        for change in self.changes:
            yield from change.sentences()
        if self.undecided:
            yield f"There may be more changes of {_listed(self.undecided)}. {UNDECIDED}"


@dataclass(frozen=True)
class Report(Result):
    """What must be known of a ruleset before it is published."""

    ruleset: int
    totality: Totality
    reachability: Reachability
    promises: tuple[Kept, ...] = field(default=())
    seconds: float = 0.0

    @property
    def sound(self) -> bool:
        """Whether all is proven: total, no rule unreachable, every promise kept."""
        verdicts = [self.totality.verdict, self.reachability.verdict, *(one.verdict for one in self.promises)]
        return set(verdicts) == {"proven"}

    def sentences(self) -> Iterator[str]:
        yield from self.totality.sentences()
        yield from self.reachability.sentences()
        for one in self.promises:
            yield from one.sentences()


def tell_facts(facts: dict[str, Json], catalogue: Catalogue) -> str:
    """Facts in plain words, such as “request type Refill, age 70 years, and nothing else known”."""
    words = []
    for key, value in facts.items():
        one = catalogue[key]
        if isinstance(value, bool):
            said = "answered" if one.shape == "text" else "yes" if value else "no"
        elif isinstance(value, list):
            said = " and ".join(one.name_of(code) for code in value) or "none"
        else:
            said = f"{one.name_of(value)} {one.unit}".strip()
        words.append(f"{one.label}: {said}")
    return f"{'; '.join(words)}; nothing else known" if words else "nothing known at all"


def _said(value: Json) -> str:
    if value is None:
        return "none"
    return ", ".join(value) if isinstance(value, list | tuple) else str(value)


def _listed(names: tuple[str, ...]) -> str:
    quoted = [f"“{name}”" for name in names]
    return f"{', '.join(quoted[:-1])} and {quoted[-1]}" if len(quoted) > 1 else "".join(quoted)
