"""The search: in one's own queues, in two languages, and for the office without a word about health."""

import pytest
from django.db import connection

from audit.models import Event
from portal.people.models import User
from queues import actions
from queues.lists import search
from queues.lists.search import Wanted
from queues.models import Queue, SearchDocument, Task
from queues.urgency import Urgency
from tests import factories as make
from tests.clinic import Clinic
from tests.queues.test_pages import client_of


def found(user: User, words: str) -> list[int]:
    response = client_of(user).post("/work/search/", {"q": words}, follow=True)
    return [each.line.pk for each in response.context["found"]]


@pytest.fixture
def task(clinic: Clinic) -> Task:
    patient = clinic.patient
    patient.given_name, patient.family_name = "Íñigo", "Núñez"
    patient.save()
    task = actions.claim(
        task=clinic.task(
            medicine="Sertraline 50 mg", problems="true", which="Itching and a rash since Monday"
        ),
        by=clinic.nurse,
    )
    actions.reply(task=task, body="Los dolores de cabeza son frecuentes al principio.", by=clinic.nurse)
    return task


@pytest.mark.parametrize(
    "words",
    [
        "nunez",
        "NÚÑEZ",
        "inigo nun",
        "sertra",
        "itches",
        "rashes",
        "dolor",
        "dolores cabeza",
        "a rash",
        '"rash since monday"',
        "{reference}",
        "{number}",
        "{record}",
        "nunez sertraline rash",
    ],
)
def test_names_references_and_words_are_found_in_either_language_without_accents(
    clinic: Clinic, task: Task, words: str
) -> None:
    reference = task.conversation.reference
    words = words.format(
        reference=reference, number=reference.removeprefix("R-"), record=clinic.patient.record_number
    )
    assert found(clinic.nurse, words) == [task.pk]


@pytest.mark.parametrize(
    "words", ["ortega", '"monday since rash"', "rash unrelated", "", "!!", "a", "'; --", ":*"]
)
def test_what_is_not_there_is_not_found_and_nothing_breaks(clinic: Clinic, task: Task, words: str) -> None:
    assert found(clinic.nurse, words) == []


def test_words_with_all_signs_of_the_keyboard_are_a_search_like_any_other(clinic: Clinic, task: Task) -> None:
    for sign in "'\"\\&|!<>()*:%@_-\x00\n":
        found(clinic.nurse, f"rash{sign}itching")


def test_only_the_viewers_own_queues_are_searched_and_finished_tasks_too(clinic: Clinic, task: Task) -> None:
    assert found(clinic.physician, "nunez") == []
    actions.resolve(task=task, outcome=clinic.done, by=clinic.nurse)
    assert found(clinic.second_nurse, "nunez") == [task.pk]


def test_a_task_that_moved_is_found_where_it_is_now(clinic: Clinic, task: Task) -> None:
    actions.escalate(task=task, situation="New rash.", question="Stop it?", by=clinic.nurse)
    assert found(clinic.physician, "sertraline") == [task.pk]
    actions.answer(escalation=task.escalations.get(), text="Stop.", by=clinic.physician)
    assert found(clinic.physician, "sertraline") == []


def test_the_office_finds_a_patient_and_never_a_word_about_health(clinic: Clinic, task: Task) -> None:
    actions.hand_over(task=task, queue=clinic.billing, reason="Wants a receipt.", by=clinic.nurse)
    assert found(clinic.biller, "nunez") == [task.pk]
    assert found(clinic.biller, "refill") == [task.pk]
    for word in ("sertraline", "rash", "dolores", "days"):
        assert found(clinic.biller, word) == []
    own = clinic.task("billing", question="Why was I billed twice?")
    assert found(clinic.biller, "billed") == [own.pk]


def test_what_is_urgent_says_so_among_what_was_found(clinic: Clinic, task: Task) -> None:
    client = client_of(clinic.nurse)
    for urgency in Urgency:
        Task.objects.filter(pk=task.pk).update(urgency=urgency, floor=Urgency.ROUTINE)
        html = client.post("/work/search/", {"q": "nunez"}, follow=True).content.decode()
        assert ('<span class="flag">urgent</span>' in html) == (urgency == Urgency.URGENT)


def test_a_lead_over_very_many_queues_finds_the_same(clinic: Clinic, task: Task) -> None:
    for number in range(30):
        make.queue(f"more-{number}", facility=clinic.facility)
    assert found(make.staff("lead", facility=clinic.facility), "sertraline") == [task.pk]
    assert found(make.staff("lead", facility=make.FacilityFactory()), "sertraline") == []
    assert Queue.objects.count() > 30


def test_the_words_are_in_no_address_and_come_back_with_a_reload(clinic: Clinic, task: Task) -> None:
    client = client_of(clinic.nurse)
    response = client.post("/work/search/", {"q": "nunez"})
    assert response["Location"] == "/work/search/"
    for _ in range(2):
        page = client.get("/work/search/")
        assert [each.line.pk for each in page.context["found"]] == [task.pk]
    assert "<mark>Núñez</mark>" in page.content.decode()
    event = Event.objects.filter(action="queues.search.read").first()
    assert event.patient_ids == [clinic.patient.pk]
    assert "nunez" not in str(event.detail)


