"""Who may do what with rules. Each refusal is a sentence that the page can show."""

from __future__ import annotations

from django.utils.translation import gettext as _

from portal.people.models import User
from portal.people.policies import Refused
from portal.people.roles import Role
from triage.models import Promise, Rule, Ruleset

APPROVERS = (Role.LEAD, Role.PHYSICIAN)


def check_draft(ruleset: Ruleset) -> None:
    if ruleset.status != Ruleset.Status.DRAFT:
        raise Refused(
            _("Ruleset %(number)d is %(status)s and can't be changed. Start a draft from it.")
            % {"number": ruleset.number, "status": ruleset.get_status_display()}
        )


def check_seen(row: Rule | Promise, seen: int | None) -> None:
    """Refuses what was typed on a form that is no longer true, and says who changed it since."""
    if seen is None or seen == row.version:
        return
    raise Refused(
        _(
            "%(who)s changed “%(name)s” at %(time)s (UTC), after you opened it. Nothing of yours was stored: "
            "open it again and look."
        )
        % {
            "who": row.changed_by.signature if row.changed_by else _("Somebody"),
            "name": row.name,
            "time": f"{row.changed_at:%H:%M}",
        }
    )


def check_approver(ruleset: Ruleset, by: User) -> None:
    """A clinician with a say in safety, and none of those who wrote it."""
    if not may_approve(by):
        raise Refused(_("Only a triage lead or a physician can approve this."))
    if ruleset.authors.filter(pk=by.pk).exists():
        raise Refused(_("You changed something in this draft yourself: somebody else must approve it."))


def may_see_sorting(by: User) -> bool:
    """Leads, physicians and routing admins; the page holds counts only."""
    return may_approve(by) or may_change(by)


def may_change(by: User) -> bool:
    return by.is_staff and by.has_perm("triage.change_ruleset")


def may_approve(by: User) -> bool:
    return bool(set(by.roles) & set(APPROVERS))


def check_reason(reason: str, sentence: str) -> str:
    """The reason without outer white space; refuses an empty one with the sentence."""
    if not reason.strip():
        raise Refused(sentence)
    return reason.strip()[:300]
