"""Documents on their way to the patient's record."""

from __future__ import annotations

import uuid

from django.db import models
from django.db.models import Q
from django.utils.translation import gettext_lazy as _

from audit.now import now
from audit.statements import Written
from queues.models.tasks import Task


class Filing(Written):
    """A document on its way to the patient's record (an outbox): written when a task is resolved, filed once."""

    class State(models.TextChoices):
        PENDING = "pending", _("not yet in the chart")
        FILED = "filed", _("in the chart")
        FAILED = "failed", _("could not be filed")
        WITHDRAWN = "withdrawn", _("taken back before it was filed")

    key = models.UUIDField(
        default=uuid.uuid4, unique=True, help_text=_("Names the document at the record server.")
    )
    task = models.ForeignKey(Task, on_delete=models.PROTECT, related_name="filings")
    document = models.JSONField(help_text=_("The exchange as FHIR resources."))
    state = models.CharField(max_length=10, choices=State, default=State.PENDING)
    created_at = models.DateTimeField(default=now)
    not_before = models.DateTimeField(default=now)
    attempts = models.PositiveSmallIntegerField(default=0)
    filed_at = models.DateTimeField(null=True, blank=True)
    last_error = models.CharField(max_length=80, blank=True)

    class Meta:
        indexes = [models.Index(fields=["not_before"], name="filing_due", condition=Q(state="pending"))]

    def __str__(self) -> str:
        return f"filing {self.pk}"
