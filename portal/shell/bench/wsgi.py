"""What gunicorn serves while it is measured: Porter as it is, and the yardsticks behind Django's barest middleware.

Each response says how long it took in the server, how long of that a processor worked on it (PostgreSQL's apart), how
many queries it made, and which process it comes from.
"""

from __future__ import annotations

import os
from collections.abc import Iterable
from time import perf_counter, thread_time
from typing import Any

from django.core.handlers.wsgi import WSGIHandler
from django.db import connection
from django.test.utils import override_settings

from portal.shell.wsgi import application as porter

# What a view needs that is signed in and safe against forged posts, and no more.
BARE = [
    "django.contrib.sessions.middleware.SessionMiddleware",
    "django.middleware.csrf.CsrfViewMiddleware",
    "django.contrib.auth.middleware.AuthenticationMiddleware",
]


def _no_demo() -> None:
    """Only a demo's pages ask whether they are one."""
    # Once Django is set up, which the import of Porter does.
    from portal.shell.demo.context import to_staff
    from queues import notices

    notices.to_staff.remove(to_staff)


_no_demo()


class Bare(WSGIHandler):
    def load_middleware(self, is_async: bool = False) -> None:
        with override_settings(MIDDLEWARE=BARE):
            super().load_middleware(is_async)


bare = Bare()


def application(environ: dict[str, Any], start_response: Any) -> Iterable[bytes]:
    handler = bare if environ["PATH_INFO"].startswith("/yardstick/") else porter
    began, worked, queries = perf_counter(), thread_time(), 0

    def count(execute: Any, *told: Any) -> Any:
        nonlocal queries
        queries += 1
        return execute(*told)

    def answer(status: str, headers: list[tuple[str, str]], *rest: Any) -> Any:
        figures = [
            ("X-Took", f"{1000 * (perf_counter() - began):.3f}"),
            ("X-Worked", f"{1000 * (thread_time() - worked):.3f}"),
            ("X-Queries", str(queries)),
            ("X-Worker", str(os.getpid())),
        ]
        return start_response(status, [*headers, *figures], *rest)

    with connection.execute_wrapper(count):
        return handler(environ, answer)
