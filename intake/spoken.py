"""The words that patients wrote, left for the room below: new signals are tried on them before they decide."""

from __future__ import annotations

from collections.abc import Collection, Iterator
from typing import Any

from intake import forms
from intake.models import Submission
from queues.models import Message
from triage.models import Decision
from triage.rereading import Words


def words_of(decisions: Collection[int]) -> dict[int, Words]:
    """By decision, every text that the patient wrote and it was about, as it was sent: of the submission for the first
    decision about it, of a later message for the one that this brought. One that was kept without its message has
    none."""
    rows = Decision.objects.filter(pk__in=decisions)
    messages = dict(rows.filter(message__isnull=False).values_list("message_id", "pk"))
    submissions = set(rows.filter(message__isnull=True).values_list("submission_id", flat=True))
    firsts: dict[int | None, int] = {}
    of_these = Decision.objects.filter(submission__in=submissions - {None}).order_by("pk")
    for pk, submission in of_these.values_list("pk", "submission_id"):
        firsts.setdefault(submission, pk)
    asked = set(decisions)
    told = _submitted({row for row, pk in firsts.items() if row is not None and pk in asked})
    return {firsts[submission]: words for submission, words in told.items()} | {
        messages[message]: words for message, words in _said(messages).items()
    }


def _submitted(submissions: Collection[int]) -> dict[int, Words]:
    rows = Submission.objects.filter(pk__in=submissions).select_related("version")
    return {
        row.pk: Words(row.patient_id, list(_texts(forms.form(row.version).by_link_id, row.response)))
        for row in rows.iterator(chunk_size=200)
    }


def _said(messages: Collection[int]) -> dict[int, Words]:
    """By message, its words; of one that answers questions that were asked back, the words of the answers."""
    rows = Message.objects.filter(pk__in=messages).values_list("pk", "body", "conversation__patient_id")
    answers = dict(
        Submission.objects.filter(follow_up__answer__in=messages).values_list("follow_up__answer_id", "pk")
    )
    answered = _submitted(answers.values())
    return {
        pk: answered[answers[pk]] if pk in answers else Words(patient, [body]) for pk, body, patient in rows
    }


def _texts(asked: Any, node: dict[str, Any]) -> Iterator[str]:
    for item in node.get("item", ()):
        known = asked.get(item.get("linkId"))
        for answer in item.get("answer", ()):
            text = answer.get("valueString", "")
            if text.strip() and (known is None or known.writable):
                yield text
            yield from _texts(asked, answer)
        yield from _texts(asked, item)
