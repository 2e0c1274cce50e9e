"""The demo clinic's rules: the practice's former routing, kept as a baseline, and the rules that decide now."""

from __future__ import annotations

from typing import Any

Condition = dict[str, Any]
SAFETY, CATEGORY, ASSIGNMENT, PRIORITY = "safety", "category", "assignment", "priority"

EMERGENCY = "This may be an emergency. If you are in danger, call 911 now and don't wait for our answer."
CRISIS = "You matter to us. Call or text 988 now to talk to somebody, at any hour. If you are in danger, call 911."
WITHOUT_INSULIN = (
    "Going without insulin is dangerous. If you vomit, are confused or breathe fast, call 911. "
    "Your pharmacy may give you a few days' supply today."
)  # fmt: skip
WATCH_IT = "If it gets worse before you hear from us, call us, or call 911 in an emergency."


def test(field: str, op: str, *value: Any) -> Condition:
    return {"field": field, "op": op} | ({"value": value[0]} if value else {})


def is_(field: str, value: Any) -> Condition:
    return test(field, "is", value)


def one_of(field: str, *values: str) -> Condition:
    return test(field, "in", list(values))


def every(*parts: Condition) -> Condition:
    return {"all": list(parts)}


def some(*parts: Condition) -> Condition:
    return {"any": list(parts)}


ALWAYS: Condition = {"always": True}


def request(code: str) -> Condition:
    return is_("request.type", code)


def rule(stage: str, name: str, when: Condition, note: str = "", **then: Any) -> dict[str, Any]:
    """One rule as columns: `then` holds queue, urgency, category, respond_within, tags, advice."""
    return {"stage": stage, "name": name, "when": when, "note": note, **then}


# The answers, by their keys.
KIND, LEFT, DOSE = "answer.refill.kind", "answer.refill.left", "answer.refill.dose"
SUGAR, PROBLEMS = "answer.refill.sugar", "answer.refill.problems"
WHAT, SEVERITY, COURSE = "answer.symptom.what", "answer.symptom.severity", "answer.symptom.course"
WANT, REASON, CURRENT = "answer.appointment.want", "answer.appointment.reason", "answer.appointment.current"
PAPER, NEEDED_BY = "answer.form.which", "answer.form.needed-by"

RED_FLAG: dict[str, Any] = {"queue": "urgent", "urgency": "urgent", "tags": ["red-flag"], "advice": EMERGENCY}

SAFETY_RULES = (
    rule(SAFETY, "Emergency words", is_("signal.emergency", True), "Read in every free text, whatever form it is in.", **RED_FLAG),
    rule(SAFETY, "Emergency notice shown", is_("notice.shown", True), "The words were taken out again after the notice: somebody still calls.", **RED_FLAG),
    rule(SAFETY, "Chest pain", is_(WHAT, "chest-pain"), **RED_FLAG),
    rule(SAFETY, "Trouble breathing now or severe", every(is_(WHAT, "breathing"), some(is_("answer.symptom.now", True), is_(SEVERITY, "severe"))), **RED_FLAG),
    rule(SAFETY, "Thoughts of self-harm", is_("answer.symptom.harm", True), **RED_FLAG | {"advice": CRISIS}),
    rule(SAFETY, "Sudden or worst headache", is_("answer.symptom.worst", True), **RED_FLAG),
    rule(SAFETY, "Blood in vomit or stool", is_("answer.symptom.blood", True), **RED_FLAG),
    rule(SAFETY, "Fever in a baby under three months", every(is_(WHAT, "fever"), test("patient.age_months", "lt", 3)), **RED_FLAG),
    rule(SAFETY, "No insulin left", every(is_(KIND, "insulin"), is_(LEFT, "none")), "A day without insulin can end in hospital.", **RED_FLAG | {"advice": WITHOUT_INSULIN}),
    rule(SAFETY, "Dangerous sugar", some(test(SUGAR, "ge", 350), test(SUGAR, "lt", 60)), **RED_FLAG | {"advice": WITHOUT_INSULIN}),
    rule(SAFETY, "No blood thinner or seizure medicine left", every(one_of(KIND, "blood-thinner", "seizure"), is_(LEFT, "none")), "A missed dose matters the same day.", urgency="soon", respond_within=120, tags=["no-gap"]),
    rule(SAFETY, "Worrying words", is_("signal.urgency", "soon"), urgency="soon", tags=["worrying-words"]),
    rule(SAFETY, "Text that could not be read", is_("text.unscreened", True), "A person reads what the machine could not.", queue="triage", urgency="soon", tags=["unread-text"]),
)  # fmt: skip

CATEGORY_RULES = (
    rule(CATEGORY, "Controlled medicine", every(request("refill"), is_(KIND, "controlled")), category="controlled-refill"),
    rule(CATEGORY, "Refill", request("refill"), category="refill"),
    rule(CATEGORY, "New problem", some(request("symptom"), is_(REASON, "new-problem")), category="symptom"),
    rule(CATEGORY, "Result", request("result"), category="result"),
    rule(CATEGORY, "Money", request("billing"), category="billing"),
    rule(CATEGORY, "Scheduling", request("appointment"), category="scheduling"),
    rule(CATEGORY, "Paper", request("form"), category="paper"),
)  # fmt: skip

