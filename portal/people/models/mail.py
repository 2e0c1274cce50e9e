"""Mail to be sent, as rows."""

from __future__ import annotations

from django.db import models
from django.db.models import Q

from audit.now import now
from audit.statements import Written
from portal.people.models.users import User


class MailQuerySet(models.QuerySet["Mail"]):
    def due(self) -> MailQuerySet:
        return self.filter(state=Mail.State.PENDING, not_before__lte=now())


class Mail(Written):
    """A mail to be sent, as a row written in the transaction that is its reason (an outbox).

    It names a kind, a language and a page; the words come from a template that has no place for patient data.
    """

    class Kind(models.TextChoices):
        NEW_MESSAGE = "new-message", "there is a new message"
        MENTION = "mention", "a colleague mentioned them in a note"
        INVITED = "invited", "somebody is asked to act for a patient"
        GRANT_GIVEN = "grant-given", "somebody may act for a patient from now on"
        GRANT_ENDED = "grant-ended", "somebody may not act for a patient any more"
        ALARM = "alarm", "something urgent waits to be taken up"
        NOTICE = "notice", "there is a notice"
        DIGEST = "digest", "the day's notices and questions"

    class State(models.TextChoices):
        PENDING = "pending", "waiting to be sent"
        SENT = "sent", "sent"
        FAILED = "failed", "given up"
        WITHDRAWN = "withdrawn", "taken back before it was sent"

    MAX_ATTEMPTS = 5

    recipient = models.ForeignKey(User, on_delete=models.PROTECT, related_name="+")
    kind = models.CharField(max_length=20, choices=Kind)
    path = models.CharField(max_length=200, help_text="The page it links to; holds no patient data.")
    state = models.CharField(max_length=10, choices=State, default=State.PENDING)
    created_at = models.DateTimeField(default=now)
    not_before = models.DateTimeField(default=now)
    attempts = models.PositiveSmallIntegerField(default=0)
    sent_at = models.DateTimeField(null=True, blank=True)
    last_error = models.CharField(
        max_length=80, blank=True, help_text="The exception's class, never its text."
    )

    objects = MailQuerySet.as_manager()

    class Meta:
        indexes = [
            models.Index(fields=["not_before"], name="mail_due", condition=Q(state="pending")),
        ]
        constraints = [
            models.CheckConstraint(
                condition=Q(state="sent", sent_at__isnull=False) | ~Q(state="sent") & Q(sent_at__isnull=True),
                name="mail_sent_has_a_time",
            )
        ]

    def __str__(self) -> str:
        return f"{self.kind} mail {self.pk}"
