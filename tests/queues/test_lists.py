"""The lists: what a person sees, in which order, at what price, and how they stay up to date."""

import re
from datetime import timedelta

import pytest
from django.contrib.sessions.models import Session
from django.db import connection
from django.test import Client
from django.urls import reverse
from django.utils import translation
from django.utils.dates import WEEKDAYS_ABBR

from audit.models import Event
from audit.now import at, now
from portal.people import actions as people
from portal.people.models import User
from queues import actions, presence
from queues.lists.counts import counts
from queues.lists.reading import PAGE
from queues.lists.scope import QUEUES
from queues.models import Queue, Task
from tests import factories as make
from tests.clinic import Clinic
from tests.pages import listed, said, seal
from tests.queues.test_pages import client_of

CHEST = {"problems": "true", "which": "My chest hurts and I can't breathe"}


def copies(task: Task, number: int, **changes) -> list[Task]:
    """More tasks like this one, without walking the whole way for each."""
    made = []
    for count in range(number):
        copy = Task.objects.get(pk=task.pk)
        copy.pk, copy._state.adding = None, True
        copy.due_at = task.due_at + timedelta(minutes=count)
        copy.resolve_due = copy.due_at + timedelta(hours=8)
        for name, value in changes.items():
            setattr(copy, name, value)
        copy.save(force_insert=True)
        made.append(copy)
    return made


def address(queue: Queue) -> str:
    return f"/work/queues/{queue.pk}/"


# ---- scope and price ---------------------------------------------------------------------------------------------


def test_the_sql_that_every_list_begins_with_knows_the_same_queues_as_the_model(clinic: Clinic) -> None:
    elsewhere = make.queue("refills", facility=make.FacilityFactory())
    lead = make.staff("lead", facility=clinic.facility, name="Lia Lead")
    central = make.staff("lead", name="Cleo Central")
    actions.set_members(queue=elsewhere, people=[clinic.second_nurse], by=None)
    people.assign_role(user=clinic.biller, role="nurse", facility=None, by=None)
    for user in (clinic.nurse, clinic.second_nurse, clinic.biller, clinic.admin, lead, central):
        with connection.cursor() as cursor:
            cursor.execute(QUEUES, {"user": user.pk, "today": now().date()})
            found = {row[0] for row in cursor.fetchall()}
        assert found == set(Queue.objects.seen_by(user).values_list("pk", flat=True))
    assert elsewhere not in Queue.objects.seen_by(lead)
    assert elsewhere in Queue.objects.seen_by(central)


@pytest.mark.parametrize("rows", [1, 50])
@pytest.mark.parametrize("queues", [1, 30])
@pytest.mark.parametrize("path", ["queue", "all", "mine", "filtered"])
def test_a_list_takes_at_most_eight_queries_however_many_rows_and_queues(
    clinic: Clinic, django_assert_max_num_queries, rows: int, queues: int, path: str
) -> None:
    task = clinic.task()
    copies(task, rows - 1)
    if path == "mine":
        actions.claim(task=task, by=clinic.nurse)
    for number in range(queues - 1):
        queue = make.queue(f"more-{number}", facility=clinic.facility)
        actions.set_members(queue=queue, people=[clinic.nurse], by=None)
    client = client_of(clinic.nurse)
    paths = {
        "queue": address(clinic.refills),
        "all": "/work/all/",
        "mine": "/work/mine/",
        "filtered": f"/work/all/?language=en&age=adult&facility={clinic.facility.pk}",
    }
    with django_assert_max_num_queries(8):
        response = client.get(paths[path])
    assert len(listed(response)) == (1 if path == "mine" else rows)


def test_a_lead_sees_the_queues_of_their_place_without_working_them(clinic: Clinic) -> None:
    lead = make.staff("lead", facility=clinic.facility)
    task = clinic.task()
    assert listed(client_of(lead).get(address(clinic.refills))) == [task.pk]
    assert client_of(lead).get(task.get_absolute_url()).status_code == 200
    assert client_of(lead).get(address(clinic.triage)).status_code == 404


# ---- order, pages, filters -----------------------------------------------------------------------------------------


def test_pages_follow_each_other_by_key_without_a_gap_or_a_repeat_while_the_list_moves(
    clinic: Clinic,
) -> None:
    tasks = [clinic.task()]
    tasks += copies(tasks[0], PAGE + 20)
    client = client_of(clinic.nurse)
    first = client.get(address(clinic.refills))
    assert len(listed(first)) == PAGE
    # What is done meanwhile would shift pages that count rows.
    for task in tasks[:5]:
        actions.claim(task=task, by=clinic.second_nurse)
        actions.resolve(task=task, outcome=clinic.done, by=clinic.second_nurse)
    more = r'href="([^"]+)" data-key="]"'
    second = client.get(address(clinic.refills) + said(first, more))
    due_first = [task.pk for task in Task.objects.live().due_first()]
    assert listed(second) == [pk for pk in due_first if pk not in listed(first)]
    assert not said(second, more)


