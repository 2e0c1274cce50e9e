"""Statements that are the same all day long: put together once a process, and planned once a connection.

Django writes the SQL of a statement anew each time it is sent, and PostgreSQL plans it anew. For what every action
does (add a row, change a few of its columns) both take longer than the statement itself.
"""

from __future__ import annotations

from collections.abc import Generator, Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager
from contextvars import ContextVar
from datetime import datetime
from functools import cache
from typing import Any

from django.contrib.postgres.fields import ArrayField
from django.db import connection, connections, models, router, transaction
from django.db.backends.postgresql.base import ServerBindingCursor
from django.db.models.expressions import DatabaseDefault
from django.db.models.signals import post_save, pre_save

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
    if raw.cursor_factory is _Keeping:
        yield
        return
    raw.prepared_max = MOST
    usual, threshold = raw.cursor_factory, raw.prepare_threshold
    raw.cursor_factory, raw.prepare_threshold = _Keeping, 0  # Django's own statements are never kept
    try:
        yield
    finally:
        raw.cursor_factory, raw.prepare_threshold = usual, threshold


def rows(sql: str, given: Mapping[str, Any] | Sequence[Any]) -> list[tuple[Any, ...]]:
    """Everything that a statement finds. For one that is written out and asked all day long."""
    if _together.get() is not None:
        return found((sql, given))[0]
    with kept_statements(), connection.cursor() as cursor:
        cursor.execute(sql, given)
        return cursor.fetchall()


def touched(sql: str, given: Mapping[str, Any] | Sequence[Any]) -> int:
    """How many rows a statement wrote. For one that is written out and sent all day long."""
    with kept_statements(), connection.cursor() as cursor:
        cursor.execute(sql, given)
        return int(cursor.rowcount)


Question = tuple[str, Mapping[str, Any] | Sequence[Any]]


def found(*questions: Question) -> list[list[tuple[Any, ...]]]:
    """What each of several statements finds, asked in their order and in one journey to the server. What waits to go
    `together` goes with them, before them."""
    waiting = _together.get()
    return _journey(waiting.taken() if waiting is not None else [], questions)


def _journey(first: Sequence[Question], questions: Sequence[Question]) -> list[list[tuple[Any, ...]]]:
    """Sends the `first`, whose outcome nobody asks, and the questions. Raises what the database says of the first one
    that it refuses."""
    with kept_statements(), connection.wrap_database_errors, ExitStack() as cursors:
        # Cursors stay open until the answers are there.
        asked = [cursors.enter_context(connection.cursor()) for _question in questions]
        on_way = list(zip(asked, questions, strict=True))
        if first:
            sender = cursors.enter_context(connection.cursor())
            on_way[:0] = [(sender, each) for each in first]
        with connection.connection.pipeline() as pipeline, _held(pipeline):
            for cursor, (sql, given) in on_way:
                cursor.execute(sql, given)
        return [cursor.fetchall() for cursor in asked]


def as_one(*questions: Question) -> Question:
    """Several questions for one value each, whose values are given by position, as one for a row of these values."""
    values = [value for _sql, given in questions for value in given]
    return "SELECT " + ", ".join(f"({sql})" for sql, _given in questions), values


@contextmanager
def _held(pipeline: Any) -> Iterator[None]:
    """Statements of this pipeline go out at its end. psycopg sends each by itself and looks for answers in between;
    libpq's own buffer, which is made for this, keeps them for one journey."""

    def keep() -> Generator[None, None, None]:
        while pipeline.command_queue:
            pipeline.command_queue.popleft()()
        yield from ()

    pipeline._communicate_gen = keep
    try:
        yield
    finally:
        del pipeline._communicate_gen


