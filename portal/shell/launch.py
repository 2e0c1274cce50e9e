"""`make demo`: starts a whole Porter with invented people on this computer, and stops it as a whole.

One process watches over the others: PostgreSQL, the web server, the worker, and for a while the loader of the
practice's history. When one of those that must run ends, everything ends.
"""

import fcntl
import http.client
import os
import secrets
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import IO, Any, NoReturn

from portal.shell import fingerprint, processes
from portal.shell.database import CannotPrepare, prepare
from portal.shell.embedded import CannotStart, Server
from portal.shell.environment import Environment

BASE = fingerprint.BASE


class CannotLaunch(Exception):
    """The demo can't run, or can't go on; the text is a sentence for the person at the terminal."""


class Asked(BaseException):
    """Somebody asked us to stop. Not an Exception: nothing on the way may take it for a failure."""


def main() -> int:
    for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
        signal.signal(number, _ask)
    demo = None
    try:
        try:
            demo = Demo(os.environ)
            demo.launch()
            demo.watch()
        finally:
            # From here on only the stopping counts; a second Ctrl-C would leave something running.
            for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
                signal.signal(number, signal.SIG_IGN)
            if demo is not None:
                demo.stop()
    except Asked:
        print("Stopped. What you did is kept for the next `make demo`.", flush=True)
        return 0
    except (CannotLaunch, CannotStart, CannotPrepare) as problem:
        print(f"Porter's demo stopped: {problem}", file=sys.stderr, flush=True)
        return 1
    except PermissionError as problem:
        print(
            f"Porter's demo stopped: {problem.filename} belongs to another user. Start the demo as the user "
            "who started it first, or remove the directory var.",
            file=sys.stderr,
            flush=True,
        )
        return 1


def _ask(number: int, frame: object) -> NoReturn:
    raise Asked


