"""A reader of Spanish meets Spanish: every sentence of ours on a patient's page or in a mail, every day and time."""

import ast
import gettext
import re
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from functools import cache
from html.parser import HTMLParser
from pathlib import Path

import pytest
from django.conf import settings
from django.core import mail
from django.template import engines
from django.templatetags.i18n import BlockTranslateNode, TranslateNode
from django.test import Client
from django.urls import reverse
from django.utils import translation

from audit.models import Event
from audit.now import at, now
from intake import actions
from intake.promise import spoken
from portal.people import actions as people
from portal.people import tasks
from portal.people.models import Proxy, User
from portal.people.templatetags.porter import wall
from queues import actions as queues
from queues.states import State
from queues.urgency import Urgency
from tests.clinic import Clinic

LOCALE = settings.BASE_DIR / "locale/es/LC_MESSAGES"
TEMPLATES = settings.BASE_DIR / "templates"
# What only staff see may stay in English.
STAFF_TEMPLATES = ("queues/", "triage/", "admin/", "compiled/", "bench.html")
PATIENT_CODE = sorted(
    {*(settings.BASE_DIR / "intake").glob("*.py")}
    - {settings.BASE_DIR / "intake/admin.py", settings.BASE_DIR / "intake/models.py"}
    | {*(settings.BASE_DIR / "intake/attachments").rglob("*.py")}
    | {*(settings.BASE_DIR / "intake/questionnaires").rglob("*.py")}
    - {settings.BASE_DIR / "intake/questionnaires/facts.py"}
    | {*(settings.BASE_DIR / "queues/actions").rglob("*.py")}
    | {
        settings.BASE_DIR / path
        for path in (
            "portal/people/actions.py",
            "portal/people/policies.py",
            "portal/shell/language.py",
            "portal/shell/log_in.py",
            "queues/policies.py",
            "triage/actions/deciding.py",
        )
    }
)
# Written down at the patient's click and read by staff, who read English.
FOR_STAFF = {"The patient took the request back."}
GETTEXT = {"_", "gettext", "gettext_lazy", "ngettext", "ngettext_lazy"}
IN_CONTEXT = "\x04"  # between the context of a sentence and itself, as gettext keeps them
# Proper names, and what is the same in both languages.
ALIKE = {"Porter", "English", "Español", "No", "PDF", "Ctrl"}

Sentence = tuple[str, ...]  # the msgid, and its plural where it has one


def patient_templates() -> list[str]:
    names = (path.relative_to(TEMPLATES).as_posix() for path in TEMPLATES.rglob("*") if path.is_file())
    return sorted(name for name in names if not name.startswith(STAFF_TEMPLATES))


def sentences_of_template(name: str) -> Iterator[Sentence]:
    nodes = engines["django"].get_template(name).template.nodelist
    for node in nodes.get_nodes_by_type(TranslateNode):
        yield (node.filter_expression.var.literal,)
    for node in nodes.get_nodes_by_type(BlockTranslateNode):
        yield tuple(node.render_token_list(part)[0] for part in (node.singular, node.plural) if part)


def sentences_of_code(path: Path) -> Iterator[Sentence]:
    waiting: list[ast.AST] = [ast.parse(path.read_text(encoding="utf-8"))]
    while waiting:
        node = waiting.pop()
        if isinstance(node, ast.keyword) and node.arg == "help_text":
            continue
        waiting.extend(ast.iter_child_nodes(node))
        if isinstance(node, ast.Call):
            name = getattr(node.func, "id", getattr(node.func, "attr", ""))
            if name in ("pgettext", "pgettext_lazy"):
                context, sentence = (ast.literal_eval(part) for part in node.args)
                yield (context + IN_CONTEXT + sentence,)
            elif name in GETTEXT:
                yield tuple(ast.literal_eval(part) for part in node.args[: 1 + name.startswith("n")])


def all_sentences() -> Iterator[tuple[str, Sentence]]:
    for name in patient_templates():
        yield from ((name, found) for found in sentences_of_template(name))
    for path in PATIENT_CODE:
        yield from ((str(path.relative_to(settings.BASE_DIR)), found) for found in sentences_of_code(path))


