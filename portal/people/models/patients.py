"""The patients, and the programs they are in."""

from __future__ import annotations

from datetime import date, datetime

from django.contrib.postgres.fields import ArrayField
from django.db import models
from django.db.models import Q
from django.utils.translation import gettext_lazy as _

from audit.now import now
from portal.people.models.places import LANGUAGES, Facility
from portal.people.models.proxies import Proxy
from portal.people.models.users import User


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
