"""The made-up rules of the bench are rules that a practice could have."""

from triage import bench, engine, proofs
from triage.proofs.allowed import Forms
from triage.signals.bench import reading


def test_the_rules_are_as_many_as_asked_for_and_every_one_can_fire() -> None:
    ruleset = bench.compiled(50)
    assert len(ruleset.rules) == 50
    assert proofs.prove(ruleset, bench.catalogue(), (), seconds=30).reachability.verdict == "proven"


def test_the_requests_are_such_that_the_forms_allow_and_reach_many_queues() -> None:
    forms, ruleset = Forms(bench.catalogue()), bench.compiled(300)
    requests = [bench.facts(n) for n in range(600)]
    known = [{key: value for key, value in told.items() if key in forms.catalogue} for told in requests]
    assert all(forms.allow(told) for told in known)
    assert len({rule for told in requests for rule in engine.decide(ruleset, told).fired}) > 1


def test_reading_a_message_is_measured_as_phrases_as_a_whole_and_among_many() -> None:
    told = {name: (unit, aim) for name, _value, unit, aim in reading()}
    assert told == {
        "signals_patterns": ("ms", "<= 0.5"),
        "signals_meaning": ("ms", "<= 40"),
        "signals_read_many": ("ms", "<= 40"),
    }
