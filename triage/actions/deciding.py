"""Deciding about a request, and reading the red flags in its words."""

from __future__ import annotations

import logging
from collections.abc import Iterable, Iterator, Mapping
from hashlib import sha256
from typing import Any

from django.db import transaction
from django.utils.translation import gettext as _
from psycopg.types.json import Jsonb

from audit.now import now
from audit.statements import Question, touched
from portal.people.policies import Refused
from portal.people.prepared import rows
from portal.people.reference import remembered
from queues.urgency import Urgency
from triage import engine, signals
from triage.loading import compiled
from triage.models import Decision, Ruleset, TextReading

log = logging.getLogger(__name__)


def read_texts(
    texts: Iterable[str], language: str, kept: Mapping[str, Any] | None = None
) -> list[signals.Reading]:
    """The red flags of each text that says something, in order. Each text is read once and kept by its hash; `kept` are
    readings that were looked up already, by their digests."""
    texts = [text for text in texts if text.strip()]
    digests = digests_of(texts, language)
    known = dict(kept or {})
    known |= _known([digest for digest in digests if digest not in known])
    # The same words in two boxes are read once; all that are new are read together, which is far quicker.
    unread = {digest: text for digest, text in zip(digests, texts, strict=True) if digest not in known}
    read = dict(zip(unread, signals.read_many(list(unread.values()), language), strict=True))
    new = [
        TextReading(digest=digest, result=reading.to_json(), read_at=now())
        for digest, reading in read.items()
    ]
    # Two tabs may save the same words at once; the second row would say the same.
    TextReading.objects.bulk_create(new, ignore_conflicts=True)
    return [
        read[digest] if digest in read else signals.Reading.from_json(known[digest]) for digest in digests
    ]


def known_readings(texts: Iterable[str], language: str) -> list[signals.Reading] | None:
    """The kept readings of these texts in order; None where one of them was not read yet."""
    digests = digests_of(texts, language)
    known = _known(digests)
    if not all(digest in known for digest in digests):
        return None
    return [signals.Reading.from_json(known[digest]) for digest in digests]


def digests_of(texts: Iterable[str], language: str) -> list[str]:
    """What the readings of these texts are kept by, in order."""
    return [_digest(text, language) for text in texts if text.strip()]


def kept_readings(digests: Question) -> Question:
    """The question for `read_texts`' `kept`, in one value; `digests` is the one for an array of them."""
    asked, given = digests
    # Each by the index: how many there are nobody can tell beforehand, and a plan for many would read the table.
    each = "SELECT digest, result FROM triage_textreading WHERE digest = one OFFSET 0"
    sql = f"SELECT jsonb_object_agg(digest, result) FROM unnest(({asked})::text[]) one, LATERAL ({each}) kept"  # noqa: S608
    return sql, given


def _known(digests: list[str]) -> dict[str, str]:
    """The readings that are kept of these texts, as JSON."""
    if not digests:
        return {}
    return dict(rows("SELECT digest, result FROM triage_textreading WHERE digest = ANY(%s)", [digests]))


def keep_readings(texts: Iterable[str], language: str) -> None:
    """Read texts before they are sent and keep the readings, for whoever reads them next.

    Row by row: a statement for all would hold some while it waits for others that a submit is just storing.
    """
    said = {_digest(text, language): text for text in texts if text.strip()}
    known = set(TextReading.objects.filter(digest__in=said).values_list("digest", flat=True))
    new = {digest: text for digest, text in said.items() if digest not in known}
    readings = signals.read_many(list(new.values()), language)
    for digest, reading in zip(new, readings, strict=True):
        touched(KEEP, [digest, Jsonb(reading.to_json()), now()])


KEEP = "INSERT INTO triage_textreading (digest, result, read_at) VALUES (%s, %s, %s) ON CONFLICT DO NOTHING"


def _digest(text: str, language: str) -> str:
    return sha256(f"{signals.VERSION}\n{language}\n{text}".encode(errors="replace")).hexdigest()


def preview(facts: dict[str, Any]) -> engine.Decision:
    """What would be decided now, without keeping it: for the promise a patient reads before sending."""
    return engine.decide(deciding()[1], facts)


def deciding() -> tuple[int, engine.Ruleset]:
    """Key and compiled form of the ruleset that decides now.

    That is the published one. Where it can't be read, the last one before it that can goes on deciding, and the
    log says so: intake never stops for a rule.
    """
    for pk in _newest_first():
        try:
            return pk, compiled(pk)
        except engine.RulesetError:
            log.error("Ruleset row %s can't be read; an earlier one decides.", pk)
    raise Refused(_("We can't take requests online at this moment. Please call us."))


def _newest_first() -> Iterator[int]:
    """The published one; the others are asked for only when it can't be read."""
    yield from _published()
    yield from Ruleset.objects.published_before().order_by("-published_at").values_list("pk", flat=True)


@remembered
def _published() -> list[int]:
    return list(Ruleset.objects.published().order_by().values_list("pk", flat=True))


@transaction.atomic(savepoint=False)  # nobody goes on without it
def decide(facts: dict[str, Any], *, submission: Any = None, message: Any = None) -> Decision:
    """Decide and keep the decision with its trace. Part of the caller's transaction. `message` is the later one that
    it is about, where it is not the submission itself."""
    pk, ruleset = deciding()
    result = engine.decide(ruleset, facts)
    return Decision.objects.create(
        ruleset_id=pk,
        submission=submission,
        message=message,
        decided_at=now(),
        facts=facts,
        queue=result.queue,
        urgency=Urgency.from_word(result.urgency),
        floor=Urgency.from_word(result.floor),
        result=result.to_json(),
    )
