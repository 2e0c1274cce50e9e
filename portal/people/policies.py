"""How an action says no: with a sentence that the person in front of the page can read."""

from __future__ import annotations


class Refused(Exception):
    """An action was not done, and nothing of it is stored. `str(error)` is a translated sentence for the page."""
