"""What a page says, read from its HTML as a browser does."""

import re
from html import unescape
from typing import Any


def listed(page: Any) -> list[int]:
    """The keys of the tasks in a list, from top to bottom."""
    return [int(pk) for pk in re.findall(r'<tr id="task-(\d+)"', page.content.decode())]


def said(page: Any, pattern: str) -> str:
    """What the pattern's group finds on the page; nothing where it isn't there."""
    found = re.search(pattern, page.content.decode())
    return unescape(found[1]) if found else ""


def seal(page: Any) -> str:
    """What a list gives the browser for its polls."""
    return said(page, r'"X-Seen": "([^"]+)"')


def stamp(page: Any) -> str:
    """When the page was made, as its "Claim next" says it."""
    return said(page, r'name="page" value="([^"]+)"')
