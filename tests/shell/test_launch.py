"""`make demo` in real processes: it starts, keeps its data, stops cleanly, and gets over a violent end."""

import contextlib
import os
import signal
import socket
import subprocess
import sys
import time
import urllib.request

import psutil
import psycopg
import pytest

from portal.shell import processes
from portal.shell.fingerprint import BASE


@pytest.fixture
def port():
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


@pytest.fixture
def launch(tmp_path, port):
    """Starts the demo in a directory of its own; whatever a test leaves is ended."""
    running = []

    def start(**settings):
        child = subprocess.Popen(
            [sys.executable, "-m", "portal.shell.launch"],
            cwd=BASE,
            env={
                "PATH": os.environ["PATH"],
                "PORTER_VAR": str(tmp_path / "var"),
                "PORTER_PORT": str(port),
                "PORTER_DEMO_EMPTY": "1",
                **settings,
            },
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
        )
        running.append(child)
        return child

    yield start
    for child in running:
        if child.poll() is None:
            child.send_signal(signal.SIGTERM)
        child.communicate(timeout=30)


def serves(child, port):
    """Whether it is this one's server that has the port: one that was killed before it may still answer there."""
    with contextlib.suppress(psutil.Error):
        for process in psutil.Process(child.pid).children(recursive=True):
            for line in process.net_connections("inet"):
                if line.status == psutil.CONN_LISTEN and line.laddr.port == port:
                    return True
    return False


def until_ready(child, port, seconds=90):
    deadline = time.monotonic() + seconds
    while time.monotonic() < deadline:
        if child.poll() is not None:
            pytest.fail(f"the demo ended early:\n{child.stdout.read()}")
        with contextlib.suppress(OSError):
            if serves(child, port):
                return urllib.request.urlopen(f"http://127.0.0.1:{port}/health/ready", timeout=5).read()
        time.sleep(0.1)
    pytest.fail("the demo didn't become ready")


def ours(tmp_path):
    """Processes of this test's demo, PostgreSQL's first one included."""
    var = str(tmp_path / "var")
    found = list(processes.left_behind(var))
    for process in psutil.process_iter():
        with contextlib.suppress(psutil.Error):
            if f"{var}/postgres/data" in process.cmdline():
                found.append(process)
    return found


def workers(tmp_path):
    """Processes of the demo's worker, the first one among them."""
    found = []
    for process in processes.left_behind(str(tmp_path / "var")):
        with contextlib.suppress(psutil.Error):
            if "qcluster" in process.cmdline():
                found.append(process)
    return found


def database_url(tmp_path):
    settings = dict(line.split("=", 1) for line in (tmp_path / "var/demo.env").read_text().splitlines())
    return settings["DATABASE_OWNER_URL"]


def test_its_processes_share_compiled_modules_even_where_none_may_lie_beside_the_sources(launch, tmp_path):
    launch(PYTHONDONTWRITEBYTECODE="1")
    assert processes.wait_until(lambda: list((tmp_path / "var/compiled").rglob("settings.*.pyc")), seconds=60)


def test_it_stops_cleanly_keeps_its_data_and_survives_a_kill(launch, port, tmp_path):
    first = launch()
    assert until_ready(first, port) == b"ok\n"
    assert (tmp_path / "var/demo.env").stat().st_mode & 0o077 == 0
    with psycopg.connect(database_url(tmp_path), autocommit=True) as owner:
        owner.execute("CREATE TABLE kept AS SELECT 1 AS one")

    # A second one beside it, and a command typed by hand.
    second = launch()
    words, _ = second.communicate(timeout=20)
    assert second.returncode == 1
    assert "already runs here" in words
    by_hand = subprocess.run(
        [
            sys.executable,
            "manage.py",
            "shell",
            "-v0",
            "-c",
            "from django.conf import settings as s; print(s.MODE)",
        ],
        cwd=BASE,
        env={"PATH": os.environ["PATH"], "PORTER_VAR": str(tmp_path / "var")},
        capture_output=True,
        text=True,
        timeout=30,
    )
    assert by_hand.stdout.strip() == "demo", by_hand.stderr

    began = time.monotonic()
    first.send_signal(signal.SIGINT)
    words, _ = first.communicate(timeout=30)
    assert first.returncode == 0, words
    assert "Porter is ready" in words
    assert time.monotonic() - began < 10
    assert ours(tmp_path) == []
    assert not (tmp_path / "var/demo.env").exists()

    # Killed without a chance to say goodbye.
    third = launch()
    until_ready(third, port)
    third.send_signal(signal.SIGKILL)
    third.communicate()

    began = time.monotonic()
    fourth = launch()
    until_ready(fourth, port)
    assert time.monotonic() - began < 20
    with psycopg.connect(database_url(tmp_path)) as owner:
        assert owner.execute("SELECT one FROM kept").fetchone() == (1,)

    # The worker dies by itself: that is told, and nothing goes on half. It starts after the site answers.
    assert processes.wait_until(lambda: workers(tmp_path), seconds=30)
    worker = workers(tmp_path)[0]
    top = next(p for p in [worker, *worker.parents()] if p.ppid() == fourth.pid)
    top.kill()
    words, _ = fourth.communicate(timeout=30)
    assert fourth.returncode == 1
    assert "the worker process ended by itself" in words
    assert ours(tmp_path) == []


def test_a_port_that_is_taken_is_told_before_anything_starts(launch, port, tmp_path):
    with socket.socket() as other:
        other.bind(("127.0.0.1", port))
        other.listen()
        ended = launch()
        words, _ = ended.communicate(timeout=20)
    assert ended.returncode == 1
    assert f"port {port} is taken" in words
    assert "PORTER_PORT=" in words
    assert "Traceback" not in words
    assert not (tmp_path / "var" / "postgres").exists()


@pytest.mark.parametrize("given", ["eighty", "0", "70000"])
def test_a_port_that_is_none_is_told(launch, given):
    words, _ = launch(PORTER_PORT=given).communicate(timeout=20)
    assert "PORTER_PORT is" in words
    assert "Traceback" not in words


def test_an_owner_without_the_app_is_told(launch):
    words, _ = launch(DATABASE_OWNER_URL="postgresql://a@b/c").communicate(timeout=20)
    assert "DATABASE_OWNER_URL is set without DATABASE_URL" in words
