from django.conf import settings
from django.contrib.postgres.fields import ArrayField
from django.contrib.postgres.indexes import GinIndex
from django.db import models
from django.db.models.functions import Now

from audit.statements import Written


class EventQuerySet(models.QuerySet["Event"]):
    def about_patient(self, patient_id: int) -> "EventQuerySet":
        """Events in which this patient's data was read or written."""
        return self.filter(patient_ids__contains=[patient_id])


class Event(Written):
    """One thing done by somebody (an AuditEvent in FHIR's and ATNA's sense). Rows are only ever added.

    `patient_ids` and `entity_id` are keys, `detail` holds codes and counts: no event carries what a patient said.
    """

    append_only = (
        True  # the app's database role may not change or remove rows; a trigger stops everybody else
    )

    class Kind(models.TextChoices):
        CREATE = "C", "create"
        READ = "R", "read"
        UPDATE = "U", "update"
        DELETE = "D", "delete"
        EXECUTE = "E", "execute"

    id = models.BigAutoField(primary_key=True)
    recorded_at = models.DateTimeField(
        db_default=Now(),
        editable=False,
        help_text="The database's own time, whatever the application believed.",
    )
    occurred_at = models.DateTimeField(help_text="The application's time of the action.")
    kind = models.CharField(max_length=1, choices=Kind)
    action = models.CharField(max_length=60, help_text="What was done, as room.noun.verb.")
    agent = models.ForeignKey(
        settings.AUTH_USER_MODEL,
        null=True,
        blank=True,
        on_delete=models.PROTECT,
        related_name="+",
        db_index=False,  # audit_event_agent
        help_text="Who did it; empty when the system acted by itself.",
    )
    agent_role = models.CharField(max_length=40, blank=True)
    patient_ids = ArrayField(models.BigIntegerField(), default=list, blank=True)
    entity_type = models.CharField(max_length=60, blank=True)
    entity_id = models.CharField(max_length=60, blank=True)
    detail = models.JSONField(default=dict, blank=True)

    objects = EventQuerySet.as_manager()

    class Meta:
        ordering = ["-id"]
        indexes = [
            models.Index(fields=["entity_type", "entity_id"], name="audit_event_entity"),
            models.Index(fields=["agent", "-id"], name="audit_event_agent"),
            GinIndex(fields=["patient_ids"], name="audit_event_patients"),
        ]
        verbose_name = "audit event"

    def __str__(self) -> str:
        return f"{self.action} #{self.pk}"
