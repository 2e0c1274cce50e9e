"""A whole Porter for the browser: its own database, the real web server, a real worker, mail as files."""

from __future__ import annotations

import os
import socket
import subprocess
import sys
import time
import urllib.request
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field, replace
from email import message_from_bytes, policy
from email.message import EmailMessage
from pathlib import Path
from typing import Any

import pytest
from axe_playwright_python.sync_playwright import Axe
from django.conf import settings
from django.db import connections
from django.test import Client
from playwright.sync_api import Browser, BrowserContext, Locator, Page, sync_playwright
from pytest_django.plugin import DjangoDbBlocker

from portal.people.models import Patient, User
from portal.shell import processes
from tests import chromium, databases
from tests import factories as make
from tests.clinic import Clinic, open_clinic
from tests.conftest import point_at

# Playwright's synchronous face runs a loop of its own in this thread; Django would take it for an async view.
os.environ["DJANGO_ALLOW_ASYNC_UNSAFE"] = "true"

FLAGS = [
    "--no-sandbox",
    "--disable-gpu",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
    "--no-first-run",
]
PASSWORD = "a long enough password"
PHONE, DESKTOP = {"width": 390, "height": 844}, {"width": 1440, "height": 900}


@dataclass
class Site:
    """A running Porter and the people in it."""

    url: str
    app_url: str
    mail_files: Path
    clinic: Clinic
    blocker: DjangoDbBlocker = field(repr=False)
    environment: dict[str, str] = field(repr=False)

    @contextmanager
    def rows(self) -> Iterator[None]:
        """Look into the site's own database. The places that are made there have day."""
        before = dict(connections.settings["default"])
        with self.blocker.unblock(), make.where_it_is_day():
            point_at(self.app_url)
            try:
                yield
            finally:
                connections["default"].close()
                connections.settings["default"].update(before)

    def newcomer(self, mail: str, **fields: Any) -> Patient:
        """A patient of the clinic's with a log-in, whom no other test meets. Inside `rows()`."""
        name = fields.pop("name")
        patient: Patient = make.PatientFactory(
            facility=self.clinic.facility,
            given_name=name.split()[0],
            family_name=name.split()[1],
            user__email=mail,
            user__name=name,
            **fields,
        )
        assert patient.user
        self.let_in(patient.user)
        return patient

    def let_in(self, user: User) -> User:
        """Give somebody the password that `log_in` types."""
        user.set_password(PASSWORD)
        user.save()
        return user

    def mails(self, to: str) -> list[EmailMessage]:
        """Every mail that somebody got until now."""
        found = [message for path in sorted(self.mail_files.glob("*")) for message in _messages(path)]
        return [message for message in found if to in str(message["To"])]

    def mail(self, to: str, *, about: str) -> EmailMessage:
        """The mail to somebody that links to this page; waits for the worker to send it."""
        until = time.monotonic() + 30
        while True:
            for message in self.mails(to):
                if about in message.get_content():
                    return message
            assert time.monotonic() < until, f"no mail to {to} about {about}"
            time.sleep(0.2)


def _messages(path: Path) -> Iterator[EmailMessage]:
    """Django's file backend writes one mail after another with a line of dashes behind each."""
    for raw in path.read_bytes().split(b"-" * 79):
        if raw.strip():
            yield message_from_bytes(raw.lstrip(), policy=policy.default)  # type: ignore[misc]


@pytest.fixture(scope="session")
def site(
    django_db_setup: None, django_db_blocker: DjangoDbBlocker, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Site]:
    """The small clinic, served for the whole run of this test process."""
    var = tmp_path_factory.mktemp("site")
    port = _free_port()
    url = f"http://localhost:{port}"
    with ExitStack() as stack:
        _, app_url = stack.enter_context(databases.fresh_database())
        environment = os.environ | {
            "PORTER_MODE": "demo",
            "PORTER_VAR": str(var),
            "PORTER_BIND": f"127.0.0.1:{port}",
            "PORTER_SITE_URL": url,
            "PORTER_WORKERS": "1",
            # What staff send is final at once: a test that reads it as the patient waits for nothing.
            "PORTER_UNDO_SECONDS": "0",
            "PORTER_WEB_WORKERS": "1",
            "DATABASE_URL": app_url,
        }
        site = Site(url, app_url, var / "mail", None, django_db_blocker, environment)  # type: ignore[arg-type]
        with site.rows():
            site.clinic = open_clinic()
            for user in (
                site.clinic.patient.user,
                site.clinic.nurse,
                site.clinic.biller,
                site.clinic.physician,
                site.clinic.admin,
            ):
                site.let_in(user)
        _run("collectstatic", "--no-input", environment=environment)
        for command in (["gunicorn", "portal.shell.wsgi"], ["manage.py", "qcluster"]):
            stack.enter_context(_process(command, environment, var / f"{command[-1]}.log"))
        _wait_for(f"{url}/health/ready")
        yield site


