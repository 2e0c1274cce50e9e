"""What the clock does by itself: each step once, the right people told, nothing that a worker's sleep can lose."""

from collections.abc import Callable
from datetime import UTC, datetime, time, timedelta
from typing import Any

import pytest
from django.db import IntegrityError, connection, transaction

from audit.models import Event
from audit.now import at, now
from intake import actions as intake
from portal.people.models import Closure, Mail
from queues import actions, tasks, watch
from queues.attendance import attendance
from queues.models import Coverage, Notice, PromiseMove, Queue, Quiet, Task
from queues.states import State
from queues.urgency import Urgency
from tests import factories as make
from tests.clinic import Clinic
from tests.queues.looks import CHEST, MONDAY, OFFICE, sweep_at, told


def test_half_of_the_time_most_of_it_and_all_of_it_are_told_once_to_the_right_people(
    clinic: Clinic, lead
) -> None:
    with at(MONDAY):
        task = actions.claim(task=clinic.task(), by=clinic.nurse)
    promised = task.respond_due - MONDAY
    # So that the claim doesn't fall asleep meanwhile.
    Queue.objects.filter(pk=clinic.refills.pk).update(sleeps_after=6000)
    for share in (0.49, 0.5, 0.5, 0.79, 0.8, 0.8):
        sweep_at(MONDAY + promised * share)
    assert told(task) == [("half", "Ana"), ("nearly", "Ana"), ("nearly", "Kim")]
    for _again in range(3):
        sweep_at(task.respond_due)
    assert told(task)[3:] == [("late", "Ana"), ("late", "Lena")]
    line = task.conversation.messages.get()
    assert line.author is None
    assert "we are late" in line.body
    assert clinic.facility.after_hours_phone in line.body
    assert Mail.objects.filter(recipient=clinic.patient.user).count() == 1


def test_after_a_night_without_workers_only_what_counts_is_told(clinic: Clinic, lead) -> None:
    with at(MONDAY):
        task = clinic.task()
    sweep_at(task.respond_due + timedelta(minutes=1))
    assert {kind for kind, _who in told(task)} == {"late"}


def test_what_stays_late_goes_to_whoever_covers_who_may_then_claim_it(clinic: Clinic, lead) -> None:
    helpers = make.queue("helpers", name="Helpers")
    helper = make.staff("nurse", name="Hal Helper", queues_worked=(helpers,))
    Coverage.objects.create(queue=clinic.refills, covering_queue=helpers)
    with at(MONDAY):
        task = clinic.task()
    assert not Task.objects.visible_to(helper).exists()
    sweep_at(task.respond_due + (task.respond_due - MONDAY) / 2)
    assert ("still-late", "Hal") in told(task)
    assert actions.claim(task=task, by=helper).owner == helper


def test_an_answered_task_has_a_clock_for_its_outcome_of_which_the_patient_was_told_no_time(
    clinic: Clinic, lead
) -> None:
    with at(MONDAY):
        task = actions.claim(task=clinic.task(), by=clinic.nurse)
        actions.reply(task=task, body="We look into it.", by=clinic.nurse)
    Queue.objects.update(sleeps_after=6000)
    task.refresh_from_db()
    sweep_at(task.due_at)
    assert ("late", "Lena") in told(task)
    assert not task.conversation.messages.filter(author=None).exists()


def test_urgent_work_is_alerted_until_somebody_takes_it_up(clinic: Clinic, lead) -> None:
    helpers = make.queue("helpers", name="Helpers")
    make.staff("nurse", name="Hal Helper", queues_worked=(helpers,))
    Coverage.objects.create(queue=clinic.urgent, covering_queue=helpers)
    with at(MONDAY):
        task = clinic.task(**CHEST)
    for minutes, people in ((0, "Ana Kim"), (10, "Ana Kim Lena"), (20, "Ana Kim Lena Hal")):
        before = len(told(task))
        sweep_at(MONDAY + timedelta(minutes=minutes))
        assert {who for kind, who in told(task)[before:] if kind == "take-up"} == set(people.split())
    with at(MONDAY + timedelta(minutes=25)):
        actions.acknowledge(task=task, by=clinic.nurse)
    before = len(told(task))
    sweep_at(MONDAY + timedelta(minutes=29))
    assert len(told(task)) == before
    assert not Notice.objects.unseen_by(clinic.nurse).filter(task=task).exists()
    alarms = Mail.objects.filter(kind="alarm")
    assert {mail.path for mail in alarms} == {task.get_absolute_url()}