class Demo:
    """One run of the demo: what it needs to know, and what it started."""

    def __init__(self, given: Any) -> None:
        self.began = time.monotonic()
        reader = Environment(given)
        self.port = reader.number("PORTER_PORT", 8000, least=1, most=65_535)
        if reader.problems:
            raise CannotLaunch(" ".join(reader.problems))
        self.given = dict(given)
        self.var = Path(given.get("PORTER_VAR") or BASE / "var").resolve()
        # Tests of the launcher need no invented people.
        self.clinic = not given.get("PORTER_DEMO_EMPTY")
        self.url = f"http://localhost:{self.port}/"
        self.server: Server | None = None
        self.lock: IO[str] | None = None
        self.ready = False
        # By name, in the order they started; those named in `must_run` may not end by themselves.
        self.children: dict[str, subprocess.Popen[bytes]] = {}
        self.must_run: set[str] = set()

    # -------------------------------------------------------------------------------------------- start

    def launch(self) -> None:
        """Starts everything.

        Returns when the first page can be served. CannotLaunch, CannotStart, CannotPrepare.
        """
        for place in (self.var, self.var / "log", self.var / "mail"):
            place.mkdir(parents=True, exist_ok=True)
        self._take_lock()
        # The lock is ours, so whatever an earlier run started and is still there has lost its parent.
        processes.end(list(processes.left_behind(str(self.var))))
        self._look_at_port()
        for log in (self.var / "log").glob("*.log"):
            log.replace(log.with_suffix(".log.old"))

        owner, app = self._database()
        self.env = self._environment(app)
        self._leave_settings(owner)
        # Style sheets need no database; they are collected while the tables are made and filled. The web server looks
        # for them once, when it starts.
        static = self._begin_static()
        self._migrate(owner)
        if self.clinic:
            self._load_base()
        self._finish_static(static)

        with self._step("The web server answers"):
            self._start("web", sys.executable, "-m", "gunicorn", "portal.shell.wsgi", "--bind", self._bind)
            if not processes.wait_until(self._serves, seconds=60):
                raise CannotLaunch(f"the web server doesn't answer; {self._log('web')} tells why.")
        self.ready = True
        # What isn't needed for the first page starts after it: two cores are soon busy.
        self._start("worker", sys.executable, "manage.py", "qcluster")
        self._greet()
        if self.clinic:
            self._start("history", sys.executable, "manage.py", "load_demo", "--history")
            self.must_run.discard("history")

    def watch(self) -> NoReturn:
        """Waits until asked to stop, or until something that must run ends."""
        while True:
            self._all_alive()
            time.sleep(0.2)

    def _all_alive(self) -> None:
        if self.server and self.server.process and self.server.process.poll() is not None:
            raise CannotLaunch(f"PostgreSQL ended by itself; {self.server.log} tells why.")
        for name, child in list(self.children.items()):
            if child.poll() is None:
                continue
            if name in self.must_run:
                raise CannotLaunch(
                    f"the {name} process ended by itself ({child.returncode}); {self._log(name)} tells why."
                )
            del self.children[name]
            if name == "history" and child.returncode:
                self._say(
                    f"The practice's history couldn't be made; {self._log(name)} tells why. The demo goes on."
                )
            elif name == "history":
                self._say("The practice's history is there")

    def _take_lock(self) -> None:
        path = self.var / "demo.lock"
        lock = path.open("a+")
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            lock.seek(0)
            where = lock.read().strip() or "starting"
            lock.close()
            raise CannotLaunch(
                f"the demo already runs here ({where}); stop that one first with Ctrl-C."
            ) from None
        self.lock = lock
        lock.truncate(0)
        lock.write(f"process {os.getpid()}, {self.url}")
        lock.flush()

    def _look_at_port(self) -> None:
        with socket.socket() as probe:
            # As the web server binds: connections of an earlier run that are still closing are no obstacle.
            probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            try:
                probe.bind(("127.0.0.1", self.port))
            except PermissionError:
                raise CannotLaunch(
                    f"port {self.port} needs root; choose another with `make demo PORTER_PORT=8001`."
                ) from None
            except OSError:
                raise CannotLaunch(
                    f"port {self.port} is taken by another program; choose another with "
                    "`make demo PORTER_PORT=8001`."
                ) from None

    def _database(self) -> tuple[str, str]:
        """The owner's and the app's URL: as given, made as an administrator, or of our own server."""
        app, owner = self.given.get("DATABASE_URL"), self.given.get("DATABASE_OWNER_URL")
        if app and owner:
            return owner, app
        if owner:
            raise CannotLaunch(
                "DATABASE_OWNER_URL is set without DATABASE_URL; set both, or DATABASE_URL alone."
            )
        if app:
            with self._step("The database and its two roles are there"):
                return prepare(app, var=self.var)
        with self._step("PostgreSQL runs"):
            self.server = Server(self.var / "postgres")
            self.server.start()
        for place in self.server.opened:
            self._say(f"PostgreSQL doesn't run as root: its account may now pass through {place} (chmod o+x)")
        return self.server.owner_url("porter"), self.server.app_url("porter")

    def _environment(self, app: str) -> dict[str, str]:
        """What every child gets. The owner's URL is not in it: only migrate needs that."""
        kept = {name: value for name, value in self.given.items() if name != "DATABASE_OWNER_URL"}
        if kept.pop("PYTHONDONTWRITEBYTECODE", ""):
            # Each of the children would compile the same thousand modules. They are kept, but not beside the sources.
            kept["PYTHONPYCACHEPREFIX"] = str(self.var / "compiled")
        return kept | {
            "PORTER_MODE": "demo",
            "PORTER_VAR": str(self.var),
            "PORTER_SECRET_KEY": self._secret(),
            "PORTER_SITE_URL": self.url.rstrip("/"),
            "DATABASE_URL": app,
            "PYTHONUNBUFFERED": "1",
            processes.MARK: str(self.var),
        }

    def _secret(self) -> str:
        """Kept between starts, so that a log-in survives one."""
        path = self.var / "secret"
        if not path.exists():
            _write_private(path, secrets.token_urlsafe(64))
        return path.read_text()

    def _leave_settings(self, owner: str) -> None:
        """Leaves the settings for commands typed by hand beside the demo."""
        named = ("PORTER_MODE", "PORTER_VAR", "PORTER_SECRET_KEY", "PORTER_SITE_URL", "DATABASE_URL")
        lines = [f"{name}={self.env[name]}" for name in named] + [f"DATABASE_OWNER_URL={owner}"]
        _write_private(self.var / "demo.env", "\n".join(lines) + "\n")

    def _migrate(self, owner: str) -> None:
        wanted, stamp = fingerprint.of_schema(), self.var / "postgres" / "migrated"
        # Another server's tables may have changed behind our back; our own server's can't.
        if self.server and stamp.exists() and stamp.read_text() == wanted:
            return
        with self._step("The tables are up to date"):
            self._run(
                "migrate", "migrate", "--no-input", "--verbosity=1", extra={"DATABASE_OWNER_URL": owner}
            )
        if self.server:
            stamp.write_text(wanted)

    def _begin_static(self) -> str:
        """Begins to collect the static files; returns their stamp, or nothing when they are there."""
        wanted, stamp = fingerprint.of_static(), self.var / "static.stamp"
        if (
            stamp.exists()
            and stamp.read_text() == wanted
            and (self.var / "static" / "staticfiles.json").exists()
        ):
            return ""
        stamp.unlink(missing_ok=True)
        self._start(
            "static", sys.executable, "manage.py", "collectstatic", "--no-input", "--clear", "--verbosity=1"
        )
        self.must_run.discard("static")
        return wanted

    def _finish_static(self, wanted: str) -> None:
        if wanted:
            with self._step("Style sheets and scripts are in place"):
                self._finish("static")
            (self.var / "static.stamp").write_text(wanted)

    def _load_base(self) -> None:
        wanted, stamp = fingerprint.of_demo(), self.var / "postgres" / "practice"
        if self.server and stamp.exists() and stamp.read_text() == wanted:
            return
        with self._step("The practice and its people are there"):
            self._run("base", "load_demo", "--base")
        if self.server:
            stamp.write_text(wanted)

    def _greet(self) -> None:
        print(f"\nPorter is ready: {self.url}\n", flush=True)
        if self.clinic:
            self._run("logins", "load_demo", "--logins")
            print(self._log("logins").read_text().rstrip() + "\n", flush=True)
        print("Ctrl-C stops it. Mails it sends are files in", self.var / "mail", flush=True)

    # -------------------------------------------------------------------------------------------- children

    @property
    def _bind(self) -> str:
        return f"127.0.0.1:{self.port}"

    def _start(
        self, name: str, *command: str, extra: dict[str, str] | None = None
    ) -> "subprocess.Popen[bytes]":
        self.must_run.add(name)
        child = processes.start(command, env=self.env | (extra or {}), log=self._log(name), cwd=BASE)
        self.children[name] = child
        return child

    def _run(self, name: str, *arguments: str, extra: dict[str, str] | None = None) -> None:
        """Runs one of our commands to its end."""
        self._start(name, sys.executable, "manage.py", *arguments, extra=extra)
        self._finish(name)

    def _finish(self, name: str) -> None:
        """Waits for a child that ends by itself, and doesn't go on without its success."""
        code = self.children[name].wait()
        self.must_run.discard(name)
        del self.children[name]
        if code:
            lines = self._log(name).read_text(errors="replace").strip().splitlines()[-15:]
            print("\n".join(f"    {line}" for line in lines), file=sys.stderr)
            raise CannotLaunch(
                f"the step “{name}” failed ({code}); the lines above are from {self._log(name)}."
            )

    def _serves(self) -> bool:
        self._all_alive()
        connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=5)
        try:
            connection.request("GET", "/health/ready", headers={"Host": "localhost"})
            return connection.getresponse().status == 200
        except OSError:
            return False
        finally:
            connection.close()

    def _log(self, name: str) -> Path:
        return self.var / "log" / f"{name}.log"

    def stop(self) -> None:
        """Stops what was started, the database last, within seconds.

        Safe to call at any point of the start.
        """
        if self.ready:
            print("\nStopping …", flush=True)
        # All are asked first and waited for after, so that their last seconds pass side by side.
        for child in self.children.values():
            if child.poll() is None:
                child.terminate()
        for child in self.children.values():
            processes.stop(child)
        if self.server is not None:
            self.server.stop()
        if self.lock is not None:
            (self.var / "demo.env").unlink(missing_ok=True)
            self.lock.close()

    # -------------------------------------------------------------------------------------------- words

    def _say(self, words: str) -> None:
        print(f"  {time.monotonic() - self.began:5.1f} s  {words}", flush=True)

    @contextmanager
    def _step(self, done: str) -> Iterator[None]:
        yield
        self._say(done)


def _write_private(path: Path, text: str) -> None:
    """Writes a file that only this user may read, whole or not at all."""
    new = path.with_name(path.name + ".new")
    new.unlink(missing_ok=True)
    with os.fdopen(os.open(new, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "w") as file:
        file.write(text)
    new.replace(path)


if __name__ == "__main__":
    sys.exit(main())
