"""The same thing for many tasks at once: never for those that want a look of their own."""

import pytest

from queues import actions
from queues.actions.together import Seen
from queues.models import Conversation, Message, Task
from queues.states import State
from tests import factories as make
from tests.clinic import Clinic
from tests.queues.test_pages import client_of

# What is read in a text is another test's question: plain requests here have no flag, and the other has one.
CHEST = {"problems": "true", "which": "My chest hurts and I can't breathe"}


def plain(clinic: Clinic) -> Task:
    task = clinic.task()
    Task.objects.filter(pk=task.pk).update(flags=[])
    return task


def seen(*tasks: Task) -> Seen:
    return {task.pk: Task.objects.get(pk=task.pk).version for task in tasks}


@pytest.fixture
def picked(clinic: Clinic) -> dict[str, Task]:
    """Two that are alike, and one of each kind that is left out."""
    first, second, urgent, written, asked, theirs, stale = (
        plain(clinic),
        plain(clinic),
        clinic.task(**CHEST),
        plain(clinic),
        plain(clinic),
        plain(clinic),
        plain(clinic),
    )
    actions.hear_from_patient(
        conversation=written.conversation, body="One more thing.", by=clinic.patient.user
    )
    actions.escalate(
        task=actions.claim(task=asked, by=clinic.nurse), situation="s", question="q", by=clinic.nurse
    )
    actions.claim(task=theirs, by=clinic.second_nurse)
    return {
        "first": first,
        "second": second,
        "urgent": urgent,
        "written": written,
        "asked": asked,
        "theirs": theirs,
        "stale": stale,
    }


REASONS = {
    "urgent": "A red flag was found",
    "written": "has written again",
    "asked": "A physician was asked about it",
    "theirs": "Kim Osei, RN has this task",
    "stale": "Kim Osei, RN",
}


def test_many_are_resolved_with_the_same_reply_and_those_left_out_are_named(
    clinic: Clinic, picked: dict[str, Task]
) -> None:
    versions = seen(*picked.values())
    # On the screen it was unclaimed; since then a colleague had it, and put it back.
    actions.release(task=actions.claim(task=picked["stale"], by=clinic.second_nurse), by=clinic.second_nurse)
    client = client_of(clinic.nurse)
    data = {
        "do": "resolve",
        "task": [f"{pk}:{version}" for pk, version in versions.items()],
        "back": f"/work/queues/{clinic.refills.pk}/",
    }
    looked_over = client.post("/work/bulk/", data)
    left = {row.task.pk: why for row, why in looked_over.context["left"]}
    assert {row.task.pk for row, _version in looked_over.context["fit"]} == {
        picked["first"].pk,
        picked["second"].pk,
    }
    for name, reason in REASONS.items():
        assert reason in left[picked[name].pk], name
    assert not Task.objects.filter(state=State.RESOLVED).exists()

    # Sent all the same, each is asked again.
    done = client.post(
        "/work/bulk/", data | {"sure": "1", "outcome": "done", "body": "It is at your pharmacy."}, follow=True
    )
    assert set(Task.objects.filter(state=State.RESOLVED)) == {picked["first"], picked["second"]}
    assert Message.objects.filter(body="It is at your pharmacy.").count() == 2
    html = done.content.decode()
    assert "2 tasks." in html
    assert picked["urgent"].conversation.reference in html


def test_words_that_nobody_would_read_are_not_sent(clinic: Clinic) -> None:
    read, unread = plain(clinic), plain(clinic)
    alone = make.PatientFactory(facility=clinic.facility, user=None)
    conversation = Conversation.objects.filter(pk=unread.conversation_id)
    conversation.update(patient=alone, author=clinic.nurse, channel="phone")
    for body, ended in (("It is at your pharmacy.", [read]), ("", [unread])):
        tasks = list(Task.objects.live().select_related("conversation"))
        result = actions.resolve_all(
            tasks=tasks, outcome=clinic.done, body=body, by=clinic.nurse, seen=seen(*tasks)
        )
        assert result.done == ended
    assert not unread.conversation.messages.exists()


def test_many_are_handed_over_with_one_reason(clinic: Clinic) -> None:
    tasks = [plain(clinic), plain(clinic)]
    client = client_of(clinic.nurse)
    data = {"do": "hand-over", "task": [f"{task.pk}:{task.version}" for task in tasks], "back": "/work/all/"}
    assert client.post("/work/bulk/", data | {"sure": "1", "queue": "", "reason": "r"}).status_code == 409
    assert (
        client.post("/work/bulk/", data | {"sure": "1", "queue": clinic.triage.pk, "reason": ""}).status_code
        == 409
    )
    client.post("/work/bulk/", data | {"sure": "1", "queue": clinic.triage.pk, "reason": "Theirs."})
    assert set(clinic.triage.tasks.all()) == set(tasks)


def test_claiming_many_leaves_out_the_urgent_and_claiming_one_does_not(
    clinic: Clinic, picked: dict[str, Task]
) -> None:
    client = client_of(clinic.nurse)
    versions = seen(*picked.values())
    client.post("/work/bulk/", {"do": "claim", "task": [f"{pk}:{v}" for pk, v in versions.items()]})
    claimed = set(Task.objects.filter(owner=clinic.nurse, state=State.CLAIMED))
    assert claimed == {picked["first"], picked["second"], picked["stale"]}
    urgent = picked["urgent"]
    client.post("/work/bulk/", {"do": "claim", "task": f"{urgent.pk}:{urgent.version}"})
    urgent.refresh_from_db()
    assert urgent.owner == clinic.nurse


@pytest.mark.parametrize(
    "data", [{}, {"do": "claim"}, {"do": "resolve", "task": "x:1"}, {"do": "nonsense", "task": "1:1"}]
)
def test_nothing_picked_or_nothing_known_is_told_and_changes_nothing(clinic: Clinic, data: dict) -> None:
    clinic.task()
    response = client_of(clinic.nurse).post("/work/bulk/", data | {"back": "https://elsewhere.example/"})
    assert response["Location"] == "/work/"
    assert not Task.objects.exclude(state=State.OPEN).exists()


def test_another_queues_tasks_are_not_there_to_be_picked(clinic: Clinic) -> None:
    task = clinic.task("billing")
    data = {"do": "claim", "task": f"{task.pk}:{task.version}"}
    html = client_of(clinic.nurse).post("/work/bulk/", data, follow=True).content.decode()
    assert "Select something first" in html
    task.refresh_from_db()
    assert task.owner is None
