"""Processes that must not outlive the one that started them."""

import ctypes
import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import suppress
from pathlib import Path
from typing import Any

import psutil

PR_SET_PDEATHSIG = 1

# A process started for a demo carries the demo's directory here. Its children inherit it, so that whatever
# a killed demo left behind can be found without trusting a number in a file that may be somebody else's by
# now.
MARK = "PORTER_STARTED_FOR"


def end_with_parent(how: signal.Signals = signal.SIGKILL) -> None:
    """Let the system send this process the signal when its parent is gone, however it went. Only Linux can."""
    if sys.platform == "linux":
        ctypes.CDLL(None).prctl(PR_SET_PDEATHSIG, int(how), 0, 0, 0)


def start(
    command: Sequence[str | Path],
    *,
    env: Mapping[str, str],
    log: Path,
    on_parents_death: signal.Signals = signal.SIGTERM,
    **options: Any,
) -> "subprocess.Popen[bytes]":
    """Starts a child in a session of its own, which Ctrl-C at the terminal doesn't reach.

    Its parent stops it, and in what order is the parent's to say.

    On Linux the child gets `on_parents_death` even when its parent is killed without a chance to say goodbye.
    """
    parent = os.getpid()
    libc = ctypes.CDLL(None, use_errno=True) if sys.platform == "linux" else None

    def before_exec() -> None:
        if libc is not None:
            libc.prctl(PR_SET_PDEATHSIG, int(on_parents_death), 0, 0, 0)
        # The parent may have died before the line above.
        if os.getppid() != parent:
            os._exit(1)

    with log.open("ab") as output:
        return subprocess.Popen(
            [str(part) for part in command],
            env=dict(env),
            stdin=subprocess.DEVNULL,
            stdout=output,
            stderr=output,
            start_new_session=True,
            preexec_fn=before_exec,
            **options,
        )


def stop(
    child: "subprocess.Popen[bytes]", *, how: signal.Signals = signal.SIGTERM, seconds: float = 6
) -> None:
    """Asks the child to stop, waits, and ends its whole session if it doesn't listen."""
    if child.poll() is None:
        child.send_signal(how)
        with suppress(subprocess.TimeoutExpired):
            child.wait(seconds)
    # Also after a good end: a grandchild may have missed it.
    with suppress(ProcessLookupError, PermissionError):
        os.killpg(child.pid, signal.SIGKILL)
    child.wait()


def left_behind(mark: str) -> Iterator[psutil.Process]:
    """Processes that an earlier run with this mark started.

    The caller must know that no such run is alive.
    """
    for process in psutil.process_iter():
        try:
            if process.pid != os.getpid() and process.environ().get(MARK) == mark:
                yield process
        except psutil.Error:
            continue


def end(
    processes: Sequence[psutil.Process], *, how: signal.Signals = signal.SIGTERM, seconds: float = 5
) -> None:
    """Asks the processes to stop and ends those that don't."""
    for process in processes:
        try:
            process.send_signal(how)
        except psutil.Error:
            continue
    _, alive = psutil.wait_procs(processes, timeout=seconds)
    for process in alive:
        try:
            process.kill()
        except psutil.Error:
            continue
    psutil.wait_procs(alive, timeout=seconds)


def wait_until(done: Any, *, seconds: float, every: float = 0.03) -> bool:
    """Asks again and again until the answer is true or the time is over."""
    deadline = time.monotonic() + seconds
    while not done():
        if time.monotonic() > deadline:
            return False
        time.sleep(every)
    return True