class Nothing(gettext.NullTranslations):
    """Behind the catalog: what it does not have is empty, instead of English."""

    def gettext(self, message: str) -> str:
        return ""

    def ngettext(self, singular: str, plural: str, n: int) -> str:
        return ""


def catalog() -> gettext.GNUTranslations:
    with (LOCALE / "django.mo").open("rb") as file:
        found = gettext.GNUTranslations(file)
    found.add_fallback(Nothing())
    return found


def in_spanish(sentence: Sentence) -> list[str]:
    if len(sentence) == 1:
        return [catalog().gettext(sentence[0])]
    return [catalog().ngettext(*sentence, n) for n in (1, 2)]


def entries() -> Iterator[tuple[bool, Sentence, list[str]]]:
    """The .po as it is edited: fuzzy or not, the English, the Spanish."""
    for block in (LOCALE / "django.po").read_text(encoding="utf-8").split("\n\n"):
        lines = [line for line in block.splitlines() if not line.startswith("#")]
        fuzzy = any(line.startswith("#,") and "fuzzy" in line for line in block.splitlines())
        said: dict[str, str] = {}
        key = ""
        for line in lines:
            keyword, quote, rest = line.partition('"')
            key = keyword.strip() or key
            said[key] = said.get(key, "") + ast.literal_eval(quote + rest)
        english = tuple(said[key] for key in ("msgid", "msgid_plural") if key in said)
        if "msgctxt" in said:
            english = (said["msgctxt"] + IN_CONTEXT + english[0], *english[1:])
        if english and english[0]:
            yield fuzzy, english, [text for key, text in said.items() if key.startswith("msgstr")]


class Words(HTMLParser):
    """What people read or hear of a page, piece by piece."""

    TOLD = ("aria-label", "placeholder", "title", "alt", "data-failed", "data-signed-out", "data-too-large")

    def __init__(self, html: str) -> None:
        super().__init__()
        self.found: list[str] = []
        self._silent = 0
        self.feed(html)

    def handle_starttag(self, tag: str, attributes: list[tuple[str, str | None]]) -> None:
        self._silent += tag in ("script", "style")
        self.found += [" ".join((value or "").split()) for name, value in attributes if name in self.TOLD]

    def handle_endtag(self, tag: str) -> None:
        self._silent -= tag in ("script", "style")

    def handle_data(self, data: str) -> None:
        if not self._silent:
            self.found.append(" ".join(data.split()))


@cache
def english() -> tuple[re.Pattern[str], re.Pattern[str]]:
    """Every English sentence of ours, with anything in its gaps; and those long enough to be found inside others."""
    patterns = [
        re.sub(r"%\\?\(\w+\\?\)[sd]", ".+?", re.escape(english))
        for _where, sentence in all_sentences()
        for english in sentence
        if english not in ALIKE
    ]
    return (
        re.compile("|".join(patterns)),
        re.compile("|".join(pattern for pattern in patterns if pattern.count(r"\ ") > 2)),
    )


def english_in(html: str) -> list[str]:
    """The pieces of a page that are English of ours."""
    whole, inside = english()
    return [piece for piece in Words(html).found if whole.fullmatch(piece) or inside.search(piece)]


# ---- the catalog -----------------------------------------------------------------------------------------------


def test_every_sentence_that_a_patient_can_meet_is_in_spanish() -> None:
    missing = {
        (where, sentence[0])
        for where, sentence in all_sentences()
        if sentence[0] not in FOR_STAFF and not all(in_spanish(sentence))
    }
    assert not missing, "Translate these in locale/es after `make messages`."


