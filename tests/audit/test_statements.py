"""Rows whose SQL is put together once: stored as Django itself would store them."""

from __future__ import annotations

from typing import Any

import psycopg
import pytest
from django.db import DatabaseError, DataError, connection, transaction
from django.db.models import F, Model

from audit.models import Event
from audit.now import now
from audit.statements import Written, add_all, as_one, found, rows, sent, together
from portal.people.models import User
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
        for ours_alone in ("save", "_do_insert"):
            patched.delattr(Written, ours_alone)
        theirs.save()
    assert theirs.pk > ours.pk > 0
    assert theirs.recorded_at > ours.recorded_at  # the database's own time, which nobody gave
    assert stored(ours) == stored(theirs)


def test_many_rows_are_stored_as_django_stores_them_and_in_their_order() -> None:
    told = [
        {
            "occurred_at": now(),
            "kind": "R",
            "action": f"a.b.{number}",
            "patient_ids": ids,
            "detail": {"n": [1, None]},
        }
        for number, ids in enumerate([[3, 4], [], [5]])
    ]
    add_all([Event(**each) for each in told])
    ours = list(Event.objects.order_by("pk"))
    theirs = Event.objects.bulk_create([Event(**each) for each in told])
    assert [stored(row) for row in ours] == [stored(row) for row in theirs]
    assert all(row.recorded_at for row in ours)


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


def event(action: str = "a.b.c") -> Event:
    return Event(occurred_at=now(), kind="R", action=action, patient_ids=[3])


def test_rows_that_go_together_are_stored_in_their_order_and_those_that_are_keyed_know_their_key() -> None:
    with transaction.atomic(), together(Event):
        first, second = event("a.b.first"), event("a.b.second")
        first.save()
        second.save()
        assert first.pk
        assert second.pk is None
    known = list(Event.objects.filter(action__in=["a.b.first", "a.b.second"]).order_by("recorded_at", "pk"))
    assert [each.action for each in known] == ["a.b.first", "a.b.second"]
    assert known[0].pk == first.pk
    assert stored(first) == stored(known[0])


def test_what_changes_goes_with_what_is_new_in_its_order() -> None:
    task = open_clinic().task()
    with transaction.atomic(), together():
        task.title = "First"
        task.save(update_fields=["title"])
        event("a.b.between").save()
        task.title = "Second"
        task.save(update_fields=["title"])
    assert Task.objects.get(pk=task.pk).title == "Second"
    assert Event.objects.filter(action="a.b.between").count() == 1


def test_a_key_that_was_drawn_is_not_given_to_another_row() -> None:
    with transaction.atomic(), together(Event):
        keyed = event()
        keyed.save()
        late = event()
        late.save()
    after = event()
    after.save()
    assert len({keyed.pk, after.pk, *Event.objects.filter(action="a.b.c").values_list("pk", flat=True)}) == 3


def test_whoever_asks_meanwhile_finds_what_waits() -> None:
    open_clinic()
    with transaction.atomic(), together():
        event("a.b.waits").save()
        assert Event.objects.filter(action="a.b.waits").count() == 1
        sent("UPDATE people_user SET name = 'Ada'", [])
        assert set(User.objects.values_list("name", flat=True)) == {"Ada"}
    assert Event.objects.filter(action="a.b.waits").count() == 1


@transaction.atomic
def save_together(*new: Event, then: Exception | None = None) -> None:
    with together():
        for each in new:
            each.save()
        if then is not None:
            raise then


def test_what_the_database_refuses_is_told_as_django_tells_it_and_nothing_stays() -> None:
    wrong = event("a.b.refused")
    wrong.kind = "no kind is so long"
    with pytest.raises(DataError) as refused:
        save_together(event("a.b.refused"), wrong)
    assert isinstance(refused.value.__cause__, psycopg.errors.StringDataRightTruncation)
    assert not Event.objects.filter(action="a.b.refused").exists()


def test_what_was_to_go_together_is_forgotten_where_the_action_breaks_off() -> None:
    with pytest.raises(ValueError, match="broken off"):
        save_together(event("a.b.forgotten"), then=ValueError("broken off"))
    assert not Event.objects.filter(action="a.b.forgotten").exists()


def test_several_questions_are_answered_in_their_order_in_one_journey() -> None:
    patient = open_clinic().patient
    assert found(
        ("SELECT 1, %s", ["a"]),
        ("SELECT given_name FROM people_patient WHERE id = %(id)s", {"id": patient.pk}),
        ("SELECT 1 WHERE false", []),
    ) == [[(1, "a")], [(patient.given_name,)], []]


def test_a_question_finds_what_waits_to_be_sent() -> None:
    with transaction.atomic(), together():
        sent(
            "INSERT INTO audit_event"
            " (occurred_at, kind, action, patient_ids, entity_type, entity_id, detail, agent_role)"
            " VALUES (now(), 'R', 'a.b.waits', '{}', '', '', '{}', '')",
            [],
        )
        assert found(("SELECT count(*) FROM audit_event WHERE action = %s", ["a.b.waits"])) == [[(1,)]]


def test_what_waits_goes_in_the_journey_of_the_question(monkeypatch: pytest.MonkeyPatch) -> None:
    journeys = 0
    pipeline = connection.connection.pipeline

    def counted() -> Any:
        nonlocal journeys
        journeys += 1
        return pipeline()

    monkeypatch.setattr(connection.connection, "pipeline", counted)
    with transaction.atomic(), together():
        event("a.b.first").save()
        event("a.b.second").save()
        asked = "SELECT count(*) FROM audit_event WHERE action LIKE %s"
        assert rows(asked, ["a.b.%"]) == [(2,)]
        event("a.b.third").save()
    assert journeys == 2


def test_questions_for_one_value_each_are_one_question() -> None:
    one = as_one(("SELECT %s::int", [1]), ("SELECT ARRAY[2, 3]", []), ("SELECT 4 WHERE %s", [False]))
    assert found(one) == [[(1, [2, 3], None)]]


def test_a_question_that_is_refused_is_told_as_django_tells_it() -> None:
    with pytest.raises(DataError), transaction.atomic():
        found(("SELECT 1", []), ("SELECT 1 / %s", [0]), ("SELECT 2", []))
    assert found(("SELECT 2", [])) == [[(2,)]]


def test_a_row_that_refers_to_one_stored_after_it_was_made_has_its_key() -> None:
    clinic = open_clinic()
    task = clinic.task()
    told = {
        "conversation": task.conversation,
        "author": clinic.nurse,
        "from_patient": False,
        "sent_at": now(),
    }
    message, follows = Message(body="Hello", **told), Message(body="More", task=task, **told)
    message.save()
    follows.save()
    assert follows.pk > message.pk
    assert not message._state.adding
    message.body = "Hello again"
    message.save()
    assert stored(message)["body"] == "Hello again"
