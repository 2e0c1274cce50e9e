"""Why a request went where it went, in sentences."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from django.utils.translation import get_language
from django.utils.translation import gettext as _

from portal.people.reference import remembered
from triage import catalogue, conditions, engine
from triage.fields import Catalogue, Field
from triage.loading import compile_rows, compiled
from triage.models import Decision, Rule, Ruleset
from triage.promises import decision_fields


@dataclass(frozen=True)
class Line:
    """One rule as the trace page tells it."""

    name: str
    stage: str
    fired: bool | None
    condition: str
    outcome: str
    reason: str
    note: str = ""


@dataclass(frozen=True)
class Told:
    """A decision as a page shows it beside another one."""

    ruleset: Ruleset
    queue: str
    urgency: str
    floor: str
    lines: list[Line]
    changed: bool = False  # the rules are not those any more that decided, so no line can be told

    @property
    def fired(self) -> list[Line]:
        return [line for line in self.lines if line.fired]

    @property
    def others(self) -> list[Line]:
        return [line for line in self.lines if not line.fired]


def sentences(decision: Decision) -> list[str]:
    """One sentence for each rule that shaped the decision, in order: what held, and what followed."""
    fired = engine.fired_in(decision.result["trace"], compiled(decision.ruleset_id))
    names = tuple(rule.name for rule in fired)
    said = list(_said(decision.ruleset_id, names, get_language()))
    if "queue" not in decision.result["set_by"]:
        said.append(_("No assignment rule matched, so it came to the triage team."))
    return said


@remembered
def _said(ruleset: int, names: tuple[str, ...], language: str | None) -> list[str]:
    """What these rules say, in this language (a part of the key)."""
    told = []
    for rule in compiled(ruleset).in_order:
        if rule.name in names:
            condition = conditions.describe(rule.when, _known())
            told.append(f"{condition[:1].upper()}{condition[1:]} → {outcome(rule.then.to_json())}")
    return told


def because(decision: Decision) -> str:
    """Where it went and how urgent it is, with the names of the rules that said so, in one sentence."""
    result = decision.result
    queue, urgency = result["set_by"].get("queue"), result["set_by"].get("urgency")
    told = {"queue": result["queue"], "urgency": result["urgency"], "by": queue, "other": urgency}
    if queue is None:
        return _("It went to “%(queue)s”, because no rule picked a queue for it.") % told
    if urgency is None:
        return _("“%(by)s” sent it to “%(queue)s”; no rule raised it, so it is %(urgency)s.") % told
    if urgency == queue:
        return _("“%(by)s” sent it to “%(queue)s” and made it %(urgency)s.") % told
    return _("“%(by)s” sent it to “%(queue)s”; “%(other)s” made it %(urgency)s.") % told


@remembered
def _known() -> Catalogue:
    """Everything that a condition may name, what is decided on the way included."""
    return catalogue.catalogue().with_fields(decision_fields().values())


def kept(decision: Decision) -> Told:
    """A decision as it was made, with every rule in the order it was tried and why it fired or did not."""
    result, rows = decision.result, list(decision.ruleset.rules.all())
    told = decision.ruleset, result["queue"], result["urgency"], result["floor"]
    # One that was kept in words has no digest.
    if result.get("rules", "") not in ("", engine.digest_of([row.as_data() for row in rows])):
        return Told(*told, [], changed=True)
    rules = _rules(rows)
    trace = engine.read_trace(
        result["trace"], [(name, stage, when) for name, (stage, when, _row) in rules.items()]
    )
    return Told(*told, _lines(trace, rules, _known()))


def under(ruleset: Ruleset, facts: Mapping[str, Any]) -> Told:
    """What this ruleset, as it is, decides about these facts. Raises engine.RulesetError."""
    rows = list(ruleset.rules.all())
    result = engine.decide(compile_rows(ruleset, rows), facts)
    lines = _lines(result.trace, _rules(rows), _known())
    return Told(ruleset, result.queue, result.urgency, result.floor, lines)


def _rules(rows: Iterable[Rule]) -> dict[str, tuple[str, conditions.Condition, dict[str, Any]]]:
    """By name: the stage, the condition, and the row as data."""
    told = {row.name: row.as_data() for row in rows}
    return {name: (data["stage"], conditions.parse(data["when"]), data) for name, data in told.items()}


def _lines(
    trace: Iterable[engine.Tried],
    rules: Mapping[str, tuple[str, conditions.Condition, dict[str, Any]]],
    known: Catalogue,
) -> list[Line]:
    return [
        Line(
            name=tried.rule,
            stage=tried.stage,
            fired=tried.fired,
            condition=conditions.describe(when, known),
            outcome=outcome(data["then"]),
            reason=_reason(tried, known),
            note=data.get("note", ""),
        )
        for tried in trace
        for _stage, when, data in [rules[tried.rule]]
    ]


def facts(told: Mapping[str, Any], known: Catalogue | None = None) -> list[tuple[str, str]]:
    """Facts as pairs of label and value, in the catalogue's order."""
    known = known or _known()
    order = {key: place for place, key in enumerate(known)}
    pairs = sorted(told.items(), key=lambda pair: order.get(pair[0], len(order)))
    return [
        (
            str(known[key].label) if key in known else key,
            _("given")
            if key in known and known[key].shape == "text"
            else _seen(value, {"field": key}, known),
        )
        for key, value in pairs
    ]


