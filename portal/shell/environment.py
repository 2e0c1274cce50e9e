"""Reads Porter's settings from environment variables and says in plain words what is wrong with them.

Nothing is raised while reading: every problem is one sentence in a list, so that an operator sees all of
them at once and not one a restart.
"""

import fcntl
import os
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import Any, NoReturn
from urllib.parse import parse_qs, unquote, urlsplit

from psycopg import ProgrammingError
from psycopg.conninfo import conninfo_to_dict


class Environment:
    """The variables given at the start, and the sentences about those that are missing or broken."""

    def __init__(self, values: Mapping[str, str]) -> None:
        self.values = values
        self.problems: list[str] = []

    def text(self, name: str, default: str = "", *, needed: str = "") -> str:
        """The variable's text. `needed` says what it is for, and makes its absence a problem."""
        value = self.values.get(name, "").strip()
        if value:
            return value
        if needed:
            self.problems.append(f"{name} is not set: {needed}.")
        return default

    def choice(self, name: str, default: str, among: tuple[str, ...]) -> str:
        value = self.text(name, default)
        if value not in among:
            self.problems.append(f"{name} is “{value}”, but must be one of {', '.join(among)}.")
            return default
        return value

    def number(self, name: str, default: int, *, least: int, most: int) -> int:
        text = self.text(name, str(default))
        if not text.isascii() or not text.isdigit() or not least <= int(text) <= most:
            self.problems.append(f"{name} is “{text}”, but must be a whole number from {least} to {most}.")
            return default
        return int(text)

    def names(self, name: str, default: str = "", *, needed: str = "") -> list[str]:
        """A list separated by commas."""
        return [part.strip() for part in self.text(name, default, needed=needed).split(",") if part.strip()]

    def site_url(self, name: str, default: str, *, schemes: tuple[str, ...], needed: str = "") -> str:
        """The address people type, without a path or a closing slash."""
        value = self.text(name, default, needed=needed).rstrip("/")
        parts = urlsplit(value)
        if value and (parts.scheme not in schemes or not parts.hostname or parts.path or parts.query):
            wanted = " or ".join(f"{scheme}://" for scheme in schemes)
            self.problems.append(f"{name} must be an address that begins with {wanted} and has no path.")
            return default
        return value

    def database(self, name: str, *, needed: str = "") -> dict[str, Any] | None:
        """A PostgreSQL address as a Django database.

        The problem never repeats the address: it holds a password.
        """
        url = self.text(name, needed=needed)
        if not url:
            return None
        try:
            return database(url)
        except ValueError as problem:
            self.problems.append(f"{name} {problem}.")
            return None

    def mail(self, name: str, *, needed: str = "") -> dict[str, Any] | None:
        """A mail server's address, smtp:// or smtps://, as Django's mail settings."""
        url = self.text(name, needed=needed)
        if not url:
            return None
        parts = urlsplit(url)
        options = parse_qs(parts.query)
        try:
            port = parts.port
        except ValueError:
            port = -1
        if parts.scheme not in ("smtp", "smtps") or not parts.hostname or port == -1:
            self.problems.append(f"{name} must look like smtp://user:password@host:587?tls=1 or smtps://….")
            return None
        over_tls = parts.scheme == "smtps"
        return {
            "EMAIL_HOST": parts.hostname,
            "EMAIL_PORT": port or (465 if over_tls else 25),
            "EMAIL_HOST_USER": unquote(parts.username or ""),
            "EMAIL_HOST_PASSWORD": unquote(parts.password or ""),
            "EMAIL_USE_SSL": over_tls,
            "EMAIL_USE_TLS": not over_tls and options.get("tls") == ["1"],
            "EMAIL_TIMEOUT": 15,
        }

    def stop_if_broken(self) -> None:
        """Ends the process with exit code 1 when there is a problem.

        Not an exception that Django knows: those become a traceback, or under some commands a warning that
        lets the process go on with half of its settings.
        """
        if self.problems:
            stop(*self.problems, "docs/settings.md explains every setting.")


def stop(*sentences: str) -> NoReturn:
    """Says why Porter can't start and ends the process with exit code 1."""
    print("Porter can't start:", *sentences, sep="\n  ", file=sys.stderr)
    raise SystemExit(1)


def database(url: str) -> dict[str, Any]:
    """Turns postgresql://… into a Django database.

    ValueError finishes a sentence that begins with its name.
    """
    if not url.startswith(("postgresql://", "postgres://")):
        raise ValueError("must begin with postgresql://, because Porter runs on PostgreSQL only")
    try:
        parts: dict[str, Any] = conninfo_to_dict(url)
    except ProgrammingError:
        # The driver's own message quotes the address, password included.
        raise ValueError("is not an address that PostgreSQL's driver can read") from None
    for word in ("user", "dbname"):
        if not parts.get(word):
            named = {"user": "user", "dbname": "database"}[word]
            raise ValueError(f"must name the {named}, as in postgresql://user:password@host:5432/database")
    return {
        "ENGINE": "django.db.backends.postgresql",
        "NAME": parts.pop("dbname"),
        "USER": parts.pop("user"),
        "PASSWORD": parts.pop("password", ""),
        "HOST": parts.pop("host", ""),
        "PORT": str(parts.pop("port", "")),
        "OPTIONS": parts,
    }


def given_or_running_demo(var: Path) -> Mapping[str, str]:
    """The process's own variables; for a command typed by hand while the demo runs, the demo's as well."""
    if os.environ.get("PORTER_MODE") or os.environ.get("DATABASE_URL"):
        return os.environ
    return running_demo(var) | dict(os.environ)


def running_demo(var: Path) -> dict[str, str]:
    """The settings the demo left for commands typed by hand, or nothing when it isn't running."""
    try:
        with (var / "demo.lock").open() as lock:
            # A demo that was killed leaves its settings but not its lock: whoever gets the lock knows it is
            # gone.
            fcntl.flock(lock, fcntl.LOCK_SH | fcntl.LOCK_NB)
        return {}
    except FileNotFoundError:
        return {}
    except BlockingIOError:
        pass
    try:
        lines = (var / "demo.env").read_text().splitlines()
    except OSError:
        # It runs but isn't ready, or belongs to another user.
        return {}
    return dict(line.split("=", 1) for line in lines if "=" in line)
