"""Where the order of two rules of one stage matters: both hold for some request, and their outcomes
differ."""

from collections.abc import Iterator, Mapping
from functools import partial
from typing import NamedTuple

from triage.conditions import Always, Condition, Group, Not, Test, evaluate, holds_of
from triage.engine import FIRST_MATCH, STAGES
from triage.fields import CATEGORY, REQUEST_TYPE, Catalogue, Json
from triage.proofs.results import Overlap, Overlaps, tell_facts
from triage.proofs.subject import DoesNotReplay, Subject
from triage.proofs.world import Domain, Formula, OneOf
from triage.ruleset import OUTCOMES, Rule, Ruleset

SETTLED = ("queue", "protocol")  # what the first rule settles, even in stages where every rule applies


def find_overlaps(ruleset: Ruleset, catalogue: Catalogue, *, seconds: float = 30.0) -> Overlaps:
    """Every two rules of a stage whose order matters, each with an example.

    A rule that is always true is left out: it is meant to take what the others leave. Raises as `prove` does.
    """
    subject = Subject(ruleset, catalogue, seconds=seconds)
    by_rule: dict[str, list[Overlap]] = {}
    complete = True
    for pair in _pairs(subject):
        holds = subject.encoding.holds[pair.second.name]
        answer, facts = subject.world.find(pair.settles, holds, fewest=False)
        if answer == "no":
            continue
        if answer == "unknown":
            complete = False
            break
        shows = partial(_shows, subject, pair)
        if not shows(facts):
            raise DoesNotReplay(ruleset.number, pair.first.name, pair.second.name)
        facts = subject.forms.shortened(facts, shows)
        outcomes = {
            name: (getattr(pair.first.then, name), getattr(pair.second.then, name)) for name in pair.differing
        }
        told = tell_facts(facts, catalogue)
        special = _special(subject, pair.first, pair.second)
        found = Overlap(pair.first.name, pair.second.name, pair.first.stage, outcomes, facts, told, special)
        by_rule.setdefault(pair.first.name, []).append(found)
    return Overlaps({name: tuple(found) for name, found in by_rule.items()}, complete)


def _shows(subject: Subject, pair: "_Pair", facts: dict[str, Json]) -> bool:
    """Whether these facts are an example: the first rule settles what the second would settle as well."""
    decision = subject.replay(facts)
    known = subject.catalogue.read(facts)
    if decision.category:
        known[CATEGORY] = decision.category
    if evaluate(pair.second.when, known) is not True or pair.first.name not in decision.fired:
        return False
    stage_settles = pair.first.stage in FIRST_MATCH
    return stage_settles or all(decision.set_by[name] == pair.first.name for name in pair.differing)


def _special(subject: Subject, first: Rule, second: Rule) -> bool | None:
    """Whether the second rule holds wherever the first does."""
    holds = subject.encoding.holds
    answer = subject.world.ask(holds[first.name], subject.world.negated(holds[second.name]))
    return None if answer == "unknown" else answer == "no"


class _Pair(NamedTuple):
    first: Rule
    second: Rule
    settles: Formula  # that the first settles what differs
    differing: tuple[str, ...]


def _pairs(subject: Subject) -> Iterator[_Pair]:
    """The pairs that may overlap. Most rules are for different requests; those pairs never reach the
    solver."""
    encoding = subject.encoding
    boxes = _boxes(subject)
    for stage in STAGES:
        rules = [rule for rule in subject.ruleset.stage(stage) if rule.when != Always()]
        for place, first in enumerate(rules):
            for second in rules[place + 1 :]:
                if not _meet(boxes[first.name], boxes[second.name]):
                    continue
                if stage in FIRST_MATCH:
                    differing = tuple(
                        n for n in OUTCOMES if getattr(first.then, n) != getattr(second.then, n)
                    )
                    if differing:
                        yield _Pair(first, second, encoding.fires[first.name], differing)
                    continue
                for name in SETTLED:
                    one, other = getattr(first.then, name), getattr(second.then, name)
                    if one and other and one != other:
                        encoding.outcome(name)
                        yield _Pair(first, second, encoding.sets[name][first.name], (name,))


# --- boxes: for each field of one value, the cells in which a condition can be true

# By field, a bit for each cell, the lowest for missing. None: true of nothing.
Box = dict[str, int] | None


def _boxes(subject: Subject) -> dict[str, Box]:
    domains = {**subject.world.domains, CATEGORY: subject.encoding.category}
    boxes = {}
    for rule in subject.ruleset.rules:
        box = _box(rule.when, domains, want=True)
        for key in tuple(box or ()):
            if box and key in subject.catalogue and not box[key] & 1:  # answered, so it was asked
                asked_in = subject.catalogue.asked_in(subject.catalogue[key])
                types = domains.get(REQUEST_TYPE)
                if asked_in and types:
                    box = _both(
                        box, {REQUEST_TYPE: _bits(Test(REQUEST_TYPE, "in", asked_in), types, want=True)}
                    )
        boxes[rule.name] = box
    return boxes


def _box(condition: Condition, domains: Mapping[str, Domain], *, want: bool) -> Box:
    """An outer bound of where the condition is known to be `want`."""
    match condition:
        case Always():
            return {} if want else None
        case Not(part):
            return _box(part, domains, want=not want)
        case Test():
            domain = domains[condition.field]
            return {condition.field: _bits(condition, domain, want=want)} if isinstance(domain, OneOf) else {}
        case Group(word, parts):
            inner = [_box(part, domains, want=want) for part in parts]
            found = inner[0]
            for box in inner[1:]:
                found = _both(found, box) if (word == "all") == want else _either(found, box)
            return found


def _bits(test: Test, domain: Domain, *, want: bool) -> int:
    if not isinstance(domain, OneOf):
        return -1
    if test.op in ("answered", "missing"):
        missing = (test.op == "missing") == want
        return 1 if missing else (1 << len(domain.values) + 1) - 2
    return sum(2 << place for place, (value, _) in enumerate(domain.values) if holds_of(test, value) == want)


def _both(one: Box, other: Box) -> Box:
    if one is None or other is None:
        return None
    box = one | {key: bits & one.get(key, -1) for key, bits in other.items()}
    return box if all(box.values()) else None


def _either(one: Box, other: Box) -> Box:
    if one is None or other is None:
        return other if one is None else one
    return {key: one[key] | other[key] for key in one.keys() & other.keys()}


def _meet(one: Box, other: Box) -> bool:
    return _both(one, other) is not None
