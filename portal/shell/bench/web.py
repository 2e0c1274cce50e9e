"""Figures of the pages: a real server, four clients who are signed in, a practice of a million tasks.

Each speed is a ratio to a bare view's, which does the least that the same work can cost, on the same server and the
same PostgreSQL. Both run in turns, and the median of the turns' ratios counts: this computer may be busy.
"""

from __future__ import annotations

import json
import os
import re
from collections.abc import Callable, Generator, Iterator
from queue import Empty, SimpleQueue
from random import Random
from statistics import median
from time import perf_counter
from urllib.parse import urlencode

from django.db import connection
from django.urls import reverse

from audit.now import now
from intake import actions as intake
from intake import forms
from intake.bench import large_form
from intake.models import Questionnaire, RequestType
from intake.questionnaires.trial import sample_answers
from portal.people import actions as people
from portal.people.models import Patient, StaffRole, User
from portal.people.reference import steady
from portal.shell.bench import Told, yardsticks
from portal.shell.bench.server import BARE, Answer, Client, Site, cookie_of, rate, served
from portal.shell.demo.acting import in_a_hurry
from portal.shell.demo.asks import compose
from portal.shell.demo.patients import people_of
from portal.shell.models import DemoClinic
from queues.actions import count_all, count_changes, release
from queues.models import MeasureMark, Queue, Task, TaskMeasure
from queues.states import UNCLAIMED, State

CLIENTS = 4
TURNS = 3
SECONDS = 2.0  # of one turn
PAGES = 80  # task pages that are looked at
LOOKS = 60  # at one list
DRAFTS = 3_000
WARMING = 1_000  # of these: each worker meets a hundred places with their hours, queues and targets
KINDS_OF_PAGE = 12  # a large form's sections are alike
DAY = 1_400  # tasks that change in a day of a practice with a million in two years
ROW = b'<tr id="task-'
# Hands on how the list of a small practice did against its yardstick.
SMALLS_SHARE = "PORTER_BENCH_SMALLS_SHARE"

Act = Callable[[Client], Answer | None]


def submit() -> Iterator[Told]:
    """Sending a form: routing, trace, clock and audit, in one transaction."""
    yield from _noise()
    with served() as site:
        bare, _open = _yardstick(site)
        drafts = _drafts()
        seen: list[Answer] = []

        def send(client: Client) -> Answer | None:
            """Another patient's form each time; None when all are sent."""
            try:
                client.cookie, path = drafts.get_nowait()
            except Empty:
                return None
            return _kept(client.ask("POST", path, "go=send"), 302, seen)

        clients = [site.client("") for _n in range(CLIENTS)]
        body = "medicine=Lisinopril+10+mg&left=none&problems=no&pharmacy=Main+Street&words=" + "x" * 200
        yard = _post("/yardstick/submit/", body, 201)
        rate(clients, lambda client: send(client) if len(seen) < WARMING else None, seconds=60)
        seen.clear()
        yield from _against("submit", clients, send, bare, yard, ">= 0.3333")
    # A process that meets a place or a rule for the first time reads it once more.
    yield "submit: queries, median", median(each.queries for each in seen), "queries", "<= 25"
    yield "submit: queries, most", max(each.queries for each in seen), "queries", ""
    yield from _times("submit", seen)


def claim() -> Iterator[Told]:
    """Claim next, by one, eight and thirty-two people at once who work the same queues. What they claimed waits again
    at each new turn."""
    yield from _noise()
    with served() as site:
        bare, there = _yardstick(site, clients=32)
        yield "claim next: open tasks in the practice", there, "tasks", ""
        waiting = Task.objects.filter(state__in=UNCLAIMED, queue__in=_busiest()).count()
        yield "claim next: open tasks in the queues that are claimed from", waiting, "tasks", ""
        people = _staff(32)
        clients = [site.signed_in(user) for user in people]
        got: list[Answer] = []
        claims, doubles, queries = 0, 0, 0

        def take(client: Client) -> Answer | None:
            """The person's next task; None when nothing is left."""
            answer = _is(client.ask("POST", "/work/next/"), 302)
            if not re.fullmatch(r"/work/tasks/\d+/", answer.place):
                return None
            got.append(answer)
            return answer

        def put_back() -> None:
            nonlocal claims, doubles, queries
            queries = max([queries, *(each.queries for each in got)])
            claims, doubles = claims + len(got), doubles + len(got) - len({each.place for each in got})
            got.clear()
            held = Task.objects.filter(owner__in=people, state=State.CLAIMED).select_related(
                "owner", "conversation"
            )
            with in_a_hurry(), steady():
                for task in held:
                    assert task.owner is not None  # noqa: S101 - asked for above
                    release(task=task, by=task.owner)

        for workers in (1, 8, 32):
            yield from _against(
                f"claim next with {workers} at once",
                clients[:workers],
                take,
                bare[:workers],
                _post("/yardstick/claim/", "", 200),
                ">= 0.5",
                ready=put_back,
            )
        put_back()
    yield "claim next: claims", claims, "tasks", ">= 1"
    yield "claim next: double claims", doubles, "tasks", "<= 0"
    yield "claim next: queries", queries, "queries", ""


