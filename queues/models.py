from __future__ import annotations

import uuid
from datetime import datetime

from django.conf import settings
from django.contrib.auth.models import Group
from django.contrib.postgres.fields import ArrayField
from django.core.validators import MinValueValidator
from django.db import models
from django.db.models import F, Q
from django.utils.translation import gettext_lazy as _
from guardian.models import GroupObjectPermissionBase, UserObjectPermissionBase

from audit.now import now
from portal.people.models import Calendar, Facility, Patient, User
from portal.people.roles import Role
from queues import clock
from queues.states import DONE, LIVE, OWNED, State
from queues.urgency import Urgency


class QueueQuerySet(models.QuerySet["Queue"]):
    def live(self) -> QueueQuerySet:
        return self.filter(retired_at__isnull=True)

    def worked_by(self, user: User) -> QueueQuerySet:
        """Queues that this person was granted through a group. Being a superuser grants none."""
        granted = QueueGroupPermission.objects.filter(
            group__user=user, permission__codename="work_queue"
        ).values("content_object")
        return self.live().filter(pk__in=granted)


class Queue(models.Model):
    """Where tasks of one kind wait for one role, at a facility or in a central team that serves all of them."""

    code = models.SlugField(
        max_length=40,
        help_text=_("The kind of queue, as rules name it; the patient's facility picks which one."),
    )
    name = models.CharField(max_length=80)
    team = models.CharField(
        max_length=80, help_text=_("Who answers, as patients read it: “the nursing team”.")
    )
    team_es = models.CharField(_("team, in Spanish"), max_length=80, blank=True)
    role = models.CharField(max_length=20, choices=Role)
    facility = models.ForeignKey(
        Facility,
        null=True,
        blank=True,
        on_delete=models.PROTECT,
        related_name="queues",
        help_text=_("Empty: the central team's, for every facility that has none of its own."),
    )
    calendar = models.ForeignKey(Calendar, on_delete=models.PROTECT, related_name="queues")
    members = models.OneToOneField(Group, on_delete=models.PROTECT, editable=False, related_name="queue")
    retired_at = models.DateTimeField(null=True, blank=True, editable=False)

    objects = QueueQuerySet.as_manager()

    class Meta:
        ordering = ["role", "name", "facility"]
        permissions = [("work_queue", "Can work this queue")]
        constraints = [
            models.UniqueConstraint(
                fields=["code", "facility"],
                condition=Q(retired_at__isnull=True),
                name="queue_once_a_facility",
                nulls_distinct=False,
                violation_error_message=_("There is a live queue of this kind here already."),
            )
        ]

    def __str__(self) -> str:
        return f"{self.name}, {self.facility}" if self.facility_id else self.name

    @property
    def place(self) -> str:
        return self.facility.name if self.facility else str(_("Central"))

    def team_in(self, language: str) -> str:
        return self.team_es if language == "es" and self.team_es else self.team

    def hours(self) -> clock.Hours:
        calendar = self.calendar
        return clock.Hours.parse(
            calendar.time_zone, calendar.hours, [closure.day for closure in calendar.closures.all()]
        )

    def due(self, urgency: Urgency, start: datetime) -> tuple[datetime, datetime]:
        """When the first answer and the outcome are due for a task of this urgency that came in at `start`."""
        target = next((row for row in self.targets.all() if row.urgency == urgency), None)
        respond, resolve = (target.respond, target.resolve) if target else DEFAULT_TARGETS[urgency]
        hours, urgent = self.hours(), urgency == Urgency.URGENT
        return clock.due(hours, start, respond, urgent=urgent), clock.due(
            hours, start, resolve, urgent=urgent
        )


# Minutes to the first answer and to the outcome where a queue names no target of its own. Urgent ones are
# wall-clock minutes, the others count the queue's open hours.
DEFAULT_TARGETS = {
    Urgency.ROUTINE: (8 * 60, 16 * 60),
    Urgency.SOON: (4 * 60, 8 * 60),
    Urgency.URGENT: (60, 4 * 60),
}


class QueueGroupPermission(GroupObjectPermissionBase):
    """guardian's grants on queues, in a table of their own with a real foreign key."""

    content_object = models.ForeignKey(Queue, on_delete=models.CASCADE)


class QueueUserPermission(UserObjectPermissionBase):
    """Nobody works a queue but through its group; guardian wants the table beside the other."""

    content_object = models.ForeignKey(Queue, on_delete=models.CASCADE)


