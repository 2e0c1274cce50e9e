"""Reading the history's texts for red flags before they are sent, beside those who tell it.

Reading is the one large piece of work in a request that needs no database and no order. What the texts will be is
known from the plan; each reading is kept by its text's hash, as always. Whatever isn't read yet when a request is sent
is read then: nothing depends on this.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from zoneinfo import ZoneInfo

from intake.questionnaires import Context, evaluate
from portal.shell.demo import places
from portal.shell.demo.outlook import Outlook
from portal.shell.demo.patients import people_of
from portal.shell.demo.stories import Story
from portal.shell.models import DemoClinic
from triage import actions as triage

BATCH = 25


def read_ahead(marker: DemoClinic, stories: Sequence[Story]) -> Iterator[int]:
    """Read what these requests will say, in their order; after each batch, how many texts it held."""
    people, outlook = people_of(marker), Outlook(marker.anchor)
    for start in range(0, len(stories), BATCH):
        texts: dict[str, list[str]] = {}
        for story in stories[start : start + BATCH]:
            texts.setdefault(people[story.patient].language, []).extend(_texts(story, outlook))
        for language, said in texts.items():
            triage.keep_readings(said, language)
        yield sum(map(len, texts.values()))


def _texts(story: Story, outlook: Outlook) -> Iterator[str]:
    """Every text of the patient's side: in the form, and in later messages."""
    local = story.at.astimezone(ZoneInfo(places.ZONE))
    context = Context(today=local.date(), now=local)
    state = evaluate(outlook.forms[story.ask.kind], story.ask.raw, context, language="en")
    for _link_id, text in state.texts():
        yield text
    for act in story.acts:
        if act.verb == "write":
            yield act.words.strip()