def test_on_friday_night_the_covering_queue_is_alerted_at_once(clinic: Clinic) -> None:
    office = make.CalendarFactory(hours=OFFICE)
    night = make.queue("night", name="Night")
    owl = make.staff("nurse", name="Olga Owl", queues_worked=(night,))
    clinic.urgent.calendar, clinic.urgent.urgent_cover = office, night
    clinic.urgent.receives_urgent = True
    actions.save_queue(clinic.urgent, by=None)
    friday_night = datetime(2027, 7, 10, 3, tzinfo=UTC)  # eleven in the evening of Friday
    assert attendance(clinic.urgent, Urgency.URGENT).reads(friday_night)
    assert not attendance(clinic.urgent, Urgency.ROUTINE).reads(friday_night)
    with at(friday_night):
        task = clinic.task(**CHEST)
        tasks.sweep()
        assert ("take-up", "Olga") in told(task)
        assert actions.claim(task=task, by=owl).owner == owl


def test_a_wait_has_a_reminder_and_an_end_and_the_patient_is_told_the_new_time(clinic: Clinic) -> None:
    with at(MONDAY):
        task = actions.claim(task=clinic.task(), by=clinic.nurse)
        actions.ask_back(task=task, question="Which pharmacy?", by=clinic.nurse)
    due = Task.objects.get().resolve_due
    for hours in (47, 48, 48, 60):
        sweep_at(MONDAY + timedelta(hours=hours))
    lines = list(task.conversation.messages.filter(author=None).values_list("body", flat=True))
    assert len(lines) == 1
    assert "need your answer" in lines[0]
    sweep_at(MONDAY + timedelta(hours=120))
    task.refresh_from_db()
    assert (task.state, task.owner) == (State.OPEN, None)
    assert task.resolve_due - due == timedelta(hours=120)
    assert "we go on with what we know" in task.conversation.messages.last().body
    assert ("wait-over", "Ana") in told(task)
    move = PromiseMove.objects.get()
    assert (move.reason, move.after) == ("pause", task.due_at)


def test_a_sleepy_claim_goes_back_and_says_so_to_its_owner(clinic: Clinic) -> None:
    with at(MONDAY):
        task = actions.claim(task=clinic.task(), by=clinic.nurse)
    sweep_at(MONDAY + timedelta(minutes=239))
    assert Task.objects.get().owner == clinic.nurse
    sweep_at(MONDAY + timedelta(minutes=240))
    task = Task.objects.get()
    assert (task.state, task.owner) == (State.OPEN, None)
    assert ("fell-asleep", "Ana") in told(task)


def test_a_claim_that_is_worked_on_does_not_sleep(clinic: Clinic) -> None:
    with at(MONDAY):
        task = actions.claim(task=clinic.task(), by=clinic.nurse)
    with at(MONDAY + timedelta(minutes=200)):
        actions.reply(task=task, body="A moment.", by=clinic.nurse)
    sweep_at(MONDAY + timedelta(minutes=300))
    assert Task.objects.get().owner == clinic.nurse


def test_a_call_that_reaches_nobody_is_work_too(clinic: Clinic) -> None:
    with at(MONDAY):
        task = actions.claim(task=clinic.task(), by=clinic.nurse)
    with at(MONDAY + timedelta(minutes=200)):
        actions.log_call(task=task, result="no-answer", by=clinic.nurse)
    sweep_at(MONDAY + timedelta(minutes=439))
    assert Task.objects.get().owner == clinic.nurse
    sweep_at(MONDAY + timedelta(minutes=440))
    assert Task.objects.get().owner is None


def test_opening_the_page_while_an_urgent_reply_can_still_be_undone_is_not_reading_it(
    clinic: Clinic, settings: Any
) -> None:
    settings.UNDO_SECONDS = 10
    with at(MONDAY):
        task = actions.claim(task=clinic.task(**CHEST), by=clinic.nurse)
        actions.reply(task=task, body="Call 911 now.", by=clinic.nurse)
    reader = task.conversation.author
    with at(MONDAY + timedelta(seconds=3)):
        actions.mark_read(conversation=task.conversation, by=reader)
    assert Task.objects.get().unread_since == MONDAY
    with at(MONDAY + timedelta(seconds=11)):
        actions.mark_read(conversation=task.conversation, by=reader)
    assert Task.objects.get().unread_since is None


