"""A central team that serves 160 places: every page costs what it costs at one, and each queue can be reached."""

import pytest
from django.test import Client

from portal.people.models import Calendar, Facility, User
from queues import actions
from queues.models import Mention, Note, Notice, Queue, Task
from tests import factories as make
from tests.clinic import Clinic
from tests.queues.test_lists import copies
from tests.queues.test_pages import client_of

PLACES = 160


@pytest.fixture
def calendar(db: None) -> Calendar:
    return make.CalendarFactory()


def open_places(clinic: Clinic, calendar: Calendar, number: int) -> list[Queue]:
    """Places with a queue each, which Ana works."""
    queues = []
    for count in range(number):
        place = Facility.objects.create(
            code=f"p{count}", name=f"Village {count:03}", calendar=calendar, phone="1", after_hours_phone="2"
        )
        queue = make.queue("refills", facility=place, calendar=calendar, name="Refills")
        queue.members.user_set.add(clinic.nurse)
        queues.append(queue)
    return queues


@pytest.fixture
def lead(clinic: Clinic) -> User:
    return make.staff("lead", name="Cleo Central")


@pytest.mark.parametrize("places", [1, PLACES])
def test_pages_take_no_more_queries_with_many_places(
    clinic: Clinic, calendar: Calendar, lead: User, places: int, django_assert_max_num_queries
) -> None:
    queues = open_places(clinic, calendar, places)
    task = clinic.task()
    for queue in queues:
        copies(task, 1, queue=queue)
    nurse, cleo = client_of(clinic.nurse), client_of(lead)
    for path in (f"/work/queues/{queues[-1].pk}/", "/work/all/", "/work/all/?filter=1", "/work/queues/"):
        with django_assert_max_num_queries(8):
            assert nurse.get(path).status_code == 200
    with django_assert_max_num_queries(15):
        assert nurse.get(task.get_absolute_url()).status_code == 200
    with django_assert_max_num_queries(24):
        assert cleo.get("/work/lead/").status_code == 200


def test_every_queue_is_found_by_its_place_and_the_late_ones_by_a_tick(
    clinic: Clinic, calendar: Calendar
) -> None:
    queues = open_places(clinic, calendar, 30)
    late = copies(clinic.task(), 1, queue=queues[17])[0]
    Task.objects.filter(pk=late.pk).update(due_at=late.opened_at, respond_due=late.opened_at)
    nurse = client_of(clinic.nurse)
    assert "/work/queues/" in nurse.get("/work/all/").content.decode()

    def found(query: str) -> set[int]:
        return {row.pk for row in nurse.get(f"/work/queues/{query}").context["rows"]}

    assert found("") == set(Queue.objects.worked_by(clinic.nurse).values_list("pk", flat=True))
    assert found("?q=refills+village+029") == {queues[29].pk}
    assert found("?late=1") == {queues[17].pk}
    assert "No queue fits" in nurse.get("/work/queues/?q=nowhere").content.decode()


def test_nobody_reads_of_queues_that_are_not_theirs(clinic: Clinic, calendar: Calendar) -> None:
    open_places(clinic, calendar, 2)
    html = client_of(clinic.biller).get("/work/queues/").content.decode()
    assert "Billing" in html
    assert "Village" not in html


@pytest.fixture
def told(clinic: Clinic) -> Client:
    return client_of(clinic.nurse)


@pytest.mark.parametrize("rows", [1, 50])
def test_what_one_was_told_takes_as_many_queries_however_much_it_is(
    clinic: Clinic, told: Client, rows: int, django_assert_max_num_queries
) -> None:
    for task in copies(clinic.task(), rows):
        Notice.objects.create(
            recipient=clinic.nurse, kind="half", task=task, queue=task.queue, round=str(task.pk)
        )
        note = Note.objects.create(
            conversation=task.conversation,
            task=task,
            author=clinic.second_nurse,
            body="@Ana Ruiz",
            clinical=False,
        )
        Mention.objects.create(note=note, user=clinic.nurse)
    for path in ("/work/notices/", "/work/mentions/"):
        with django_assert_max_num_queries(9):
            assert told.get(path).status_code == 200


@pytest.mark.parametrize("rows", [1, 50])
def test_looking_many_over_before_they_are_done_does_not_ask_for_each_of_them_again_and_again(
    clinic: Clinic, told: Client, rows: int, django_assert_max_num_queries
) -> None:
    tasks = [actions.claim(task=task, by=clinic.nurse) for task in copies(clinic.task(), rows)]
    data = {"do": "resolve", "task": [f"{task.pk}:{task.version}" for task in tasks]}
    with django_assert_max_num_queries(12):
        assert told.post("/work/bulk/", data).status_code == 200


