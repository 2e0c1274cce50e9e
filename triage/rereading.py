"""Reading past words anew: what the installed signals see in requests that were decided with the signals before them.

The words belong to the room above, which says in `sources` how to find them. Nobody is shown them here: they become
readings, kept by their hash, and the signals' part of the facts.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Iterator, Mapping
from itertools import islice
from typing import NamedTuple

from audit.actions import Kind, record
from portal.people.models import User
from triage import facts, signals
from triage.actions.deciding import known_readings, read_texts
from triage.fields import Json
from triage.models import Ruleset

TOGETHER = 200  # requests whose words are in memory at one time

Facts = dict[str, Json]


class Words(NamedTuple):
    """What a patient wrote that one decision was about."""

    patient: int
    texts: list[str]


sources: list[
    Callable[[Collection[int]], Mapping[int, Words]]
] = []  # the words that decisions were about, by the decisions' keys


def are_new() -> bool:
    """Whether other signals are installed than those that the published rules were written for."""
    published = Ruleset.objects.published().first()
    return published is not None and published.signals_version not in ("", signals.VERSION)


def anew(
    decided: Iterable[tuple[int, Facts]], *, by: User | None, of: Ruleset
) -> Iterator[tuple[Facts, bool]]:
    """The facts of each decision (key, facts), in order, as the installed signals read them, and whether they were
    read anew. Words that nobody read with these signals yet are read now, which takes a worker's time; each batch is
    one audit event."""
    for some in _batches(decided):
        found = _words(pk for pk, _facts in some)
        if found:
            patients = {words.patient for words in found.values()}
            record("triage.texts.read", by=by, kind=Kind.READ, patients=patients, entity=of)
        spoken: dict[str, list[str]] = {}
        for pk, told in some:
            if pk in found:
                spoken.setdefault(_language(told), []).extend(found[pk].texts)
        read = {
            (language, text): reading
            for language, texts in spoken.items()
            for text, reading in zip(texts, read_texts(texts, language), strict=True)  # none is blank
        }
        for pk, told in some:
            words = found.get(pk)
            if words is None:
                yield told, False
            else:
                yield _with(told, [read[_language(told), text] for text in words.texts]), True


def as_known(decided: Iterable[tuple[int, Facts]]) -> Iterator[Facts]:
    """The same from kept readings alone, for while a person waits: where one is missing, the facts stay as they are."""
    for some in _batches(decided):
        found = _words(pk for pk, _facts in some)
        for pk, told in some:
            words = found.get(pk)
            readings = known_readings(words.texts, _language(told)) if words else None
            yield told if readings is None else _with(told, readings)


def _batches(decided: Iterable[tuple[int, Facts]]) -> Iterator[list[tuple[int, Facts]]]:
    rest = iter(decided)
    while some := list(islice(rest, TOGETHER)):
        yield some


def _language(told: Facts) -> str:
    return str(told.get("patient.language") or "en")


def _with(told: Facts, readings: list[signals.Reading]) -> Facts:
    kept = {name: value for name, value in told.items() if name != "signal.category"}
    return kept | facts.signals(readings)


def _words(decisions: Iterable[int]) -> dict[int, Words]:
    asked, told = list(decisions), dict[int, Words]()
    for source in sources:
        told |= source(asked)
    return told
