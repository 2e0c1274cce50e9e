"""What every page of the demo knows: that it is one, and how much of its history is told."""

from __future__ import annotations

from functools import cached_property
from typing import Any

from django.conf import settings
from django.http import HttpRequest

from portal.shell.demo_login import may_enter
from portal.shell.models import DemoClinic


class Demo:
    """`demo` in templates. It asks the database once, and only when a template looks."""

    def __init__(self, request: HttpRequest) -> None:
        self._request = request

    @cached_property
    def _marker(self) -> DemoClinic | None:
        return DemoClinic.objects.defer("unfinished").first()

    @property
    def active(self) -> bool:
        """Whether this client finds the door of the demo open."""
        return may_enter(self._request) and self._marker is not None

    @property
    def loading(self) -> bool:
        return self._marker is not None and self._marker.loading

    @property
    def done(self) -> int:
        return self._marker.done if self._marker else 0

    @property
    def planned(self) -> int:
        return self._marker.planned if self._marker else 0

    @property
    def percent(self) -> int:
        return self._marker.percent if self._marker else 100


def demo(request: HttpRequest) -> dict[str, Any]:
    """Nothing at all anywhere but in the demo."""
    return {"demo": Demo(request)} if settings.MODE == "demo" else {}
