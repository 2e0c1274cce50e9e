"""Joins a draft's files to the questions of its form.

The table of attachments says which file answers which question. The ids among the raw answers follow it and are
never believed when a browser posts them: a page left open in another tab would take back what was added since.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, cast
from uuid import UUID

from django.conf import settings
from django.core.files.uploadedfile import UploadedFile
from django.db.models import QuerySet
from django.http import HttpRequest
from django.utils.datastructures import MultiValueDict
from django.utils.translation import gettext as _

from intake.attachments import actions, uploads
from intake.attachments.cleaning import Clean, NotTaken, clean, most_bytes, not_taken, plain_name, sentence
from intake.attachments.models import Attachment
from intake.models import Draft
from intake.questionnaires import Page, Questionnaire, State, UnknownField, accept
from intake.questionnaires.names import resolve
from portal.people.models import Patient, User
from portal.people.policies import Refused
from portal.people.prepared import Prepared

NOT_TAKEN = "files-not-taken"


@dataclass(frozen=True, slots=True)
class Problem:
    """A file that was not taken: the field it was added to, and a sentence that names it."""

    field: str
    sentence: str


def asks_for_files(form: Questionnaire) -> bool:
    known = form.__dict__.get("_asks_for_files")
    if known is None:
        known = any(item.kind == "attachment" for item in form.by_link_id.values())
        form.__dict__["_asks_for_files"] = known
    return bool(known)


def files_of(draft: Draft, form: Questionnaire) -> list[Attachment]:
    """The draft's files in the order they came; no look at the database for a form that asks for none."""
    return _of_draft(draft=draft.pk) if asks_for_files(form) else []


@Prepared
def _of_draft(draft: UUID) -> QuerySet[Attachment]:
    return Attachment.objects.filter(draft=draft)


def with_files(
    raw: Mapping[str, Any], form: Questionnaire, files: Sequence[Attachment]
) -> dict[str, list[str]]:
    """The raw answers with the ids of the draft's files where their questions are, and no others."""
    if not asks_for_files(form):
        return dict(raw)
    merged = {name: values for name, values in raw.items() if not _is_file_field(form, name)}
    for file in files:
        merged.setdefault(file.field, []).append(str(file.pk))
    return merged


def known(files: Sequence[Attachment]) -> dict[str, dict[str, Any]]:
    """What answers and the FHIR document tell of each file."""
    return {
        str(file.pk): {
            "contentType": file.content_type,
            "url": f"urn:uuid:{file.pk}",
            "size": file.size,
            "title": file.name,
            "creation": file.uploaded_at.isoformat(),
        }
        for file in files
    }


def answered(state: State) -> dict[str, list[list[dict[str, Any]]]]:
    """By linkId the files that answer it, as lines keep them (id, name, whether there is a small picture of it), for
    each time the question is asked."""
    found: dict[str, list[list[dict[str, Any]]]] = {}
    for item in state.q.by_link_id.values() if asks_for_files(state.q) else ():
        if item.kind == "attachment":
            found[item.link_id] = [
                [
                    {
                        "id": str(answer.value["url"]).removeprefix("urn:uuid:"),
                        "name": answer.text,
                        "is_image": answer.value["contentType"] != Attachment.Type.PDF,
                    }
                    for answer in node.given
                ]
                for node in state.nodes(item)
                if node.given
            ]
    return found


def ids(state: State) -> list[UUID]:
    """The files that would be sent: those of questions that are asked."""
    return [UUID(file["id"]) for nodes in answered(state).values() for files in nodes for file in files]


def lines(state: State) -> list[dict[str, Any]]:
    """The readable lines of the answers; that of a question for files has them in `attachments`."""
    left = answered(state)
    told: list[dict[str, Any]] = []
    for line in state.summary():
        nodes = left.get(line["link_id"])
        told.append({**line, "attachments": nodes.pop(0)} if nodes else line)
    return told


def receive(
    *,
    draft: Draft,
    form: Questionnaire,
    post: Any,
    files: MultiValueDict[str, UploadedFile],
    page: Page,
    by: User,
) -> tuple[dict[str, list[str]], list[Problem]]:
    """Take in one page as the browser posted it: the raw answers with it, and what is wrong with the files.

    Files are kept at once, each on its own, so one that is refused takes nothing from the others. Raises UnknownField
    as `accept` does; then nothing was kept.
    """
    if not asks_for_files(form):
        return accept(form, post, draft.raw, page), []
    _check_fields(files, form, page)
    there = files_of(draft, form)
    back = _taken_back(post, form, there)
    posted = _without_files(post, form)
    raw = accept(form, posted, with_files(draft.raw, form, there), page)
    problems: list[Problem] = []
    if files:
        problems = _take(draft=draft, files=files, form=form, by=by)
        there = files_of(draft, form)
        raw = accept(form, posted, with_files(draft.raw, form, there), page)
    # Rows that moved take their files along, rows that were removed lose them.
    now_in = {value: name for name, values in raw.items() if _is_file_field(form, name) for value in values}
    actions.settle_draft(
        draft=draft,
        fields={
            file.pk: now_in[str(file.pk)]
            for file in there
            if now_in.get(str(file.pk), file.field) != file.field
        },
        gone=[
            file.pk
            for file in there
            if file.pk in back or (_is_file_field(form, file.field) and str(file.pk) not in now_in)
        ],
        by=by,
    )
    return raw, problems


