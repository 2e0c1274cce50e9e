"""What the shell itself serves, and the headers every page carries."""

import pytest
from django.contrib.auth import get_user_model
from django.urls import reverse


def test_alive_needs_no_database_and_no_log_in(client):
    answer = client.get("/health")
    assert (answer.status_code, answer.content) == (200, b"ok\n")


@pytest.mark.django_db
def test_ready_asks_the_database(client):
    assert client.get("/health/ready").status_code == 200


@pytest.mark.django_db
def test_ready_says_so_when_the_database_is_gone(client, monkeypatch):
    from django.db import OperationalError, connection

    def gone():
        raise OperationalError("host=secret")

    monkeypatch.setattr(connection, "cursor", gone)
    answer = client.get("/health/ready")
    assert answer.status_code == 503
    assert b"secret" not in answer.content


@pytest.mark.django_db
@pytest.mark.parametrize("name", ["account_login", "account_reset_password", "mfa_login_webauthn"])
def test_the_ways_in_are_open(client, name):
    # The passkey's page is a question of the log-in page's script.
    answer = client.get(reverse(name), headers={"X-Requested-With": "XMLHttpRequest"})
    assert answer.status_code == 200


@pytest.mark.django_db
def test_nobody_signs_up_by_themselves(client):
    client.post(
        reverse("account_signup"),
        {"email": "a@example.org", "password1": "long-enough-word-7", "password2": "long-enough-word-7"},
    )
    assert not get_user_model().objects.exists()


@pytest.mark.django_db
def test_the_admin_uses_the_common_log_in(client):
    answer = client.get("/admin/login/?next=/admin/")
    assert answer.status_code == 302
    assert answer.url.startswith(reverse("account_login"))


@pytest.mark.django_db
def test_pages_carry_a_strict_policy(client):
    answer = client.get(reverse("account_login"))
    policy = answer["Content-Security-Policy"]
    for part in ("default-src 'self'", "frame-ancestors 'none'", "base-uri 'none'", "form-action 'self'"):
        assert part in policy
    assert "unsafe" not in policy
    assert answer["X-Frame-Options"] == "DENY"
    assert answer["Referrer-Policy"] == "same-origin"
