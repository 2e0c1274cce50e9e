"""The words that patients wrote, left for the room below: new signals are tried on them before they decide."""

from __future__ import annotations

from collections.abc import Collection, Iterator
from typing import Any

from intake import forms
from intake.models import Submission
from triage.rereading import Words


def words_of(submissions: Collection[int]) -> dict[int, Words]:
    """By submission, every text in it that the patient wrote, as it was sent."""
    rows = Submission.objects.filter(pk__in=submissions).select_related("version")
    return {
        row.pk: Words(row.patient_id, list(_texts(forms.form(row.version).by_link_id, row.response)))
        for row in rows.iterator(chunk_size=200)
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
