"""A small clinic that tests share: the fixed cast, two queues, two request types, a handful of rules."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from intake import actions as intake
from intake.models import Draft, RequestType
from portal.people.models import Facility, Patient, User
from queues.models import Conversation, Outcome, Queue, Task
from tests import factories as make

REFILL: dict[str, Any] = {
    "resourceType": "Questionnaire",
    "status": "active",
    "title": "Refill",
    "item": [
        {
            "linkId": "what",
            "type": "group",
            "text": "Your medicine",
            "item": [
                {
                    "linkId": "medicine",
                    "type": "string",
                    "text": "Which medicine?",
                    "required": True,
                    "maxLength": 80,
                },
                {
                    "linkId": "left",
                    "type": "choice",
                    "text": "How much is left?",
                    "required": True,
                    "answerOption": [
                        {"valueCoding": {"code": "none", "display": "None"}},
                        {"valueCoding": {"code": "days", "display": "A few days"}},
                        {"valueCoding": {"code": "more", "display": "A week or more"}},
                    ],
                },
            ],
        },
        {
            "linkId": "how",
            "type": "group",
            "text": "How it goes",
            "item": [
                {"linkId": "problems", "type": "boolean", "text": "Any new problems with it?"},
                {
                    "linkId": "problem-kind",
                    "type": "choice",
                    "text": "What kind of problem?",
                    "answerOption": [
                        {"valueCoding": {"code": "skin", "display": "Skin"}},
                        {"valueCoding": {"code": "chest", "display": "Pain in the chest"}},
                    ],
                    "enableWhen": [{"question": "problems", "operator": "=", "answerBoolean": True}],
                },
                {
                    "linkId": "which",
                    "type": "text",
                    "text": "Which problems?",
                    "required": True,
                    "enableWhen": [{"question": "problems", "operator": "=", "answerBoolean": True}],
                },
            ],
        },
    ],
}
BILLING: dict[str, Any] = {
    "resourceType": "Questionnaire",
    "status": "active",
    "title": "Billing",
    "item": [{"linkId": "question", "type": "text", "text": "What is your question?", "required": True}],
}
RULES: list[dict[str, Any]] = [
    {
        "name": "red flag",
        "stage": "safety",
        "when": {"field": "signal.emergency", "op": "is", "value": True},
        "queue": "urgent",
        "urgency": "urgent",
    },
    {
        "name": "notice shown",
        "stage": "safety",
        "when": {"field": "notice.shown", "op": "is", "value": True},
        "queue": "urgent",
        "urgency": "urgent",
    },
    {
        "name": "chest pain on the medicine",
        "stage": "safety",
        "when": {"field": "answer.refill.problem-kind", "op": "is", "value": "chest"},
        "queue": "urgent",
        "urgency": "urgent",
    },
    {
        "name": "words not read",
        "stage": "safety",
        "when": {"field": "text.unscreened", "op": "is", "value": True},
        "urgency": "soon",
    },
    {
        "name": "files not looked at",
        "stage": "safety",
        "when": {"field": "file.unscreened", "op": "is", "value": True},
        "tags": ["not-screened"],
    },
    {
        "name": "none left",
        "stage": "priority",
        "when": {"field": "answer.refill.left", "op": "is", "value": "none"},
        "urgency": "soon",
        "protocol": "none-left",
        "ask_back": "When did you take the last one?",
    },
    {
        "name": "refills to nursing",
        "stage": "assignment",
        "when": {"field": "request.type", "op": "is", "value": "refill"},
        "queue": "refills",
    },
    {
        "name": "billing to billing",
        "stage": "assignment",
        "when": {"field": "request.type", "op": "is", "value": "billing"},
        "queue": "billing",
    },
    {"name": "all else", "stage": "assignment", "when": {"always": True}, "queue": "triage"},
]


@dataclass
class Clinic:
    facility: Facility
    patient: Patient
    stranger: Patient
    nurse: User
    second_nurse: User
    biller: User
    physician: User
    admin: User
    refills: Queue
    billing: Queue
    urgent: Queue
    triage: Queue
    physicians: Queue
    refill: RequestType
    billing_question: RequestType
    done: Outcome

    def draft(self, kind: str = "refill", *, by: User | None = None, **answers: str | list[str]) -> Draft:
        """A filled draft; `answers` by linkId, over sensible ones."""
        request_type = self.refill if kind == "refill" else self.billing_question
        usual: dict[str, Any] = (
            {"medicine": "Lisinopril 20 mg", "left": "days"}
            if kind == "refill"
            else {"question": "What is this bill?"}
        )
        by = by or self.patient.user
        assert by is not None
        draft = intake.start_draft(request_type=request_type, patient=self.patient, by=by)
        raw = {
            f"i.{key}": value if isinstance(value, list) else [value]
            for key, value in (usual | answers).items()
        }
        intake.save_draft(draft=draft, raw=raw, by=by)
        return draft

    def send(self, kind: str = "refill", **answers: str | list[str]) -> Conversation:
        draft = self.draft(kind, **answers)
        return intake.submit(draft_id=draft.pk, by=draft.author)

    def task(self, kind: str = "refill", **answers: str | list[str]) -> Task:
        """The task of a request that was just sent."""
        return self.send(kind, **answers).tasks.get()


def open_clinic() -> Clinic:
    facility = make.FacilityFactory(code="lakeside", name="Lakeside Clinic")
    admin = make.UserFactory(email="admin@example.org", name="Ada Admin", is_staff=True, is_superuser=True)
    refills = make.queue("refills", facility=facility, team="the nursing team")
    billing = make.queue("billing", "billing", team="the billing office")
    urgent, triage = make.queue("urgent"), make.queue("triage")
    physicians = make.queue("physician", "physician", facility=facility)
    nurse = make.staff(
        "nurse",
        name="Ana Ruiz",
        title="RN",
        email="nurse@example.org",
        queues_worked=(refills, urgent, triage),
    )
    second = make.staff("nurse", name="Kim Osei", title="RN", queues_worked=(refills, urgent, triage))
    biller = make.staff("billing", name="Bo Lind", email="billing@example.org", queues_worked=(billing,))
    physician = make.staff(
        "physician", name="Dana Chen", title="MD", email="doctor@example.org", queues_worked=(physicians,)
    )
    refill = make.request_type("refill", REFILL, name="Refill", title_items=["medicine", "left"])
    question = make.request_type(
        "billing", BILLING, name="Billing question", clinical=False, title_items=["question"]
    )
    make.ruleset(*RULES, by=admin)
    return Clinic(
        facility=facility,
        patient=make.PatientFactory(
            facility=facility, user__email="patient@example.org", user__name="Maya Ortiz", family_name="Ortiz"
        ),
        stranger=make.PatientFactory(facility=facility, given_name="Sam", family_name="Stranger"),
        nurse=nurse,
        second_nurse=second,
        biller=biller,
        physician=physician,
        admin=admin,
        refills=refills,
        billing=billing,
        urgent=urgent,
        triage=triage,
        physicians=physicians,
        refill=refill,
        billing_question=question,
        done=make.outcome("done"),
    )
