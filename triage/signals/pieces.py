"""Cuts a message into the pieces whose meaning is read one by one."""

from __future__ import annotations

from dataclasses import dataclass

from .text import Text

LONGEST = 45  # words of a piece; people who never use a full stop still get read in full
SHORTEST = 3  # words; shorter sentences join the one before


@dataclass(frozen=True)
class Piece:
    text: str
    first: int  # words of the message, half-open
    last: int

    @property
    def weight(self) -> int:
        """How much it counts in the whole: its length, within bounds."""
        return min(self.last - self.first, 60) + 2


def pieces(text: Text) -> list[Piece]:
    """The sentences of a message, long ones cut at a pause, very short ones joined."""
    ranges: list[tuple[int, int]] = []
    for first, last in text.sentences:
        if ranges and last - first <= SHORTEST and ranges[-1][1] == first and last - ranges[-1][0] <= LONGEST:
            ranges[-1] = (ranges[-1][0], last)
            continue
        while last - first > LONGEST + 10:
            cut = _pause(text, first, first + LONGEST)
            ranges.append((first, cut))
            first = cut
        ranges.append((first, last))
    made = []
    for first, last in ranges:
        start, end = text.original_span(first, last)
        said = " ".join(text.original[start:end].split())
        if said:
            made.append(Piece(said, first, last))
    return made


def _pause(text: Text, first: int, last: int) -> int:
    for word in range(last - 1, first + LONGEST // 2, -1):
        if text.words[word] in (",", ";", "and", "but", "y", "pero"):
            return word + 1
    return last