class ServiceTarget(models.Model):
    """How long a queue may take at one urgency, in minutes of its open hours (wall clock when urgent)."""

    queue = models.ForeignKey(Queue, on_delete=models.CASCADE, related_name="targets")
    urgency = models.PositiveSmallIntegerField(choices=Urgency)
    respond = models.PositiveIntegerField(_("minutes to the first answer"), validators=[MinValueValidator(1)])
    resolve = models.PositiveIntegerField(_("minutes to the outcome"), validators=[MinValueValidator(1)])

    class Meta:
        ordering = ["-urgency"]
        constraints = [
            models.UniqueConstraint(
                fields=["queue", "urgency"],
                name="target_once_an_urgency",
                violation_error_message=_("This urgency has a target already."),
            ),
            models.CheckConstraint(
                condition=Q(respond__gte=1, resolve__gte=F("respond")),
                name="target_answers_before_it_resolves",
                violation_error_message=_("The outcome can't be due before the first answer."),
            ),
        ]

    def __str__(self) -> str:
        return f"{self.queue}: {self.get_urgency_display()}"


class Outcome(models.Model):
    """How a request ended, as a code that can be counted and filed."""

    code = models.SlugField(max_length=40, unique=True)
    label = models.CharField(max_length=80)
    patient_text = models.CharField(max_length=200, help_text=_("What the patient reads as the result."))
    patient_text_es = models.CharField(max_length=200, blank=True)
    roles = ArrayField(
        models.CharField(max_length=20, choices=Role),
        help_text=_("Who may choose it, as role codes with commas."),
    )
    position = models.PositiveSmallIntegerField(default=100)
    retired = models.BooleanField(default=False)

    class Meta:
        ordering = ["position", "label"]

    def __str__(self) -> str:
        return self.label

    def text_in(self, language: str) -> str:
        return self.patient_text_es if language == "es" and self.patient_text_es else self.patient_text


class ConversationQuerySet(models.QuerySet["Conversation"]):
    def reachable_by(self, user: User) -> ConversationQuerySet:
        """Conversations about the patients this user may act for."""
        return self.filter(patient__in=Patient.objects.reachable_by(user).order_by())


class Conversation(models.Model):
    """One request of a patient and everything said about it, whoever works on it."""

    patient = models.ForeignKey(Patient, on_delete=models.PROTECT, related_name="conversations")
    author = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.PROTECT, related_name="+")
    submission = models.OneToOneField(
        "intake.Submission", null=True, blank=True, on_delete=models.PROTECT, related_name="conversation"
    )
    request_type = models.SlugField(max_length=40)
    subject = models.CharField(max_length=120, help_text=_("The request type as the patient chose it."))
    clinical = models.BooleanField(help_text=_("Whether its answers and messages are about health."))
    opened_at = models.DateTimeField(default=now)

    objects = ConversationQuerySet.as_manager()

    class Meta:
        ordering = ["-opened_at"]
        indexes = [models.Index(fields=["patient", "-opened_at"], name="conversation_of_patient")]

    def __str__(self) -> str:
        return self.reference

    def get_absolute_url(self) -> str:
        return f"/requests/{self.pk}/"

    @property
    def reference(self) -> str:
        """What patient and staff call it on the phone."""
        return f"R-{10000 + self.pk}"


class TaskQuerySet(models.QuerySet["Task"]):
    def visible_to(self, user: User) -> TaskQuerySet:
        """Tasks in the queues this person works, and those with a question to one of them."""
        queues = Queue.objects.worked_by(user).order_by().values("pk")
        return self.filter(Q(queue__in=queues) | Q(asked_queue__in=queues))

    def live(self) -> TaskQuerySet:
        return self.filter(state__in=LIVE)

    def in_queue(self, queue: Queue) -> TaskQuerySet:
        """Live tasks that wait in this queue, and those whose open question waits there."""
        return self.live().filter(Q(queue=queue) | Q(asked_queue=queue))

    def due_first(self) -> TaskQuerySet:
        return self.order_by("due_at", "pk")

    def late(self) -> TaskQuerySet:
        return self.live().exclude(state=State.WAITING).filter(due_at__lt=now())


