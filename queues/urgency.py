from django.db import models
from django.utils.translation import gettext_lazy as _


class Urgency(models.IntegerChoices):
    """How soon somebody must look. Ordered: a higher one is never lowered by a rule, an edit or a hand-over.

    In FHIR's request-priority: routine, urgent, stat.
    """

    ROUTINE = 1, _("routine")
    SOON = 2, _("soon")
    URGENT = 3, _("urgent")

    @classmethod
    def from_word(cls, word: str) -> "Urgency":
        """The urgency that rules and signals write as a word."""
        return cls[word.upper()]

    @property
    def word(self) -> str:
        return self.name.lower()
