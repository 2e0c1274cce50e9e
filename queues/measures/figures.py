"""What the sums say: shares, waits and rates of one group of requests, as pages and files tell them."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

from django.utils.functional import Promise
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from queues.measures.spans import Span, quantile

HOUR, DAY = 60, 24 * 60  # minutes


@dataclass(frozen=True)
class Share:
    """A part of a whole. Nothing can be said where the whole is empty."""

    part: int
    whole: int

    @property
    def value(self) -> float | None:
        return self.part / self.whole if self.whole else None

    @property
    def percent(self) -> float:
        return round(100 * self.part / self.whole, 1) if self.whole else 0.0

    def __str__(self) -> str:
        return f"{self.percent:.1f} %" if self.whole else "–"


@dataclass(frozen=True)
class Wait:
    """A length of time as the span it lies in; told by its middle, with no more figures than are known."""

    span: Span | None

    @property
    def minutes(self) -> float | None:
        return None if self.span is None else (self.span.low + self.span.high) / 2

    def __str__(self) -> str:
        minutes = self.minutes
        if minutes is None:
            return "–"
        if minutes < HOUR:
            return _("%(n)d min") % {"n": minutes}
        if minutes < 2 * DAY:
            return _("%(n).1f h") % {"n": minutes / HOUR}
        return _("%(n).1f days") % {"n": minutes / DAY}


@dataclass(frozen=True)
class Figures:
    """The figures of one group of requests out of its sums."""

    sums: Counter[str] = field(default_factory=Counter)

    def __getitem__(self, name: str) -> int:
        return self.sums[name]

    def share(self, part: str, whole: str) -> Share:
        return Share(self.sums[part], self.sums[whole])

    def wait(self, kind: str, share: float) -> Wait:
        return Wait(quantile(self.kinds(kind), share))

    def kinds(self, kind: str) -> dict[int, int]:
        """How many there are of each kind, as `outcome`, by its key; for a wait, by the first minute of its span."""
        return {
            int(key): number
            for name, number in self.sums.items()
            for start, _colon, key in [name.partition(":")]
            if start == kind and key
        }


@dataclass(frozen=True)
class Column:
    """One figure of a table: how it is called, what it means, and how it comes out of the sums."""

    code: str
    label: str | Promise
    help: str | Promise
    of: Callable[[Figures], Any]


COLUMNS = (
    Column(
        "requests",
        gettext_lazy("Requests"),
        gettext_lazy("tasks that came in in this time, where they came first"),
        lambda figures: figures["tasks"],
    ),
    Column(
        "answer_median",
        gettext_lazy("First answer"),
        gettext_lazy("median wait of the patient until the first words, day and night"),
        lambda figures: figures.wait("answer", 0.5),
    ),
    Column(
        "answer_p90",
        gettext_lazy("9 in 10 within"),
        gettext_lazy("nine in ten first answers took no longer"),
        lambda figures: figures.wait("answer", 0.9),
    ),
    Column(
        "answers_kept",
        gettext_lazy("In time"),
        gettext_lazy("first answers by the time that was promised"),
        lambda figures: figures.share("answers kept", "answer promises"),
    ),
    Column(
        "end_median",
        gettext_lazy("Resolved"),
        gettext_lazy("median time to the outcome, without the time that we waited for the patient"),
        lambda figures: figures.wait("end", 0.5),
    ),
    Column(
        "end_p90",
        gettext_lazy("9 in 10 within"),
        gettext_lazy("nine in ten outcomes took no longer"),
        lambda figures: figures.wait("end", 0.9),
    ),
    Column(
        "ends_kept",
        gettext_lazy("In time"),
        gettext_lazy("outcomes by the time that was due"),
        lambda figures: figures.share("ends kept", "end promises"),
    ),
    Column(
        "physician",
        gettext_lazy("Physician"),
        gettext_lazy("what patients sent that reached a physician: by queue, question or words"),
        lambda figures: figures.share("reached", "routed"),
    ),
    Column(
        "escalated",
        gettext_lazy("Asked"),
        gettext_lazy("a physician was asked a question about it"),
        lambda figures: figures.share("asked", "tasks"),
    ),
    Column(
        "rerouted",
        gettext_lazy("Re-routed"),
        gettext_lazy("somebody handed it over to another queue"),
        lambda figures: figures.share("rerouted", "tasks"),
    ),
    Column(
        "reopened",
        gettext_lazy("Reopened"),
        gettext_lazy("it came back after it had ended"),
        lambda figures: figures.share("reopened", "tasks"),
    ),
    Column(
        "late",
        gettext_lazy("Late"),
        gettext_lazy("a promise was not kept, or is past now"),
        lambda figures: figures.share("late", "tasks"),
    ),
    Column(
        "after_hours",
        gettext_lazy("After hours"),
        gettext_lazy("steps of staff while the queue was closed"),
        lambda figures: figures.share("after hours", "steps"),
    ),
)
