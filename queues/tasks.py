"""What the worker runs for the queues: the clock's looks, alerts, digests, the nightly check. Safe to run twice."""

from __future__ import annotations

import json
import logging
import time
import urllib.request
from datetime import timedelta

from django.conf import settings
from django.db import transaction

from audit.now import now
from audit.statements import rows
from queues import watch
from queues.actions import digests, looking
from queues.models import Alert, Task

log = logging.getLogger(__name__)
SECONDS = 40.0  # a sweep ends before the worker's time runs out; the next one goes on where it ended
PAST = 7_306_425_119  # names the advisory lock of who tells a past: what it holds now is not how it ends


def look(task_id: int) -> bool:
    """Do what is due for one task. A failure is put off, so that it doesn't stand in the way of the others."""
    try:
        return looking.look(task_id)
    except Exception as error:
        log.warning("The clock could not look at task %s: %s.", task_id, type(error).__name__)
        looking.put_off(task_id)
        return False


def sweep(seconds: float = SECONDS) -> int:
    """Look at every task whose next step is due until the time is over, and return how many were. No other task is
    read, and none at all while somebody tells a past."""
    until, done = time.monotonic() + seconds, 0
    while rows("SELECT pg_try_advisory_xact_lock_shared(%s)", [PAST])[0][0]:
        due = list(
            Task.objects.due_for_the_clock().order_by("next_step_at").values_list("pk", flat=True)[:200]
        )
        worked, over = 0, False
        for pk in due:
            worked += look(pk)
            # Asked afterwards: however slow the machine, each sweep gets one further.
            if over := time.monotonic() >= until:
                break
        done += worked
        if over or not worked:
            break  # the rest is for the next sweep, or nothing is due, or other workers hold it
    return done


def send_alert(alert_id: int) -> None:
    """Post one alert to the other system. What fails is tried again by the sweep, ever later."""
    with transaction.atomic():
        alert = (
            Alert.objects.select_for_update(skip_locked=True)
            .filter(pk=alert_id, state=Alert.State.PENDING, not_before__lte=now())
            .first()
        )
        if alert is None or not settings.ALERT_URL:
            return
        alert.attempts += 1
        try:
            _post({**alert.payload, "id": str(alert.key)})
        except Exception as error:
            alert.last_error = type(error).__name__
            log.warning("Alert %s could not be sent: %s.", alert.pk, alert.last_error)
            alert.not_before = now() + timedelta(seconds=15 * 2**alert.attempts)
            if alert.attempts >= Alert.MAX_ATTEMPTS:
                alert.state = Alert.State.FAILED
        else:
            alert.state, alert.sent_at, alert.last_error = Alert.State.SENT, now(), ""
        alert.save()


def _post(payload: dict[str, str]) -> None:
    request = urllib.request.Request(  # noqa: S310  (the operator's own address)
        settings.ALERT_URL,
        data=json.dumps(payload).encode(),
        headers={"Content-Type": "application/json", "User-Agent": "Porter"},
    )
    with urllib.request.urlopen(request, timeout=10) as answer:  # noqa: S310
        answer.read(1000)


def send_alerts() -> int:
    """Post every alert that is due: what a crash or a failed attempt left."""
    due = list(
        Alert.objects.filter(state=Alert.State.PENDING, not_before__lte=now())
        .order_by("not_before")
        .values_list("pk", flat=True)[:100]
    )
    for pk in due:
        send_alert(pk)
    return len(due)


def send_digests() -> int:
    """One mail to everybody for whom it is time today and something waits."""
    return digests.send_due()


def check_nightly() -> int:
    """Report to the leads what the database can't hold by itself, and give back what nobody can work on."""
    return watch.report()
