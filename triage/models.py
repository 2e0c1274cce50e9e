from __future__ import annotations

from typing import Any

from django.conf import settings
from django.contrib.postgres.fields import ArrayField
from django.db import models
from django.db.models import Q
from django.utils.translation import gettext_lazy as _

from audit.now import now
from queues.urgency import Urgency


class RulesetQuerySet(models.QuerySet["Ruleset"]):
    def published(self) -> RulesetQuerySet:
        return self.filter(status=Ruleset.Status.PUBLISHED)

    def in_order_of_trust(self) -> RulesetQuerySet:
        """The published ruleset, then those it replaced, newest first: what decides if a newer one can't be read."""
        return self.exclude(status=Ruleset.Status.DRAFT).order_by(
            models.Case(models.When(status=Ruleset.Status.PUBLISHED, then=0), default=1), "-published_at"
        )


class Ruleset(models.Model):
    """A numbered version of all rules. Only a draft can be edited; exactly one is published and decides."""

    class Status(models.TextChoices):
        DRAFT = "draft", _("draft")
        PUBLISHED = "published", _("published")
        RETIRED = "retired", _("retired")

    number = models.PositiveIntegerField(unique=True)
    status = models.CharField(max_length=10, choices=Status, default=Status.DRAFT)
    fallback = models.SlugField(
        max_length=40,
        default="triage",
        help_text=_("The queue for a request that no assignment rule matched."),
    )
    note = models.CharField(max_length=300, blank=True, help_text=_("Why this version exists."))
    created_at = models.DateTimeField(default=now, editable=False)
    created_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, null=True, on_delete=models.PROTECT, related_name="+", editable=False
    )
    published_at = models.DateTimeField(null=True, blank=True, editable=False)
    published_by = models.ForeignKey(
        settings.AUTH_USER_MODEL,
        null=True,
        blank=True,
        on_delete=models.PROTECT,
        related_name="+",
        editable=False,
    )

    objects = RulesetQuerySet.as_manager()

    class Meta:
        ordering = ["-number"]
        constraints = [
            models.UniqueConstraint(
                fields=["status"],
                condition=Q(status="published"),
                name="ruleset_one_published",
                violation_error_message=_("Another ruleset is published."),
            ),
            models.UniqueConstraint(
                fields=["status"],
                condition=Q(status="draft"),
                name="ruleset_one_draft",
                violation_error_message=_("There is a draft already: finish it or discard it first."),
            ),
            models.CheckConstraint(
                condition=Q(status="draft", published_at__isnull=True)
                | ~Q(status="draft") & Q(published_at__isnull=False),
                name="ruleset_published_has_a_time",
            ),
        ]

    def __str__(self) -> str:
        return f"Ruleset {self.number} ({self.get_status_display()})"


class Rule(models.Model):
    """One rule: when its condition holds for a request's facts, its outcomes apply."""

    class Stage(models.TextChoices):
        SAFETY = "safety", _("1 safety: all that match; what they raise stays raised")
        CATEGORY = "category", _("2 category: the first that matches")
        ASSIGNMENT = "assignment", _("3 assignment: the first that matches picks the queue")
        PRIORITY = "priority", _("4 priority: all that match; the most urgent counts")

    ruleset = models.ForeignKey(Ruleset, on_delete=models.CASCADE, related_name="rules")
    stage = models.CharField(max_length=12, choices=Stage)
    position = models.PositiveIntegerField(default=100, help_text=_("Order within the stage."))
    name = models.CharField(max_length=100)
    when = models.JSONField(
        help_text=_(
            'The condition, e.g. {"all": [{"field": "request.type", "op": "is", "value": "refill"}, …]}. '
            "Use all, any, not, or field with op and value."
        )
    )
    queue = models.SlugField(max_length=40, blank=True, help_text=_("The kind of queue it goes to."))
    urgency = models.CharField(
        max_length=10, blank=True, choices=[(level.word, level.label) for level in Urgency]
    )
    category = models.SlugField(max_length=40, blank=True)
    respond_within = models.PositiveIntegerField(
        null=True,
        blank=True,
        help_text=_("Minutes to the first answer, where the queue's own target is too long."),
    )
    tags = ArrayField(models.CharField(max_length=40), default=list, blank=True)
    advice = models.CharField(
        max_length=300, blank=True, help_text=_("What the patient reads after sending.")
    )
    note = models.CharField(max_length=300, blank=True, help_text=_("Why this rule exists."))

    class Meta:
        ordering = [
            models.Case(*(models.When(stage=stage, then=n) for n, stage in enumerate(
                ["safety", "category", "assignment", "priority"]))),
            "position",
            "pk",
        ]  # fmt: skip
        constraints = [
            models.UniqueConstraint(
                fields=["ruleset", "name"],
                name="rule_name_once",
                violation_error_message=_("Another rule of this ruleset has this name."),
            )
        ]

    def __str__(self) -> str:
        return self.name

    def as_data(self) -> dict[str, Any]:
        """The rule as the engine reads it."""
        then = {
            "queue": self.queue,
            "urgency": self.urgency,
            "category": self.category,
            "respond_within": self.respond_within,
            "tags": self.tags,
            "advice": [self.advice] if self.advice else [],
        }
        return {
            "name": self.name,
            "stage": self.stage,
            "when": self.when,
            "then": {name: value for name, value in then.items() if value},
            "note": self.note,
        }


class Decision(models.Model):
    """What a ruleset decided about one set of facts, with every rule it tried. Never rewritten."""

    append_only = True

    ruleset = models.ForeignKey(Ruleset, on_delete=models.PROTECT, related_name="decisions")
    submission = models.ForeignKey(
        "intake.Submission", null=True, on_delete=models.PROTECT, related_name="decisions"
    )
    decided_at = models.DateTimeField(default=now)
    facts = models.JSONField()
    queue = models.SlugField(max_length=40)
    urgency = models.PositiveSmallIntegerField(choices=Urgency)
    floor = models.PositiveSmallIntegerField(choices=Urgency)
    result = models.JSONField(help_text=_("The whole decision with its trace, as the engine gave it."))

    class Meta:
        indexes = [models.Index(fields=["ruleset", "decided_at"], name="decision_of_ruleset")]

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
