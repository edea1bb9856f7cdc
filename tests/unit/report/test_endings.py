"""What ends, and when."""

from __future__ import annotations

from datetime import date

from opsmail.report.endings import Ending, EndingKind
from tests.builders import SETTINGS, operator_text
from tests.unit.report.fleets import digest_of, proof, report_on

GOOD = operator_text()


def told(ending: Ending) -> tuple[str, str, tuple[str, ...]]:
    return ending.day.isoformat(), ending.kind.value, ending.operators


def test_a_secret() -> None:
    (ending,) = report_on({"rh.yaml": operator_text(authentication={"secret_expires": "2026-09-01"})}).endings
    assert ending == Ending(date(2026, 9, 1), EndingKind.SECRET, ending.what, ("rh",))
    assert str(ending.what) == "the secret of `rh` ends"


def test_logins_that_a_provider_ends_are_told_once_for_all_who_use_them() -> None:
    server = {"host": "smtp.office365.com"}
    files = {
        f"{name}.yaml": operator_text(operator=name, role=role, server=server)
        for name, role in (("b", "standard"), ("a", "master"))
    }
    (ending,) = report_on(files, settings="").endings
    assert told(ending) == ("2026-12-31", "login", ("a", "b"))
    assert ending.source.startswith("https://")
    assert str(ending.what) == "Microsoft 365 ends logins with user and password"


def test_a_certificate_that_a_test_send_saw() -> None:
    (ending,) = report_on({"rh.yaml": GOOD}, evidence=[proof("rh", digest_of(GOOD))]).endings
    assert told(ending) == ("2026-07-01", "certificate", ("rh",))
    assert str(ending.what) == "the TLS certificate of `smtp.empresa.com.br:587` ends"


def test_an_agreement_of_the_catalogue_with_those_it_is_for() -> None:
    more = 'review_by = 2026-12-31\n[[servers]]\nhost = "unused.example.org"\nconnections = ["587/starttls"]\n'
    settings = f"{SETTINGS}{more}authentication = ['basic']\nreview_by = 2026-08-01\n"
    assert [told(ending) for ending in report_on({"rh.yaml": GOOD}, settings=settings).endings] == [
        ("2026-08-01", "agreement", ()),
        ("2026-12-31", "agreement", ("rh",)),
    ]


def test_a_waiver_that_is_used() -> None:
    waivers = "- {operator: rh, rule: OM203, reason: old relay, approved_by: y, expires: 2026-12-31}\n"
    files = {"rh.yaml": operator_text(server={"port": 25})}
    (ending,) = report_on(files, settings=SETTINGS.replace("587", "25"), waivers=waivers).endings
    assert told(ending) == ("2026-12-31", "waiver", ("rh",))
    assert str(ending.what) == "the waiver of OM203 ends: old relay"


def test_nobody_waits_for_what_a_disabled_operator_has() -> None:
    disabled = operator_text(
        operator="x", role="standard", enabled=False, authentication={"secret_expires": "2026-09-01"}
    )
    assert report_on({"rh.yaml": GOOD, "x.yaml": disabled}).endings == ()
