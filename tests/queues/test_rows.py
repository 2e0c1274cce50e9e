"""Each page of the workbench asks as much of the database with fifty rows as with one."""

import re
from collections.abc import Iterable, Iterator
from typing import Any

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.urls import get_resolver

from portal.people import actions as people
from portal.people.models import User
from queues import actions
from queues.actions.telling import Kind, tell
from queues.models import Conversation, Task
from queues.views import pieces
from tests import factories as make
from tests.clinic import Clinic
from tests.intake.test_phone import file
from tests.pages import seal
from tests.queues.test_lists import copies
from tests.queues.test_pages import client_of
from triage import actions as triage
from triage import notices

# The most queries of each, signed-in session and audit event included.
PAGES = {
    "/work/all/": 8,
    "/work/all/?filter=1": 8,
    "/work/queues/{queue}/": 8,
    "/work/mine/": 8,
    "/work/waiting/": 8,
    "/work/search/": 8,
    "/work/queues/": 8,
    "/work/notices/": 8,
    "/work/mentions/": 8,
    "/work/tasks/{task}/": 15,
    "/work/tasks/{task}/why/": 15,
    "/work/callers/": 8,
    "/work/callers/{patient}/": 15,
    "/work/callers/{patient}/write/": 15,
    "/work/callers/{patient}/grants/": 15,
    "/work/filed/{call}/": 15,
    "/work/lead/": 24,
    "/work/lead/queues/": 8,
    "/measures/": 18,
    "/measures/fairness/": 18,
    "/work/rules/": 70,  # it replays the last weeks under the draft, and says what would have changed
    "/work/rules/sorting/": 15,
    "/work/rules/{ruleset}/decisions/{decision}/": 15,
}


@pytest.fixture
def nora(clinic: Clinic) -> User:
    """A nurse of the clinic who leads it, too."""
    nora = make.staff("nurse", facility=clinic.facility, name="Nora North", queues_worked=(clinic.refills,))
    people.assign_role(user=nora, role="lead", facility=clinic.facility, by=None)
    return nora


def rows_for(clinic: Clinic, nora: User, number: int) -> Task:
    """So many late tasks of each kind: unclaimed, hers, waiting; each with a notice and a mention."""
    task = clinic.task()
    own = actions.claim(task=clinic.task(), by=nora)
    waits = actions.claim(task=clinic.task(), by=nora)
    actions.ask_back(task=waits, question="Which one?", by=nora)
    waits.refresh_from_db()
    late = {"due_at": task.opened_at, "respond_due": task.opened_at}
    Task.objects.filter(pk__in=[task.pk, own.pk]).update(**late)
    task.refresh_from_db()
    own.refresh_from_db()
    all_tasks = [task, *copies(task, number - 1)]
    copies(own, number - 1)
    copies(waits, number - 1)
    for each in all_tasks:
        tell(each, Kind.LATE, [nora], round=1)
        actions.add_note(task=each, body="@Nora please", by=clinic.nurse)
    return task


@pytest.fixture
def keys(clinic: Clinic, nora: User) -> dict[str, object]:
    """What stands in the addresses: one of each, with a request that was written down on the phone and a draft."""
    file(clinic, nora)
    call = Conversation.objects.get(author=nora)
    return {
        "queue": clinic.refills.pk,
        "task": clinic.task().pk,
        "patient": clinic.patient.pk,
        "call": call.pk,
        "ruleset": triage.start_draft(by=clinic.admin).pk,
        "decision": call.tasks.get().decision_id,
    }


def every_address() -> Iterator[str]:
    """Of everything that the staff's rooms serve, with the names of the parts as in the table."""

    def below(patterns: Iterable[Any], before: str) -> Iterator[str]:
        for each in patterns:
            route = f"{before}{each.pattern}"
            if hasattr(each, "url_patterns"):
                yield from below(each.url_patterns, route)
            elif route.startswith(("work/", "measures/")):
                yield "/" + re.sub(r"<(?:\w+:)?(\w+)>", r"{\1}", route)

    return below(get_resolver().url_patterns, "")


def test_every_page_is_in_the_table(clinic: Clinic, nora: User, keys: dict[str, object]) -> None:
    client = client_of(nora)

    def page(path: str) -> str:
        pieces._parts.cache_clear()  # what is kept as it was written asks for no template
        response = client.get(path)
        assert response.status_code in (200, 204, 302, 405), path
        return response.templates[0].name if response.status_code == 200 else ""

    counted = {page(path.format(**keys)) for path in PAGES}
    room = {"tasks": "task", "queues": "queue", "callers": "patient", "filed": "call"}
    for address in every_address():
        what = address.split("/")[2]
        given = keys | {"pk": keys.get(room.get(what, ""), 1), "number": 1, "code": "refill"}
        assert page(address.format(**given)) in counted | {""}, address


def test_no_page_asks_more_for_fifty_rows_than_for_one(
    clinic: Clinic, nora: User, keys: dict[str, object]
) -> None:
    client = client_of(nora)
    client.post("/work/search/", {"q": "Lisinopril"})

    def asked() -> dict[str, int]:
        counts = {}
        for address in PAGES:
            path = address.format(**keys)
            client.get(path)  # what a process reads once
            notices._is_unreadable.cache_clear()  # and what it reads again after some seconds
            with CaptureQueriesContext(connection) as captured:
                assert client.get(path).status_code == 200
            counts[address] = len(captured)
        return counts

    rows_for(clinic, nora, 1)
    one = asked()
    rows_for(clinic, nora, 50)
    fifty = asked()
    assert {path: count for path, count in fifty.items() if count > PAGES[path]} == {}
    assert {path: (one[path], fifty[path]) for path in PAGES if fifty[path] > one[path]} == {}


def test_looking_fifty_over_asks_no_more_than_looking_one_over(clinic: Clinic) -> None:
    task = clinic.task()
    client = client_of(clinic.nurse)

    def asked(tasks: list[Task], do: str) -> int:
        data = {"do": do, "task": [f"{each.pk}:{each.version}" for each in tasks]}
        client.post("/work/bulk/", data)
        notices._is_unreadable.cache_clear()
        with CaptureQueriesContext(connection) as captured:
            assert client.post("/work/bulk/", data).status_code == 200
        return len(captured)

    more = [task, *copies(task, 49)]
    for do in ("resolve", "hand-over"):
        assert asked(more, do) <= asked([task], do) <= 15


def test_the_poll_of_fifty_rows_is_one_query(clinic: Clinic, django_assert_num_queries) -> None:
    copies(clinic.task(), 49)
    client = client_of(clinic.nurse)
    seen = seal(client.get("/work/all/"))
    with django_assert_num_queries(1):
        assert client.get("/work/changes/", headers={"X-Seen": seen, "HX-Request": "true"}).status_code == 204