def lists() -> Iterator[Told]:
    """The list of a busy queue, of all queues of a person, and of all in the practice, as its lead sees them."""
    yield from _noise()
    with served() as site:
        bare, _open = _yardstick(site)
        clients = [site.signed_in(user) for user in _staff(CLIENTS)]
        lead = site.signed_in(_lead())
        for name, path, askers, aim in (
            ("queue list", f"/work/queues/{_busiest()[0].pk}/", clients, ">= 0.3333"),
            ("all my queues", "/work/all/", clients, ""),
            ("all queues of the practice", "/work/all/", [lead], ""),
        ):
            share = yield from _against(
                name, askers, _get(path), bare[: len(askers)], _get("/yardstick/list/"), aim
            )
            answers = [askers[0].ask("GET", path) for _n in range(LOOKS)]
            yield f"{name}: rows", answers[0].body.count(ROW), "rows", ""
            yield f"{name}: queries", max(each.queries for each in answers), "queries", "<= 8"
            yield from _times(name, answers)
            if name == "queue list" and SMALLS_SHARE in os.environ:
                slower = float(os.environ[SMALLS_SHARE]) / share
                yield f"{name}: times slower than at 1,000 tasks", slower, "times", "<= 1.5"


def small() -> Iterator[Told]:
    """The list of a busy queue in a practice of a thousand tasks, which a large one's is compared with."""
    with served() as site:
        bare, _open = _yardstick(site)
        clients = [site.signed_in(user) for user in _staff(CLIENTS)]
        path = f"/work/queues/{_busiest()[0].pk}/"
        yield "queue list at 1,000 tasks: rows", clients[0].ask("GET", path).body.count(ROW), "rows", ""
        yield from _against(
            "queue list at 1,000 tasks", clients, _get(path), bare, _get("/yardstick/list/"), ""
        )


def task_page() -> Iterator[Told]:
    with served() as site:
        client = site.signed_in(_staff(1)[0])
        rows = Task.objects.filter(queue__in=_busiest(), state__in=UNCLAIMED).order_by("-pk")
        paths = [f"/work/tasks/{pk}/" for pk in rows.values_list("pk", flat=True)[:PAGES]]
        for path in paths[:20] * 2:
            client.ask("GET", path)
        answers = [_is(client.ask("GET", path), 200) for path in paths]
        yield "task page: queries", max(each.queries for each in answers), "queries", "<= 15"
        yield from _times("task page", answers, "<= 20")


def form_page() -> Iterator[Told]:
    """A page of a form of 800 items: opened when nothing is answered yet and when all is, and saved as one types."""
    patient = Patient.objects.filter(drafts__isnull=True, record_number__startswith="L", user__isnull=False)[
        0
    ]
    user = patient.user
    assert user is not None  # noqa: S101 - asked for above
    kind = _large_form()
    draft = intake.start_draft(request_type=kind, patient=patient, by=user)
    form = forms.form(draft.version)
    with served() as site:
        client = site.client(cookie_of(user))
        empty = [
            reverse("draft", args=[draft.pk, page.id]) for page in forms.evaluate(draft).pages[:KINDS_OF_PAGE]
        ]
        yield from _slowest("form page, nothing answered", client, "GET", [(path, "") for path in empty])
        state = intake.save_draft(draft=draft, raw=sample_answers(form, 1), by=user)
        filled = []
        for page in state.pages[:KINDS_OF_PAGE]:
            shown = state.shown(page)
            answers = {name: values for name, values in draft.raw.items() if name in shown}
            filled.append((reverse("draft", args=[draft.pk, page.id]), urlencode(answers, doseq=True)))
        opened = [(path, "") for path, _answers in filled]
        yield from _slowest("form page, all answered", client, "GET", opened)
        yield from _slowest("form page, saved", client, "POST", filled, **{"HX-Request": "true"})


