"""Questions back that are small forms: which there are, and which were asked of a patient."""

from __future__ import annotations

from django.conf import settings
from django.db import models
from django.db.models import Q
from django.utils.translation import gettext_lazy as _

from audit.now import now
from portal.people.models import User
from portal.people.roles import Field


class FollowUpFormQuerySet(models.QuerySet["FollowUpForm"]):
    def offered_to(self, user: User) -> FollowUpFormQuerySet:
        """The forms that this person's role may ask: an office asks nothing about health."""
        return self.offered(clinical=Field.CLINICAL in user.fields)

    def offered(self, *, clinical: bool) -> FollowUpFormQuerySet:
        offered = self.filter(version__isnull=False)
        return offered if clinical else offered.filter(clinical=False)


class FollowUpForm(models.Model):
    """A questionnaire that staff may send as a question back. Intake leaves it here when one is published."""

    code = models.SlugField(max_length=60, unique=True)
    title = models.CharField(max_length=120)
    clinical = models.BooleanField(help_text=_("Whether its answers are about health."))
    version = models.ForeignKey(
        "intake.Version",
        null=True,
        blank=True,
        on_delete=models.PROTECT,
        related_name="+",
        help_text=_("The live one; empty once it is not offered any more."),
    )

    objects = FollowUpFormQuerySet.as_manager()

    class Meta:
        ordering = ["title"]

    def __str__(self) -> str:
        return self.title


class FollowUpQuerySet(models.QuerySet["FollowUp"]):
    def standing(self) -> FollowUpQuerySet:
        """Those that staff did not take back."""
        return self.filter(message__withdrawn_at__isnull=True)

    def open(self) -> FollowUpQuerySet:
        """Those that the patient's side can answer now."""
        return self.standing().filter(answered_at__isnull=True, message__shown_at__lte=now())


class FollowUp(models.Model):
    """A form that was sent as a question back, and what was answered on it."""

    conversation = models.ForeignKey(
        "queues.Conversation", on_delete=models.PROTECT, related_name="follow_ups"
    )
    message = models.OneToOneField(
        "queues.Message",
        on_delete=models.PROTECT,
        related_name="follow_up",
        help_text=_("The words it was asked with."),
    )
    code = models.SlugField(max_length=60)
    title = models.CharField(max_length=120)
    clinical = models.BooleanField()
    version = models.ForeignKey("intake.Version", on_delete=models.PROTECT, related_name="follow_ups")
    asked_by = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.PROTECT, related_name="+")
    asked_at = models.DateTimeField(default=now)
    answer = models.OneToOneField(
        "queues.Message",
        null=True,
        blank=True,
        on_delete=models.PROTECT,
        related_name="answers",
        help_text=_("What came back, in the conversation."),
    )
    answered_at = models.DateTimeField(null=True, blank=True)
    summary = models.JSONField(
        default=list, help_text=_("The answers as staff read them: label, value, clinical, odd.")
    )
    told = models.JSONField(
        default=list, help_text=_("The answers as the patient reads them: label and value.")
    )

    objects = FollowUpQuerySet.as_manager()

    class Meta:
        ordering = ["asked_at", "id"]
        constraints = [
            models.CheckConstraint(
                condition=Q(answered_at__isnull=True, answer__isnull=True)
                | Q(answered_at__isnull=False, answer__isnull=False),
                name="follow_up_answered_whole",
            )
        ]

    def __str__(self) -> str:
        return f"follow-up {self.pk}"

    def lines_for(self, viewer: User) -> list[dict[str, object]]:
        """The answers that this person's role may see."""
        clinical = Field.CLINICAL in viewer.fields
        return [line for line in self.summary if clinical or not line["clinical"]]