def test_an_urgent_reply_that_nobody_reads_becomes_a_call_even_after_the_end(clinic: Clinic) -> None:
    with at(MONDAY):
        task = actions.claim(task=clinic.task(**CHEST), by=clinic.nurse)
        actions.resolve(task=task, outcome=clinic.done, body="Call 911 now.", by=clinic.nurse)
    sweep_at(MONDAY + timedelta(minutes=29))
    assert Task.objects.get().state == State.RESOLVED
    sweep_at(MONDAY + timedelta(minutes=30))
    task = Task.objects.get()
    assert (task.state, task.call_since) == (State.REOPENED, MONDAY + timedelta(minutes=30))
    assert ("call", "Ana") in told(task)
    with at(MONDAY + timedelta(minutes=35)):
        actions.claim(task=task, by=clinic.nurse)
        actions.log_call(task=task, result="no-answer", by=clinic.nurse)
        assert Task.objects.get().call_since
        actions.log_call(task=task, result="reached", by=clinic.nurse)
        assert Task.objects.get().call_since is None


def test_an_urgent_reply_that_is_read_needs_no_call(clinic: Clinic) -> None:
    with at(MONDAY):
        task = actions.claim(task=clinic.task(**CHEST), by=clinic.nurse)
        actions.reply(task=task, body="Call 911 now.", by=clinic.nurse)
    with at(MONDAY + timedelta(minutes=20)):
        actions.mark_read(conversation=task.conversation, by=clinic.patient.user)
    sweep_at(MONDAY + timedelta(minutes=40))
    assert not Notice.objects.filter(kind="call").exists()


def test_an_urgent_question_is_acknowledged_or_goes_to_the_covering_physician(clinic: Clinic, lead) -> None:
    covering = make.staff("physician", name="Cora Cover", title="MD", queues_worked=(clinic.physicians,))
    actions.set_members(queue=clinic.physicians, people=[clinic.physician], by=None)
    Coverage.objects.create(queue=clinic.physicians, person=covering)
    with at(MONDAY):
        task = actions.claim(task=clinic.task(**CHEST), by=clinic.nurse)
        actions.escalate(task=task, situation="Chest pain.", question="Send them in?", by=clinic.nurse)
    sweep_at(MONDAY)
    assert told(task)[-1] == ("asked-urgently", "Dana")
    assert not Task.objects.visible_to(covering).exists()
    sweep_at(MONDAY + timedelta(minutes=10))
    assert ("asked-urgently", "Cora") in told(task)
    with at(MONDAY + timedelta(minutes=12)):
        actions.acknowledge(task=task, by=covering)
    before = len(told(task))
    sweep_at(MONDAY + timedelta(minutes=25))
    assert [each for each in told(task)[before:] if each[0] == "asked-urgently"] == []
    with at(MONDAY + timedelta(minutes=26)):
        actions.answer(escalation=task.escalations.get(), text="Yes, 911.", by=covering)


def test_an_ordinary_question_is_a_notice_and_part_of_one_mail_a_day(clinic: Clinic) -> None:
    with at(MONDAY):
        task = actions.claim(task=clinic.task(), by=clinic.nurse)
        actions.escalate(task=task, situation="Cough.", question="Change it?", by=clinic.nurse)
        tasks.sweep()
        assert told(task) == [("asked", "Dana")]
        assert not Mail.objects.filter(recipient=clinic.physician).exists()
        for _again in range(3):
            tasks.send_digests()
        mail = Mail.objects.get(recipient=clinic.physician)
        assert (mail.kind, mail.path) == ("digest", "/work/notices/")
    with at(MONDAY + timedelta(hours=12)):  # ten in the evening
        tasks.send_digests()
    with at(MONDAY + timedelta(hours=20)):  # six in the morning: not yet
        tasks.send_digests()
    assert Mail.objects.filter(kind="digest", recipient=clinic.physician).count() == 1
    with at(MONDAY + timedelta(hours=22)):
        tasks.send_digests()
    assert Mail.objects.filter(kind="digest", recipient=clinic.physician).count() == 2


def test_quiet_hours_hold_back_a_mail_but_not_an_urgent_one(clinic: Clinic) -> None:
    Quiet.objects.create(user=clinic.physician, digest=False, quiet_from=time(9), quiet_until=time(12))
    with at(MONDAY):
        for answers in ({}, CHEST):
            task = actions.claim(task=clinic.task(**answers), by=clinic.nurse)
            actions.escalate(task=task, situation="Cough.", question="Change it?", by=clinic.nurse)
        tasks.sweep()
    mails = {mail.kind: mail for mail in Mail.objects.filter(recipient=clinic.physician)}
    assert mails["notice"].not_before == MONDAY + timedelta(hours=2)
    assert mails["alarm"].not_before == MONDAY


