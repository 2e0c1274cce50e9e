"""How an action says no: with a sentence that the person in front of the page can read."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from django.utils.translation import gettext as _


class Refused(Exception):
    """An action was not done, and nothing of it is stored. `str(error)` is a translated sentence for the page."""


# What rooms above have against taking requests of a facility's patients, as sentences.
before_open: list[Callable[[Any], list[str]]] = []


def check_opening(facility: Any) -> None:
    """Refuses to open a facility that some requests would find nobody at."""
    said = [sentence for ask in before_open for sentence in ask(facility)]
    if said:
        raise Refused(" ".join(said))


def check_open(facility: Any) -> None:
    if facility.opened_at is None:
        raise Refused(
            _("%(place)s is not open yet: its queues are still being set up.") % {"place": facility.name}
        )