@pytest.fixture(scope="module")
def unhurried(site: Site, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Site]:
    """The same clinic, served by a second web server that gives a minute to take back what was sent."""
    port = _free_port()
    url = f"http://localhost:{port}"
    environment = site.environment | {
        "PORTER_BIND": f"127.0.0.1:{port}",
        "PORTER_SITE_URL": url,
        "PORTER_UNDO_SECONDS": "60",
    }
    log = tmp_path_factory.mktemp("unhurried") / "web.log"
    with _process(["gunicorn", "portal.shell.wsgi"], environment, log):
        _wait_for(f"{url}/health/ready")
        yield replace(site, url=url)


def _run(*command: str, environment: dict[str, str]) -> None:
    subprocess.run(
        [sys.executable, "manage.py", *command],
        env=environment,
        cwd=settings.BASE_DIR,
        check=True,
        capture_output=True,
    )


@contextmanager
def _process(command: list[str], environment: dict[str, str], log: Path) -> Iterator[None]:
    program = [sys.executable, "-m", *command] if command[0] == "gunicorn" else [sys.executable, *command]
    # Where this process is killed, what it started is asked to end.
    process = processes.start(program, env=environment, log=log, cwd=settings.BASE_DIR)
    try:
        yield
    finally:
        processes.stop(process, seconds=15)


def _free_port() -> int:
    with socket.socket() as listening:
        listening.bind(("127.0.0.1", 0))
        return int(listening.getsockname()[1])


def _wait_for(url: str) -> None:
    until = time.monotonic() + 30
    while True:
        try:
            with urllib.request.urlopen(url, timeout=2):  # noqa: S310
                return
        except OSError:
            if time.monotonic() > until:
                raise
            time.sleep(0.1)


@pytest.fixture(scope="session")
def browser() -> Iterator[Browser]:
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=str(chromium.find()), args=FLAGS)
        yield browser
        browser.close()


@dataclass
class Visitor:
    """Somebody at a browser of their own."""

    site: Site
    context: BrowserContext
    page: Page
    problems: list[str] = field(default_factory=list)

    def enter(self, email: str) -> Visitor:
        """Be logged in, without the page for it: from one address it takes thirty log-ins a minute and no more."""
        with self.site.rows():
            browser = make.log_in(Client(), User.objects.get(email=email))
        name = settings.SESSION_COOKIE_NAME
        self.context.add_cookies([{"name": name, "value": browser.cookies[name].value, "url": self.site.url}])
        self.go("/")
        return self

    def log_in(self, email: str) -> Visitor:
        """By the page, as people do."""
        self.page.goto(f"{self.site.url}/accounts/login/")
        self.page.get_by_label("Email").fill(email)
        self.page.get_by_label("Password").fill(PASSWORD)
        self.page.get_by_role("button", name="Log in", exact=True).click()
        self.page.wait_for_url(lambda url: "/accounts/login" not in url)
        return self

    def go(self, path: str) -> None:
        self.page.goto(self.site.url + path)

    def follow(self, what: Locator) -> None:
        """Click what leads to another page, and be there: a click alone returns before the browser has left."""
        with self.page.expect_navigation():
            what.click()

    def check_accessible(self) -> None:
        """No violation that axe-core can find on the page as it stands."""
        found = Axe().run(
            self.page,
            options={"runOnly": ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa", "best-practice"]},
        )
        assert found.violations_count == 0, found.generate_report()


@pytest.fixture
def visitor(site: Site, browser: Browser, request: pytest.FixtureRequest) -> Iterator[Any]:
    """Opens browsers: `visitor(mail, phone=…, javascript=…, of=another site)`. Errors in a page's console fail the
    test."""
    opened: list[Visitor] = []

    def open_browser(
        email: str = "",
        *,
        javascript: bool = True,
        phone: bool = False,
        dark: bool = False,
        of: Site | None = None,
    ) -> Visitor:
        context = browser.new_context(
            viewport=PHONE if phone else DESKTOP,  # type: ignore[arg-type]
            java_script_enabled=javascript,
            color_scheme="dark" if dark else "light",
            reduced_motion="reduce",
        )
        context.set_default_timeout(10_000)
        visitor = Visitor(of or site, context, context.new_page())
        visitor.page.on(
            "console",
            lambda m: (
                visitor.problems.append(m.text)
                if m.type == "error" and "htmx:sendAbort" not in m.text and "htmx:afterRequest" not in m.text
                else None
            ),
        )
        visitor.page.on("pageerror", lambda error: visitor.problems.append(str(error)))
        opened.append(visitor)
        return visitor.enter(email) if email else visitor

    yield open_browser
    problems = [problem for each in opened for problem in each.problems]
    for each in opened:
        each.context.close()
    assert not problems, problems
