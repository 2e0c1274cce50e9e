"""The work on a request."""

from __future__ import annotations

from django.conf import settings
from django.contrib.postgres.fields import ArrayField
from django.db import models
from django.db.models import F, Q
from django.utils.translation import gettext_lazy as _

from audit.now import now
from audit.statements import Written
from portal.people.models import User
from queues.models.conversations import Conversation
from queues.models.places import Outcome, Queue
from queues.states import DONE, LIVE, OWNED, UNCLAIMED, State
from queues.urgency import Urgency


class TaskQuerySet(models.QuerySet["Task"]):
    def visible_to(self, user: User) -> TaskQuerySet:
        """Tasks in the queues this person works or leads, those with a question to one of them, those covered, and
        those about which they asked a question themselves, until it is answered."""
        queues = Queue.objects.seen_by(user).order_by().values("pk")
        return self.filter(
            Q(queue__in=queues)
            | Q(asked_queue__in=queues)
            | Q(covering_queue__in=queues)
            | Q(covering_person=user)
            | Q(owner=user, asked_queue__isnull=False)
        )

    def worked_by(self, user: User) -> TaskQuerySet:
        """Tasks that this person may claim: in their queues, and those they cover."""
        queues = Queue.objects.worked_by(user).order_by().values("pk")
        return self.filter(Q(queue__in=queues) | Q(covering_queue__in=queues) | Q(covering_person=user))

    def front_first(self) -> TaskQuerySet:
        """Of the tasks on one conversation, the one that tells how it stands: what waits for the patient, then what
        is being worked on, then the newest that ended."""
        rank = models.Case(
            models.When(state=State.WAITING, then=0), models.When(state__in=LIVE, then=1), default=2
        )
        return self.order_by(rank, "-pk")

    def live(self) -> TaskQuerySet:
        return self.filter(state__in=LIVE)

    def in_queue(self, queue: Queue) -> TaskQuerySet:
        """Live tasks that wait in this queue, those whose open question waits there, and those it covers."""
        return self.live().filter(Q(queue=queue) | Q(asked_queue=queue) | Q(covering_queue=queue))

    def due_for_the_clock(self) -> TaskQuerySet:
        """What the sweep must look at, done or not: a reply may be unread when all else is finished."""
        return self.filter(next_step_at__lte=now())

    def due_first(self) -> TaskQuerySet:
        return self.order_by("due_at", "pk")

    def late(self) -> TaskQuerySet:
        return self.live().exclude(state=State.WAITING).filter(due_at__lt=now())


