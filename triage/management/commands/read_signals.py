"""Reads messages from a file, one JSON object a line, and prints the signals seen in each."""

from __future__ import annotations

import json
import sys
from argparse import ArgumentParser
from collections.abc import Iterator
from contextlib import contextmanager
from itertools import islice
from pathlib import Path
from typing import Any, BinaryIO

from django.core.management.base import BaseCommand, CommandError

from triage import signals

TOGETHER = 128  # lines that are read in one go


class Command(BaseCommand):
    help = "Read the red flags in messages: one JSON object with `text` (and maybe `language`) on each line."
    requires_system_checks: list[
        str
    ] = []  # reads no table and no setting, so it also runs where nothing is set up

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("file", help="a file of JSON lines, or - for standard input")
        parser.add_argument("--json", action="store_true", help="print one JSON object for each line")

    def handle(self, *args: Any, **options: Any) -> None:
        with _opened(options["file"]) as stream:
            number = 0
            while lines := list(islice(stream, TOGETHER)):
                for answer in _answers(lines):
                    number += 1
                    if "error" in answer:
                        answer = {"line": number, **answer}
                    self.stdout.write(json.dumps(answer) if options["json"] else _readable(number, answer))


@contextmanager
def _opened(name: str) -> Iterator[BinaryIO]:
    if name == "-":
        yield sys.stdin.buffer
        return
    try:
        stream = Path(name).open("rb")  # noqa: SIM115 - closed below, when its lines are read
    except OSError as error:
        raise CommandError(f"{name} cannot be read: {error.strerror}") from error
    with stream:
        yield stream


def _answers(lines: list[bytes]) -> list[dict[str, Any]]:
    """What is said about each line; those in one language are read together."""
    rows = [_row(line) for line in lines]
    readings: dict[int, signals.Reading] = {}
    for language in {row["language"] for row in rows if "error" not in row}:
        chosen = [
            index for index, row in enumerate(rows) if "error" not in row and row["language"] == language
        ]
        read = signals.read_many([rows[index]["text"] for index in chosen], language)
        readings.update(zip(chosen, read, strict=True))
    return [_answer(row, readings[index]) if index in readings else row for index, row in enumerate(rows)]


def _row(line: bytes) -> dict[str, Any]:
    """What stands on one line; a line that cannot be read gets an `error` and stops nothing."""
    try:
        row = json.loads(line.decode("utf-8-sig"), parse_constant=_refused)
    except (ValueError, RecursionError):
        return {"error": "this line is not JSON"}
    if not isinstance(row, dict):
        return {"error": "this line is not a JSON object"}
    text, language = row.get("text"), row.get("language") or "en"
    named = {"id": row["id"]} if "id" in row else {}
    if not isinstance(text, str):
        return {"error": "this line has no text", **named}
    if not isinstance(language, str):
        return {"error": "the language of this line is not a word", **named}
    return {**row, "language": language}


def _refused(word: str) -> None:
    raise ValueError(word)  # NaN and Infinity are no JSON, and nobody could read them back


def _answer(row: dict[str, Any], reading: signals.Reading) -> dict[str, Any]:
    answer: dict[str, Any] = {
        "emergency": reading.emergency,
        "urgency": reading.urgency,
        "signals": [
            {
                "class": signal.code,
                "label": signal.label,
                "urgency": signal.urgency,
                "span": [signal.start, signal.end],
                "reason": signal.reason,
                "kind": signal.kind,
            }
            for signal in reading.signals
        ],
        "category": reading.category,
        "language": reading.language,
        "screened": reading.screened,
        "version": reading.version,
    }
    if "id" in row:
        answer["id"] = row["id"]
    return answer


def _readable(number: int, answer: dict[str, Any]) -> str:
    if "error" in answer:
        return f"{number}: {answer['error']}"
    seen = (
        "; ".join(f"{signal['label']} ({signal['reason']})" for signal in answer["signals"]) or "nothing seen"
    )
    return f"{number}: {answer['urgency']}: {seen}"
