"""A grant that waits for a yes: somebody was asked by mail to act for a patient."""

from __future__ import annotations

from datetime import timedelta

from django.contrib.postgres.fields import ArrayField
from django.db import models
from django.db.models import Q
from django.utils.translation import gettext_lazy as _

from audit.now import now
from portal.people.models.patients import Patient
from portal.people.models.proxies import Proxy
from portal.people.models.users import User

DAYS = 14  # that it waits
MISSES = 5  # wrong birthdays that close it
A_DAY = 10  # for one patient: what it sends are mails to addresses that nobody has checked


class InvitationQuerySet(models.QuerySet["Invitation"]):
    def open(self) -> InvitationQuerySet:
        """What can still be answered."""
        return self.filter(
            Q(until__isnull=True) | Q(until__gte=now().date()),
            answered_at__isnull=True,
            asked_at__gt=now() - timedelta(days=DAYS),
            misses__lt=MISSES,
        )


class Invitation(models.Model):
    """What was offered to whom. It opens nothing, and shows nothing of the patient, before the person asked has logged
    in with that address and told the patient's birthday: a mistyped address reaches a stranger.

    `name` and `email` are what the asker wrote, and all that is shown of the person until they say yes, so that nobody
    learns who has a log-in.
    """

    user = models.ForeignKey(User, on_delete=models.PROTECT, related_name="invitations")
    patient = models.ForeignKey(Patient, on_delete=models.PROTECT, related_name="invitations")
    asked_by = models.ForeignKey(User, on_delete=models.PROTECT, related_name="+")
    asked_at = models.DateTimeField(default=now)
    name = models.CharField(max_length=120)
    email = models.EmailField()
    relationship = models.CharField(max_length=20, choices=Proxy.Relationship)
    until = models.DateField(null=True, blank=True)
    scope = ArrayField(models.SlugField(max_length=40), null=True, blank=True)
    reason = models.CharField(max_length=200, blank=True, help_text=_("Why the clinic asked."))
    misses = models.PositiveSmallIntegerField(default=0)
    answered_at = models.DateTimeField(null=True, blank=True)
    proxy = models.OneToOneField(
        Proxy, null=True, blank=True, on_delete=models.PROTECT, related_name="invitation"
    )

    objects = InvitationQuerySet.as_manager()

    class Meta:
        constraints = [
            models.UniqueConstraint(
                fields=["user", "patient"],
                condition=Q(answered_at__isnull=True),
                name="invitation_once_at_a_time",
                violation_error_message=_("This person is asked already."),
            ),
            models.CheckConstraint(
                condition=Q(scope__isnull=True) | Q(scope__len__gt=0),
                name="invitation_opens_something",
                violation_error_message=_("Name at least one kind of request, or leave it to all."),
            ),
            models.CheckConstraint(
                condition=Q(proxy__isnull=True) | Q(answered_at__isnull=False),
                name="invitation_granted_is_answered",
            ),
        ]

    def __str__(self) -> str:
        return f"invitation {self.pk}"
