"""Everybody with a log-in, and what staff do where."""

from __future__ import annotations

from datetime import date
from functools import cached_property
from typing import Any, ClassVar

from django.contrib.auth.base_user import AbstractBaseUser, BaseUserManager
from django.contrib.auth.models import PermissionsMixin
from django.db import models
from django.db.models import F, Q
from django.db.models.functions import Lower
from django.utils.translation import gettext_lazy as _

from audit.now import now
from portal.people.models.places import LANGUAGES, Facility
from portal.people.roles import Field, Role, fields_for


def signature(name: str, title: str) -> str:
    """Somebody's name as staff and patients read it."""
    return f"{name}, {title}" if title else name


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
        return signature(self.name, self.title)

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
