"""How late a replayed version would be expected to make each queue: an estimate, and told as one."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from datetime import datetime

from django.db.models import Count, F, Q

from audit.now import now
from queues.models import Task

Work = Mapping[tuple[str, int], int]  # requests by code of the queue and urgency
Rates = Mapping[tuple[str, int], float]


def rates(since: datetime, until: datetime) -> dict[tuple[str, int], float]:
    """The share of first answers that came late, by queue and urgency, of the tasks that came in these days. The empty
    code stands for all queues."""
    late = Q(responded_at__gt=F("respond_due")) | Q(responded_at__isnull=True, respond_due__lt=now())
    rows = (
        Task.objects.filter(opened_at__gte=since, opened_at__lte=until)
        .order_by()
        .values_list("queue__code", "urgency")
        .annotate(count=Count("pk"), late=Count("pk", filter=late))
    )
    counts: Counter[tuple[str, int]] = Counter()
    lates: Counter[tuple[str, int]] = Counter()
    for code, urgency, count, late_ones in rows:
        for key in ((code, urgency), ("", urgency)):
            counts[key] += count
            lates[key] += late_ones
    return {key: lates[key] / count for key, count in counts.items()}


def expected(before: Work, after: Work, known: Rates) -> dict[str, list[float]]:
    """By queue: how many of its requests would be answered late before and after.

    Each kind of request is as late as it was in that queue, or in all where the queue had none of it; and a queue with
    more to do by the same people is late in proportion.
    """
    codes = sorted({code for code, _urgency in (*before, *after)})
    found = {}
    for code in codes:
        load = [sum(n for (at, _urgency), n in work.items() if at == code) for work in (before, after)]
        growth = load[1] / load[0] if load[0] else 1.0
        late = [
            sum(
                n * min(1.0, pace * known.get((code, urgency), known.get(("", urgency), 0.0)))
                for (at, urgency), n in work.items()
                if at == code
            )
            for work, pace in ((before, 1.0), (after, growth))
        ]
        found[code] = [round(float(each), 1) for each in late]
    return found
