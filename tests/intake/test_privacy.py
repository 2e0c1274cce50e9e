"""Who can act for me, ending it, and the list of who opened a record; and every patient address as everybody else."""

from __future__ import annotations

import gzip
import re
from datetime import timedelta

import pytest
from django.conf import settings
from django.test import Client
from django.urls import URLPattern, get_resolver, reverse

from audit.actions import record_read
from audit.models import Event
from audit.now import at, now
from intake import actions as intake
from intake import urls as intake_urls
from intake.models import Draft
from intake.privacy import MOST, log, shown_to
from portal.people import actions as people
from portal.people.models import Patient, Proxy, User
from queues import actions as queues
from queues.models import Conversation, FollowUpForm, Task
from tests import factories as make
from tests.clinic import Clinic
from tests.people.test_grants import client_of, parent, send, teen

__all__ = ["parent", "teen"]

# What needs no patient: ways in for everybody, with nothing of anybody.
FOR_ALL = {"away"}
# A staff page in the patients' list of addresses: people who work here have pages of their own.
START = {"home", "person", "access"}


class TestThePage:
    def test_shows_who_acts_and_ends_it_after_asking(self, clinic: Clinic) -> None:
        carer = make.UserFactory(name="Cary Carer")
        proxy = people.grant_proxy(
            user=carer, patient=clinic.patient, relationship="carer", scope=["billing"], by=clinic.admin
        )
        client = client_of(clinic.patient.user)
        html = client.get("/access/").content.decode()
        assert "Cary Carer" in html
        assert "Only: Billing question." in html
        assert (
            "Stop Cary Carer from acting for you?" in client.get(f"/access/{proxy.pk}/end/").content.decode()
        )
        assert Patient.objects.reachable_by(carer).exists()
        html = client.post(f"/access/{proxy.pk}/end/", follow=True).content.decode()
        assert "It is ended" in html
        assert not Patient.objects.reachable_by(carer).exists()
        assert client.post(f"/access/{proxy.pk}/end/").status_code == 404

    def test_a_proxy_ends_their_own(self, clinic: Clinic, teen: Patient, parent: User) -> None:
        client = client_of(parent)
        assert teen.name in client.get("/access/").content.decode()
        client.post(f"/access/{parent.proxies.get().pk}/end/")
        assert not Patient.objects.reachable_by(parent).exists()
        event = Event.objects.get(action="people.proxy.end")
        assert event.agent == parent

    def test_a_child_does_not_shut_a_parent_out_and_is_told_what_to_do(
        self, clinic: Clinic, teen: Patient, parent: User
    ) -> None:
        response = client_of(teen.user).post(f"/access/{parent.proxies.get().pk}/end/", follow=True)
        assert "Please call us" in response.content.decode()
        assert Patient.objects.reachable_by(parent).exists()

    def test_nobody_ends_what_is_between_others(self, clinic: Clinic, teen: Patient, parent: User) -> None:
        proxy = parent.proxies.get()
        for user in (clinic.stranger.user, clinic.nurse, clinic.admin, make.UserFactory()):
            assert client_of(user).post(f"/access/{proxy.pk}/end/").status_code == 404
        assert Patient.objects.reachable_by(parent).exists()