def test_nothing_that_patients_read_stands_in_a_template_without_being_marked_for_translation() -> None:
    unmarked = {}
    for name in patient_templates():
        source = (TEMPLATES / name).read_text(encoding="utf-8")
        source = re.sub(r"{% (blocktranslate|comment)\b.*?{% end\1 %}", "", source, flags=re.DOTALL)
        source = re.sub(r"{% block face %}.*?{% endblock face %}", "", source)  # names of classes
        source = re.sub(r"{%.*?%}|{{.*?}}|{#.*?#}", "", source)
        words = " ".join(Words(source).found).split()
        left = [word for word in words if re.search(r"[^\W\d_]{2}", word) and word not in ALIKE]
        if left:
            unmarked[name] = left
    assert not unmarked


def test_a_translation_keeps_the_gaps_of_its_sentence_and_none_is_a_guess() -> None:
    def gaps(text: str) -> list[str]:
        return sorted(set(re.findall(r"%\(\w+\)[sd]", text)))

    found = list(entries())
    assert len(found) > 300
    for fuzzy, english, spanish in found:
        assert not fuzzy, f"{english[0]!r} is only guessed at."
        for text in spanish:
            assert (
                not text
                or gaps(text) == gaps(english[-1])
                or len(english) > 1
                and gaps(text) == gaps(english[0])
            )


def test_the_compiled_catalog_is_the_one_in_the_repository() -> None:
    for _fuzzy, english, spanish in entries():
        assert [text for text in in_spanish(english) if text] == [text for text in spanish if text]


@pytest.mark.parametrize("choices", [Proxy.Relationship, State, Urgency])
def test_what_a_person_or_a_request_is_has_a_spanish_word(choices) -> None:
    with translation.override("es"):
        spanish = [str(label) for label in choices.labels]
    with translation.override("en"):
        english = [str(label) for label in choices.labels]
    assert not set(spanish) & set(english)


# ---- pages and mail --------------------------------------------------------------------------------------------


@pytest.fixture
def lucia(clinic: Clinic) -> Client:
    """The patient's browser; she reads Spanish, and her browser asks for English."""
    user = clinic.patient.user
    people.choose_language(user=user, language="es", by=user)
    clinic.refill.name_es, clinic.refill.description_es = "Resurtir una medicina", "Para pedir más"
    actions.save_request_type(clinic.refill, by=clinic.admin)
    for queue in (clinic.refills, clinic.urgent):
        queue.team_es = "el equipo de enfermería"
        queues.save_queue(queue, by=clinic.admin)
    client = Client(headers={"Accept-Language": "en", "Origin": "http://testserver"})
    client.force_login(user)
    return client


def read(response) -> str:
    html = response.content.decode()
    assert '<html lang="es" dir="ltr">' in html
    assert english_in(html) == []
    return html


