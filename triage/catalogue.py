"""The catalogue of everything that rules may test here: the built-in fields with this practice's choices, and the
fields that its live questionnaires ask for."""

from __future__ import annotations

from collections.abc import Iterable

from portal.people.models import LANGUAGES, Facility, Program
from portal.people.reference import remembered
from triage import fields, signals
from triage.models import AnswerSource

Pairs = tuple[tuple[str, str], ...]
CATEGORIES = [
    ("refill", "refill"),
    ("symptom", "symptom"),
    ("billing", "billing"),
    ("appointment", "appointment"),
    ("form", "form or letter"),
    ("result", "result"),
]


@remembered
def catalogue() -> fields.Catalogue:
    """As the database has it now. It is built anew only when a questionnaire or a facility changed."""
    return _of(AnswerSource.objects.order_by("code"), _facilities(), _programs())


def proposed(*, instead: AnswerSource | None = None, without: str = "") -> fields.Catalogue:
    """As it would be with this source in place of the one of its code, or without the source of a code.

    Raises fields.CatalogueError where the sources contradict each other.
    """
    left_out = {without, instead.code if instead else ""}
    sources = [source for source in AnswerSource.objects.order_by("code") if source.code not in left_out]
    sources += [instead] if instead else []
    return _of(sorted(sources, key=lambda source: source.code), _facilities(), _programs())


def _programs() -> tuple[tuple[str, str], ...]:
    return tuple(Program.objects.values_list("code", "name"))


def _facilities() -> tuple[tuple[str, str], ...]:
    return tuple(Facility.objects.values_list("code", "name"))


def _of(told: Iterable[AnswerSource], facilities: Pairs, programs: Pairs) -> fields.Catalogue:
    sources = list(told)
    request_types = {code: name for source in sources for code, name in source.request_types}
    found = fields.built_in(
        request_types=sorted(request_types.items()),
        languages=LANGUAGES,
        facilities=facilities,
        programs=programs,
        signal_codes=signals.codes(),
        signal_categories=CATEGORIES,
    )
    return found.with_fields(
        [fields.Field.from_json(field) for source in sources for field in source.fields],
        requests={source.code: [code for code, _name in source.request_types] for source in sources},
    )
