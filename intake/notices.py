"""Every emergency notice that a form showed, and how it went on: kept after the draft is gone."""

from __future__ import annotations

from django.conf import settings
from django.db import models
from django.db.models import Q
from django.utils.translation import gettext_lazy as _

from audit.now import now
from portal.people.models import Guidance, Patient


class NoticeQuerySet(models.QuerySet["Notice"]):
    def left(self) -> NoticeQuerySet:
        """Shown, and not sent since; a draft that was deleted counts as left. No call-back has been opened yet."""
        return self.filter(task__isnull=True).exclude(outcome=Notice.Outcome.SENT)


class Notice(models.Model):
    """One emergency that a form showed, once for each draft. It holds a code, never words."""

    class Outcome(models.TextChoices):
        SENT = "sent", _("went on and sent it")
        LEFT = "left", _("left the form there")
        DELETED = "deleted", _("deleted the draft")

    draft_key = models.UUIDField()
    code = models.CharField(
        max_length=160, help_text=_("The red flag's code, or “rule: ” and the rule's name.")
    )
    kind = models.CharField(max_length=20, choices=Guidance.Kind)
    patient = models.ForeignKey(Patient, on_delete=models.PROTECT, related_name="notices")
    author = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.PROTECT, related_name="+")
    request_type = models.SlugField(max_length=40, blank=True)
    confidential = models.BooleanField(default=False)
    shown_at = models.DateTimeField(default=now)
    outcome = models.CharField(max_length=10, choices=Outcome, blank=True)
    outcome_at = models.DateTimeField(null=True, blank=True)
    submission = models.ForeignKey(
        "intake.Submission", null=True, blank=True, on_delete=models.PROTECT, related_name="notices"
    )
    task = models.ForeignKey(
        "queues.Task", null=True, blank=True, on_delete=models.PROTECT, related_name="+",
        help_text=_("The call-back that was opened because the form was left."),
    )  # fmt: skip

    objects = NoticeQuerySet.as_manager()

    class Meta:
        ordering = ["shown_at", "id"]
        indexes = [
            models.Index(
                fields=["shown_at"], name="notice_left", condition=Q(task__isnull=True) & ~Q(outcome="sent")
            )
        ]
        constraints = [
            models.UniqueConstraint(fields=["draft_key", "code"], name="notice_once_a_draft"),
            models.CheckConstraint(
                condition=Q(outcome="", outcome_at__isnull=True)
                | ~Q(outcome="") & Q(outcome_at__isnull=False),
                name="notice_outcome_has_a_time",
            ),
        ]

    def __str__(self) -> str:
        return f"notice {self.pk}"

    @property
    def label(self) -> str:
        return self.code.removeprefix("rule: ").replace("_", " ")
