"""What is known of a version before it decides: approvals, proofs, replays, and the red flags that it would lose."""

from __future__ import annotations

from django.conf import settings
from django.db import models
from django.db.models import Q
from django.utils.translation import gettext_lazy as _

from audit.now import now
from queues.urgency import Urgency
from triage.models.rules import Ruleset


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
