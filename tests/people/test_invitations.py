"""Asking somebody to act for a patient: who may, what it opens and when, and what nobody learns by it."""

from __future__ import annotations

import re
from datetime import date, timedelta
from typing import Any

import pytest
from django.core import mail
from django.db import DatabaseError, transaction
from django.test import Client
from django.urls import reverse

from audit.models import Event
from audit.now import at, now
from intake.privacy import log
from portal.people import actions as people
from portal.people import tasks
from portal.people.models import Mail, Patient, Proxy, User
from portal.people.models.invitations import A_DAY, DAYS, MISSES, Invitation
from portal.people.policies import Refused
from tests import factories as make
from tests.clinic import Clinic
from tests.people.test_grants import client_of, parent, teen, years_ago

__all__ = ["parent", "teen"]

FILLED = {"name": "Cary Carer", "email": "Cary@Example.org", "relationship": "carer", "what": "all"}


def ask(client: Client, **fields: Any) -> Any:
    return client.post("/access/ask/", FILLED | {"go": "ask"} | fields, follow=True)


@pytest.fixture
def carer(clinic: Clinic) -> User:
    return make.UserFactory(name="Carina Real", email="cary@example.org")


@pytest.fixture
def desk(clinic: Clinic) -> User:
    return make.staff("front-desk", name="Flo Desk", facility=clinic.facility)


def asked(clinic: Clinic, **fields: Any) -> Invitation:
    given = {"name": "Cary Carer", "email": "cary@example.org", "relationship": "carer"} | fields
    return people.ask_proxy(patient=clinic.patient, by=clinic.patient.user, **given)


class TestThePatientAsks:
    def test_after_looking_it_over_and_nothing_is_open_before_the_yes(
        self, clinic: Clinic, carer: User
    ) -> None:
        client = client_of(clinic.patient.user)
        html = client.post(
            "/access/ask/", FILLED | {"what": "some", "kinds": ["billing"], "go": "look"}
        ).content.decode()
        assert "Let Cary Carer act for you?" in html
        assert "Billing question" in html, html[html.index("<main") :]
        assert not Invitation.objects.exists()
        html = ask(client, what="some", kinds=["billing"]).content.decode()
        assert "A mail is on its way to them." in html
        assert "asked, no answer yet" in html
        assert not Patient.objects.reachable_by(carer).exists()

    def test_nobody_learns_whether_an_address_has_a_log_in(self, clinic: Clinic, carer: User) -> None:
        client = client_of(clinic.patient.user)
        pages = {}
        for email in ("cary@example.org", "nobody@example.org"):
            pages[email] = ask(client, email=email).content.decode().replace(email, "ADDRESS")
            client.post(reverse("access-back", args=[Invitation.objects.latest("pk").pk]), follow=True)
        mains = [page.split("<main")[1].split("</main")[0] for page in pages.values()]
        first, second = (re.sub(r'\d+|csrfmiddlewaretoken" value="\w+"', "", main) for main in mains)
        assert first == second
        assert "Carina Real" not in "".join(pages.values())

    def test_an_address_without_a_log_in_gets_one_that_only_its_mail_opens(self, clinic: Clinic) -> None:
        row = asked(clinic, email="new@example.org")
        assert not row.user.has_usable_password()
        tasks.sweep_mail()
        (sent,) = [each for each in mail.outbox if each.to == ["new@example.org"]]
        assert "/accounts/password/reset/" in sent.body
        for word in ("Maya", "Ortiz", "Cary", "Lakeside", "carer"):
            assert word not in sent.subject + sent.body

    def test_a_proven_further_address_reaches_its_owner(self, clinic: Clinic, carer: User) -> None:
        carer.emailaddress_set.create(email="second@example.org", verified=True)
        assert asked(clinic, email="second@example.org").user == carer

    @pytest.mark.parametrize(
        ("fields", "sentence"),
        [
            ({"email": "not an address"}, "Enter a valid email address."),
            ({"what": "some"}, "Choose at least one kind of request."),
            ({"kinds": ["billing"]}, "You chose everything, and single kinds too."),
            ({"what": "some", "kinds": ["invented"]}, "invented is not one of the available choices"),
            ({"relationship": "parent"}, "parent is not one of the available choices"),
            ({"until": "2001-01-01"}, "The last day is over already."),
            ({"until": "soon"}, "Enter a valid date."),
            ({"email": "patient@example.org"}, "This is your own address."),
        ],
    )
    def test_what_is_wrong_is_said_and_nothing_stored(
        self, clinic: Clinic, fields: dict[str, Any], sentence: str
    ) -> None:
        users = User.objects.count()
        assert sentence in ask(client_of(clinic.patient.user), **fields).content.decode()
        assert not Invitation.objects.exists()
        assert User.objects.count() == users

    def test_a_child_is_told_to_call(self, clinic: Clinic, teen: Patient) -> None:
        assert "Please call us" in ask(client_of(teen.user)).content.decode()
        assert not Invitation.objects.exists()

    def test_nobody_asks_for_somebody_else(self, clinic: Clinic, carer: User) -> None:
        people.grant_proxy(user=carer, patient=clinic.patient, relationship="carer", by=clinic.admin)
        assert client_of(carer).post("/access/ask/", FILLED | {"go": "ask"}).status_code == 404
        for by in (carer, clinic.nurse, clinic.admin, clinic.stranger.user):
            with pytest.raises(Refused):
                people.ask_proxy(
                    patient=clinic.patient, email="x@example.org", name="X", relationship="carer", by=by
                )

    def test_asking_again_takes_the_place_of_what_waits(self, clinic: Clinic, carer: User) -> None:
        first, second = asked(clinic), asked(clinic, scope=["billing"])
        assert list(clinic.patient.invitations.open()) == [second]
        first.refresh_from_db()
        assert first.answered_at

    def test_not_without_end_in_one_day(self, clinic: Clinic) -> None:
        for number in range(A_DAY):
            asked(clinic, email=f"some{number}@example.org")
        with pytest.raises(Refused, match="enough for one day"):
            asked(clinic, email="more@example.org")
        with at(now() + timedelta(days=1, minutes=1)):
            asked(clinic, email="more@example.org")

    def test_takes_it_back(self, clinic: Clinic, carer: User) -> None:
        row = asked(clinic)
        html = client_of(clinic.patient.user).post(reverse("access-back", args=[row.pk]), follow=True).content
        assert b"It is taken back." in html
        assert not Invitation.objects.open().exists()
        with pytest.raises(Refused):
            people.accept_invitation(invitation=row, birth_date=clinic.patient.birth_date, by=carer)


