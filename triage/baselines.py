"""Where past requests would have gone under a baseline: the practice's former rules on the same facts.

The outcome is left for the figures of the queues, which know nothing of rules.
"""

from __future__ import annotations

import logging
from collections.abc import Collection

from django.db import transaction
from django.db.models import F

from portal.people.roles import Role
from queues.models import FormerRouting, Queue, Task
from triage import engine
from triage.loading import compiled
from triage.models import Decision, Ruleset

log = logging.getLogger(__name__)
BATCH = 1_000


def route_tasks(tasks: Collection[int]) -> None:
    """Decide for these tasks under each baseline, where that wasn't done yet. Part of the caller's transaction."""
    decisions = set(
        Task.objects.filter(pk__in=tasks, decision__isnull=False, split_from__isnull=True).values_list(
            "decision_id", flat=True
        )
    )
    for baseline in Ruleset.objects.filter(baseline=True).order_by("pk"):
        _route(decisions, baseline)


@transaction.atomic
def route_past(baseline: Ruleset, *, after: int = 0) -> int | None:
    """Decide for the next requests behind the decision `after`. Returns the last of them; None when all are done."""
    keys = list(
        Decision.objects.filter(pk__gt=after).order_by("pk").values_list("pk", flat=True)[:BATCH]
    )  # fmt: skip
    if not keys:
        return None
    led = Task.objects.filter(decision__in=keys, split_from__isnull=True).values_list(
        "decision_id", flat=True
    )
    _route(set(led), baseline)
    return keys[-1]


def _route(decisions: Collection[int], baseline: Ruleset) -> None:
    try:
        ruleset = compiled(baseline.pk)
    except engine.RulesetError:
        log.error("Baseline %s can't be read; nothing is compared with it.", baseline.number)
        return
    physicians = set(Queue.objects.filter(role=Role.PHYSICIAN).values_list("code", flat=True))
    asked = Decision.objects.filter(pk__in=decisions).exclude(
        pk__in=FormerRouting.objects.filter(baseline=baseline, decision__in=decisions).values("decision")
    )
    found = []
    for pk, facts in asked.order_by("pk").values_list("pk", F("facts")):
        queue = engine.decide(ruleset, facts).queue
        found.append(
            FormerRouting(decision_id=pk, baseline=baseline, queue=queue, physician=queue in physicians)
        )
    FormerRouting.objects.bulk_create(found, ignore_conflicts=True)
