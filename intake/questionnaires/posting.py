"""Taking in one page as the browser posts it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from contextlib import suppress
from typing import Any, Protocol

from django.utils.translation import gettext as _

from .items import Item, Page, Questionnaire
from .names import MOST_ROWS, resolve, split_part
from .problems import UnknownField
from .tree import Raw, row_counts

ADD, REMOVE, ASKED = "_add", "_remove", "_asked"
MOST_VALUES = 500


class Posted(Protocol):
    """What is needed of Django's QueryDict: the names, and every value of each."""

    def __iter__(self) -> Any: ...
    def getlist(self, key: str) -> list[Any]: ...


def accept(
    q: Questionnaire, post: Posted | Mapping[str, Sequence[str]], raw: Raw, page: Page | str | None
) -> dict[str, list[str]]:
    """The raw answers with one posted page merged in; `raw` itself is left as it is.

    Names of answers start with "i."; `_add`, `_remove` and `_asked` are understood; every other name is the caller's.
    Raises UnknownField for a name that no question on the page has, or that nobody may fill in. What was typed is kept
    as typed, even when it is an error, but for NUL bytes and half characters, which no database stores: those are
    marked, and the mark is an error.
    `page` None takes any question of the form.
    """
    page = q.page(page) if isinstance(page, str) else page
    merged = {name: list(values) for name, values in raw.items()}
    posted = {name: _values(post, name) for name in post}
    for name in posted.get(ASKED, ()):
        # A choice with nothing ticked posts nothing: this hidden field says that it was there.
        _item_for(q, name, page)
        merged[name] = []
    for name, values in posted.items():
        if name.startswith("i."):
            _item_for(q, name, page)
            merged[name] = [_storable(value) for value in values]
    for name in posted.get(ADD, ()):
        _add(q, merged, name, page)
    for name in posted.get(REMOVE, ()):
        _remove(q, merged, name, page)
    return merged


def still_known(
    q: Questionnaire, post: Posted | Mapping[str, Sequence[str]], raw: Raw, page: Page | str | None
) -> dict[str, list[str]]:
    """The raw answers with what is known of a page that `accept` refused: to show once more what was typed."""
    merged = {name: list(values) for name, values in raw.items()}
    for name in post:
        if name.startswith("i."):
            with suppress(UnknownField):
                merged = accept(q, {name: _values(post, name)}, merged, page)
    return merged


def _values(post: Any, name: str) -> list[str]:
    values = post.getlist(name) if hasattr(post, "getlist") else post[name]
    values = [values] if isinstance(values, str) else list(values)
    if len(values) > MOST_VALUES:
        raise UnknownField(_("There are too many answers to one question."))
    return [value if isinstance(value, str) else str(value) for value in values]


def _storable(text: str) -> str:
    return (
        text.replace("\0", "\ufffd").encode("utf-8", "replace").decode()
        if "\0" in text or not _encodes(text)
        else text
    )


def _encodes(text: str) -> bool:
    try:
        text.encode()
    except UnicodeEncodeError:
        return False
    return True


def _unknown() -> UnknownField:
    return UnknownField(_("This page has changed since you opened it. Please go back and try again."))


def _item_for(q: Questionnaire, name: str, page: Page | None) -> Item:
    found = resolve(q, name)
    if found is None:
        raise _unknown()
    item, _rows, part = found
    if page is not None and item.link_id not in page.link_ids:
        raise _unknown()
    if part == "n":
        if not item.has_rows:
            raise _unknown()
    elif not item.writable or not _has_part(item, part):
        raise _unknown()
    return item


def _has_part(item: Item, part: str) -> bool:
    return part == "" or part == {
        "quantity": "unit",
        "dateTime": "time",
        "open-choice": "other",
        "attachment": "file",
    }.get(item.kind)


def _add(q: Questionnaire, merged: dict[str, list[str]], name: str, page: Page | None) -> None:
    item = _row_item(q, name, page)
    if item.has_rows:
        count = row_counts(merged).get(name, 1 if item.asks else 0)
        if count < min(item.limits.max_occurs or MOST_ROWS, MOST_ROWS):
            merged[f"{name}:n"] = [str(count + 1)]
    else:
        values = merged.setdefault(name, [])
        if len(values) < min(item.limits.max_occurs or MOST_ROWS, MOST_ROWS):
            # An empty line was already there when nothing was typed yet.
            merged[name] = [*(values or [""]), ""]


def place_of(post: Any, raw: Mapping[str, list[str]]) -> str:
    """The id of the row that a taken-in post added, or of the list it took one from; "" where it did neither."""
    added = post.get(ADD, "")
    if f"{added}:n" in raw:
        return f"{added}.{row_counts(raw).get(added, 1) - 1}"
    if added:
        return f"{added}-{len(raw.get(added, ())) - 1}"
    return str(post.get(REMOVE, "")).rpartition(".")[0]


def _row_item(q: Questionnaire, name: str, page: Page | None) -> Item:
    """The item that `name` (without its row) stands for: a repeated one, or one with files to take back."""
    found = resolve(q, name + (":n" if resolve(q, name) is None else ""))
    if found is None or not (found[0].repeats or found[0].kind == "attachment") or split_part(name)[1]:
        raise _unknown()
    item = found[0]
    if (page is not None and item.link_id not in page.link_ids) or (item.asks and not item.writable):
        raise _unknown()
    return item


def _remove(q: Questionnaire, merged: dict[str, list[str]], name: str, page: Page | None) -> None:
    base, _dot, row_text = name.rpartition(".")
    if not row_text.isdecimal() or len(row_text) > 3:
        raise _unknown()
    item, row = _row_item(q, base, page), int(row_text)
    if not item.has_rows:
        for part in ("", ":unit", ":time"):
            values = merged.get(base + part)
            if values is not None and row < len(values):
                del values[row]
        merged.setdefault(base, [])
        return
    count = row_counts(merged).get(base, 1)
    if row >= count:
        return
    kept: dict[str, list[str]] = {}
    for key, values in merged.items():
        moved: str | None = key
        if key.startswith(base + "."):
            head, mark, tail = _split_row(key, base)
            if head == row:
                moved = None
            elif head is not None and head > row:
                moved = f"{base}.{head - 1}{mark}{tail}"
        if moved is not None:
            kept[moved] = values
    merged.clear()
    merged.update(kept)
    merged[f"{base}:n"] = [str(count - 1)]


def _split_row(key: str, base: str) -> tuple[int | None, str, str]:
    """Row, mark and rest: under "i.g", "i.g.2.c:unit" gives (2, ".", "c:unit"), "i.g.2:unit" gives (2, ":", "unit")."""
    rest = key[len(base) + 1 :]
    digits = len(rest) - len(rest.lstrip("0123456789"))
    mark = rest[digits : digits + 1]
    if not digits or mark not in ("", ".", ":"):
        return None, "", ""
    return int(rest[:digits]), mark, rest[digits + 1 :]
