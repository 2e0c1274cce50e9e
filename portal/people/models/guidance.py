"""What to do now, in the words of each facility: a row beats the default, and both beat the words built in."""

from __future__ import annotations

from django.core.exceptions import ValidationError
from django.db import models
from django.db.models import F, Q
from django.utils.translation import gettext_lazy as _

from portal.people.models.places import LANGUAGES, Facility


class GuidanceQuerySet(models.QuerySet["Guidance"]):
    def of(self, kind: str, facility: Facility, language: str) -> Guidance | None:
        """The facility's own words, else the default ones; never those of another language."""
        rows = self.filter(Q(facility=facility) | Q(facility=None), kind=kind, language=language)
        return rows.order_by(F("facility").asc(nulls_last=True)).first()


class Guidance(models.Model):
    """What the form says above all else when an answer shows an emergency of this kind.

    A safety rule names its kind by a tag with the kind's code, e.g. “crisis”; without one it is an emergency. Red flags
    found in words name theirs themselves.
    """

    class Kind(models.TextChoices):
        EMERGENCY = "emergency", _("emergency")
        CRISIS = "crisis", _("crisis: thoughts of self-harm")
        POISON = "poison", _("poisoning or overdose")
        VIOLENCE = "violence", _("violence")
        SEXUAL_HEALTH = "sexual-health", _("sexual health")
        NEUTRAL = "neutral", _("neutral: shown to who acts for the patient in place of the three before")

    kind = models.CharField(max_length=20, choices=Kind)
    facility = models.ForeignKey(
        Facility,
        null=True,
        blank=True,
        on_delete=models.CASCADE,
        related_name="guidance",
        help_text=_("Empty: every facility that has none of its own."),
    )
    language = models.CharField(max_length=8, choices=LANGUAGES, default="en")
    heading = models.CharField(max_length=80)
    words = models.TextField(
        max_length=600,
        help_text=_("What to do, in one or two plain sentences. {phone} and {emergency} become the numbers."),
    )
    phone = models.CharField(
        max_length=30, blank=True, help_text=_("Whom to call. Empty: the facility's number for this kind.")
    )

    objects = GuidanceQuerySet.as_manager()

    class Meta:
        ordering = ["kind", "facility", "language"]
        verbose_name_plural = "guidance"
        constraints = [
            models.UniqueConstraint(
                fields=["kind", "facility", "language"],
                name="guidance_once_a_kind",
                nulls_distinct=False,
                violation_error_message=_("There are words for this kind here in this language already."),
            )
        ]

    def __str__(self) -> str:
        return f"{self.get_kind_display()}, {self.facility or _('every facility')}, {self.language}"

    def clean(self) -> None:
        try:
            self.words.format(phone="", emergency="")
        except (KeyError, IndexError, ValueError):
            raise ValidationError({"words": _("In braces only {phone} and {emergency} are known.")}) from None
