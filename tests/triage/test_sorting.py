"""Was it sorted right? The page for leads and routing admins."""

import pytest
from django.test import Client

from queues import actions as queues
from queues.assessing import Assessed
from queues.urgency import Urgency
from tests import factories as make
from tests.clinic import Clinic
from triage import sorting
from triage.models import Ruleset

PAGE = "/work/rules/sorting/"


def judged(clinic: Clinic, right: Urgency | None = None, category: str | None = None, **answers: str) -> None:
    task = clinic.task(**answers)
    queues.claim(task=task, by=clinic.nurse)
    queues.resolve(
        task=task, outcome=clinic.done, assessed=Assessed(urgency=right, category=category), by=clinic.nurse
    )


def visitor(user: object) -> Client:
    client = Client()
    client.force_login(user)
    return client


def row(told: sorting.Sorting, name: str) -> sorting.Judged:
    return next(one for one in told.rules if one.name == name)


def test_each_rule_is_judged_by_what_it_raised(clinic: Clinic) -> None:
    judged(clinic, left="none")
    judged(clinic, Urgency.ROUTINE, left="none")
    judged(clinic, Urgency.URGENT, left="days")
    told = sorting.sorting()
    none_left, unraised = row(told, "none left"), row(told, sorting.UNSET)
    assert (none_left.count, none_left.right, none_left.over, none_left.under) == (2, 1, 1, 0)
    assert (unraised.count, unraised.under) == (1, 1)
    assert told.cells[Urgency.ROUTINE, Urgency.URGENT] == 1
    assert told.total.count == 3


def test_only_the_last_word_about_a_task_counts(clinic: Clinic) -> None:
    from intake import actions as intake

    judged(clinic, Urgency.URGENT)
    task = clinic.patient.conversations.get().tasks.get()
    intake.write(conversation=task.conversation, body="One more thing, thank you.", by=clinic.patient.user)
    task.refresh_from_db()
    queues.claim(task=task, by=clinic.nurse)
    queues.resolve(task=task, outcome=clinic.done, assessed=Assessed(), by=clinic.nurse)
    told = sorting.sorting()
    assert (told.total.count, told.total.under) == (1, 0)


def test_what_staff_move_on_is_counted_for_the_rule_that_picked_the_queue(clinic: Clinic) -> None:
    task = clinic.task()
    queues.hand_over(task=task, queue=clinic.triage, reason="Not a refill.", by=clinic.nurse)
    clinic.task()
    picked = row(sorting.sorting(), "refills to nursing")
    assert (picked.sent, picked.moved) == (2, 1)


def test_small_groups_are_never_told_by_their_number_nor_what_gives_them_away(clinic: Clinic) -> None:
    for language, count in (("en", 12), ("es", 3)):
        clinic.patient = make.PatientFactory(facility=clinic.facility, language=language)
        for each in range(count):
            judged(clinic, Urgency.URGENT if each == 0 else None)
    told = sorting.sorting()
    assert told.total.count == 15
    english, spanish = told.languages
    assert (english.name, spanish.name) == ("English", "Español")
    # All together is told, so that what is told of one is told of the other.
    assert english.cells[:3] == spanish.cells[:3] == [None] * 3
    assert english.cells[3] == spanish.cells[3] == 0
    page = visitor(make.staff("lead")).get(PAGE).content.decode()
    assert "fewer than 11" in page
    # There is one place, and so nothing to compare it with.
    assert told.facilities == []
    assert "By facility" not in page


def test_large_groups_are_told(clinic: Clinic) -> None:
    for language in ("en", "es"):
        clinic.patient = make.PatientFactory(facility=clinic.facility, language=language)
        for _each in range(11):
            judged(clinic)
    assert [line.cells for line in sorting.sorting().languages] == [[11, 11, 0, 0, 0]] * 2


@pytest.mark.parametrize("who", ["nurse", "biller", "patient"])
def test_nobody_else_finds_the_page(clinic: Clinic, who: str) -> None:
    user = clinic.patient.user if who == "patient" else getattr(clinic, who)
    assert visitor(user).get(PAGE).status_code == 404
    assert visitor(user).post(PAGE + "mend/", {"rule": "none left"}).status_code == 404


def test_an_admin_opens_a_draft_with_the_rule_to_mend(clinic: Clinic) -> None:
    for _each in range(4):
        judged(clinic, Urgency.URGENT, left="none")
    admin = visitor(clinic.admin)
    page = admin.get(PAGE).content.decode()
    assert "Mend it in a draft" in page
    response = admin.post(PAGE + "mend/", {"rule": "none left"})
    draft = Ruleset.objects.get(status=Ruleset.Status.DRAFT)
    rule = draft.rules.get(name="none left")
    assert response.url == f"/admin/triage/rule/{rule.pk}/build/"
    # A second one goes into the same draft.
    assert "/build/" in admin.post(PAGE + "mend/", {"rule": "all else"}).url


def test_a_lead_sees_the_rule_and_cannot_change_it(clinic: Clinic) -> None:
    for _each in range(4):
        judged(clinic, Urgency.URGENT, left="none")
    lead = visitor(make.staff("lead"))
    page = lead.get(PAGE).content.decode()
    assert "none left" in page
    assert "Mend it in a draft" not in page
    assert lead.post(PAGE + "mend/", {"rule": "none left"}).status_code == 404


def test_before_anybody_has_said_anything_the_page_says_what_will_be_there(clinic: Clinic) -> None:
    assert "Nobody has said yet" in visitor(clinic.admin).get(PAGE).content.decode()
