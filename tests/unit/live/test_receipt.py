"""The last stage: a message that was accepted is looked for in the probe mailbox."""

from __future__ import annotations

import signal
import threading
import time
from collections.abc import Mapping
from contextlib import closing
from typing import Any

import pytest

from opsmail.errors import UsageError
from opsmail.evidence.facts import Depth
from opsmail.live.pins import NotPinnedError
from opsmail.live.probe import Probe
from opsmail.live.result import Outcome, TestResult
from opsmail.mail.endpoint import Endpoint
from opsmail.mail.failure import Failure, Kind, Stage
from opsmail.mail.tls import TrustStores
from opsmail.mail.transcript import Line, Transcript
from opsmail.secrets import Secrets
from opsmail.settings.load import Settings
from tests.builders import settings_of
from tests.hostile.mailbox import WAY, found
from tests.hostile.peer import HOST, Answer, Connection
from tests.unit.fleets import operator
from tests.unit.live.running import Vault, live, run
from tests.unit.mail.oauth.identity import Provider, granted, identity, jwt
from tests.unit.mail.oauth.identity import root as identity_ca
from tests.unit.servers import IMAP_HOST, Server, ca, imap, server

PASSWORD = "c4n4ry-of-the-probe"
TENANT = "3f2a9c1e-5b7d-4e8f-9a0b-1c2d3e4f5a6b"
MODERN = f'tenant = "{TENANT}"\nclient_id = "x"'
REFERENCE = 'secret = "env://OPSMAIL_PROBE"'


class Safe(Vault):
    """Another password for the probe than for operators."""

    def resolve(self, reference: Any) -> Any:
        self.password = PASSWORD if str(reference) == "env://OPSMAIL_PROBE" else "s3nh4"
        return super().resolve(reference)


def settings(
    smtp: Server,
    reading: Server,
    *,
    probe: str = REFERENCE,
    entry: str = 'authentication = ["basic"]\nsecrets = ["env://OPSMAIL_PROBE"]',
    connections: str = '["993/implicit-tls"]',
    wait: int = 20,
) -> Settings:
    text = f"""
[[servers]]
host = "{HOST}"
connections = ["587/starttls"]
authentication = ["basic"]
secrets = ["env://OPSMAIL_SECRET_{{OPERATOR}}"]
ca = "ca.pem"
address = "{smtp.address}"

[[servers]]
host = "{IMAP_HOST}"
connections = {connections}
ca = "ca.pem"
address = "{reading.address}"
{entry}

[live]
timeout_seconds = 20
retries = 0

[live.probe]
host = "{IMAP_HOST}"
username = "teste@empresa.test"
wait_seconds = {wait}
{probe}
"""
    return settings_of(text, {"ca.pem": ca(), "identity.pem": identity_ca().pem})


def outcome(
    answers: Mapping[str, Answer] | None = None, *, vault: Vault | None = None, wait: int = 20, **more: Any
) -> TestResult:
    """What comes of one operator's test where some answers of the mailbox are replaced."""
    with server() as smtp, imap(answers) as reading:
        approved = settings(smtp, reading, wait=wait, **more)
        return run(approved, operator("rh"), vault=vault or Safe(), depth=Depth.RECEIPT)["rh"]


def test_a_message_that_arrived() -> None:
    result = outcome()
    assert (result.outcome, result.failure) == (Outcome.PASSED, None)
    last = result.stages[-1]
    assert (last.stage, last.outcome) == (Stage.RECEIPT, Outcome.PASSED)
    assert last.receipt is not None
    assert (last.receipt.sender, last.receipt.protocol, last.receipt.dmarc) == ("rh@empresa.test", "ESMTPSA", "pass")
    assert f'"{result.message_id}"' in "\n".join(result.transcript)
    assert PASSWORD not in "\n".join(result.transcript)


def test_less_depth_asks_no_mailbox() -> None:
    with server() as smtp, imap() as reading:
        result = run(settings(smtp, reading), operator("rh"), depth=Depth.SEND)["rh"]
        assert reading.peer.connections == 0
    assert result.stages[-1].stage is Stage.SEND


def test_the_operators_server_does_not_wait_with_us() -> None:
    with server() as smtp:
        heard: list[str] = []

        def late(connection: Connection) -> None:
            heard.extend(smtp.commands())
            connection.say(b"* OK ready\r\n")

        with imap({"greeting": late}) as reading:
            run(settings(smtp, reading), operator("rh"), vault=Safe(), depth=Depth.RECEIPT)
    assert heard[-1] == "QUIT"


