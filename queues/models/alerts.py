"""Who stands in for whom, and what people were told of: notices in the app, alerts to another system."""

from __future__ import annotations

import uuid
from datetime import datetime, time

from django.conf import settings
from django.core.exceptions import ValidationError
from django.db import models
from django.db.models import Q
from django.utils.translation import gettext_lazy as _

from audit.now import now
from portal.people.models import User
from queues.models.places import Queue
from queues.models.tasks import Task


class CoverageQuerySet(models.QuerySet["Coverage"]):
    def of(self, queue: Queue) -> CoverageQuerySet:
        """Who may stand in for this queue today, by its own calendar's day; whether hours matter is the caller's
        question."""
        today = now().astimezone(queue.calendar.zone).date()
        return self.filter(
            Q(since__isnull=True) | Q(since__lte=today),
            Q(until__isnull=True) | Q(until__gte=today),
            queue=queue,
        )


class Coverage(models.Model):
    """Another queue, or a person, that takes over for a queue: while it is closed, or from one day to another. With
    `instead_of`, for one of its members who is away."""

    class When(models.TextChoices):
        OUT_OF_HOURS = "out-of-hours", _("while the queue is closed")
        DAYS = "days", _("from one day to another")

    queue = models.ForeignKey(Queue, on_delete=models.CASCADE, related_name="coverage")
    when = models.CharField(max_length=12, choices=When, default=When.OUT_OF_HOURS)
    covering_queue = models.ForeignKey(
        Queue, null=True, blank=True, on_delete=models.PROTECT, related_name="covers", verbose_name=_("queue")
    )
    person = models.ForeignKey(
        settings.AUTH_USER_MODEL,
        null=True,
        blank=True,
        on_delete=models.PROTECT,
        related_name="covers",
        verbose_name=_("or person"),
    )
    instead_of = models.ForeignKey(
        settings.AUTH_USER_MODEL,
        null=True,
        blank=True,
        on_delete=models.PROTECT,
        related_name="covered_by",
        help_text=_("One who is away: what only they would be told goes to the other as well."),
    )
    since = models.DateField(_("from"), null=True, blank=True)
    until = models.DateField(null=True, blank=True)

    objects = CoverageQuerySet.as_manager()

    class Meta:
        ordering = ["queue", "when", "since", "id"]
        verbose_name_plural = "coverage"
        constraints = [
            models.CheckConstraint(
                condition=Q(covering_queue__isnull=True, person__isnull=False)
                | Q(covering_queue__isnull=False, person__isnull=True),
                name="coverage_names_one",
                violation_error_message=_("Name a queue or a person, one of the two."),
            ),
            models.CheckConstraint(
                condition=Q(
                    when="days", since__isnull=False, until__isnull=False, until__gte=models.F("since")
                )
                | Q(when="out-of-hours"),
                name="coverage_has_its_days",
                violation_error_message=_("Name the first and the last day, in this order."),
            ),
            models.CheckConstraint(
                condition=Q(covering_queue__isnull=True) | ~Q(covering_queue=models.F("queue")),
                name="coverage_by_another",
                violation_error_message=_("A queue can't stand in for itself."),
            ),
        ]

    def __str__(self) -> str:
        return f"{self.queue}: {self.covering_queue or self.person}"

    def clean(self) -> None:
        if (
            self.person
            and self.queue_id
            and not (self.person.is_active and self.queue.role in self.person.roles)
        ):
            raise ValidationError(
                {"person": _("%(who)s doesn't have the role of this queue.") % {"who": self.person.signature}}
            )
        if self.instead_of and self.queue_id:
            self._clean_instead_of(self.instead_of)
        if self.covering_queue and self.covering_queue.retired_at:
            raise ValidationError({"covering_queue": _("That queue is retired.")})
        if self.covering_queue and self.queue_id and self.covering_queue.role != self.queue.role:
            raise ValidationError({"covering_queue": _("Its people don't have the role of this queue.")})

    def _clean_instead_of(self, away: User) -> None:
        """Both must work the queue: who is told of a task can open it then."""
        if self.person is None:
            raise ValidationError(
                {"person": _("Name the person who stands in for %(who)s.") % {"who": away.signature}}
            )
        for field, who in (("instead_of", away), ("person", self.person)):
            if not self.queue.members.user_set.filter(pk=who.pk).exists():
                raise ValidationError(
                    {
                        field: _("%(who)s doesn't work this queue. Make them a member first.")
                        % {"who": who.signature}
                    }
                )


class NoticeQuerySet(models.QuerySet["Notice"]):
    def unseen_by(self, user: User) -> NoticeQuerySet:
        return self.filter(recipient=user, seen_at__isnull=True)