def limits() -> dict[str, Any]:
    """What a page tells the browser, so that a file too large is not even sent."""
    return {"bytes": most_bytes(), "too_large": sentence("large")}


def still_wrong(request: HttpRequest, draft: Draft, wrong: list[Problem]) -> list[Problem]:
    """What a fragment says of files that were not taken: the page saves itself after each key, and a sentence that
    the next save wiped away would hardly be read. It stays until another file is added or the page is left."""
    if wrong or request.FILES:
        request.session[NOT_TAKEN] = [str(draft.pk), [[each.field, each.sentence] for each in wrong]]
        return wrong
    of, told = request.session.get(NOT_TAKEN, ["", []])
    return [Problem(field, said) for field, said in told] if of == str(draft.pk) else []


def stopped(request: HttpRequest) -> list[Problem]:
    """What to say of an upload that was stopped while it arrived."""
    code = uploads.stopped(request)
    return [Problem("", sentence(code))] if code else []


def _without_files(post: Any, form: Questionnaire) -> dict[str, list[str]]:
    """A posted page without what it says of files: the table knows better."""
    posted = {name: list(post.getlist(name)) for name in post if not _is_file_field(form, name)}
    for name in ("_asked", "_remove"):
        values = posted.pop(name, [])
        fields = [value if name == "_asked" else value.rpartition(".")[0] for value in values]
        kept = [value for value, field in zip(values, fields, strict=True) if not _is_file_field(form, field)]
        if kept:
            posted[name] = kept
    return posted


def _taken_back(post: Any, form: Questionnaire, files: Sequence[Attachment]) -> set[UUID]:
    """The files whose remove button was pressed. The button names a place in the list; the page beside it says which
    file was there when it was shown, and that one is meant, wherever it is now."""
    there = {(file.field, str(file.pk)): file.pk for file in files}
    found = set()
    for name in post.getlist("_remove"):
        field, _dot, place = name.rpartition(".")
        if _is_file_field(form, field) and place.isdecimal() and len(place) < 4:
            shown = post.getlist(field)
            if int(place) < len(shown) and (field, shown[int(place)]) in there:
                found.add(there[field, shown[int(place)]])
    return found


def _check_fields(files: MultiValueDict[str, UploadedFile], form: Questionnaire, page: Page) -> None:
    """Raises UnknownField for a file that no question on the page asks for."""
    for name in files:
        found = resolve(form, name)
        if (
            found is None
            or found[2] != "file"
            or found[0].kind != "attachment"
            or not found[0].writable
            or found[0].link_id not in page.link_ids
        ):
            raise UnknownField(_("This page has changed since you opened it. Please go back and try again."))


def _take(
    *, draft: Draft, files: MultiValueDict[str, UploadedFile], form: Questionnaire, by: User
) -> list[Problem]:
    problems = []
    for name in files:
        found = resolve(form, name)
        field = name.removesuffix(":file")
        for file in files.getlist(name):
            try:
                actions.add_to_draft(
                    draft=draft,
                    field=field,
                    file=clean(file),
                    several=found is not None and found[0].many,
                    by=by,
                )
            except NotTaken as problem:
                actions.note_refusal(problem=problem, patient=draft.patient, by=by)
                problems.append(Problem(field, told(file, problem)))
            except Refused as refused:
                problems.append(Problem(field, str(refused)))
    return problems


def of_message(request: HttpRequest, patient: Patient) -> list[Clean]:
    """The clean files that came with a message. One that can't be taken stops the message: its words are about it."""
    arrived = [file for file in request.FILES.getlist("file") if isinstance(file, UploadedFile)]
    code = uploads.stopped(request) or ("many" if len(arrived) > settings.ATTACHMENT_MOST_FILES else "")
    try:
        if code:
            raise not_taken(code)
        return [_named(file) for file in arrived]
    except NotTaken as problem:
        actions.note_refusal(problem=problem, patient=patient, by=cast(User, request.user))
        raise


def _named(file: UploadedFile) -> Clean:
    try:
        return clean(file)
    except NotTaken as problem:
        raise NotTaken(problem.code, told(file, problem)) from None


def told(file: UploadedFile, problem: Refused) -> str:
    """The sentence with the name before it, so that one of several files is told from the others."""
    name = plain_name(file.name or "")
    return f"{name}: {problem}" if name else str(problem)


def _is_file_field(form: Questionnaire, name: str) -> bool:
    if not name.startswith("i."):
        return False
    found = resolve(form, name)
    return found is not None and found[0].kind == "attachment" and found[2] in ("", "file")
