"""Why a request went where it went, in sentences."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from django.utils.translation import gettext as _

from triage import catalogue, conditions, engine
from triage.actions import compiled
from triage.fields import Catalogue
from triage.models import Decision


@dataclass(frozen=True)
class Line:
    """One rule as the trace page tells it."""

    name: str
    stage: str
    fired: bool | None
    condition: str
    outcome: str
    reason: str


def sentences(decision: Decision) -> list[str]:
    """One sentence for each rule that shaped the decision, in order: what held, and what followed."""
    known, result = catalogue.catalogue(), engine.Decision.from_json(decision.result)
    fired, said = set(result.fired), []
    for rule in compiled(decision.ruleset_id).rules:
        if rule.name in fired:
            condition = conditions.describe(rule.when, known)
            said.append(f"{condition[:1].upper()}{condition[1:]} → {_outcome(rule.then.to_json())}")
    if result.fell_back:
        said.append(_("No assignment rule matched, so it came to the triage team."))
    return said


def trace(decision: Decision, known: Catalogue | None = None) -> list[Line]:
    """Every rule of the ruleset that decided, in the order it was tried, with why it fired or did not."""
    known = known or catalogue.catalogue()
    result = engine.Decision.from_json(decision.result)
    rules = {rule.name: rule.as_data() for rule in decision.ruleset.rules.all()}
    lines = []
    for tried in result.trace:
        rule = rules[tried.rule]
        lines.append(
            Line(
                name=tried.rule,
                stage=tried.stage,
                fired=tried.fired,
                condition=conditions.describe(conditions.parse(rule["when"]), known),
                outcome=_outcome(rule["then"]),
                reason=_reason(tried, known),
            )
        )
    return lines


def _outcome(then: dict[str, Any]) -> str:
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
    words += [_("advice to the patient") for _each in then.get("advice", [])[:1]]
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
    return _("Needs: %(wanted)s. Seen: %(seen)s.") % {
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