@pytest.mark.parametrize("key", ["x", "1-", "-1", "9" * 30 + "-1", "1764040000000000", "1-1-1"])
def test_a_page_key_that_is_none_shows_the_first_page(clinic: Clinic, key: str) -> None:
    task = clinic.task()
    assert listed(client_of(clinic.nurse).get(address(clinic.refills), {"after": key})) == [task.pk]


def test_each_filter_shows_what_it_says_and_its_chip_takes_it_away(clinic: Clinic) -> None:
    with at(now() - timedelta(days=4)):
        late = clinic.task()
    urgent = clinic.task(**CHEST)
    fresh = clinic.task()
    own = actions.claim(task=clinic.task(), by=clinic.nurse)
    Task.objects.filter(pk=fresh.pk).update(tags=["pharmacy"])
    client = client_of(clinic.nurse)
    expected = {
        "urgency=urgent": {urgent},
        "late=1": {late},
        "mine=1": {own},
        "unclaimed=1": {late, urgent, fresh},
        "since=3d": {late},
        "tag=pharmacy": {fresh},
        "language=es": set(),
        "age=adult": {late, urgent, fresh, own},
        "age=child": set(),
        f"facility={clinic.facility.pk}": {late, urgent, fresh, own},
        "late=1&unclaimed=1": {late},
        "urgency=nonsense": {late, urgent, fresh, own},
    }
    for query, tasks in expected.items():
        response = client.get(f"/work/all/?{query}")
        assert set(listed(response)) == {task.pk for task in tasks}, query
    page = client.get(reverse("all"), {"late": "1", "unclaimed": "1"}).content.decode()
    chips = re.findall(r'<a class="chip pressed" href="([^"]+)">(\w+)', page)
    assert chips == [("?unclaimed=1", "late"), ("?late=1", "unclaimed")]


def test_the_filters_are_a_form_that_needs_no_script(clinic: Clinic) -> None:
    task = clinic.task()
    Task.objects.filter(pk=task.pk).update(tags=["pharmacy"])
    html = client_of(clinic.nurse).get(address(clinic.refills), {"filter": "1"}).content.decode()
    for name in ("urgency", "since", "facility", "age", "language", "tag", "late", "mine", "unclaimed"):
        assert f'name="{name}"' in html
    assert '<option value="pharmacy">' in html


def test_counts_of_each_queue_say_what_is_open_and_what_is_late(clinic: Clinic) -> None:
    with at(now() - timedelta(days=4)):
        clinic.task()
    clinic.task()
    actions.ask_back(task=actions.claim(task=clinic.task(), by=clinic.nurse), question="?", by=clinic.nurse)
    counted = counts(clinic.nurse)
    refills = counted.find(clinic.refills.pk)
    assert (refills.open, refills.late, counted.waiting, counted.claimed) == (3, 1, 1, 0)


def test_with_very_many_queues_the_frame_shows_those_with_late_tasks(clinic: Clinic) -> None:
    many = [make.queue(f"more-{number}", facility=clinic.facility) for number in range(40)]
    lead = make.staff("lead", facility=clinic.facility)
    with at(now() - timedelta(days=4)):
        late = clinic.task()
    counted = counts(lead, here=many[33].pk)
    assert counted.many
    assert counted.find(many[33].pk)
    assert counted.find(late.queue_id).late == 1
    assert len(counted.places) <= 12
    assert listed(client_of(lead).get(reverse("all"))) == [late.pk]


# ---- live ----------------------------------------------------------------------------------------------------------


def poll(client: Client, page, query: str = ""):
    return client.get(reverse("changes") + query, headers={"X-Seen": seal(page), "HX-Request": "true"})


@pytest.fixture
def looking(clinic: Clinic):
    clinic.task()
    client = client_of(clinic.nurse)
    return client, client.get(address(clinic.refills))


def test_a_poll_that_finds_nothing_new_is_one_query_a_204_and_no_event(
    clinic: Clinic, looking, django_assert_num_queries
) -> None:
    client, page = looking
    before = Event.objects.count()
    with django_assert_num_queries(1):
        assert poll(client, page).status_code == 204
    assert Event.objects.count() == before


@pytest.mark.parametrize(
    "change",
    [
        lambda clinic, task: clinic.task(),
        lambda clinic, task: actions.claim(task=task, by=clinic.second_nurse),
        lambda clinic, task: actions.hand_over(task=task, queue=clinic.triage, reason="r", by=clinic.nurse),
        lambda clinic, task: presence.arrive(task=task, by=clinic.second_nurse),
        lambda clinic, task: Task.objects.filter(pk=task.pk).update(due_at=now() - timedelta(minutes=1)),
    ],
    ids=["a new task", "a claim", "a hand-over", "somebody looks", "it grows late"],
)
def test_whatever_changes_a_row_changes_the_page(clinic: Clinic, looking, change) -> None:
    client, page = looking
    change(clinic, Task.objects.get())
    response = poll(client, page)
    assert response.status_code == 200
    assert listed(response) == listed(client.get(address(clinic.refills)))
    assert 'id="queues"' in response.content.decode()


