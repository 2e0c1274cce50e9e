"""Figures of the rules: decisions, replays and proofs of made-up rulesets over a made-up catalogue."""

from __future__ import annotations

import resource
import sys
from collections.abc import Iterator
from datetime import timedelta
from time import perf_counter
from typing import Any

from audit.now import now
from queues.urgency import Urgency
from triage import engine, proving
from triage import replay as replays
from triage.fields import Catalogue, Choice, Field, built_in
from triage.models import Decision, Replay, Rule, Ruleset

Told = tuple[str, float, str, str]
QUEUES = ("refills", "symptoms", "results", "billing", "appointments", "forms", "physician", "triage")
TYPES = ("refill", "symptom", "result", "billing", "appointment", "form")
QUESTIONS = 20  # a questionnaire
PAST = 100_000


def catalogue() -> Catalogue:
    """A practice with six questionnaires of twenty questions each: choices, numbers and yes or no."""
    fields = []
    for kind in TYPES:
        for n in range(QUESTIONS):
            key = f"answer.{kind}.q{n}"
            if n % 4 == 0:
                fields.append(Field(key, key, "integer", minimum=0, maximum=400, source=kind))
            elif n % 4 == 1:
                fields.append(Field(key, key, "boolean", source=kind))
            else:
                codes = tuple(Choice(f"c{code}") for code in range(12))
                fields.append(Field(key, key, "choice", codes, source=kind))
    found = built_in(request_types=[(kind, kind) for kind in TYPES])
    return found.with_fields(fields, requests={kind: [kind] for kind in TYPES})


def rules(count: int) -> list[dict[str, Any]]:
    """As many rules as asked for, in the proportions of a real practice, each of which can fire."""
    told = [
        {
            "name": "Emergency words",
            "stage": "safety",
            "when": {"field": "signal.emergency", "op": "is", "value": True},
            "then": {"queue": "triage", "urgency": "urgent"},
        }
    ]
    for n in range(count - 2):
        kind, place = TYPES[n % 6], n // 6
        question = f"answer.{kind}.q{(place % 10) * 2 + (place % 2)}"
        stage = ("safety", "assignment", "priority", "assignment", "priority")[place % 5]
        # Every rule tests something of its own, so that none takes the place of another.
        when = {
            "all": [
                {"field": f"answer.{kind}.q{2 + 4 * (place % 5)}", "op": "is", "value": f"c{place % 12}"},
                _test(question, place),
                {"field": "time.hour", "op": "is", "value": place % 24},
                {"field": "patient.age", "op": "between", "value": [n % 61, n % 61 + 3 + n % 50]},
            ]
        }
        then: dict[str, Any] = {"urgency": "soon"} if stage != "assignment" else {}
        if stage != "priority":
            then["queue"] = QUEUES[n % 7]
        told.append({"name": f"Rule {n}", "stage": stage, "when": when, "then": then})
    told.append(
        {"name": "All else", "stage": "assignment", "when": {"always": True}, "then": {"queue": "triage"}}
    )
    return told


def _test(question: str, place: int) -> dict[str, Any]:
    n = int(question.rpartition("q")[2])
    if n % 4 == 0:
        return {"field": question, "op": "ge", "value": place % 300}
    if n % 4 == 1:
        return {"field": question, "op": "is", "value": place % 2 == 0}
    return {"field": question, "op": "is_not", "value": f"c{(place + 5) % 12}"}


def facts(n: int) -> dict[str, Any]:
    """The facts of the n-th request: the same ones at every run."""
    kind = TYPES[n % 6]
    age = (n * 7) % 90
    told: dict[str, Any] = {
        "request.type": kind,
        "patient.age": age,
        "patient.age_months": age * 12 + n % 12,
        "patient.language": "en",
        "patient.facility": "lakeside",
        "patient.open_requests": n % 4,
        "notice.shown": False,
        "time.open": n % 3 != 0,
        "time.hour": (n * 5) % 24,
        "time.weekday": "mon",
        "signal.emergency": n % 50 == 0,
        "signal.urgency": "urgent" if n % 50 == 0 else "routine",
        "signal.codes": [],
        "text.unscreened": False,
        "file.unscreened": n % 11 == 0,
    }
    for question in range(QUESTIONS):
        if (n + question) % 3:
            key = f"answer.{kind}.q{question}"
            told[key] = (n * 13 + question) % 400 if question % 4 == 0 else f"c{(n + question) % 12}"
            if question % 4 == 1:
                told[key] = (n + question) % 2 == 0
    return told


