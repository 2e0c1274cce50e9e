"""Was it sorted right? One tap when a task is resolved, from which leads and admins see which rule to mend."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass

from django.utils.translation import gettext as _

from portal.people.policies import Refused
from queues.models import Task
from queues.urgency import Urgency

# The subjects a request may have been about, as pairs of code and label: the room above knows them.
subjects: list[Callable[[], list[tuple[str, str]]]] = []


@dataclass(frozen=True)
class Assessed:
    """How a request should have been sorted; None where it was right."""

    urgency: Urgency | None = None
    category: str | None = None


def categories() -> list[tuple[str, str]]:
    return [pair for tell in subjects for pair in tell()]


def decided_category(task: Task) -> str:
    """The subject that the rules gave it, or else what the patient picked."""
    decided: str = task.decision.result.get("category") or "" if task.decision is not None else ""
    return decided or task.conversation.request_type


def read(post: Mapping[str, str]) -> Assessed | None:
    """What the form says; None where nothing was tapped. Raises Refused for what is on no list."""
    urgency, category = post.get("should_urgency", ""), post.get("should_category", "")
    if not urgency and not category:
        return Assessed() if post.get("sorted") == "right" else None
    if urgency and urgency not in [level.word for level in Urgency]:
        raise Refused(_("Pick the urgency from the list."))
    if category and category not in dict(categories()):
        raise Refused(_("Pick the subject from the list."))
    return Assessed(Urgency.from_word(urgency) if urgency else None, category or None)
