"""How quickly messages are read: figures for `make bench`."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from time import process_time

from .likeness import likeness
from .meaning import Asked
from .patterns import patterns
from .reading import read_many

ROUNDS = 15
Told = tuple[str, float, str, str]
MESSAGE = (
    "Good morning, I saw you in March about my knee and that is much better, thank you. I am writing since yesterday "
    "I have had a dull ache behind my ribs when I walk the dog, and last night it woke me at three. I took an "
    "antacid and sat up for a while. My husband thinks it is the new diet. I have no fever and no cough, and my blood "
    "pressure was 138 over 84 this morning. I also need the form for my gym, and my refill runs out on Friday. "
    "Should I come in, or can it wait until my visit next week?"
)[:500]


def reading() -> Iterator[Told]:
    """Milliseconds for one message of 500 characters on one core: its phrases, all of it, and all of it among many."""
    known, compared = patterns(), likeness()
    yield "signals_patterns", _quickest(lambda: known.look(known.text(MESSAGE))), "ms", "<= 0.5"
    if compared is None or compared.meaning is None:
        return
    text = known.text(MESSAGE)
    found, aside = known.look(text)
    asked = Asked(text, "en", found, aside)
    yield "signals_meaning", _quickest(lambda: compared.see([asked])), "ms", "<= 40"
    many = [MESSAGE[:-number] for number in range(1, 33)]
    yield "signals_read_many", _quickest(lambda: read_many(many), 3) / len(many), "ms", "<= 40"


def _quickest(work: Callable[[], object], rounds: int = ROUNDS) -> float:
    """The quickest of some rounds, in the time of a core: what else runs on the machine does not count."""
    work()
    times = []
    for _ in range(rounds):
        start = process_time()
        work()
        times.append(process_time() - start)
    return min(times) * 1000
