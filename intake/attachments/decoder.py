"""Reads one file that a stranger made. A program of its own, started by `cleaning` for each file.

    python -I decoder.py <most bytes to give out>     the file on standard input

It gives out a line of JSON and then bytes: {"type", "sizes"} with the clean file and (for a picture) a small one, or
{"refused": code}. Decoders of pictures and PDFs are where hostile files do harm, so they run here: with little
memory, little time, no settings, no database, and nothing of Porter but this file. Whatever kills it hurts nobody.
"""

from __future__ import annotations

import io
import json
import re
import resource
import sys
import warnings
from typing import TYPE_CHECKING, Any, NoReturn

if TYPE_CHECKING:
    from PIL.Image import Image as Picture

SECONDS = 15
MEMORY = 1_500 * 1024 * 1024
MOST_PIXELS = 64_000_000
LONGEST_SIDE = 4096  # the kept picture: enough to read the small print of a letter
SMALL_SIDE = 480  # the picture shown in a list
MOST_PAGES = 100
MOST_OBJECTS = 50_000
MOST_PARTS = 2_000_000

# HEIF's brands, as cameras write them; AVIF is of the same family.
HEIF = frozenset({b"heic", b"heix", b"heim", b"heis", b"hevc", b"hevx", b"mif1", b"msf1", b"avif", b"avis"})


class Refused(Exception):
    """The code of a sentence in `cleaning`."""


def refuse(code: str) -> NoReturn:
    raise Refused(code)


def kind_of(data: bytes) -> str:
    """What the bytes are, whatever the file is called: JPEG, PNG, WEBP, PDF, or refused."""
    if not data:
        refuse("empty")
    if data.startswith(b"\xff\xd8\xff"):
        return "JPEG"
    if data.startswith(b"\x89PNG\r\n\x1a\n"):
        return "PNG"
    if data[:4] == b"RIFF" and data[8:12] == b"WEBP":
        return "WEBP"
    if data.startswith(b"%PDF-"):
        return "PDF"
    if data[4:8] == b"ftyp" and data[8:12] in HEIF:
        refuse("heic")
    if b"%PDF-" in data[:1024]:
        refuse("mixed")
    return refuse("kind")


# ---- pictures --------------------------------------------------------------------------------------------------


def clean_picture(data: bytes, kind: str, most: int) -> tuple[str, list[bytes]]:
    """The picture drawn anew: only its pixels go on, so no place, no camera, no comment and nothing behind the end."""
    from PIL import Image

    warnings.simplefilter("error", Image.DecompressionBombWarning)
    Image.MAX_IMAGE_PIXELS = MOST_PIXELS
    try:
        opened = Image.open(io.BytesIO(data), formats=[kind])
    except (Image.DecompressionBombWarning, Image.DecompressionBombError):
        refuse("pixels")
    # Only the head was read so far; the pixels are counted before any of them is unpacked.
    if opened.width * opened.height > MOST_PIXELS:
        refuse("pixels")
    opened.draft("RGB", (LONGEST_SIDE, LONGEST_SIDE))
    opened.load()
    picture = as_seen(opened)
    picture.thumbnail((LONGEST_SIDE, LONGEST_SIDE), Image.Resampling.LANCZOS)
    small = picture.copy()
    small.thumbnail((SMALL_SIDE, SMALL_SIDE), Image.Resampling.LANCZOS)
    if kind == "PNG":
        whole = written(picture, "PNG")
        if len(whole) <= most:
            return "image/png", [whole, written(small, "JPEG")]
    whole = written(picture, "JPEG")
    if len(whole) > most:
        refuse("pixels")
    return "image/jpeg", [whole, written(small, "JPEG")]


def as_seen(opened: Picture) -> Picture:
    """Turned as the camera held it, in the colours every screen shows, on white, and with nothing but pixels."""
    from PIL import Image, ImageOps

    profile = opened.info.get("icc_profile")
    try:
        picture = ImageOps.exif_transpose(opened) or opened
    except Exception:  # notes that can't be read turn nothing
        picture = opened
    if picture.mode.startswith("I"):
        picture = picture.convert("I").point(lambda value: value * (1 / 256)).convert("L")
    if profile and picture.mode in ("RGB", "CMYK"):
        picture = in_srgb(picture, profile)
    if picture.mode in ("RGBA", "LA", "PA", "P") or "transparency" in picture.info:
        over = picture.convert("RGBA")
        picture = Image.new("RGBA", over.size, "white")
        picture.alpha_composite(over)
    picture = picture.convert("RGB")
    bare = Image.new("RGB", picture.size)
    bare.paste(picture)
    return bare


def in_srgb(picture: Picture, profile: bytes) -> Picture:
    """A rash must look as red as it is: phones write colours that only their own profile explains."""
    from PIL import ImageCms

    try:
        done = ImageCms.profileToProfile(
            picture, io.BytesIO(profile), ImageCms.createProfile("sRGB"), outputMode="RGB"
        )
    except Exception:  # a profile that can't be read is none
        return picture
    return done or picture


def written(picture: Picture, kind: str) -> bytes:
    out = io.BytesIO()
    if kind == "PNG":
        picture.save(out, "PNG")
    else:
        picture.save(out, "JPEG", quality=88)
    return out.getvalue()


# ---- PDFs ------------------------------------------------------------------------------------------------------

