"""Spanish words into English ones, word by word, so that one set of examples teaches both languages.

The meaning model knows English. What it reads of a Spanish message is this plain rendering: longest phrases first,
unknown words as they stand (many are the same in both). It is never shown to anybody.
"""

from __future__ import annotations

from collections.abc import Sequence
from functools import lru_cache

from .loading import DATA, load_yaml

_LONGEST = 5  # words of an entry


@lru_cache(maxsize=1)
def entries() -> dict[tuple[str, ...], str]:
    made: dict[tuple[str, ...], str] = {}
    for said, meant in load_yaml(DATA / "glossary.yaml").items():
        for one in said.split("|"):
            words = tuple(one.split())
            if not 0 < len(words) <= _LONGEST:
                raise ValueError(f"glossary.yaml: {one!r} must have one to {_LONGEST} words")
            made[words] = meant
    return made


def english(words: Sequence[str]) -> str:
    """These Spanish words in English, as far as the glossary knows them."""
    known = entries()
    made: list[str] = []
    at = 0
    while at < len(words):
        for size in range(min(_LONGEST, len(words) - at), 0, -1):
            meant = known.get(tuple(words[at : at + size]))
            if meant is not None:
                if meant:
                    made.append(meant)
                at += size
                break
        else:
            made.append(_guess(words[at]))
            at += 1
    return " ".join(made)


@lru_cache(maxsize=20_000)
def _guess(word: str) -> str:
    """A plural, a feminine or a small form of a known word, a word in -mente or -cion, or the word as it stands."""
    known = entries()
    for end, new in _ENDINGS:
        if len(word) > len(end) + 2 and word.endswith(end):
            meant = known.get((word[: len(word) - len(end)] + new,))
            if meant is not None:
                return meant
    for end, new in _COGNATES:
        if len(word) > len(end) + 3 and word.endswith(end):
            return word[: len(word) - len(end)] + new
    return word


_ENDINGS = (
    ("s", ""), ("es", ""), ("as", "o"), ("a", "o"), ("os", "o"), ("itos", "o"), ("itas", "a"),
    ("ito", "o"), ("ita", "a"),
    ("ito", "a"), ("cito", ""), ("cita", ""), ("isimo", "o"), ("isima", "o"), ("me", ""), ("le", ""), ("lo", ""),
    ("la", ""), ("se", ""), ("te", ""), ("melo", ""), ("ces", "z"),
)  # fmt: skip
_COGNATES = (
    ("ciones", "tions"),
    ("cion", "tion"),
    ("mente", "ly"),
    ("dad", "ty"),
    ("oso", "ous"),
    ("osa", "ous"),
)
