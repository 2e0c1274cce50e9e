"""Tables of triage: the rules, what is known of a version of them, and what was decided."""

from triage.models.decisions import AnswerSource, Decision, TextReading
from triage.models.gate import Approval, LostFlag, Proof, Replay
from triage.models.rules import Promise, Rule, Ruleset, RulesetQuerySet

__all__ = [
    "AnswerSource",
    "Approval",
    "Decision",
    "LostFlag",
    "Promise",
    "Proof",
    "Replay",
    "Rule",
    "Ruleset",
    "RulesetQuerySet",
    "TextReading",
]
