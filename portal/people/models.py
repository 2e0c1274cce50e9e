from __future__ import annotations

import zoneinfo
from datetime import date, datetime
from functools import cached_property
from typing import Any, ClassVar

from django.contrib.auth.base_user import AbstractBaseUser, BaseUserManager
from django.contrib.auth.models import PermissionsMixin
from django.contrib.postgres.fields import ArrayField
from django.core.exceptions import ValidationError
from django.db import models
from django.db.models import F, Q
from django.db.models.functions import Cast, Lower
from django.utils.translation import gettext_lazy as _
from guardian.models import GroupObjectPermissionBase, UserObjectPermissionBase

from audit.now import now
from portal.people import days_off
from portal.people.days_off import DayOff
from portal.people.roles import Field, Role, fields_for

WEEKDAYS = ("mon", "tue", "wed", "thu", "fri", "sat", "sun")
LANGUAGES: list[tuple[str, str]] = [("en", "English"), ("es", "Español")]


def validate_time_zone(name: str) -> None:
    if name not in zoneinfo.available_timezones():
        raise ValidationError(
            _("“%(name)s” is no time zone, write one like America/New_York."), params={"name": name}
        )


def validate_hours(hours: Any) -> None:
    """Weekly hours: an object of weekday to a list of [opens, closes] as "HH:MM", in order, not overlapping."""
    if not isinstance(hours, dict) or set(hours) - set(WEEKDAYS):
        raise ValidationError(_("Write the hours by weekday: mon, tue, wed, thu, fri, sat, sun."))
    if not any(hours.values()):
        raise ValidationError(
            _("These hours have no opening at all: a queue that keeps them would never answer.")
        )
    for day, spans in hours.items():
        last = ""
        for span in spans if isinstance(spans, list) else [None]:
            if not (isinstance(span, list) and len(span) == 2 and all(_is_time(end) for end in span)):
                raise ValidationError(
                    _("%(day)s: write each opening as two times, like ["
                      "\"08:00\", \"17:00\"]."), params={"day": day}
                )  # fmt: skip
            if not last <= span[0] < span[1]:
                raise ValidationError(
                    _("%(day)s: openings must be in order and must not overlap."), params={"day": day}
                )
            last = span[1]


def _is_time(text: Any) -> bool:
    if not isinstance(text, str) or len(text) != 5:
        return False
    hours, colon, minutes = text.partition(":")
    if not (colon and hours.isdecimal() and minutes.isdecimal()):
        return False
    return (int(hours) < 24 and int(minutes) < 60) or text == "24:00"


class Calendar(models.Model):
    """When a facility or a team works: a time zone, weekly hours, and days on which it is closed.

    Closed days are a country's public holidays, but those kept open, and closures of its own.
    """

    name = models.CharField(max_length=80, unique=True)
    time_zone = models.CharField(max_length=60, validators=[validate_time_zone])
    hours = models.JSONField(
        validators=[validate_hours],
        help_text=_(
            "For each weekday a list of openings, e.g. {\"mon\": [[\"08:00\", \"12:00\"], [\"13:00\", \"17:00\"]]}. "
            "24:00 is midnight at the day's end."
        ),
    )  # fmt: skip
    country = models.CharField(
        _("public holidays of"), max_length=2, blank=True, help_text=_("Empty: none are kept.")
    )
    subdivision = models.CharField(
        _("state or region"),
        max_length=10,
        blank=True,
        help_text=_("Its code, such as NY; empty: the country's only."),
    )
    open_on = ArrayField(
        models.CharField(max_length=120),
        default=list,
        blank=True,
        verbose_name=_("open nevertheless on"),
        help_text=_("Public holidays on which people work here, by name."),
    )
    half_days_close = models.TimeField(
        _("half holidays close at"),
        null=True,
        blank=True,
        help_text=_(
            "Where the country has half holidays, such as Christmas Eve; empty: they are worked in full."
        ),
    )

    def __str__(self) -> str:
        return self.name

    def clean(self) -> None:
        days_off.check_place(self.country, self.subdivision)

    def days_off(self, years: range) -> dict[date, DayOff]:
        """Every day of these years on which it is closed, or closes early. A closure of its own counts more than a
        holiday. The closures should be prefetched where many calendars are asked."""
        found = days_off.holidays_of(self.country, self.subdivision, years, tuple(self.open_on))
        if self.half_days_close:
            halves = days_off.half_days_of(self.country, self.subdivision, years, tuple(self.open_on))
            found = {day: DayOff(name, self.half_days_close) for day, name in halves.items()} | found
        return found | {row.day: DayOff(row.name, row.closes_at) for row in self.closures.all()}

    @property
    def zone(self) -> zoneinfo.ZoneInfo:
        return zoneinfo.ZoneInfo(self.time_zone)