def test_of_very_many_queues_the_places_are_shown_first_and_those_with_late_tasks_before_all(
    clinic: Clinic, calendar: Calendar, late: Task
) -> None:
    queues = open_places(clinic, calendar, 60)
    copies(late, 1, queue=queues[40])
    nurse = client_of(clinic.nurse)
    page = nurse.get("/work/queues/")
    first, second, *others = page.context["sites"]
    assert {first.pk, second.pk} == {queues[40].facility_id, clinic.refills.facility_id or 0}
    assert (first.late, second.late, others[0].late) == (1, 1, 0)
    html = nurse.get(f"/work/queues/?place={queues[40].facility_id}").content.decode()
    assert f"/work/queues/{queues[40].pk}/" in html
    assert f"/work/queues/{queues[41].pk}/" not in html
    for strange in ("x", "-1", "9" * 30, "99999"):
        assert nurse.get(f"/work/queues/?place={strange}").status_code == 200


def test_a_place_is_found_without_its_accents(clinic: Clinic, lead: User) -> None:
    place = make.FacilityFactory(name="Clínica San José")
    queue = make.queue("refills", facility=place, name="Refills", calendar=place.calendar)
    queue.members.user_set.add(clinic.nurse)
    for words in ("san jose", "SAN JOSÉ", "clinica refills"):
        page = client_of(clinic.nurse).get("/work/queues/", {"q": words})
        assert [row.pk for row in page.context["rows"]] == [queue.pk]
        said = client_of(lead).get("/work/lead/queues/", {"find": words}).content.decode()
        assert said.count("<option") == 1


@pytest.fixture
def late(clinic: Clinic) -> Task:
    task = clinic.task()
    Task.objects.filter(pk=task.pk).update(due_at=task.opened_at, respond_due=task.opened_at)
    task.refresh_from_db()
    return task


class TestWhereALeadMovesWork:
    def test_of_few_queues_all_are_offered(self, clinic: Clinic, lead: User, late: Task) -> None:
        html = client_of(lead).get("/work/lead/").content.decode()
        for queue in Queue.objects.live():
            assert f'value="queue:{queue.pk}"' in html
        assert 'name="find"' not in html

    @pytest.mark.parametrize("places", [30, 60])
    def test_of_many_only_those_that_make_sense(
        self, clinic: Clinic, calendar: Calendar, lead: User, late: Task, places: int
    ) -> None:
        queues = open_places(clinic, calendar, places)
        billing = make.queue("billing", "billing", facility=queues[0].facility, name="Bills")
        Task.objects.filter(pk=copies(late, 1, queue=queues[5])[0].pk).update(due_at=late.due_at)
        offered = client_of(lead).get("/work/lead/").context["targets"]
        assert set(offered.central) == set(Queue.objects.live().filter(facility=None))
        assert len(offered.elsewhere) == 8
        assert {queue.role for queue in offered.elsewhere} == {"nurse"}
        assert billing not in offered.elsewhere
        assert queues[5] not in offered.elsewhere  # it is late itself
        assert offered.here == []
        # The lead of one place sees what is there, and the central teams.
        local = make.staff("lead", name="Lia Local", facility=queues[0].facility)
        offered = client_of(local).get("/work/lead/").context["targets"]
        assert set(offered.here) == {queues[0], billing}
        assert offered.elsewhere == []
        assert offered.more

    def test_any_other_is_found_by_its_name_and_place(
        self, clinic: Clinic, calendar: Calendar, lead: User, late: Task
    ) -> None:
        queues = open_places(clinic, calendar, 30)
        cleo = client_of(lead)
        said = cleo.get("/work/lead/queues/?find=village 01").content.decode()
        assert said.count("<option") == 11
        assert 'value="Refills · Village 017"' in said
        assert cleo.get("/work/lead/queues/?find=").content.decode().count("<option") == 0
        assert client_of(clinic.nurse).get("/work/lead/queues/?find=village").status_code == 404
        data = {
            "task": f"{late.pk}:{late.version}",
            "find": "refills VILLAGE 017",
            "reason": "They have room.",
        }
        html = cleo.post("/work/lead/move/", data, follow=True).content.decode()
        assert "1 task moved to Refills, Village 017." in html
        late.refresh_from_db()
        assert (late.queue, late.steps.last().note) == (queues[17], "They have room.")

    def test_words_that_fit_many_or_none_move_nothing_and_ask(
        self, clinic: Clinic, calendar: Calendar, lead: User, late: Task
    ) -> None:
        queues = open_places(clinic, calendar, 30)
        cleo = client_of(lead)
        data = {"task": f"{late.pk}:{late.version}", "to": "", "find": "village", "reason": "Room there."}
        html = cleo.post("/work/lead/move/", data).content.decode()
        assert "Which queue is “village”?" in html
        assert html.count('type="radio"') == 20
        assert 'value="village"' not in html  # neither in the search for patients
        assert "10 more fit." in html
        assert "Room there." in html
        none = cleo.post("/work/lead/move/", data | {"find": "nowhere <b>"}).content.decode()
        assert "No queue fits “nowhere &lt;b&gt;”" in none
        assert Task.objects.get(pk=late.pk).queue == clinic.refills
        assert f'name="task" value="{late.pk}:{late.version}"' in html
        chosen = data | {"find": "", "to": f"queue:{queues[3].pk}"}
        assert "1 task moved" in cleo.post("/work/lead/move/", chosen, follow=True).content.decode()
        assert Task.objects.get(pk=late.pk).queue == queues[3]
