"""Rows whose SQL is put together once: stored as Django itself would store them."""

from __future__ import annotations

import pytest
from django.db import DatabaseError
from django.db.models import F, Model

from audit.models import Event
from audit.now import now
from audit.statements import Written
from queues.models import Message, Task
from tests.clinic import open_clinic

pytestmark = pytest.mark.django_db


def stored(row: Model) -> dict[str, object]:
    """What the database holds of a row, but for what it gives each row itself."""
    again = type(row)._default_manager.get(pk=row.pk)
    columns = [
        field.attname for field in row._meta.concrete_fields if field.name not in ("id", "recorded_at")
    ]
    return {name: getattr(again, name) for name in columns}


def test_a_new_row_is_stored_as_django_stores_it(monkeypatch: pytest.MonkeyPatch) -> None:
    told = {"occurred_at": now(), "kind": "R", "action": "a.b.c", "patient_ids": [3, 4], "detail": {"n": [1]}}
    ours, theirs = Event(**told), Event(**told)
    ours.save()
    with monkeypatch.context() as patched:
        patched.delattr(Written, "_do_insert")
        theirs.save()
    assert theirs.pk > ours.pk > 0
    assert theirs.recorded_at > ours.recorded_at  # the database's own time, which nobody gave
    assert stored(ours) == stored(theirs)


def test_only_the_named_columns_change() -> None:
    task = open_clinic().task()
    stale = Task.objects.get(pk=task.pk)
    task.tags, task.owner, task.flags = ["a", "b"], None, [{"code": "x"}]
    task.save(update_fields=["tags", "owner", "flags"])
    stale.title = "Another title"
    stale.save(update_fields=["title"])
    again = Task.objects.get(pk=task.pk)
    assert (again.tags, again.owner, again.flags) == (["a", "b"], None, [{"code": "x"}])
    assert again.title == "Another title"


def test_a_row_that_is_gone_is_not_taken_for_changed() -> None:
    task = open_clinic().task()
    task.pk = 10**9
    with pytest.raises(DatabaseError, match="did not affect any rows"):
        task.save(update_fields=["title"])


def test_what_the_database_works_out_is_left_to_django() -> None:
    task = open_clinic().task()
    before = task.version
    task.version = F("version") + 5
    task.save(update_fields=["version"])
    assert Task.objects.get(pk=task.pk).version == before + 5


def test_words_are_kept_as_they_were_said() -> None:
    task = open_clinic().task()
    said = "100 % “sure”: 'x'; DROP TABLE -- \\ %s {}"
    message = Message.objects.create(
        conversation=task.conversation,
        task=task,
        author=task.conversation.author,
        from_patient=True,
        body=said,
        sent_at=now(),
    )
    assert Message.objects.get(pk=message.pk).body == said
