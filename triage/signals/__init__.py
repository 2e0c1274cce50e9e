"""Signals: what a nurse would see at a glance in the words a patient typed.

`read(text, language)` gives the red flags in a message, each with where it stands and why, and a suggested request
category. It is pure but for its loaded data and never raises on any text.
"""

from __future__ import annotations

from .reading import VERSION, Reading, Signal, codes, read, status

__all__ = ["VERSION", "Reading", "Signal", "codes", "read", "status"]
