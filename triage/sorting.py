"""Was it sorted right? What staff said when they resolved, gathered by the rule that had decided, so that leads and
admins see which rule to mend. Counts only; by language and place small ones are hidden, with what would give them
away."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from datetime import timedelta
from typing import Any

from django.db.models.fields.json import KeyTextTransform, KeyTransform
from django.utils.translation import gettext as _

from audit.now import now
from portal.people.models import LANGUAGES, Facility
from queues.measures.suppression import FEWEST, TOTAL, hidden
from queues.models import Assessment, Step
from queues.urgency import Urgency

DAYS = 90
UNSET = ""  # stands for “no rule”: what nothing raised is routine
LATER = "later"  # a later message of the patient had raised it, so the first decision is not to blame


@dataclass
class Judged:
    """How one group of requests was judged; `name` is a rule's name, a language or a place."""

    name: str
    count: int = 0  # those that somebody judged
    sent: int = 0  # all that it picked the queue for
    under: int = 0
    over: int = 0
    elsewhere: int = 0  # about something else than what it was sorted as
    moved: int = 0  # handed over by staff to another queue

    @property
    def right(self) -> int:
        return self.count - self.under - self.over

    def share(self, number: int) -> float:
        return round(100 * number / self.count, 1) if self.count else 0.0

    @property
    def under_share(self) -> float:
        return self.share(self.under)

    @property
    def over_share(self) -> float:
        return self.share(self.over)

    @property
    def verdict(self) -> str:
        """What to do about it, in a sentence; empty where nothing stands out."""
        if self.under >= 3 or (self.count >= FEWEST and self.under_share >= 5):
            return _("Too low too often: raise its urgency, or let fewer requests reach it.")
        if self.over >= 5 and self.over_share >= 20:
            return _("Too high too often: narrow its condition.")
        if self.moved >= 5 and self.moved * 5 >= self.sent:
            return _("Staff often move its requests on: pick another queue.")
        return ""

    def add(self, decided: int, right: int, elsewhere: bool) -> None:
        self.count += 1
        self.under += decided < right
        self.over += decided > right
        self.elsewhere += elsewhere


@dataclass(frozen=True)
class Line:
    """A language or a place: requests, right, too low, too high, other subject; None where that is hidden."""

    name: str
    cells: list[int | None]


@dataclass
class Sorting:
    """Everything that the page shows."""

    days: int
    total: Judged = field(default_factory=lambda: Judged(""))
    cells: Counter[tuple[int, int]] = field(default_factory=Counter)  # decided, as it should have been
    rules: list[Judged] = field(default_factory=list)
    languages: list[Line] = field(default_factory=list)
    facilities: list[Line] = field(default_factory=list)

    @property
    def grid(self) -> list[tuple[Any, list[tuple[int, str]]]]:
        """The matrix by rows of what was decided: each cell a count and its tone."""
        levels = sorted(Urgency, reverse=True)
        return [
            (
                decided.label,
                [
                    (
                        self.cells[decided, right],
                        "right" if decided == right else "under" if decided < right else "over",
                    )
                    for right in levels
                ],
            )
            for decided in levels
        ]

    @property
    def levels(self) -> list[Any]:
        return [level.label for level in sorted(Urgency, reverse=True)]

    @property
    def to_mend(self) -> list[Judged]:
        return [row for row in self.rules if row.verdict and row.name != LATER]


def sorting(days: int = DAYS) -> Sorting:
    """What was said of the requests resolved in the past days. The last word about a task counts."""
    found = Sorting(days)
    rules: dict[str, Judged] = {}
    languages: dict[str, Judged] = {}
    facilities: dict[str, Judged] = {}
    for row in _last_words(days):
        _task, decided, right, category, should, first, set_by, language, place = row
        set_by = set_by or {}
        rule = LATER if decided > first else set_by.get("urgency", UNSET)
        elsewhere = category != should
        found.total.add(decided, right, elsewhere)
        found.cells[decided, right] += 1
        rules.setdefault(rule, Judged(rule)).add(decided, right, False)
        for name, group in ((language, languages), (place, facilities)):
            group.setdefault(name or "", Judged(name or "")).add(decided, right, elsewhere)
        if elsewhere and (by := set_by.get("category")):
            # Counted for the rule that gave the subject, which may be another one.
            rules.setdefault(by, Judged(by)).elsewhere += 1
    for rule, count, moved in _moved(days):
        picked = rules.setdefault(rule, Judged(rule))
        picked.sent, picked.moved = count, moved
    found.rules = sorted(rules.values(), key=lambda one: (-one.under, -one.over, -one.moved, one.name))
    found.languages = _told(languages.values(), dict(LANGUAGES))
    found.facilities = _told(facilities.values(), dict(Facility.objects.values_list("code", "name")))
    return found


def _told(groups: Iterable[Judged], names: dict[str, str]) -> list[Line]:
    """What may be told of each group, when all together is told anyway; nothing of a single one, which is all."""
    rows = {row.name: row for row in sorted(groups, key=lambda one: -one.count)}
    if len(rows) < 2:
        return []
    ways = ("right", "under", "over")
    counts = {(name, way): getattr(row, way) for name, row in rows.items() for way in ways}
    out = hidden(counts, told=frozenset((TOTAL, way) for way in (*ways, TOTAL)))
    others = {(name, "elsewhere"): row.elsewhere for name, row in rows.items()}
    out |= hidden(others, told=frozenset({(TOTAL, "elsewhere"), (TOTAL, TOTAL)})) & others.keys()
    return [
        Line(
            names.get(name, name),
            [
                None if (name, way) in out else number
                for way, number in (
                    (TOTAL, row.count), ("right", row.right), ("under", row.under), ("over", row.over),
                    ("elsewhere", row.elsewhere),
                )
            ],
        )
        for name, row in rows.items()
    ]  # fmt: skip


def _last_words(days: int) -> Iterator[tuple[Any, ...]]:
    rows = Assessment.objects.filter(at__gte=now() - timedelta(days=days), decision__isnull=False)
    rows = rows.order_by("task_id", "-pk").distinct("task_id")
    yield from rows.values_list(
        "task_id",
        "decided_urgency",
        "urgency",
        "decided_category",
        "category",
        "decision__urgency",
        "decision__result__set_by",
        KeyTextTransform("patient.language", "decision__facts"),
        KeyTextTransform("patient.facility", "decision__facts"),
    ).iterator(chunk_size=2_000)


def _moved(days: int) -> list[tuple[str, int, int]]:
    """By the rule that had picked the queue: its requests, and how many of them staff handed over."""
    since = now() - timedelta(days=days)
    rule = KeyTextTransform("queue", KeyTransform("set_by", "task__decision__result"))
    counts: dict[str, list[int]] = {}
    for place, verb in enumerate(("open", "hand over")):
        steps = Step.objects.filter(verb=verb, at__gte=since, task__decision__isnull=False)
        rows = steps.annotate(rule=rule).values_list("rule", "task_id").distinct()
        for name, count in Counter(name for name, _task in rows.order_by()).items():
            counts.setdefault(name or UNSET, [0, 0])[place] = count
    return [(name, total, moved) for name, (total, moved) in counts.items()]
