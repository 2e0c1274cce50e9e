from __future__ import annotations

from django.conf import settings
from django.db import models
from django.db.models import Q
from django.utils.translation import gettext_lazy as _

from audit.now import now
from queues.models.tasks import Task
from queues.urgency import Urgency


class Assessment(models.Model):
    """What the one who resolved a task says of how it was sorted: right, or how it should have been. Never rewritten.

    A request that is opened again and resolved again may have several; the last one counts.
    """

    append_only = True

    task = models.ForeignKey(Task, on_delete=models.PROTECT, related_name="assessments")
    decision = models.ForeignKey(
        "triage.Decision", null=True, on_delete=models.PROTECT, related_name="assessments"
    )
    decided_urgency = models.PositiveSmallIntegerField(choices=Urgency)
    urgency = models.PositiveSmallIntegerField(choices=Urgency, help_text=_("As it should have been."))
    decided_category = models.CharField(max_length=120, blank=True)
    category = models.CharField(max_length=120, blank=True, help_text=_("As it should have been."))
    by = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.PROTECT, related_name="+")
    at = models.DateTimeField(default=now)

    class Meta:
        ordering = ["id"]
        indexes = [models.Index(fields=["at"], name="assessment_at")]
        constraints = [
            models.CheckConstraint(
                condition=Q(urgency__in=Urgency.values, decided_urgency__in=Urgency.values),
                name="assessment_names_urgencies",
            )
        ]

    def __str__(self) -> str:
        return f"assessment {self.pk}"
