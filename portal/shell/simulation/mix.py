"""The figures a simulated month rests on, from `mix.yaml`, where their sources are."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import yaml


@dataclass(frozen=True)
class Mix:
    """Shares of request types, of red flags and of what needs a physician; minutes of work by verb; attention by role
    (share of hours); minutes to notice."""

    version: str
    shares: dict[str, float]
    red_flags: float
    needs_physician: dict[str, float]
    published_reduction: tuple[float, float]
    minutes: dict[str, float]
    sigma: float
    attention: dict[str, float]
    notice: float
    notice_urgent: float


def load() -> Mix:
    told = yaml.safe_load((Path(__file__).parent / "mix.yaml").read_text(encoding="utf-8"))
    mix = Mix(**told | {"published_reduction": tuple(told["published_reduction"])})
    if abs(sum(mix.shares.values()) - 1) > 1e-6:
        raise ValueError("The shares of mix.yaml must add up to 1.")
    return mix
