"""One mail a day in place of one for each notice and question; it says only that something waits."""

from __future__ import annotations

from django.db import transaction
from django.db.models import Exists, OuterRef, Q

from audit.actions import store
from audit.now import now
from portal.people.actions import post_mail
from portal.people.models import Mail, StaffRole, User
from queues.actions.telling import until_quiet_ends, zone_of
from queues.models import Notice, QueueGroupPermission, Quiet, Task
from queues.states import State


def waiting_people() -> list[User]:
    """Everybody of the staff for whom a notice or a question waits, and who didn't choose single mails."""
    granted = QueueGroupPermission.objects.filter(group__user=OuterRef(OuterRef("pk"))).values(
        "content_object"
    )
    return list(
        User.objects.filter(
            Exists(Notice.objects.filter(recipient=OuterRef("pk"), seen_at__isnull=True))
            | Exists(Task.objects.filter(state=State.ESCALATED, asked_queue__in=granted)),
            Q(quiet__isnull=True) | Q(quiet__digest=True),
            Exists(StaffRole.objects.current().filter(user=OuterRef("pk"))),
            is_active=True,
            mail_notices=True,
        ).order_by("pk")
    )


def send_due() -> int:
    return sum(_send(person) for person in waiting_people())


@transaction.atomic
def _send(person: User) -> bool:
    """The mail of today, once, from this person's own hour on."""
    Quiet.objects.get_or_create(user=person)
    quiet = Quiet.objects.select_for_update(skip_locked=True).filter(user=person).first()
    if quiet is None:
        return False
    local = now().astimezone(zone_of(person))
    if quiet.digested_on == local.date() or local.time() < quiet.digest_at:
        return False
    quiet.digested_on = local.date()
    quiet.save(update_fields=["digested_on"])
    post_mail(recipient=person, kind=Mail.Kind.DIGEST, path="/work/notices/", after=until_quiet_ends(quiet))
    return True


@transaction.atomic
def choose_quiet(*, quiet: Quiet, mail: bool, by: User) -> None:
    """How this person wants to be told from now on. What is urgent comes at any hour all the same."""
    quiet.user = by
    store(quiet, by=by)
    if by.mail_notices != mail:
        by.mail_notices = mail
        by.save(update_fields=["mail_notices"])