def test_a_third_hand_over_goes_to_the_lead(clinic: Clinic, lead) -> None:
    task = clinic.task()
    for queue in (clinic.triage, clinic.refills, clinic.triage):
        assert not Notice.objects.filter(kind="handed-around").exists()
        actions.hand_over(task=task, queue=queue, reason="theirs", by=clinic.nurse)
    assert told(task)[-1] == ("handed-around", "Lena")


def test_a_hand_over_begins_the_queues_clock_anew_and_leaves_the_patients(clinic: Clinic) -> None:
    with at(MONDAY):
        task = clinic.task()
    with at(MONDAY + timedelta(hours=3)):
        actions.hand_over(task=task, queue=clinic.triage, reason="theirs", by=clinic.nurse)
    due, task = task.due_at, Task.objects.get()
    assert task.due_at == due
    first, second = task.legs.all()
    assert (first.left_at, second.entered_at) == (MONDAY + timedelta(hours=3),) * 2
    assert second.respond_due - second.entered_at == first.respond_due - first.entered_at
    assert not PromiseMove.objects.exists()


def test_a_hand_over_to_a_team_that_opens_too_late_tells_the_patient_the_new_time(clinic: Clinic) -> None:
    office = make.queue("office", name="Office", calendar=make.CalendarFactory(hours=OFFICE))
    make.staff("nurse", queues_worked=(office,))
    with at(datetime(2027, 7, 9, 22, tzinfo=UTC)):  # six in the evening on Friday
        task = clinic.task()
        actions.hand_over(task=task, queue=office, reason="theirs", by=clinic.nurse)
    task.refresh_from_db()
    assert task.due_at == datetime(2027, 7, 13, 14, tzinfo=UTC)  # eight of its hours later
    line = task.conversation.messages.get()
    assert "went to the office team" in line.body
    assert "Tuesday" in line.body
    assert PromiseMove.objects.get().reason == "hand-over"


def test_reopening_promises_anew_and_says_so_in_the_readers_language(clinic: Clinic) -> None:
    clinic.patient.user.language = "es"
    clinic.patient.user.save()
    task = actions.claim(task=clinic.task(), by=clinic.nurse)
    actions.resolve(task=task, outcome=clinic.done, by=clinic.nurse)
    actions.hear_from_patient(conversation=task.conversation, body="Una cosa más.", by=clinic.patient.user)
    task.refresh_from_db()
    assert task.state == State.REOPENED
    assert PromiseMove.objects.get().reason == "reopen"
    assert [leg.left_at is None for leg in task.legs.all()] == [False, True]


def test_a_queue_that_never_opens_again_gives_a_time_all_the_same_and_the_lead_hears_of_it(
    clinic: Clinic, lead
) -> None:
    calendar = make.CalendarFactory(hours={"mon": [["09:00", "17:00"]]})
    day = datetime(2027, 7, 5, tzinfo=UTC).date()
    Closure.objects.bulk_create(
        Closure(calendar=calendar, day=day + timedelta(days=7 * week), name="closed") for week in range(120)
    )
    clinic.refills.calendar = calendar
    clinic.refills.save()
    with at(MONDAY):
        task = clinic.task()
        assert task.respond_due == MONDAY + timedelta(hours=8)
        tasks.sweep()
        tasks.sweep()
        assert told(task) == [("never-opens", "Lena")]
        assert any("never opens" in str(problem) for problem in watch.problems())


def test_the_nightly_check_tells_the_lead_of_a_queue_whose_last_role_ended_with_the_day(
    clinic: Clinic, lead
) -> None:
    with at(MONDAY):
        actions.claim(task=clinic.task(), by=clinic.nurse)
        assert list(watch.problems()) == []
        for nurse in (clinic.nurse, clinic.second_nurse):
            nurse.staff_roles.update(since=MONDAY.date() - timedelta(days=3), until=MONDAY.date())
    with at(MONDAY + timedelta(days=1)):
        assert "Nobody works Refills" in str(next(watch.problems()))
        for _again in range(2):
            tasks.check_nightly()
    assert Notice.objects.filter(recipient=lead, kind="unstaffed", queue=clinic.refills).count() == 1
    assert Task.objects.get().state == State.OPEN


def test_the_database_keeps_the_last_one_who_works_a_queue_with_open_tasks(clinic: Clinic) -> None:
    clinic.task("billing")
    ways = (
        lambda: clinic.billing.members.user_set.clear(),
        lambda: type(clinic.biller).objects.filter(pk=clinic.biller.pk).update(is_active=False),
        lambda: clinic.billing.queuegrouppermission_set.all().delete(),
    )
    for leave in ways:
        with pytest.raises(IntegrityError, match="last member"):
            at_once(leave)


