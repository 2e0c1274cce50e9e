"""What the worker runs for triage: proofs of a draft, and replays. Safe to run twice."""

from __future__ import annotations

import logging

from django_q.tasks import async_task

from triage import proving
from triage import replay as replays
from triage.models import Replay, Ruleset

log = logging.getLogger(__name__)
REPLAY_SECONDS = 30.0


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
