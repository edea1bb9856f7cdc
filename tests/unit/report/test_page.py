"""The page: what it shows, and that nothing in it acts."""

from __future__ import annotations

import base64
import hashlib
import re
from dataclasses import replace
from datetime import UTC, date, datetime
from gettext import NullTranslations
from html.parser import HTMLParser

import pytest

from opsmail.messages import msg
from opsmail.report.endings import Ending, EndingKind
from opsmail.report.fleet import Fleet, Served, Step
from opsmail.report.page import render
from opsmail.store.generation import Generation
from tests.builders import SETTINGS, operator_text
from tests.unit.output.findings.naughty import NAUGHTY
from tests.unit.report.fleets import NOW, digest_of, proof, report_on

GOOD = operator_text(name="RH & Co")


class Reader(HTMLParser):
    """Reads a page as a browser does, near enough: elements with their attributes, and all text."""

    def __init__(self, page: str) -> None:
        super().__init__()
        self.elements: list[tuple[str, dict[str, str | None]]] = []
        self.text: list[str] = []
        self.feed(page)
        self.close()

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.elements.append((tag, dict(attrs)))

    def handle_data(self, data: str) -> None:
        self.text.append(data)

    def shape(self) -> list[tuple[str, frozenset[str]]]:
        return [(tag, frozenset(attributes)) for tag, attributes in self.elements if tag != "code"]


def page_of(fleet: Fleet) -> str:
    return render(fleet, NullTranslations())


def words_of(fleet: Fleet) -> str:
    return " ".join(" ".join(Reader(page_of(fleet)).text).split())


def generation(number: int = 3, **facts: object) -> Generation:
    document = {
        "store": "s",
        "epoch": 1,
        "environment": "default",
        "number": number,
        "buckets": {},
        "operators": 2,
        "repository": "r",
        "commit": "ab" * 20,
        "settings_digest": "x",
        "ruleset": "1",
        "actor": "ana",
        "time": "2026-05-01T00:00:00Z",
        "plan": "p",
        "last_event": "0" * 64,
        **facts,
    }
    return Generation.parse(document)


def test_an_operator() -> None:
    said = words_of(report_on({"rh.yaml": GOOD}, evidence=[proof("rh", digest_of(GOOD))], served=Served({}, ())))
    assert "rh RH & Co master in order rh@empresa.com.br smtp.empresa.com.br 587 STARTTLS" in said
    assert (
        "user and password: rh@empresa.com.br 31 days ago TLSv1.3, certificate until 2026-07-01 not published" in said
    )
    assert "Nothing is published yet." in said


def test_other_logins_and_proofs() -> None:
    none = operator_text(authentication={"type": "none", "username": None, "password": None})
    assert "no login never" in words_of(report_on({"rh.yaml": none}))
    modern = {
        "type": "modern",
        "password": None,
        "tenant": "x.onmicrosoft.com",
        "client_id": "11111111-2222-3333-4444-555555555555",
        "credential": {"kind": "federated"},
    }
    text = operator_text(authentication=modern)
    said = words_of(report_on({"rh.yaml": text}, evidence=[proof("rh", "ab" * 32, day=30)]))
    assert "modern (OAuth 2.0): rh@empresa.com.br 2 days ago, with other settings" in said


def test_a_proof_without_tls_and_one_whose_certificate_does_not_say() -> None:
    (row,) = report_on({"rh.yaml": GOOD}, evidence=[proof("rh", digest_of(GOOD), encrypted=False)]).rows
    assert "31 days ago not known" in words_of(replace(with_endings(), rows=(row,)))
    (row,) = report_on({"rh.yaml": GOOD}, evidence=[proof("rh", digest_of(GOOD), ends=None)]).rows
    assert "31 days ago TLSv1.3 not known" in words_of(replace(with_endings(), rows=(row,)))


def test_findings_stand_at_their_operator_with_a_link() -> None:
    page = page_of(report_on({"rh.yaml": operator_text(server={"port": 465})}))
    links = [attributes["href"] for tag, attributes in Reader(page).elements if tag == "a"]
    assert "https://opsmail.readthedocs.io/rules/OM201/" in links
    assert "<code>starttls</code>" in page