def test_the_place_of_the_words_in_the_text_is_shown(clinic: Clinic, task: Task) -> None:
    client = client_of(clinic.nurse)
    html = client.post("/work/search/", {"q": "cabeza"}, follow=True).content.decode()
    assert "<mark>cabeza</mark> son frecuentes" in html
    actions.reply(task=task, body="<script>alert('marker')</script>", by=clinic.nurse)
    html = client.post("/work/search/", {"q": "marker"}, follow=True).content.decode()
    assert "<script>alert" not in html


@pytest.mark.parametrize(("newest", "blocks"), [(2, []), (1, []), (1, ["@c0"]), (0, ["@c0"])])
def test_what_is_found_is_the_same_among_the_newest_among_more_and_among_all(
    clinic: Clinic, task: Task, newest: int, blocks: list[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    """A page is looked for among the newest documents first. Here one lies beyond these, and, without its block, beyond
    the newer ones."""
    monkeypatch.setattr(search, "NEWEST", newest)
    later = clinic.task(problems="true", which="Another rash")
    with connection.cursor() as cursor:
        for column in ("words", "office_words"):
            cursor.execute(
                f"UPDATE queues_searchdocument SET {column} = ts_delete({column}, %s::text[]) WHERE task_id = %s",  # noqa: S608
                [blocks, task.pk],
            )
            assert cursor.rowcount == 1
    assert found(clinic.nurse, "rash") == [later.pk, task.pk]
    assert found(clinic.nurse, "nunez itching") == [task.pk]
    assert found(clinic.nurse, "rash nobody") == []
    assert found(clinic.biller, "rash") == []


def test_a_page_is_full_wherever_its_documents_lie(clinic: Clinic, monkeypatch: pytest.MonkeyPatch) -> None:
    """Some among the newest, some among more, the older ones beyond: always the newest of all of them."""
    # "ras" stands by itself in one of them and begins a word in all.
    said = ["A rash", "A rash", "A rash", "A rash, or ras"]
    tasks = [clinic.task(problems="true", which=which).pk for which in said][::-1]
    whole = dict(SearchDocument.objects.values_list("task_id", "words"))
    splits = [(few, more) for few in range(5) for more in range(few, 5)]
    for few, more in splits:
        with connection.cursor() as cursor:
            for place, pk in enumerate(tasks):
                gone = ["@c0"] if place >= more else []
                cursor.execute(
                    "UPDATE queues_searchdocument SET words = ts_delete(%s::tsvector, %s::text[]) WHERE task_id = %s",
                    [whole[pk], gone, pk],
                )
        monkeypatch.setattr(search, "NEWEST", few)
        for page in range(1, 5):
            monkeypatch.setattr(search, "PAGE", page)
            for words in ("rash", "ras", "a ras"):
                there, are_more = search.find(Wanted.read(words), clinic.nurse)
                told = few, more, page, words
                assert [each.line.pk for each in there] == tasks[:page], told
                assert are_more == (page < 4), told


def test_every_document_says_in_which_block_it_is(clinic: Clinic, task: Task) -> None:
    document = SearchDocument.objects.get(task=task)
    for words in (document.words, document.office_words):
        assert f"'@c{task.pk // 32768}'" in words


def test_a_full_page_of_the_newest_says_that_there_are_more(
    clinic: Clinic, task: Task, monkeypatch: pytest.MonkeyPatch
) -> None:
    later = clinic.task(problems="true", which="Another rash")
    monkeypatch.setattr(search, "PAGE", 1)
    response = client_of(clinic.nurse).post("/work/search/", {"q": "rash"}, follow=True)
    assert [each.line.pk for each in response.context["found"]] == [later.pk]
    assert response.context["more"]


def test_words_that_carry_nothing_find_nothing(clinic: Clinic, task: Task) -> None:
    assert found(clinic.nurse, "the of") == []


def test_a_search_takes_at_most_eight_queries(
    clinic: Clinic, task: Task, django_assert_max_num_queries
) -> None:
    client = client_of(clinic.nurse)
    client.post("/work/search/", {"q": "rash"})
    with django_assert_max_num_queries(8):
        client.get("/work/search/")


def test_a_text_is_marked_where_the_words_begin_whatever_their_accents() -> None:
    wanted = Wanted.read("nun igo")
    assert [text for text, hit in wanted.marked("Íñigo Núñez-Ruiz") if hit] == ["Núñez"]
    assert [text for text, hit in Wanted.read("IÑI").marked("Íñigo Núñez") if hit] == ["Íñigo"]
    assert "".join(text for text, _hit in wanted.marked("Íñigo Núñez-Ruiz ß ﬁ")) == "Íñigo Núñez-Ruiz ß ﬁ"