class Closure(models.Model):
    """A day on which a calendar has no open hour, or closes earlier than usual."""

    calendar = models.ForeignKey(Calendar, on_delete=models.CASCADE, related_name="closures")
    day = models.DateField()
    name = models.CharField(max_length=80)
    closes_at = models.TimeField(null=True, blank=True, help_text=_("Empty: closed all day."))

    class Meta:
        ordering = ["day"]
        constraints = [
            models.UniqueConstraint(
                fields=["calendar", "day"],
                name="closure_once_a_day",
                violation_error_message=_("This day is closed already."),
            )
        ]

    def __str__(self) -> str:
        return f"{self.day}: {self.name}"


class Facility(models.Model):
    """A place where patients are seen, with the numbers to call from there."""

    code = models.SlugField(max_length=40, unique=True)
    name = models.CharField(max_length=80)
    calendar = models.ForeignKey(Calendar, on_delete=models.PROTECT, related_name="facilities")
    phone = models.CharField(max_length=30)
    after_hours_phone = models.CharField(
        max_length=30, help_text=_("Whom patients call when nobody is reading.")
    )
    emergency_number = models.CharField(max_length=30, default="911")
    crisis_line = models.CharField(max_length=30, default="988")
    poison_control = models.CharField(max_length=30, default="1-800-222-1222")
    majority_age = models.PositiveSmallIntegerField(
        default=18, help_text=_("In years. On this birthday what a parent may see and do ends.")
    )
    confidential_age = models.PositiveSmallIntegerField(
        default=13, help_text=_("In years. From then on a patient may keep a request from who acts for them.")
    )
    callback_minutes = models.PositiveSmallIntegerField(
        null=True,
        blank=True,
        default=15,
        help_text=_(
            "After how many minutes nursing is told of a form that showed an emergency and was not sent. Empty: never."
        ),
    )
    opened_at = models.DateTimeField(
        default=now,
        null=True,
        editable=False,
        help_text=_("Empty while its queues are not all there; until then it has no patients."),
    )
    reopen_days = models.PositiveSmallIntegerField(
        default=14,
        help_text=_(
            "For how many days after its end a message opens a request again; later, a new one is asked for."
        ),
    )

    class Meta:
        ordering = ["name"]
        verbose_name_plural = "facilities"

    def __str__(self) -> str:
        return self.name


def initials(name: str) -> str:
    """The first letters of the first and the last word."""
    words = name.split()
    return "".join(word[0] for word in (words[:1] + words[1:][-1:])).upper()


class UserManager(BaseUserManager["User"]):
    def create_user(self, email: str, password: str | None = None, **fields: Any) -> User:
        user = self.model(email=self.normalize_email(email).lower(), **fields)
        user.set_password(password)
        user.full_clean(exclude=["password"])
        user.save(using=self._db)
        return user

    def create_superuser(self, email: str, password: str | None = None, **fields: Any) -> User:
        return self.create_user(email, password, is_staff=True, is_superuser=True, **fields)

    def get_by_natural_key(self, username: str | None) -> User:
        return self.get(email__iexact=username)


class User(AbstractBaseUser, PermissionsMixin):
    """Somebody who can log in, by mail address. What they may see follows from roles, patient rows and grants."""

    email = models.EmailField(_("mail address"), unique=True)
    name = models.CharField(_("name"), max_length=120)
    title = models.CharField(
        _("title"), max_length=20, blank=True, help_text=_("After the name, e.g. RN or MD.")
    )
    language = models.CharField(_("language"), max_length=8, choices=LANGUAGES, default="en")
    mail_notices = models.BooleanField(_("mail me when there is news"), default=True)
    is_active = models.BooleanField(default=True)
    is_staff = models.BooleanField(default=False, help_text=_("May open the admin. Opens no patient page."))
    date_joined = models.DateTimeField(default=now)

    objects: ClassVar[UserManager] = UserManager()
    USERNAME_FIELD = "email"
    EMAIL_FIELD = "email"
    REQUIRED_FIELDS = ["name"]

    class Meta:
        constraints = [
            models.UniqueConstraint(
                Lower("email"),
                name="user_mail_once",
                violation_error_message=_("Somebody has this mail address already."),
            )
        ]

    def __str__(self) -> str:
        return self.signature

    def get_full_name(self) -> str:
        return self.name

    def get_short_name(self) -> str:
        return self.name.split(" ")[0]

    @property
    def signature(self) -> str:
        """The name as staff and patients read it: "Ana Ruiz, RN"."""
        return f"{self.name}, {self.title}" if self.title else self.name

    @property
    def initials(self) -> str:
        return initials(self.name)

    @cached_property
    def roles(self) -> list[str]:
        """The staff roles held today, at any facility."""
        return sorted(set(self.staff_roles.current().values_list("role", flat=True)))

    @property
    def works_here(self) -> bool:
        return bool(self.roles)

    @property
    def role_label(self) -> str:
        return "+".join(self.roles) or "patient"

    @property
    def fields(self) -> frozenset[Field]:
        """What this person may see of a request in their queues."""
        return fields_for(self.roles)

    @cached_property
    def is_clinical(self) -> bool:
        return Field.CLINICAL in self.fields