def test_a_message_that_arrives_later() -> None:
    """It is looked for again and again, in one session."""
    looks = 0

    def search(connection: Connection) -> None:
        nonlocal looks
        looks += 1
        tag = b"o%d" % (3 + 2 * looks)
        connection.say((b"" if looks < 3 else b"* SEARCH 1\r\n") + tag + b" OK done\r\n")

    with server() as smtp, imap({"SEARCH": search}) as reading:
        result = run(settings(smtp, reading), operator("rh"), vault=Safe(), depth=Depth.RECEIPT)["rh"]
        assert reading.peer.connections == 1
    assert (result.outcome, looks) == (Outcome.PASSED, 3)


@pytest.mark.case("M-26")
def test_a_message_that_does_not_arrive() -> None:
    result = outcome({"SEARCH": b"%t OK nothing\r\n"}, wait=1)
    failure = result.failure
    assert failure is not None
    assert (result.outcome, failure.stage, failure.diagnosis.rule_id) == (Outcome.FAILED, Stage.RECEIPT, "OM938")
    assert str(failure.detail) == "the message is not in the mailbox `teste@empresa.test` after 1 s"
    assert (failure.diagnosis.path, result.attempts) == ("", 1)
    assert result.milliseconds < 3_000


def test_a_sender_that_was_replaced() -> None:
    result = outcome({"FETCH": found(WAY.replace(b"<rh@", b"<conta@"))})
    failure = result.failure
    assert failure is not None
    assert (result.outcome, failure.diagnosis.rule_id, failure.diagnosis.path) == (
        Outcome.FAILED,
        "OM926",
        "sender.address",
    )
    assert str(failure.detail) == "it arrived from conta@empresa.test, not from rh@empresa.test"


@pytest.mark.parametrize(
    ("answers", "rule"),
    [
        ({"login": b"%t NO [AUTHENTICATIONFAILED] no\r\n"}, "OM937"),
        ({"SEARCH": lambda c: c.close()}, "OM938"),
        ({"greeting": b"220 smtp\r\n"}, "OM938"),
    ],
)
def test_a_mailbox_that_cannot_be_read_says_nothing_about_the_operator(answers: dict[str, Answer], rule: str) -> None:
    result = outcome(answers)
    assert result.failure is not None
    assert (result.outcome, result.failure.diagnosis.rule_id) == (Outcome.INCONCLUSIVE, rule)
    assert result.failure.diagnosis.path == ""
    assert IMAP_HOST in str(result.failure.diagnosis.cause)


def test_a_secret_that_does_not_resolve_here() -> None:
    class Sealed(Safe):
        def resolve(self, reference: Any) -> Any:
            secret = super().resolve(reference)
            return secret if secret.reveal() == "s3nh4" else Vault("").resolve(reference)

    result = outcome(vault=Sealed())
    assert result.failure is not None
    diagnosis = result.failure.diagnosis
    assert (result.outcome, diagnosis.rule_id, diagnosis.path) == (Outcome.INCONCLUSIVE, "OM606", "")
    assert "probe mailbox" in str(diagnosis.cause)


