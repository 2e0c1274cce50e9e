"""What a task counts for, and that the sums a worker moves are those of a count from scratch."""

from __future__ import annotations

import random
from collections import Counter
from datetime import datetime, timedelta
from zoneinfo import ZoneInfo

import pytest
from django.conf import LazySettings
from django.db import transaction

from audit.now import at, now
from portal.people.models import Patient
from portal.people.policies import Refused
from queues import actions
from queues.assessing import Assessed
from queues.measures.cells import differences
from queues.measures.counting import Asked, Done, History, count
from queues.measures.reading import measured
from queues.models import MeasureCell, MeasureMark, Step, Task, TaskMeasure
from queues.states import DONE, State
from queues.tasks import sweep
from queues.urgency import Urgency
from tests import factories as make
from tests.clinic import Clinic

MONDAY = datetime(2026, 3, 2, 10, 0, tzinfo=ZoneInfo("America/New_York"))
MONTH = "2026-03-01"


def step(
    verb: str, after_minutes: float, before: str = "claimed", after: str = "claimed", **told: object
) -> Done:
    return Done(verb, before, after, MONDAY + timedelta(minutes=after_minutes), month=MONTH, **told)


OPENED = step("open", 0, "", "open")
CLAIMED = step("claim", 10, "open", by=1)


def due(minutes: float) -> datetime:
    return MONDAY + timedelta(minutes=minutes)


def counts(*steps: Done, after: float = 10_000, **told: object) -> Counter[str]:
    known = {"urgency": Urgency.ROUTINE, "due_at": due(240)} | told
    return count(History(steps=steps, counted_at=due(after), **known)).counts


class TestOneTask:
    def test_an_answer_and_an_end_in_time(self) -> None:
        found = counts(
            OPENED,
            CLAIMED,
            step("reply", 37, by=1, respond_due=due(240)),
            step("resolve", 50, after="resolved", by=1, resolve_due=due(600), minutes=4),
            outcome=7,
        )
        assert found == {
            "tasks": 1, "routed": 1, "answered": 1, "answer:37": 1, "answer promises": 1, "answers kept": 1,
            "resolved": 1, "end:50": 1, "end promises": 1, "ends kept": 1, "outcome:7": 1, "steps": 3, "minutes": 4,
        }  # fmt: skip

    def test_what_was_late_stays_late(self) -> None:
        found = counts(OPENED, step("reply", 300, by=1, respond_due=due(240)))
        assert (found["late"], found["answer promises"], found["answers kept"]) == (1, 1, 0)
        assert counts(OPENED, after=239)["late"] == 0
        assert counts(OPENED, after=241)["late"] == 1
        assert (
            counts(OPENED, step("ask back", 20, after="waiting", respond_due=due(240)), after=900)["late"]
            == 0
        )

    def test_the_wait_for_a_patient_is_not_ours(self) -> None:
        found = counts(
            OPENED,
            step("ask back", 20, after="waiting", by=1, respond_due=due(240)),
            step("hear from patient", 1020, "waiting"),
            step("resolve", 1030, after="resolved", by=1, resolve_due=due(2000)),
        )
        assert found["end:30"] == 1

    def test_a_step_that_was_taken_back_never_was(self) -> None:
        found = counts(
            OPENED,
            CLAIMED,
            step(
                "resolve", 30, after="resolved", by=1, respond_due=due(240), resolve_due=due(600), minutes=9
            ),
            step("undo", 31, "resolved", by=1, note="resolve"),
        )
        assert found == {"tasks": 1, "routed": 1, "open": 1, "late": 1, "steps": 1}

    def test_a_request_that_comes_back(self) -> None:
        ended = step("resolve", 30, after="resolved", by=1, respond_due=due(240), resolve_due=due(600))
        again = step("reopen", 60, "resolved", "reopened")
        assert counts(OPENED, ended, again)["reopened"] == 1
        assert counts(OPENED, ended, again)["resolved"] == 0
        # The time in which it was closed is nobody's; the promise of the second round counts beside the first.
        found = counts(
            OPENED,
            ended,
            again,
            step("reply", 90, respond_due=due(70)),
            step("resolve", 100, after="resolved"),
        )
        assert (found["end:70"], found["answer promises"], found["answers kept"], found["late"]) == (
            1,
            2,
            1,
            1,
        )
        assert found["answer:30"] == 1
        raised = step("raise", 61, "reopened", "open")
        assert counts(OPENED, ended, again, raised)["returned"] == 1

    @pytest.mark.parametrize(
        ("days", "urgency", "expected"),
        [(6, Urgency.SOON, 1), (6, Urgency.ROUTINE, 0), (8, Urgency.URGENT, 0), (-1, Urgency.URGENT, 0)],
    )
    def test_a_return_is_a_more_urgent_request_within_a_week(
        self, days: int, urgency: int, expected: int
    ) -> None:
        ended = step("resolve", 30, after="resolved", resolve_due=due(600))
        later = [Asked(due(30) + timedelta(days=days), urgency)]
        assert counts(OPENED, ended, later=later)["returned"] == expected
        assert counts(OPENED, later=later)["returned"] == 0

    def test_a_physician_is_reached_by_a_queue_a_question_or_words(self) -> None:
        assert counts(OPENED)["reached"] == 0
        assert counts(OPENED, step("hand over", 5, physicians=True))["reached"] == 1
        assert counts(OPENED, questions=2)["reached"] == 1
        assert counts(OPENED, physician_wrote=True)["reached"] == 1
        # A part that a colleague split off is no message of a patient's.
        assert counts(OPENED, questions=1, routed=False)["reached"] == 0

    def test_a_baseline_still_asks_what_had_to_be_asked(self) -> None:
        found = counts(OPENED, former={3: False, 4: True})
        assert (found["known:3"], found["former:3"], found["former:4"]) == (1, 0, 1)
        assert counts(OPENED, former={3: False}, questions=1)["former:3"] == 1

    def test_work_is_credited_to_who_did_it(self) -> None:
        found = count(
            History(
                steps=[
                    OPENED,
                    CLAIMED,
                    step("reply", 20, by=1, in_hours=False),
                    step("message", 30, by=9),
                    step("answer", 40, by=2, minutes=3, by_physician=True),
                    step("fall asleep", 50),
                ],
                counted_at=due(60),
                urgency=Urgency.ROUTINE,
                due_at=due(240),
            )
        )
        assert found.work == {
            (MONTH, 1): {"tasks": 1, "steps": 2, "replies": 1, "after hours": 1},
            (MONTH, 2): {"tasks": 1, "steps": 1, "questions answered": 1, "minutes": 3},
        }
        assert (found.counts["steps"], found.counts["after hours"], found.counts["doctor minutes"]) == (
            3,
            1,
            3,
        )


