"""Reading the history's texts for red flags before they are sent, in a process of its own.

Reading is the one large piece of work in a request that needs no database and no order. What the texts will be is
known from the plan, so a second core reads them while the first tells the history; each reading is kept by its text's
hash, as always. Whatever isn't read yet when a request is sent is read then: nothing depends on this.
"""

from __future__ import annotations

import os
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from zoneinfo import ZoneInfo

from django.conf import settings

from intake.questionnaires import Context, evaluate
from portal.shell import processes
from portal.shell.demo import places
from portal.shell.demo.outlook import Outlook
from portal.shell.demo.patients import people_of
from portal.shell.demo.stories import Story, plan
from portal.shell.models import DemoClinic
from triage import actions as triage

WORTH_IT = 200  # requests still to be told for which starting another process pays
HEAD_START = 30  # requests that are told before this process has anything read
BATCH = 25


def read_ahead(marker: DemoClinic) -> int:
    """Read what the requests that are not sent yet will say, in their order; return how many texts there were."""
    people = people_of(marker)
    stories = plan(seed=marker.seed, anchor=marker.anchor, count=marker.planned, people=people)
    outlook, count = Outlook(marker.anchor), 0
    first = marker.unfinished.get("sent", 0)
    first += HEAD_START if first + HEAD_START < len(stories) else 0
    for start in range(first, len(stories), BATCH):
        texts: dict[str, list[str]] = {}
        for story in stories[start : start + BATCH]:
            texts.setdefault(people[story.patient].language, []).extend(_texts(story, outlook))
        for language, said in texts.items():
            triage.keep_readings(said, language)
            count += len(said)
    return count


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


@contextmanager
def reading_ahead(marker: DemoClinic | None) -> Iterator[None]:
    """While the block runs, another process reads what is left of this history."""
    if marker is None or marker.planned - marker.done < WORTH_IT:
        yield
        return
    log = settings.VAR / "log" / "reading.log"
    log.parent.mkdir(parents=True, exist_ok=True)
    command = [sys.executable, "manage.py", "load_demo", "--read-ahead"]
    child = processes.start(command, env=os.environ, log=log, cwd=settings.BASE_DIR)
    try:
        yield
    finally:
        processes.stop(child)