class StaffRoleQuerySet(models.QuerySet["StaffRole"]):
    def current(self) -> StaffRoleQuerySet:
        today = now().date()
        return self.filter(Q(until__isnull=True) | Q(until__gte=today), since__lte=today)


def today() -> date:
    return now().date()


class StaffRole(models.Model):
    """A role that somebody holds at a facility, or in the central team where no facility is named."""

    user = models.ForeignKey(User, on_delete=models.PROTECT, related_name="staff_roles")
    role = models.CharField(max_length=20, choices=Role)
    facility = models.ForeignKey(
        Facility,
        null=True,
        blank=True,
        on_delete=models.PROTECT,
        related_name="staff_roles",
        help_text=_("Empty: the central team."),
    )
    since = models.DateField(default=today)
    until = models.DateField(null=True, blank=True)

    objects = StaffRoleQuerySet.as_manager()

    class Meta:
        constraints = [
            models.UniqueConstraint(
                fields=["user", "role", "facility", "since"],
                name="staff_role_once",
                nulls_distinct=False,
                violation_error_message=_("This person has this role here already."),
            ),
            models.CheckConstraint(
                condition=Q(until__isnull=True) | Q(until__gte=F("since")),
                name="staff_role_ends_after_it_starts",
                violation_error_message=_("A role can't end before it starts."),
            ),
        ]

    def __str__(self) -> str:
        return f"{self.user}: {self.get_role_display()}, {self.facility or 'central'}"


class PatientQuerySet(models.QuerySet["Patient"]):
    def cared_for_by(self, user: User) -> PatientQuerySet:
        """Patients of the facilities where this person works now; the central team serves all of them."""
        places = set(user.staff_roles.current().values_list("facility", flat=True))
        if not places:
            return self.none()
        return self.all() if None in places else self.filter(facility__in=places)

    def reachable_by(self, user: User) -> PatientQuerySet:
        """Patients this user may act for: themselves, and those who granted it, as long as it lasts.

        What of a patient's requests a proxy may see is asked of the requests: a grant may be narrow.
        """
        return self.filter(Q(user=user) | Q(pk__in=Proxy.objects.open_to(user).values("patient"))).order_by(
            models.Case(models.When(user=user, then=0), default=1), "given_name"
        )


class Program(models.Model):
    """A group of patients who are followed more closely, such as those on blood thinners. Rules may test it."""

    code = models.SlugField(max_length=40, unique=True)
    name = models.CharField(max_length=80)

    class Meta:
        ordering = ["name"]

    def __str__(self) -> str:
        return self.name


class Patient(models.Model):
    """A person in care, with or without a log-in of their own."""

    user = models.OneToOneField(User, null=True, blank=True, on_delete=models.PROTECT, related_name="patient")
    record_number = models.CharField(max_length=20, unique=True)
    given_name = models.CharField(max_length=80)
    family_name = models.CharField(max_length=80)
    birth_date = models.DateField()
    language = models.CharField(max_length=8, choices=LANGUAGES, default="en")
    facility = models.ForeignKey(Facility, on_delete=models.PROTECT, related_name="patients")
    programs = ArrayField(
        models.SlugField(max_length=40),
        default=list,
        blank=True,
        help_text=_("The codes of the programs that the patient is in."),
    )

    objects = PatientQuerySet.as_manager()

    class Meta:
        permissions = [("act_for", "Can act for this patient")]

    def __str__(self) -> str:
        return f"patient {self.pk}"  # never the name: this ends in logs and error pages

    @property
    def name(self) -> str:
        return f"{self.given_name} {self.family_name}"

    def is_reachable_by(self, user: User) -> bool:
        """Whether this user may act for this patient now."""
        return self.user_id == user.pk or Patient.objects.reachable_by(user).filter(pk=self.pk).exists()

    def age_on(self, day: date) -> int:
        """Whole years."""
        had_birthday = (day.month, day.day) >= (self.birth_date.month, self.birth_date.day)
        return day.year - self.birth_date.year - (not had_birthday)

    def age_in_months_on(self, day: date) -> int:
        months = (day.year - self.birth_date.year) * 12 + day.month - self.birth_date.month
        return months - (day.day < self.birth_date.day)

    @property
    def age(self) -> int:
        return self.age_on(self.local_today)

    @property
    def local_today(self) -> date:
        return self.local(now()).date()

    def local(self, moment: datetime) -> datetime:
        """The moment on the wall clock of the patient's facility."""
        return moment.astimezone(self.facility.calendar.zone)