class TestAPatientWhoReadsSpanish:
    def test_starts_and_fills_in_a_form(self, lucia: Client, clinic: Clinic) -> None:
        assert "¿Qué necesita?" in read(lucia.get("/"))
        draft = clinic.draft()
        html = read(lucia.get("/"))
        assert "Resurtir una medicina" in html
        assert "Para pedir más" in html
        page = reverse("draft", args=[draft.pk, "p1"])
        assert "El equipo de enfermería le responde a más tardar" in read(lucia.get(page))
        wrong = lucia.post(page, {"i.medicine": "", "i.left": "plenty", "go": "next"})
        assert wrong.status_code == 422
        assert "Hay 2 respuestas que debe revisar" in read(wrong)
        actions.save_draft(
            draft=draft,
            raw=draft.raw | {"i.problems": ["true"], "i.which": ["No puedo respirar, me duele el pecho"]},
            by=draft.author,
        )
        assert "Esto puede ser una emergencia" in read(lucia.get(reverse("draft", args=[draft.pk, "p2"])))
        html = read(lucia.get(reverse("review", args=[draft.pk])))
        assert "Revise y luego envíe" in html
        assert ">Sí</dd>" in html

    def test_reads_and_writes_afterwards(self, lucia: Client, clinic: Clinic) -> None:
        sent = clinic.send(problems="true", which="Me da sueño")
        assert "Recibimos su solicitud" in read(lucia.get(reverse("sent", args=[sent.pk])))
        html = read(lucia.get(sent.get_absolute_url()))
        assert "<h1>Resurtir una medicina</h1>" in html
        assert "todavía no la leemos" in html
        assert "Primero escriba algo" in read(lucia.post(sent.get_absolute_url(), {"body": " "}))
        assert "Su mensaje se envió" in read(
            lucia.post(sent.get_absolute_url(), {"body": "¿Cuándo?"}, follow=True)
        )
        assert "Resurtir una medicina" in read(lucia.get("/requests/"))
        read(lucia.get("/"))
        assert "cancelada" in read(lucia.post(reverse("withdraw", args=[sent.pk]), follow=True))

    def test_reads_what_is_urgent(self, lucia: Client, clinic: Clinic) -> None:
        sent = clinic.send(problems="true", which="Me duele el pecho y no puedo respirar")
        assert "Llamar al 911" in read(lucia.get(reverse("sent", args=[sent.pk])))
        read(lucia.get(sent.get_absolute_url()))
        html = read(lucia.post(reverse("withdraw", args=[sent.pk]), follow=True))
        assert "puede ser una emergencia" in html

    def test_chooses_for_whom_it_is(self, lucia: Client, clinic: Clinic) -> None:
        people.grant_proxy(
            user=clinic.patient.user, patient=clinic.stranger, relationship="carer", by=clinic.admin
        )
        assert "¿Para quién es esto?" in read(lucia.get("/", follow=True))

    def test_looks_after_the_account(self, lucia: Client) -> None:
        for name in ("account_email", "account_change_password", "usersessions_list"):
            read(lucia.get(reverse(name), follow=True))

    def test_goes_astray(self, lucia: Client) -> None:
        assert "Aquí no hay nada" in read(lucia.get("/requests/999999/"))
        assert "Aquí no hay nada" in read(lucia.get("/no-such-page"))

    def test_gets_mail(self, lucia: Client, clinic: Clinic) -> None:
        task = queues.claim(task=clinic.task(), by=clinic.nurse)
        queues.reply(task=task, body="Está lista.", by=clinic.nurse)
        tasks.sweep_mail()
        assert not mail.outbox  # the nurse may still take it back
        with at(now() + timedelta(seconds=settings.UNDO_SECONDS)):
            tasks.sweep_mail()
        (letter,) = mail.outbox
        assert letter.subject == "Tiene un mensaje nuevo"
        assert english_in(letter.body) == []
        assert "llame al 911" in letter.body

    def test_leaves_english_for_the_staff(self, lucia: Client, clinic: Clinic) -> None:
        draft = clinic.draft(problems="true", which="Me da sueño")
        lucia.post(reverse("review", args=[draft.pk]))
        task = clinic.patient.conversations.get().tasks.get()
        assert {"Yes", "A few days"} <= {line["value"] for line in task.summary}
        assert task.conversation.subject == "Refill"
        task = queues.claim(task=task, by=clinic.nurse)
        question = queues.escalate(task=task, situation="Sleepy.", question="Halve it?", by=clinic.nurse)
        lucia.post(reverse("withdraw", args=[task.conversation_id]))
        question.refresh_from_db()
        assert question.answer == "The patient took the request back."


@pytest.mark.parametrize("path", ["/accounts/login/", "/accounts/password/reset/"])
def test_a_guest_is_met_in_the_language_of_the_browser(db: None, path: str) -> None:
    read(Client(headers={"Accept-Language": "es-MX,es;q=0.9,en;q=0.5"}).get(path))


# ---- days and times --------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("day", "hour", "spanish", "english"),
    [
        (7, 14, "hoy, 14:00", "today, 2 p.m."),
        (8, 9, "mañana, 09:00", "tomorrow, 9 a.m."),
        (10, 14, "el jueves, 14:00", "Thursday, 2 p.m."),
        (21, 14, "el lunes 21 de diciembre, 14:00", "Monday, December 21, 2 p.m."),
    ],
)
def test_a_time_is_told_as_people_say_it(
    clinic: Clinic, day: int, hour: int, spanish: str, english: str
) -> None:
    with at(datetime(2026, 12, 7, 15, tzinfo=UTC)):
        moment = datetime(2026, 12, day, hour + 5, tzinfo=UTC)  # the clinic is in New York
        for language, told in (("es", spanish), ("en", english)):
            with translation.override(language):
                assert spoken(moment, clinic.patient) == told


