"""Charts from files: a FHIR R4 bulk export, one resource a line."""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from django.db import transaction
from django.utils.translation import gettext as _

from portal.people.models import Patient, User
from portal.people.policies import Refused
from portal.records.actions import keep_chart
from portal.records.fhir import KINDS, Entry, entry_of, subject_of


@dataclass
class Imported:
    """What an import did: whose charts were written, with how many lines, and how many resources had no patient
    here."""

    patients: int = 0
    entries: int = 0
    strangers: int = 0
    other: set[str] = field(default_factory=set)


@transaction.atomic
def import_charts(paths: Iterable[Path], *, source: str, by: User | None) -> Imported:
    """Read every file, then keep one chart a patient. A line that can't be read stops it all; nothing is kept then.

    A patient is found by record number: in the reference or identifier of a resource, or through a Patient resource
    in one of the files whose identifiers hold the number.
    """
    done = Imported()
    kinds: set[str] = set()
    also: dict[str, list[str]] = {}
    found: list[tuple[Entry | None, list[str]]] = []
    for path in paths:
        for resource in _resources(path):
            kind = resource.get("resourceType")
            if kind == "Patient":
                also[str(resource.get("id"))] = _identifiers(resource)
            elif kind in KINDS:
                kinds.add(KINDS[kind])
                found.append((entry_of(resource), subject_of(resource)))
            else:
                done.other.add(str(kind))
    numbers = {name for _line, names in found for name in names}
    numbers |= {number for known in also.values() for number in known}
    rows = {row.record_number: row for row in Patient.objects.filter(record_number__in=numbers)}
    charts: dict[Patient, list[Entry]] = {}
    for known in also.values():
        # Whom the export names has a chart even where it holds nothing: none recorded is worth knowing.
        for number in known:
            if number in rows:
                charts.setdefault(rows[number], [])
    for entry, names in found:
        every = [*names, *(number for name in names for number in also.get(name, []))]
        row = next((rows[name] for name in every if name in rows), None)
        if row is None:
            done.strangers += 1
        else:
            charts.setdefault(row, []).extend([entry] if entry else [])
    for patient, entries in charts.items():
        lines = _once(entries)
        keep_chart(patient=patient, source=source, kinds=kinds, entries=lines, by=by)
        done.patients += 1
        done.entries += len(lines)
    return done


def _resources(path: Path) -> Iterator[dict[str, Any]]:
    try:
        with path.open(encoding="utf-8-sig") as lines:
            for number, line in enumerate(lines, 1):
                if not line.strip():
                    continue
                try:
                    resource = json.loads(line)
                except (ValueError, RecursionError):
                    resource = None
                if not isinstance(resource, dict):
                    raise Refused(
                        _("%(file)s, line %(line)d is no JSON object; nothing was imported.")
                        % {"file": path.name, "line": number}
                    )
                yield resource
    except (OSError, UnicodeDecodeError):
        raise Refused(
            _("%(file)s can't be read as a text file; nothing was imported.") % {"file": path.name}
        ) from None


def _identifiers(resource: dict[str, Any]) -> list[str]:
    rows = resource.get("identifier")
    values = [row.get("value") for row in rows if isinstance(row, dict)] if isinstance(rows, list) else []
    return [value for value in values if isinstance(value, str)]


def _once(entries: list[Entry]) -> list[Entry]:
    """Each thing once, as it was last written: a medicine is prescribed anew every year. Visits stay apart."""
    found: dict[tuple[str, str, str], Entry] = {}
    for entry in sorted(entries, key=lambda entry: str(entry.since or "")):
        dated = str(entry.since) if entry.kind in ("visit", "vaccine") else ""
        found[entry.kind, entry.text.lower(), dated] = entry
    return sorted(found.values(), key=lambda entry: str(entry.since or ""), reverse=True)
