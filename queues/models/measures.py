"""What the figures rest on: what one task counts for, and sums of that. All of it can be counted anew from the tasks.

A task's change leaves a mark in its own transaction (a trigger on its steps does it, so no action can forget). A worker
takes the marks, counts those tasks anew, and moves the sums by the difference: a change costs what it changed.

Their keys are no constraints: checking one would hold the task's or the queue's row while many are counted, and
whoever works on it would wait.
"""

from __future__ import annotations

from django.db import models
from django.utils.translation import gettext_lazy as _

from audit.now import now
from portal.people.models import Facility
from queues.models.places import Queue
from queues.models.tasks import Task


class MeasureMark(models.Model):
    """A task that changed since it was counted. Several marks of one task are as good as one."""

    task = models.ForeignKey(
        Task, on_delete=models.CASCADE, related_name="+", db_index=False, db_constraint=False
    )

    def __str__(self) -> str:
        return f"mark of task {self.task_id}"


class TaskMeasure(models.Model):
    """What one task counts for in the sums, and where: exactly what was added there, so that it can be taken away."""

    task = models.OneToOneField(Task, on_delete=models.CASCADE, related_name="measure", db_constraint=False)
    day = models.DateField(help_text=_("On which it came in, at the patient's facility."))
    facility = models.ForeignKey(
        Facility, on_delete=models.PROTECT, related_name="+", db_index=False, db_constraint=False
    )
    queue = models.ForeignKey(
        Queue,
        on_delete=models.PROTECT,
        related_name="+",
        db_index=False,
        db_constraint=False,
        help_text=_("Into which it came first."),
    )
    role = models.CharField(max_length=20, help_text=_("Whose queue that was then."))
    request_type = models.CharField(max_length=40)
    language = models.CharField(max_length=10)
    counts = models.JSONField(help_text=_("By name: how many, or how many minutes."))
    work = models.JSONField(help_text=_("By “month person”: what that person did with it in that month."))
    counted_at = models.DateTimeField(default=now)

    def __str__(self) -> str:
        return f"measure of task {self.task_id}"


class MeasureCell(models.Model):
    """The sum over all tasks of one period, place and kind. A place of 0 is all facilities together."""

    class Grain(models.TextChoices):
        MONTH = "month", _("month")
        WEEK = "week", _("week, from Monday")

    class Cut(models.TextChoices):
        ALL = "all", _("all")
        ROLE = "role", _("role")
        QUEUE = "queue", _("queue")
        TYPE = "type", _("request type")
        LANGUAGE = "language", _("language")
        PERSON = "person", _("person")

    code = models.CharField(max_length=140, primary_key=True, help_text=_("All that follows in one word."))
    grain = models.CharField(max_length=5, choices=Grain)
    start = models.DateField(help_text=_("The first day of the period."))
    place = models.BigIntegerField()
    cut = models.CharField(max_length=8, choices=Cut)
    key = models.CharField(max_length=40, blank=True)
    counts = models.JSONField()

    class Meta:
        indexes = [models.Index(fields=["grain", "cut", "place", "start"], name="measure_cell_of_period")]

    def __str__(self) -> str:
        return self.code


class FormerRouting(models.Model):
    """Where a baseline would have sent a request: the same facts under other rules. Left here by triage."""

    decision = models.ForeignKey(
        "triage.Decision", on_delete=models.PROTECT, related_name="former_routings", db_index=False
    )
    baseline = models.ForeignKey("triage.Ruleset", on_delete=models.PROTECT, related_name="former_routings")
    queue = models.SlugField(max_length=40, help_text=_("The kind of queue, as rules name it."))
    physician = models.BooleanField(help_text=_("Whether that is a physicians' queue."))

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["decision", "baseline"], name="former_routing_once_a_baseline")
        ]

    def __str__(self) -> str:
        return f"decision {self.decision_id} under ruleset {self.baseline_id}"
