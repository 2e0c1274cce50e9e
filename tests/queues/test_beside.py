"""What staff add beside the conversation: notes with mentions, ticks, calls; and tasks that they begin themselves."""

import pytest
from django.core.exceptions import ValidationError

from portal.people.models import Mail
from portal.people.policies import Refused
from queues import actions
from queues.models import Conversation, Mention, Protocol, ProtocolStep, ReplyTemplate, Task
from queues.models.templates import fill
from queues.states import State
from queues.urgency import Urgency
from tests import factories as make
from tests.clinic import Clinic


@pytest.fixture
def claimed(clinic: Clinic) -> Task:
    return actions.claim(task=clinic.task(), by=clinic.nurse)


def test_a_mention_is_told_by_a_mail_without_content(clinic: Clinic, claimed: Task) -> None:
    note = actions.add_note(task=claimed, body="@Kim Osei, can you call her? Not kim@home.", by=clinic.nurse)
    assert [mention.user for mention in note.mentions.all()] == [clinic.second_nurse]
    mail = Mail.objects.get()
    assert (mail.kind, mail.recipient, mail.path) == (
        Mail.Kind.MENTION,
        clinic.second_nurse,
        claimed.get_absolute_url(),
    )


def test_a_first_name_is_enough_where_only_one_has_it(clinic: Clinic, claimed: Task) -> None:
    assert actions.add_note(task=claimed, body="For @kim.", by=clinic.nurse).mentions.count() == 1
    make.staff("nurse", name="Kim Park", queues_worked=(clinic.refills,))
    with pytest.raises(Refused, match="“@kim” is nobody"):
        actions.add_note(task=claimed, body="For @kim.", by=clinic.nurse)


def test_only_who_works_the_task_can_be_mentioned(clinic: Clinic, claimed: Task) -> None:
    with pytest.raises(Refused, match="You can mention: Ana Ruiz, Kim Osei"):
        actions.add_note(task=claimed, body="@Bo Lind please look.", by=clinic.nurse)
    assert not claimed.notes.exists()
    assert not Mention.objects.exists()


def test_only_who_works_the_task_can_add_to_it(clinic: Clinic, claimed: Task) -> None:
    for add in (
        lambda: actions.add_note(task=claimed, body="Hm.", by=clinic.biller),
        lambda: actions.log_call(task=claimed, result="reached", by=clinic.biller),
    ):
        with pytest.raises(Refused, match="not in one of your queues"):
            add()


def test_a_call_that_reached_the_patient_is_an_answer_and_the_others_are_not(
    clinic: Clinic, claimed: Task
) -> None:
    actions.log_call(task=claimed, result="voicemail", note="Asked to call back.", by=clinic.nurse)
    claimed.refresh_from_db()
    assert claimed.responded_at is None
    actions.log_call(task=claimed, result="reached", by=clinic.nurse)
    claimed.refresh_from_db()
    assert claimed.responded_at is not None
    assert claimed.due_at == claimed.resolve_due
    with pytest.raises(Refused, match="Say how the call went"):
        actions.log_call(task=claimed, result="busy", by=clinic.nurse)


# ---- protocols -------------------------------------------------------------------------------------------------


@pytest.fixture
def asked(clinic: Clinic) -> Task:
    """A claimed task whose rule asked for a protocol."""
    return actions.claim(task=clinic.task(left="none"), by=clinic.nurse)


@pytest.fixture
def step(asked: Task) -> ProtocolStep:
    protocol = Protocol.objects.create(code="none-left", title="Run out")
    return ProtocolStep.objects.create(protocol=protocol, text="Last dose asked")


def test_a_step_is_ticked_once_and_unticked_again(clinic: Clinic, asked: Task, step: ProtocolStep) -> None:
    for _twice in range(2):
        actions.tick(task=asked, step=step, done=True, by=clinic.nurse)
    assert asked.ticks.get().by == clinic.nurse
    actions.tick(task=asked, step=step, done=False, by=clinic.second_nurse)
    assert not asked.ticks.exists()


def test_a_required_protocol_comes_before_the_end(clinic: Clinic, asked: Task, step: ProtocolStep) -> None:
    Protocol.objects.update(required=True)
    with pytest.raises(Refused, match="Still open: Last dose asked"):
        actions.resolve(task=asked, outcome=clinic.done, by=clinic.nurse)
    actions.tick(task=asked, step=step, done=True, by=clinic.nurse)
    assert actions.resolve(task=asked, outcome=clinic.done, by=clinic.nurse).state == State.RESOLVED


def test_a_step_of_another_protocol_is_refused(clinic: Clinic, claimed: Task) -> None:
    other = Protocol.objects.create(code="other", title="Other")
    step = ProtocolStep.objects.create(protocol=other, text="x")
    with pytest.raises(Refused, match="not part of the task's protocol"):
        actions.tick(task=claimed, step=step, done=True, by=clinic.nurse)


