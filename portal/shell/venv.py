"""Makes .venv with exactly the locked packages, or leaves it alone when it already has them.

Run by the system's own Python before anything is installed, as `python3 portal/shell/venv.py demo` (or
`dev`), so it uses the standard library alone and imports nothing of Porter.
"""

import fcntl
import hashlib
import shutil
import subprocess
import sys
import time
from pathlib import Path

BASE = Path(__file__).resolve().parents[2]
VENV = BASE / ".venv"
# Written last, so that an interrupted installation is not taken for a whole one.
STAMP = VENV / "porter-stamp"


def main(kind):  # type: ignore[no-untyped-def]
    if not (3, 11) <= sys.version_info[:2] <= (3, 13):
        return f"Porter needs Python 3.11, 3.12 or 3.13, but {sys.executable} is {sys.version.split()[0]}."
    (BASE / "var").mkdir(exist_ok=True)
    with (BASE / "var" / "venv.lock").open("w") as lock:
        # `make demo` and `make test` in two terminals: the second waits and then finds the work done.
        fcntl.flock(lock, fcntl.LOCK_EX)
        return make(kind)


def make(kind: str) -> str:
    """Makes or completes .venv. Returns a sentence when it can't, else nothing."""
    had = STAMP.read_text().split("\n") if STAMP.exists() else []
    # The development packages include the demo's.
    if wanted("dev") in had or wanted(kind) in had:
        return ""
    began = time.monotonic()
    if had != [wanted("demo")]:
        shutil.rmtree(VENV, ignore_errors=True)
    STAMP.unlink(missing_ok=True)
    print("Installing packages into .venv …", flush=True)
    if not (VENV / "bin" / "python").exists() and (problem := create()):
        return problem
    install = ["install", "-qq", "--disable-pip-version-check", "--no-input", "--require-hashes"]
    # The lock file names everything and every package comes ready to use: nothing to resolve, build or
    # compile.
    install += [
        "--no-deps",
        "--only-binary",
        ":all:",
        "--no-compile",
        "--requirement",
        f"requirements/{kind}.txt",
    ]
    if subprocess.run([*pip(), *install], cwd=BASE, check=False).returncode:
        return f"The packages of requirements/{kind}.txt could not be installed; pip's words above tell why."
    STAMP.write_text(wanted(kind))
    print(f"  {time.monotonic() - began:5.1f} s  Packages are installed", flush=True)
    return ""


def wanted(kind: str) -> str:
    """What the stamp says when .venv fits: the kind, this Python, and the lock file's content."""
    lock = hashlib.sha256((BASE / "requirements" / f"{kind}.txt").read_bytes()).hexdigest()
    return f"{kind} {sys.version.split()[0]} {Path(sys.executable).resolve()} {lock}"


def pip() -> list[str]:
    """This Python's pip working on .venv, which saves making one there first; else the one in .venv."""
    outer = [sys.executable, "-m", "pip", "--python", str(VENV / "bin" / "python")]
    works = subprocess.run([*outer, "--version"], capture_output=True, check=False).returncode == 0
    return outer if works else [str(VENV / "bin" / "python"), "-m", "pip"]


def create() -> str:
    bare = [sys.executable, "-m", "venv", "--without-pip", str(VENV)]
    made = subprocess.run(bare, capture_output=True, text=True, check=False)
    if (
        made.returncode == 0
        and subprocess.run([*pip(), "--version"], capture_output=True, check=False).returncode
    ):
        # No pip outside, or one too old to work on another place: .venv needs its own.
        made = subprocess.run([*bare[:3], "--clear", str(VENV)], capture_output=True, text=True, check=False)
    if made.returncode == 0:
        return ""
    version = ".".join(map(str, sys.version_info[:2]))
    words = made.stdout + made.stderr
    if "ensurepip" in words or "No module named venv" in words:
        package = f"python{version}-venv"
        return (
            f"This Python can't make virtual environments: install the package {package} "
            f"(as root: apt-get install {package}) and run this again."
        )
    return f"{VENV} could not be made: {(words.strip() or 'no reason given').splitlines()[-1]}"


if __name__ == "__main__":
    sys.exit(main(sys.argv[1]) or 0)