class Notice(models.Model):
    """Something that one person is told, once. It names a kind, a task and a queue; the words come with the page."""

    class Kind(models.TextChoices):
        TAKE_UP = "take-up", _("urgent: take it up")
        ASKED = "asked", _("a question for a physician")
        ASKED_URGENTLY = "asked-urgently", _("an urgent question for a physician")
        HALF = "half", _("half of its time is over")
        NEARLY = "nearly", _("most of its time is over")
        LATE = "late", _("late")
        STILL_LATE = "still-late", _("late, and you cover")
        COVERED = "covered", _("you cover for it")
        HANDED_AROUND = "handed-around", _("handed over three times")
        FELL_ASLEEP = "fell-asleep", _("back in the queue")
        WAIT_OVER = "wait-over", _("the patient did not answer")
        CALL = "call", _("call the patient")
        NEVER_OPENS = "never-opens", _("in a queue that never opens")
        UNSTAFFED = "unstaffed", _("a queue without people")
        UNCOVERED = "uncovered", _("a queue without round-the-clock coverage")

    URGENT = (Kind.TAKE_UP, Kind.ASKED_URGENTLY, Kind.CALL)

    recipient = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.PROTECT, related_name="notices")
    kind = models.CharField(max_length=20, choices=Kind)
    task = models.ForeignKey(Task, null=True, blank=True, on_delete=models.PROTECT, related_name="notices")
    queue = models.ForeignKey(Queue, null=True, blank=True, on_delete=models.PROTECT, related_name="notices")
    round = models.CharField(
        max_length=20, help_text=_("Which time it is told: the promise's or alert's number.")
    )
    at = models.DateTimeField(default=now)
    seen_at = models.DateTimeField(null=True, blank=True)

    objects = NoticeQuerySet.as_manager()

    class Meta:
        ordering = ["-at", "-id"]
        indexes = [
            models.Index(fields=["recipient", "-at"], name="notice_of_person"),
            models.Index(fields=["recipient"], name="notice_unseen", condition=Q(seen_at__isnull=True)),
        ]
        constraints = [
            models.UniqueConstraint(
                fields=["recipient", "kind", "task", "queue", "round"],
                name="notice_told_once",
                nulls_distinct=False,
            )
        ]

    def __str__(self) -> str:
        return f"{self.kind} notice {self.pk}"

    @property
    def local(self) -> datetime:
        """When it was told, on the wall clock of its queue."""
        return self.at.astimezone(self.queue.calendar.zone) if self.queue else self.at

    @property
    def is_urgent(self) -> bool:
        return self.kind in self.URGENT


class Quiet(models.Model):
    """How one person wants to be told: hours without mail, and a daily digest in place of a mail each. What is urgent
    comes at any hour."""

    user = models.OneToOneField(settings.AUTH_USER_MODEL, on_delete=models.CASCADE, related_name="quiet")
    quiet_from = models.TimeField(_("no mail from"), null=True, blank=True)
    quiet_until = models.TimeField(_("until"), null=True, blank=True)
    digest = models.BooleanField(
        _("one mail a day"), default=True, help_text=_("In place of one for each question or notice.")
    )
    digest_at = models.TimeField(_("at"), default=time(7, 30))
    digested_on = models.DateField(null=True, blank=True, editable=False)

    class Meta:
        verbose_name_plural = "quiet hours"
        constraints = [
            models.CheckConstraint(
                condition=Q(quiet_from__isnull=True, quiet_until__isnull=True)
                | Q(quiet_from__isnull=False, quiet_until__isnull=False)
                & ~Q(quiet_from=models.F("quiet_until")),
                name="quiet_has_both_ends",
                violation_error_message=_("Quiet hours need a beginning and an end."),
            )
        ]

    def __str__(self) -> str:
        return f"quiet hours of {self.user}"


class Alert(models.Model):
    """An urgent alert on its way to another system (an outbox): kind, queue, reference, link, and no patient data."""

    class State(models.TextChoices):
        PENDING = "pending", _("waiting to be sent")
        SENT = "sent", _("sent")
        FAILED = "failed", _("given up")

    MAX_ATTEMPTS = 8

    key = models.UUIDField(default=uuid.uuid4, unique=True)
    payload = models.JSONField()
    state = models.CharField(max_length=10, choices=State, default=State.PENDING)
    created_at = models.DateTimeField(default=now)
    not_before = models.DateTimeField(default=now)
    attempts = models.PositiveSmallIntegerField(default=0)
    sent_at = models.DateTimeField(null=True, blank=True)
    last_error = models.CharField(max_length=80, blank=True)

    class Meta:
        indexes = [models.Index(fields=["not_before"], name="alert_due", condition=Q(state="pending"))]

    def __str__(self) -> str:
        return f"alert {self.pk}"
