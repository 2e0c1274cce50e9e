"""The large practice for measuring: copies of real requests that keep every promise of the originals."""

import psycopg
import pytest
from django.core.management import CommandError, call_command

from portal.shell.loading import Size
from queues.models import Queue, SearchDocument, Step, Task
from queues.states import DONE
from tests.practice import practice as large_practice

TASKS = 400


@pytest.fixture(scope="module")
def practice(django_db_setup, django_db_blocker):
    size = Size(facilities=160, open=0.05)
    with large_practice(django_db_blocker, tasks=TASKS, size=size) as (owner, _app, loaded):
        yield owner, loaded


def test_so_many_tasks_are_there_and_most_are_done(practice):
    _owner, loaded = practice
    assert loaded.tasks == Task.objects.count() > TASKS
    done = Task.objects.filter(state__in=DONE).count() / loaded.tasks
    assert 0.88 < done < 0.99
    assert Task.objects.values("queue").distinct().count() > 30


def test_every_task_has_its_history_and_is_where_its_patient_belongs(practice):
    assert not Task.objects.filter(steps__isnull=True).exists()
    assert not Task.objects.filter(legs__isnull=True).exists()
    assert (
        not Task.objects.filter(decision__isnull=True, split_from__isnull=True)
        .exclude(conversation__submission__isnull=True)
        .exists()
    )
    for task in Task.objects.filter(queue__facility__isnull=False).select_related(
        "queue", "conversation__patient"
    ):
        assert task.queue.facility_id == task.conversation.patient.facility_id
    for task in Task.objects.filter(state="resolved").prefetch_related("steps"):
        assert "resolve" in [step.verb for step in task.steps.all()]


def test_every_queue_is_worked_and_everybody_claims_in_their_own(practice):
    assert Queue.objects.live().count() == Queue.objects.live().staffed().count()
    for task in Task.objects.live().filter(owner__isnull=False).select_related("owner"):
        assert Queue.objects.worked_by(task.owner).filter(pk=task.queue_id).exists()


def test_what_is_searched_is_what_the_database_would_write_itself(practice):
    owner, _loaded = practice
    before = list(SearchDocument.objects.order_by("pk").values_list("pk", "body", "office_body", "words"))
    with psycopg.connect(owner, autocommit=True) as connection:
        connection.execute("SELECT queues_search_write(ARRAY(SELECT id FROM queues_task))")
    assert (
        list(SearchDocument.objects.order_by("pk").values_list("pk", "body", "office_body", "words"))
        == before
    )


def test_keys_indexes_and_triggers_are_back(practice):
    owner, _loaded = practice
    with psycopg.connect(owner, autocommit=True) as connection:
        off = connection.execute("SELECT tgname FROM pg_trigger WHERE tgenabled = 'D'").fetchall()
        left = connection.execute(
            "SELECT tablename FROM pg_tables WHERE tablename LIKE 'load\\_%'"
        ).fetchall()
        with pytest.raises(psycopg.errors.ForeignKeyViolation):
            connection.execute("DELETE FROM queues_conversation")
    assert (off, left) == ([], [])
    task = Task.objects.order_by("pk").first()
    assert Step.objects.create(task=task, verb="note", after=task.state, queue=task.queue).pk


def test_a_number_out_of_reach_is_refused():
    for wrong in (0, 6_000_000):
        with pytest.raises(CommandError, match="Between"):
            call_command("seed_load", tasks=wrong)


def test_a_small_practice_has_full_lists_and_a_large_one_fifty_thousand_open():
    assert Size.of(1_000) == Size(facilities=3, open=0.5)
    assert Size.of(1_000_000) == Size(facilities=160, open=0.05)
