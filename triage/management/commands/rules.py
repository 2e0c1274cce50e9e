"""Rules and promises as a YAML file: `rules export` writes a version of them, `rules import` makes it the draft."""

from __future__ import annotations

import sys
from argparse import ArgumentParser
from pathlib import Path
from typing import Any

from django.core.management.base import BaseCommand, CommandError

from portal.people.models import User
from portal.people.policies import Refused
from triage import actions, engine, proving, rules_yaml
from triage.models import Ruleset
from triage.promises import read_promises


class Command(BaseCommand):
    help = "Write a version of the rules and its promises to a YAML file, or make such a file the draft."

    def add_arguments(self, parser: ArgumentParser) -> None:
        verbs = parser.add_subparsers(dest="verb", required=True)
        export = verbs.add_parser("export", help="write the published rules, or the draft, to a file")
        which = export.add_mutually_exclusive_group()
        which.add_argument("--draft", action="store_true", help="the draft instead of the published version")
        which.add_argument("--number", type=int, help="the version of this number")
        export.add_argument("file", help="the file to write, or - for standard output")
        load = verbs.add_parser("import", help="make the rules of a file the draft; it decides nothing yet")
        load.add_argument("--draft", action="store_true", help="replace what a draft that is there has")
        load.add_argument("--by", help="the mail address of who does it, for the record")
        load.add_argument("file", help="the file to read, or - for standard input")

    def handle(self, *args: Any, **options: Any) -> None:
        if options["verb"] == "export":
            self.export(options)
        else:
            self.load(options)

    def export(self, options: dict[str, Any]) -> None:
        ruleset = found(options["number"], draft=options["draft"])
        try:
            rules = actions.compile_rows(ruleset, list(ruleset.rules.all()))
            text = rules_yaml.dump(rules, read_promises(proving.own_promises(ruleset)))
        except engine.RulesetError as error:
            raise CommandError("\n".join(str(problem) for problem in error.problems)) from error
        if options["file"] == "-":
            self.stdout.write(text, ending="")
        else:
            Path(options["file"]).write_text(text, encoding="utf-8")

    def load(self, options: dict[str, Any]) -> None:
        by = User.objects.filter(email__iexact=options["by"]).first() if options["by"] else None
        if options["by"] and by is None:
            raise CommandError(f"Nobody has the mail address {options['by']}.")
        if not options["draft"] and Ruleset.objects.filter(status=Ruleset.Status.DRAFT).exists():
            raise CommandError("There is a draft already; --draft replaces what it has.")
        try:
            draft = actions.import_draft(text=read(options["file"]), by=by)
        except Refused as refused:
            raise CommandError(str(refused)) from refused
        self.stdout.write(
            f"Ruleset {draft.number} is a draft of {draft.rules.count()} rules. Prove it, then publish it."
        )


def found(number: int | None, *, draft: bool) -> Ruleset:
    """The version that was asked for: of this number, the draft, or the published one."""
    if number is not None:
        row = Ruleset.objects.filter(number=number).first()
        what = f"ruleset {number}"
    elif draft:
        row, what = Ruleset.objects.filter(status=Ruleset.Status.DRAFT).first(), "draft"
    else:
        row, what = Ruleset.objects.published().first(), "published ruleset"
    if row is None:
        raise CommandError(f"There is no {what}.")
    return row


def read(name: str) -> str:
    try:
        return sys.stdin.read() if name == "-" else Path(name).read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError) as error:
        raise CommandError(f"{name} can't be read: {error}") from error
