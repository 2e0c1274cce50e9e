"""What staff write to each other about a request. The patient's side never sees it."""

from __future__ import annotations

from django.conf import settings
from django.db import models
from django.db.models import Q
from django.utils.translation import gettext_lazy as _

from audit.now import now
from queues.models.conversations import Conversation
from queues.models.tasks import Task


class Note(models.Model):
    """An internal note on a request; it stays with the request whoever works on it."""

    conversation = models.ForeignKey(Conversation, on_delete=models.PROTECT, related_name="notes")
    task = models.ForeignKey(Task, on_delete=models.PROTECT, related_name="notes")
    author = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.PROTECT, related_name="+")
    body = models.TextField(max_length=4000)
    clinical = models.BooleanField(
        help_text=_(
            "Written by somebody who sees what is about health: may hold it, so other roles don't see it."
        )
    )
    at = models.DateTimeField(default=now)

    append_only = True

    class Meta:
        ordering = ["id"]
        constraints = [models.CheckConstraint(condition=~Q(body=""), name="note_says_something")]

    def __str__(self) -> str:
        return f"note {self.pk}"


class Mention(models.Model):
    """Somebody named in a note, who is told that there is one."""

    note = models.ForeignKey(Note, on_delete=models.PROTECT, related_name="mentions")
    user = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.PROTECT, related_name="mentions")
    seen_at = models.DateTimeField(null=True, blank=True)

    class Meta:
        ordering = ["-id"]
        indexes = [models.Index(fields=["user"], name="mention_unseen", condition=Q(seen_at__isnull=True))]
        constraints = [models.UniqueConstraint(fields=["note", "user"], name="mention_once")]

    def __str__(self) -> str:
        return f"mention {self.pk}"
