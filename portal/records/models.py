from __future__ import annotations

from django.contrib.postgres.fields import ArrayField
from django.db import models
from django.utils.translation import gettext_lazy as _

from audit.now import now
from portal.people.models import Patient


class Kind(models.TextChoices):
    """What a chart can say, in the order in which it is read."""

    ALLERGY = "allergy", _("Allergies")
    MEDICATION = "medication", _("Medication")
    PROBLEM = "problem", _("Problems")
    VISIT = "visit", _("Last visits")
    VACCINE = "vaccine", _("Vaccines")


class Chart(models.Model):
    """What the record said about a patient when it was last read. A copy to look at, never the record itself."""

    patient = models.OneToOneField(Patient, on_delete=models.PROTECT, related_name="chart")
    source = models.CharField(max_length=80, help_text=_("Where it was read, as staff see it."))
    read_at = models.DateTimeField(default=now)
    kinds = ArrayField(
        models.CharField(max_length=12, choices=Kind),
        default=list,
        help_text=_("What the record was asked for and gave. Of any other kind nothing is known."),
    )

    def __str__(self) -> str:
        return f"chart {self.pk}"


class ChartEntry(models.Model):
    """One line of a chart, with the FHIR resource that it was read from."""

    chart = models.ForeignKey(Chart, on_delete=models.CASCADE, related_name="entries")
    kind = models.CharField(max_length=12, choices=Kind)
    text = models.CharField(max_length=200)
    detail = models.CharField(max_length=200, blank=True, help_text=_("A reaction, a dose, who was seen."))
    system = models.CharField(max_length=100, blank=True)
    code = models.CharField(max_length=40, blank=True)
    since = models.DateField(null=True, blank=True)
    resource = models.JSONField(default=dict)

    class Meta:
        ordering = ["id"]
        verbose_name_plural = "chart entries"

    def __str__(self) -> str:
        return f"chart entry {self.pk}"