class TestTheLog:
    def test_says_in_plain_words_who_did_what(self, clinic: Clinic) -> None:
        task = queues.claim(task=clinic.task(), by=clinic.nurse)
        queues.reply(task=task, body="It is ready.", by=clinic.nurse)
        html = client_of(clinic.patient.user).get("/access/log/").content.decode()
        assert "Ana Ruiz, RN" in html
        assert "(works at the clinic)" in html
        assert "answered a request" in html
        assert "sent a request" in html

    def test_of_a_confidential_request_is_whole_for_the_patient_and_silent_for_the_parent(
        self, clinic: Clinic, teen: Patient, parent: User
    ) -> None:
        hidden = send(clinic, by=teen.user, confidential=True)
        task = queues.claim(task=hidden.tasks.get(), by=clinic.nurse)
        queues.reply(task=task, body="It is ready.", by=clinic.nurse)
        client_of(clinic.nurse).get(task.get_absolute_url())
        client_of(clinic.nurse).get(f"/work/queues/{clinic.refills.pk}/")
        client_of(clinic.nurse).get("/work/search/?q=Ortiz")
        client_of(teen.user).get(hidden.get_absolute_url())
        assert any(line.who == "Ana Ruiz, RN" for line in log(teen, teen.user).lines)
        assert not any(line.who == "Ana Ruiz, RN" for line in log(teen, parent).lines)
        about = {(event.entity_type, event.entity_id) for event in shown_to(parent, teen)}
        assert not about & {
            ("queues.conversation", str(hidden.pk)),
            ("queues.task", str(task.pk)),
            ("intake.submission", str(hidden.submission_id)),
            ("intake.draft", str(hidden.submission.draft_key)),
        }

    def test_that_is_long_is_read_page_by_page_each_as_light_as_every_other(self, clinic: Clinic) -> None:
        doings = [
            "queues.list.read", "queues.task.read", "intake.home.read", "queues.search.read", "triage.trace.read",
        ]  # fmt: skip
        people_seen = [clinic.nurse, clinic.second_nurse, clinic.physician, clinic.patient.user]
        count = 2 * MOST + 50
        for number in range(count):
            with at(now() - timedelta(minutes=(count - number) * 97)):
                by = people_seen[number * 7 % 4]
                record_read(doings[number * 3 % 5], by=by, patients=[clinic.patient.pk])
        client, address, lines = client_of(clinic.patient.user), "/access/log/", 0
        for _page in range(3):
            page = client.get(address).content
            assert len(gzip.compress(page)) < 12_000
            lines += page.count(b"<li>")
            found = re.search(rb'href="([?]before=\d+)"', page)
            address = f"/access/log/{found[1].decode()}" if found else ""
        assert not address
        assert lines > count * 0.9
        assert b"entered the patient" in page

    def test_knows_no_key_that_is_none(self, clinic: Clinic) -> None:
        client = client_of(clinic.patient.user)
        for before in ("x", "-1", "1" * 40, "\u0663"):
            assert client.get("/access/log/", {"before": before}).status_code == 200

    def test_shows_the_parent_what_was_done_with_what_they_see(
        self, clinic: Clinic, teen: Patient, parent: User
    ) -> None:
        queues.claim(task=send(clinic, by=parent).tasks.get(), by=clinic.nurse)
        assert any(line.who == "Ana Ruiz, RN" for line in log(teen, parent).lines)

    def test_of_a_narrow_grant_holds_nothing_of_other_types(self, clinic: Clinic) -> None:
        carer = make.UserFactory()
        people.grant_proxy(
            user=carer, patient=clinic.patient, relationship="carer", scope=["billing"], by=clinic.admin
        )
        refill, bill = clinic.send(), clinic.send("billing")
        about = {(event.entity_type, event.entity_id) for event in shown_to(carer, clinic.patient)}
        assert ("intake.submission", str(refill.submission_id)) not in about
        assert ("intake.submission", str(bill.submission_id)) in about

    def test_of_somebody_else_is_not_there(self, clinic: Clinic) -> None:
        assert client_of(clinic.nurse).get("/access/log/").status_code == 404


def test_the_quick_way_out_ends_the_log_in_keeps_the_draft_and_tells_nothing(clinic: Clinic) -> None:
    draft = clinic.draft()
    client = client_of(clinic.patient.user)
    response = client.get("/away/")
    html = response.content.decode()
    assert "Lakeside Clinic" in html
    assert "Maya" not in html
    assert "no-store" in response["Cache-Control"]
    assert client.get(reverse("draft", args=[draft.pk])).status_code == 302
    assert Draft.objects.filter(pk=draft.pk).exists()


def test_another_sites_page_cannot_throw_people_out(clinic: Clinic) -> None:
    client = client_of(clinic.patient.user)
    client.get("/away/", headers={"Sec-Fetch-Site": "cross-site"})
    assert client.get("/").status_code == 200


# ---- every address, as everybody --------------------------------------------------------------------------------


def addresses(
    conversation: Conversation, draft: Draft, proxy: Proxy, attachment: str, asked: int
) -> dict[str, str]:
    """Every address of the patients' pages, filled with the keys of one patient's rows."""
    keys = {"requests": conversation.pk, "drafts": draft.pk, "access": proxy.pk, "attachments": attachment}
    found = {}
    for pattern in intake_urls.urlpatterns:
        assert isinstance(pattern, URLPattern)
        route = str(pattern.pattern)
        if route.startswith("work/"):
            continue  # pages of the staff
        path = route
        for part in ("<uuid:pk>", "<int:pk>"):
            path = path.replace(part, str(keys.get(route.split("/")[0], conversation.pk)))
        path = path.replace("<slug:code>", "refill").replace("<slug:page>", "p1")
        path = path.replace("<int:number>", str(asked))
        assert "<" not in path, f"teach this test to fill {route}"
        found[f"{pattern.name} {route}"] = "/" + path
    assert get_resolver().resolve("/requests/")
    return found


