"""Questionnaires from files into Porter, whole or not at all."""

from __future__ import annotations

import json
import re
from argparse import ArgumentParser
from pathlib import Path
from typing import Any

from django.core.management.base import BaseCommand, CommandError
from django.db import transaction

from intake import actions
from intake.models import Questionnaire
from intake.questionnaires import Questionnaire as Form
from intake.questionnaires import QuestionnaireError, export, inspect, inspect_value_sets
from portal.people.policies import Refused


class Command(BaseCommand):
    help = (
        "Makes FHIR R4 Questionnaires live, each under its code. A file that can't be used whole is refused."
    )

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("files", nargs="+", metavar="FILE")
        parser.add_argument(
            "--value-set",
            dest="value_sets",
            action="append",
            default=[],
            metavar="FILE",
            help="a ValueSet or CodeSystem, or a Bundle of them, that the forms refer to; may be given again",
        )
        parser.add_argument("--dry-run", action="store_true", help="only say what would happen")
        parser.add_argument("--json", action="store_true", help="one JSON object a file")

    def handle(self, *args: Any, **options: Any) -> None:
        self.value_sets = [one for name in options["value_sets"] for one in _sets(Path(name))]
        results = [self._take(Path(name), store=not options["dry_run"]) for name in options["files"]]
        for result in results:
            self.stdout.write(json.dumps(result, ensure_ascii=False) if options["json"] else _told(result))
        refused = sum(not result["ok"] for result in results)
        if refused:
            raise CommandError(f"{refused} of {len(results)} files were refused.", returncode=1)

    def _take(self, path: Path, *, store: bool) -> dict[str, Any]:
        """{"file", "ok", "items", "unsupported": [{"path", "feature"}], "error"}, whatever the file holds."""
        result: dict[str, Any] = {
            "file": str(path),
            "ok": False,
            "items": 0,
            "unsupported": [],
            "error": None,
        }
        try:
            with path.open("rb") as file:
                form = inspect(file.read(MOST_READ), value_sets=self.value_sets)
        except OSError as error:
            return result | {"error": f"The file can't be read: {error.strerror}."}
        except QuestionnaireError as refused:
            problems = [{"path": problem.path, "feature": problem.feature} for problem in refused.problems]
            return result | {"unsupported": problems, "error": str(refused)}
        result |= {"ok": True, "items": sum(1 for _item in form.walk())}
        result["unsupported"] = [{"path": each.path, "feature": each.feature} for each in form.warnings]
        if store:
            try:
                _store(form, self.value_sets)
            except Refused as refused:
                return result | {"ok": False, "error": str(refused)}
        return result


MOST_READ = 50_000_000  # beyond this nothing more is looked at; the questionnaire's own limit is far lower


@transaction.atomic
def _store(form: Form, value_sets: list[dict[str, Any]]) -> None:
    resource = export(form)
    code = _code(resource)
    questionnaire, _created = Questionnaire.objects.get_or_create(
        code=code, defaults={"title": (form.title or code)[:120]}
    )
    live = questionnaire.live
    if live is None or (live.resource, live.value_sets) != (resource, value_sets):
        actions.publish_version(
            questionnaire=questionnaire, resource=resource, value_sets=value_sets, by=None
        )


def _sets(path: Path) -> list[dict[str, Any]]:
    try:
        with path.open("rb") as file:
            return inspect_value_sets(file.read(MOST_READ))
    except OSError as error:
        raise CommandError(f"{path} can't be read: {error.strerror}.") from None
    except QuestionnaireError as refused:
        raise CommandError(f"{path}: {refused}") from None


def _code(resource: dict[str, Any]) -> str:
    """The code by which rules name the form: from its name, the end of its address, its id or its title."""
    url = str(resource.get("url") or "").rstrip("/").rpartition("/")[2]
    for candidate in (resource.get("name"), url, resource.get("id"), resource.get("title")):
        code = re.sub(r"[^a-z0-9]+", "-", str(candidate or "").lower()).strip("-")[:60].strip("-")
        if code:
            return code
    return "questionnaire"


def _told(result: dict[str, Any]) -> str:
    if not result["ok"]:
        return f"{result['file']}: refused. {result['error']}"
    left = "".join(f"\n  {each['path']}: {each['feature']}" for each in result["unsupported"])
    return f"{result['file']}: {result['items']} items." + (
        f" Carried along or set aside:{left}" if left else ""
    )
