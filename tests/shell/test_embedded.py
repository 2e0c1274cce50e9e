"""The embedded server survives what a killed process leaves behind."""

import os
import signal
import subprocess
import sys
import time

import psycopg
import pytest

from portal.shell.embedded import Busy, Server
from portal.shell.fingerprint import BASE


@pytest.fixture
def home(tmp_path):
    place = tmp_path / "pg"
    server = Server(place, careless=True)
    server.start()
    with psycopg.connect(server.owner_url("porter"), autocommit=True) as owner:
        owner.execute("CREATE TABLE kept AS SELECT 1 AS one")
    server.stop()
    return place


def starts_with_its_data(home):
    server = Server(home, careless=True)
    server.start()
    try:
        with psycopg.connect(server.owner_url("porter")) as owner:
            return owner.execute("SELECT one FROM kept").fetchone() == (1,)
    finally:
        server.stop()


@pytest.mark.parametrize(
    "note",
    [
        "",
        "12",
        "nonsense\n",
        f"{os.getpid()}\n/elsewhere\n1\n5432\n/tmp\n\n 1 2\nready\n",
        "2147483000\n/elsewhere\n1\n5432\n/tmp\n\n 1 2\nready\n",
    ],
    ids=["empty", "half-written", "broken", "a-strangers-number", "a-dead-number"],
)
def test_a_stale_pid_file_is_no_obstacle(home, note):
    (home / "data" / "postmaster.pid").write_text(note)
    assert starts_with_its_data(home)


def test_an_interrupted_first_start_is_begun_again(tmp_path):
    (tmp_path / "pg" / "data.new" / "base").mkdir(parents=True)
    server = Server(tmp_path / "pg", careless=True)
    server.start()
    server.stop()
    assert not (tmp_path / "pg" / "data.new").exists()


def test_two_servers_on_the_same_data_are_refused(home):
    first = Server(home, careless=True)
    first.start()
    try:
        with pytest.raises(Busy):
            Server(home, careless=True).start()
    finally:
        first.stop()


def test_a_deep_directory_is_no_obstacle(tmp_path):
    deep = tmp_path.joinpath(*["a-rather-long-name-of-a-directory"] * 4)
    server = Server(deep, careless=True)
    server.start()
    try:
        assert len(str(server.socket)) < 90
        psycopg.connect(server.app_url("porter")).close()
    finally:
        server.stop()
    assert not server.socket.exists()


def test_the_server_ends_with_a_process_that_was_killed(home):
    code = (
        "import sys, time; from pathlib import Path; from portal.shell.embedded import Server; "
        "s = Server(Path(sys.argv[1])); s.start(); print(s.process.pid, flush=True); time.sleep(60)"
    )
    child = subprocess.Popen(
        [sys.executable, "-c", code, str(home)], cwd=BASE, stdout=subprocess.PIPE, text=True
    )
    assert child.stdout is not None
    assert int(child.stdout.readline()) > 0
    child.send_signal(signal.SIGKILL)
    child.wait()
    child.stdout.close()
    deadline = time.monotonic() + 10
    while (home / "data" / "postmaster.pid").exists():
        assert time.monotonic() < deadline, "the server is still there"
        time.sleep(0.05)
    assert starts_with_its_data(home)
