"""Who has a task's page open."""

from __future__ import annotations

from django.conf import settings
from django.db import models

from audit.now import now
from queues.models.tasks import Task


class Presence(models.Model):
    """Somebody looks at a task's page, or did a moment ago: the page says so again as long as it is open."""

    task = models.ForeignKey(Task, on_delete=models.CASCADE, related_name="presences")
    user = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.CASCADE, related_name="+")
    seen_at = models.DateTimeField(default=now)

    class Meta:
        constraints = [models.UniqueConstraint(fields=["task", "user"], name="presence_once")]

    def __str__(self) -> str:
        return f"presence {self.pk}"
