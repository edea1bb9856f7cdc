"""A failure of a live test as a finding: at the line to change, in every format."""

from __future__ import annotations

import re
import xml.etree.ElementTree as ET
from typing import Any

from opsmail.cli.trials import TEST_FORMATS
from tests.published import read_json
from tests.unit.cli.checkout import Checkout
from tests.unit.servers import server

DISABLED = (
    "535 5.7.139 Authentication unsuccessful, SmtpClientAuthentication is disabled for the Tenant. "
    "Visit https://aka.ms/smtp_auth_disabled for more information."
)
CAUSE = (
    "the live test failed at authenticate: "
    "SMTP AUTH is switched off for the whole organisation in Exchange Online (the server answered 535 5.7.139 "
)
REMEDY = "`Set-CASMailbox <mailbox> -SmtpClientAuthenticationDisabled $false`"
FILE = "operators/chefe.yaml"
#: Of `authentication.type` in the file.
LINE, COLUMN = 11, 9
#: How each format writes that place.
PLACED = {
    "concise": rf"^{FILE}:{LINE}:{COLUMN}: error\[OM915\] ",
    "github": rf"^::error file={FILE},line={LINE},endLine={LINE},col={COLUMN},endColumn=\d+,title=OM915 smtp-auth-",
    "azure": rf"^##vso\[task\.logissue type=error;sourcepath={FILE};linenumber={LINE};columnnumber={COLUMN};code=OM915",
    "gitlab": rf'"path": "{FILE}",\s+"lines": {{\s+"begin": {LINE},',
    "sarif": rf'"startLine": {LINE},\s+"startColumn": {COLUMN},',
    "junit": rf'<testcase classname="opsmail\.test" name="{FILE}">\s*<failure message="1 error" type="OM915">',
    "markdown": rf"{FILE}:{LINE}:{COLUMN}",
    "html": rf"<code>{FILE}:{LINE}:{COLUMN}</code>",
}


def answers(checkout: Checkout, reply: str, *arguments: str, code: int = 1) -> str:
    """Test one operator at a server that answers its login so, and return what is written."""
    with server({"AUTH": f"{reply}\r\n".encode()}) as running:
        checkout.fleet(running)
        return checkout.run("test", *arguments, code=code).out


def sarif(checkout: Checkout, reply: str, **options: Any) -> dict[str, Any]:
    (run,) = read_json(answers(checkout, reply, "--format", "sarif", **options))["runs"]
    found: dict[str, Any] = run
    return found


def test_every_format_of_findings_is_one_of_failures() -> None:
    assert set(TEST_FORMATS) == {"text", "json", *PLACED}


def test_each_format_shows_it_at_the_line_to_change(checkout: Checkout) -> None:
    options = [option for name in PLACED for option in ("--format", f"{name}:out/{name}")]
    shown = answers(checkout, DISABLED, "--format", "text", *options)
    assert f"to change: {FILE}:{LINE}:{COLUMN} (authentication.type)" in shown
    for name, pattern in PLACED.items():
        written = checkout.read(f"out/{name}")
        assert re.search(pattern, written, re.MULTILINE), (name, written)
        assert "OM915" in written
        assert "s3nh4" not in written


def test_what_it_says(checkout: Checkout) -> None:
    run = sarif(checkout, DISABLED)
    (result,) = run["results"]
    assert result["message"]["text"].startswith(CAUSE)
    assert result["message"]["text"].endswith(REMEDY)
    assert (result["level"], result["properties"]) == ("error", {"operator": "chefe", "path": "authentication.type"})
    assert run["automationDetails"]["id"] == "opsmail/test/default/"
    rules = run["tool"]["driver"]["rules"]
    rule = rules[result["ruleIndex"]]
    assert (rule["id"], rule["helpUri"]) == ("OM915", "https://opsmail.readthedocs.io/rules/OM915/")
    assert rule["help"]["markdown"].startswith("# OM915 smtp-auth-disabled-tenant\n")
    assert rule["properties"]["tags"] == ["configuration", "live"]
    assert {meta["id"][:3] for meta in rules} == {"OM9"}
    assert result["partialFingerprints"].keys() == {"opsmail/v1", "primaryLocationLineHash"}


def test_the_lines_around_it_are_shown_and_no_secret_s_name(checkout: Checkout) -> None:
    shown = answers(checkout, "535 5.7.8 no", "--format", "html")
    assert "password: env://" in shown
    assert "<h1>opsmail test</h1>" in shown
    assert "1 error in 1 of 1 operator" in shown


def test_a_cause_that_quotes_the_reply_says_it_once(checkout: Checkout) -> None:
    (result,) = sarif(checkout, "535 5.7.8 bad credentials")["results"]
    assert result["message"]["text"].count("535 5.7.8 bad credentials") == 1


def test_what_is_inconclusive_says_so(checkout: Checkout) -> None:
    (result,) = sarif(checkout, "432 4.3.2 Concurrent connections limit exceeded.", code=4)["results"]
    assert result["message"]["text"].startswith("the live test is inconclusive at authenticate: too many")
    # No field of the operator is at fault, so it stands at the file.
    assert result["locations"][0]["physicalLocation"]["region"]["startLine"] == 1


def test_words_of_the_server_act_nowhere(checkout: Checkout) -> None:
    shown = answers(checkout, "535 \x1b[31m::error::x <b>&amp; **x**\x07", "--format", "github")
    assert len(re.findall("^::", shown, re.MULTILINE)) == 1
    assert "\x1b" not in shown
    assert "\x07" not in shown


def test_no_policy_mutes_a_failure(checkout: Checkout) -> None:
    with server({"AUTH": f"{DISABLED}\r\n".encode()}) as running:
        checkout.settings(running, more='[policy]\nignore = ["OM9"]\n')
        checkout.operator("chefe", role="master")
        checkout.commit()
        assert "error[OM915]" in checkout.run("test", "--format", "concise", code=1).out


def test_who_passed_is_a_passed_case(checkout: Checkout) -> None:
    def refuse(connection: Any) -> None:
        sender = running.peer.said().rpartition(b"MAIL FROM:")[2]
        connection.say(b"550 5.7.60 SMTP; no\r\n" if sender.startswith(b"<a@") else b"250 2.1.0 Ok\r\n")

    with server({"MAIL": refuse}) as running:
        checkout.settings(running)
        checkout.operator("chefe", role="master")
        checkout.operator("a")
        checkout.operator("b")
        checkout.edit("operators/b.yaml", "port: 587", "port: 465")
        checkout.edit("opsmail.toml", "timeout_seconds = 10", "timeout_seconds = 10\nconcurrency = 1")
        checkout.commit()
        shown = checkout.run("test", "--format", "junit", code=1).out
    suite = ET.fromstring(shown.encode())[0]  # noqa: S314 (our own output)
    cases = {case.get("name"): [item.get("type") for item in case] for case in suite}
    # The one with errors was not tested, so it has not passed either.
    assert cases == {"operators/a.yaml": ["OM926"], FILE: []}


def test_a_run_that_passed_has_no_findings(checkout: Checkout) -> None:
    with server() as running:
        checkout.fleet(running)
        checkout.run("test", *(option for name in PLACED for option in ("--format", f"{name}:out/{name}")))
    assert read_json(checkout.read("out/sarif"))["runs"][0]["results"] == []
    for name in PLACED.keys() - {"sarif"}:  # which lists all rules
        assert "OM9" not in checkout.read(f"out/{name}")