def test_a_changed_page_is_logged_with_the_rows_newly_shown_only(clinic: Clinic, looking) -> None:
    client, page = looking
    new = clinic.task()
    poll(client, page)
    event = Event.objects.filter(action="queues.list.read").first()
    assert event.detail["tasks"] == [new.pk]
    before = Event.objects.count()
    poll(client, client.get(address(clinic.refills)), "?whole=1")
    assert Event.objects.count() == before + 1  # the page itself; the whole list again showed nothing new


def test_a_page_of_the_fragment_is_the_page_after_a_reload(clinic: Clinic, looking) -> None:
    client, page = looking
    clinic.task()
    fragment = poll(client, page).content.decode()
    table = fragment[fragment.index("<tbody>") : fragment.index("</tbody>")]
    assert table in client.get(address(clinic.refills)).content.decode()


def test_a_poll_tells_nothing_to_a_stranger_or_after_the_end(clinic: Clinic, looking) -> None:
    client, page = looking
    assert poll(Client(), page).status_code == 401
    # Another's session with this page's mark is shown the whole page of their own, by the browser.
    assert poll(client_of(clinic.biller), page)["HX-Refresh"] == "true"
    assert client.get("/work/changes/", headers={"X-Seen": "made-up"})["HX-Refresh"] == "true"
    Session.objects.all().delete()
    assert poll(client, page).status_code == 401


def test_who_left_the_queue_no_longer_gets_its_rows_from_a_poll(clinic: Clinic, looking) -> None:
    client, page = looking
    actions.set_members(queue=clinic.refills, people=[clinic.second_nurse], by=None)
    assert listed(poll(client, page)) == []
    User.objects.filter(pk=clinic.nurse.pk).update(is_active=False)
    assert poll(client, page).status_code == 401


def test_the_row_of_a_question_says_what_is_asked_to_those_who_may_read_it(clinic: Clinic) -> None:
    task = actions.claim(task=clinic.task(), by=clinic.nurse)
    asked = actions.escalate(task=task, situation="Cough.", question="Change it?", by=clinic.nurse)
    path = address(clinic.physicians)
    assert "asked a physician: <b>Change it?</b>" in client_of(clinic.physician).get(path).content.decode()
    Task.objects.filter(pk=task.pk).update(queue=clinic.billing)
    html = client_of(clinic.biller).get("/work/all/").content.decode()
    assert "asked a physician" in html
    assert "Change it?" not in html
    Task.objects.filter(pk=task.pk).update(queue=clinic.refills)
    actions.answer(escalation=asked, text="Yes.", by=clinic.physician)
    assert "asked a physician" not in client_of(clinic.nurse).get("/work/all/").content.decode()


def test_who_is_looking_at_a_task_is_said_in_its_row(clinic: Clinic) -> None:
    presence.arrive(task=clinic.task(), by=clinic.second_nurse)
    assert "Kim Osei is looking at it" in client_of(clinic.nurse).get("/work/all/").content.decode()


def test_the_words_of_a_row_are_the_viewers_whoever_looked_before(clinic: Clinic) -> None:
    """A process keeps words and rows; each is kept for the language in which it was said."""
    task = clinic.task()
    due_at = now() + timedelta(days=2, hours=1)
    Task.objects.filter(pk=task.pk).update(due_at=due_at)
    weekday = due_at.astimezone(task.queue.calendar.zone).weekday()
    client = client_of(clinic.nurse)
    for language in ("es", "en", "es"):
        User.objects.filter(pk=clinic.nurse.pk).update(language=language)
        page = client.get(reverse("queue", args=[task.queue_id])).content.decode()
        with translation.override(language):
            said = f'<span class="chip plain">{WEEKDAYS_ABBR[weekday]} '
        assert said in page


def test_a_row_shows_each_of_two_colleagues_whose_it_is(clinic: Clinic) -> None:
    task = actions.claim(task=clinic.task(), by=clinic.nurse)
    mine, other = (
        client_of(user).get(reverse("queue", args=[task.queue_id]))
        for user in (clinic.nurse, clinic.second_nurse)
    )
    assert 'class="face me"' in mine.content.decode()
    assert 'class="face me"' not in other.content.decode()
    assert 'class="face"' in other.content.decode()


def test_beside_a_page_a_large_queue_says_99_and_its_own_page_how_many(clinic: Clinic) -> None:
    copies(clinic.task(), 104)
    client = client_of(clinic.nurse)
    here = client.get(reverse("queue", args=[clinic.refills.pk])).content.decode()
    assert "105 open" in here
    assert "<span>99+</span>" in here
    elsewhere = client.get(reverse("queue", args=[clinic.triage.pk])).content.decode()
    assert "<span>99+</span>" in elsewhere
    assert "105 open" in client.get(reverse("all")).content.decode()
