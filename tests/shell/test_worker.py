"""The worker ends when it is asked to or killed, whatever became of its database."""

import os
import signal
import sys
from pathlib import Path

import psutil
import pytest
from django.conf import settings

from portal.shell import processes
from tests import databases


@pytest.mark.parametrize("how", [signal.SIGTERM, signal.SIGKILL], ids=["asked", "killed"])
@pytest.mark.parametrize("gone", [True, False], ids=["its database is gone", "all is well"])
def test_it_ends_with_all_its_processes(gone: bool, how: signal.Signals, tmp_path: Path) -> None:
    log = tmp_path / "worker.log"
    with databases.fresh_database() as (_, app_url):
        environment = os.environ | {"PORTER_MODE": "test", "DATABASE_URL": app_url, "PORTER_WORKERS": "1"}
        worker = processes.start(
            [sys.executable, "manage.py", "qcluster"], env=environment, log=log, cwd=settings.BASE_DIR
        )
        family = [psutil.Process(worker.pid)]

        def is_up() -> bool:
            """Its guard, a worker, and the two that bring and take work."""
            family[1:] = family[0].children(recursive=True)
            return len(family) >= 5

        assert processes.wait_until(is_up, seconds=60), log.read_text()
        if not gone:
            worker.send_signal(how)
            worker.wait(60)
    # Dropped by force, as when the tests were ended from outside.
    worker.send_signal(how)
    worker.wait(60)
    _ended, alive = psutil.wait_procs(family, timeout=10)
    assert not alive
