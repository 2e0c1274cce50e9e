"""Real transactions against each other: one owner, one request, whatever happens at the same moment."""

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from threading import Barrier
from typing import Any

import psycopg
from django.db import IntegrityError, connection

from audit.now import at, now
from intake import actions as intake
from intake.models import Submission
from portal.people.policies import Refused
from queues import actions, tasks
from queues.models import Message, Notice, Step, Task
from queues.states import State
from tests import factories as make
from tests.clinic import open_clinic


def at_once(*calls: Callable[[], Any]) -> list[Any]:
    """Run all calls at the same moment, each on a connection of its own; what was refused comes back as the refusal."""
    barrier = Barrier(len(calls))

    def run(call: Callable[[], Any]) -> Any:
        try:
            barrier.wait()
            return call()
        except (Refused, IntegrityError) as refused:  # by us, or by the database
            return refused
        finally:
            connection.close()

    with ThreadPoolExecutor(len(calls)) as pool:
        return list(pool.map(run, calls))


def test_thirty_two_who_claim_next_at_once_get_one_task_each_and_the_right_ones(committed_db: str) -> None:
    clinic = open_clinic()
    tasks = [clinic.task().pk for _ in range(40)]
    urgent = clinic.task(problems="true", which="My chest hurts and I can't breathe").pk
    claimed = at_once(
        *[
            lambda n=n: actions.claim_next(by=clinic.nurse if n % 2 else clinic.second_nurse)
            for n in range(32)
        ]
    )
    got = [task.pk for task in claimed]
    assert len(set(got)) == 32
    assert set(got) == {urgent, *tasks[:31]}
    assert Step.objects.filter(verb="claim").count() == 32


def test_thirty_two_who_claim_the_last_twelve_leave_none_and_share_none(committed_db: str) -> None:
    clinic = open_clinic()
    tasks = {clinic.task().pk for _ in range(12)}
    claimed = at_once(*[lambda: actions.claim_next(by=clinic.nurse)] * 32)
    got = [task.pk for task in claimed if task is not None]
    # Who was passed over while another's claim was not yet done asks again.
    while (task := actions.claim_next(by=clinic.nurse)) is not None:
        got.append(task.pk)
    assert sorted(got) == sorted(tasks)


def test_who_finds_the_first_twenty_locked_claims_the_one_behind_them(committed_db: str) -> None:
    clinic = open_clinic()
    tasks = [clinic.task().pk for _ in range(21)]
    with psycopg.connect(committed_db) as colleagues:
        colleagues.execute("SELECT 1 FROM queues_task WHERE id = ANY(%s) FOR UPDATE", [tasks[:20]])
        claimed = actions.claim_next(by=clinic.nurse)
    assert claimed is not None
    assert claimed.pk == tasks[20]


def test_one_of_two_claims_of_the_same_task_wins(committed_db: str) -> None:
    clinic = open_clinic()
    task = clinic.task()
    results = at_once(
        lambda: actions.claim(task=task, by=clinic.nurse),
        lambda: actions.claim(task=task, by=clinic.second_nurse),
    )
    assert sum(isinstance(result, Refused) for result in results) == 1


def test_a_double_click_on_send_files_one_request(committed_db: str) -> None:
    clinic = open_clinic()
    draft = clinic.draft()
    results = at_once(*[lambda: intake.submit(draft_id=draft.pk, by=clinic.patient.user)] * 4)
    assert len({result.pk for result in results}) == 1
    assert Submission.objects.count() == Task.objects.count() == 1


def test_a_hand_over_and_a_resolve_at_once_end_in_one_of_the_two(committed_db: str) -> None:
    clinic = open_clinic()
    task = actions.claim(task=clinic.task(), by=clinic.nurse)
    seen = task.version
    results = at_once(
        lambda: actions.hand_over(
            task=task, queue=clinic.triage, reason="theirs", by=clinic.nurse, seen=seen
        ),
        lambda: actions.resolve(task=task, outcome=clinic.done, by=clinic.nurse, seen=seen),
    )
    assert sum(isinstance(result, Refused) for result in results) == 1
    task.refresh_from_db()
    assert task.state in (State.OPEN, State.RESOLVED)


def test_a_task_that_comes_in_while_its_queue_retires_is_not_stranded(committed_db: str) -> None:
    clinic = open_clinic()
    # The facility's own queue comes before the central one, and the rules can do without it.
    own = make.queue("billing", "billing", facility=clinic.facility)
    draft = clinic.draft("billing")
    at_once(
        lambda: intake.submit(draft_id=draft.pk, by=clinic.patient.user),
        lambda: actions.retire_queue(queue=own, by=clinic.admin),
    )
    assert not Task.objects.live().filter(queue__retired_at__isnull=False).exists()


def test_four_workers_who_sweep_at_once_tell_everybody_once(committed_db: str) -> None:
    clinic = open_clinic()
    pks = [clinic.task().pk for _ in range(8)]
    due = Task.objects.get(pk=pks[-1]).respond_due

    def sweep() -> int:
        with at(due):
            return tasks.sweep()

    done = at_once(*[sweep] * 4)
    with at(due):
        tasks.sweep()
    assert sum(done) >= 8
    told = list(Notice.objects.values_list("recipient", "task", "kind"))
    assert len(told) == len(set(told)) == 8 * 3  # two nurses and the lead
    assert Message.objects.filter(author=None).count() == 8


def test_the_last_member_who_leaves_while_a_task_comes_in_strands_nothing(committed_db: str) -> None:
    clinic = open_clinic()
    own = make.queue("billing", "billing", facility=clinic.facility)
    make.staff("billing", queues_worked=(own,))
    draft = clinic.draft("billing")
    at_once(
        lambda: intake.submit(draft_id=draft.pk, by=clinic.patient.user),
        lambda: actions.set_members(queue=own, people=[], by=clinic.admin),
    )
    assert Task.objects.live().count() == 1
    assert not Task.objects.live().filter(queue__members__user=None).exists()


def test_a_claim_and_a_claim_that_falls_asleep_leave_one_owner_or_none(committed_db: str) -> None:
    clinic = open_clinic()
    task = actions.claim(task=clinic.task(), by=clinic.nurse)
    late = now() + timedelta(minutes=300)

    def sweep() -> int:
        with at(late):
            return tasks.sweep()

    at_once(sweep, lambda: actions.reply(task=task, body="I am at it.", by=clinic.nurse))
    task.refresh_from_db()
    assert (task.owner is None) == (task.state == State.OPEN)