class Together:
    """Statements that wait for one journey to the server, and the keys of the rows that they add."""

    def __init__(self) -> None:
        self._waiting: list[Question] = []
        self._keys: dict[type[models.Model], list[int]] = {}

    def draw(self, keyed: Sequence[type[models.Model]], drawn: Sequence[int] | None) -> None:
        """Get the keys of rows that are to come; `drawn`, they are known already."""
        if not keyed:
            return
        for model, value in zip(keyed, drawn or rows(*drawing(*keyed))[0][0], strict=True):
            self._keys.setdefault(model, []).append(value)

    def key(self, model: type[models.Model]) -> int | None:
        """The next key for a row of this table; None where the database should give it and nobody asks for it."""
        drawn = self._keys.get(model)
        return drawn.pop(0) if drawn else None

    def add(self, sql: str, given: Sequence[Any]) -> None:
        self._waiting.append((sql, given))

    def taken(self) -> list[Question]:
        """What waits, in its order, for who sends it now."""
        waiting, self._waiting = self._waiting, []
        return waiting

    def go(self) -> None:
        """Send what waits. Raises what the database says of the first that it refuses."""
        if self._waiting:
            _journey(self.taken(), ())

    def before(self, execute: Any, *told: Any) -> Any:
        """Another statement comes: it should find what waits."""
        self.go()
        return execute(*told)


def drawing(*keyed: type[models.Model]) -> Question:
    """The question for the keys of rows that are to come, one of each of these tables, in one array."""
    drawn = (f"nextval('{_sequence(model)}'::regclass)" for model in keyed)
    return f"SELECT ARRAY[{', '.join(drawn)}]", []


@cache
def _sequence(model: type[models.Model]) -> str:
    """The name of what gives a table's keys. Looking for it takes the server longer than a key."""
    ((name,),) = rows("SELECT pg_get_serial_sequence(%s, 'id')", [_table(model).db_table])
    return str(name)


_together: ContextVar[Together | None] = ContextVar("porter_together", default=None)


@contextmanager
def together(*keyed: type[models.Model], drawn: Sequence[int] | None = None) -> Iterator[None]:
    """What is saved inside of this goes to the server in one journey: at its end, or as soon as anything else
    is asked. Around the last part of an action, inside its transaction. One inside of another is part of that.

    Only rows of the tables that are `keyed` (named once for each row that is to come) know their key before, `drawn` by
    whoever asked something anyway; of others nobody may ask for it. What the database refuses it may refuse at the end.
    A row that is changed inside of this has to be locked before: nobody is told whether it was there.
    """
    outer = _together.get()
    if outer is not None:
        outer.draw(keyed, drawn)
        yield
        return
    mine = Together()
    mine.draw(keyed, drawn)
    token = _together.set(mine)
    try:
        with connection.execute_wrapper(mine.before):
            yield
    finally:
        _together.reset(token)
    mine.go()


def sent(sql: str, given: Sequence[Any]) -> None:
    """Send a statement of whose outcome nobody asks. It joins what goes `together`."""
    waiting = _together.get()
    if waiting is None:
        touched(sql, given)
    else:
        waiting.add(sql, given)


def add_all(added: Sequence[models.Model]) -> None:
    """Write many new rows of one table, in their order. They don't learn their keys."""
    meta = _table(type(added[0]))
    fields = [field for field in meta.concrete_fields if not field.primary_key]
    given = [[field.pre_save(row, True) for field in fields] for row in added]
    # What the database fills in by itself it fills in for all of them.
    kept = [number for number, value in enumerate(given[0]) if not isinstance(value, DatabaseDefault)]
    columns = ", ".join(connection.ops.quote_name(fields[number].column) for number in kept)
    sql = f"COPY {connection.ops.quote_name(meta.db_table)} ({columns}) FROM STDIN"
    there = connections[connection.alias]
    with there.cursor() as cursor, cursor.copy(sql) as copy:
        for row in given:
            copy.write_row([fields[number].get_db_prep_save(row[number], there) for number in kept])