def count_changes() -> int:
    done = 0
    while taken := actions.count_changes():
        done += taken
    return done


def cells() -> dict[str, dict[str, int]]:
    return dict(MeasureCell.objects.values_list("code", "counts"))


def from_scratch() -> dict[str, dict[str, int]]:
    """The same sums, out of the tasks as they are and of nothing that was counted before."""
    every = measured(list(Task.objects.values_list("pk", flat=True)))
    return {place.code: dict(counts) for place, counts in differences([], every).items()}


class TestTheSums:
    def test_a_request_is_counted_where_it_came_in_and_moves_with_what_happens(self, clinic: Clinic) -> None:
        with at(MONDAY):
            task = clinic.task()
            actions.claim(task=task, by=clinic.nurse)
        assert count_changes()
        assert not MeasureMark.objects.exists()
        place = f"{clinic.facility.pk}"
        assert cells()[f"month|{MONTH}|{place}|queue|{clinic.refills.pk}"]["open"] == 1
        with at(MONDAY + timedelta(hours=1)):
            task.refresh_from_db()
            actions.hand_over(task=task, queue=clinic.billing, reason="A bill.", by=clinic.nurse)
            actions.claim(task=task, by=clinic.biller)
            actions.resolve(task=task, outcome=clinic.done, by=clinic.biller, minutes_spent=5)
        count_changes()
        found = cells()
        for code in (
            f"week|2026-03-02|{place}|all|",
            f"month|{MONTH}|0|role|nurse",
            f"month|{MONTH}|0|type|refill",
        ):
            assert found[code]["resolved"] == found[code]["rerouted"] == found[code]["answers kept"] == 1
            assert "open" not in found[code]
        assert f"month|{MONTH}|{place}|queue|{clinic.billing.pk}" not in found
        credit = found[f"month|{MONTH}|{place}|person|{clinic.biller.pk}"]
        assert credit == {"tasks": 1, "steps": 2, "resolved": 1, "minutes": 5}

    def test_a_promise_that_passes_is_late_though_nobody_touched_it(self, clinic: Clinic) -> None:
        with at(MONDAY):
            clinic.task()
            sweep()
            count_changes()
            assert all("late" not in counts for counts in cells().values())
        with at(MONDAY + timedelta(days=14)):
            sweep()
            count_changes()
            assert cells()[f"month|{MONTH}|0|all|"]["late"] == 1

    def test_what_somebody_judged_wrong_is_under_triage(self, clinic: Clinic) -> None:
        with at(MONDAY):
            task = actions.claim(task=clinic.task(), by=clinic.nurse)
            actions.resolve(
                task=task, outcome=clinic.done, by=clinic.nurse, assessed=Assessed(urgency=Urgency.URGENT)
            )
            count_changes()
        assert cells()[f"month|{MONTH}|0|all|"]["under"] == 1

    def test_who_moves_takes_their_requests_along(self, clinic: Clinic) -> None:
        with at(MONDAY):
            clinic.task()
            count_changes()
        clinic.patient.facility = make.FacilityFactory(code="hillside")
        clinic.patient.save()
        count_changes()
        assert cells() == from_scratch()
        assert f"month|{MONTH}|{clinic.facility.pk}|all|" not in cells()

    def test_a_change_that_is_rolled_back_leaves_no_mark(self, clinic: Clinic) -> None:
        task = clinic.task()
        count_changes()
        with transaction.atomic():
            actions.claim(task=task, by=clinic.nurse)
            assert MeasureMark.objects.get().task_id == task.pk
            transaction.set_rollback(True)
        assert not MeasureMark.objects.exists()

    @pytest.mark.parametrize("seed", range(2))
    def test_moved_sums_equal_a_count_from_scratch(
        self, clinic: Clinic, settings: LazySettings, seed: int
    ) -> None:
        """Months of chance: requests of several people, everything that staff and patients may do with them in any
        order, late corrections too; counted at odd times."""
        settings.UNDO_SECONDS = 10
        _Chance(clinic, random.Random(seed)).go(150)
        with at(MONDAY + timedelta(days=400)):
            sweep()  # what became late since
            count_changes()
            assert cells() == from_scratch()
            assert Step.objects.filter(verb="undo").exists()
            assert Step.objects.filter(verb="reopen").exists()
            _agrees_with_plain_counts(clinic)
            before = cells()
            actions.count_all()
            assert cells() == before
            assert TaskMeasure.objects.count() == Task.objects.count()

    def test_a_change_costs_what_it_changed(self, clinic: Clinic, django_assert_max_num_queries) -> None:
        """As many statements with much history as with little, and only the cells of what changed are written."""
        for day in range(40):
            with at(MONDAY + timedelta(days=day)):
                clinic.task()
        count_changes()
        before = cells()
        task = Task.objects.order_by("pk").first()
        assert task is not None
        with at(MONDAY + timedelta(hours=2)):
            actions.claim(task=task, by=clinic.nurse)
            with django_assert_max_num_queries(22):
                assert actions.count_changes() == 1
        moved = {code for code, counts in cells().items() if counts != before.get(code)}
        assert (
            len(moved) == 14
        )  # two places: the week, and the month by all, role, queue, type, language, person


