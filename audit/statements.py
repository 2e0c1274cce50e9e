"""Statements that are the same all day long: put together once a process, and planned once a connection.

Django writes the SQL of a statement anew each time it is sent, and PostgreSQL plans it anew. For what every action
does (add a row, change a few of its columns) both take longer than the statement itself.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from functools import cache
from typing import Any

from django.db import connection, models
from django.db.backends.postgresql.base import ServerBindingCursor
from django.db.models.expressions import DatabaseDefault

MOST = 400  # statements kept on one connection; the one that was longest not asked makes room


class _Keeping(ServerBindingCursor):
    """A cursor whose statement is kept, with its plan, for the next time on this connection."""

    def execute(self, query: Any, params: Any = None, **options: Any) -> Any:
        # Every savepoint has a name of its own: keeping them would push out what comes again.
        keep = params is not None or "SAVEPOINT" not in query
        return super().execute(query, params, prepare=keep, **options)  # type: ignore[misc]


@contextmanager
def kept_statements() -> Iterator[None]:
    """What Django writes inside of this is planned once a connection. Also as a decorator, for an action that people do
    all day long: its statements are always the same."""
    connection.ensure_connection()
    raw = connection.connection
    raw.prepared_max = MOST
    usual, threshold = raw.cursor_factory, raw.prepare_threshold
    raw.cursor_factory, raw.prepare_threshold = _Keeping, 0  # Django's own statements are never kept
    try:
        yield
    finally:
        raw.cursor_factory, raw.prepare_threshold = usual, threshold


def rows(sql: str, given: Mapping[str, Any] | Sequence[Any]) -> list[tuple[Any, ...]]:
    """Everything that a statement finds. For one that is written out and asked all day long."""
    with kept_statements(), connection.cursor() as cursor:
        cursor.execute(sql, given)
        return cursor.fetchall()


def touched(sql: str, given: Mapping[str, Any] | Sequence[Any]) -> int:
    """How many rows a statement wrote. For one that is written out and sent all day long."""
    with kept_statements(), connection.cursor() as cursor:
        cursor.execute(sql, given)
        return int(cursor.rowcount)


class Written(models.Model):
    """A table that is written all day long: the SQL of its rows' `save()` is put together once a process.

    Django's own way remains for whatever is computed by the database (an F, a Case), and for many rows at once.
    """

    class Meta:
        abstract = True

    def _do_insert(self, manager: Any, using: str, fields: Any, returning_fields: Any, raw: bool) -> Any:
        values = [field.pre_save(self, True) for field in fields]
        defaults = tuple(isinstance(value, DatabaseDefault) for value in values)
        if raw or any(_is_computed(value) for value in values if not isinstance(value, DatabaseDefault)):
            return super()._do_insert(manager, using, fields, returning_fields, raw)  # type: ignore[misc]
        given = [
            field.get_db_prep_save(value, connection)
            for field, value, default in zip(fields, values, defaults, strict=True)
            if not default
        ]
        sql = _insert(type(self), tuple(field.attname for field in fields), defaults)
        if returning_fields:
            return rows(sql, given)
        touched(sql, given)
        return []

    def _do_update(  # type: ignore[override]  # as in 5.2; the stubs know what came after it
        self, base_qs: Any, using: str, pk_val: Any, values: Any, *how: Any
    ) -> Any:
        if not values or any(_is_computed(value) for _field, _model, value in values):
            return super()._do_update(base_qs, using, pk_val, values, *how)
        sql = _update(type(self), tuple(field.attname for field, _model, _value in values))
        given = [field.get_db_prep_save(value, connection) for field, _model, value in values]
        return touched(sql, [*given, _table(type(self)).pk.get_db_prep_save(pk_val, connection)]) > 0


def _is_computed(value: Any) -> bool:
    return hasattr(value, "resolve_expression")


def _table(model: type[models.Model]) -> Any:
    return model._meta


@cache
def _insert(model: type[models.Model], columns: tuple[str, ...], defaults: tuple[bool, ...]) -> str:
    quote, meta = connection.ops.quote_name, _table(model)
    fields = [meta.get_field(name) for name in columns]
    places = [
        "DEFAULT" if default else _place(field) for field, default in zip(fields, defaults, strict=True)
    ]
    sql = f"INSERT INTO {quote(meta.db_table)} ({', '.join(quote(field.column) for field in fields)})"
    sql += f" VALUES ({', '.join(places)})"
    back = ", ".join(quote(field.column) for field in meta.db_returning_fields)
    return f"{sql} RETURNING {back}" if back else sql


@cache
def _update(model: type[models.Model], columns: tuple[str, ...]) -> str:
    quote, meta = connection.ops.quote_name, _table(model)
    fields = [meta.get_field(name) for name in columns]
    sets = ", ".join(f"{quote(field.column)} = {_place(field)}" for field in fields)
    return f"UPDATE {quote(meta.db_table)} SET {sets} WHERE {quote(meta.pk.column)} = %s"  # noqa: S608 - our columns


def _place(field: Any) -> str:
    """Where a value of this column stands."""
    if hasattr(field, "get_placeholder"):
        return str(field.get_placeholder(None, None, connection))
    return "%s"