class TestPins:
    @pytest.mark.parametrize(
        ("more", "told"),
        [
            ({"entry": 'authentication = ["basic"]'}, "this secret may not be sent to `imap.empresa.test`"),
            ({"connections": '["587/starttls"]'}, "port 993 with `implicit-tls` is not approved"),
            ({"entry": 'authentication = ["none"]\nsecrets = ["env://OPSMAIL_PROBE"]'}, "`basic` is not approved"),
            ({"probe": f"{REFERENCE}\n{MODERN}"}, "authentication `modern` is not approved"),
        ],
    )
    def test_what_the_catalogue_does_not_allow_is_refused_before_anything(
        self, more: dict[str, Any], told: str
    ) -> None:
        vault = Safe()
        with server() as smtp, imap() as reading:
            with pytest.raises(NotPinnedError) as caught:
                run(settings(smtp, reading, **more), operator("rh"), vault=vault, depth=Depth.RECEIPT)
            assert (smtp.peer.connections, reading.peer.connections) == (0, 0)
        assert vault.asked == []
        assert str(caught.value).startswith("the mailbox of `[live.probe]` is not read: ")
        assert told in "; ".join(str(error) for error in (caught.value, *caught.value.further))

    def test_a_host_without_an_entry_is_refused(self) -> None:
        with server() as smtp, imap() as reading:
            text = settings(smtp, reading).text.replace(
                f'[live.probe]\nhost = "{IMAP_HOST}"', '[live.probe]\nhost = "x.test"'
            )
            with pytest.raises(NotPinnedError, match=r"server `x\.test` is not approved"):
                run(settings_of(text, {"ca.pem": ca()}), operator("rh"), vault=Safe(), depth=Depth.RECEIPT)

    def test_operators_do_not_get_the_secret_of_the_probe(self) -> None:
        with server() as smtp, imap() as reading:
            approved = settings(smtp, reading)
        subject = operator(
            "rh",
            server={"host": IMAP_HOST, "port": 993, "encryption": "implicit-tls"},
            authentication={"type": "basic", "username": "u", "password": "env://OPSMAIL_PROBE"},
        )
        assert [denial.rule for denial in approved.catalogue.denials(subject)] == ["OM604"]

    def test_no_password_before_the_server_has_shown_who_it_is(self) -> None:
        vault = Safe()
        with server() as smtp, server() as other:  # it has a certificate, for another name
            result = run(settings(smtp, other), operator("rh"), vault=vault, depth=Depth.RECEIPT)["rh"]
        assert result.failure is not None
        assert result.failure.stage is Stage.RECEIPT
        assert vault.asked == ["env://OPSMAIL_SECRET_RH"]

    def test_the_connection_itself_is_judged(self, monkeypatch: pytest.MonkeyPatch) -> None:
        vault = Safe()
        with server() as smtp, imap() as reading, imap() as elsewhere:
            probe = Probe(settings(smtp, reading), Secrets({"env": vault}), TrustStores())
            other = settings(smtp, elsewhere).probe
            assert other is not None
            probe.endpoint = Endpoint.of(other)
            with closing(probe), pytest.raises(NotPinnedError, match="it is connected to"):
                probe.wait_for("<a@x>", Transcript())
            assert b"AUTHENTICATE" not in elsewhere.peer.said()
        assert vault.asked == []

    def test_without_a_probe_there_is_nothing_to_wait_in(self) -> None:
        with server() as smtp, imap() as reading:
            text = settings(smtp, reading).text.partition("[live.probe]")[0]
            with pytest.raises(UsageError, match="there is no probe mailbox"):
                run(settings_of(text, {"ca.pem": ca()}), operator("rh"), depth=Depth.RECEIPT)


class TestManyOperators:
    def test_one_session_and_one_login_serve_all(self) -> None:
        vault = Safe()
        names = [f"op{number}" for number in range(6)]
        with server() as smtp, imap({"FETCH": found(WAY.replace(b"From: RH <rh@empresa.test>\r\n", b""))}) as reading:
            results = run(settings(smtp, reading), *map(operator, names), vault=vault, depth=Depth.RECEIPT)
            assert reading.peer.connections == 1
        assert {result.outcome for result in results.values()} == {Outcome.PASSED}
        assert vault.asked.count("env://OPSMAIL_PROBE") == 1

    def test_a_login_that_is_refused_is_not_tried_again(self) -> None:
        names = [f"op{number}" for number in range(4)]
        with server() as smtp, imap({"login": b"%t NO [AUTHENTICATIONFAILED] no\r\n"}) as reading:
            results = run(settings(smtp, reading), *map(operator, names), vault=Safe(), depth=Depth.RECEIPT)
            assert reading.peer.said().count(b"AUTHENTICATE") == 1
        assert {str(result.failure and result.failure.diagnosis.rule_id) for result in results.values()} == {"OM937"}

    def test_a_session_that_breaks_is_made_again_for_the_next(self) -> None:
        broken = threading.Event()

        def once(connection: Connection) -> None:
            if broken.is_set():
                connection.say(b"* SEARCH 1\r\no5 OK done\r\n")
            else:
                broken.set()
                connection.close()

        with server() as smtp, imap({"SEARCH": once}) as reading:
            probe = Probe(settings(smtp, reading), Secrets({"env": Safe()}), TrustStores())
            with closing(probe):
                with pytest.raises(Failure) as caught:
                    probe.wait_for("<a@x>", Transcript())
                assert caught.value.kind is Kind.DISCONNECTED
                assert probe.wait_for("<a@x>", Transcript()).protocol == "ESMTPSA"
            assert reading.peer.connections == 2

    def test_whoever_waits_for_the_turn_has_a_deadline_too(self) -> None:
        with server() as smtp, imap() as reading:
            probe = Probe(settings(smtp, reading, wait=1), Secrets({"env": Safe()}), TrustStores())
            with closing(probe), probe._turn, pytest.raises(Failure) as caught:
                probe.wait_for("<a@x>", Transcript())
            assert caught.value.kind is Kind.TIMED_OUT
            assert reading.peer.connections == 0