def _large_form() -> RequestType:
    """A request type of 800 items in a megabyte; made once in a practice, whose database stays."""
    code = "bench-large"
    found = RequestType.objects.filter(code=code).first()
    if found is not None:
        return found
    questionnaire = Questionnaire.objects.create(code=code, title=code)
    kind = RequestType(code=code, name=code, description=code, questionnaire=questionnaire)
    intake.save_request_type(kind, by=None)
    intake.publish_version(questionnaire=questionnaire, resource=json.loads(large_form()), by=None)
    return kind


def _slowest(
    name: str, client: Client, method: str, asks: list[tuple[str, str]], **headers: str
) -> Iterator[Told]:
    """The page that takes longest, each the best of five: other work on this computer is not the page's."""
    found = []
    for path, body in asks:
        answers = [_is(client.ask(method, path, body, **headers), 200) for _n in range(6)][1:]
        found.append(min(answers, key=lambda answer: answer.took))
    slowest = max(found, key=lambda answer: answer.took)
    yield f"{name}: in the server, the slowest page", slowest.took, "ms", "<= 100"
    yield f"{name}: processor's time of that, PostgreSQL apart", slowest.worked, "ms", ""
    yield f"{name}: queries", slowest.queries, "queries", ""


def search() -> Iterator[Told]:
    """The slowest of several searches, by a nurse and by the lead of the whole practice."""
    newest = (
        Task.objects.filter(queue__in=_busiest()).select_related("conversation__patient").order_by("-pk")[0]
    )
    patient = newest.conversation.patient
    wanted = {
        "a family name": patient.family_name,
        "a full name": f"{patient.given_name} {patient.family_name}",
        "a reference": newest.conversation.reference,
        "a word": "medicine",
        "two words": "headache fever",
        "what nobody wrote": "zzyzx",
    }
    with served() as site:
        for who, user in (("staff", _staff(1)[0]), ("the lead of all", _lead())):
            client = site.signed_in(user)
            client.ask("GET", "/work/search/")
            for what, words in wanted.items():
                client.ask("POST", "/work/search/", f"q={words.replace(' ', '+')}")
                answers = [_is(client.ask("GET", "/work/search/"), 200) for _n in range(5)]
                yield from _times(f"search for {what} by {who}", answers, "<= 100")


def poll() -> Iterator[Told]:
    """A list on a screen that asks whether anything is new, and nothing is."""
    with served() as site:
        bare, _open = _yardstick(site)
        clients = [site.signed_in(user) for user in _staff(CLIENTS)]
        path = f"/work/queues/{_busiest()[0].pk}/"
        seals = {}
        for client in clients:
            page = client.ask("GET", path).body.decode()
            found = re.search(r'"X-Seen": "([^"]+)"', page)
            seals[client.cookie] = found[1] if found else ""
        seen: list[Answer] = []

        def ask(client: Client) -> Answer:
            answer = client.ask("GET", "/work/changes/", **{"X-Seen": seals[client.cookie]})
            return _kept(answer, 204, seen)

        yield from _against("poll that finds nothing new", clients, ask, bare, _get("/yardstick/list/"), "")
    yield "poll that finds nothing new: queries", max(each.queries for each in seen), "queries", "<= 1"


def measures() -> Iterator[Told]:
    """The page of the figures as the lead of all sees it, and what it costs to count what has changed."""
    if not TaskMeasure.objects.exists():  # a practice that was loaded and never counted
        began = perf_counter()
        tasks = count_all()
        yield "measures: counting all, each task", 1000 * (perf_counter() - began) / tasks, "ms", ""
    with served() as site:
        lead = site.signed_in(_lead())
        for by in ("queue", "facility"):
            path = f"/measures/?by={by}"
            _is(lead.ask("GET", path), 200)
            yield from _times(f"measures by {by}", [lead.ask("GET", path) for _n in range(5)], "<= 200")
    _count()
    latest = list(Task.objects.order_by("-pk").values_list("pk", flat=True)[:DAY])
    for name, changed in (("one changed task", latest[:1]), ("a day's changed tasks", latest)):
        MeasureMark.objects.bulk_create(MeasureMark(task_id=pk) for pk in changed)
        began = perf_counter()
        _count()
        yield f"measures: counting {name}", perf_counter() - began, "s", "<= 10" if changed is latest else ""


def _count() -> None:
    while count_changes():
        pass


# ---- who asks, and for what -----------------------------------------------------------------------------------------


def _busiest() -> list[Queue]:
    """Ten queues of one role: those with the most that waits."""
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT queue_id FROM queues_task WHERE state IN ('open', 'reopened') AND queue_id IS NOT NULL"
            " GROUP BY 1 ORDER BY count(*) DESC, 1"
        )
        order = [pk for (pk,) in cursor.fetchall()]
    found = Queue.objects.in_bulk(order)
    role = found[order[0]].role
    return [found[pk] for pk in order if found[pk].role == role][:10]


