"""Checklists that a rule asks for, and what was ticked on a task."""

from __future__ import annotations

from django.conf import settings
from django.db import models
from django.utils.translation import gettext_lazy as _

from audit.now import now
from queues.models.tasks import Task


class Protocol(models.Model):
    """Steps that a rule asks for by code. Its text holds nothing about a patient."""

    code = models.SlugField(max_length=120, unique=True, help_text=_("Rules name it by this code."))
    title = models.CharField(max_length=120)
    required = models.BooleanField(
        default=False, help_text=_("A task can't be resolved while a step is open. Else it is only said.")
    )

    class Meta:
        ordering = ["title"]

    def __str__(self) -> str:
        return self.title


class ProtocolStep(models.Model):
    """One thing to do or to ask. A step that was ticked somewhere is retired rather than deleted."""

    protocol = models.ForeignKey(Protocol, on_delete=models.PROTECT, related_name="steps")
    text = models.CharField(max_length=200)
    position = models.PositiveSmallIntegerField(default=10)
    retired = models.BooleanField(default=False)

    class Meta:
        ordering = ["position", "id"]

    def __str__(self) -> str:
        return self.text


class Tick(models.Model):
    """One step done for one task, by whom and when."""

    task = models.ForeignKey(Task, on_delete=models.PROTECT, related_name="ticks")
    step = models.ForeignKey(ProtocolStep, on_delete=models.PROTECT, related_name="ticks")
    by = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.PROTECT, related_name="+")
    at = models.DateTimeField(default=now)

    class Meta:
        ordering = ["id"]
        constraints = [models.UniqueConstraint(fields=["task", "step"], name="tick_once")]

    def __str__(self) -> str:
        return f"tick {self.pk}"
