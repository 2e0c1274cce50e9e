"""Signals: what a nurse would see at a glance in the words a patient typed.

`read(text, language)` gives the red flags in a message, each with where it stands and why, and a suggested request
category; `read_many` does so for many texts at once. Both are pure but for their loaded
data and never raise on any text.
"""

from __future__ import annotations

from .likeness import trouble
from .reading import VERSION, Reading, Signal, codes, read, read_many, status

__all__ = ["VERSION", "Reading", "Signal", "codes", "read", "read_many", "status", "trouble"]
