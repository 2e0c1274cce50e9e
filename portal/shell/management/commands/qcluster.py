import os
from typing import Any

import psutil
from django.db import OperationalError, connection
from django_q.cluster import Cluster
from django_q.conf import Conf
from django_q.management.commands.qcluster import Command as QCluster

from portal.shell import processes
from portal.shell.database import refuse_to_serve_as_owner

LOOK_EVERY = 2  # seconds, while it stops


class Command(QCluster):
    def handle(self, *args: Any, **options: Any) -> None:
        refuse_to_serve_as_owner()
        if options.get("cluster_name"):
            os.environ["Q_CLUSTER_NAME"] = options["cluster_name"]
        # Where this process is killed, all that it started goes with it: they would wait for each other for ever.
        os.register_at_fork(after_in_child=processes.end_with_parent)
        cluster = Worker()
        cluster.start()
        if options.get("run_once"):
            cluster.stop()


class Worker(Cluster):
    """django-q's cluster, which always ends when asked to: its own waits for ever once its database is gone."""

    def stop(self) -> bool:
        """Let what is being done come to its end, as long as that can be stored."""
        if not self.sentinel.is_alive():
            return False
        self.stop_event.set()  # type: ignore[has-type]
        left = Conf.TIMEOUT + 10
        while self.sentinel.is_alive():
            self.sentinel.join(LOOK_EVERY)
            left -= LOOK_EVERY
            if self.sentinel.is_alive() and (left <= 0 or not _database_answers()):
                processes.end(psutil.Process().children(recursive=True), seconds=1)
                break
        self.start_event = self.stop_event = None
        return True


def _database_answers() -> bool:
    connection.close()
    try:
        connection.ensure_connection()
    except OperationalError:
        return False
    finally:
        connection.close()
    return True
