"""Questions to physicians, and their answers."""

from __future__ import annotations

from django.conf import settings
from django.contrib.postgres.fields import ArrayField
from django.db import models
from django.db.models import Q
from django.utils.translation import gettext_lazy as _

from audit.now import now
from audit.statements import Written
from portal.people.models import User
from queues.models.places import Queue
from queues.models.tasks import Task


class EscalationQuerySet(models.QuerySet["Escalation"]):
    def close(self, task: Task, answer: str, *, by: User | None) -> None:
        """End the open question of a task that goes its way without the answer."""
        by = by or task.owner
        self.filter(task=task, answered_at__isnull=True).update(
            answer=answer, answered_by=by, answered_at=now()
        )


class Escalation(Written):
    """A question to a physician about a task that the asker keeps: situation, background, assessment, need (SBAR)."""

    task = models.ForeignKey(Task, on_delete=models.PROTECT, related_name="escalations")
    queue = models.ForeignKey(Queue, on_delete=models.PROTECT, related_name="escalations")
    asked_by = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.PROTECT, related_name="+")
    asked_at = models.DateTimeField(default=now)
    situation = models.TextField(max_length=2000)
    background = models.TextField(max_length=2000, blank=True)
    assessment = models.TextField(max_length=2000, blank=True)
    question = models.TextField(max_length=1000)
    options = ArrayField(models.CharField(max_length=120), default=list, blank=True)
    urgent = models.BooleanField(
        default=False, help_text=_("Taken up at once, quiet hours or not, or it goes to whoever covers.")
    )
    acknowledged_at = models.DateTimeField(null=True, blank=True)
    acknowledged_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, null=True, blank=True, on_delete=models.PROTECT, related_name="+"
    )
    alerts = models.PositiveSmallIntegerField(default=0)
    alerted_at = models.DateTimeField(null=True, blank=True)
    answer = models.TextField(max_length=2000, blank=True)
    answered_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, null=True, blank=True, on_delete=models.PROTECT, related_name="+"
    )
    answered_at = models.DateTimeField(null=True, blank=True)
    taken_over = models.BooleanField(
        default=False, help_text=_("Answered by taking the task, not by words to the asker.")
    )

    objects = EscalationQuerySet.as_manager()

    class Meta:
        ordering = ["asked_at"]
        constraints = [
            models.UniqueConstraint(
                fields=["task"],
                condition=Q(answered_at__isnull=True),
                name="escalation_one_open_question",
                violation_error_message=_("A question about this task is open already."),
            ),
            models.CheckConstraint(
                condition=Q(answered_at__isnull=True, answered_by__isnull=True, answer="")
                | Q(answered_at__isnull=False, answered_by__isnull=False) & ~Q(answer=""),
                name="escalation_answered_whole",
            ),
        ]

    def __str__(self) -> str:
        return f"escalation {self.pk}"
