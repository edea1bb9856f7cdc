"""`opsmail test`: which operators, what is said of each, what is signed, and how it ends."""

from __future__ import annotations

import base64
import json
import re
import signal
import threading
import time
from itertools import count
from pathlib import Path

import pytest

from tests.hostile.mailbox import WAY, found
from tests.hostile.peer import GOOD, Connection
from tests.published import read_json
from tests.unit.cli.checkout import RECIPIENT, Checkout
from tests.unit.mail.oauth.identity import granted, identity, jwt, root
from tests.unit.servers import Server, imap, server

MODERN = """\
  type: modern
  username: m@empresa.test
  tenant: empresa.test
  client_id: x
  credential:
    kind: client-secret
    secret: env://OPSMAIL_SECRET_M
"""

PROBE = """\
[[servers]]
host = "imap.empresa.test"
connections = ["993/implicit-tls"]
authentication = ["basic"]
secrets = ["env://OPSMAIL_PROBE"]
address = "{address}"
ca = "ca.pem"

[live.probe]
host = "imap.empresa.test"
username = "caixa@empresa.test"
secret = "env://OPSMAIL_PROBE"
"""

OTHER_SERVER = """\
[[servers]]
host = "mail.atacante.test"
connections = ["587/starttls"]
authentication = ["basic"]
secrets = ["env://OPSMAIL_SECRET_{OPERATOR}"]
"""


def outcomes(document: dict[str, list[dict[str, str]]]) -> dict[str, str]:
    return {result["operator"]: result["outcome"] for result in document["results"]}


def statement(path: Path) -> dict[str, object]:
    found: dict[str, object] = json.loads(base64.b64decode(read_json(path.read_text())["payload"]))
    return found


