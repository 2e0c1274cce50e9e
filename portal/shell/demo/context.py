"""What every page of the demo knows: that it is one, and how much of its history is told."""

from __future__ import annotations

from functools import cached_property
from typing import Any

from django.conf import settings
from django.http import HttpRequest
from django.utils.translation import gettext as _

from portal.shell.demo_login import may_enter
from portal.shell.models import DemoClinic


def _marker() -> DemoClinic | None:
    return DemoClinic.objects.defer("unfinished").first()


def sentence(marker: DemoClinic | None) -> str:
    """How much of its past is told, while it is being told."""
    if marker is None or not marker.loading:
        return ""
    told = {"done": marker.done, "planned": marker.planned}
    return _("The demo clinic's past is still loading: %(done)s of %(planned)s requests.") % told


class Demo:
    """`demo` in templates. It asks the database once, and only when a template looks."""

    def __init__(self, request: HttpRequest) -> None:
        self._request = request

    @cached_property
    def _marker(self) -> DemoClinic | None:
        return _marker()

    @property
    def active(self) -> bool:
        """Whether this client finds the door of the demo open."""
        return may_enter(self._request) and self._marker is not None

    @property
    def sentence(self) -> str:
        """How far it is; nothing when it is done."""
        return sentence(self._marker)


def demo(request: HttpRequest) -> dict[str, Any]:
    """Nothing at all anywhere but in the demo."""
    return {"demo": Demo(request)} if settings.MODE == "demo" else {}


def to_staff() -> list[str]:
    """The same for staff's pages, among what they are told."""
    if settings.MODE != "demo":
        return []
    told = sentence(_marker())
    return [told] if told else []