@transaction.atomic
def at_once(change: Callable[[], Any]) -> None:
    """Do it, and let the database look now at what it looks at when a transaction ends."""
    change()
    with connection.cursor() as cursor:
        cursor.execute("SET CONSTRAINTS ALL IMMEDIATE")


def test_retiring_with_a_successor_moves_everything_first(clinic: Clinic) -> None:
    other = make.queue("other", name="Other")
    make.staff("nurse", queues_worked=(other,))
    clinic.task()
    waiting = actions.claim(task=clinic.task(), by=clinic.nurse)
    actions.ask_back(task=waiting, question="Which?", by=clinic.nurse)
    done = actions.claim(task=clinic.task(), by=clinic.nurse)
    actions.resolve(task=done, outcome=clinic.done, by=clinic.nurse)
    actions.hand_everything_on(queue=clinic.refills, to=other, by=clinic.admin)
    assert set(Task.objects.live().values_list("queue", "state", "owner")) == {(other.pk, "open", None)}
    Queue.objects.filter(pk=clinic.refills.pk).update(successor=other, retired_at=now())
    actions.hear_from_patient(conversation=done.conversation, body="More.", by=clinic.patient.user)
    done.refresh_from_db()
    assert (done.state, done.queue) == (State.REOPENED, other)


def test_a_full_queue_sends_new_routine_work_to_the_other_and_says_why(clinic: Clinic) -> None:
    clinic.refills.overflow_queue, clinic.refills.overflow_open = clinic.triage, 1
    clinic.refills.save()
    assert [clinic.task().queue for _ in range(3)] == [clinic.refills, clinic.refills, clinic.triage]
    assert "more than 1 open tasks" in Task.objects.latest("pk").why[0]
    assert clinic.task(left="none").queue == clinic.refills


def test_a_raise_tells_the_new_time(clinic: Clinic) -> None:
    task = clinic.task()
    intake.write(conversation=task.conversation, body=CHEST["which"], by=clinic.patient.user)
    task.refresh_from_db()
    assert (task.queue, task.acknowledged_at) == (clinic.urgent, None)
    assert "more urgent" in task.conversation.messages.last().body
    assert [move.reason for move in PromiseMove.objects.all()] == ["raise"]


def test_words_that_open_it_again_and_make_it_urgent_are_answered_with_one_line(clinic: Clinic) -> None:
    task = actions.claim(task=clinic.task(), by=clinic.nurse)
    actions.resolve(task=task, outcome=clinic.done, by=clinic.nurse)
    Mail.objects.all().delete()
    intake.write(conversation=task.conversation, body=CHEST["which"], by=clinic.patient.user)
    task.refresh_from_db()
    assert (task.state, task.queue) == (State.OPEN, clinic.urgent)
    lines = task.conversation.messages.shown().filter(author=None)
    assert len(lines) == 1
    assert "more urgent" in lines[0].body
    assert list(Mail.objects.filter(state=Mail.State.PENDING).values_list("recipient")) == [
        (clinic.patient.user_id,)
    ]
    assert [move.reason for move in PromiseMove.objects.all()] == ["reopen", "raise"]


def test_a_look_leaves_an_event_of_the_system(clinic: Clinic, lead) -> None:
    with at(MONDAY):
        task = clinic.task()
    sweep_at(task.respond_due)
    event = Event.objects.filter(action="queues.notice.tell").latest("pk")
    assert (event.agent, event.agent_role, event.patient_ids) == (None, "system", [clinic.patient.pk])


def test_coverage_by_the_day_holds_as_of_its_first_minute_in_the_queues_own_zone(clinic: Clinic) -> None:
    office = make.CalendarFactory(hours=OFFICE, time_zone="America/New_York")
    clinic.refills.calendar = office
    actions.save_queue(clinic.refills, by=None)
    lone = make.staff("nurse", name="Lou Lone")
    with at(MONDAY):
        task = clinic.task()
        Coverage.objects.create(
            queue=clinic.refills, when="days", person=lone, since="2027-07-06", until="2027-07-07"
        )
        actions.look_soon(clinic.refills)
        tasks.sweep()
    midnight = datetime(2027, 7, 6, 4, tzinfo=UTC)
    sweep_at(midnight - timedelta(minutes=1))
    assert ("covered", "Lou") not in told(task)
    with at(midnight):
        assert task.pk in Task.objects.due_for_the_clock().values_list("pk", flat=True)
        tasks.sweep()
        assert ("covered", "Lou") in told(task)
        assert actions.claim_next(by=lone) == task
