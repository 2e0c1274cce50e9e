"""A patient's request and everything said about it."""

from __future__ import annotations

from django.conf import settings
from django.db import models
from django.db.models import Q
from django.utils.translation import gettext_lazy as _

from audit.now import now
from portal.people.models import Patient, User


class ConversationQuerySet(models.QuerySet["Conversation"]):
    def reachable_by(self, user: User) -> ConversationQuerySet:
        """Conversations about the patients this user may act for."""
        return self.filter(patient__in=Patient.objects.reachable_by(user).order_by())


class Conversation(models.Model):
    """One request of a patient and everything said about it, whoever works on it."""

    patient = models.ForeignKey(Patient, on_delete=models.PROTECT, related_name="conversations")
    author = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.PROTECT, related_name="+")
    submission = models.OneToOneField(
        "intake.Submission", null=True, blank=True, on_delete=models.PROTECT, related_name="conversation"
    )
    request_type = models.SlugField(max_length=40)
    subject = models.CharField(max_length=120, help_text=_("The request type as the patient chose it."))
    clinical = models.BooleanField(help_text=_("Whether its answers and messages are about health."))
    opened_at = models.DateTimeField(default=now)

    objects = ConversationQuerySet.as_manager()

    class Meta:
        ordering = ["-opened_at"]
        indexes = [models.Index(fields=["patient", "-opened_at"], name="conversation_of_patient")]

    def __str__(self) -> str:
        return self.reference

    def get_absolute_url(self) -> str:
        return f"/requests/{self.pk}/"

    @property
    def reference(self) -> str:
        """What patient and staff call it on the phone."""
        return f"R-{10000 + self.pk}"


class Message(models.Model):
    """Something said to the other side. What was sent is never rewritten."""

    conversation = models.ForeignKey(Conversation, on_delete=models.PROTECT, related_name="messages")
    task = models.ForeignKey(
        "queues.Task", null=True, blank=True, on_delete=models.PROTECT, related_name="messages"
    )
    author = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.PROTECT, related_name="+")
    from_patient = models.BooleanField()
    body = models.TextField(max_length=10_000)
    sent_at = models.DateTimeField(default=now)
    read_at = models.DateTimeField(null=True, blank=True, help_text=_("When the patient's side opened it."))

    class Meta:
        ordering = ["sent_at", "id"]
        constraints = [models.CheckConstraint(condition=~Q(body=""), name="message_says_something")]

    def __str__(self) -> str:
        return f"message {self.pk}"
