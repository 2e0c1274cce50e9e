"""Who acts for a patient, what such a grant opens, and guardian's rows that go with it."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from django.contrib.postgres.fields import ArrayField
from django.db import models
from django.db.models import F, Q, QuerySet
from django.db.models.functions import Cast
from django.utils.translation import gettext_lazy as _
from guardian.models import GroupObjectPermissionBase, UserObjectPermissionBase

from audit.now import now
from portal.people.models.users import User, today
from portal.people.prepared import Prepared

if TYPE_CHECKING:
    from portal.people.models.patients import Patient


class PatientUserPermission(UserObjectPermissionBase):
    """guardian's grants on patients, in a table of their own with a real foreign key."""

    content_object = models.ForeignKey("people.Patient", on_delete=models.CASCADE)


class PatientGroupPermission(GroupObjectPermissionBase):
    """Nobody reaches a patient through a group; guardian wants the table beside the other."""

    content_object = models.ForeignKey("people.Patient", on_delete=models.CASCADE)


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
    return not confidential and bool(_opening(user=user.pk, patient=patient.pk, request_type=request_type))


@Prepared
def _opening(user: int, patient: int, request_type: str) -> QuerySet[Proxy]:
    opened = Proxy.objects.open_to(User(pk=user)).filter(patient=patient)
    return opened.for_type(request_type).order_by()[:1]


class Proxy(models.Model):
    """A person who acts for a patient: a parent, a carer."""

    class Relationship(models.TextChoices):
        PARENT = "parent", _("parent")
        GUARDIAN = "guardian", _("legal guardian")
        CARER = "carer", _("carer")
        PARTNER = "partner", _("partner")
        CHILD = "child", _("son or daughter")

    user = models.ForeignKey(User, on_delete=models.PROTECT, related_name="proxies")
    patient = models.ForeignKey("people.Patient", on_delete=models.PROTECT, related_name="proxies")
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
