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


class Approval(models.Model):
    """A clinician's word for exactly this safety stage and these promises of a draft."""

    ruleset = models.ForeignKey(Ruleset, on_delete=models.CASCADE, related_name="approvals")
    digest = models.CharField(max_length=64, help_text=_("SHA-256 of the safety stage and the promises."))
    by = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.PROTECT, related_name="+")
    at = models.DateTimeField(default=now)
    note = models.CharField(max_length=300, blank=True)

    class Meta:
        ordering = ["-at"]
        constraints = [
            models.UniqueConstraint(fields=["ruleset", "digest", "by"], name="approval_once_a_person")
        ]

    def __str__(self) -> str:
        return f"{self.by} approved ruleset {self.ruleset.number}"


class Proof(models.Model):
    """What was proven and refuted of exactly these rules and promises under exactly this catalogue."""

    class State(models.TextChoices):
        RUNNING = "running", _("being worked out")
        DONE = "done", _("done")
        FAILED = "failed", _("failed")

    ruleset = models.ForeignKey(Ruleset, on_delete=models.CASCADE, related_name="proofs")
    digest = models.CharField(max_length=64, help_text=_("SHA-256 of rules, promises, queues and catalogue."))
    state = models.CharField(max_length=10, choices=State, default=State.RUNNING)
    report = models.JSONField(default=dict)
    error = models.CharField(max_length=120, blank=True, help_text=_("The class of what went wrong."))
    seconds = models.FloatField(default=0)
    started_at = models.DateTimeField(default=now)

    class Meta:
        ordering = ["-started_at"]
        constraints = [models.UniqueConstraint(fields=["ruleset", "digest"], name="proof_once_a_digest")]

    def __str__(self) -> str:
        return f"proof of ruleset {self.ruleset.number}"


class Replay(models.Model):
    """Past decisions' facts decided again under a ruleset: counts, and the keys of the decisions that change."""

    class State(models.TextChoices):
        RUNNING = "running", _("running")
        DONE = "done", _("done")
        FAILED = "failed", _("failed")

    ruleset = models.ForeignKey(Ruleset, on_delete=models.CASCADE, related_name="replays")
    rules_digest = models.CharField(max_length=64, help_text=_("SHA-256 of the rules that were replayed."))
    since = models.DateTimeField()
    until = models.DateTimeField()
    state = models.CharField(max_length=10, choices=State, default=State.RUNNING)
    total = models.PositiveIntegerField(default=0)
    done = models.PositiveIntegerField(default=0)
    last_decision = models.BigIntegerField(default=0, help_text=_("How far it has come."))
    attempts = models.PositiveSmallIntegerField(default=0)
    result = models.JSONField(default=dict)
    seconds = models.FloatField(default=0)
    error = models.CharField(max_length=120, blank=True)
    by = models.ForeignKey(settings.AUTH_USER_MODEL, null=True, on_delete=models.PROTECT, related_name="+")
    started_at = models.DateTimeField(default=now)

    class Meta:
        ordering = ["-started_at"]

    def __str__(self) -> str:
        return f"replay {self.pk}"


class LostFlag(models.Model):
    """A past red flag that a draft would lose or lower. It keeps the draft from being published until a clinician
    accepts exactly this outcome for exactly this decision."""

    ruleset = models.ForeignKey(Ruleset, on_delete=models.CASCADE, related_name="lost_flags")
    decision = models.ForeignKey("triage.Decision", on_delete=models.PROTECT, related_name="+")
    urgency = models.PositiveSmallIntegerField(choices=Urgency, help_text=_("What the draft gives."))
    floor = models.PositiveSmallIntegerField(choices=Urgency)
    found_at = models.DateTimeField(default=now)
    accepted_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, null=True, on_delete=models.PROTECT, related_name="+"
    )
    accepted_at = models.DateTimeField(null=True)
    reason = models.CharField(max_length=300, blank=True)

    class Meta:
        ordering = ["decision"]
        constraints = [
            models.UniqueConstraint(
                fields=["ruleset", "decision", "urgency", "floor"], name="lost_flag_once_an_outcome"
            ),
            models.CheckConstraint(
                condition=Q(accepted_by__isnull=True, accepted_at__isnull=True)
                | Q(accepted_by__isnull=False, accepted_at__isnull=False) & ~Q(reason=""),
                name="lost_flag_accepted_with_a_reason",
            ),
        ]

    def __str__(self) -> str:
        return f"lost flag {self.pk}"


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
