"""The one way into the trail. Called inside the transaction of the thing it tells of, so that both stand or fall."""

from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from typing import Any

from django.db import models, transaction

from audit.models import Event
from audit.now import now
from audit.statements import add_all

Kind = Event.Kind


def record(
    action: str,
    *,
    by: Any,
    kind: Event.Kind,
    patients: Iterable[int] = (),
    entity: models.Model | None = None,
    detail: dict[str, Any] | None = None,
) -> Event:
    """Add one event.

    `action` is room.noun.verb. `by` is the acting user, or None when the system acts. `patients` are the keys of
    all patients whose data was touched; a page served is one event with all of them. `detail` must hold codes,
    keys and counts, never words of a patient.
    """
    event = Event(
        occurred_at=now(),
        kind=kind,
        action=action,
        agent=by,
        agent_role=getattr(by, "role_label", "") if by is not None else "system",
        patient_ids=sorted(set(patients)),
        entity_type=entity._meta.label_lower if entity is not None else "",
        entity_id=str(entity.pk) if entity is not None else "",
        detail=detail or {},
    )
    append(event)
    return event


def append(row: models.Model) -> None:
    """Write a new row that tells of what was done, and that nothing in this transaction reads back."""
    gathering = _gathering.get()
    if gathering is None:
        row.save(force_insert=True)
    else:
        gathering.append(row)


_gathering: ContextVar[list[models.Model] | None] = ContextVar("porter_events", default=None)


@contextmanager
def gathered() -> Iterator[None]:
    """One transaction in which appended rows are written together at its end, in their order. For loading a history.

    They still stand or fall with what they tell of: whatever is raised inside rolls back both.
    """
    with transaction.atomic():
        rows: list[models.Model] = []
        token = _gathering.set(rows)
        try:
            yield
        finally:
            _gathering.reset(token)
        of_kind: dict[type[models.Model], list[models.Model]] = {}
        for row in rows:
            of_kind.setdefault(type(row), []).append(row)
        for told in of_kind.values():
            add_all(told)


def record_read(
    action: str,
    *,
    by: Any,
    patients: Iterable[int],
    entity: models.Model | None = None,
    detail: dict[str, Any] | None = None,
) -> Event:
    """Add the one event of a page that showed these patients' data."""
    return record(action, by=by, kind=Kind.READ, patients=patients, entity=entity, detail=detail)


def store(obj: models.Model, *, by: Any, action: str | None = None) -> None:
    """Check and save a row of reference data (a facility, a template, a rule) with its event.

    Raises ValidationError with a sentence a field; then nothing is saved. The event names the fields that
    changed, not their values.
    """
    with transaction.atomic():
        old = type(obj)._default_manager.filter(pk=obj.pk).first() if obj.pk is not None else None
        obj.full_clean()
        changed = [
            field.name
            for field in obj._meta.concrete_fields
            if old is None or getattr(old, field.attname) != getattr(obj, field.attname)
        ]
        obj.save()
        record(
            action or f"{obj._meta.label_lower}.{'create' if old is None else 'change'}",
            by=by,
            kind=Kind.CREATE if old is None else Kind.UPDATE,
            entity=obj,
            detail={"fields": changed} if old is not None else {},
        )


def discard(obj: models.Model, *, by: Any) -> None:
    """Delete a row of reference data with its event. Raises ProtectedError where something still needs it."""
    with transaction.atomic():
        record(f"{obj._meta.label_lower}.delete", by=by, kind=Kind.DELETE, entity=obj)
        obj.delete()
