"""The rules in the Django admin: versions with what is proven of them, their rules and promises, replays."""

from triage.admin.found import ApprovalAdmin, ProofAdmin, ReplayAdmin
from triage.admin.rows import PromiseAdmin, RuleAdmin
from triage.admin.rulesets import RulesetAdmin

__all__ = ["ApprovalAdmin", "PromiseAdmin", "ProofAdmin", "ReplayAdmin", "RuleAdmin", "RulesetAdmin"]
