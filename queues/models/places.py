"""Queues, who works them and by when, and how a request can end."""

from __future__ import annotations

from datetime import datetime

from django.contrib.auth.models import Group
from django.contrib.postgres.fields import ArrayField
from django.core.validators import MinValueValidator
from django.db import models
from django.db.models import Exists, F, OuterRef, Q
from django.utils.translation import gettext_lazy as _
from guardian.models import GroupObjectPermissionBase, UserObjectPermissionBase

from portal.people.models import Calendar, Facility, StaffRole, User
from portal.people.roles import Role
from queues import clock
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

    def led_by(self, user: User) -> QueueQuerySet:
        """Queues that this person leads: those at the places where they are lead, or all of them for a central one."""
        places = StaffRole.objects.current().filter(user=user, role=Role.LEAD).order_by()
        return self.live().filter(
            Exists(places.filter(Q(facility__isnull=True) | Q(facility=OuterRef("facility"))))
        )

    def seen_by(self, user: User) -> QueueQuerySet:
        """Queues whose tasks this person may look at: those they work and those they lead."""
        return self.live().filter(
            Q(pk__in=self.model._default_manager.worked_by(user).order_by().values("pk"))
            | Q(pk__in=self.model._default_manager.led_by(user).order_by().values("pk"))
        )


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
    capacity = models.PositiveSmallIntegerField(
        _("most tasks a person"),
        null=True,
        blank=True,
        validators=[MinValueValidator(1)],
        help_text=_(
            "How many tasks of this queue one person may hold at a time. Empty: as many as they like."
        ),
    )
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