class TestStopping:
    @staticmethod
    def holding(step: str, reached: threading.Event) -> dict[str, Answer]:
        def act(connection: Connection) -> None:
            reached.set()
            connection.hold()

        return {step: act}

    @pytest.mark.parametrize("step", ["greeting", "SEARCH"])
    def test_everybody_who_waits_is_woken_within_a_second(self, step: str) -> None:
        """Whether they wait for the server or for their turn."""
        reached = threading.Event()
        kinds: list[Kind] = []
        with server() as smtp, imap(self.holding(step, reached)) as reading:
            probe = Probe(settings(smtp, reading), Secrets({"env": Safe()}), TrustStores())

            def wait() -> None:
                with pytest.raises(Failure) as caught:
                    probe.wait_for("<a@x>", Transcript())
                kinds.append(caught.value.kind)

            with closing(probe):
                threads = [threading.Thread(target=wait) for _ in range(3)]
                for thread in threads:
                    thread.start()
                assert reached.wait(10)
                started = time.monotonic()
                probe.abort()
                for thread in threads:
                    thread.join(10)
        assert time.monotonic() - started < 1.5
        assert kinds == [Kind.ABORTED] * 3

    def test_also_between_two_looks(self, monkeypatch: pytest.MonkeyPatch) -> None:
        looked = threading.Event()
        monkeypatch.setattr("opsmail.live.probe.PAUSES", (15.0,))

        def observe(line: Line) -> None:
            if line.text == "o5 OK nothing":
                looked.set()

        with server() as smtp, imap({"SEARCH": b"%t OK nothing\r\n"}) as reading:
            probe = Probe(settings(smtp, reading), Secrets({"env": Safe()}), TrustStores())

            def stop() -> None:
                assert looked.wait(10)
                probe.abort()

            stopper = threading.Thread(target=stop)
            stopper.start()
            with closing(probe), pytest.raises(Failure) as caught:
                probe.wait_for("<a@x>", observe)
            stopper.join()
        assert caught.value.kind is Kind.ABORTED

    def test_a_run_that_is_interrupted_waits_for_no_message(self) -> None:
        """As by Ctrl-C: an exception in the thread that takes the results."""
        reached = threading.Event()
        with server() as smtp, imap(self.holding("SEARCH", reached)) as reading:
            coming = live(settings(smtp, reading), Safe(), depth=Depth.RECEIPT).run([operator("a")])

            main = threading.get_ident()

            def interrupt() -> None:
                assert reached.wait(10)
                signal.pthread_kill(main, signal.SIGINT)

            waker = threading.Thread(target=interrupt)
            waker.start()
            with pytest.raises(KeyboardInterrupt):
                next(coming)
            started = time.monotonic()
            coming.close()
            waker.join()
        assert time.monotonic() - started < 1.5

    def test_nothing_begins_afterwards(self) -> None:
        with server() as smtp, imap() as reading:
            probe = Probe(settings(smtp, reading), Secrets({"env": Safe()}), TrustStores())
            probe.abort()
            with closing(probe), pytest.raises(Failure) as caught:
                probe.wait_for("<a@x>", Transcript())
            assert caught.value.kind is Kind.ABORTED
            assert reading.peer.said() == b""


class TestTokens:
    ENTRY = f"""
authentication = ["modern"]
secrets = ["env://OPSMAIL_PROBE", "federated"]
tenants = ["{TENANT}"]
client_ids = ["x"]
microsoft_tokens = true
authority_ca = "identity.pem"
"""

    def outcome(self, provider: Provider, answers: Mapping[str, Answer] | None = None) -> TestResult:
        entry = f'{self.ENTRY}authority = "{provider.authority}"'
        return outcome(answers, entry=entry, probe=f"{REFERENCE}\n{MODERN}")

    def test_a_token_that_permits_reading(self) -> None:
        with identity(granted(jwt(roles=["IMAP.AccessAsApp"]))) as provider:
            result = self.outcome(provider)
        assert result.failure is None
        assert provider.forms()[0]["client_secret"] == PASSWORD

    def test_one_that_does_not_is_not_sent(self) -> None:
        with identity(granted(jwt(roles=["SMTP.SendAsApp"]))) as provider:
            result = self.outcome(provider)
        assert result.failure is not None
        assert "lacks IMAP.AccessAsApp" in str(result.failure.detail)
        assert (result.outcome, result.failure.diagnosis.path) == (Outcome.INCONCLUSIVE, "")
        assert "AUTHENTICATE" not in "\n".join(result.transcript)
