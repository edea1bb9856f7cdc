"""Results of live tests: a line for what passed, an explanation for what did not, and exactly the agreed JSON."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime
from gettext import NullTranslations

import pytest

from opsmail.evidence.facts import Depth
from opsmail.live.result import Failure, Outcome, StageResult, TestResult
from opsmail.mail.diagnosis import Diagnosis, Fault
from opsmail.mail.failure import Stage
from opsmail.mail.oauth.answers import OAuthError
from opsmail.mail.oauth.claims import Claims
from opsmail.mail.peer import TlsFacts
from opsmail.mail.receipt import Receipt
from opsmail.mail.reply import Reply
from opsmail.mail.rules import LIVE_RULES
from opsmail.messages import msg
from opsmail.output.results import tests
from opsmail.output.style import Style
from tests.published import read_json

ENGLISH = NullTranslations()
PLAIN = Style(color=False)
TLS = TlsFacts(
    version="TLSv1.3",
    cipher="TLS_AES_256_GCM_SHA384",
    subject="CN=mail.empresa.test",
    issuer="CN=CA \u202e",
    not_before=None,
    not_after=datetime(2027, 1, 31, 12, 30, tzinfo=UTC),
    san=("mail.empresa.test",),
    sha256="ab" * 32,
)
QUEUED = Reply(250, "2.0.0", ("Ok: queued as 4F1B2",))
BAD = Reply(535, "5.7.139", ("Authentication unsuccessful", "SmtpClientAuthentication is disabled"))
PASSED = TestResult(
    operator="rh",
    digest="sha256:" + "d1" * 32,
    outcome=Outcome.PASSED,
    depth=Depth.SEND,
    stages=(
        StageResult(Stage.RESOLVE, Outcome.PASSED, 1),
        StageResult(Stage.TLS, Outcome.PASSED, 31, tls=TLS),
        StageResult(Stage.AUTHENTICATE, Outcome.PASSED, 5, mechanism="PLAIN", reply=Reply(235, None, ("ok",))),
        StageResult(Stage.SEND, Outcome.PASSED, 9, reply=QUEUED),
    ),
    milliseconds=412,
)
DIAGNOSIS = Diagnosis(
    rule=LIVE_RULES["OM915"],
    cause=msg("SMTP AUTH is switched off for the tenant"),
    remedy=msg("switch it on for this mailbox, or use modern authentication"),
    path="authentication.type",
    fault=Fault.CONFIGURATION,
)
FAILED = replace(
    PASSED,
    outcome=Outcome.FAILED,
    stages=(*PASSED.stages[:2], StageResult(Stage.AUTHENTICATE, Outcome.FAILED, 5, reply=BAD)),
    milliseconds=52,
    failure=Failure(Stage.AUTHENTICATE, DIAGNOSIS, msg("the server answered {reply}", reply=str(BAD)), BAD),
)
SKIPPED = TestResult(
    "z", "sha256:0", Outcome.SKIPPED, Depth.SEND, skipped=msg("the same login has just been refused for `rh`")
)


def text(result: TestResult, place: str | None = None) -> list[str]:
    return tests.result_text(result, ENGLISH, PLAIN, place).splitlines()


def test_what_passed_is_one_line() -> None:
    assert text(PASSED) == ["✓ rh  passed in 412 ms  TLSv1.3  PLAIN  250 2.0.0 Ok: queued as 4F1B2"]


def test_without_tls_and_login_there_is_less_to_say() -> None:
    assert text(replace(PASSED, stages=PASSED.stages[:1])) == ["✓ rh  passed in 412 ms"]


@pytest.mark.case("T-19")
@pytest.mark.parametrize(("days", "told"), [(15, None), (14, "14 days"), (1, "1 day"), (0, "0 days"), (None, None)])
def test_a_certificate_that_ends_soon_is_told_of(days: int | None, told: str | None) -> None:
    stages = (StageResult(Stage.TLS, Outcome.PASSED, 31, tls=replace(TLS, days_left=days)),)
    _, *notices = text(replace(PASSED, stages=stages))
    expected = f"    the server's certificate ends in {told}, by the clock of this machine"
    assert notices == ([] if told is None else [expected])


def test_what_failed_says_why_and_what_to_do_where() -> None:
    assert text(FAILED, "operators/rh.yaml:12:9") == [
        "✗ rh  failed at authenticate after 52 ms",
        f"    OM915 smtp-auth-disabled-tenant: the server answered {BAD}",
        "    cause: SMTP AUTH is switched off for the tenant",
        "    remedy: switch it on for this mailbox, or use modern authentication",
        "    to change: operators/rh.yaml:12:9 (authentication.type)",
    ]


def test_a_reply_that_the_detail_does_not_quote_is_quoted() -> None:
    assert FAILED.failure is not None
    failure = replace(FAILED.failure, detail=msg("the login was refused"))
    assert text(replace(FAILED, failure=failure))[2] == f"    the server said: {BAD}"


def test_where_no_field_is_at_fault_none_is_named() -> None:
    assert FAILED.failure is not None
    failure = replace(FAILED.failure, diagnosis=replace(DIAGNOSIS, path="", fault=Fault.ENVIRONMENT), reply=None)
    lines = text(replace(FAILED, outcome=Outcome.INCONCLUSIVE, failure=failure), "operators/rh.yaml:1:1")
    assert lines[0] == "? rh  inconclusive at authenticate after 52 ms"
    assert not any("to change" in line or "the server said" in line for line in lines)


def test_what_was_skipped_says_why() -> None:
    assert text(SKIPPED) == ["– z  skipped", "    the same login has just been refused for `rh`"]


@pytest.mark.parametrize(
    ("result", "colour"),
    [(PASSED, "32"), (FAILED, "31"), (SKIPPED, "36"), (replace(FAILED, outcome=Outcome.INCONCLUSIVE), "33")],
)
def test_colours(result: TestResult, colour: str) -> None:
    painted = tests.result_text(result, ENGLISH, Style(color=True))
    assert painted.startswith(f"\x1b[1;{colour}m")


def test_nothing_that_a_server_says_acts_on_the_terminal() -> None:
    evil = Reply(250, None, ("a\x1b[2Jb\u202ec",))
    said = text(replace(PASSED, stages=(StageResult(Stage.SEND, Outcome.PASSED, 1, reply=evil),)))
    assert said == ["✓ rh  passed in 412 ms  250 a\\x1b[2Jb\\u202ec"]


def test_the_sum() -> None:
    assert str(tests.closing_line([PASSED, FAILED, SKIPPED])) == "1 passed, 1 failed, 0 inconclusive, 1 skipped"
    assert str(tests.closing_line([])) == "0 passed, 0 failed, 0 inconclusive, 0 skipped"


def test_json() -> None:
    content = tests.as_json([SKIPPED, PASSED], {"rh": ".opsmail/evidence/x.dsse.json"}, complete=True)
    assert content.isascii()
    document = read_json(content)
    assert document["schema"] == "opsmail/test-results/v1"
    assert document["summary"] == {"passed": 1, "failed": 0, "inconclusive": 0, "skipped": 1}
    passed, skipped = document["results"]  # in the order of names
    assert passed == {
        "operator": "rh",
        "digest": PASSED.digest,
        "outcome": "passed",
        "depth": "send",
        "attempts": 1,
        "milliseconds": 412,
        "stages": [
            {"stage": "resolve", "outcome": "passed", "milliseconds": 1},
            {
                "stage": "tls",
                "outcome": "passed",
                "milliseconds": 31,
                "tls": {
                    "version": "TLSv1.3",
                    "cipher": "TLS_AES_256_GCM_SHA384",
                    "certificate": {
                        "subject": "CN=mail.empresa.test",
                        "issuer": "CN=CA \\u202e",
                        "not_after": "2027-01-31T12:30:00Z",
                        "sha256": "ab" * 32,
                        "days_left": None,
                    },
                },
            },
            {
                "stage": "authenticate",
                "outcome": "passed",
                "milliseconds": 5,
                "mechanism": "PLAIN",
                "reply": {"code": 235, "enhanced": None, "text": "ok"},
            },
            {
                "stage": "send",
                "outcome": "passed",
                "milliseconds": 9,
                "reply": {"code": 250, "enhanced": "2.0.0", "text": "Ok: queued as 4F1B2"},
            },
        ],
        "failure": None,
        "skipped": None,
        "evidence": [".opsmail/evidence/x.dsse.json"],
    }
    assert (skipped["operator"], skipped["outcome"]) == ("z", "skipped")
    assert (skipped["skipped"], skipped["evidence"]) == ("the same login has just been refused for `rh`", [])


def test_json_of_a_failure() -> None:
    (result,) = read_json(tests.as_json([FAILED], {}, complete=True))["results"]
    assert result["failure"] == {
        "stage": "authenticate",
        "rule": "OM915",
        "name": "smtp-auth-disabled-tenant",
        "fault": "configuration",
        "detail": f"the server answered {BAD}",
        "reply": {
            "code": 535,
            "enhanced": "5.7.139",
            "text": "Authentication unsuccessful SmtpClientAuthentication is disabled",
        },
        "challenge": None,
        "oauth": None,
        "cause": "SMTP AUTH is switched off for the tenant",
        "remedy": "switch it on for this mailbox, or use modern authentication",
        "path": "authentication.type",
    }
    assert FAILED.failure is not None
    without = replace(FAILED, failure=replace(FAILED.failure, reply=None))
    assert read_json(tests.as_json([without], {}, complete=True))["results"][0]["failure"]["reply"] is None


REFUSAL = OAuthError("invalid_client", (7000215,), "AADSTS7000215: Invalid client secret\x1b", "c0ffee-1")
REFUSED = replace(
    FAILED,
    failure=None if FAILED.failure is None else replace(FAILED.failure, oauth=REFUSAL, challenge='{"status":"401"}'),
)


def test_an_identity_provider_s_refusal_is_told_with_its_correlation_id() -> None:
    lines = text(REFUSED)
    assert "    the identity provider said: AADSTS7000215: Invalid client secret\\x1b" in lines
    assert "    correlation id: c0ffee-1" in lines
    assert '    its reason: {"status":"401"}' in lines
    bare = replace(REFUSAL, description="", correlation_id="")
    assert REFUSED.failure is not None
    said = text(replace(REFUSED, failure=replace(REFUSED.failure, oauth=bare)))
    assert not any("identity provider said" in line or "correlation id" in line for line in said)
    failure = read_json(tests.as_json([REFUSED], {}, complete=True))["results"][0]["failure"]
    assert failure["challenge"] == '{"status":"401"}'
    assert failure["oauth"] == {
        "error": "invalid_client",
        "codes": [7000215],
        "description": "AADSTS7000215: Invalid client secret\\x1b",
        "correlation_id": "c0ffee-1",
    }


def test_what_a_token_says_is_in_the_json() -> None:
    claims = Claims(
        ("https://outlook.office365.com",), ("SMTP.SendAsApp",), "t", "x", datetime(2026, 3, 10, tzinfo=UTC), None
    )
    stage = StageResult(Stage.TOKEN, Outcome.PASSED, 1, claims=claims)
    document = read_json(tests.as_json([replace(PASSED, stages=(stage,))], {}, complete=True))
    assert document["results"][0]["stages"][0]["claims"] == {
        "audiences": ["https://outlook.office365.com"],
        "permissions": ["SMTP.SendAsApp"],
        "tenant": "t",
        "application": "x",
        "expires": "2026-03-10T00:00:00Z",
    }


def test_how_a_message_arrived_is_in_the_line_and_the_json() -> None:
    receipt = Receipt("rh@empresa.test", "ESMTPSA", True, True, "mx\u202e", spf="pass", dmarc="fail")
    arrived = replace(PASSED, stages=(StageResult(Stage.RECEIPT, Outcome.PASSED, 900, receipt=receipt),))
    assert text(arrived) == ["✓ rh  passed in 412 ms  ESMTPSA  spf=pass  dmarc=fail"]
    assert read_json(tests.as_json([arrived], {}, complete=True))["results"][0]["stages"][0]["receipt"] == {
        "sender": "rh@empresa.test",
        "protocol": "ESMTPSA",
        "tls": True,
        "authenticated": True,
        "verifier": "mx\\u202e",
        "spf": "pass",
        "dkim": None,
        "dmarc": "fail",
    }
    unknown = StageResult(Stage.RECEIPT, Outcome.PASSED, 1, receipt=replace(receipt, protocol="", spf=None, dmarc=None))
    assert text(replace(PASSED, stages=(unknown,))) == ["✓ rh  passed in 412 ms  –"]


def test_json_of_a_certificate_without_an_end() -> None:
    stage = StageResult(Stage.TLS, Outcome.FAILED, 1, tls=replace(TLS, not_after=None))
    document = read_json(tests.as_json([replace(PASSED, stages=(stage,))], {}, complete=True))
    assert document["results"][0]["stages"][0]["tls"]["certificate"]["not_after"] is None


def test_what_was_said_is_shown_with_a_failure_and_without_its_control_characters() -> None:
    said = ("*: connected", "S: 535 5.7.8 \x1b[31mno")
    shown = text(replace(FAILED, transcript=said))
    assert shown[-3:] == ["    what was said:", "      *: connected", "      S: 535 5.7.8 \\x1b[31mno"]
    assert "what was said" not in "\n".join(text(replace(PASSED, transcript=said)))


def test_of_a_long_conversation_the_end_is_shown() -> None:
    shown = text(replace(FAILED, transcript=tuple(f"S: {number}" for number in range(100))))
    at = shown.index("    what was said:")
    assert shown[at + 1 : at + 3] == ["      …", "      S: 60"]
    assert shown[-1] == "      S: 99"