class Written(models.Model):
    """A table that is written all day long: the SQL of its rows' `save()` is put together once a process.

    Django's own way remains for whatever is computed by the database (an F, a Case), and for many rows at once.
    """

    class Meta:
        abstract = True

    def save(self, *args: Any, **how: Any) -> None:
        """Django's own, without its way round for a row that is new and whose key the database gives."""
        own_key = self.pk is not None or _table(type(self)).auto_field is None
        new = self._state.adding and not own_key and not args and how.keys() <= {"force_insert", "using"}
        if not new or pre_save.has_listeners(type(self)) or post_save.has_listeners(type(self)):
            super().save(*args, **how)
            return
        self._prepare_related_fields_for_save(operation_name="save")  # type: ignore[attr-defined]
        using = how.get("using") or router.db_for_write(type(self), instance=self)
        with transaction.mark_for_rollback_on_error(using=using):
            meta = _table(type(self))
            told = self._do_insert(
                meta.base_manager, using, _new_fields(type(self)), meta.db_returning_fields, False
            )
        for value, field in zip(told[0] if told else (), meta.db_returning_fields, strict=bool(told)):
            setattr(self, field.attname, value)
        self._state.db, self._state.adding = using, False

    def _do_insert(self, manager: Any, using: str, fields: Any, returning_fields: Any, raw: bool) -> Any:
        waiting = _together.get()
        if waiting is not None and self.pk is None and (key := waiting.key(type(self))) is not None:
            self.pk, fields = key, (_table(type(self)).pk, *fields)
        # Itself, and not its proxy, which is asked anew for each column and each value of an array.
        there = connections[using]
        values = [field.pre_save(self, True) for field in fields]
        defaults = tuple(isinstance(value, DatabaseDefault) for value in values)
        if raw or any(_is_computed(value) for value in values if not isinstance(value, DatabaseDefault)):
            return super()._do_insert(manager, using, fields, returning_fields, raw)  # type: ignore[misc]
        given = [
            _prepared(field, value, there)
            for field, value, default in zip(fields, values, defaults, strict=True)
            if not default
        ]
        sql, back = _insert(type(self), tuple(field.attname for field in fields), defaults)
        if waiting is not None:
            waiting.add(sql, given)
            return []
        sql += back
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
        there = connections[using]
        given = [_prepared(field, value, there) for field, _model, value in values]
        given.append(_table(type(self)).pk.get_db_prep_save(pk_val, there))
        waiting = _together.get()
        if waiting is not None:
            waiting.add(sql, given)
            return True
        return touched(sql, given) > 0


# Values that go to the server as they are, by the kind of the column: Django asks four functions a value for that.
# Numbers are not among them. Their type has to be the column's and not the value's, or a statement is planned for each.
PLAIN: dict[type[models.Field[Any, Any]], type] = {
    models.CharField: str,
    models.TextField: str,
    models.BooleanField: bool,
}


def _prepared(field: Any, value: Any, there: Any) -> Any:
    """A value as the server gets it."""
    if type(field) is models.DateTimeField and type(value) is datetime and value.tzinfo is not None:
        return value
    if type(value) is PLAIN.get(type(field)) or (value is None and not isinstance(field, models.JSONField)):
        return value
    if type(field) is ArrayField and type(field.base_field) is models.BigIntegerField and type(value) is list:
        # In PostgreSQL's own words, which the column's place turns into an array: psycopg looks at each number twice.
        return "{" + ",".join([str(int(each)) for each in value]) + "}"
    return field.get_db_prep_save(value, there)


@cache
def _new_fields(model: type[models.Model]) -> tuple[Any, ...]:
    return tuple(
        field for field in _table(model).local_concrete_fields if not (field.primary_key or field.generated)
    )


def _is_computed(value: Any) -> bool:
    return hasattr(value, "resolve_expression")


def _table(model: type[models.Model]) -> Any:
    return model._meta


@cache
def _insert(
    model: type[models.Model], columns: tuple[str, ...], defaults: tuple[bool, ...]
) -> tuple[str, str]:
    """The statement for a new row, and what asks at its end for the columns that the database fills in."""
    quote, meta = connection.ops.quote_name, _table(model)
    fields = [meta.get_field(name) for name in columns]
    places = [
        "DEFAULT" if default else _place(field) for field, default in zip(fields, defaults, strict=True)
    ]
    sql = f"INSERT INTO {quote(meta.db_table)} ({', '.join(quote(field.column) for field in fields)})"
    sql += f" VALUES ({', '.join(places)})"
    back = ", ".join(quote(field.column) for field in meta.db_returning_fields)
    return sql, f" RETURNING {back}" if back else ""


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