def _agrees_with_plain_counts(clinic: Clinic) -> None:
    """The sums against counts that are written another way, from the rows alone."""
    whole: Counter[str] = Counter()
    for counted in MeasureCell.objects.filter(grain="month", place=0, cut="all").values_list(
        "counts", flat=True
    ):
        whole.update(counted)
    assert whole["tasks"] == Task.objects.count()
    assert whole["resolved"] == Task.objects.filter(state=State.RESOLVED).count()
    assert whole["withdrawn"] == Task.objects.filter(state=State.WITHDRAWN).count()
    assert whole["open"] == Task.objects.exclude(state__in=DONE).count()
    assert whole["rerouted"] == Task.objects.filter(steps__verb="hand over").distinct().count()
    assert whole["reopened"] == Task.objects.filter(steps__verb="reopen").distinct().count()
    assert whole["asked"] == Task.objects.filter(escalations__isnull=False).distinct().count()
    assert sum(number for name, number in whole.items() if name.startswith("answer:")) == whole["answered"]
    assert sum(number for name, number in whole.items() if name.startswith("end:")) == whole["resolved"]
    assert sum(number for name, number in whole.items() if name.startswith("outcome:")) == whole["resolved"]


MAY: dict[State, list[str]] = {
    State.OPEN: ["claim", "claim", "claim", "hand over", "withdraw", "patient", "resolve"],
    State.REOPENED: ["claim", "claim", "hand over", "patient"],
    State.CLAIMED: [
        "reply",
        "ask back",
        "resolve",
        "resolve",
        "hand over",
        "escalate",
        "split",
        "call",
        "withdraw",
    ],
    State.WAITING: ["patient", "patient", "withdraw", "call"],
    State.ESCALATED: ["answer", "answer", "patient", "withdraw"],
    State.RESOLVED: ["patient"],
    State.WITHDRAWN: ["keep"],
}


