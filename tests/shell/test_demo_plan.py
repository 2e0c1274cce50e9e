"""What the demo clinic plans to tell: a believable mix, the same each time, and something for every rule to decide."""

from collections import Counter
from datetime import UTC, datetime, timedelta

import pytest

from intake.questionnaires import Context, evaluate
from portal.shell.demo.asks import MIX
from portal.shell.demo.outlook import Outlook
from portal.shell.demo.patients import patients
from portal.shell.demo.stories import plan
from tests.shell.test_demo import ANCHOR, SEED


@pytest.fixture(scope="module")
def stories():
    return plan(seed=SEED, anchor=ANCHOR, count=2000, people=patients(SEED, ANCHOR.date()))


def test_the_mix_is_that_of_practices_with_a_portal(stories):
    share = {kind: count / len(stories) for kind, count in Counter(s.ask.kind for s in stories).items()}
    assert set(share) == set(MIX)
    assert 0.30 <= share["refill"] <= 0.45
    assert 0.15 <= share["appointment"] <= 0.25
    assert 0.20 <= share["symptom"] <= 0.25
    for kind in ("result", "form", "billing"):
        assert 0.05 <= share[kind] <= 0.10


def test_some_requests_hold_a_red_flag_and_the_rules_see_each(stories):
    flagged = [story for story in stories if "flag" in story.ask.tags]
    assert 0.02 <= len(flagged) / len(stories) <= 0.035
    outlook, people = Outlook(ANCHOR), patients(SEED, ANCHOR.date())
    for story in flagged:
        decided = outlook.decide(story.ask, people[story.patient], story.at)
        assert (decided.queue, decided.urgency) == ("urgent", "urgent"), story.ask.answers


@pytest.fixture(scope="module")
def decisions():
    """What is decided about each request of a plan as large as a demo's that is told quickly."""
    outlook, people = Outlook(ANCHOR), patients(SEED, ANCHOR.date())
    planned = plan(seed=SEED, anchor=ANCHOR, count=700, people=people)
    found = []
    for place, story in enumerate(planned):
        just_before = [
            each for each in planned[:place] if timedelta(0) <= story.at - each.at < timedelta(minutes=5)
        ]
        still_open = sum(each.patient == story.patient for each in just_before)
        found.append((story, outlook.decide(story.ask, people[story.patient], story.at, still_open)))
    return found


def test_every_rule_of_the_demo_has_something_to_decide(decisions):
    fired = {rule for _story, decided in decisions for rule in decided.fired}
    assert {rule.name for rule in Outlook(ANCHOR).ruleset.rules} - fired == set()


def test_few_of_the_demos_ordinary_requests_are_read_as_an_emergency(decisions):
    ordinary = [decided for story, decided in decisions if "flag" not in story.ask.tags]
    alarmed = sum("Emergency words" in decided.fired for decided in ordinary)
    assert alarmed / len(ordinary) < 0.05


def test_what_is_planned_for_a_physician_goes_to_one(stories):
    outlook, people = Outlook(ANCHOR), patients(SEED, ANCHOR.date())
    for_physician = [story for story in stories if story.ask.for_physician]
    assert 0 < len(for_physician) / len(stories) < 0.05
    for story in for_physician:
        assert outlook.promise(story.ask, people[story.patient]).queue in ("physician", "urgent")


def test_requests_come_in_office_hours_most_of_all(stories):
    zone = Outlook(ANCHOR).zone
    hours = Counter(story.at.astimezone(zone).hour for story in stories)
    office = sum(hours[hour] for hour in range(8, 17)) / len(stories)
    weekend = sum(story.at.astimezone(zone).weekday() >= 5 for story in stories) / len(stories)
    assert 0.6 < office < 0.85
    assert 0.05 < weekend < 0.2
    assert stories == sorted(stories, key=lambda story: story.at)
    assert all((ANCHOR - story.at).days <= 90 and story.at < ANCHOR for story in stories)


def test_the_texts_vary(stories):
    free = [
        text
        for story in stories
        for link_id in ("describe", "note", "details", "question")
        if (text := story.ask.answers.get(link_id))
    ]
    assert len(set(map(str, free))) > 300
    assert not [text for text in free if "{" in str(text)]
    assert not [act.words for story in stories for act in story.acts if "{" in act.words]


def test_the_same_seed_and_anchor_give_the_same_plan(stories):
    again = plan(seed=SEED, anchor=ANCHOR, count=2000, people=patients(SEED, ANCHOR.date()))
    assert again == stories
    other = plan(seed=SEED + 1, anchor=ANCHOR, count=50, people=patients(SEED + 1, ANCHOR.date()))
    assert [story.at for story in other] != [story.at for story in again[:50]]


@pytest.mark.parametrize(
    "anchor", ["2026-07-05T03:30", "2026-11-01T06:30", "2026-12-25T15:00", "2027-01-04T13:01"]
)
def test_a_plan_can_be_made_on_any_day_and_at_any_hour(anchor):
    at = datetime.fromisoformat(anchor).replace(tzinfo=UTC)
    found = plan(seed=SEED, anchor=at, count=400, people=patients(SEED, at.date()))
    assert len(found) == 400
    assert all(story.at <= at for story in found)


def test_a_symptom_that_can_be_seen_is_asked_for_a_photo():
    """So that the rules about files have something to decide in the demo."""
    form = Outlook(ANCHOR).forms["symptom"]
    context = Context(today=ANCHOR.date(), now=ANCHOR)
    asked = {
        what: bool(evaluate(form, {"i.what": [what]}, context).nodes("photos")[0].enabled)
        for what in ("skin", "other", "cough", "mood")
    }
    assert asked == {"skin": True, "other": True, "cough": False, "mood": False}
