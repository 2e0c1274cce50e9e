"""A lead reads the figures: what came in, how long it took, what reached a physician, who did the work."""

from __future__ import annotations

import csv
from pathlib import Path

import pytest
from playwright.sync_api import expect

from queues import actions
from tests import factories as make
from tests.browser.conftest import PASSWORD, Site
from tests.browser.test_look import look
from triage import tasks


@pytest.fixture(scope="module")
def measured(site: Site) -> None:
    """A place of its own with three requests: one resolved, one handed over, one open."""
    clinic = site.clinic
    with site.rows():
        brook = make.FacilityFactory(code="brook", name="Brook Clinic")
        # Rules send refills somewhere at every place, and are proven to.
        make.staff("nurse", queues_worked=(make.queue("refills", facility=brook, name="Brook refills"),))
        lead = make.staff("lead", facility=brook, name="Fay Figure", title="RN", email="figures@example.org")
        lead.set_password(PASSWORD)
        lead.save()
        here, clinic.patient = (
            clinic.patient,
            make.PatientFactory(facility=brook, given_name="Bruno", family_name="Brook"),
        )
        try:
            first, second, _third = (clinic.task("billing") for _each in range(3))
        finally:
            clinic.patient = here
        actions.claim(task=first, by=clinic.biller)
        actions.resolve(task=first, outcome=clinic.done, by=clinic.biller, body="Paid.", minutes_spent=5)
        actions.hand_over(task=second, queue=clinic.urgent, reason="A question.", by=clinic.biller)
        actions.claim(task=second, by=clinic.nurse)
        while tasks.count_changes():
            pass


@pytest.mark.usefixtures("measured")
def test_a_lead_reads_the_figures_and_takes_them_along(site: Site, visitor, tmp_path: Path) -> None:
    fay = visitor("figures@example.org")
    page = fay.page
    fay.go("/work/lead/")
    page.keyboard.press("g")
    page.keyboard.press("f")
    page.wait_for_url("**/measures/")
    expect(page.get_by_role("heading", name="Figures", exact=True)).to_be_visible()
    tiles = page.locator("ul.figures > li")
    expect(tiles.nth(0)).to_have_text("3 requests")
    expect(page.get_by_role("row", name="Everything to the doctor")).to_contain_text("100.0 %")
    # Under each chart lies its table.
    page.get_by_text("As a table").click()
    expect(page.get_by_role("row", name="3 0 0").last).to_be_visible()
    fay.follow(page.get_by_role("link", name="by queue"))
    billing = page.get_by_role("row", name="Billing").first
    expect(billing).to_contain_text("33.3 %")  # handed over
    credit = page.locator("section", has=page.get_by_role("heading", name="Who did the work"))
    expect(credit.get_by_role("row", name="Bo Lind")).to_be_visible()
    with page.expect_download() as download:
        credit.get_by_role("link", name="CSV").click()
    file = tmp_path / "people.csv"
    download.value.save_as(file)
    people = {row["person"]: row for row in csv.DictReader(file.read_text().splitlines())}
    assert people["Bo Lind"]["minutes"] == "5"
    look(fay, "figures")


@pytest.mark.usefixtures("measured")
def test_few_people_are_not_told_of_without_javascript_either(site: Site, visitor) -> None:
    fay = visitor("figures@example.org", javascript=False)
    page = fay.page
    fay.go("/measures/")
    page.get_by_label("From").select_option(index=1)
    fay.follow(page.get_by_role("button", name="Show"))
    expect(page.get_by_label("From")).not_to_have_value(page.get_by_label("to", exact=True).input_value())
    fay.follow(page.get_by_role("link", name="By language and place"))
    expect(page.get_by_role("row", name="Brook Clinic all")).to_contain_text("fewer than 11")
    with_script = visitor("figures@example.org")
    with_script.go("/measures/fairness/")
    look(with_script, "fairness")
