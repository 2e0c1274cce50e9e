"""The catalogue of everything that rules may test here: the built-in fields with this practice's choices, and the
fields that its live questionnaires ask for."""

from __future__ import annotations

from datetime import datetime
from functools import lru_cache

from portal.people.models import LANGUAGES, Facility
from triage import fields, signals
from triage.models import AnswerSource

CATEGORIES = [
    ("refill", "refill"),
    ("symptom", "symptom"),
    ("billing", "billing"),
    ("appointment", "appointment"),
    ("form", "form or letter"),
    ("result", "result"),
]


def catalogue() -> fields.Catalogue:
    """As the database has it now. It is built anew only when a questionnaire or a facility changed."""
    answers = tuple(AnswerSource.objects.order_by("code").values_list("code", "updated_at"))
    return _built(answers, tuple(Facility.objects.values_list("code", "name")))


@lru_cache(maxsize=4)
def _built(answers: tuple[tuple[str, datetime], ...], facilities: tuple[tuple[str, str], ...]) -> fields.Catalogue:
    sources = list(AnswerSource.objects.order_by("code"))
    request_types = {code: name for source in sources for code, name in source.request_types}
    found = fields.built_in(
        request_types=sorted(request_types.items()),
        languages=LANGUAGES,
        facilities=facilities,
        signal_codes=signals.codes(),
        signal_categories=CATEGORIES,
    )
    return found.with_fields(
        [fields.Field.from_json(told) for source in sources for told in source.fields],
        requests={source.code: [code for code, _name in source.request_types] for source in sources},
    )
