"""Replies that are written once and used often, in both languages."""

from __future__ import annotations

import re
from typing import Any

from django.core.exceptions import ValidationError
from django.db import models
from django.utils.translation import gettext_lazy as _

from portal.people.roles import Role

# What a template may name, and what stands there in the reply.
VARIABLES = {
    "first_name": _("the first name of who wrote, the patient or somebody for them"),
    "patient_first_name": _("the patient's first name"),
    "reference": _("the request's reference"),
    "medicine": _("the medicine that the request names"),
    "due": _("when we promise the outcome, on the clinic's clock"),
    "my_name": _("who sends it, with their title"),
    "team": _("the team that answers"),
    "clinic_name": _("the patient's clinic"),
    "clinic_phone": _("the clinic's number"),
    "after_hours_phone": _("the number when nobody is there"),
    "emergency_number": _("the emergency number"),
}
NAMED = re.compile(r"\{([^{}]*)\}")


def validate_variables(text: str) -> None:
    """Every {name} must be one we can fill, and no brace may stand alone."""
    unknown = [name for name in NAMED.findall(text) if name not in VARIABLES]
    if unknown:
        raise ValidationError(
            _("“{%(name)s}” is no variable. These can be filled: %(known)s."),
            params={"name": unknown[0], "known": ", ".join(f"{{{name}}}" for name in VARIABLES)},
        )
    if re.search(r"[{}]", NAMED.sub("", text)):
        raise ValidationError(
            _("A brace stands alone. Write a variable as {patient_first_name}, or leave the brace out.")
        )


class ReplyTemplateQuerySet(models.QuerySet["ReplyTemplate"]):
    def offered(self) -> ReplyTemplateQuerySet:
        return self.filter(retired=False)


class ReplyTemplate(models.Model):
    """A reply for one kind of queue or one role. Its variables are filled when it is put into the box."""

    title = models.CharField(max_length=80)
    queue = models.SlugField(
        max_length=40,
        blank=True,
        help_text=_("The kind of queue, by code. Empty: in all of the role's queues."),
    )
    role = models.CharField(
        max_length=20, choices=Role, blank=True, help_text=_("Empty: for everybody who works the queue.")
    )
    body = models.TextField(max_length=4000, validators=[validate_variables])
    body_es = models.TextField(
        _("body, in Spanish"), max_length=4000, blank=True, validators=[validate_variables]
    )
    position = models.PositiveSmallIntegerField(default=100)
    retired = models.BooleanField(default=False)

    objects = ReplyTemplateQuerySet.as_manager()

    class Meta:
        ordering = ["position", "title"]
        constraints = [
            models.UniqueConstraint(
                fields=["title", "queue", "role"],
                name="template_once",
                violation_error_message=_("There is a template of this name here already."),
            )
        ]

    def __str__(self) -> str:
        return self.title

    def clean(self) -> None:
        from queues.models.places import Queue

        if self.queue and not Queue.objects.live().filter(code=self.queue).exists():
            raise ValidationError({"queue": _("No queue has this code.")})


def fill(text: str, values: dict[str, Any]) -> str:
    """The text with its variables filled. One that has no value stays readable: its name in brackets to be written
    over, never a gap that nobody sees."""
    return NAMED.sub(lambda found: str(values.get(found[1]) or f"[{found[1]}]"), text)
