"""A patient's request and everything said about it."""

from __future__ import annotations

from typing import TYPE_CHECKING

from django.conf import settings
from django.db import models
from django.db.models import Q
from django.utils.translation import gettext_lazy as _

from audit.now import now
from audit.statements import Written
from portal.people.models import Patient, User, reachable, reaches

if TYPE_CHECKING:
    from queues.models.tasks import Task


class ConversationQuerySet(models.QuerySet["Conversation"]):
    def reachable_by(self, user: User) -> ConversationQuerySet:
        """Their own, and of the patients they act for what the grant names and the patient keeps from nobody."""
        return self.filter(reachable(user))


class Conversation(Written):
    """One request of a patient and everything said about it, whoever works on it."""

    class Channel(models.TextChoices):
        PORTAL = "portal", _("sent in the portal")
        PHONE = "phone", _("written down on the phone")
        STAFF = "staff", _("begun by the clinic")

    patient = models.ForeignKey(Patient, on_delete=models.PROTECT, related_name="conversations")
    author = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.PROTECT, related_name="+")
    submission = models.OneToOneField(
        "intake.Submission", null=True, blank=True, on_delete=models.PROTECT, related_name="conversation"
    )
    request_type = models.SlugField(max_length=40)
    subject = models.CharField(max_length=120, help_text=_("The request type as the patient chose it."))
    clinical = models.BooleanField(help_text=_("Whether its answers and messages are about health."))
    confidential = models.BooleanField(
        default=False, help_text=_("Kept from everybody who acts for the patient. Never taken back.")
    )
    channel = models.CharField(max_length=10, choices=Channel, default=Channel.PORTAL)
    visit = models.UUIDField(
        null=True, blank=True, help_text=_("The same for requests that were written one after the other.")
    )
    opened_at = models.DateTimeField(default=now)

    opened: Task | None = None  # the task that was opened with it just now

    objects = ConversationQuerySet.as_manager()

    class Meta:
        ordering = ["-opened_at"]
        indexes = [
            models.Index(fields=["patient", "-opened_at"], name="conversation_of_patient"),
            models.Index(fields=["visit"], name="conversation_of_visit", condition=Q(visit__isnull=False)),
        ]

    def __str__(self) -> str:
        return self.reference

    def get_absolute_url(self) -> str:
        return f"/requests/{self.pk}/"

    def is_reachable_by(self, user: User) -> bool:
        """What `reachable_by` says of this one row."""
        return reaches(user, self.patient, request_type=self.request_type, confidential=self.confidential)

    def beside(self) -> ConversationQuerySet:
        """The requests that were sent in the same visit."""
        if self.visit is None:
            return Conversation.objects.none()
        return Conversation.objects.filter(visit=self.visit, patient=self.patient_id).exclude(pk=self.pk)

    @property
    def reference(self) -> str:
        """What patient and staff call it on the phone."""
        return f"R-{10000 + self.pk}"


class MessageQuerySet(models.QuerySet["Message"]):
    def standing(self) -> MessageQuerySet:
        """All that was not taken back: what staff read, and what is filed."""
        return self.filter(withdrawn_at__isnull=True)

    def shown(self) -> MessageQuerySet:
        """What the patient's side may read now: neither taken back, nor still within the seconds to do so."""
        return self.standing().filter(shown_at__lte=now())


class Message(Written):
    """Something said to the other side. What was sent is never rewritten; for some seconds it can be taken back."""

    conversation = models.ForeignKey(Conversation, on_delete=models.PROTECT, related_name="messages")
    task = models.ForeignKey(
        "queues.Task", null=True, blank=True, on_delete=models.PROTECT, related_name="messages"
    )
    author = models.ForeignKey(
        settings.AUTH_USER_MODEL,
        null=True,
        blank=True,
        on_delete=models.PROTECT,
        related_name="+",
        help_text=_("Empty: Porter itself, which tells of a promise that moved or was not kept."),
    )
    from_patient = models.BooleanField()
    body = models.TextField(max_length=10_000)
    sent_at = models.DateTimeField(default=now)
    shown_at = models.DateTimeField(default=now, help_text=_("From when on the patient's side sees it."))
    withdrawn_at = models.DateTimeField(
        null=True, blank=True, help_text=_("When it was taken back, before anybody saw it.")
    )
    read_at = models.DateTimeField(null=True, blank=True, help_text=_("When the patient's side opened it."))

    objects = MessageQuerySet.as_manager()

    class Meta:
        ordering = ["sent_at", "id"]
        constraints = [
            models.CheckConstraint(condition=~Q(body=""), name="message_says_something"),
            models.CheckConstraint(
                condition=Q(withdrawn_at__isnull=True) | Q(read_at__isnull=True),
                name="message_taken_back_was_not_read",
            ),
            models.CheckConstraint(
                condition=Q(from_patient=False) | Q(author__isnull=False),
                name="message_of_patient_has_author",
            ),
        ]

    def __str__(self) -> str:
        return f"message {self.pk}"

    @property
    def signature(self) -> str:
        """Who says it, as the other side reads it."""
        return self.author.signature if self.author else "Porter"