class Task(models.Model):
    """A piece of work in exactly one queue, with at most one owner and a clock."""

    conversation = models.ForeignKey(Conversation, on_delete=models.PROTECT, related_name="tasks")
    queue = models.ForeignKey(Queue, on_delete=models.PROTECT, related_name="tasks")
    decision = models.ForeignKey(
        "triage.Decision", null=True, blank=True, on_delete=models.PROTECT, related_name="tasks"
    )
    state = models.CharField(max_length=12, choices=State, default=State.OPEN)
    owner = models.ForeignKey(
        settings.AUTH_USER_MODEL, null=True, blank=True, on_delete=models.PROTECT, related_name="tasks"
    )
    urgency = models.PositiveSmallIntegerField(choices=Urgency, default=Urgency.ROUTINE)
    floor = models.PositiveSmallIntegerField(
        choices=Urgency,
        default=Urgency.ROUTINE,
        help_text=_("Set by red flags; the urgency is never below it."),
    )
    tags = ArrayField(models.CharField(max_length=40), default=list, blank=True)
    title = models.CharField(max_length=200)
    plain_title = models.CharField(max_length=200, help_text=_("For roles that see nothing about health."))
    subtitle = models.CharField(max_length=300, blank=True)
    summary = models.JSONField(
        default=list, help_text=_("The answers as lines: label, value, clinical, odd.")
    )
    flags = models.JSONField(default=list, help_text=_("Red flags found: label, reason, urgency."))
    why = models.JSONField(
        default=list, help_text=_("Why it came here, as sentences, with the ruleset's number last.")
    )
    screened = models.BooleanField(
        default=True, help_text=_("False when some text or file could not be read.")
    )

    opened_at = models.DateTimeField(default=now)
    entered_queue_at = models.DateTimeField(default=now)
    claimed_at = models.DateTimeField(null=True, blank=True)
    respond_due = models.DateTimeField(help_text=_("When the first answer is promised to the patient."))
    resolve_due = models.DateTimeField()
    due_at = models.DateTimeField(help_text=_("What is due next: the first answer, then the outcome."))
    responded_at = models.DateTimeField(null=True, blank=True)
    waiting_since = models.DateTimeField(null=True, blank=True)
    resolved_at = models.DateTimeField(null=True, blank=True)
    outcome = models.ForeignKey(Outcome, null=True, blank=True, on_delete=models.PROTECT, related_name="+")
    minutes_spent = models.PositiveSmallIntegerField(null=True, blank=True)
    asked_queue = models.ForeignKey(
        Queue,
        null=True,
        blank=True,
        on_delete=models.PROTECT,
        related_name="asked_tasks",
        help_text=_("Where the open question to a physician waits."),
    )
    version = models.PositiveIntegerField(
        default=1, help_text=_("Counts every change, so that a stale page is told.")
    )

    objects = TaskQuerySet.as_manager()

    class Meta:
        indexes = [
            models.Index(
                fields=["queue", "due_at", "id"], name="task_due_in_queue", condition=Q(state__in=LIVE)
            ),
            models.Index(
                fields=["asked_queue", "due_at", "id"],
                name="task_asked",
                condition=Q(asked_queue__isnull=False),
            ),
            models.Index(fields=["owner", "due_at"], name="task_of_owner", condition=Q(state__in=LIVE)),
        ]
        constraints = [
            models.CheckConstraint(
                condition=Q(urgency__gte=F("floor")),
                name="task_urgency_not_below_red_flag",
                violation_error_message=_("A red flag set this urgency; it can't be lowered."),
            ),
            models.CheckConstraint(
                condition=Q(state__in=OWNED, owner__isnull=False)
                | Q(state=State.OPEN, owner__isnull=True)
                | Q(state__in=DONE),
                name="task_owner_fits_state",
            ),  # fmt: skip
            models.CheckConstraint(
                condition=Q(state=State.RESOLVED, resolved_at__isnull=False, outcome__isnull=False)
                | ~Q(state=State.RESOLVED) & Q(resolved_at__isnull=True, outcome__isnull=True),
                name="task_resolved_has_outcome",
            ),
            models.CheckConstraint(
                condition=Q(state=State.ESCALATED, asked_queue__isnull=False)
                | ~Q(state=State.ESCALATED) & Q(asked_queue__isnull=True),
                name="task_escalated_asks_a_queue",
            ),
            models.CheckConstraint(
                condition=Q(state=State.WAITING, waiting_since__isnull=False)
                | ~Q(state=State.WAITING) & Q(waiting_since__isnull=True),
                name="task_waiting_since",
            ),
            models.CheckConstraint(
                condition=~Q(state=State.WAITING) | Q(urgency__lt=Urgency.URGENT),
                name="task_urgent_never_waits",
                violation_error_message=_("An urgent task's clock never stops."),
            ),
            models.CheckConstraint(
                condition=Q(respond_due__lte=F("resolve_due")), name="task_answer_due_before_outcome"
            ),
        ]

    def __str__(self) -> str:
        return f"task {self.pk}"

    def get_absolute_url(self) -> str:
        return f"/work/tasks/{self.pk}/"

    @property
    def is_live(self) -> bool:
        return self.state in LIVE

    @property
    def is_late(self) -> bool:
        return self.is_live and self.state != State.WAITING and self.due_at < now()