def test_a_moment_has_its_month_as_the_reader_writes_it(clinic: Clinic) -> None:
    moment = datetime(2026, 11, 3, 19, 15, tzinfo=UTC)
    with translation.override("es"):
        assert wall(moment, clinic.patient) == "3 nov, 14:15"
    with translation.override("en"):
        assert wall(moment, clinic.patient) == "Nov 3, 2:15 p.m."


# ---- choosing --------------------------------------------------------------------------------------------------


@pytest.fixture
def maya(clinic: Clinic) -> Client:
    client = Client(headers={"Accept-Language": "es", "Origin": "http://testserver"})
    client.force_login(clinic.patient.user)
    return client


def test_what_somebody_chose_goes_before_what_the_browser_asks_for(maya: Client) -> None:
    maya.cookies[settings.LANGUAGE_COOKIE_NAME] = "es"
    response = maya.get("/")
    assert "What do you need?" in english_in(response.content.decode())
    assert '<html lang="en"' in response.content.decode()
    assert response.headers["Content-Language"] == "en"


def test_the_switch_is_kept_with_the_account_and_leaves_a_trace(maya: Client, clinic: Clinic) -> None:
    assert 'name="next" value="/requests/?a=1"' in maya.get("/requests/?a=1").content.decode()
    response = maya.post("/language/", {"language": "es", "next": "/requests/?a=1"})
    assert response["Location"] == "/requests/?a=1"
    assert User.objects.get(pk=clinic.patient.user.pk).language == "es"
    event = Event.objects.get(action="people.user.language")
    assert (event.agent, event.detail) == (clinic.patient.user, {"language": "es"})
    maya.post("/language/", {"language": "es"})
    assert Event.objects.filter(action="people.user.language").count() == 1
    # The log-in page of this browser goes on in the language that was chosen here.
    maya.logout()
    maya.cookies[settings.LANGUAGE_COOKIE_NAME] = response.cookies[settings.LANGUAGE_COOKIE_NAME].value
    assert '<html lang="es"' in maya.get("/accounts/login/").content.decode()


def test_a_guest_chooses_for_this_browser(db: None) -> None:
    guest = Client(headers={"Accept-Language": "en"})
    assert ">Español</button>" in guest.get("/accounts/login/").content.decode()
    html = guest.post(
        "/language/", {"language": "es", "next": "/accounts/login/?next=/requests/"}, follow=True
    )
    assert html.redirect_chain == [("/accounts/login/?next=/requests/", 302)]
    assert ">English</button>" in read(html)
    assert not Event.objects.filter(action="people.user.language").exists()


def test_what_is_said_at_the_log_in_is_said_in_the_language_of_who_logs_in(clinic: Clinic) -> None:
    user = clinic.patient.user
    user.language = "es"
    user.set_password("a long enough password")
    user.save()
    response = Client(headers={"Accept-Language": "en"}).post(
        "/accounts/login/", {"login": user.email, "password": "a long enough password"}, follow=True
    )
    assert "Successfully" not in read(response)


@pytest.mark.parametrize(
    "where", ["https://elsewhere.example/", "//elsewhere.example", "", "javascript:alert(1)"]
)
def test_the_switch_leads_nowhere_else(maya: Client, where: str) -> None:
    assert maya.post("/language/", {"language": "es", "next": where})["Location"] == "/"


def test_a_language_that_is_not_offered_changes_nothing(maya: Client, clinic: Clinic) -> None:
    assert maya.post("/language/", {"language": "tlh"}).status_code == 404
    assert maya.get("/language/").status_code == 405
    assert User.objects.get(pk=clinic.patient.user.pk).language == "en"
