"""The seconds in which what was sent can be taken back."""

from __future__ import annotations

from django.conf import settings
from django.contrib.postgres.fields import ArrayField
from django.db import models
from django.db.models import Q
from django.utils.translation import gettext_lazy as _

from audit.now import now
from queues.models.conversations import Message
from queues.models.filing import Filing
from queues.models.tasks import Task


class Hold(models.Model):
    """One step that can be undone until a moment: what it wrote, and what the task was before it."""

    task = models.ForeignKey(Task, on_delete=models.PROTECT, related_name="holds")
    verb = models.CharField(max_length=30)
    by = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.PROTECT, related_name="+")
    until = models.DateTimeField()
    version = models.PositiveIntegerField(
        help_text=_("The task's version after the step: any later change ends it.")
    )
    before = models.JSONField(help_text=_("State and times of the task before the step; no words."))
    message = models.ForeignKey(Message, null=True, blank=True, on_delete=models.PROTECT, related_name="+")
    mails = ArrayField(models.BigIntegerField(), default=list, help_text=_("Mails that wait, by key."))
    filing = models.ForeignKey(Filing, null=True, blank=True, on_delete=models.PROTECT, related_name="+")
    at = models.DateTimeField(default=now)
    undone_at = models.DateTimeField(null=True, blank=True)

    class Meta:
        ordering = ["id"]
        indexes = [
            models.Index(fields=["task", "-id"], name="hold_of_task", condition=Q(undone_at__isnull=True))
        ]

    def __str__(self) -> str:
        return f"hold {self.pk}"
