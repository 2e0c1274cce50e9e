from __future__ import annotations

from django.db import models
from django.db.models import F, Q

from audit.now import now


class DemoClinic(models.Model):
    """Marks a database as the demo's own, and holds how much of its invented history is told.

    There is one row or none. Without it no command of the demo writes to a database that is not empty, and no page
    of the demo is served.
    """

    id = models.PositiveSmallIntegerField(primary_key=True, default=1, editable=False)
    seed = models.PositiveIntegerField(
        help_text="The same seed and anchor give the same people and the same history."
    )
    anchor = models.DateTimeField(help_text="The moment at which the history ends.")
    planned = models.PositiveIntegerField(help_text="Requests of the history in all.")
    done = models.PositiveIntegerField(default=0, help_text="Requests that are told.")
    unfinished = models.JSONField(
        default=dict,
        help_text="Where the telling goes on after a stop: the next event of each request begun.",
    )
    loaded_at = models.DateTimeField(default=now, help_text="When the clinic and its people were entered.")

    class Meta:
        verbose_name = "demo clinic"
        constraints = [
            models.CheckConstraint(condition=Q(id=1), name="demo_clinic_once"),
            models.CheckConstraint(
                condition=Q(done__lte=F("planned")), name="demo_clinic_not_more_than_planned"
            ),
        ]

    def __str__(self) -> str:
        return f"demo clinic, {self.done} of {self.planned} requests"

    @property
    def loading(self) -> bool:
        return self.done < self.planned

    @property
    def percent(self) -> int:
        return self.done * 100 // self.planned if self.planned else 100
