"""Who is looking at a task."""

from datetime import timedelta

from audit.now import at, now
from queues import presence
from queues.models import Presence
from tests.clinic import Clinic
from tests.queues.test_pages import client_of


def test_two_who_look_at_the_same_task_are_told_of_each_other(clinic: Clinic) -> None:
    address = clinic.task().get_absolute_url() + "here/"
    assert client_of(clinic.nurse).post(address).content.decode().strip() == ""
    told = client_of(clinic.second_nurse).post(address).content.decode()
    assert "Kim" not in told
    assert "Ana Ruiz, RN is looking at this too" in told


def test_who_closed_the_page_is_forgotten_after_a_moment(clinic: Clinic) -> None:
    first, second = clinic.task(), clinic.task()
    with at(now() - presence.LASTS - timedelta(seconds=1)):
        presence.arrive(task=first, by=clinic.nurse)
        presence.arrive(task=first, by=clinic.nurse)
    assert presence.others([first.pk, second.pk], than=clinic.second_nurse) == {}
    presence.arrive(task=second, by=clinic.nurse)
    assert presence.others([first.pk, second.pk], than=clinic.second_nurse) == {second.pk: [clinic.nurse]}
    assert Presence.objects.count() == 1


def test_outsiders_are_not_told_and_not_noted(clinic: Clinic) -> None:
    address = clinic.task().get_absolute_url() + "here/"
    assert client_of(clinic.biller).post(address).status_code == 404
    assert not Presence.objects.exists()