class TestTheAnswer:
    def yes(self, row: Invitation, by: User, born: str) -> Any:
        return client_of(by).post(
            reverse("access-answer", args=[row.pk]), {"go": "yes", "born": born}, follow=True
        )

    def test_yes_with_the_birthday_opens_what_was_offered(self, clinic: Clinic, carer: User) -> None:
        until = now().date() + timedelta(days=30)
        row = asked(clinic, scope=["billing"], until=until)
        page = client_of(carer).get("/", follow=True).content.decode()
        assert "Somebody at Lakeside Clinic wants you to act for them" in page
        assert "Maya" not in page
        assert "Ortiz" not in page
        html = self.yes(row, carer, "1980-03-04").content.decode()
        assert "You can act for Maya Ortiz from now on." in html
        proxy = Proxy.objects.get(user=carer)
        assert (proxy.scope, proxy.until, proxy.relationship) == (["billing"], until, "carer")
        assert not Invitation.objects.open().exists()
        assert {each.recipient for each in Mail.objects.filter(kind="grant-given")} == {
            carer,
            clinic.patient.user,
        }
        assert Event.objects.get(action="people.proxy.grant").agent == carer

    def test_who_is_a_stranger_by_a_mistyped_address_learns_nothing_and_is_soon_done(
        self, clinic: Clinic, carer: User
    ) -> None:
        row = asked(clinic)
        for number in range(MISSES):
            response = self.yes(row, carer, f"1990-01-{number + 10}" if number else "")
            if number < MISSES - 1:
                assert "That is not their birthday." in response.content.decode()
            assert b"Ortiz" not in response.content
        assert self.yes(row, carer, "1980-03-04").status_code == 404
        assert not Proxy.objects.exists()
        assert Event.objects.filter(action="people.proxy.miss").count() == MISSES

    def test_no_is_no_and_tells_the_patient_no_name(self, clinic: Clinic, carer: User) -> None:
        row = asked(clinic)
        client_of(carer).post(reverse("access-answer", args=[row.pk]), {"go": "no"})
        assert not Invitation.objects.open().exists()
        lines = log(clinic.patient, clinic.patient.user).lines
        (line,) = [each for each in lines if "said no" in each.what]
        assert (line.who, line.part) == ("Somebody who was asked", "")
        assert not any("Carina" in each.who for each in lines)

    def test_it_ends_by_itself(self, clinic: Clinic, carer: User) -> None:
        row = asked(clinic)
        with at(now() + timedelta(days=DAYS, minutes=1)):
            assert not Invitation.objects.open().exists()
            with pytest.raises(Refused):
                people.accept_invitation(invitation=row, birth_date=clinic.patient.birth_date, by=carer)

    def test_nobody_answers_for_another(self, clinic: Clinic, carer: User) -> None:
        row = asked(clinic)
        for by in (clinic.stranger.user, clinic.nurse, clinic.admin, clinic.patient.user):
            assert self.yes(row, by, "1980-03-04").status_code == 404
        assert client_of(clinic.stranger.user).post(reverse("access-back", args=[row.pk])).status_code == 404
        assert not Proxy.objects.exists()

    def test_who_acts_already_is_told_so(self, clinic: Clinic, carer: User) -> None:
        people.grant_proxy(user=carer, patient=clinic.patient, relationship="carer", by=clinic.admin)
        assert (
            "You act for this person already."
            in self.yes(asked(clinic), carer, "1980-03-04").content.decode()
        )

    def test_one_whose_last_grant_ran_out_today_comes_back(self, clinic: Clinic, carer: User) -> None:
        people.grant_proxy(user=carer, patient=clinic.patient, relationship="carer", by=clinic.admin)
        Proxy.objects.update(since=date(2020, 1, 1), until=date(2020, 2, 1))
        self.yes(asked(clinic), carer, "1980-03-04")
        assert Patient.objects.reachable_by(carer).exists()

    def test_a_grant_needs_an_answer_even_with_sql(self, clinic: Clinic, carer: User) -> None:
        row = asked(clinic)
        grant = people.grant_proxy(user=carer, patient=clinic.patient, relationship="carer", by=clinic.admin)
        with pytest.raises(DatabaseError), transaction.atomic():
            Invitation.objects.filter(pk=row.pk).update(proxy=grant)

    def test_the_admin_does_not_show_who_was_asked(self, clinic: Clinic, carer: User) -> None:
        asked(clinic)
        assert "cary@example.org" not in client_of(clinic.admin).get("/admin/people/user/").content.decode()


