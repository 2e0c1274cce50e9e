"""Red flags in words: a gate on messages kept apart from the examples, and what must hold for any text."""

import json
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from triage import signals

HELD_OUT = [json.loads(line) for line in (Path(__file__).parent / "held_out.jsonl").read_text().splitlines()]


def share(level: str, language: str) -> float:
    """How many of the held-out messages of this level are read as urgent."""
    rows = [row for row in HELD_OUT if row["level"] == level and row["language"] == language]
    return sum(signals.read(row["text"], language).emergency for row in rows) / len(rows)


def test_the_meaning_model_is_there_and_was_learned_from_the_present_examples() -> None:
    status = signals.status()
    assert status["meaning"], status["why"]
    assert status["learned"], status["why"]


@pytest.mark.parametrize("language", ["en", "es"])
def test_most_emergencies_nobody_wrote_an_example_of_are_seen(language: str) -> None:
    assert share("urgent", language) >= 0.84


@pytest.mark.parametrize("language", ["en", "es"])
def test_few_everyday_messages_are_taken_for_emergencies(language: str) -> None:
    assert share("routine", language) <= 0.15


@pytest.mark.parametrize(
    ("text", "language"),
    [
        ("I have crushing chest pain and can't breathe", "en"),
        ("My face is drooping on one side and my speech is slurred", "en"),
        ("I don't want to live any more and I have the pills here", "en"),
        ("Tengo un dolor muy fuerte en el pecho y no puedo respirar", "es"),
        ("No fever, but I can't breathe", "en"),
    ],
)
def test_plain_words_for_an_emergency_are_urgent_and_say_why(text: str, language: str) -> None:
    reading = signals.read(text, language)
    assert reading.emergency
    assert all(signal.reason for signal in reading.signals)


@pytest.mark.parametrize(
    "text",
    [
        "I have no chest pain and no trouble breathing, I only need my refill.",
        "My father had a stroke ten years ago.",
        "Please send my lisinopril to the pharmacy on Main Street.",
        "I have a question about the bill from March.",
    ],
)
def test_what_is_denied_past_or_ordinary_is_no_emergency(text: str) -> None:
    assert not signals.read(text).emergency


def test_a_language_that_cannot_be_read_is_said_to_be_unscreened() -> None:
    assert not signals.read(
        "Je ne me sens pas bien depuis hier et j'ai de la fièvre, que dois-je faire ?"
    ).screened


@settings(max_examples=60, deadline=None)
@given(st.text(max_size=400), st.sampled_from(["en", "es", "xx"]))
def test_no_text_makes_it_raise_and_every_span_lies_in_the_text(text: str, language: str) -> None:
    reading = signals.read(text, language)
    assert signals.Reading.from_json(reading.to_json()) == reading
    assert all(0 <= signal.start <= signal.end <= len(text) for signal in reading.signals)


@pytest.mark.parametrize("text", ["", "\x00" * 10, "x" * 200_000, "💊" * 500, "\ud800"])
def test_odd_texts_are_read_too(text: str) -> None:
    signals.read(text)