def test_what_cannot_be_read_is_shown_by_its_file() -> None:
    said = words_of(report_on({"rh.yaml": GOOD, "x.yaml": "a: ["}))
    assert "operators/x.yaml with errors OM002" in said


def test_what_belongs_to_no_operator_is_shown_too() -> None:
    waivers = "- {operator: nobody, rule: OM203, reason: x, approved_by: y, expires: 2026-12-31}\n"
    assert "Other findings OM801 waivers.yaml:1" in words_of(report_on({"rh.yaml": GOOD}, waivers=waivers))


def test_the_history() -> None:
    steps = (
        Step(3, generation(reason="hurry")),
        Step(2, generation(2, operators=1, required=["test-send"])),
        Step(1, None, msg("a bad `signature`")),
    )
    said = words_of(report_on({"rh.yaml": GOOD}, served=Served({}, steps)))
    assert "3 2026-05-01T00:00:00Z ana abababababab 2 operators; hurry; published without any evidence required" in said
    assert "2 2026-05-01T00:00:00Z ana abababababab 1 operator " in said
    assert "1 not to be trusted: a bad signature" in said
    assert "The store does not answer, or there is none yet." in words_of(report_on({"rh.yaml": GOOD}))


def with_endings(*days: date) -> Fleet:
    endings = tuple(Ending(day, EndingKind.SECRET, msg("x"), ("a", "b"), "https://example.org/") for day in days)
    return Fleet("default", NOW, (), (), endings, None)


def test_endings_say_how_far_they_are() -> None:
    said = words_of(with_endings(date(2026, 5, 31), date(2026, 6, 1), date(2026, 6, 2), date(2026, 7, 2)))
    for text in ("2026-05-31 x (1 day ago) a, b who says so", "(today)", "(in 1 day)", "(in 31 days)"):
        assert text in said
    classes = [attributes.get("class") for tag, attributes in Reader(page_of(with_endings(date(2026, 5, 1)))).elements]
    assert "past" in classes
    assert "Nothing that opsmail knows of has an end." in words_of(with_endings())


def test_many_endings_that_are_far_away_open_with_a_click() -> None:
    assert "Later" not in words_of(with_endings(*[date(2027, 1, 1)] * 10))
    assert "Later" in words_of(with_endings(*[date(2027, 1, 1)] * 11))
    assert "Later" not in words_of(with_endings(*[date(2026, 6, 2)] * 11))


def test_its_policy_lets_its_own_style_and_script_act_and_nothing_else() -> None:
    page = page_of(report_on({"rh.yaml": GOOD}))
    (policy,) = (
        str(attributes["content"])
        for _, attributes in Reader(page).elements
        if attributes.get("http-equiv") == "Content-Security-Policy"
    )
    for tag in ("style", "script"):
        (content,) = re.findall(rf"<{tag}>(.*?)</{tag}>", page, re.DOTALL)
        digest = base64.b64encode(hashlib.sha256(content.encode()).digest()).decode()
        assert f"{tag}-src 'sha256-{digest}'" in policy
    assert policy.startswith("default-src 'none'; ")
    assert not re.search(r"\bsrc=|@import|url\(", page)


@pytest.mark.parametrize("text", [text for text in NAUGHTY if text])
def test_no_text_changes_the_structure(text: str) -> None:
    def shape(word: str) -> list[tuple[str, frozenset[str]]]:
        fleet = report_on({"rh.yaml": GOOD}, settings=SETTINGS)
        (row,) = fleet.rows
        assert row.operator is not None
        steps = (Step(1, generation(actor=word[:2000], reason=word[:2000])), Step(2, None, msg("{x}", x=word)))
        ending = Ending(date(2026, 7, 1), EndingKind.WAIVER, msg("{x}", x=word), (word,), word)
        hostile = Fleet(word, datetime(2026, 6, 1, tzinfo=UTC), fleet.rows, (), (ending,), steps)
        return Reader(page_of(hostile)).shape()

    assert shape(text) == shape("x")
