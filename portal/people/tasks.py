"""What the worker runs for people: sending mail. Every task takes keys, reloads the row and is safe to run twice."""

from __future__ import annotations

import logging
from datetime import timedelta
from urllib.parse import urlsplit

from django.conf import settings
from django.core.mail import EmailMessage
from django.db import transaction
from django.template.loader import render_to_string
from django.urls import reverse
from django.utils import timezone, translation
from django_q.models import Schedule
from django_q.tasks import async_task, schedule

from audit.now import now
from portal.people.models import Mail

log = logging.getLogger(__name__)


def nudge(func: str, *args: object, after: timedelta = timedelta()) -> None:
    """Ask a worker to run `func` once the present transaction is committed, and `after` has passed."""
    if not after:
        transaction.on_commit(lambda: async_task(func, *args))
        return
    transaction.on_commit(
        lambda: schedule(func, *args, schedule_type=Schedule.ONCE, next_run=timezone.now() + after)
    )


def send_mail(mail_id: int) -> None:
    """Send one mail of the outbox if it is still waiting. A failure is retried by the sweep, five times in all."""
    with transaction.atomic():
        # Another worker that holds the row is sending it; skipping is right, waiting would send it twice.
        mail = Mail.objects.select_for_update(skip_locked=True, of=("self",)).due().filter(pk=mail_id).first()
        if mail is None:
            return
        mail.attempts += 1
        try:
            _compose(mail).send()
        except Exception as error:
            mail.last_error = type(error).__name__
            log.warning("Mail %s could not be sent: %s.", mail.pk, mail.last_error)
            mail.not_before = now() + timedelta(minutes=2**mail.attempts)
            if mail.attempts >= Mail.MAX_ATTEMPTS:
                mail.state = Mail.State.FAILED
        else:
            mail.state, mail.sent_at, mail.last_error = Mail.State.SENT, now(), ""
        mail.save()


def sweep_mail() -> int:
    """Send everything that is due, and return how many were tried: what a crash or a failed attempt left."""
    keys = list(Mail.objects.due().order_by("not_before").values_list("pk", flat=True)[:200])
    for key in keys:
        send_mail(key)
    return len(keys)


def end_grants() -> int:
    """Every night: end what is over by the calendar. Returns how many grants there were."""
    from portal.people import actions  # which imports this module, to nudge it

    return actions.end_grants_that_are_over()


def _compose(mail: Mail) -> EmailMessage:
    user = mail.recipient
    site = settings.SITE_URL.rstrip("/")
    context = {"link": site + mail.path, "password": site + reverse("account_reset_password")}
    with translation.override(user.language):
        subject = render_to_string(f"people/mail/{mail.kind}.subject.txt", context).strip()
        body = render_to_string(f"people/mail/{mail.kind}.txt", context)
    return EmailMessage(
        subject=subject,
        body=body,
        to=[user.email],
        # The same mail sent again after a crash carries the same ID, so that mail readers show it once.
        headers={
            "Message-ID": f"<mail-{mail.pk}@{urlsplit(settings.SITE_URL).hostname}>",
            "Auto-Submitted": "auto-generated",
        },
    )
