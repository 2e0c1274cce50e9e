"""`manage.py read_signals`: a line of JSON in, a line of JSON out, whatever stands on it."""

import json
import subprocess
import sys
from io import StringIO
from pathlib import Path

import pytest
from django.conf import settings
from django.core.management import CommandError, call_command


def lines(path: Path) -> list[dict]:
    out = StringIO()
    call_command("read_signals", str(path), "--json", stdout=out)
    return [json.loads(line) for line in out.getvalue().splitlines()]


def test_each_line_gets_its_answer_in_order(tmp_path: Path) -> None:
    file = tmp_path / "messages.jsonl"
    file.write_text(
        json.dumps({"id": 1, "text": "I have crushing chest pain and cannot breathe"})
        + "\n"
        + json.dumps({"id": 2, "text": "Necesito mi receta de metformina", "language": "es"})
        + "\n"
    )
    first, second = lines(file)
    assert (first["id"], first["emergency"], first["urgency"]) == (1, True, "urgent")
    assert first["signals"][0]["class"]
    assert first["signals"][0]["reason"]
    assert (second["id"], second["emergency"], second["language"]) == (2, False, "es")


def test_a_line_that_cannot_be_read_says_why_and_stops_nothing(tmp_path: Path) -> None:
    file = tmp_path / "messages.jsonl"
    file.write_bytes(
        b"not json\n[1]\n{}\n\xff\xfe\n"
        b'{"text": 5}\n{"text": "x", "language": 5}\n'
        b'{"text": "NUL \\u0000 and half a pair \\ud800 here"}\n'
        b"\n" + b"[" * 100_000 + b"\n"
        b'{"text": "I cannot breathe, my throat is closing"}\n'
    )
    answers = lines(file)
    assert [("error" in answer) for answer in answers] == [True] * 6 + [False] + [True] * 2 + [False]
    assert [answer["line"] for answer in answers if "error" in answer] == [1, 2, 3, 4, 5, 6, 8, 9]
    assert answers[-1]["emergency"]


def test_a_file_that_is_not_there_is_one_sentence(tmp_path: Path) -> None:
    with pytest.raises(CommandError, match="cannot be read"):
        call_command("read_signals", str(tmp_path / "none.jsonl"), "--json")


def test_it_runs_where_nothing_is_set_up(tmp_path: Path) -> None:
    file = tmp_path / "messages.jsonl"
    file.write_text(json.dumps({"text": "my throat is closing and I cannot breathe"}) + "\n")
    run = subprocess.run(
        [sys.executable, "manage.py", "read_signals", str(file), "--json"],
        cwd=settings.BASE_DIR, env={"PATH": "/usr/bin:/bin"}, capture_output=True, text=True, check=True,
    )  # fmt: skip
    assert json.loads(run.stdout)["emergency"] is True


def test_a_bad_line_keeps_its_id_and_what_is_no_json_is_never_printed(tmp_path: Path) -> None:
    file = tmp_path / "messages.jsonl"
    file.write_text('{"text": 5, "id": "m-1"}\n{"text": "I need a refill", "id": NaN}\n')
    bad, worse = lines(file)
    assert bad == {"line": 1, "error": "this line has no text", "id": "m-1"}
    assert worse == {"line": 2, "error": "this line is not JSON"}
