"""Answers the polls that find nothing new."""

from __future__ import annotations

from collections.abc import Callable

from django.http import HttpRequest, HttpResponse, HttpResponseBase

from queues.lists import seen

PATH = "/work/changes/"


class Unchanged:
    """Stands before session and log-in: a list that is as it was on the screen is a 204 after one indexed query.

    Every other poll goes on to the page itself, and so does one that asks for the whole list for a change: times
    such as "late 20 min" grow old even where no task has changed.
    """

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponseBase]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponseBase:
        asked = request.path == PATH and request.method == "GET" and "whole" not in request.GET
        if asked and seen.unchanged(request):
            return HttpResponse(status=204)
        return self.get_response(request)
