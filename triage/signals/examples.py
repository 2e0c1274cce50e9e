"""The example messages of `data/examples`: what each is an example of, in which language."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path

from .loading import DATA, load_yaml

FOLDER = DATA / "examples"
URGENT, SOON, ROUTINE = "urgent", "soon", "routine"
CATEGORIES = ("refill", "symptom", "billing", "appointment", "form", "result")


@dataclass(frozen=True)
class Example:
    """One message written here: how pressing it is, and the flag (or, for a routine one, the category) it shows."""

    text: str
    language: str
    level: str
    code: str
    alike: bool = False  # it sounds like its flag and is none

    @property
    def category(self) -> str | None:
        """The request category it teaches; a message that only sounds like a flag teaches none."""
        if self.alike:
            return None
        if self.level == ROUTINE:
            return self.code if self.code in CATEGORIES else "other"
        return "refill" if self.code == "medicine_safety" else "symptom"


def paths() -> list[Path]:
    return sorted(FOLDER.rglob("*.yaml"))


@lru_cache(maxsize=1)
def examples() -> tuple[Example, ...]:
    made: list[Example] = []
    for folder, level in (("urgent", URGENT), ("soon", SOON), ("routine", ROUTINE), ("looks_alike", ROUTINE)):
        for path in sorted((FOLDER / folder).glob("*.yaml")):
            for code, languages in load_yaml(path).items():
                for language, texts in languages.items():
                    for text in texts:
                        if not isinstance(text, str):
                            raise ValueError(f"{path.name}: put quotes around {text!r}")
                        made.append(Example(text, language, level, code, folder == "looks_alike"))
    return tuple(made)


@lru_cache(maxsize=1)
def around() -> dict[str, dict[str, list[str]]]:
    """Sentences that stand around what matters: neutral ones, and reassuring ones."""
    found: dict[str, dict[str, list[str]]] = load_yaml(FOLDER / "around.yaml")
    return found


def digest() -> str:
    """A short hash of the example files: what was learned from them says which it was."""
    made = hashlib.sha256()
    for path in paths():
        made.update(path.relative_to(FOLDER).as_posix().encode() + b"\0" + path.read_bytes() + b"\0")
    return made.hexdigest()[:16]
