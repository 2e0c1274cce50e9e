"""What is refused when something is sent, with what the page needs to show it."""

from __future__ import annotations

from django.utils.translation import gettext as _

from intake.questionnaires import State
from portal.people.policies import Refused


class Incomplete(Refused):
    """Some answers are missing or can't be read; `state` holds the errors, field by field."""

    def __init__(self, state: State) -> None:
        super().__init__(_("Some answers need another look."))
        self.state = state


class Changed(Refused):
    """The form was replaced while it was being filled in; the draft was moved to the new one."""
