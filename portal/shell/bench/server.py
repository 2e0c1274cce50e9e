"""A real web server for a benchmark and clients who are signed in to it. Everything stays on this computer."""

from __future__ import annotations

import http.client
import os
import socket
import sys
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing, contextmanager
from dataclasses import dataclass, field
from importlib import import_module
from pathlib import Path
from time import perf_counter

from allauth.usersessions.models import UserSession
from django.conf import settings
from django.contrib.auth import BACKEND_SESSION_KEY, HASH_SESSION_KEY, SESSION_KEY
from django.db import connection

from portal.people.models import User
from portal.shell.own_database import BASE
from portal.shell.processes import start, stop, wait_until

HOST = "127.0.0.1"
BARE = "django.contrib.auth.backends.ModelBackend"
OURS = "portal.people.backends.Backend"
WORKERS = 2
TRIES = 50  # at connecting to a process that has not more than its part yet
TOKEN = "b" * 32  # against forged posts: the cookie and the header have to be the same


@contextmanager
def served() -> Iterator[Site]:
    """gunicorn as in production (two workers, four threads each), on a free port of this computer."""
    with socket.socket() as free:
        free.bind((HOST, 0))
        port = free.getsockname()[1]
    environment = os.environ | {"DJANGO_SETTINGS_MODULE": "portal.shell.bench.settings"}
    environment.pop("DATABASE_OWNER_URL", None)  # it serves as the app
    command = [
        sys.executable,
        "-m",
        "gunicorn",
        "portal.shell.bench.wsgi",
        "--bind",
        f"{HOST}:{port}",
        "--workers",
        str(WORKERS),
    ]
    log = Path(settings.VAR) / "bench.log"
    child = start(command, env=environment, log=log, cwd=BASE)
    try:
        if not wait_until(lambda: child.poll() is not None or _answers(port), seconds=60) or child.poll():
            raise RuntimeError(f"The server did not start; see {log}.")
        site = Site(port)
        with closing(site):
            yield site
    finally:
        stop(child)


def _answers(port: int) -> bool:
    try:
        with socket.create_connection((HOST, port), timeout=1):
            return True
    except OSError:
        return False


@dataclass
class Answer:
    status: int
    place: str  # where it redirects to
    took: float  # milliseconds in the server
    worked: float  # of these, milliseconds that a processor worked on it, PostgreSQL apart
    queries: int
    worker: int  # the process that gave it
    body: bytes


@dataclass
class Client:
    """One browser: a connection that is kept open, and the cookies of somebody signed in."""

    port: int
    cookie: str
    line: http.client.HTTPConnection = field(init=False)

    def __post_init__(self) -> None:
        self.line = http.client.HTTPConnection(HOST, self.port, timeout=60)

    def ask(self, method: str, path: str, body: str = "", **headers: str) -> Answer:
        told = {"Cookie": self.cookie, "X-CSRFToken": TOKEN} | headers
        if method == "POST":
            told["Content-Type"] = "application/x-www-form-urlencoded"
        try:
            return self._ask(method, path, body, told)
        except (http.client.RemoteDisconnected, ConnectionError):
            # A worker that was renewed, or a line that was idle for too long, as every browser meets them.
            self.line.close()
            return self._ask(method, path, body, told)

    def _ask(self, method: str, path: str, body: str, headers: dict[str, str]) -> Answer:
        self.line.request(method, path, body or None, headers)
        got = self.line.getresponse()
        content = got.read()
        return Answer(
            got.status,
            got.headers.get("Location", ""),
            float(got.headers.get("X-Took", 0)),
            float(got.headers.get("X-Worked", 0)),
            int(got.headers.get("X-Queries", 0)),
            int(got.headers.get("X-Worker", 0)),
            content,
        )


def cookie_of(user: User, *, backend: str = OURS) -> str:
    """What the browser of somebody signed in sends, after a log-in as allauth notes it."""
    session = import_module(settings.SESSION_ENGINE).SessionStore()
    session[SESSION_KEY] = str(user.pk)
    session[BACKEND_SESSION_KEY] = backend
    session[HASH_SESSION_KEY] = user.get_session_auth_hash()
    session.create()
    UserSession.objects.create(user=user, session_key=session.session_key, ip=HOST, user_agent="bench")
    names = {settings.SESSION_COOKIE_NAME: session.session_key, settings.CSRF_COOKIE_NAME: TOKEN}
    return "; ".join(f"{name}={value}" for name, value in names.items())


@dataclass
class Site:
    """A server that runs, and the browsers that are open on it."""

    port: int
    clients: list[Client] = field(default_factory=list)

    def client(self, cookie: str) -> Client:
        self.clients.append(Client(self.port, cookie))
        return self.clients[-1]

    def signed_in(self, user: User, *, backend: str = OURS) -> Client:
        return self.client(cookie_of(user, backend=backend))

    def close(self) -> None:
        for client in self.clients:
            client.line.close()


def spread(clients: Sequence[Client]) -> None:
    """Connect the clients evenly to the server's processes, as the many browsers of a practice are: a few that connect
    at once may all meet the same one."""
    met: Counter[int] = Counter()
    for client in clients:
        for _time in range(TRIES):
            client.line.close()
            worker = client.ask("GET", "/health").worker
            if met[worker] < -(-len(clients) // WORKERS):
                break
        met[worker] += 1


def rate(clients: Sequence[Client], act: Callable[[Client], Answer | None], *, seconds: float) -> float:
    """What all of them together get answered in a second, each asking again as soon as it has its answer.

    It ends early where `act` gives None: nothing is left to do.
    """
    spread(clients)
    until = perf_counter() + seconds

    def work(client: Client) -> int:
        done = 0
        while perf_counter() < until and act(client) is not None:
            done += 1
        return done

    connection.close()
    began = perf_counter()
    with ThreadPoolExecutor(len(clients)) as pool:
        done = sum(pool.map(work, clients))
    return done / (perf_counter() - began)
