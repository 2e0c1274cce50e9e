"""What came of a simulated month, counted from the rows that its actions left."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import timedelta
from statistics import quantiles
from typing import Any

from django.db.models import F, Min, Q

from portal.people.roles import Role
from portal.shell.simulation.mix import Mix
from portal.shell.simulation.month import Month
from queues.models import Conversation, Queue, Step, Task, TaskMeasure
from queues.states import LIVE, State
from queues.urgency import Urgency
from triage import tasks
from triage.models import Decision, Ruleset


@dataclass(frozen=True)
class Figure:
    """One counted thing. `value` is None where there was nothing to count."""

    name: str
    value: float | None
    unit: str
    note: str = ""

    def line(self) -> dict[str, Any]:
        told = {"simulation": True, "name": self.name, "value": self.value, "unit": self.unit}
        return told | ({"note": self.note} if self.note else {})


def count(month: Month, mix: Mix) -> Iterator[Figure]:
    """The figures of a month that was told."""
    while tasks.count_changes():
        pass
    firsts = _first_decisions()
    messages = len(firsts)
    reached = _reached_a_physician()
    routed = {key for key, decision in firsts.items() if decision.queue in _physician_codes()}
    yield Figure("messages", messages, "messages")
    yield Figure("physician_share", _share(len(reached), messages), "share", "reached a physician in any way")
    yield Figure(
        "routed_to_physician", _share(len(routed), messages), "share", "the rules sent them straight there"
    )
    yield Figure(
        "asked_physician", _share(len(reached - routed), messages), "share", "a nurse asked one question"
    )

    all_of_them = Figure("reduction_against_everything_to_the_doctor", _less(len(reached), messages), "share")
    yield all_of_them
    for name, would in _former(set(firsts)).items():
        yield Figure("baseline_physician_share", _share(len(would), messages), "share", name)
        yield Figure("reduction_against_baseline", _less(len(reached), len(would)), "share", name)
    low, high = mix.published_reduction
    yield Figure("published_reduction_low", low, "share", "published programmes")
    yield Figure("published_reduction_high", high, "share", "published programmes")

    flagged = month.flagged & set(firsts)
    missed = {key for key in flagged if firsts[key].urgency < Urgency.URGENT}
    later = {key for key in missed if Task.objects.filter(conversation=key, urgency=Urgency.URGENT).exists()}
    raised = {
        key for key, decision in firsts.items() if decision.urgency == Urgency.URGENT and key not in flagged
    }
    yield Figure("red_flags", len(flagged), "messages")
    yield Figure("under_triage", _share(len(missed), len(flagged)), "share", "red flags not urgent when sent")
    yield Figure("under_triage_messages", len(missed), "messages")
    yield Figure("under_triage_raised_later", len(later), "messages")
    yield Figure(
        "over_triage",
        _share(len(raised), messages - len(flagged)),
        "share",
        "urgent without a red flag in truth",
    )
    yield from _times(month)
    for role in (Role.NURSE, Role.FRONT_DESK, Role.BILLING, Role.PHYSICIAN):
        minutes = sum(worker.minutes for worker in month.workers if worker.role == role)
        yield Figure(f"minutes_{role.value.replace('-', '_')}", round(minutes), "minutes")


def _times(month: Month) -> Iterator[Figure]:
    """Late rates and waits. What is still open at the month's end is late once its time has passed."""
    end, tasks = month.end, Task.objects.all()
    total = tasks.count()
    late = Q(responded_at__gt=F("respond_due")) | Q(
        responded_at__isnull=True, state__in=LIVE, respond_due__lt=end
    )
    unresolved = Q(resolved_at__gt=F("resolve_due")) | Q(
        state__in=[state for state in LIVE if state != State.WAITING], resolve_due__lt=end
    )
    urgent = Q(urgency=Urgency.URGENT)
    yield Figure("late_first_answer", _share(tasks.filter(late).count(), total), "share")
    yield Figure("late_outcome", _share(tasks.filter(unresolved).count(), total), "share")
    yield Figure(
        "late_urgent", _share(tasks.filter(late & urgent).count(), tasks.filter(urgent).count()), "share"
    )
    waits = sorted(_hours(row["first"] - row["opened_at"]) for row in _answered())
    cuts = quantiles(waits, n=10) if len(waits) > 1 else []
    yield Figure("first_answer_median", round(cuts[4], 2) if cuts else None, "hours", "by the clock")
    yield Figure("first_answer_p90", round(cuts[8], 2) if cuts else None, "hours", "by the clock")
    yield Figure("open_at_the_end", tasks.filter(state__in=LIVE).count(), "tasks")
    handed = Step.objects.filter(verb="hand over").values("task__conversation").distinct().count()
    yield Figure("handed_over", _share(handed, total), "share")


def _answered() -> Any:
    return (
        Conversation.objects.annotate(first=Min("messages__sent_at", filter=Q(messages__from_patient=False)))
        .filter(first__isnull=False)
        .values("opened_at", "first")
    )


def _hours(span: timedelta) -> float:
    return span / timedelta(hours=1)


def _first_decisions() -> dict[int, Decision]:
    """By conversation: what was decided when the request was sent."""
    found: dict[int, Decision] = {}
    rows = Decision.objects.order_by("-pk").select_related("submission__conversation")
    for decision in rows:
        if decision.submission is not None:
            found[decision.submission.conversation.pk] = decision
    return found


def _physician_codes() -> set[str]:
    return set(Queue.objects.filter(role=Role.PHYSICIAN).values_list("code", flat=True))


def _reached_a_physician() -> set[int]:
    """Conversations that were in a physicians' queue at any time, or about which one was asked or wrote."""
    return _counting("reached")


def _former(routed: set[int]) -> dict[str, set[int]]:
    """By each baseline on record: what would have reached a physician on the same facts."""
    return {
        row.note or f"ruleset {row.number}": _counting(f"former:{row.pk}") & routed
        for row in Ruleset.objects.filter(baseline=True)
    }


def _counting(name: str) -> set[int]:
    """Conversations that count for this, as on the page of figures."""
    counted = TaskMeasure.objects.filter(counts__has_key=name)
    return set(counted.values_list("task__conversation", flat=True))


def _share(part: int, whole: int) -> float | None:
    return round(part / whole, 4) if whole else None


def _less(now: int, before: int) -> float | None:
    return round(1 - now / before, 4) if before else None