class _Chance:
    """Does what may be done, by chance. What is refused is refused and leaves nothing."""

    def __init__(self, clinic: Clinic, chance: random.Random) -> None:
        self.clinic, self.chance = clinic, chance
        self.patients: list[Patient] = [clinic.patient, clinic.stranger]
        self.moment = MONDAY

    def go(self, times: int) -> None:
        for _time in range(times):
            self.moment += timedelta(minutes=self.chance.choice([0, 1, 7, 60, 600, 4000]))
            with at(self.moment):
                try:
                    with transaction.atomic():
                        task = self.something()
                    if task is not None and task.holds.exists() and self.chance.random() < 0.5:
                        task.refresh_from_db()
                        actions.undo(task=task, by=task.owner or self.clinic.nurse)
                except Refused:
                    pass
                if self.chance.random() < 0.2:
                    sweep()
                if self.chance.random() < 0.3:
                    actions.count_changes()

    def something(self) -> Task | None:
        clinic, pick = self.clinic, self.chance.choice
        tasks = list(Task.objects.order_by("pk"))
        if not tasks or self.chance.random() < 0.12:
            clinic.send(
                pick(["refill", "billing"]), left=pick(["none", "days"])
            ) if self.chance.random() < 0.5 else (
                clinic.send(
                    "refill", problems="true", **{"problem-kind": pick(["skin", "chest"]), "which": "It."}
                )
            )
            return None
        task = pick(tasks[-4:])
        works = {clinic.billing.pk: clinic.biller, clinic.physicians.pk: clinic.physician}
        nurse = works.get(task.queue_id) or pick([clinic.nurse, clinic.second_nurse])
        by = task.owner or nurse
        verbs = {
            "claim": lambda: actions.claim(task=task, by=nurse),
            "reply": lambda: actions.reply(task=task, body="Yes.", by=by),
            "ask back": lambda: actions.ask_back(task=task, question="Which?", by=by),
            "resolve": lambda: actions.resolve(
                task=task, outcome=clinic.done, by=by, minutes_spent=pick([None, 3]),
                assessed=pick([None, Assessed(urgency=pick(list(Urgency)))]),
            ),
            "hand over": lambda: actions.hand_over(
                task=task, queue=pick([clinic.refills, clinic.billing, clinic.physicians]), reason="There.", by=by
            ),
            "escalate": lambda: actions.escalate(task=task, situation="So.", question="What now?", by=by),
            "answer": lambda: self.answer(task),
            "patient": lambda: actions.hear_from_patient(
                conversation=task.conversation, body="And now?", by=clinic.patient.user
            ),
            "withdraw": lambda: actions.withdraw(conversation=task.conversation, by=clinic.patient.user),
            "keep": lambda: actions.keep_after_all(conversation=task.conversation, by=clinic.patient.user),
            "split": lambda: actions.split(task=task, queue=clinic.billing, title="The bill", by=by),
            "call": lambda: actions.log_call(task=task, result=pick(["reached", "voicemail"]), by=by),
        }  # fmt: skip
        verbs[pick(MAY[State(task.state)])]()
        return task

    def answer(self, task: Task) -> None:
        question = task.escalations.filter(answered_at__isnull=True).first()
        if question is not None:
            act = self.chance.choice(["answer", "take over"])
            if act == "answer":
                actions.answer(escalation=question, text="Yes.", by=self.clinic.physician)
            else:
                actions.take_over(escalation=question, by=self.clinic.physician)


def test_now_is_asked_of_the_one_clock(clinic: Clinic) -> None:
    with at(MONDAY):
        clinic.task()
        count_changes()
        assert TaskMeasure.objects.get().counted_at == now() == MONDAY