def compiled(count: int) -> engine.Ruleset:
    return engine.compile_ruleset(rules(count), 1, catalogue(), fallback="triage")


def decisions() -> Iterator[Told]:
    """How long one decision takes, on one core, with the trace worked out as it is when it is kept."""
    requests = [facts(n) for n in range(500)]
    for count in (50, 300, 1_000):
        ruleset = compiled(count)
        for told in requests[:50]:
            engine.decide(ruleset, told)
        best = min(_seconds_of(ruleset, requests) for _round in range(3))
        yield f"decisions with {count} rules", len(requests) / best, "a second", ""
        aim = "<= 0.3" if count == 300 else ""
        yield f"one decision with {count} rules", 1000 * best / len(requests), "ms", aim
    started = perf_counter()
    compiled(300)
    yield "compiling 300 rules, once a version", 1000 * (perf_counter() - started), "ms", ""


def _seconds_of(ruleset: engine.Ruleset, requests: list[dict[str, Any]]) -> float:
    started = perf_counter()
    for told in requests:
        engine.decide(ruleset, told)
    return perf_counter() - started


def replay() -> Iterator[Told]:
    """A hundred thousand kept decisions decided again under 300 rules, in slices as the worker does it."""
    ruleset = _stored(300)
    moment = now() - timedelta(days=30)
    for start in range(0, PAST, 2_000):
        Decision.objects.bulk_create(
            Decision(
                ruleset=ruleset,
                decided_at=moment,
                facts=facts(n),
                queue=QUEUES[n % 7],
                urgency=Urgency.ROUTINE,
                floor=Urgency.ROUTINE,
                result={},
            )
            for n in range(start, start + 2_000)
        )
    row = Replay.objects.create(
        ruleset=ruleset,
        rules_digest=proving.rules_digest(ruleset),
        since=moment - timedelta(days=1),
        until=now(),
        total=PAST,
    )
    before = _megabytes()
    started = perf_counter()
    while not replays.advance(row.pk, seconds=60):
        pass
    seconds = perf_counter() - started
    row.refresh_from_db()
    yield "requests replayed", row.done, "requests", f">= {PAST}"
    yield "replay of 100,000 past requests with 300 rules", seconds, "s", "<= 60"
    yield "memory at the end of the replay, the whole process", _megabytes(), "MB", "<= 500"
    yield "memory that the replay added", _megabytes() - before, "MB", ""


def _stored(count: int) -> Ruleset:
    last = Ruleset.objects.order_by("-number").values_list("number", flat=True).first() or 0
    ruleset = Ruleset.objects.create(
        number=last + 1, status=Ruleset.Status.RETIRED, published_at=now(), fallback="triage"
    )
    rows = [
        Rule(ruleset=ruleset, name=told["name"], stage=told["stage"], position=n, when=told["when"])
        for n, told in enumerate(rules(count))
    ]
    for row, told in zip(rows, rules(count), strict=True):
        for name, value in told["then"].items():
            setattr(row, name, value)
    Rule.objects.bulk_create(rows)
    return ruleset


def _megabytes() -> float:
    """The most memory that this process has had."""
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    return peak / (1024 * 1024 if sys.platform == "darwin" else 1024)


def proofs() -> Iterator[Told]:
    """Totality, reachability and promises of 300 rules, as a worker proves them."""
    from triage import proofs as prover
    from triage.promises import read_promises

    fields, ruleset = catalogue(), compiled(300)
    promises = read_promises(
        [
            {
                "name": "An emergency is urgent",
                "whenever": {"field": "signal.emergency", "op": "is", "value": True},
                "never": {"field": "decision.urgency", "op": "lt", "value": "urgent"},
            },
            {
                "name": "An emergency never waits for the billing office",
                "whenever": {"field": "signal.emergency", "op": "is", "value": True},
                "never": {"field": "decision.queue", "op": "is", "value": "billing"},
            },
        ],
        fields,
    )
    prover.prove(compiled(50), fields, promises, seconds=30)  # the solver loads once a process
    started = perf_counter()
    report = prover.prove(ruleset, fields, promises, seconds=30)
    seconds = perf_counter() - started
    verdicts = [
        report.totality.verdict,
        report.reachability.verdict,
        *(one.verdict for one in report.promises),
    ]
    yield "questions decided about 300 rules", sum(one != "undecided" for one in verdicts), "of 4", ">= 4"
    yield "of those proven", sum(one == "proven" for one in verdicts), "of 4", ""
    yield "proofs of 300 rules", seconds, "s", "<= 2"