class TestTheClinic:
    def page(self, clinic: Clinic) -> str:
        return reverse("clinic-grants", args=[clinic.patient.pk])

    def test_asks_a_parent_whose_grant_ends_at_majority(
        self, clinic: Clinic, teen: Patient, desk: User
    ) -> None:
        client = client_of(desk)
        assert "Change who acts for them" in client.get(reverse("caller", args=[teen.pk])).content.decode()
        assert "ends by itself on the 18th birthday" in client.get(self.page(clinic)).content.decode()
        fields = FILLED | {"relationship": "parent", "reason": "Mother; birth certificate seen"}
        html = client.post(self.page(clinic), fields, follow=True).content.decode()
        assert "Mother; birth certificate seen" in html
        row = Invitation.objects.get()
        assert row.asked_by == desk
        people.accept_invitation(invitation=row, birth_date=teen.birth_date, by=row.user)
        assert Patient.objects.reachable_by(row.user).exists()
        Proxy.objects.update(since=years_ago(1))
        with at(now() + timedelta(days=3 * 366)):
            assert not Patient.objects.reachable_by(row.user).exists()

    def test_wants_a_reason_for_both(self, clinic: Clinic, teen: Patient, parent: User, desk: User) -> None:
        client = client_of(desk)
        assert client.post(self.page(clinic), FILLED).status_code == 422
        end = reverse("clinic-end", args=[teen.pk, parent.proxies.get().pk])
        assert "Write why it ends" in client.post(end, {"reason": " "}, follow=True).content.decode()
        assert Patient.objects.reachable_by(parent).exists()
        html = client.post(end, {"reason": "Custody changed"}, follow=True).content.decode()
        assert "ended: Custody changed" in html
        assert not Patient.objects.reachable_by(parent).exists()
        event = Event.objects.get(action="people.proxy.end")
        assert (event.agent, event.detail) == (desk, {"why": "clinic"})

    def test_takes_back(self, clinic: Clinic, desk: User) -> None:
        row = asked(clinic)
        client_of(desk).post(reverse("clinic-back", args=[clinic.patient.pk, row.pk]))
        assert not Invitation.objects.open().exists()

    def test_is_the_desk_of_the_patients_own_place_and_nobody_else(
        self, clinic: Clinic, teen: Patient, parent: User
    ) -> None:
        elsewhere = make.staff("front-desk", facility=make.FacilityFactory())
        # A nurse here and front desk elsewhere sees the patient, and still enters nothing.
        both = make.staff("nurse", facility=clinic.facility)
        people.assign_role(user=both, role="front-desk", facility=make.FacilityFactory(), by=None)
        grant, row = parent.proxies.get(), Invitation.objects.first()
        for user in (
            clinic.nurse,
            clinic.biller,
            clinic.physician,
            clinic.admin,
            elsewhere,
            both,
            parent,
            teen.user,
        ):
            client = client_of(user)
            assert client.get(self.page(clinic)).status_code == 404
            assert client.post(self.page(clinic), FILLED | {"reason": "x"}).status_code == 404
            end = reverse("clinic-end", args=[teen.pk, grant.pk])
            assert client.post(end, {"reason": "x"}).status_code == 404
        assert row is None
        assert not Invitation.objects.exists()
        assert Patient.objects.reachable_by(parent).exists()

    def test_cannot_reach_another_patients_grant_through_this_one(
        self, clinic: Clinic, teen: Patient, parent: User, desk: User
    ) -> None:
        end = reverse("clinic-end", args=[clinic.stranger.pk, parent.proxies.get().pk])
        assert client_of(desk).post(end, {"reason": "x"}).status_code == 404

    def test_nobody_lets_themselves_in(self, clinic: Clinic, desk: User) -> None:
        html = client_of(desk).post(self.page(clinic), FILLED | {"email": desk.email, "reason": "x"}).content
        assert b"This is your own address." in html
        assert not Invitation.objects.exists()

    def test_learns_no_name_by_an_address(self, clinic: Clinic, carer: User, desk: User) -> None:
        html = (
            client_of(desk)
            .post(self.page(clinic), FILLED | {"reason": "Carer"}, follow=True)
            .content.decode()
        )
        assert "Cary Carer" in html
        assert "Carina" not in html