class TestEveryAddress:
    @pytest.fixture
    def cast(self, clinic: Clinic, teen: Patient, parent: User) -> dict[str, User]:
        """Everybody to whom the teenager's confidential request must not be there."""
        ended = make.UserFactory(name="Ex Proxy")
        people.end_proxy(
            proxy=people.grant_proxy(user=ended, patient=teen, relationship="carer", by=clinic.admin),
            by=ended,
        )
        expired = make.UserFactory(name="Past Proxy")
        people.grant_proxy(user=expired, patient=teen, relationship="carer", by=clinic.admin)
        yesterday = now().date() - timedelta(days=1)
        Proxy.objects.filter(user=expired).update(since=yesterday, until=yesterday)
        narrow, other = make.UserFactory(name="Narrow"), make.UserFactory(name="Other Parent")
        people.grant_proxy(user=narrow, patient=teen, relationship="carer", scope=["refill"], by=clinic.admin)
        people.grant_proxy(user=other, patient=teen, relationship="parent", by=clinic.admin)
        return {
            "proxy": parent,
            "ended proxy": ended,
            "expired proxy": expired,
            "narrow proxy": narrow,
            "other parent": other,
            "nurse": clinic.nurse,
            "billing": clinic.biller,
            "superuser": clinic.admin,
            "stranger": clinic.stranger.user,
        }

    def test_shows_and_changes_nothing_of_it_to_anybody_else(
        self, clinic: Clinic, teen: Patient, cast: dict[str, User], breathing: FollowUpForm
    ) -> None:
        secret = "Doxycycline 100 mg"
        hidden = clinic.draft(by=teen.user, medicine=secret)
        intake.keep_confidential(draft=hidden, by=teen.user)
        conversation = intake.submit(draft_id=hidden.pk, by=teen.user)
        draft = clinic.draft(by=teen.user, medicine=secret)
        intake.keep_confidential(draft=draft, by=teen.user)
        own = people.grant_proxy(
            user=make.UserFactory(), patient=teen, relationship="partner", by=clinic.admin
        )
        # Long enough ago that the nurse can't take it back any more: it is there to be seen from the first look on.
        with at(now() - timedelta(seconds=settings.UNDO_SECONDS)):
            task = queues.claim(task=Task.objects.get(conversation=conversation), by=clinic.nurse)
            asked = queues.ask_back(task=task, question="", follow_up=breathing, by=clinic.nurse).follow_up
        before = Task.objects.get(conversation=conversation).version
        paths = addresses(conversation, draft, own, "3a6b1b5e-0000-4000-8000-000000000000", asked.pk)
        assert len(paths) > 12
        for who, user in cast.items():
            for name, path in paths.items():
                # A fresh log-in each time: one of the pages ends it.
                for response in (
                    client_of(user).get(path),
                    client_of(user).post(path, {"go": "next", "i.medicine": "x", "body": "I ask"}),
                ):
                    html = response.content.decode()
                    assert secret not in html, (who, name)
                    assert conversation.get_absolute_url() not in html, (who, name)
                    assert conversation.get_absolute_url() not in response.get("Location", ""), (who, name)
                    if response.status_code == 302 and name.startswith("discard"):
                        assert response["Location"] == "/"  # as if it had never been there
                    elif "pk>" in name:
                        assert response.status_code in (404, 405), (who, name, response.status_code)
        draft.refresh_from_db()
        assert draft.raw["i.medicine"] == [secret]
        assert Task.objects.get(conversation=conversation).version == before
        assert not Draft.objects.filter(follow_up=asked).exists()
        # It is there for whom it was asked.
        mine = client_of(teen.user).post(reverse("follow-up", args=[conversation.pk, asked.pk]))
        assert mine["Location"] == reverse("draft", args=[Draft.objects.get(follow_up=asked).pk])
        own.refresh_from_db()
        assert own.ended_at is None

    def test_leads_a_guest_to_the_log_in_and_nowhere_else(self, clinic: Clinic) -> None:
        proxy = people.grant_proxy(
            user=make.UserFactory(), patient=clinic.patient, relationship="carer", by=clinic.admin
        )
        paths = addresses(clinic.send(), clinic.draft(), proxy, "3a6b1b5e-0000-4000-8000-000000000000", 1)
        for name, path in paths.items():
            if name.split()[0] in FOR_ALL:
                continue
            response = Client().get(path)
            assert response.status_code == 302, name
            assert response["Location"].startswith("/accounts/login/"), name