class TestWhatPassed:
    def test_one_line_each_evidence_and_a_sum(self, checkout: Checkout, relay: Server) -> None:
        checkout.fleet(relay, "a", "b")
        said = checkout.run("test")
        lines = said.out.splitlines()
        assert sorted(line.split("  ")[0] for line in lines) == ["✓ a", "✓ b", "✓ chefe"]
        assert all(line.endswith("  TLSv1.3  PLAIN  250 2.0.0 Ok: queued as 4F1B2") for line in lines)
        assert said.err == "3 passed, 0 failed, 0 inconclusive, 0 skipped\n"
        assert len(checkout.evidence()) == 3
        assert f"RCPT TO:<{RECIPIENT}>".encode() in relay.peer.said()

    def test_evidence_says_what_was_seen_and_where_it_is_kept(self, checkout: Checkout, relay: Server) -> None:
        commit = checkout.fleet(relay)
        (result,) = checkout.run("test", "--format", "json").json()["results"]
        assert result["evidence"] == [checkout.evidence()[0].relative_to(checkout.root).as_posix()]
        said = statement(checkout.evidence()[0])
        assert said["subject"] == [{"name": "operator:chefe", "digest": {"sha256": result["digest"][7:]}}]
        predicate = said["predicate"]
        assert isinstance(predicate, dict)
        send, context = predicate["send"], predicate["context"]
        assert (send["depth"], send["mechanism"], send["reply"]["text"]) == ("send", "PLAIN", "Ok: queued as 4F1B2")
        assert send["tls"]["version"] == "TLSv1.3"
        assert send["stages"] == ["resolve", "connect", "tls", "authenticate", "envelope", "send"]
        assert f"Message-ID: {send['message_id']}".encode() in relay.peer.said(secure=True)
        assert (context["commit"], context["environment"], context.get("run")) == (commit, "default", None)
        assert context["repository"].startswith("git:")

    def test_a_message_that_is_looked_for_where_it_should_arrive(
        self, checkout: Checkout, relay: Server, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setenv("OPSMAIL_PROBE", "s3nh4-of-the-probe")
        header = WAY.replace(b"rh@", b"chefe@")
        with imap({"FETCH": found(header)}) as mailbox:
            checkout.fleet(relay, more=PROBE.format(address=mailbox.address))
            checkout.edit("opsmail.toml", f'recipient = "{RECIPIENT}"\n', "")
            checkout.commit()
            (result,) = checkout.run("test", "--depth", "receipt", "--format", "json").json()["results"]
        assert (result["outcome"], result["depth"]) == ("passed", "receipt")
        assert result["stages"][-1]["receipt"]["dmarc"] == "pass"
        assert b"RCPT TO:<caixa@empresa.test>" in relay.peer.said()
        predicate = statement(checkout.evidence()[0])["predicate"]
        assert isinstance(predicate, dict)
        assert (predicate["send"]["depth"], predicate["send"]["stages"][-1]) == ("receipt", "receipt")

    @pytest.mark.parametrize("place", ["option", "settings"])
    def test_the_time_for_the_run_is_kept_to(self, checkout: Checkout, place: str) -> None:
        with server({"MAIL": lambda c: c.hold()}) as silent:
            checkout.fleet(silent, *(f"o{number}" for number in range(5)))
            if place == "settings":
                checkout.edit("opsmail.toml", "timeout_seconds = 10\n", "timeout_seconds = 10\nrun_seconds = 1\n")
                checkout.commit()
            option = ("--within", "1") if place == "option" else ()
            said = checkout.run("test", *option, "--format", "json", code=4)
        assert said.json()["complete"] is True
        assert said.json()["summary"] == {"passed": 0, "failed": 0, "inconclusive": 3, "skipped": 3}
        assert checkout.evidence() == []

    def test_without_a_mailbox_nothing_is_looked_for_or_sent(self, checkout: Checkout, relay: Server) -> None:
        checkout.fleet(relay)
        said = checkout.run("test", "--depth", "receipt", code=2)
        assert "there is no probe mailbox" in said.err
        assert relay.peer.connections == 0

    def test_a_mailbox_that_nobody_approved_is_not_read(self, checkout: Checkout, relay: Server) -> None:
        unapproved = PROBE.format(address="127.0.0.1:1").partition("[live.probe]")[2]
        checkout.fleet(relay, more=f"[live.probe]{unapproved}")
        said = checkout.run("test", "--depth", "receipt", code=3)
        assert "the mailbox of `[live.probe]` is not read: the server `imap.empresa.test` is not approved" in said.err
        assert relay.peer.connections == 0

    def test_a_run_in_a_pipeline_is_linked(self, checkout: Checkout, relay: Server) -> None:
        checkout.fleet(relay)
        checkout.run("test", environment={"GITLAB_CI": "true", "CI_JOB_URL": "https://gitlab.test/-/jobs/7"})
        predicate = statement(checkout.evidence()[0])["predicate"]
        assert isinstance(predicate, dict)
        assert predicate["context"]["run"] == "https://gitlab.test/-/jobs/7"
        assert b"https://gitlab.test/-/jobs/7" in relay.peer.said(secure=True)

    def test_without_a_login_the_evidence_claims_none(self, checkout: Checkout, relay: Server) -> None:
        checkout.settings(relay)
        checkout.operator("chefe", role="master", authentication="  type: none\n")
        checkout.commit()
        checkout.run("test", "--depth", "tls")
        predicate = statement(checkout.evidence()[0])["predicate"]
        assert isinstance(predicate, dict)
        assert (predicate["send"]["depth"], predicate["send"].get("mechanism"), predicate["send"].get("reply")) == (
            "tls",
            None,
            None,
        )

    def test_outputs_of_every_kind_at_once(self, checkout: Checkout, relay: Server) -> None:
        checkout.fleet(relay, "a")
        said = checkout.run(
            "test",
            *("--format", "text", "--format", "text:out/r.txt", "--format", "json:out/r.json"),
            *("--transcript", "out/t.txt", "--color", "always"),
        )
        assert "\x1b[" in said.out
        assert min(checkout.read("out/r.txt").splitlines()).startswith("✓ a  passed in")
        assert outcomes(read_json(checkout.read("out/r.json"))) == {"a": "passed", "chefe": "passed"}
        transcript = checkout.read("out/t.txt")
        assert {line for line in transcript.splitlines() if line.startswith("== ")} == {"== a", "== chefe"}
        assert transcript.count("C: AUTH PLAIN [response]\n") == 2

    @pytest.mark.case("M-26")
    def test_what_was_accepted_is_not_called_delivered(self, checkout: Checkout, relay: Server) -> None:
        """A server that takes everything may keep it; without the probe mailbox nobody knows."""
        checkout.fleet(relay)
        formats = ("--format", "text", "--format", "json:out/r.json", "--format", "markdown:out/r.md")
        said = checkout.run("test", *formats, "--transcript", "out/t.txt")
        shown = (said.out, said.err, *(checkout.read(f"out/{name}") for name in ("r.json", "r.md", "t.txt")))
        evidence = json.dumps(statement(checkout.evidence()[0]))
        assert not [text for text in (*shown, evidence) if re.search("deliver|receiv|arriv", text, re.IGNORECASE)]

    def test_the_recipient_may_be_another(self, checkout: Checkout, relay: Server) -> None:
        checkout.fleet(relay)
        checkout.run("test", "--to", "outra@empresa.test")
        assert b"RCPT TO:<outra@empresa.test>" in relay.peer.said()
        predicate = statement(checkout.evidence()[0])["predicate"]
        assert isinstance(predicate, dict)
        assert predicate["send"]["recipient"] == "outra@empresa.test"

    def test_without_a_key_it_says_that_nothing_is_signed(
        self, checkout: Checkout, relay: Server, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        checkout.fleet(relay)
        monkeypatch.delenv("OPSMAIL_SIGNING_KEY")
        said = checkout.run("test")
        assert "no evidence will be signed: the environment variable `OPSMAIL_SIGNING_KEY` is not set" in said.err
        assert checkout.evidence() == []


class TestWhichOperators:
    def test_by_name(self, checkout: Checkout, relay: Server) -> None:
        checkout.fleet(relay, "a", "b")
        assert outcomes(checkout.run("test", "b", "b", "--format", "json").json()) == {"b": "passed"}
        assert outcomes(checkout.run("test", "--all", "--format", "json").json()).keys() == {"a", "b", "chefe"}

    def test_a_name_that_nobody_has(self, checkout: Checkout, relay: Server) -> None:
        checkout.fleet(relay, "cobranca")
        assert "hint: did you mean `cobranca`?" in checkout.run("test", "cobrança", code=2).err
        assert "hint: `opsmail check` lists" in checkout.run("test", "zzzzzzzz", code=2).err
        assert relay.peer.connections == 0

    def test_choices_that_exclude_each_other(self, checkout: Checkout, relay: Server) -> None:
        checkout.fleet(relay)
        assert "exclude each other" in checkout.run("test", "chefe", "--all", code=2).err
        assert "exclude each other" in checkout.run("test", "--all", "--unproven", code=2).err

    @pytest.mark.case("C-25")
    def test_one_with_errors_is_not_tested_and_the_run_is_not_green(self, checkout: Checkout, relay: Server) -> None:
        checkout.fleet(relay, "a", "b")
        checkout.edit("operators/a.yaml", "port: 587", "port: 465")
        checkout.commit()
        said = checkout.run("test", "--format", "json", code=1)
        assert outcomes(said.json()) == {"b": "passed", "chefe": "passed"}
        assert "error[OM201]" in said.err
        assert "operators/a.yaml:8:9" in said.err
        assert "1 operator with errors is not tested" in said.err
        assert outcomes(checkout.run("test", "b", "--format", "json").json()) == {"b": "passed"}

    def test_neither_is_one_that_cannot_be_read(self, checkout: Checkout, relay: Server) -> None:
        checkout.fleet(relay, "a")
        checkout.write("operators/broken.yaml", "version: [\n")
        checkout.commit()
        said = checkout.run("test", "--format", "json", code=1)
        assert outcomes(said.json()) == {"a": "passed", "chefe": "passed"}
        assert "operators/broken.yaml" in said.err
        assert "OM002" in checkout.run("test", "--unproven", code=1).err

    def test_two_of_one_name(self, checkout: Checkout, relay: Server) -> None:
        checkout.fleet(relay, "a")
        checkout.write("operators/x/a.yaml", checkout.read("operators/a.yaml"))
        checkout.commit()
        said = checkout.run("test", "a", code=1)
        assert "OM704" in said.err
        assert "2 operators with errors are not tested" in said.err
        assert relay.peer.connections == 0

    def test_what_is_wrong_with_the_fleet_keeps_nobody_from_being_tested(
        self, checkout: Checkout, relay: Server
    ) -> None:
        checkout.settings(relay)
        checkout.operator("a")
        checkout.commit()
        assert "OM701" in checkout.run("check", code=1).out
        assert outcomes(checkout.run("test", "--format", "json").json()) == {"a": "passed"}

    def test_unproven_are_those_that_the_gate_would_refuse_and_the_master(
        self, checkout: Checkout, relay: Server
    ) -> None:
        checkout.fleet(relay, "a", "b")
        assert outcomes(checkout.run("test", "--unproven", "--format", "json").json()).keys() == {"a", "b", "chefe"}
        assert outcomes(checkout.run("test", "--unproven", "--format", "json").json()).keys() == {"chefe"}
        checkout.run("publish", "--yes")
        checkout.edit("operators/b.yaml", "role: standard\n", "role: standard\nname: B\n")
        checkout.commit()
        assert outcomes(checkout.run("test", "--unproven", "--format", "json").json()).keys() == {"b", "chefe"}

    def test_modern_authentication_is_tested_signed_and_published(self, checkout: Checkout) -> None:
        def takes(connection: Connection) -> None:
            connection.say(b"334 \r\n")
            connection.hear()
            connection.say(b"235 2.7.0 ok\r\n")

        offered = GOOD["EHLO-TLS"].replace(b"PLAIN LOGIN", b"XOAUTH2")
        token = jwt()
        with identity(granted(token)) as provider, server({"EHLO-TLS": offered, "AUTH": takes}) as running:
            checkout.settings(running)
            checkout.write("identity.pem", root().pem)
            known = f'authority = "{provider.authority}"\nauthority_ca = "identity.pem"\nmicrosoft_tokens = true\n'
            checkout.edit("opsmail.toml", 'ca = "ca.pem"\n', f'ca = "ca.pem"\n{known}')
            checkout.operator("m", role="master", authentication=MODERN)
            checkout.commit()
            said = checkout.run("test", "--format", "json", "--transcript", "out/said.txt")
            (result,) = said.json()["results"]
            assert result["outcome"] == "passed"
            stages = {stage["stage"]: stage for stage in result["stages"]}
            assert stages["token"]["claims"]["permissions"] == ["SMTP.SendAsApp"]
            assert stages["authenticate"]["mechanism"] == "XOAUTH2"
            checkout.run("publish", "--yes")
        (evidence,) = checkout.evidence()
        assert '"token"' in json.dumps(statement(evidence))
        written = said.out + said.err + checkout.read("out/said.txt") + evidence.read_text()
        assert token not in written
        assert token.split(".")[2] not in written

    def test_a_fleet_without_operators(self, checkout: Checkout, relay: Server) -> None:
        checkout.settings(relay)
        checkout.write("operators/.gitkeep", "")
        checkout.commit()
        said = checkout.run("test", "--format", "json")
        assert said.json()["results"] == []


class TestHowItEnds:
    def test_a_failure_names_the_line_to_change(self, checkout: Checkout) -> None:
        with server({"AUTH": b"535 5.7.8 bad credentials\r\n"}) as running:
            checkout.fleet(running)
            said = checkout.run("test", code=1)
        assert "✗ chefe  failed at authenticate after" in said.out
        assert "OM913 bad-credentials: the server answered 535 5.7.8 bad credentials" in said.out
        assert "to change: operators/chefe.yaml:13:13 (authentication.password)" in said.out
        assert "    what was said:\n      *: connected to 127.0.0.1:" in said.out
        assert "      C: AUTH PLAIN [response]\n      S: 535 5.7.8 bad credentials\n" in said.out
        assert checkout.evidence() == []

    def test_evidence_that_cannot_be_written_is_told_after_the_results(
        self, checkout: Checkout, relay: Server, tmp_path: Path
    ) -> None:
        checkout.fleet(relay, "a")
        (checkout.root / ".opsmail").mkdir()
        (checkout.root / ".opsmail/evidence").symlink_to(tmp_path)
        said = checkout.run("test", "--format", "json", code=4)
        assert [(result["outcome"], result["evidence"]) for result in said.json()["results"]] == [("passed", [])] * 2
        assert "2 passed" in said.err
        assert ".opsmail/evidence" in said.err

    def test_a_run_that_goes_on_has_its_results_written_already(
        self, checkout: Checkout, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        """One operator after the other; the second's server looks at what there is of the first."""
        seen = []

        def look(connection: Connection) -> None:
            if (checkout.root / "out/r.json").exists():
                seen.append(read_json(checkout.read("out/r.json")))
            connection.say(b"221 bye\r\n")

        monkeypatch.setattr("opsmail.cli.trials._SECONDS_BETWEEN_WRITES", 0)
        with server({"QUIT": look}) as running:
            checkout.settings(running)
            checkout.edit("opsmail.toml", "retries = 0", "retries = 0\nconcurrency = 1")
            checkout.operator("chefe", role="master")
            for name in "abc":
                checkout.operator(name)
            checkout.commit()
            checkout.run("test", "--format", "json:out/r.json", "--format", "text:out/r.txt")
        assert seen
        assert all(document["complete"] is False and len(document["results"]) < 4 for document in seen)
        last = read_json(checkout.read("out/r.json"))
        assert (last["complete"], len(last["results"])) == (True, 4)

    def test_while_somebody_is_waited_for_the_others_have_their_evidence(
        self, checkout: Checkout, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        """A run that is killed then has to test only that one again."""
        leaving, seen = count(), []

        def leave(connection: Connection) -> None:
            if next(leaving):
                ends = time.monotonic() + 5
                while not (found := checkout.evidence()) and time.monotonic() < ends:
                    time.sleep(0.01)
                seen.append(len(found))
            connection.say(b"221 bye\r\n")

        monkeypatch.setattr("opsmail.cli.trials._PATIENCE", 0.05)
        with server({"QUIT": leave}) as running:
            checkout.fleet(running, "a")
            checkout.run("test")
        assert seen == [1]
        assert len(checkout.evidence()) == 2

    def test_a_failure_beats_what_is_inconclusive(self, checkout: Checkout) -> None:
        def refuse(connection: Connection) -> None:
            connection.say(
                b"550 5.7.1 no\r\n" if b"<a@empresa.test>" in running.peer.said() else b"451 4.3.0 later\r\n"
            )

        with server({"RCPT": b"451 4.3.0 later\r\n"}) as running:
            checkout.fleet(running)
            assert "? chefe  inconclusive at envelope" in checkout.run("test", code=4).out
        with server({"MAIL": refuse}) as running:
            checkout.fleet(running, "a")
            checkout.run("test", "chefe", code=4)
            checkout.run("test", "a", code=1)

    def test_a_secret_that_does_not_resolve_is_the_environment_s_fault(
        self, checkout: Checkout, relay: Server, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        checkout.fleet(relay)
        monkeypatch.delenv("OPSMAIL_SECRET_CHEFE")
        said = checkout.run("test", code=4)
        assert "OM606 unresolvable-secret: the environment variable `OPSMAIL_SECRET_CHEFE` is not set" in said.out
        (result,) = checkout.run("test", "--format", "json", code=4).json()["results"]
        assert result["failure"]["rule"] == "OM606"

    def test_a_pin_refuses_before_anything_is_written(self, checkout: Checkout, relay: Server) -> None:
        """Without a catalogue `check` has nothing to compare with, and so the live test sends nothing."""
        checkout.fleet(relay, "a")
        text = checkout.read("opsmail.toml")
        checkout.write("opsmail.toml", text[text.index("[live]") :])
        checkout.commit()
        said = checkout.run("test", "--format", "json:out/r.json", code=3)
        assert "`a` is not tested: there is no catalogue of approved servers" in said.err
        assert "`chefe` is not tested" in said.err
        assert relay.peer.connections == 0
        assert not (checkout.root / "out/r.json").exists()

    def test_interrupted_it_tells_and_writes_what_was_done(self, checkout: Checkout) -> None:
        def hold(connection: Connection) -> None:
            if b"<a@empresa.test>" in running.peer.said():
                signal.pthread_kill(threading.main_thread().ident or 0, signal.SIGINT)
                connection.hold()
            connection.say(b"250 2.1.0 Ok\r\n")

        with server({"MAIL": hold}) as running:
            checkout.settings(running, more="")
            checkout.edit("opsmail.toml", "timeout_seconds = 10", "timeout_seconds = 10\nconcurrency = 1")
            checkout.operator("a-first", role="master")
            checkout.operator("a")
            checkout.monkeypatch.setenv("OPSMAIL_SECRET_A_FIRST", "s3nh4-first")
            checkout.edit("operators/a-first.yaml", "OPSMAIL_SECRET_A-FIRST", "OPSMAIL_SECRET_A_FIRST")
            checkout.write("operators/0.yaml", checkout.read("operators/a-first.yaml").replace("a-first@", "0@"))
            checkout.edit("operators/0.yaml", "operator: a-first\nrole: master", "operator: '0'\nrole: standard")
            checkout.edit("operators/0.yaml", "OPSMAIL_SECRET_A_FIRST", "OPSMAIL_SECRET_0")
            checkout.monkeypatch.setenv("OPSMAIL_SECRET_0", "s3nh4-zero")
            checkout.commit()
            said = checkout.run("test", "0", "a", "--format", "json:out/r.json", "--format", "text", code=130)
        written = read_json(checkout.read("out/r.json"))
        assert (outcomes(written), written["complete"]) == ({"0": "passed"}, False)
        assert "✓ 0  passed" in said.out
        assert "1 passed, 0 failed" in said.err
        assert "interrupted; nothing half-done is left" in said.err
        assert len(checkout.evidence()) == 1

    @pytest.mark.parametrize("depth", ["resolve", "tls", "authenticate"])
    def test_nobody_need_receive_what_is_not_sent(self, checkout: Checkout, relay: Server, depth: str) -> None:
        checkout.fleet(relay)
        checkout.edit("opsmail.toml", f'recipient = "{RECIPIENT}"\n', "")
        checkout.commit()
        assert "passed in" in checkout.run("test", "--depth", depth).out
        said = checkout.run("test", "--depth", "envelope", code=2)
        assert "nobody is named to receive" in said.err
        assert "--to ADDRESS" in said.err

    @pytest.mark.parametrize("address", ["nobody", "a@b c", "Ana <a@empresa.test>", "a@empresa.test\n"])
    def test_a_recipient_that_is_no_address_is_a_wrong_option(
        self, checkout: Checkout, relay: Server, address: str
    ) -> None:
        checkout.fleet(relay)
        assert "the test messages cannot go to" in checkout.run("test", "--to", address, code=2).err
        assert relay.peer.connections == 0


class TestWhatIsTested:
    def test_only_what_is_committed(self, checkout: Checkout, relay: Server) -> None:
        checkout.fleet(relay, "a")
        checkout.edit("operators/a.yaml", "role: standard", "name: X")
        said = checkout.run("test", code=3)
        assert "uncommitted changes: operators/a.yaml" in said.err
        assert relay.peer.connections == 0
        checkout.run("test", "--commit", "HEAD")

    def test_many_changes_are_not_all_listed(self, checkout: Checkout, relay: Server) -> None:
        checkout.fleet(relay)
        for name in "abcdefg":
            checkout.operator(name)
        assert ", …" in checkout.run("test", code=3).err

    def test_an_earlier_commit(self, checkout: Checkout, relay: Server) -> None:
        first = checkout.fleet(relay)
        checkout.operator("a")
        checkout.commit()
        found = checkout.run("test", "--commit", first[:10], "--format", "json").json()
        assert outcomes(found) == {"chefe": "passed"}

    def test_a_commit_that_there_is_not(self, checkout: Checkout, relay: Server) -> None:
        checkout.fleet(relay)
        assert "there is no commit `nope`" in checkout.run("test", "--commit", "nope", code=2).err

    def test_outside_of_git_nothing_is(self, checkout: Checkout, relay: Server) -> None:
        checkout.settings(relay)
        (checkout.root / ".git").rename(checkout.root / "out" / "git")
        assert "is not in a git repository" in checkout.run("test", code=3).err

    def test_judged_by_settings_that_are_trusted_more(self, checkout: Checkout, relay: Server) -> None:
        """A change approves a server of its own: with `--trust`, the catalogue before it counts."""
        trusted = checkout.fleet(relay)
        checkout.operator("a")
        checkout.edit("operators/a.yaml", "mail.empresa.test", "mail.atacante.test")
        checkout.edit("opsmail.toml", "[live]", f'{OTHER_SERVER}address = "{relay.address}"\n\n[live]')
        checkout.commit()
        said = checkout.run("test", "a", "--trust", trusted, code=1)
        assert f"judged by the settings of {trusted} ({trusted[:12]})" in said.err
        assert "OM209" in said.err
        assert relay.peer.connections == 0

    def test_trust_in_a_commit_that_there_is_not(self, checkout: Checkout, relay: Server) -> None:
        checkout.fleet(relay)
        assert "there is no commit `nope`" in checkout.run("test", "--trust", "nope", code=2).err

    @pytest.mark.parametrize("event", ["pull_request_target", "pull_request"])
    def test_nothing_in_a_run_for_anybody_s_code(self, checkout: Checkout, relay: Server, event: str) -> None:
        checkout.fleet(relay)
        environment = {"GITHUB_ACTIONS": "true", "GITHUB_EVENT_NAME": event}
        assert "live tests and publish do not run here" in checkout.run("test", code=3, environment=environment).err
        assert relay.peer.connections == 0
