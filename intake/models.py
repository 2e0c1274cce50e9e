from __future__ import annotations

import uuid

from django.conf import settings
from django.contrib.postgres.fields import ArrayField
from django.db import models
from django.db.models import Q
from django.utils.translation import get_language
from django.utils.translation import gettext_lazy as _

from audit.now import now
from audit.statements import Written
from portal.people.models import Patient, User, reachable, reaches
from queues.models import Conversation, FollowUp


class Questionnaire(models.Model):
    """A form under one code. What it asks is in its versions."""

    class AsksBack(models.TextChoices):
        CLINICAL = "clinical", _("yes, it is about health")
        OFFICE = "office", _("yes, it is not about health")

    code = models.SlugField(max_length=60, unique=True, help_text=_("Rules name its answers by this code."))
    title = models.CharField(max_length=120)
    follow_up = models.CharField(
        _("staff may send it as a question back"),
        max_length=10,
        blank=True,
        choices=AsksBack,
        help_text=_("Billing and front desk send, and see, only those that are not about health."),
    )

    class Meta:
        ordering = ["title"]

    def __str__(self) -> str:
        return self.title

    @property
    def live(self) -> Version | None:
        # The resource is large, and hardly anybody who asks for the version reads it.
        live = self.versions.filter(status=Version.Status.LIVE).order_by("-number")
        return live.defer("resource", "value_sets").first()


class Version(models.Model):
    """One version of a questionnaire as a FHIR R4 resource. A submission keeps the one it was answered on."""

    class Status(models.TextChoices):
        DRAFT = "draft", _("draft")
        LIVE = "live", _("live")
        RETIRED = "retired", _("retired")

    questionnaire = models.ForeignKey(Questionnaire, on_delete=models.PROTECT, related_name="versions")
    number = models.PositiveIntegerField()
    status = models.CharField(max_length=10, choices=Status, default=Status.DRAFT)
    resource = models.JSONField()
    # ValueSet and CodeSystem resources that came beside the form, for the answers it doesn't hold itself.
    value_sets = models.JSONField(default=list, blank=True)
    created_at = models.DateTimeField(default=now)

    class Meta:
        ordering = ["questionnaire", "-number"]
        constraints = [
            models.UniqueConstraint(fields=["questionnaire", "number"], name="version_number_once"),
            models.UniqueConstraint(
                fields=["questionnaire"],
                condition=Q(status="live"),
                name="version_one_live",
                violation_error_message=_("Another version of this questionnaire is live."),
            ),
        ]

    def __str__(self) -> str:
        return f"{self.questionnaire} v{self.number}"


class RequestTypeQuerySet(models.QuerySet["RequestType"]):
    def offered(self) -> RequestTypeQuerySet:
        """Those a patient can pick now: not retired, with a live version of their questionnaire."""
        return self.filter(
            retired_at__isnull=True, questionnaire__versions__status=Version.Status.LIVE
        ).select_related("questionnaire")


class RequestType(models.Model):
    """What a patient can ask for, and the questionnaire that asks what is needed to do it."""

    code = models.SlugField(max_length=40, unique=True)
    name = models.CharField(max_length=80)
    name_es = models.CharField(_("name, in Spanish"), max_length=80, blank=True)
    description = models.CharField(
        max_length=160, help_text=_("When to pick this one, in a few plain words.")
    )
    description_es = models.CharField(_("description, in Spanish"), max_length=160, blank=True)
    questionnaire = models.ForeignKey(Questionnaire, on_delete=models.PROTECT, related_name="request_types")
    clinical = models.BooleanField(
        default=True, help_text=_("Its answers are about health: billing and front desk don't see them.")
    )
    title_items = ArrayField(
        models.CharField(max_length=255),
        default=list,
        blank=True,
        help_text=_("The linkIds whose answers make the line that staff see first."),
    )
    subtitle_items = ArrayField(models.CharField(max_length=255), default=list, blank=True)
    confidential = models.BooleanField(
        default=False,
        help_text=_("What patients send themselves is kept from those who act for them, e.g. sexual health."),
    )
    position = models.PositiveSmallIntegerField(default=100)
    retired_at = models.DateTimeField(null=True, blank=True)

    objects = RequestTypeQuerySet.as_manager()

    class Meta:
        ordering = ["position", "name"]

    def __str__(self) -> str:
        return self.name

    @property
    def label(self) -> str:
        """The name in the reader's language."""
        return self.name_es if get_language() == "es" and self.name_es else self.name

    @property
    def hint(self) -> str:
        return self.description_es if get_language() == "es" and self.description_es else self.description


class DraftQuerySet(models.QuerySet["Draft"]):
    def reachable_by(self, user: User) -> DraftQuerySet:
        """The drafts this person began, for people they may still act for, or still care for where it is a call."""
        own = Q(channel=Draft.Channel.PORTAL, follow_up__isnull=True) & reachable(
            user, request_type="request_type__code"
        )
        answers = Q(follow_up__conversation__in=Conversation.objects.reachable_by(user).order_by())
        calls = Q(channel=Draft.Channel.PHONE, patient__in=Patient.objects.cared_for_by(user))
        return self.filter(own | calls | answers, author=user)