# ---- templates -------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("body", "said"),
    [
        ("Dear {patient_name}", "“{patient_name}” is no variable"),
        ("Dear {}", "is no variable"),
        ("Dear {patient_first_name", "A brace stands alone"),
    ],
)
def test_an_unknown_variable_is_refused_by_its_name(db: None, body: str, said: str) -> None:
    for where in ("body", "body_es"):
        row = ReplyTemplate(title="Hello", **({"body": "Hello"} | {where: body}))
        with pytest.raises(ValidationError) as refused:
            row.full_clean()
        assert said in str(refused.value.message_dict[where])


def test_what_has_no_value_stays_readable() -> None:
    assert fill("Your {medicine} by {due}.", {"medicine": "Insulin", "due": ""}) == "Your Insulin by [due]."


# ---- tasks that staff begin --------------------------------------------------------------------------------------


def test_a_part_goes_to_another_queue_and_the_task_stays(clinic: Clinic, claimed: Task) -> None:
    part = actions.split(
        task=claimed, queue=clinic.billing, title="Asks about a bill of March", by=clinic.nurse
    )
    assert (part.queue, part.state, part.conversation) == (clinic.billing, State.OPEN, claimed.conversation)
    assert part.plain_title == "Asks about a bill of March"
    claimed.refresh_from_db()
    assert (claimed.state, claimed.owner) == (State.CLAIMED, clinic.nurse)
    assert part.decision == claimed.decision


def test_the_patient_reads_how_the_part_stands_that_waits_for_them(clinic: Clinic, claimed: Task) -> None:
    part = actions.split(task=claimed, queue=clinic.billing, title="A bill", by=clinic.nurse)
    actions.resolve(task=claimed, outcome=clinic.done, by=clinic.nurse)
    tasks = claimed.conversation.tasks
    assert tasks.front_first()[0] == part
    actions.claim(task=part, by=clinic.biller)
    actions.ask_back(task=part, question="Which bill?", by=clinic.biller)
    actions.hear_from_patient(
        conversation=claimed.conversation, body="The one of March.", by=clinic.patient.user
    )
    part.refresh_from_db()
    assert part.state == State.CLAIMED


def test_the_clinic_writes_first_and_the_patients_answer_is_read_for_red_flags(clinic: Clinic) -> None:
    from intake import actions as intake

    task = actions.start_conversation(
        patient=clinic.patient,
        queue=clinic.refills,
        subject="Your blood test",
        body="Please book a test.",
        wait=True,
        by=clinic.nurse,
    )
    assert (task.state, task.owner) == (State.WAITING, clinic.nurse)
    assert task.conversation.channel == Conversation.Channel.STAFF
    assert Mail.objects.get().recipient == clinic.patient.user
    intake.write(
        conversation=task.conversation, body="I have crushing chest pain right now", by=clinic.patient.user
    )
    task.refresh_from_db()
    assert (task.urgency, task.queue) == (Urgency.URGENT, clinic.urgent)


def test_nobody_writes_to_a_patient_of_another_place_or_one_who_can_not_read_it(clinic: Clinic) -> None:
    elsewhere = make.PatientFactory()
    at_lakeside = make.staff("nurse", facility=clinic.facility, queues_worked=(clinic.refills,))
    told = {"queue": clinic.refills, "subject": "Hello", "body": "Hello", "by": at_lakeside}
    with pytest.raises(Refused, match="at a place where you don't work"):
        actions.start_conversation(patient=elsewhere, **told)
    with pytest.raises(Refused, match="there is no log-in"):
        actions.start_conversation(patient=make.PatientFactory(facility=clinic.facility, user=None), **told)


# ---- physicians ------------------------------------------------------------------------------------------------


def test_a_physician_takes_the_task_over_instead_of_answering(clinic: Clinic, claimed: Task) -> None:
    question = actions.escalate(
        task=claimed,
        situation="New cough.",
        background="On lisinopril.",
        assessment="ACE cough?",
        question="Change it?",
        by=clinic.nurse,
    )
    task = actions.take_over(escalation=question, by=clinic.physician)
    assert (task.state, task.owner, task.queue) == (State.CLAIMED, clinic.physician, clinic.physicians)
    with pytest.raises(Refused, match="Dana Chen, MD has answered this already"):
        actions.answer(escalation=question, text="Yes.", by=clinic.physician)


@pytest.mark.parametrize("act", ["reply", "answer"])
def test_words_for_a_request_that_was_taken_back_say_by_whom(clinic: Clinic, claimed: Task, act: str) -> None:
    question = actions.escalate(task=claimed, situation="s", question="q", by=clinic.nurse)
    actions.withdraw(conversation=claimed.conversation, by=clinic.patient.user)
    late = {
        "reply": lambda: actions.reply(task=claimed, body="It is ready.", by=clinic.nurse),
        "answer": lambda: actions.answer(escalation=question, text="Yes.", by=clinic.physician),
    }
    with pytest.raises(Refused, match="Maya Ortiz took this request back"):
        late[act]()
