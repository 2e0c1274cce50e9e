"""What the ask-back form of a task offers: the questions that the rules prepared, and the small forms."""

from __future__ import annotations

from dataclasses import dataclass

from portal.people.models import User
from queues.models import FollowUp, FollowUpForm, Task


@dataclass(frozen=True)
class Prepared:
    """A question back that the rules suggest: words to begin with, and a form where a rule named one by its code."""

    lines: list[str]
    form: FollowUpForm | None

    @property
    def text(self) -> str:
        return "\n".join(self.lines)


def prepared(task: Task, viewer: User) -> Prepared | None:
    """What the rules that fired would ask; None when they ask nothing, or it was asked already."""
    said = task.decision.result.get("ask_back", []) if task.decision else []
    if not said or task.steps.filter(verb="ask back").exists():
        return None
    forms = {form.code: form for form in offered(viewer)}
    named = [forms[line] for line in said if line in forms]
    codes = set(FollowUpForm.objects.values_list("code", flat=True))
    lines = [line for line in said if line not in codes]
    return Prepared(lines, named[0] if named else None) if lines or named else None


def offered(viewer: User) -> list[FollowUpForm]:
    """The small forms that this person may send."""
    return list(FollowUpForm.objects.offered_to(viewer))


def follow_ups_of(task: Task) -> list[FollowUp]:
    """What was asked in this conversation and not taken back, with the answers so far. Show `lines_for(viewer)`."""
    return list(task.conversation.follow_ups.standing().select_related("asked_by", "message", "answer"))
