"""What was decided, and what decisions rest on: readings of texts, and the fields of the live questionnaires."""

from __future__ import annotations

from django.db import models
from django.db.models import Q
from django.utils.translation import gettext_lazy as _

from audit.now import now
from audit.statements import Written
from queues.urgency import Urgency
from triage.models.rules import Ruleset


class Decision(Written):
    """What a ruleset decided about one set of facts, with every rule it tried. Never rewritten."""

    append_only = True

    ruleset = models.ForeignKey(
        Ruleset,
        on_delete=models.PROTECT,
        related_name="decisions",
        db_index=False,  # decision_of_ruleset
    )
    submission = models.ForeignKey(
        "intake.Submission", null=True, on_delete=models.PROTECT, related_name="decisions"
    )
    message = models.OneToOneField(
        "queues.Message",
        null=True,
        on_delete=models.PROTECT,
        related_name="decision",
        help_text=_("The later message whose words it was about; empty: the words of the submission."),
    )
    decided_at = models.DateTimeField(default=now)
    facts = models.JSONField()
    queue = models.SlugField(max_length=40, db_index=False)
    urgency = models.PositiveSmallIntegerField(choices=Urgency)
    floor = models.PositiveSmallIntegerField(choices=Urgency)
    result = models.JSONField(help_text=_("The whole decision with its trace, as the engine gave it."))

    class Meta:
        indexes = [
            models.Index(fields=["ruleset", "decided_at"], name="decision_of_ruleset"),
            models.Index(
                fields=["decided_at"], name="decision_with_red_flag", condition=Q(floor=Urgency.URGENT)
            ),
        ]

    def __str__(self) -> str:
        return f"decision {self.pk}"


class TextReading(models.Model):
    """The red flags found in one text, kept by the text's hash, so that a text is read once and submit looks it up."""

    digest = models.CharField(
        max_length=64, help_text=_("SHA-256 of signals version, language and text."), unique=True
    )
    result = models.JSONField()
    read_at = models.DateTimeField(default=now)

    def __str__(self) -> str:
        return f"reading {self.pk}"


class AnswerSource(models.Model):
    """The typed fields of a live questionnaire, left here by intake when it publishes one, for rules to test."""

    code = models.SlugField(max_length=60, unique=True, help_text=_("The questionnaire's code."))
    title = models.CharField(max_length=120)
    request_types = models.JSONField(help_text=_("Pairs of code and name of the request types that ask it."))
    fields = models.JSONField(help_text=_("The fields as the rule catalogue reads them."))
    updated_at = models.DateTimeField(default=now)

    def __str__(self) -> str:
        return self.title
