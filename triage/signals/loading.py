"""Where the data files are, and how they are read."""

from __future__ import annotations

import hashlib
from pathlib import Path
from typing import Any

import yaml

HERE = Path(__file__).parent
DATA = HERE / "data"
LEARNED = DATA / "learned.npz"


def load_yaml(path: Path) -> Any:
    """A data file with every scalar as text: to us `no` is a word, not a falsehood."""
    loader = getattr(yaml, "CBaseLoader", yaml.BaseLoader)
    with path.open(encoding="utf-8") as stream:
        return yaml.load(stream, Loader=loader)  # noqa: S506 - a base loader builds nothing but text, lists and dicts


def version() -> str:
    """A short hash of every data file and every module here: it changes when what decides changes."""
    digest = hashlib.sha256()
    for path in sorted([*DATA.rglob("*.yaml"), *DATA.glob("*.npz"), *HERE.glob("*.py")]):
        digest.update(path.relative_to(HERE).as_posix().encode() + b"\0" + path.read_bytes() + b"\0")
    return digest.hexdigest()[:12]
