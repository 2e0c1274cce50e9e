"""A ruleset in the world of a catalogue, and the questions that decide whether it may be published."""

from collections.abc import Sequence
from time import monotonic

from triage.conditions import Test, each_test
from triage.engine import FIRST_MATCH, Decision, decide
from triage.fields import Catalogue, Json
from triage.promises import Promise, decision_fields
from triage.proofs.allowed import Forms
from triage.proofs.encoding import Encoding
from triage.proofs.results import Kept, Reachability, Report, Totality, Unreachable, Verdict, tell_facts
from triage.proofs.world import OneOf, World
from triage.ruleset import Rule, Ruleset, compile_ruleset


class DoesNotReplay(RuntimeError):
    """An example that the proof gave is not decided as the proof says: the encoding and the engine disagree.

    That would be a defect of Porter's, and no proof of this ruleset can be trusted until it is found.
    """


def under(ruleset: Ruleset, catalogue: Catalogue) -> Ruleset:
    """The same rules with the catalogue's types. Raises RulesetError if the catalogue lacks what they
    test."""
    rules = [rule.to_json() for rule in ruleset.rules]
    return compile_ruleset(
        rules, ruleset.number, catalogue, fallback=ruleset.fallback, signals_version=ruleset.signals_version
    )


def prove(
    ruleset: Ruleset, catalogue: Catalogue, promises: Sequence[Promise] = (), *, seconds: float = 10.0
) -> Report:
    """Totality, promises and reachability, within this many seconds together.

    Raises RulesetError or ConditionError if the rules, the promises or the catalogue's `never` test what is
    not in the catalogue.
    """
    started = monotonic()
    subject = Subject(ruleset, catalogue, promises, seconds=seconds)
    totality, kept = subject.totality(), tuple(subject.kept(promise) for promise in promises)
    return Report(ruleset.number, totality, subject.reachability(), kept, round(monotonic() - started, 3))


class Subject:
    """One ruleset, encoded once. All questions share the time limit."""

    def __init__(
        self, ruleset: Ruleset, catalogue: Catalogue, promises: Sequence[Promise] = (), *, seconds: float
    ) -> None:
        self.ruleset = under(ruleset, catalogue)
        self.catalogue = catalogue
        self.forms = Forms(catalogue)
        conditions = [rule.when for rule in self.ruleset.rules]
        conditions += [one for promise in promises for one in (promise.whenever, promise.never)]
        self.world = World(catalogue, conditions, seconds=seconds)
        self.encoding = Encoding(self.world, self.ruleset)

    def replay(self, facts: dict[str, Json]) -> Decision:
        """What the engine decides about an example. Raises DoesNotReplay if the forms don't even allow it."""
        if not self.forms.allow(facts):
            raise DoesNotReplay(self.ruleset.number)
        return decide(self.ruleset, facts)

    def totality(self) -> Totality:
        """Does every request get a queue from a rule?"""
        world = self.world
        answer, facts = world.find(world.negated(self.encoding.queue_by_rule.answered))
        if answer != "yes":
            return Totality("proven" if answer == "no" else "undecided")
        if not self.replay(facts).fell_back:
            raise DoesNotReplay(self.ruleset.number)
        return Totality("refuted", facts, tell_facts(facts, self.catalogue))

    def reachability(self) -> Reachability:
        """Can every rule fire?"""
        found, undecided = [], []
        for rule in self.encoding.order:
            answer = self.world.ask(self.encoding.fires[rule.name])
            if answer == "no":
                found.append(Unreachable(rule.name, rule.stage, self._shadows(rule)))
            elif answer == "unknown":
                undecided.append(rule.name)
        verdict: Verdict = "refuted" if found else "undecided" if undecided else "proven"
        return Reachability(verdict, tuple(found), tuple(undecided))

    def _shadows(self, rule: Rule) -> tuple[str, ...]:
        """The rules before this one that together take all it is for."""
        if rule.stage not in FIRST_MATCH:
            return ()
        names = [one.name for one in self.ruleset.stage(rule.stage)]
        before = names[: names.index(rule.name)]
        passed = {name: self.world.negated(self.encoding.holds[name]) for name in before}
        found = self.world.culprits(passed, self.encoding.holds[rule.name])
        return tuple(before) if found is None else found

    def kept(self, promise: Promise) -> Kept:
        """Is there a request for which “whenever” and “never” are both true?"""
        world = self.world
        tested = [*each_test(promise.whenever), *each_test(promise.never)]
        domains = {**world.domains, **self.encoding.decision(test.field for test in tested)}
        whenever = world.named(world.known(promise.whenever, domains))
        never = world.named(world.known(promise.never, domains))
        unknown = tuple(dict.fromkeys(code for test in tested for code in self._unset(test)))
        answer, facts = world.find(whenever, never)
        if answer != "yes":
            vacuous = answer == "no" and world.ask(whenever) == "no"
            verdict: Verdict = "proven" if answer == "no" else "undecided"
            return Kept(promise.name, verdict, vacuous=vacuous, unknown=unknown)
        decision = self.replay(facts)
        if not promise.broken_by(self.catalogue.read(facts), decision):
            raise DoesNotReplay(self.ruleset.number, promise.name)
        told = decision.to_json()
        del told["trace"]  # as long as the ruleset; `rules` says what fired
        return Kept(
            promise.name,
            "refuted",
            facts,
            tell_facts(facts, self.catalogue),
            told,
            decision.fired,
            unknown=unknown,
        )

    def _unset(self, test: Test) -> list[str]:
        """The codes that a test asks of the decision and that no rule can give it."""
        if test.field not in decision_fields() or test.scale:
            return []
        domain = self.encoding.outcome(test.field.removeprefix("decision."))
        given = {value for value, _ in domain.values} if isinstance(domain, OneOf) else set(domain.codes)
        return [code for code in test.values if isinstance(code, str) and code not in given]
