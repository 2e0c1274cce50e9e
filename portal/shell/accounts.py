"""How people get in: allauth's choices that are more than a setting."""

from typing import Any
from urllib.parse import urlsplit

from allauth.account.adapter import DefaultAccountAdapter
from django.conf import settings
from django.http import HttpRequest
from django.utils import translation


class AccountAdapter(DefaultAccountAdapter):
    """Accounts are opened by the practice, never by a stranger with a browser."""

    def is_open_for_signup(self, request: HttpRequest) -> bool:
        return False

    def get_reset_password_from_key_url(self, key: str) -> str:
        # The link in a mail begins with the address we were told, not with what the request claimed.
        return on_site(super().get_reset_password_from_key_url(key))

    def send_mail(self, template_prefix: str, email: str, context: dict[str, Any]) -> None:
        """In the language of the one who reads it, whoever's browser asked for it."""
        user = context.get("user")
        with translation.override(user.language if user is not None else translation.get_language()):
            super().send_mail(template_prefix, email, context)


def on_site(url: str) -> str:
    """The same path below the practice's own address."""
    parts = urlsplit(url)
    return settings.SITE_URL + parts.path + (f"?{parts.query}" if parts.query else "")
