"""Replay: what a ruleset would have decided about past requests. Facts come from the kept decisions.

It streams, so a year takes no more memory than a day, and goes in slices that each are one transaction: progress is
seen while it runs, and a crash loses one slice.
"""

from __future__ import annotations

from collections import Counter, deque
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from datetime import timedelta
from time import monotonic
from typing import Any

from django.db import transaction
from django.db.models import QuerySet

from audit.now import now
from portal.people.roles import Role
from queues.models import Queue
from queues.urgency import Urgency
from triage import engine, lateness, proving, publishing, rereading, signals
from triage.fields import Json
from triage.loading import compile_rows
from triage.models import Decision, LostFlag, Replay, Ruleset

SLICE = 5_000
SLICE_ANEW = 400  # where words are read anew, which takes some ten seconds
CHUNK = 1_000
MAX_SHOWN = 500
MAX_ATTEMPTS = 5

Row = tuple[int, dict[str, Json], str, int, int]  # key, facts, queue, urgency, floor


def decisions_of(replay: Replay) -> QuerySet[Decision]:
    return Decision.objects.filter(decided_at__gte=replay.since, decided_at__lte=replay.until)


def rows_of(decisions: QuerySet[Decision]) -> Iterator[Row]:
    """In the order of their keys, from a cursor on the server."""
    values = decisions.order_by("pk").values_list("pk", "facts", "queue", "urgency", "floor")
    yield from values.iterator(chunk_size=CHUNK)


@dataclass
class Tally:
    """What changes, as counts, and the first of the decisions that change."""

    physicians: frozenset[str] = frozenset()  # the codes of physicians' queues
    count: int = 0
    changed: int = 0
    lost: int = 0
    to_physician: list[int] = field(default_factory=lambda: [0, 0])  # before, after
    moves: Counter[tuple[str, str]] = field(default_factory=Counter)
    urgencies: Counter[tuple[int, int]] = field(default_factory=Counter)
    load: tuple[Counter[str], Counter[str]] = field(default_factory=lambda: (Counter(), Counter()))
    work: tuple[Counter[tuple[str, int]], Counter[tuple[str, int]]] = field(
        default_factory=lambda: (Counter(), Counter())
    )  # the load once more, by urgency too: what lateness is expected from
    shown: list[dict[str, Json]] = field(default_factory=list)
    signals: str = (
        ""  # the version that read the words anew; empty where the readings of their time were kept
    )
    read_anew: int = 0

    def add(self, row: Row, decision: engine.Decision) -> None:
        pk, _facts, queue, urgency, floor = row
        new_urgency, new_floor = (Urgency.from_word(word) for word in (decision.urgency, decision.floor))
        self.count += 1
        self.load[0][queue] += 1
        self.load[1][decision.queue] += 1
        self.work[0][queue, urgency] += 1
        self.work[1][decision.queue, new_urgency] += 1
        self.to_physician[0] += queue in self.physicians
        self.to_physician[1] += decision.queue in self.physicians
        lost = is_lost(urgency, floor, new_urgency, new_floor)
        self.lost += lost
        if (queue, urgency) == (decision.queue, new_urgency) and not lost:
            return
        self.changed += 1
        if queue != decision.queue:
            self.moves[queue, decision.queue] += 1
        if urgency != new_urgency:
            self.urgencies[urgency, new_urgency] += 1
        if lost or len(self.shown) < MAX_SHOWN:
            self._show(
                {
                    "decision": pk,
                    "queue": [queue, decision.queue],
                    "urgency": [Urgency(urgency).word, decision.urgency],
                    "lost": lost,
                }
            )

    def _show(self, one: dict[str, Json]) -> None:
        """Lost red flags take the places of others where the list is full."""
        if len(self.shown) >= MAX_SHOWN:
            place = next((n for n, shown in enumerate(self.shown) if not shown["lost"]), None)
            if place is None:
                return
            del self.shown[place]
        self.shown.append(one)

    def to_json(self) -> dict[str, Json]:
        def share(count: int) -> float:
            return round(100 * count / self.count, 1) if self.count else 0.0

        return {
            "physicians": sorted(self.physicians),
            "count": self.count,
            "changed": self.changed,
            "lost": self.lost,
            "to_physician": self.to_physician,
            "physician_share": [share(count) for count in self.to_physician],
            "moves": [[a, b, count] for (a, b), count in self.moves.most_common()],
            "urgencies": [
                [Urgency(a).word, Urgency(b).word, count] for (a, b), count in self.urgencies.most_common()
            ],
            "load": {
                code: [self.load[0][code], self.load[1][code]]
                for code in sorted({*self.load[0], *self.load[1]})
            },
            "work": [[[code, level, n] for (code, level), n in side.items()] for side in self.work],
            "shown": self.shown,
            "signals": self.signals,
            "read_anew": self.read_anew,
        }

    @classmethod
    def from_json(cls, told: dict[str, Any]) -> Tally:
        return cls(
            physicians=frozenset(told["physicians"]),
            count=told["count"],
            changed=told["changed"],
            lost=told["lost"],
            to_physician=told["to_physician"],
            moves=Counter({(a, b): count for a, b, count in told["moves"]}),
            urgencies=Counter(
                {(Urgency.from_word(a), Urgency.from_word(b)): n for a, b, n in told["urgencies"]}
            ),
            load=(
                Counter({code: before for code, (before, _after) in told["load"].items()}),
                Counter({code: after for code, (_before, after) in told["load"].items()}),
            ),
            work=(_work(told["work"][0]), _work(told["work"][1])),
            shown=told["shown"],
            signals=told.get("signals", ""),
            read_anew=told.get("read_anew", 0),
        )


