"""Search in a person's own queues, over patients, references and texts; for the office without a word about health."""

from __future__ import annotations

import json
import re
import unicodedata
from dataclasses import dataclass
from typing import Any

from django.db import connection
from django.utils.functional import cached_property

from audit.now import now
from portal.people.models import User
from queues.lists.counts import Counts
from queues.lists.reading import LINE, LINE_JOINS, PAGE
from queues.lists.scope import QUEUES, VISIBLE
from queues.presence import LASTS
from queues.shown import Line, line

MOST = 120  # characters
HIT = "\x02", "\x03"  # around a found word in a text from the database; a text of ours holds neither

# The viewer's queues are words of the documents too, so that the index itself gives only what is theirs; with very
# many queues that would be a long list. What is rare is taken from the index whole. What is common is not: there the
# newest tasks are walked back until a page is full. The planner's own choice between the two goes wrong where the
# newest have none of it, and then walks back over a million. Here both cost about the same.
RARE = 7_000
FOUND = """
WITH place AS MATERIALIZED (SELECT id FROM ({queues}) seen),
query AS MATERIALIZED (SELECT queues_search_query(%(words)s, %(phrases)s) AS asked),
hit AS {whole} (SELECT d.task_id FROM queues_searchdocument d WHERE {matches}),
page AS MATERIALIZED (
    SELECT hit.task_id AS id, query.asked FROM query, hit JOIN queues_task t ON t.id = hit.task_id
    WHERE {visible}
    ORDER BY hit.task_id DESC LIMIT %(limit)s
)
SELECT {line}, ts_headline('pg_catalog.english', d.{body}, page.asked, %(style)s)
FROM page JOIN queues_searchdocument d ON d.task_id = page.id JOIN queues_task t ON t.id = page.id {joins}
ORDER BY t.id DESC
"""
MATCHES = "d.{words} @@ ({places} queues_search_query(%(words)s, %(phrases)s))"
HOW_MANY = "EXPLAIN (FORMAT JSON) SELECT 1 FROM queues_searchdocument d WHERE {matches}"
STYLE = f"StartSel={HIT[0]}, StopSel={HIT[1]}, MaxFragments=1, MaxWords=16, MinWords=5, FragmentDelimiter= … "


@dataclass(frozen=True)
class Wanted:
    """What somebody typed: words, and phrases in quotes. Holds patient data, so it is never part of an address."""

    text: str

    @classmethod
    def read(cls, text: str) -> Wanted:
        """Without control characters and outer space; what is longer than `MOST` is cut."""
        printable = "".join(" " if unicodedata.category(c) == "Cc" else c for c in text)
        return cls(" ".join(printable.split())[:MOST].strip())

    @cached_property
    def phrases(self) -> list[str]:
        return [phrase for phrase in re.findall(r'"([^"]+)"', self.text) if phrase.strip()]

    @cached_property
    def words(self) -> list[str]:
        """Letters and digits; a reference or a record number loses its hyphens, as it did in the documents."""
        left = re.sub(r'"[^"]+"', " ", self.text)
        numbers = re.sub(r"(?<=[\w])-(?=\d)", "", left)
        return re.findall(r"[^\W_]+", numbers)

    def __bool__(self) -> bool:
        return bool(self.words or self.phrases)

    @cached_property
    def _pattern(self) -> re.Pattern[str]:
        starts = [re.escape(fold(word)) for word in [*self.words, *" ".join(self.phrases).split()]]
        return re.compile(rf"\b(?:{'|'.join(starts)})\w*" if starts else r"(?!)")

    def marked(self, text: str) -> list[tuple[str, bool]]:
        """A text as pieces, each with whether it was searched for."""
        pieces, end = [], 0
        for hit in self._pattern.finditer(fold(text)):
            pieces += [(text[end : hit.start()], False), (text[hit.start() : hit.end()], True)]
            end = hit.end()
        return [piece for piece in [*pieces, (text[end:], False)] if piece[0]]


@dataclass(frozen=True)
class Found:
    """A row of the results: the line, and where the words are in it."""

    line: Line
    title: list[tuple[str, bool]]
    sub: list[tuple[str, bool]]
    patient: list[tuple[str, bool]]
    text: list[tuple[str, bool]]


def fold(text: str) -> str:
    """Small letters without accents, letter by letter, so that places in it are places in the text."""
    return "".join(unicodedata.normalize("NFKD", c)[0].lower()[:1] or c for c in text)


def find(wanted: Wanted, viewer: User, counted: Counts) -> tuple[list[Found], bool]:
    """The newest tasks that hold all of it, and whether there are more; from the viewer's queues alone."""
    if not wanted:
        return [], False
    sql, values = statement(wanted, viewer, counted)
    with connection.cursor() as cursor:
        cursor.execute(sql, values)
        rows = cursor.fetchall()
    moment = now()
    found = []
    for row in rows[:PAGE]:
        each = line(row[:-1], viewer=viewer, moment=moment)
        found.append(
            Found(
                each,
                wanted.marked(each.title),
                wanted.marked(each.sub),
                wanted.marked(each.patient),
                _headline(row[-1], each),
            )
        )
    return found, len(rows) > PAGE


def statement(wanted: Wanted, viewer: User, counted: Counts) -> tuple[str, dict[str, Any]]:
    """The search as SQL: put together from constants, every value a parameter."""
    moment = now()
    clinical = viewer.is_clinical
    own = [f"'@{place.pk}'" for place in counted.places]
    places = [] if counted.many else [*own, f"'@p{viewer.pk}'"]  # the last for what they cover themselves
    matches = MATCHES.format(
        words="words" if clinical else "office_words", places="%(places)s::tsquery &&" if places else ""
    )
    values = {
        "user": viewer.pk,
        "today": moment.date(),
        "now": moment,
        "present": moment - LASTS,
        "words": wanted.words,
        "phrases": wanted.phrases,
        "places": " | ".join(places),
        "style": STYLE,
        "limit": PAGE + 1,
    }
    sql = FOUND.format(
        queues=QUEUES,
        visible=VISIBLE,
        matches=matches,
        whole="MATERIALIZED" if _how_many(matches, values) < RARE else "NOT MATERIALIZED",
        body="body" if clinical else "office_body",
        line=LINE,
        joins=LINE_JOINS,
    )
    return sql, values


def _how_many(matches: str, values: dict[str, Any]) -> int:
    """How many documents the statistics expect to match, of all."""
    with connection.cursor() as cursor:
        cursor.execute(HOW_MANY.format(matches=matches), values)
        (told,) = cursor.fetchone()
    plans = json.loads(told) if isinstance(told, str) else told
    return int(plans[0]["Plan"]["Plan Rows"])


def _headline(head: str, each: Line) -> list[tuple[str, bool]]:
    """The piece of the text with the words in it; nothing when they are in the title anyhow."""
    if HIT[0] not in head:
        return []
    pieces = []
    for part in re.split(f"({HIT[0]}[^{HIT[1]}]*{HIT[1]})", head.replace("\n", " · ")):
        hit = part.startswith(HIT[0])
        pieces.append((part.strip("".join(HIT)) if hit else part, hit))
    plain = "".join(text for text, _hit in pieces)
    shown = f"{each.title} · {each.sub}"
    return [] if plain in shown else [piece for piece in pieces if piece[0]]