class Draft(Written):
    """A request that is being written. Answers are kept as they were typed, right or wrong, and are gone once sent."""

    class Channel(models.TextChoices):
        """As in a conversation's: staff write a phone draft down for a patient."""

        PORTAL = "portal", _("sent in the portal")
        PHONE = "phone", _("written down on the phone")

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    author = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.PROTECT, related_name="drafts")
    channel = models.CharField(max_length=10, choices=Channel, default=Channel.PORTAL)
    patient = models.ForeignKey(Patient, on_delete=models.PROTECT, related_name="drafts")
    request_type = models.ForeignKey(
        RequestType, null=True, blank=True, on_delete=models.PROTECT, related_name="drafts"
    )
    follow_up = models.ForeignKey(
        FollowUp,
        null=True,
        blank=True,
        on_delete=models.PROTECT,
        related_name="drafts",
        help_text=_("The question back that is being answered, in place of a request type."),
    )
    version = models.ForeignKey(Version, on_delete=models.PROTECT, related_name="drafts")
    raw = models.JSONField(default=dict, help_text=_("Field name to the list of texts as typed."))
    visited = ArrayField(models.CharField(max_length=255), default=list, blank=True)
    digests = ArrayField(
        models.CharField(max_length=64),
        default=list,
        db_default=[],
        editable=False,
        help_text=_(
            "Of its texts, as they were last read: sending looks their readings up beside the draft."
        ),
    )
    turns = models.JSONField(
        default=dict,
        editable=False,
        help_text=_("For each page as a browser got it: the number of its newest save that is kept."),
    )
    visit = models.UUIDField(
        null=True, blank=True, help_text=_("That of the request it is written beside: staff see both.")
    )
    notices = models.JSONField(
        default=list, help_text=_("Emergency notices shown while writing: code and time.")
    )
    confidential = models.BooleanField(
        default=False, help_text=_("Kept from everybody who acts for the patient.")
    )
    created_at = models.DateTimeField(default=now)
    updated_at = models.DateTimeField(default=now)

    fresh_notice = False  # whether the save just now brought up a notice

    objects = DraftQuerySet.as_manager()

    class Meta:
        ordering = ["-updated_at"]
        indexes = [models.Index(fields=["author", "-updated_at"], name="draft_of_author")]
        constraints = [
            models.CheckConstraint(
                condition=Q(request_type__isnull=False, follow_up__isnull=True)
                | Q(request_type__isnull=True, follow_up__isnull=False),
                name="draft_asks_or_answers",
            ),
            models.UniqueConstraint(
                fields=["author", "follow_up"],
                condition=Q(follow_up__isnull=False),
                name="draft_one_an_answer",
            ),
        ]

    def __str__(self) -> str:
        return f"draft {self.pk}"

    def is_open_to(self, user: User) -> bool:
        """Whether this person may still send it: what `reachable_by` says of this one row."""
        if self.author_id != user.pk:
            return False
        if (
            self.channel == Draft.Channel.PHONE
            and Patient.objects.cared_for_by(user).filter(pk=self.patient_id).exists()
        ):
            return True
        if self.follow_up is not None:
            return self.follow_up.conversation.is_reachable_by(user)
        return self.channel == Draft.Channel.PORTAL and reaches(
            user, self.patient, request_type=self.asks.code, confidential=self.confidential
        )

    @property
    def asks(self) -> RequestType:
        """The kind of request this is. Only for one that is no answer to a question back."""
        if self.request_type is None:
            raise TypeError("this draft answers a question back")
        return self.request_type

    @property
    def label(self) -> str:
        """What the patient reads above it: the request type, or the title of the question back."""
        if self.follow_up is not None:
            return self.follow_up.title
        return self.asks.label


class Submission(Written):
    """A questionnaire as a patient answered and sent it: the FHIR QuestionnaireResponse, never rewritten."""

    append_only = True

    draft_key = models.UUIDField(
        unique=True, help_text=_("The draft it was sent from: one draft, one submission.")
    )
    author = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.PROTECT, related_name="+")
    patient = models.ForeignKey(Patient, on_delete=models.PROTECT, related_name="submissions")
    request_type = models.ForeignKey(
        RequestType, null=True, blank=True, on_delete=models.PROTECT, related_name="submissions"
    )
    follow_up = models.OneToOneField(
        FollowUp,
        null=True,
        blank=True,
        on_delete=models.PROTECT,
        related_name="submission",
        help_text=_("The question back that it answers, in place of a request type."),
    )
    version = models.ForeignKey(Version, on_delete=models.PROTECT, related_name="submissions")
    response = models.JSONField()
    summary = models.JSONField(
        default=list, help_text=_("The answers as the patient reads them: label and value.")
    )
    received_at = models.DateTimeField(default=now)

    class Meta:
        indexes = [models.Index(fields=["patient", "-received_at"], name="submission_of_patient")]
        constraints = [
            models.CheckConstraint(
                condition=Q(request_type__isnull=False, follow_up__isnull=True)
                | Q(request_type__isnull=True, follow_up__isnull=False),
                name="submission_asks_or_answers",
            )
        ]

    def __str__(self) -> str:
        return f"submission {self.pk}"


# Part of this app, in a package of their own; they name the models above by string.
from intake.attachments.models import Attachment, AttachmentContent  # noqa: E402, F401
from intake.notices import Notice  # noqa: E402, F401