CATEGORY_IS = "decision.category"
ASSIGNMENT_RULES = (
    rule(ASSIGNMENT, "Change of a controlled medicine", every(is_(CATEGORY_IS, "controlled-refill"), is_(DOSE, "change")), "Only a physician may change it.", queue="physician", tags=["controlled"]),
    rule(ASSIGNMENT, "Change of a blood thinner or seizure medicine", every(is_(DOSE, "change"), one_of(KIND, "blood-thinner", "seizure")), "The dose follows from tests that a physician weighs.", queue="physician"),
    rule(ASSIGNMENT, "Controlled refill, same dose", is_(CATEGORY_IS, "controlled-refill"), "Nurses prepare it, a physician signs.", queue="refills", tags=["controlled"]),
    rule(ASSIGNMENT, "Refills", is_(CATEGORY_IS, "refill"), queue="refills"),
    rule(ASSIGNMENT, "A symptom that fits no list", is_(WHAT, "other"), "The triage team sorts what has no place of its own.", queue="triage"),
    rule(ASSIGNMENT, "Symptoms and new problems", is_(CATEGORY_IS, "symptom"), "A nurse looks before a visit is booked.", queue="symptoms"),
    rule(ASSIGNMENT, "Results", is_(CATEGORY_IS, "result"), queue="results"),
    rule(ASSIGNMENT, "Billing", is_(CATEGORY_IS, "billing"), queue="billing"),
    rule(ASSIGNMENT, "Disability papers", is_(PAPER, "disability"), "They ask for a physician's judgement.", queue="physician"),
    rule(ASSIGNMENT, "Forms and letters", is_(CATEGORY_IS, "paper"), queue="forms"),
    rule(ASSIGNMENT, "Appointments", is_(CATEGORY_IS, "scheduling"), queue="appointments"),
    rule(ASSIGNMENT, "Everything else", ALWAYS, "Nothing is ever without a queue.", queue="triage"),
)  # fmt: skip

PRIORITY_RULES = (
    rule(PRIORITY, "Medicine runs out within three days", one_of(LEFT, "none", "1-3"), urgency="soon"),
    rule(PRIORITY, "New problems with a medicine", is_(PROBLEMS, True), urgency="soon", tags=["side-effect"]),
    rule(PRIORITY, "Trouble breathing", is_(WHAT, "breathing"), urgency="soon", advice=WATCH_IT),
    rule(PRIORITY, "Severe or getting worse", some(is_(SEVERITY, "severe"), is_(COURSE, "worse")), urgency="soon", advice=WATCH_IT),
    rule(PRIORITY, "High fever", test("answer.symptom.temperature", "ge", 103), urgency="soon", respond_within=90, advice=WATCH_IT),
    rule(PRIORITY, "The very young and the very old", every(request("symptom"), some(test("patient.age", "lt", 2), test("patient.age", "ge", 80))), urgency="soon", respond_within=120),
    rule(PRIORITY, "Unwell because of a result", is_("answer.result.unwell", True), urgency="soon"),
    rule(PRIORITY, "A visit today or tomorrow", test(CURRENT, "between", [-1, 0]), "The place can still be given to somebody else.", urgency="soon", tags=["short-notice"]),
    rule(PRIORITY, "A paper needed within two days", test(NEEDED_BY, "between", [-2, 0]), urgency="soon", tags=["short-notice"]),
    rule(PRIORITY, "An interpreter is needed", is_("answer.appointment.help", "interpreter"), tags=["interpreter"]),
    rule(PRIORITY, "Writes in Spanish", is_("patient.language", "es"), tags=["spanish"]),
    rule(PRIORITY, "Several open requests", test("patient.open_requests", "ge", 3), "One call may answer them all.", tags=["several-open"]),
)  # fmt: skip

RULES = (*SAFETY_RULES, *CATEGORY_RULES, *ASSIGNMENT_RULES, *PRIORITY_RULES)

# What the practice did before: nurses sorted by hand what was neither money nor dates, and physicians got the rest.
FORMER_RULES = (
    rule(SAFETY, "Chest pain", is_(WHAT, "chest-pain"), **RED_FLAG),
    rule(SAFETY, "Text that could not be read", is_("text.unscreened", True), urgency="soon", queue="triage"),
    rule(ASSIGNMENT, "Billing", request("billing"), queue="billing"),
    rule(ASSIGNMENT, "Appointments", request("appointment"), queue="appointments"),
    rule(ASSIGNMENT, "Health questions", one_of("request.type", "symptom", "result"), "Every message about health went to a physician.", queue="physician"),
    rule(ASSIGNMENT, "Refills", every(request("refill"), is_(DOSE, "same")), queue="refills"),
    rule(ASSIGNMENT, "Changes of medicine", request("refill"), queue="physician"),
    rule(ASSIGNMENT, "Papers", request("form"), queue="physician"),
    rule(ASSIGNMENT, "Everything else", ALWAYS, queue="triage"),
)  # fmt: skip

FORMER_REASON = "The practice's former routing, written down as a baseline to compare with."
REASON_NOW = "Requests go to the role that should handle them; physicians get what needs one."
