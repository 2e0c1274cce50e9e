"""The rules: numbered versions of them, each with its rules and its promises."""

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

    def published_before(self) -> RulesetQuerySet:
        """Those that decided once. A baseline never did."""
        return self.filter(status=Ruleset.Status.RETIRED, baseline=False)


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
    signals_version = models.CharField(
        max_length=40, blank=True, editable=False, help_text=_("The signals that its rules were written for.")
    )
    baseline = models.BooleanField(
        default=False,
        editable=False,
        help_text=_("Written down to compare with; it never decides."),
    )
    authors = models.ManyToManyField(
        settings.AUTH_USER_MODEL,
        blank=True,
        editable=False,
        related_name="+",
        help_text=_("Who began it or changed something in it; they can't approve it."),
    )
    prove_asked = models.BooleanField(
        default=False, editable=False, help_text=_("A worker was asked to prove it and has not begun.")
    )
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
            models.CheckConstraint(
                condition=Q(baseline=False) | Q(status="retired"),
                name="ruleset_baseline_never_decides",
                violation_error_message=_("A baseline is kept to compare with; it can't decide."),
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
    name = models.CharField(max_length=120)
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
    category = models.CharField(max_length=120, blank=True)
    respond_within = models.PositiveIntegerField(
        null=True,
        blank=True,
        help_text=_("Minutes to the first answer, where the queue's own target is too long."),
    )
    tags = ArrayField(models.CharField(max_length=120), default=list, blank=True)
    advice = models.TextField(
        blank=True, help_text=_("What the patient reads after sending, one advice a line.")
    )
    protocol = models.CharField(max_length=120, blank=True, help_text=_("The code of a protocol to follow."))
    ask_back = models.TextField(
        blank=True, help_text=_("What to ask the patient before anything else, one question a line.")
    )
    note = models.TextField(blank=True, help_text=_("Why this rule exists."))
    version = models.PositiveIntegerField(
        default=1, editable=False, help_text=_("Counts every change, so that a stale form is told.")
    )
    changed_at = models.DateTimeField(default=now, editable=False)
    changed_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, null=True, on_delete=models.PROTECT, related_name="+", editable=False
    )

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
            "advice": self.advice.splitlines(),
            "protocol": self.protocol,
            "ask_back": self.ask_back.splitlines(),
        }
        return {
            "name": self.name,
            "stage": self.stage,
            "when": self.when,
            "then": {name: value for name, value in then.items() if value},
            "note": self.note,
        }


class Promise(models.Model):
    """What must never happen, whatever the rules: whenever the one condition is true, the other is never.

    Built-in ones hold for every ruleset and can't be changed; all others belong to a version, as rules do.
    """

    ruleset = models.ForeignKey(
        Ruleset, null=True, blank=True, on_delete=models.CASCADE, related_name="promises"
    )
    built_in = models.BooleanField(default=False, editable=False)
    name = models.CharField(max_length=120)
    whenever = models.JSONField(
        help_text=_(
            'The requests it is about, e.g. {"field": "signal.emergency", "op": "is", "value": true}.'
        )
    )
    never = models.JSONField(
        help_text=_(
            "What is never true of those, e.g. "
            '{"field": "decision.urgency", "op": "lt", "value": "urgent"}. '
            "The code @clinical stands for every queue that clinical roles work."
        )
    )
    note = models.TextField(blank=True, help_text=_("Why this is promised."))
    version = models.PositiveIntegerField(default=1, editable=False)
    changed_at = models.DateTimeField(default=now, editable=False)
    changed_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, null=True, on_delete=models.PROTECT, related_name="+", editable=False
    )

    class Meta:
        ordering = ["-built_in", "name"]
        constraints = [
            models.UniqueConstraint(
                fields=["ruleset", "name"],
                name="promise_name_once",
                nulls_distinct=False,
                violation_error_message=_("Another promise of this ruleset has this name."),
            ),
            models.CheckConstraint(
                condition=Q(built_in=True, ruleset__isnull=True) | Q(built_in=False, ruleset__isnull=False),
                name="promise_built_in_or_of_a_ruleset",
                violation_error_message=_("A promise belongs to a ruleset, unless it is built in."),
            ),
        ]

    def __str__(self) -> str:
        return self.name

    def as_data(self) -> dict[str, Any]:
        """The promise as the proofs read it."""
        told = {"name": self.name, "whenever": self.whenever, "never": self.never}
        return told | ({"note": self.note} if self.note else {})
