"""Finds the browser for the tests, and puts Playwright's own in place where there is none."""

import os
import shutil
import subprocess
import sys
from pathlib import Path

NAMES = ("chromium", "chromium-browser", "google-chrome", "google-chrome-stable", "chrome")


class NoBrowser(Exception):
    """There is no Chromium; the text is a sentence that says what to install."""


def find() -> Path:
    """The Chromium to drive: PORTER_CHROMIUM, Playwright's own, or one of the system's. NoBrowser."""
    named = os.environ.get("PORTER_CHROMIUM")
    if named:
        path = shutil.which(named)
        if path is None:
            raise NoBrowser(f"PORTER_CHROMIUM is “{named}”, which is not a program that can be run.")
        return Path(path)
    own = _playwrights()
    if own is not None:
        return own
    for name in NAMES:
        path = shutil.which(name)
        if path:
            return Path(path)
    raise NoBrowser(
        "The browser tests need Chromium: install it (on Debian as root: apt-get install chromium), or name "
        "one with PORTER_CHROMIUM=/path/to/chromium."
    )


def _playwrights() -> Path | None:
    default = Path.home() / ("Library/Caches" if sys.platform == "darwin" else ".cache") / "ms-playwright"
    root = Path(os.environ.get("PLAYWRIGHT_BROWSERS_PATH") or default)
    programs = ("chrome-linux*/chrome", "chrome-mac*/Chromium.app/Contents/MacOS/Chromium")
    found = [path for program in programs for path in root.glob(f"chromium-*/{program}")]
    # The newest, should several versions lie side by side.
    return max(found, key=lambda path: path.stat().st_mtime, default=None)


def main() -> int:
    """Before the tests: makes sure there is one, downloading it when nothing else helps."""
    try:
        find()
        return 0
    except NoBrowser as problem:
        if os.environ.get("PORTER_CHROMIUM"):
            print(problem, file=sys.stderr)  # noqa: T201
            return 1
    print("There is no Chromium here; asking Playwright for one …", flush=True)  # noqa: T201
    try:
        subprocess.run(
            [sys.executable, "-m", "playwright", "install", "chromium"],
            capture_output=True,
            timeout=300,
            check=False,
        )
        find()
        return 0
    except (NoBrowser, subprocess.TimeoutExpired) as problem:
        sentence = (
            problem
            if isinstance(problem, NoBrowser)
            else "Playwright could not fetch Chromium within 5 minutes."
        )
        print(sentence, file=sys.stderr)  # noqa: T201
        return 1


if __name__ == "__main__":
    sys.exit(main())
