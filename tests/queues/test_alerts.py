"""Urgent alerts to another system, tried against a real web server."""

from __future__ import annotations

import json
import threading
from collections.abc import Iterator
from datetime import timedelta
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

import pytest

from audit.now import at, now
from queues import tasks
from queues.models import Alert
from tests.clinic import Clinic

CHEST: dict[str, Any] = {"problems": "true", "which": "My chest hurts and I can't breathe"}


class Pager(ThreadingHTTPServer):
    """The other system: keeps what it was sent, and answers with the status that it is told to."""

    def __init__(self) -> None:
        super().__init__(("127.0.0.1", 0), _Handler)
        self.status = 200
        self.got: list[str] = []

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.server_address[1]}/alerts"


class _Handler(BaseHTTPRequestHandler):
    server: Pager

    def do_POST(self) -> None:
        self.server.got.append(self.rfile.read(int(self.headers["Content-Length"])).decode())
        self.send_response(self.server.status)
        self.end_headers()

    def log_message(self, format: str, *args: Any) -> None:
        """Nothing on the terminal."""


@pytest.fixture
def pager(settings: Any) -> Iterator[Pager]:
    with Pager() as server:
        thread = threading.Thread(target=server.serve_forever)
        thread.start()
        settings.ALERT_URL = server.url
        yield server
        server.shutdown()
        thread.join()


def test_an_urgent_task_is_posted_once_with_no_word_about_the_patient(clinic: Clinic, pager: Pager) -> None:
    with at(now() - timedelta(minutes=1)):
        task = clinic.task(**CHEST)
        tasks.sweep()
    assert tasks.send_alerts() == 1
    assert tasks.send_alerts() == 0
    tasks.send_alert(Alert.objects.get().pk)
    (body,) = pager.got
    sent = json.loads(body)
    assert sent.keys() == {"id", "kind", "queue", "facility", "reference", "link"}
    assert (sent["kind"], sent["queue"]) == ("take-up", "urgent")
    assert sent["link"].endswith(task.get_absolute_url())
    patient = clinic.patient
    for word in (patient.family_name, patient.given_name, patient.record_number, "chest", "breathe", "@"):
        assert word.lower() not in body.lower()
    assert Alert.objects.get().state == Alert.State.SENT


def test_what_the_other_system_refuses_is_tried_again_later_and_ever_more_slowly_and_then_given_up(
    clinic: Clinic, pager: Pager
) -> None:
    pager.status = 500
    clinic.task(**CHEST)
    start = now()
    with at(start):
        tasks.sweep()
    gaps = []
    moment = start
    for _ in range(Alert.MAX_ATTEMPTS):
        with at(moment):
            assert tasks.send_alerts() == 1
            assert tasks.send_alerts() == 0  # not before its time
        row = Alert.objects.get()
        gaps.append(row.not_before - moment)
        moment = row.not_before
    assert gaps == sorted(gaps)
    assert row.state == Alert.State.FAILED
    with at(moment + timedelta(days=30)):
        assert tasks.send_alerts() == 0
    assert len(pager.got) == Alert.MAX_ATTEMPTS
    assert len({json.loads(body)["id"] for body in pager.got}) == 1


def test_a_system_that_is_there_again_gets_what_it_missed_once(clinic: Clinic, pager: Pager) -> None:
    pager.status = 500
    clinic.task(**CHEST)
    tasks.sweep()
    tasks.send_alerts()
    pager.status = 200
    with at(now() + timedelta(minutes=5)):
        assert [tasks.send_alerts() for _ in range(3)] == [1, 0, 0]
    assert len(pager.got) == 2
    assert Alert.objects.get().state == Alert.State.SENT