def condition(told: Any) -> str:
    """A rule's or promise's condition in plain words; the JSON itself where it can't be read."""
    known: dict[str, Field] = {**catalogue.catalogue(), **decision_fields()}
    try:
        return conditions.describe(conditions.parse(told), known)
    except conditions.ConditionError:
        return str(told)


def outcome(then: Mapping[str, Any]) -> str:
    words = []
    if "queue" in then:
        words.append(_("queue %(queue)s") % {"queue": then["queue"]})
    if "urgency" in then:
        words.append(then["urgency"])
    if "category" in then:
        words.append(_("category %(category)s") % {"category": then["category"]})
    if "respond_within" in then:
        words.append(_("answer within %(minutes)d min") % {"minutes": then["respond_within"]})
    words += [_("tag %(tag)s") % {"tag": tag} for tag in then.get("tags", [])]
    if "protocol" in then:
        words.append(_("protocol %(protocol)s") % {"protocol": then["protocol"]})
    words += [_("advice to the patient") for _each in then.get("advice", [])[:1]]
    words += [_("a question back") for _each in then.get("ask_back", [])[:1]]
    return ", ".join(words)


def _reason(tried: engine.Tried, known: Catalogue) -> str:
    """Why a rule did not fire: the first part that was not true, and what was seen instead."""
    if tried.fired:
        return ""
    if tried.fired is None:
        return _("Not tried: “%(rule)s” had settled it.") % {"rule": tried.settled_by}
    if tried.failed is None:
        return ""
    failed = conditions.parse(tried.failed)
    wanted = conditions.describe(failed, known)
    if tried.seen is None or tried.seen == []:
        return _("Needs “%(wanted)s”, and that was not given.") % {"wanted": wanted}
    return _("Needs “%(wanted)s”; here it was: %(seen)s.") % {
        "wanted": wanted,
        "seen": _seen(tried.seen, tried.failed, known),
    }


def _seen(seen: Any, failed: dict[str, Any], known: Catalogue) -> str:
    if seen is None or seen == []:
        return _("nothing")
    if isinstance(seen, dict):
        return ", ".join(
            f"{known[key].label if key in known else key} {_seen(value, {'field': key}, known)}"
            for key, value in seen.items()
        )
    if isinstance(seen, list):
        return ", ".join(_seen(each, failed, known) for each in seen)
    if isinstance(seen, bool):
        return _("yes") if seen else _("no")
    field = known.get(failed.get("field", ""))
    return field.name_of(seen) if field else str(seen)
