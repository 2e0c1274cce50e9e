"""Queues, who works them and by when, and how a request can end."""

from __future__ import annotations

from datetime import datetime, timedelta

from django.contrib.auth.models import Group
from django.contrib.postgres.fields import ArrayField
from django.core.exceptions import ValidationError
from django.core.validators import MaxValueValidator, MinValueValidator
from django.db import models
from django.db.models import Exists, F, OuterRef, Q
from django.utils.translation import gettext_lazy as _
from guardian.models import GroupObjectPermissionBase, UserObjectPermissionBase

from audit.now import now
from portal.people.models import Calendar, Facility, StaffRole, User
from portal.people.roles import Role
from queues import clock
from queues.urgency import Urgency


def place_name(facility: str) -> str:
    """Where a queue of the facility of this name is; one of none is the whole practice's."""
    return facility or str(_("Central"))


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

    def staffed(self) -> QueueQuerySet:
        """Queues with somebody to work them: an active member whose role has not ended, and their grant."""
        today = now().date()
        working = User.objects.filter(
            Q(staff_roles__until__isnull=True) | Q(staff_roles__until__gte=today),
            groups=OuterRef("members"),
            is_active=True,
            staff_roles__role=OuterRef("role"),
        )
        granted = QueueGroupPermission.objects.filter(
            content_object=OuterRef("pk"), group=OuterRef("members"), permission__codename="work_queue"
        )
        return self.filter(Exists(working), Exists(granted))


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
    receives_urgent = models.BooleanField(
        _("may receive urgent work"),
        default=False,
        help_text=_(
            "Then somebody must be there day and night: this queue's own people, or those named next."
        ),
    )
    urgent_cover = models.ForeignKey(
        "self",
        null=True,
        blank=True,
        on_delete=models.PROTECT,
        related_name="+",
        verbose_name=_("round-the-clock coverage"),
        help_text=_("Who takes up urgent work while this queue is closed. That queue must never close."),
    )
    acknowledge_within = models.PositiveSmallIntegerField(
        _("minutes to take up urgent work"),
        default=10,
        validators=[MinValueValidator(1), MaxValueValidator(240)],
        help_text=_("Nobody took it up by then: it is alerted again, to more people each time."),
    )
    read_within = models.PositiveSmallIntegerField(
        _("minutes for the patient to read an urgent reply"),
        default=30,
        validators=[MinValueValidator(1), MaxValueValidator(1440)],
        help_text=_("Not read by then, the patient is to be called."),
    )
    remind_after = models.PositiveSmallIntegerField(
        _("hours until a patient who was asked is reminded"), default=48, validators=[MinValueValidator(1)]
    )
    wait_ends_after = models.PositiveSmallIntegerField(
        _("hours until a wait for a patient ends"),
        default=120,
        validators=[MinValueValidator(2)],
        help_text=_("The request is then open again, and the patient is told by when we go on."),
    )
    sleeps_after = models.PositiveSmallIntegerField(
        _("working minutes until an idle claim goes back"), default=240, validators=[MinValueValidator(10)]
    )
    overflow_queue = models.ForeignKey(
        "self",
        null=True,
        blank=True,
        on_delete=models.PROTECT,
        related_name="+",
        help_text=_(
            "Where new routine work goes while this queue is too full. Its people need the same role."
        ),
    )
    overflow_open = models.PositiveIntegerField(
        _("too full with more open tasks than"), null=True, blank=True, validators=[MinValueValidator(1)]
    )
    overflow_late = models.PositiveIntegerField(
        _("or with more late tasks than"), null=True, blank=True, validators=[MinValueValidator(1)]
    )
    successor = models.ForeignKey(
        "self",
        null=True,
        blank=True,
        editable=False,
        on_delete=models.PROTECT,
        related_name="+",
        help_text=_("Who took over when this queue was retired: a request that is opened again goes there."),
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
            ),
            models.CheckConstraint(
                condition=Q(wait_ends_after__gt=F("remind_after")),
                name="queue_reminds_before_it_stops_waiting",
                violation_error_message=_("The wait must end after the reminder."),
            ),
            models.CheckConstraint(
                condition=Q(overflow_queue__isnull=True)
                | Q(overflow_open__isnull=False)
                | Q(overflow_late__isnull=False),
                name="queue_overflow_has_a_limit",
                violation_error_message=_(
                    "Say from how many open or late tasks on work goes to the other queue."
                ),
            ),
        ]

    def __str__(self) -> str:
        return f"{self.name}, {self.facility}" if self.facility_id else self.name

    @property
    def place(self) -> str:
        return place_name(self.facility.name if self.facility else "")

    def team_in(self, language: str) -> str:
        return self.team_es if language == "es" and self.team_es else self.team

    # Of a queue that is kept in the process and never changed: its hours by the year in which they were asked.
    kept_hours: dict[int, clock.Hours] | None = None

    def hours(self) -> clock.Hours:
        """When its people work, from last year to the end of what a clock looks ahead."""
        year = now().year
        if self.kept_hours is None:
            return self._hours(year)
        if year not in self.kept_hours:
            self.kept_hours[year] = self._hours(year)
        return self.kept_hours[year]

    def _hours(self, year: int) -> clock.Hours:
        calendar = self.calendar
        days = calendar.days_off(range(year - 1, year + 4))
        return clock.Hours.parse(
            calendar.time_zone,
            calendar.hours,
            [day for day, off in days.items() if off.closes_at is None],
            {day: off.closes_at for day, off in days.items() if off.closes_at is not None},
        )

    def minutes(self, urgency: Urgency) -> tuple[int, int]:
        """Its targets: minutes to the first answer and to the outcome."""
        target = next((row for row in self.targets.all() if row.urgency == urgency), None)
        return (target.respond, target.resolve) if target else DEFAULT_TARGETS[urgency]

    def due(self, urgency: Urgency, start: datetime) -> tuple[datetime, datetime]:
        """When the first answer and the outcome are due for a task of this urgency that came in at `start`.

        Hours that never have that much open time are counted through, day and night: what came in has a due time
        whatever becomes of a calendar.
        """
        hours, urgent = self.hours(), urgency == Urgency.URGENT
        respond, resolve = (
            clock.due_anyway(hours, start, minutes, urgent=urgent) for minutes in self.minutes(urgency)
        )
        return respond, max(respond, resolve)

    @property
    def opens_again(self) -> bool:
        """Whether its calendar has any open time within two years."""
        return next(clock.spans(self.hours(), now()), None) is not None

    @property
    def is_always_open(self) -> bool:
        return self.hours().never_close

    def clean(self) -> None:
        if self.receives_urgent and not (self.calendar_id and self.is_always_open):
            cover = self.urgent_cover
            if cover is None:
                raise ValidationError(
                    {
                        "urgent_cover": _(
                            "This queue closes, so name the queue that takes up its urgent work then. "
                            "Where there is none, patients must be told so: don't let it receive urgent work."
                        )
                    }
                )
            if cover.retired_at or not cover.is_always_open:
                raise ValidationError({"urgent_cover": _("That queue isn't open day and night.")})
        if self.urgent_cover and self.urgent_cover.role != self.role:
            raise ValidationError({"urgent_cover": _("Its people don't have the role of this queue.")})
        other = self.overflow_queue
        if other and (other.retired_at or other.role != self.role or other.pk == self.pk):
            raise ValidationError(
                {"overflow_queue": _("Name another live queue whose people have the same role.")}
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

    def clean(self) -> None:
        if not self.resolve or not self.queue_id:
            return
        if self.urgency == Urgency.URGENT:
            if timedelta(minutes=self.resolve) > clock.HORIZON:
                raise ValidationError({"resolve": _("A promise may not be longer than two years.")})
            return
        hours, start = self.queue.hours(), now()
        try:
            clock.due(hours, start, self.resolve, urgent=False)
        except clock.NeverOpens:
            open_time = clock.between(hours, start, start + clock.HORIZON)
            raise ValidationError(
                {
                    "resolve": _(
                        "A promise may not be longer than two years: within them these hours have %(count)d open "
                        "minutes."
                    )
                    % {"count": open_time / timedelta(minutes=1)}
                }
            ) from None


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
