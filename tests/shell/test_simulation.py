"""The simulated month: the same seed gives the same one, and every line of it says what it is."""

from __future__ import annotations

import json
import subprocess
import sys

import pytest
from django.conf import settings

from portal.shell.simulation import mix

MONTH = ("--messages=24", "--seed=5", "--json")


def simulate(*arguments: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "manage.py", "simulate", *arguments],
        cwd=settings.BASE_DIR,
        capture_output=True,
        text=True,
        check=False,
    )


@pytest.fixture(scope="module")
def month() -> list[dict]:
    done = simulate(*MONTH)
    assert done.returncode == 0, done.stderr
    return [json.loads(line) for line in done.stdout.splitlines() if line.startswith("{")]


def test_every_line_says_that_it_is_a_simulation(month) -> None:
    assert month
    assert all(line["simulation"] is True for line in month)


def test_what_was_asked_for_is_told(month) -> None:
    figures = {line["name"]: line["value"] for line in month}
    assert figures["messages"] == 24
    assert 0 <= figures["physician_share"] <= figures["baseline_physician_share"] <= 1
    assert figures["reduction_against_everything_to_the_doctor"] == pytest.approx(
        1 - figures["physician_share"], abs=1e-3
    )
    assert {"reduction_against_baseline", "under_triage", "late_first_answer", "late_outcome"} <= set(figures)
    # People did something: somebody's time was spent, and nearly all was answered within the month.
    assert figures["minutes_nurse"] > 0
    assert figures["open_at_the_end"] < 12


def test_the_same_seed_gives_the_same_month(month) -> None:
    again = [json.loads(line) for line in simulate(*MONTH).stdout.splitlines() if line.startswith("{")]
    assert again == month


@pytest.mark.parametrize(
    ("arguments", "sentence"),
    [
        (["--messages=0"], "Simulate between 1 and 200,000 messages."),
        (["--speed=0"], "The speed of staff is a number between 0.05 and 50"),
    ],
)
def test_what_can_t_be_simulated_is_refused_in_a_sentence(arguments, sentence) -> None:
    done = simulate(*arguments)
    assert done.returncode == 1
    assert sentence in done.stderr
    assert "Traceback" not in done.stderr


def test_the_mix_is_whole_and_within_the_published_ranges() -> None:
    shares = mix.load().shares
    ranges = {
        "refill": (0.30, 0.45),
        "appointment": (0.15, 0.25),
        "symptom": (0.20, 0.25),
        "result": (0.05, 0.10),
        "form": (0.05, 0.10),
        "billing": (0.05, 0.10),
    }
    assert sum(shares.values()) == pytest.approx(1)
    assert all(low <= shares[kind] <= high for kind, (low, high) in ranges.items())
    assert 0.02 <= mix.load().red_flags <= 0.035
