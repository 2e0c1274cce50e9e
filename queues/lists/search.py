"""Search in a person's own queues, over patients, references and texts; for the office without a word about health."""

from __future__ import annotations

import re
import unicodedata
from dataclasses import dataclass
from functools import cache

from django.utils.functional import cached_property

from audit.now import now
from portal.people import prepared
from portal.people.models import User
from queues.lists.reading import LINE, LINE_JOINS, PAGE
from queues.lists.scope import QUEUES, VISIBLE
from queues.presence import LASTS
from queues.shown import Line, lines

MOST = 120  # characters
HIT = "\x02", "\x03"  # around a found word in a text from the database; a text of ours holds neither

# The newest tasks come first, and an index of words knows no order. So a page is looked for by looking at the newest
# documents themselves, then by the index among some fifty thousand, then in all; a document holds the number of its
# block of 32,768 tasks as a word of its own (@c). What is common fills the page early, and what doesn't is rare enough
# to be taken whole. The viewer's queues are words too, so that the index itself gives only what is theirs. It weighs
# each of these words for each document: who has more than that many is served quicker by a look at each hit. (OFFSET 0
# keeps the planner on this way: what the index gives, each looked at from the newest on. It would rather walk back
# over all tasks.)
NEWEST = 2048  # documents that are looked at themselves: in less time than the index takes for one beginning of a word
AS_WORDS = 40
MINE = f"CROSS JOIN LATERAL (SELECT FROM queues_task t WHERE t.id = hit.task_id AND {VISIBLE} OFFSET 0) t"
NEW = """
few AS MATERIALIZED (
    SELECT hit.task_id AS id FROM (
        SELECT task_id, {words} AS words FROM queues_searchdocument ORDER BY task_id DESC LIMIT %(newest)s
    ) hit {mine} WHERE hit.words @@ (SELECT asked FROM query)
    ORDER BY hit.task_id DESC LIMIT %(limit)s
)
"""
STEP = """
{name} AS MATERIALIZED (
    SELECT hit.task_id AS id FROM (
        SELECT d.task_id FROM queues_searchdocument d
        WHERE d.{words} @@ (SELECT {asked} FROM query) AND {taken} OFFSET 0
    ) hit {mine}
    ORDER BY hit.task_id DESC LIMIT %(limit)s
)
"""
FOUND = """
WITH place AS MATERIALIZED (SELECT id FROM ({queues}) seen),
typed AS MATERIALIZED (
    SELECT queues_search_query(%(words)s::text[], %(phrases)s::text[]) AS asked,
        coalesce((SELECT max(id) FROM queues_task), 0) AS newest
),
own AS MATERIALIZED (
    SELECT CASE WHEN count(*) <= {as_words} THEN
        (concat_ws('|', string_agg(quote_literal('@' || id), '|'), quote_literal('@p' || %(user)s::bigint)))::tsquery
    END AS places FROM place
),
query AS MATERIALIZED (
    SELECT asked, here, here && (quote_literal('@c' || newest / 32768) || '|'
            || quote_literal('@c' || newest / 32768 - 1))::tsquery AS more
    FROM (
        SELECT asked, newest, CASE WHEN numnode(asked) = 0 OR places IS NULL THEN asked ELSE places && asked END AS here
        FROM typed, own
    ) all_of_it
),
{steps},
page AS MATERIALIZED (
    SELECT id FROM few UNION SELECT id FROM more UNION SELECT id FROM everywhere ORDER BY id DESC LIMIT %(limit)s
)
SELECT {line}, ts_headline('pg_catalog.english', d.{body}, (SELECT asked FROM query), %(style)s)
FROM page JOIN queues_searchdocument d ON d.task_id = page.id JOIN queues_task t ON t.id = page.id {joins}
ORDER BY t.id DESC
"""
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


def find(wanted: Wanted, viewer: User) -> tuple[list[Found], bool]:
    """The newest tasks that hold all of it, and whether there are more; from the viewer's queues alone."""
    if not wanted:
        return [], False
    moment = now()
    rows = prepared.rows(
        statement(clinical=viewer.is_clinical),
        {
            "user": viewer.pk,
            "today": moment.date(),
            "now": moment,
            "present": moment - LASTS,
            "words": wanted.words,
            "phrases": wanted.phrases,
            "style": STYLE,
            "limit": PAGE + 1,
            "newest": NEWEST,
        },
    )
    found = []
    for row, each in zip(rows[:PAGE], lines([row[:-1] for row in rows[:PAGE]], viewer), strict=True):
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


@cache
def statement(*, clinical: bool) -> str:
    """The search as SQL: put together from constants, every value a parameter."""
    words = "words" if clinical else "office_words"
    few, more = (f"(SELECT count(*) FROM {name})" for name in ("few", "more"))  # noqa: S608 - as above
    steps = [NEW.format(words=words, mine=MINE)]
    for name, asked, taken in (
        # Sixteen times as many documents, or more: not where the first few say that these would hardly fill the page.
        ("more", "more", f"{few} < %(limit)s AND {few} * 16 >= 2 * %(limit)s"),
        # Only after one of the two has counted, so that there are not many.
        ("everywhere", "here", f"greatest({few}, {more}) < %(limit)s"),
    ):
        steps.append(STEP.format(name=name, asked=asked, words=words, mine=MINE, taken=taken))
    return FOUND.format(
        queues=QUEUES,
        as_words=AS_WORDS,
        words=words,
        steps=",".join(steps),
        body="body" if clinical else "office_body",
        line=LINE,
        joins=LINE_JOINS,
    )


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
