from __future__ import annotations

import uuid

from django.conf import settings
from django.db import models
from django.db.models import Q
from django.utils.translation import gettext_lazy as _

from audit.now import now
from portal.people.models import Patient, User
from queues.models import Conversation, FollowUp, Message, Task


class AttachmentQuerySet(models.QuerySet["Attachment"]):
    def reachable_by(self, user: User) -> AttachmentQuerySet:
        """What was sent for people this person may act for, and what is in drafts of their own."""
        from intake.models import Draft  # it imports this module, as part of it

        drafts = Draft.objects.reachable_by(user).order_by().values("pk")
        conversations = Conversation.objects.reachable_by(user).order_by()
        return self.filter(
            Q(draft__in=drafts)
            | Q(submission__in=conversations.filter(submission__isnull=False).values("submission"))
            | Q(submission__follow_up__conversation__in=conversations.values("pk"))
            | Q(message__conversation__in=conversations.values("pk"))
        )

    def visible_to(self, user: User) -> AttachmentQuerySet:
        """What came with tasks that this person works. Nobody can tell what is in a picture, so a role that sees
        nothing about health sees files of requests that are not about health and have no red flag."""
        tasks = Task.objects.visible_to(user).order_by()
        conversations = Conversation.objects.filter(pk__in=tasks.values("conversation")).order_by()
        if not user.is_clinical:
            flagged = Task.objects.exclude(flags=[]).order_by().values("conversation")
            conversations = conversations.filter(clinical=False).exclude(pk__in=flagged)
        submissions = conversations.filter(submission__isnull=False).values("submission")
        messages = Message.objects.filter(conversation__in=conversations.values("pk")).order_by().values("pk")
        answers = FollowUp.objects.filter(conversation__in=conversations.values("pk")).order_by()
        if not user.is_clinical:
            answers = answers.filter(clinical=False)
        return self.filter(
            Q(submission__in=submissions)
            | Q(submission__follow_up__in=answers.values("pk"))
            | Q(message__in=messages)
        )


class Attachment(models.Model):
    """A photo or a PDF that a patient added: to a draft, then part of what was sent, or said in a conversation.

    What was sent is never changed or removed again; the database sees to it.
    """

    class Type(models.TextChoices):
        JPEG = "image/jpeg", _("photo")
        PNG = "image/png", _("picture")
        PDF = "application/pdf", _("PDF")

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    patient = models.ForeignKey(Patient, on_delete=models.PROTECT, related_name="attachments")
    draft = models.ForeignKey(
        "intake.Draft", null=True, blank=True, on_delete=models.CASCADE, related_name="attachments"
    )
    field = models.CharField(
        max_length=4000, blank=True, help_text=_("The question of the draft that it answers, by field name.")
    )
    submission = models.ForeignKey(
        "intake.Submission", null=True, blank=True, on_delete=models.PROTECT, related_name="attachments"
    )
    message = models.ForeignKey(
        "queues.Message", null=True, blank=True, on_delete=models.PROTECT, related_name="attachments"
    )
    name = models.CharField(max_length=100, help_text=_("Cleaned, and only ever shown."))
    content_type = models.CharField(max_length=20, choices=Type, help_text=_("Found from the bytes."))
    size = models.PositiveIntegerField()
    sha256 = models.CharField(max_length=64)
    stored_in = models.CharField(max_length=20, default="database")
    uploaded_by = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.PROTECT, related_name="+")
    uploaded_at = models.DateTimeField(default=now)

    objects = AttachmentQuerySet.as_manager()

    class Meta:
        ordering = ["uploaded_at", "id"]
        constraints = [
            models.CheckConstraint(
                condition=Q(draft__isnull=False, submission__isnull=True, message__isnull=True)
                | Q(draft__isnull=True, submission__isnull=False, message__isnull=True)
                | Q(draft__isnull=True, submission__isnull=True, message__isnull=False),
                name="attachment_in_one_place",
            )
        ]

    def __str__(self) -> str:
        return f"attachment {self.pk}"

    @property
    def is_image(self) -> bool:
        return self.content_type != self.Type.PDF


class AttachmentContent(models.Model):
    """The bytes, apart from what lists read. `small` is what lists show of a picture."""

    attachment = models.OneToOneField(
        Attachment, primary_key=True, on_delete=models.CASCADE, related_name="content"
    )
    data = models.BinaryField()
    small = models.BinaryField(null=True)

    def __str__(self) -> str:
        return f"content of {self.attachment_id}"