class Step(models.Model):
    """One change of a task: which verb, from which state to which, by whom. The task's history; never rewritten."""

    append_only = True

    task = models.ForeignKey(Task, on_delete=models.PROTECT, related_name="steps")
    verb = models.CharField(max_length=30)
    before = models.CharField(max_length=12, choices=State, blank=True)
    after = models.CharField(max_length=12, choices=State)
    queue = models.ForeignKey(Queue, on_delete=models.PROTECT, related_name="+")
    by = models.ForeignKey(
        settings.AUTH_USER_MODEL, null=True, blank=True, on_delete=models.PROTECT, related_name="+"
    )
    at = models.DateTimeField(default=now)
    note = models.TextField(blank=True, max_length=2000)

    class Meta:
        ordering = ["id"]

    def __str__(self) -> str:
        return f"{self.verb} task {self.task_id}"


class Message(models.Model):
    """Something said to the other side. What was sent is never rewritten."""

    conversation = models.ForeignKey(Conversation, on_delete=models.PROTECT, related_name="messages")
    task = models.ForeignKey(Task, null=True, blank=True, on_delete=models.PROTECT, related_name="messages")
    author = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.PROTECT, related_name="+")
    from_patient = models.BooleanField()
    body = models.TextField(max_length=10_000)
    sent_at = models.DateTimeField(default=now)
    read_at = models.DateTimeField(null=True, blank=True, help_text=_("When the patient's side opened it."))

    class Meta:
        ordering = ["sent_at", "id"]
        constraints = [models.CheckConstraint(condition=~Q(body=""), name="message_says_something")]

    def __str__(self) -> str:
        return f"message {self.pk}"


class Escalation(models.Model):
    """A question to a physician about a task that the asker keeps: situation, background, assessment, need (SBAR)."""

    task = models.ForeignKey(Task, on_delete=models.PROTECT, related_name="escalations")
    queue = models.ForeignKey(Queue, on_delete=models.PROTECT, related_name="escalations")
    asked_by = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.PROTECT, related_name="+")
    asked_at = models.DateTimeField(default=now)
    situation = models.TextField(max_length=2000)
    question = models.TextField(max_length=1000)
    options = ArrayField(models.CharField(max_length=120), default=list, blank=True)
    answer = models.TextField(max_length=2000, blank=True)
    answered_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, null=True, blank=True, on_delete=models.PROTECT, related_name="+"
    )
    answered_at = models.DateTimeField(null=True, blank=True)

    class Meta:
        ordering = ["asked_at"]
        constraints = [
            models.UniqueConstraint(
                fields=["task"],
                condition=Q(answered_at__isnull=True),
                name="escalation_one_open_question",
                violation_error_message=_("A question about this task is open already."),
            ),
            models.CheckConstraint(
                condition=Q(answered_at__isnull=True, answered_by__isnull=True, answer="")
                | Q(answered_at__isnull=False, answered_by__isnull=False) & ~Q(answer=""),
                name="escalation_answered_whole",
            ),
        ]

    def __str__(self) -> str:
        return f"escalation {self.pk}"


class Filing(models.Model):
    """A document on its way to the patient's record (an outbox): written when a task is resolved, filed once."""

    class State(models.TextChoices):
        PENDING = "pending", _("not yet in the chart")
        FILED = "filed", _("in the chart")
        FAILED = "failed", _("could not be filed")

    key = models.UUIDField(
        default=uuid.uuid4, unique=True, help_text=_("Names the document at the record server.")
    )
    task = models.ForeignKey(Task, on_delete=models.PROTECT, related_name="filings")
    document = models.JSONField(help_text=_("The exchange as FHIR resources."))
    state = models.CharField(max_length=10, choices=State, default=State.PENDING)
    created_at = models.DateTimeField(default=now)
    not_before = models.DateTimeField(default=now)
    attempts = models.PositiveSmallIntegerField(default=0)
    filed_at = models.DateTimeField(null=True, blank=True)
    last_error = models.CharField(max_length=80, blank=True)

    class Meta:
        indexes = [models.Index(fields=["not_before"], name="filing_due", condition=Q(state="pending"))]

    def __str__(self) -> str:
        return f"filing {self.pk}"
