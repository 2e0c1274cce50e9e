"""What happened to a task: its stays in queues, the promises that moved, and every change."""

from __future__ import annotations

from django.conf import settings
from django.db import models
from django.db.models import Q
from django.utils.translation import gettext_lazy as _

from audit.now import now
from audit.statements import Written
from queues.models.places import Queue
from queues.models.tasks import Task
from queues.states import State


class Leg(Written):
    """A task's stay in one queue, with a clock of its own: a hand-over inherits none that others have burnt. The
    patient's clock is the task's own and goes on."""

    task = models.ForeignKey(Task, on_delete=models.PROTECT, related_name="legs")
    queue = models.ForeignKey(Queue, on_delete=models.PROTECT, related_name="legs")
    entered_at = models.DateTimeField(default=now)
    respond_due = models.DateTimeField()
    resolve_due = models.DateTimeField()
    left_at = models.DateTimeField(null=True, blank=True)

    class Meta:
        ordering = ["id"]
        indexes = [models.Index(fields=["queue", "entered_at"], name="leg_of_queue")]
        constraints = [
            models.UniqueConstraint(
                fields=["task"], condition=Q(left_at__isnull=True), name="leg_one_at_a_time"
            )
        ]

    def __str__(self) -> str:
        return f"leg {self.pk}"

    @property
    def was_late(self) -> bool:
        """Whether the queue took longer than its target, for what it has let go or still holds."""
        return (self.left_at or now()) > self.resolve_due


class PromiseMove(Written):
    """A promise to the patient that became another one: what it was, what it is, and why. Never rewritten."""

    append_only = True

    class Reason(models.TextChoices):
        REOPEN = "reopen", _("opened again")
        PAUSE = "pause", _("waited for the patient")
        RAISE = "raise", _("more urgent")
        HAND_OVER = "hand-over", _("another team")

    task = models.ForeignKey(Task, on_delete=models.PROTECT, related_name="promise_moves")
    reason = models.CharField(max_length=10, choices=Reason)
    before = models.DateTimeField()
    after = models.DateTimeField()
    at = models.DateTimeField(default=now)

    class Meta:
        ordering = ["id"]

    def __str__(self) -> str:
        return f"promise of task {self.task_id} moved"


class Step(Written):
    """One change of a task: which verb, from which state to which, by whom. The task's history; never rewritten."""

    append_only = True

    task = models.ForeignKey(Task, on_delete=models.PROTECT, related_name="steps")
    verb = models.CharField(max_length=30)
    before = models.CharField(max_length=12, choices=State, blank=True)
    after = models.CharField(max_length=12, choices=State)
    queue = models.ForeignKey(Queue, on_delete=models.PROTECT, related_name="+")
    by = models.ForeignKey(
        settings.AUTH_USER_MODEL, null=True, blank=True, on_delete=models.PROTECT, related_name="+"
    )
    at = models.DateTimeField(default=now)
    note = models.TextField(blank=True, max_length=2000)
    respond_due = models.DateTimeField(
        null=True, help_text=_("On a step that answers the patient: by when that was promised.")
    )
    resolve_due = models.DateTimeField(
        null=True, help_text=_("On a step that ends the task: by when that was promised.")
    )
    minutes = models.PositiveSmallIntegerField(
        null=True, help_text=_("How long it took, where who did it said so.")
    )

    class Meta:
        ordering = ["id"]

    def __str__(self) -> str:
        return f"{self.verb} task {self.task_id}"