def _work(told: list[tuple[str, int, int]]) -> Counter[tuple[str, int]]:
    return Counter({(code, level): count for code, level, count in told})


def is_lost(urgency: int, floor: int, new_urgency: int, new_floor: int) -> bool:
    """Whether a red flag is lost or lowered: what safety had made urgent would be less."""
    return floor == Urgency.URGENT and (new_floor < floor or new_urgency < urgency)


def physicians() -> frozenset[str]:
    return frozenset(Queue.objects.filter(role=Role.PHYSICIAN).values_list("code", flat=True))


# ---- a whole replay, in slices --------------------------------------------------------------------------------------


def advance(replay_id: int, *, seconds: float) -> bool:
    """Go on with a replay for at most about this long; True when there is nothing left to do. Safe to run twice:
    a slice that another worker holds is left to it."""
    row = Replay.objects.get(pk=replay_id)
    if row.state != Replay.State.RUNNING:
        return True
    if proving.rules_digest(row.ruleset) != row.rules_digest:
        Replay.objects.filter(pk=replay_id).update(state=Replay.State.FAILED, error="changed")
        return True
    rules = compile_rows(row.ruleset, row.ruleset.rules.all())
    started = monotonic()
    while monotonic() - started < seconds:
        if _slice(replay_id, rules):
            return True
    return False


def _slice(replay_id: int, rules: engine.Ruleset) -> bool:
    started = monotonic()
    with transaction.atomic():
        row = Replay.objects.select_for_update(skip_locked=True).filter(pk=replay_id).first()
        if row is None or row.state != Replay.State.RUNNING:
            return True
        new = signals.VERSION if rereading.are_new() else ""
        tally = Tally.from_json(row.result) if row.result else Tally(physicians(), signals=new)
        if tally.signals != new:  # one half with other signals than the other half would say nothing
            row.state, row.error = Replay.State.FAILED, "changed"
            row.save(update_fields=["state", "error"])
            return True
        size = SLICE_ANEW if new else SLICE
        rest = decisions_of(row).filter(pk__gt=row.last_decision).order_by("pk")[:size]
        count = 0
        for told, facts, read in _with_facts(rows_of_slice(rest), row, anew=bool(new)):
            tally.add(told, engine.decide(rules, facts))
            tally.read_anew += read
            row.last_decision = told[0]
            count += 1
        row.done, row.result = tally.count, tally.to_json()
        row.seconds = round(row.seconds + monotonic() - started, 3)
        if count < size:
            row.state = Replay.State.DONE
            known = lateness.rates(row.since, row.until)
            row.result["late"] = lateness.expected(*tally.work, known)
        row.save()
    return count < size


def _with_facts(
    rows: Iterator[Row], replay: Replay, *, anew: bool
) -> Iterator[tuple[Row, dict[str, Json], bool]]:
    """Each past decision with the facts it is decided from now, and whether its words were read anew for it."""
    if not anew:
        yield from ((row, row[1], False) for row in rows)
        return
    slice_ = list(rows)  # a small one, for reading takes its time
    facts = rereading.anew(((row[0], row[1]) for row in slice_), by=replay.by, of=replay.ruleset)
    for row, (told, read) in zip(slice_, facts, strict=True):
        yield row, told, read


def rows_of_slice(decisions: QuerySet[Decision]) -> Iterator[Row]:
    values = decisions.values_list("pk", "facts", "queue", "urgency", "floor")
    yield from values.iterator(chunk_size=CHUNK)


def _as_known(rows: Iterable[Row]) -> Iterator[Row]:
    kept: deque[Row] = deque()

    def keep() -> Iterator[tuple[int, dict[str, Json]]]:
        for row in rows:
            kept.append(row)
            yield row[0], row[1]

    for facts in rereading.as_known(keep()):
        pk, _facts, queue, urgency, floor = kept.popleft()
        yield pk, facts, queue, urgency, floor


# ---- red flags ------------------------------------------------------------------------------------------------------


@transaction.atomic
def find_lost_flags(ruleset: Ruleset) -> int:
    """Decide the past red flags again and keep what this ruleset would lose or lower; return how many of those
    nobody has accepted. A ruleset that can't be read loses nothing: its problems stop it anyway.

    A draft is published for the installed signals. Where they are new, flags are lost by them too, as far as a replay
    has read the words anew.
    """
    try:
        rules = compile_rows(ruleset, ruleset.rules.all())
    except engine.RulesetError:
        return 0
    flagged = Decision.objects.filter(
        floor=Urgency.URGENT, decided_at__gte=now() - timedelta(days=publishing.RED_FLAG_DAYS)
    )
    found: dict[tuple[int, int, int], LostFlag] = {}
    rows: Iterable[Row] = rows_of(flagged)
    if ruleset.status == Ruleset.Status.DRAFT and rereading.are_new():
        rows = _as_known(rows)
    for pk, facts, _queue, urgency, floor in rows:
        decision = engine.decide(rules, facts)
        new = Urgency.from_word(decision.urgency), Urgency.from_word(decision.floor)
        if is_lost(urgency, floor, *new):
            found[pk, *new] = LostFlag(
                ruleset=ruleset, decision_id=pk, urgency=new[0], floor=new[1], found_at=now()
            )
            if len(found) >= 2 * publishing.MAX_LOST:
                break
    known = {(row.decision_id, row.urgency, row.floor): row for row in ruleset.lost_flags.all()}
    stale = [row.pk for key, row in known.items() if key not in found and row.accepted_by_id is None]
    ruleset.lost_flags.filter(pk__in=stale).delete()
    LostFlag.objects.bulk_create(
        [row for key, row in found.items() if key not in known], ignore_conflicts=True
    )
    return ruleset.lost_flags.filter(accepted_by__isnull=True).count()
