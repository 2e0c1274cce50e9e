"""A start with broken settings ends with a sentence for each, all at once, and no traceback."""

import os
import subprocess
import sys

import pytest

from portal.shell.environment import Environment, database
from portal.shell.fingerprint import BASE

GOOD = {
    "PORTER_MODE": "production",
    "PORTER_SECRET_KEY": "k" * 60,
    "PORTER_HOSTS": "porter.example",
    "PORTER_SITE_URL": "https://porter.example",
    "DATABASE_URL": "postgresql://app:secret-word@localhost:1/porter",
    "EMAIL_URL": "smtp://mail.example",
}


def started(*command, var, **settings):
    return subprocess.run(
        command,
        cwd=BASE,
        env={"PATH": os.environ["PATH"], "PORTER_VAR": str(var), **settings},
        capture_output=True,
        text=True,
        timeout=60,
    )


@pytest.mark.parametrize(
    "command",
    [
        (sys.executable, "manage.py", "check"),
        (sys.executable, "manage.py", "qcluster"),
        (sys.executable, "-m", "gunicorn", "portal.shell.wsgi", "--bind", "127.0.0.1:0"),
    ],
    ids=["manage", "worker", "web"],
)
def test_every_missing_setting_is_told_at_once(command, tmp_path):
    ended = started(*command, var=tmp_path, PORTER_MODE="production")
    assert ended.returncode == 1
    assert "Traceback" not in ended.stderr
    for name in ("PORTER_SECRET_KEY", "PORTER_HOSTS", "PORTER_SITE_URL", "DATABASE_URL", "EMAIL_URL"):
        assert ended.stderr.count(f"{name} is not set") == 1


def test_broken_settings_are_told_without_repeating_secrets(tmp_path):
    ended = started(
        sys.executable,
        "manage.py",
        "check",
        var=tmp_path,
        **GOOD
        | {
            "PORTER_SECRET_KEY": "short-secret",
            "PORTER_HOSTS": "*",
            "PORTER_SITE_URL": "http://porter.example",
            "DATABASE_URL": "mysql://root:hunter2@localhost/porter",
            "EMAIL_URL": "mail.example",
            "PORTER_WORKERS": "many",
        },
    )
    assert ended.returncode == 1
    for name in ("SECRET_KEY", "HOSTS", "SITE_URL", "WORKERS"):
        assert f"PORTER_{name} " in ended.stderr
    assert "DATABASE_URL must begin with postgresql://" in ended.stderr
    assert "EMAIL_URL must look like" in ended.stderr
    assert "hunter2" not in ended.stderr
    assert "short-secret" not in ended.stderr


def test_a_command_by_hand_without_settings_says_how_to_get_some(tmp_path):
    ended = started(sys.executable, "manage.py", "check", var=tmp_path)
    assert ended.returncode == 1
    assert "make demo" in ended.stderr


def test_settings_of_a_demo_that_was_killed_are_not_used(tmp_path):
    (tmp_path / "demo.lock").touch()
    (tmp_path / "demo.env").write_text("PORTER_MODE=demo\nDATABASE_URL=postgresql://a@b/c\n")
    ended = started(sys.executable, "manage.py", "check", var=tmp_path)
    assert ended.returncode == 1
    assert "DATABASE_URL is not set" in ended.stderr


def test_an_unknown_mode_is_refused_and_counts_as_production(tmp_path):
    ended = started(sys.executable, "manage.py", "check", var=tmp_path, **GOOD | {"PORTER_MODE": "prod"})
    assert ended.returncode == 1
    assert "PORTER_MODE is “prod”" in ended.stderr


def test_good_production_settings_pass_djangos_deployment_check(tmp_path):
    ended = started(
        *(sys.executable, "manage.py", "check", "--deploy", "--fail-level", "WARNING"),
        var=tmp_path,
        **GOOD | {"PORTER_SECRET_KEY": "aB3-xY9_qW7rT5uI1oP4sD6fG8hJ2kL0zX-cV_bN3mQ5wE7rT9yU1iO"},
    )
    assert ended.returncode == 0, ended.stderr


def test_the_web_server_says_that_the_database_does_not_answer(tmp_path):
    ended = started(
        *(sys.executable, "-m", "gunicorn", "portal.shell.wsgi", "--bind", "127.0.0.1:0"),
        var=tmp_path,
        **GOOD,
    )
    assert ended.returncode == 1
    assert "The database of DATABASE_URL doesn't answer" in ended.stderr
    assert "secret-word" not in ended.stderr


def test_a_database_address_may_name_a_socket_and_options():
    parts = database("postgresql://app@%2Frun%2Fpg/porter?sslmode=require")
    assert (parts["HOST"], parts["USER"], parts["NAME"]) == ("/run/pg", "app", "porter")
    assert parts["OPTIONS"] == {"sslmode": "require"}


@pytest.mark.parametrize(
    ("url", "tls", "ssl", "port"),
    [
        ("smtp://mail.example", False, False, 25),
        ("smtp://u:p%40@mail.example:587?tls=1", True, False, 587),
        ("smtps://mail.example", False, True, 465),
    ],
)
def test_a_mail_address_becomes_djangos_settings(url, tls, ssl, port):
    reader = Environment({"EMAIL_URL": url})
    mail = reader.mail("EMAIL_URL")
    assert reader.problems == []
    assert mail is not None
    assert (mail["EMAIL_USE_TLS"], mail["EMAIL_USE_SSL"], mail["EMAIL_PORT"]) == (tls, ssl, port)