# Names that a paper never needs: what runs, opens, sends or carries something.
ACTIONS = frozenset({
    "/JavaScript", "/Launch", "/SubmitForm", "/ImportData", "/GoToR", "/GoToE", "/Rendition", "/Movie", "/Sound",
    "/RichMediaExecute", "/GoTo3DView",
})  # fmt: skip
KEYS = frozenset({"/JS", "/JavaScript", "/EF", "/EmbeddedFiles", "/XFA", "/RichMediaContent"})
SUBTYPES = frozenset({"/RichMedia", "/Movie", "/Sound", "/Screen", "/3D", "/FileAttachment"})
# Long enough not to come up by chance in packed data; looked for in every byte, since another reader may find
# objects where ours finds none.
RAW = re.compile(rb"/(?:JavaScript|Launch|EmbeddedFiles?|RichMedia)(?![A-Za-z0-9])")
HTML = re.compile(rb"<(?:script|html|svg|iframe|!doctype html|\?php)[\s>/]", re.IGNORECASE)
ESCAPED = re.compile(rb"#([0-9A-Fa-f]{2})")
END = re.compile(rb"startxref\s+\d+\s+%%EOF[\0\s]*\Z")


def clean_pdf(data: bytes) -> tuple[str, list[bytes]]:
    """The PDF as it is, if it is a paper and nothing else."""
    if not re.match(rb"%PDF-[12]\.\d\s", data):
        refuse("mixed")
    last = data.rfind(b"%%EOF")
    if last < 0:
        refuse("pdf-damaged")
    if data[last + 5 :].strip(b"\0\t\n\f\r "):
        refuse("mixed")
    if not END.search(data[-2048:]):
        refuse("pdf-damaged")
    if HTML.search(data) or b"PK\x05\x06" in data[-66_000:]:
        refuse("mixed")
    if RAW.search(ESCAPED.sub(lambda hit: bytes([int(hit[1], 16)]), data)):
        refuse("pdf-active")
    try:
        look_through(data)
    except (Refused, MemoryError):
        raise
    except Exception:  # whatever the parser stumbles over, RecursionError among it
        refuse("pdf-damaged")
    return "application/pdf", [data]


def look_through(data: bytes) -> None:
    """Every object of the file, those in packed streams too, whether or not a page leads to it."""
    from pypdf import PdfReader
    from pypdf.generic import IndirectObject

    sys.setrecursionlimit(500)
    reader = PdfReader(io.BytesIO(data), strict=False)
    if reader.is_encrypted or "/Encrypt" in reader.trailer:
        refuse("pdf-locked")
    numbers = {(number, gen) for gen, table in reader.xref.items() for number in table}
    numbers |= {(number, 0) for number in reader.xref_objStm}
    if len(numbers) > MOST_OBJECTS:
        refuse("pdf-pages")
    pages = parts = 0
    found: list[Any] = [dict(reader.trailer)]
    for number, gen in sorted(numbers):
        found.append(reader.get_object(IndirectObject(number, gen, reader)))
        while found:
            part = found.pop()
            parts += 1
            if isinstance(part, dict):
                check(part)
                pages += part.get("/Type") == "/Page"
                found.extend(part.values())
            elif isinstance(part, list):
                found.extend(part)
        if pages > MOST_PAGES or parts > MOST_PARTS:
            refuse("pdf-pages")
    if not pages or not len(reader.pages):
        refuse("pdf-damaged")


def check(part: dict[str, Any]) -> None:
    # Values by the mapping's own way would follow references; `values()` doesn't, and neither does this.
    raw = dict(part.items())
    if KEYS & raw.keys() or _name(raw.get("/S")) in ACTIONS or _name(raw.get("/Subtype")) in SUBTYPES:
        refuse("pdf-active")
    if _name(raw.get("/Type")) in ("/EmbeddedFile", "/Encrypt"):
        refuse("pdf-active")


def _name(value: Any) -> str:
    """The name itself, or the one a reference leads to."""
    if hasattr(value, "get_object"):
        value = value.get_object()
    return value if isinstance(value, str) else ""


# ---- the program -----------------------------------------------------------------------------------------------


def limit_self() -> None:
    limits = [
        (resource.RLIMIT_CPU, SECONDS),
        (resource.RLIMIT_AS, MEMORY),
        (resource.RLIMIT_FSIZE, 0),
        (resource.RLIMIT_CORE, 0),
        (resource.RLIMIT_NOFILE, 64),
    ]
    for which, most in limits:
        try:
            resource.setrlimit(which, (most, most))
        except (OSError, ValueError):
            continue  # a system without this limit; the time of the whole process is watched from outside


def main() -> None:
    limit_self()
    most = int(sys.argv[1])
    data = sys.stdin.buffer.read(most + 1)
    try:
        if len(data) > most:
            refuse("large")
        kind = kind_of(data)
        type_, parts = clean_pdf(data) if kind == "PDF" else clean_picture(data, kind, most)
    except Refused as refused:
        told: dict[str, Any] = {"refused": str(refused)}
        parts = []
    except MemoryError:
        told, parts = {"refused": "pixels"}, []
    except Exception:  # a decoder's own complaint may quote the file; nobody needs to read it
        told, parts = {"refused": "damaged"}, []
    else:
        told = {"type": type_, "sizes": [len(part) for part in parts]}
    sys.stdout.buffer.write(json.dumps(told).encode() + b"\n" + b"".join(parts))


if __name__ == "__main__":
    main()