class Task(Written):
    """A piece of work in exactly one queue, with at most one owner and a clock."""

    conversation = models.ForeignKey(Conversation, on_delete=models.PROTECT, related_name="tasks")
    queue = models.ForeignKey(Queue, on_delete=models.PROTECT, related_name="tasks")
    decision = models.ForeignKey(
        "triage.Decision", null=True, blank=True, on_delete=models.PROTECT, related_name="tasks"
    )
    split_from = models.ForeignKey(
        "self",
        null=True,
        blank=True,
        on_delete=models.PROTECT,
        related_name="parts",
        help_text=_("The task that somebody split this one off from."),
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
    held_until = models.DateTimeField(
        null=True,
        blank=True,
        help_text=_("Until when a resolved task can be taken back; the patient sees the end only then."),
    )
    minutes_spent = models.PositiveSmallIntegerField(null=True, blank=True)
    asked_queue = models.ForeignKey(
        Queue,
        null=True,
        blank=True,
        on_delete=models.PROTECT,
        related_name="asked_tasks",
        db_index=False,  # task_asked
        help_text=_("Where the open question to a physician waits."),
    )
    covering_queue = models.ForeignKey(
        Queue,
        null=True,
        blank=True,
        on_delete=models.PROTECT,
        related_name="covered_tasks",
        db_index=False,  # task_covered
        help_text=_("Whose people take it up beside the queue's own: out of hours, or because it is late."),
    )
    covering_person = models.ForeignKey(
        settings.AUTH_USER_MODEL,
        null=True,
        blank=True,
        on_delete=models.PROTECT,
        related_name="covered_tasks",
        db_index=False,  # task_covered_by_person
    )

    # ---- what the clock remembers ----
    promised_at = models.DateTimeField(
        default=now, help_text=_("When the promise that is due next began to run; moves with every pause.")
    )
    promises = models.PositiveSmallIntegerField(default=1, help_text=_("Counts the promise's moves."))
    told = models.PositiveSmallIntegerField(
        default=0, help_text=_("The percentage of the promise of which people were told last.")
    )
    active_at = models.DateTimeField(default=now, help_text=_("When a person last did something with it."))
    hand_overs = models.PositiveSmallIntegerField(default=0)
    acknowledged_at = models.DateTimeField(
        null=True, blank=True, help_text=_("When somebody took up this urgent task.")
    )
    alerts = models.PositiveSmallIntegerField(default=0, help_text=_("How often it was alerted for that."))
    alerted_at = models.DateTimeField(null=True, blank=True)
    reminded_at = models.DateTimeField(
        null=True, blank=True, help_text=_("When the patient, who was asked, was reminded.")
    )
    unread_since = models.DateTimeField(
        null=True, blank=True, help_text=_("When an urgent reply was sent that the patient has not read.")
    )
    call_since = models.DateTimeField(
        null=True, blank=True, help_text=_("Since when the patient is to be called about it.")
    )
    next_step_at = models.DateTimeField(
        null=True,
        blank=True,
        default=now,
        help_text=_("When the clock must look at it again. Every change asks for a look at once."),
    )
    version = models.PositiveIntegerField(
        default=1, help_text=_("Counts every change, so that a stale page is told.")
    )

    objects = TaskQuerySet.as_manager()

    class Meta:
        indexes = [
            # With the state beside it, counting what is open and what is late never looks into the table.
            models.Index(
                fields=["queue", "due_at", "id"],
                include=["state", "urgency"],
                name="task_due_in_queue",
                condition=Q(state__in=LIVE),
            ),
            models.Index(fields=["due_at", "id"], name="task_due", condition=Q(state__in=LIVE)),
            models.Index(
                fields=["queue", "due_at", "id"], name="task_to_claim", condition=Q(state__in=UNCLAIMED)
            ),
            models.Index(
                fields=["queue", "due_at", "id"],
                include=["state"],
                name="task_urgent",
                condition=Q(state__in=LIVE, urgency=Urgency.URGENT),
            ),
            models.Index(
                fields=["queue", "resolved_at"], name="task_resolved", condition=Q(state=State.RESOLVED)
            ),
            models.Index(
                fields=["asked_queue", "due_at", "id"],
                name="task_asked",
                condition=Q(asked_queue__isnull=False),
            ),
            models.Index(fields=["owner", "due_at"], name="task_of_owner", condition=Q(state__in=LIVE)),
            models.Index(
                fields=["next_step_at"], name="task_next_step", condition=Q(next_step_at__isnull=False)
            ),
            models.Index(
                fields=["covering_queue", "due_at", "id"],
                name="task_covered",
                condition=Q(covering_queue__isnull=False),
            ),
            models.Index(
                fields=["covering_person"],
                name="task_covered_by_person",
                condition=Q(covering_person__isnull=False),
            ),
        ]
        constraints = [
            models.CheckConstraint(
                condition=Q(urgency__gte=F("floor")),
                name="task_urgency_not_below_red_flag",
                violation_error_message=_("A red flag set this urgency; it can't be lowered."),
            ),
            models.CheckConstraint(
                condition=Q(state__in=OWNED, owner__isnull=False)
                | Q(state__in=UNCLAIMED, owner__isnull=True)
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
            models.CheckConstraint(
                condition=~Q(state__in=LIVE) | Q(next_step_at__isnull=False),
                name="task_live_is_looked_at",
                violation_error_message=_("The clock looks at every open task."),
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