class PatientUserPermission(UserObjectPermissionBase):
    """guardian's grants on patients, in a table of their own with a real foreign key."""

    content_object = models.ForeignKey(Patient, on_delete=models.CASCADE)


class PatientGroupPermission(GroupObjectPermissionBase):
    """Nobody reaches a patient through a group; guardian wants the table beside the other."""

    content_object = models.ForeignKey(Patient, on_delete=models.CASCADE)


class ProxyQuerySet(models.QuerySet["Proxy"]):
    def running(self) -> ProxyQuerySet:
        today = now().date()
        return self.filter(
            Q(until__isnull=True) | Q(until__gte=today), since__lte=today, ended_at__isnull=True
        )

    def outgrown(self) -> ProxyQuerySet:
        """Grants of parents whose child is of age on the wall clock of its facility, and those of guardians who were
        put in before that day. Somebody may be made the guardian of a grown-up: that one stays."""
        rows: Any = self._with_ages()  # the stubs don't see what is annotated there
        return rows.filter(
            Q(relationship=Proxy.Relationship.PARENT)
            | Q(relationship=Proxy.Relationship.GUARDIAN, age_then__lt=F("patient__facility__majority_age")),
            age_now__gte=F("patient__facility__majority_age"),
        )

    def open(self) -> ProxyQuerySet:
        """Grants that open something at this moment. A proxy needs both the relationship that is still running and
        guardian's row; either one missing closes the door."""
        granted = PatientUserPermission.objects.filter(
            user=models.OuterRef("user"),
            content_object=models.OuterRef("patient"),
            permission__codename="act_for",
        )
        return (
            self.running()
            .filter(models.Exists(granted))
            .exclude(pk__in=Proxy.objects.all().outgrown().order_by().values("pk"))
        )

    def open_to(self, user: User) -> ProxyQuerySet:
        return self.open().filter(user=user)

    def for_type(self, code: str | models.F | models.OuterRef) -> ProxyQuerySet:
        """Those that open requests of this type (a code, or a reference to one in an outer query)."""
        named = models.Func(
            code if not isinstance(code, str) else models.Value(code, output_field=models.TextField()),
            Cast("scope", ArrayField(models.TextField())),
            template="%(expressions)s)",
            arg_joiner=" = ANY(",
            output_field=models.BooleanField(),
        )
        return self.filter(Q(scope__isnull=True) | Q(named))

    def _with_ages(self) -> ProxyQuerySet:
        here = models.Func(
            F("patient__facility__calendar__time_zone"),
            models.Value(now(), output_field=models.DateTimeField()),
            function="timezone",
            output_field=models.DateTimeField(),
        )
        return self.annotate(age_now=_years(Cast(here, models.DateField())), age_then=_years(F("since")))


def _years(day: Any) -> models.Func:
    """The patient's whole years on a day."""
    age = models.Func(day, F("patient__birth_date"), function="age", output_field=models.DurationField())
    return models.Func(models.Value("year"), age, function="date_part", output_field=models.FloatField())


def reachable(user: User, *, patient: str = "patient", request_type: str = "request_type") -> Q:
    """Which rows about a patient's requests this person may see: everything of their own, and of others what an open
    grant names and the patient does not keep from them. `patient` and `request_type` are the ways to both."""
    opened = (
        Proxy.objects.open_to(user)
        .filter(patient=models.OuterRef(patient))
        .for_type(models.OuterRef(request_type))
    )
    return Q(**{f"{patient}__user": user}) | Q(models.Exists(opened), confidential=False)


def reaches(user: User, patient: Patient, *, request_type: str, confidential: bool) -> bool:
    """What `reachable` says of one row that is at hand. The database is asked only about who acts for somebody else."""
    if patient.user_id == user.pk:
        return True
    return (
        not confidential
        and Proxy.objects.open_to(user).filter(patient=patient).for_type(request_type).exists()
    )


