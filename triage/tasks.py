"""What the worker runs for triage: proofs of a draft, replays, and counting. Safe to run twice."""

from __future__ import annotations

import logging
import time

from django_q.tasks import async_task

from queues.actions import count_changes as count
from triage import baselines, proving
from triage import replay as replays
from triage.models import Replay, Ruleset

log = logging.getLogger(__name__)
REPLAY_SECONDS = 30.0
COUNT_SECONDS = 40.0  # ends before the worker's time runs out; the next one goes on


def prove(ruleset_id: int, anew: bool = False) -> None:
    """Prove a draft as it is now and keep the result. What is proven already is not proven again."""
    # Taken back first: a change that comes while this runs asks once more.
    Ruleset.objects.filter(pk=ruleset_id).update(prove_asked=False)
    ruleset = Ruleset.objects.filter(pk=ruleset_id, status=Ruleset.Status.DRAFT).first()
    if ruleset is not None:
        proving.prove(ruleset, seconds=proving.WORKER_SECONDS, with_overlaps=True, anew=anew)


def replay(replay_id: int) -> None:
    """Go on with a replay, and ask for the rest. A crash is tried again, five times in all."""
    row = Replay.objects.filter(pk=replay_id).first()
    if row is None:
        return
    try:
        finished = replays.advance(replay_id, seconds=REPLAY_SECONDS)
    except Exception as error:
        log.warning("Replay %s stopped: %s.", replay_id, type(error).__name__)
        row.refresh_from_db()
        row.attempts, row.error = row.attempts + 1, type(error).__name__
        if row.attempts >= replays.MAX_ATTEMPTS:
            row.state = Replay.State.FAILED
        row.save(update_fields=["attempts", "error", "state"])
        finished = row.state == Replay.State.FAILED
    if not finished:
        async_task("triage.tasks.replay", replay_id)


def count_changes(seconds: float = COUNT_SECONDS) -> int:
    """Count for the figures what changed since the last time, beside where it would have gone under each baseline.
    Returns how many changes that were."""
    until, done = time.monotonic() + seconds, 0
    while time.monotonic() < until and (taken := count(baselines.route_tasks)):
        done += taken
    return done


def route_past(baseline_id: int, after: int = 0) -> None:
    """Ask a baseline about all requests of the past, from the decision `after` on."""
    baseline = Ruleset.objects.filter(pk=baseline_id, baseline=True).first()
    until, last = time.monotonic() + COUNT_SECONDS, after
    while baseline is not None:
        reached = baselines.route_past(baseline, after=last)
        if reached is None:
            return
        last = reached
        if time.monotonic() > until:
            async_task("triage.tasks.route_past", baseline_id, last)
            return