def _staff(count: int) -> list[User]:
    """New people of the central team, who work the ten busiest queues."""
    queues, made = _busiest(), []
    for n in range(count):
        email = f"bench-{now().timestamp():.0f}-{os.getpid()}-{User.objects.count()}-{n}@bench.example"
        user = people.add_user(email=email, name=f"Bench {n}", by=None)
        people.assign_role(user=user, role=queues[0].role, facility=None, by=None)
        user.groups.add(*[queue.members_id for queue in queues])
        made.append(user)
    return made


def _lead() -> User:
    """The lead of the whole practice, who sees every queue."""
    return StaffRole.objects.current().filter(role="lead", facility=None).select_related("user")[0].user


def _yardstick(site: Site, *, clients: int = CLIENTS) -> tuple[list[Client], int]:
    """People signed in to the yardsticks, with as many open tasks there as Porter has."""
    there = Task.objects.filter(state__in=UNCLAIMED).count()
    yardsticks.lay_out(os.environ["DATABASE_OWNER_URL"], open_tasks=there)
    users = User.objects.filter(is_active=True).order_by("pk")[:clients]
    return [site.signed_in(user, backend=BARE) for user in users], there


def _drafts() -> SimpleQueue[tuple[str, str]]:
    """Filled in refill forms, each of another patient: their cookie and the address that sends it."""
    told: SimpleQueue[tuple[str, str]] = SimpleQueue()
    marker = DemoClinic.objects.get()
    invented = people_of(marker)
    kind = RequestType.objects.select_related("questionnaire").get(code="refill")
    patients = Patient.objects.filter(drafts__isnull=True, record_number__startswith="L", user__isnull=False)
    with in_a_hurry(), steady():
        for n, patient in enumerate(
            patients.select_related("user", "facility__calendar").order_by("pk")[:DRAFTS]
        ):
            person = invented[n % len(invented)]
            ask = compose("refill", Random(n), person, person, now().date())  # noqa: S311
            user = patient.user
            assert user is not None  # noqa: S101 - asked for above
            draft = intake.start_draft(request_type=kind, patient=patient, by=user)
            # As a browser does with every page; an emergency would have been told of here.
            intake.save_draft(draft=draft, raw=ask.raw, by=user)
            told.put((cookie_of(user), f"/drafts/{draft.pk}/review/"))
    return told


# ---- measuring ------------------------------------------------------------------------------------------------------


def _against(
    name: str,
    clients: list[Client],
    act: Act,
    bare: list[Client],
    yard: Act,
    aim: str,
    *,
    ready: Callable[[], object] = lambda: None,
) -> Generator[Told, None, float]:
    """The subject and its yardstick in turns; returns the share. Each turn begins with `ready`."""
    _warm(clients, act)
    _warm(bare, yard)
    ours, theirs = [], []
    for _turn in range(TURNS):
        ready()
        theirs.append(rate(bare, yard, seconds=SECONDS))
        ours.append(rate(clients, act, seconds=SECONDS))
    share = median(a / b for a, b in zip(ours, theirs, strict=True))
    yield f"{name}: its yardstick", median(theirs), "a second", ""
    yield name, median(ours), "a second", ""
    yield f"{name}: share of its yardstick", share, "", aim
    return share


def _times(name: str, answers: list[Answer], aim: str = "") -> Iterator[Told]:
    yield f"{name}: in the server, median", median(each.took for each in answers), "ms", aim
    yield (
        f"{name}: processor's time of that, PostgreSQL apart",
        median(each.worked for each in answers),
        "ms",
        "",
    )


def _warm(clients: list[Client], act: Act) -> None:
    rate(clients, act, seconds=0.5)


def _get(path: str) -> Act:
    return lambda client: _is(client.ask("GET", path), 200)


def _post(path: str, body: str, status: int) -> Act:
    return lambda client: _is(client.ask("POST", path, body), status)


def _is(answer: Answer, status: int) -> Answer:
    """A wrong answer may be a quick one: it ends the benchmark."""
    if answer.status != status:
        raise RuntimeError(f"The server answered {answer.status} ({answer.place}) where {status} was due.")
    return answer


def _kept(answer: Answer, status: int, seen: list[Answer]) -> Answer:
    seen.append(_is(answer, status))
    return answer


def _noise() -> Iterator[Told]:
    yield "load average of this computer before", os.getloadavg()[0], "processes", ""
