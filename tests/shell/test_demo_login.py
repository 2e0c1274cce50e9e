"""The demo's door: there only in the demo, only for this computer; one click makes anybody somebody."""

from datetime import UTC, datetime

import pytest
from django.db.models import F
from django.test import Client, RequestFactory
from django.urls import reverse

from audit.models import Event
from portal.people.models import User
from portal.shell.demo.context import demo, to_staff
from portal.shell.demo.logins import PASSWORD, logins
from portal.shell.models import DemoClinic
from tests import factories as make

URL = "/demo/"


@pytest.fixture
def marker(db, settings) -> DemoClinic:
    """A demo without its clinic: the marker and the people whom anybody can be."""
    settings.MODE = "demo"
    row = DemoClinic.objects.create(seed=20, anchor=datetime(2026, 3, 4, 20, 10, tzinfo=UTC), planned=200)
    for login in logins(row):
        User.objects.create_user(login.email, name=login.name)
    return row


def test_it_lists_everybody_and_the_password(client, marker):
    page = client.get(URL).content.decode()
    for login in logins(marker):
        assert login.name in page
    assert PASSWORD in page


@pytest.mark.parametrize(
    "code",
    ["adult", "spanish", "parent", "teen", "nurse", "billing", "front-desk", "physician", "lead", "admin"],
)
def test_a_click_logs_in(client, marker, code):
    answer = client.post(URL, {"as": code})
    assert (answer.status_code, answer.url) == (302, "/")
    chosen = User.objects.get(pk=client.session["_auth_user_id"])
    assert chosen.email == next(login.email for login in logins(marker) if login.code == code)
    assert Event.objects.get(action="shell.demo.enter").agent == chosen


def test_a_second_click_is_somebody_else(client, marker):
    client.post(URL, {"as": "nurse"})
    first = client.session.session_key
    client.post(URL, {"as": "adult"})
    assert client.session.session_key != first


@pytest.mark.parametrize("data", [{}, {"as": "nobody"}, {"as": "nurse\x00"}])
def test_nobody_else_can_be_chosen(client, marker, data):
    assert client.post(URL, data).status_code == 404
    assert "_auth_user_id" not in client.session


def test_a_click_from_another_site_is_refused(marker):
    assert Client(enforce_csrf_checks=True).post(URL, {"as": "admin"}).status_code == 403


@pytest.mark.parametrize(
    "from_where",
    [
        {"REMOTE_ADDR": "192.0.2.7"},
        {"REMOTE_ADDR": "10.0.0.1"},
        {"REMOTE_ADDR": ""},
        {"REMOTE_ADDR": "::ffff:192.0.2.7"},
        {"REMOTE_ADDR": "127.0.0.1", "HTTP_X_FORWARDED_FOR": "127.0.0.1"},
        {"REMOTE_ADDR": "127.0.0.1", "HTTP_FORWARDED": "for=192.0.2.7"},
    ],
)
def test_another_computer_finds_no_door(client, marker, from_where):
    assert client.get(URL, **from_where).status_code == 404
    assert client.post(URL, {"as": "admin"}, **from_where).status_code == 404


@pytest.mark.parametrize("address", ["127.0.0.1", "127.8.0.1", "::1", "::ffff:127.0.0.1"])
def test_this_computer_finds_it(client, marker, address):
    assert client.get(URL, REMOTE_ADDR=address).status_code == 200


@pytest.mark.parametrize("mode", ["production", "test"])
def test_outside_of_the_demo_there_is_no_door(client, marker, settings, mode):
    settings.MODE = mode
    assert client.get(URL).status_code == 404
    assert client.post(URL, {"as": "admin"}).status_code == 404


def test_without_the_marker_there_is_no_door(client, marker):
    marker.delete()
    assert client.get(URL).status_code == 404


def test_pages_say_that_the_history_is_still_loading(client, marker):
    marker.done = 50
    marker.save()
    assert "50 of 200" in client.get(URL).content.decode()
    marker.done = 200
    marker.save()
    assert "of 200" not in client.get(URL).content.decode()


def test_templates_ask_once_and_only_in_the_demo(marker, settings, django_assert_num_queries):
    request = RequestFactory().get("/")
    with django_assert_num_queries(1):
        told = demo(request)["demo"]
        assert told.active
        assert told.sentence == "The demo clinic's past is still loading: 0 of 200 requests."
    with django_assert_num_queries(1):
        assert to_staff() == [told.sentence]
    settings.MODE = "production"
    with django_assert_num_queries(0):
        assert demo(request) == {}
        assert to_staff() == []


def test_staff_read_on_every_page_how_much_of_the_past_is_told(marker):
    client = Client()
    client.force_login(make.staff("nurse"))
    for _time in range(2):  # the second is made of what was kept
        page = client.get("/work/all/").content.decode()
        assert page.count("still loading: 0 of 200 requests.") == 1
    DemoClinic.objects.update(done=F("planned"))
    assert "still loading" not in client.get("/work/all/").content.decode()


def test_the_log_in_page_leads_here(client, marker):
    assert URL in client.get(reverse("account_login")).content.decode()
