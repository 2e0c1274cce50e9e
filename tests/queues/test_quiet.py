"""Quiet hours hold every mail back that is no alarm."""

from datetime import time, timedelta

from audit.now import at
from portal.people.models import Mail
from queues import actions, tasks
from queues.models import Quiet
from tests.clinic import Clinic
from tests.queues.looks import MONDAY

NOON = MONDAY + timedelta(hours=2)


def test_a_mention_is_mailed_when_they_are_over(clinic: Clinic) -> None:
    Quiet.objects.create(user=clinic.second_nurse, quiet_from=time(9), quiet_until=time(12))
    with at(MONDAY):
        task = actions.claim(task=clinic.task(), by=clinic.nurse)
        note = actions.add_note(task=task, body="@Kim, please look.", by=clinic.nurse)
    assert [mention.user for mention in note.mentions.all()] == [clinic.second_nurse]
    assert Mail.objects.get(kind="mention").not_before == NOON


def test_the_mail_of_the_day_waits_for_their_end_too(clinic: Clinic) -> None:
    Quiet.objects.create(
        user=clinic.physician, quiet_from=time(9), quiet_until=time(12), digest_at=time(9, 30)
    )
    with at(MONDAY):
        task = actions.claim(task=clinic.task(), by=clinic.nurse)
        actions.escalate(task=task, situation="Cough.", question="Change it?", by=clinic.nurse)
        for _again in range(2):
            tasks.send_digests()
    assert Mail.objects.get(kind="digest").not_before == NOON


def test_a_question_that_was_seen_and_not_answered_is_in_the_mail_of_the_next_day(clinic: Clinic) -> None:
    with at(MONDAY):
        task = actions.claim(task=clinic.task(), by=clinic.nurse)
        actions.escalate(task=task, situation="Cough.", question="Change it?", by=clinic.nurse)
        tasks.sweep()
        actions.see_notices(by=clinic.physician)
    with at(MONDAY + timedelta(days=1)):
        tasks.send_digests()
    assert Mail.objects.get(kind="digest").recipient == clinic.physician
