"""From what was uploaded to a clean file, or a sentence that says what to do instead. Stores nothing."""

from __future__ import annotations

import hashlib
import json
import subprocess
import sys
import unicodedata
from dataclasses import dataclass
from pathlib import Path, PurePosixPath

from django.conf import settings
from django.core.files.uploadedfile import UploadedFile
from django.utils.translation import gettext as _

from intake.attachments import scanner
from intake.attachments.uploads import TooLarge
from portal.people.policies import Refused

DECODER = Path(__file__).with_name("decoder.py")
SECONDS = 30
LONGEST_NAME = 80
ENDINGS = {"image/jpeg": ".jpg", "image/png": ".png", "application/pdf": ".pdf"}


class NotTaken(Refused):
    """A file that can't be taken; `code` says why, for the audit trail."""

    def __init__(self, code: str, sentence: str) -> None:
        super().__init__(sentence)
        self.code = code


@dataclass(frozen=True, slots=True)
class Clean:
    """A file that may be kept: made or looked through by us, with a name that is only ever shown."""

    name: str
    content_type: str
    data: bytes
    small: bytes | None

    @property
    def sha256(self) -> str:
        return hashlib.sha256(self.data).hexdigest()


def clean(file: UploadedFile) -> Clean:
    """The clean file of an upload. Raises NotTaken. Takes up to half a minute, so never inside a transaction."""
    most = most_bytes()
    if isinstance(file, TooLarge):
        raise not_taken("large")
    data = file.read(most + 1)
    if len(data) > most:
        raise not_taken("large")
    if not data:
        raise not_taken("empty")
    content_type, parts = decode(data)
    # The scanner gets what arrived: what was drawn anew holds nothing it could find.
    scan(data)
    return Clean(
        name=shown_name(file.name or "", content_type),
        content_type=content_type,
        data=parts[0],
        small=parts[1] if len(parts) > 1 else None,
    )


def most_bytes() -> int:
    return int(settings.ATTACHMENT_MOST_MB) * 1024 * 1024


def decode(data: bytes) -> tuple[str, list[bytes]]:
    """The type, and the clean bytes, from a process that may die of the file without harm."""
    try:
        done = subprocess.run(
            [sys.executable, "-I", "-B", str(DECODER), str(most_bytes())],
            input=data,
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
            timeout=SECONDS,
            env={"LC_ALL": "C.UTF-8"},  # no address of the database, no key
            cwd="/",
            check=False,
        )
    except subprocess.TimeoutExpired:
        raise not_taken("slow") from None
    head, _line, rest = done.stdout.partition(b"\n")
    if done.returncode != 0 or not head:
        raise not_taken("damaged")
    told = json.loads(head)
    if "refused" in told:
        raise not_taken(told["refused"])
    parts = []
    for size in told["sizes"]:
        parts.append(rest[:size])
        rest = rest[size:]
    return told["type"], parts


def scan(data: bytes) -> None:
    """Ask the virus scanner where one is set. Without its answer nothing is kept."""
    if not settings.PORTER_CLAMAV:
        return
    try:
        verdict = scanner.scan(data, settings.PORTER_CLAMAV)
    except scanner.Unavailable:
        raise not_taken("unscanned") from None
    if not verdict.clean:
        raise not_taken("virus")


def plain_name(name: str) -> str:
    """A file's name without its folders and without what can't be seen."""
    name = unicodedata.normalize("NFC", name.replace("\\", "/")).rpartition("/")[2]
    # Control characters, half characters, and marks that turn the direction of writing, as in “gpj.exe”.
    seen = "".join(" " if unicodedata.category(char)[0] in "CZ" else char for char in name)
    return " ".join(seen.split())[:LONGEST_NAME]


def shown_name(name: str, content_type: str) -> str:
    """The name as people see it, with the ending of what the file really is."""
    stem, ending = PurePosixPath(plain_name(name) or ".").stem, ENDINGS[content_type]
    stem = stem.strip(". ")[: LONGEST_NAME - len(ending)].strip() or _("File")
    return stem if stem.lower().endswith(ending) else stem + ending


def not_taken(code: str) -> NotTaken:
    return NotTaken(code, sentence(code))


def sentence(code: str) -> str:
    """Why a file isn't taken and what to do, in words for somebody who is not at ease with files."""
    again = _("Please take the photo again, or save the file again, and add it once more.")
    print_it = _("Please print it into a new PDF, or take a photo of each page.")
    told = {
        "empty": _("This file is empty.") + " " + again,
        "large": _("This file is too large. The most is %(size)d MB. A photo of it is usually smaller.")
        % {"size": settings.ATTACHMENT_MOST_MB},
        "many": _("There can be %(count)d files at most. Remove one to add another.")
        % {"count": settings.ATTACHMENT_MOST_FILES},
        "kind": _(
            "This is not a photo or a PDF, whatever its name says. You can add JPEG, PNG and WebP pictures and PDFs."
        ),
        "heic": _(
            "This photo is in the HEIC format, which can't be opened everywhere. On an iPhone: take a screenshot of "
            "the photo and add that, or choose Settings, Camera, Formats, Most Compatible, and take it again."
        ),
        "pixels": _(
            "This picture has too many pixels to open safely. Please add a smaller one, or a screenshot."
        ),
        "damaged": _("This file can't be opened; it may be damaged.") + " " + again,
        "slow": _("This file took too long to open.") + " " + print_it,
        "mixed": _("This file holds something else beside a PDF, so we can't take it.") + " " + print_it,
        "pdf-damaged": _("This PDF can't be opened; it may be damaged.") + " " + print_it,
        "pdf-locked": _("This PDF is locked with a password.") + " " + print_it,
        "pdf-active": _(
            "This PDF holds a program, a form that sends itself, or other files, so we can't take it."
        )
        + " "
        + print_it,
        "pdf-pages": _(
            "This PDF is too long: 100 pages are the most. Please add only the pages that matter."
        ),
        "unscanned": _(
            "Files can't be checked for viruses at the moment, so this one was not kept. Please try again in a few "
            "minutes, or send your request without it."
        ),
        "virus": _("The virus check found something in this file, so it was not kept. Please add another."),
        "cut": _("The file did not arrive completely. Please add it once more."),
    }
    return told.get(code, told["damaged"])
