"""Tells whether something changed since it was last made, so that a start needn't make it again."""

import hashlib
from collections.abc import Iterable
from pathlib import Path

BASE = Path(__file__).resolve().parents[2]
ROOMS = ("audit", "intake", "portal", "queues", "triage")


def of_schema() -> str:
    """What decides the tables and the rights on them: migrations, models (append-only or not), libraries."""
    files = [
        BASE / "requirements" / "serve.txt",
        BASE / "portal/shell/database.py",
        BASE / "portal/shell/settings.py",
    ]
    for room in ROOMS:
        files += [path for path in (BASE / room).glob("**/migrations/**/*") if path.suffix != ".pyc"]
        files += (BASE / room).glob("**/models.py")
        files += (BASE / room).glob("**/models/*.py")
    return of_content(files)


def of_demo() -> str:
    """What decides the invented practice: its data and rules, and the tables they go into."""
    demo = (path for path in (BASE / "portal/shell/demo").glob("**/*") if path.suffix != ".pyc")
    return of_schema() + of_content(demo)


def of_static() -> str:
    """What decides the collected static files: our own, and the libraries that bring some."""
    return of_content([BASE / "requirements" / "serve.txt", *(BASE / "static").glob("**/*")])


def of_content(files: Iterable[Path]) -> str:
    """A short digest of these files' names and content; directories and missing files count as nothing."""
    digest = hashlib.sha256()
    for path in sorted(set(files)):
        if path.is_file():
            digest.update(f"{path.relative_to(BASE)}\0{path.stat().st_size}\0".encode() + path.read_bytes())
    return digest.hexdigest()[:16]