class Proxy(models.Model):
    """A person who acts for a patient: a parent, a carer."""

    class Relationship(models.TextChoices):
        PARENT = "parent", _("parent")
        GUARDIAN = "guardian", _("legal guardian")
        CARER = "carer", _("carer")
        PARTNER = "partner", _("partner")
        CHILD = "child", _("son or daughter")

    user = models.ForeignKey(User, on_delete=models.PROTECT, related_name="proxies")
    patient = models.ForeignKey(Patient, on_delete=models.PROTECT, related_name="proxies")
    relationship = models.CharField(max_length=20, choices=Relationship)
    since = models.DateField(default=today)
    until = models.DateField(null=True, blank=True)
    scope = ArrayField(
        models.SlugField(max_length=40),
        null=True,
        blank=True,
        help_text=_("The request types that it opens, as codes with commas. Empty: all of them."),
    )
    ended_at = models.DateTimeField(null=True, blank=True)
    ended_reason = models.CharField(max_length=200, blank=True, help_text=_("Why the clinic ended it."))

    objects = ProxyQuerySet.as_manager()

    class Meta:
        verbose_name_plural = "proxies"
        constraints = [
            models.UniqueConstraint(
                fields=["user", "patient"],
                condition=Q(ended_at__isnull=True),
                name="proxy_once_at_a_time",
                violation_error_message=_("This person acts for this patient already."),
            ),
            models.CheckConstraint(
                condition=Q(until__isnull=True) | Q(until__gte=F("since")),
                name="proxy_ends_after_it_starts",
                violation_error_message=_("A grant can't end before it starts."),
            ),
            models.CheckConstraint(
                condition=Q(scope__isnull=True) | Q(scope__len__gt=0),
                name="proxy_opens_something",
                violation_error_message=_("Name at least one kind of request, or leave it to all."),
            ),
        ]

    def __str__(self) -> str:
        return f"proxy {self.pk}"

    def opens(self, code: str) -> bool:
        """Whether requests of this type are part of the grant."""
        return self.scope is None or code in self.scope


class MailQuerySet(models.QuerySet["Mail"]):
    def due(self) -> MailQuerySet:
        return self.filter(state=Mail.State.PENDING, not_before__lte=now())


class Mail(models.Model):
    """A mail to be sent, as a row written in the transaction that is its reason (an outbox).

    It names a kind, a language and a page; the words come from a template that has no place for patient data.
    """

    class Kind(models.TextChoices):
        NEW_MESSAGE = "new-message", "there is a new message"
        MENTION = "mention", "a colleague mentioned them in a note"
        INVITED = "invited", "somebody is asked to act for a patient"
        GRANT_GIVEN = "grant-given", "somebody may act for a patient from now on"
        GRANT_ENDED = "grant-ended", "somebody may not act for a patient any more"
        ALARM = "alarm", "something urgent waits to be taken up"
        NOTICE = "notice", "there is a notice"
        DIGEST = "digest", "the day's notices and questions"

    class State(models.TextChoices):
        PENDING = "pending", "waiting to be sent"
        SENT = "sent", "sent"
        FAILED = "failed", "given up"
        WITHDRAWN = "withdrawn", "taken back before it was sent"

    MAX_ATTEMPTS = 5

    recipient = models.ForeignKey(User, on_delete=models.PROTECT, related_name="+")
    kind = models.CharField(max_length=20, choices=Kind)
    path = models.CharField(max_length=200, help_text="The page it links to; holds no patient data.")
    state = models.CharField(max_length=10, choices=State, default=State.PENDING)
    created_at = models.DateTimeField(default=now)
    not_before = models.DateTimeField(default=now)
    attempts = models.PositiveSmallIntegerField(default=0)
    sent_at = models.DateTimeField(null=True, blank=True)
    last_error = models.CharField(
        max_length=80, blank=True, help_text="The exception's class, never its text."
    )

    objects = MailQuerySet.as_manager()

    class Meta:
        indexes = [
            models.Index(fields=["not_before"], name="mail_due", condition=Q(state="pending")),
        ]
        constraints = [
            models.CheckConstraint(
                condition=Q(state="sent", sent_at__isnull=False) | ~Q(state="sent") & Q(sent_at__isnull=True),
                name="mail_sent_has_a_time",
            )
        ]

    def __str__(self) -> str:
        return f"{self.kind} mail {self.pk}"


# Part of this app, in modules of their own; they import the models above.
from portal.people.guidance import Guidance  # noqa: E402, F401
from portal.people.invitations import Invitation  # noqa: E402, F401
