"""Calls to the patient, so that the phone is no inbox beside this one."""

from __future__ import annotations

from django.conf import settings
from django.db import models
from django.utils.translation import gettext_lazy as _

from audit.now import now
from queues.models.conversations import Conversation
from queues.models.tasks import Task


class Call(models.Model):
    """One attempt to reach the patient by phone, and how it went."""

    class Result(models.TextChoices):
        REACHED = "reached", _("reached")
        VOICEMAIL = "voicemail", _("left a voicemail")
        NO_ANSWER = "no-answer", _("no answer")

    conversation = models.ForeignKey(Conversation, on_delete=models.PROTECT, related_name="calls")
    task = models.ForeignKey(Task, on_delete=models.PROTECT, related_name="calls")
    by = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.PROTECT, related_name="+")
    at = models.DateTimeField(default=now)
    result = models.CharField(max_length=10, choices=Result)
    note = models.TextField(max_length=2000, blank=True)
    clinical = models.BooleanField(help_text=_("Its note may be about health: other roles don't see it."))

    append_only = True

    class Meta:
        ordering = ["id"]

    def __str__(self) -> str:
        return f"call {self.pk}"
