"""Live tests against scripted servers: pins before anything, turns, results as they come, and an end in time."""

from __future__ import annotations

import signal
import socket
import threading
import time
from collections import Counter
from contextlib import ExitStack, closing
from datetime import UTC, datetime
from email.message import EmailMessage
from typing import Any

import pytest

from opsmail.evidence.facts import Depth
from opsmail.live.engine import LiveTest, _Conversations
from opsmail.live.pins import NotPinnedError, require_pinned_peer
from opsmail.live.result import Outcome, TestResult
from opsmail.live.trial import Trial
from opsmail.mail.destination import SocketAddress
from opsmail.mail.diagnosis import Fault, ReplyTable
from opsmail.mail.endpoint import Endpoint
from opsmail.mail.failure import Kind, Stage, StageError
from opsmail.mail.message import Particulars, compose
from opsmail.mail.submission import Submission
from opsmail.mail.tls import TrustStores
from opsmail.mail.transcript import Transcript
from opsmail.messages import msg
from opsmail.operator.digest import EffectiveOperator
from opsmail.operator.model import Operator
from opsmail.references import SecretReference
from opsmail.secrets import Secret, SecretError, Secrets
from opsmail.settings.load import Settings
from tests.hostile.peer import Connection
from tests.unit.fleets import HOST, operator, settings
from tests.unit.servers import SECOND_HOST, Server, ca, server

RECIPIENT = "teste@empresa.test"
SECOND = {"host": SECOND_HOST}
MODERN = {
    "type": "modern",
    "username": "rh@empresa.test",
    "tenant": "empresa.test",
    "client_id": "x",
    "credential": {"kind": "client-secret", "secret": "env://OPSMAIL_SECRET_RH"},
}


class Vault:
    """Gives the same password for everything, and notes what it is asked for."""

    def __init__(self, password: str = "s3nh4") -> None:
        self.password = password
        self.asked: list[str] = []

    def resolve(self, reference: SecretReference) -> Secret:
        self.asked.append(str(reference))
        if not self.password:
            raise SecretError(msg("the vault is sealed"))
        return Secret(self.password)


def catalogue(*servers: Server, live: str = "", seconds: int = 20, host: str = HOST) -> Settings:
    """Settings that approve one server or two, the first as `host`, the other as `SECOND_HOST`."""
    entries = "".join(
        f"""
[[servers]]
host = "{name}"
connections = ["587/starttls", "465/implicit-tls", "25/none"]
authentication = ["basic", "none", "modern"]
secrets = ["env://OPSMAIL_SECRET_{{OPERATOR}}"]
tenants = ["empresa.test"]
client_ids = ["x"]
ca = "ca.pem"
address = "{running.address}"
"""
        for name, running in zip((host, SECOND_HOST), servers, strict=False)
    )
    return settings(f"{entries}\n[live]\ntimeout_seconds = {seconds}\n{live}", {"ca.pem": ca()})


def composed(effective: EffectiveOperator, recipient: str) -> EmailMessage:
    subject = effective.operator
    return compose(
        Particulars(
            operator=subject.operator,
            sender=subject.sender.address,
            recipient=recipient,
            server=subject.server.host,
            when=datetime(2026, 3, 10, 12, tzinfo=UTC),
            digest=effective.digest,
        )
    )


def live(approved: Settings, vault: Vault | None = None, **more: Any) -> LiveTest:
    values: dict[str, Any] = {"compose": composed, "recipient": RECIPIENT, "depth": Depth.SEND} | more
    return LiveTest(settings=approved, secrets=Secrets({"env": vault or Vault()}), **values)


def run(approved: Settings, *operators: Operator, vault: Vault | None = None, **more: Any) -> dict[str, TestResult]:
    results = list(live(approved, vault, **more).run(operators))
    assert len({result.operator for result in results}) == len(results)
    return {result.operator: result for result in results}


class TestPins:
    """What the catalogue does not allow is refused before a name is resolved, a port opened or a secret read."""

    @pytest.mark.parametrize(
        ("asked", "told"),
        [
            ({"server": {"host": "mail.atacante.test"}}, "the server `mail.atacante.test` is not approved"),
            ({"server": {"host": "mail.empresa.test.atacante.test"}}, "is not approved"),
            ({"server": {"port": 2525}}, "port 2525 with `starttls` is not approved"),
            ({"server": {"port": 25}}, "port 25 with `starttls` is not approved"),
            ({"server": {"encryption": "none"}}, "port 587 with `none` is not approved"),
            (
                {"authentication": {"type": "basic", "username": "x", "password": "env://OPSMAIL_SECRET_CHEFE"}},
                "may not be sent to `mail.empresa.test` by operator `rh`",
            ),
            (
                {"authentication": {"type": "basic", "username": "x", "password": "env://OPSMAIL_SIGNING_KEY"}},
                "a secret of opsmail's own settings",
            ),
            (
                {"authentication": {"type": "basic", "username": "x", "password": "senha-digitada"}},
                "`authentication.password` holds no secret reference",
            ),
            ({"authentication": MODERN | {"tenant": "other.test"}}, "the tenant `other.test` is not approved"),
        ],
    )
    def test_what_is_not_allowed(self, asked: dict[str, Any], told: str) -> None:
        vault = Vault()
        with server() as running:
            approved = catalogue(running)
            if asked.get("authentication", {}).get("password") == "env://OPSMAIL_SIGNING_KEY":
                approved = settings(
                    '[[servers]]\nhost = "mail.empresa.test"\nconnections = ["587/starttls"]\n'
                    'authentication = ["basic"]\nsecrets = ["env://OPSMAIL_*"]\n'
                )
            with pytest.raises(NotPinnedError, match="`rh` is not tested") as caught:
                live(approved, vault).run(
                    [operator("chefe", server={"host": "mail.empresa.test"}), operator("rh", **asked)]
                )
            assert told in str(caught.value)
            assert running.peer.connections == 0
        assert vault.asked == []

    def test_everything_that_is_not_allowed_is_told(self) -> None:
        with server() as running, pytest.raises(NotPinnedError) as caught:
            live(catalogue(running)).run([operator("a", server={"port": 1}), operator("b", server={"host": "x.test"})])
        assert [str(error).partition(":")[0] for error in (caught.value, *caught.value.further)] == [
            "`a` is not tested",
            "`b` is not tested",
        ]

    def test_without_a_catalogue_nothing_is_allowed(self) -> None:
        with pytest.raises(NotPinnedError, match="no catalogue of approved servers") as caught:
            live(settings("")).run([operator("rh")])
        assert "[[servers]]" in str(caught.value.hint)

    def test_an_empty_catalogue_allows_nothing(self) -> None:
        with pytest.raises(NotPinnedError, match="is not approved"):
            live(settings("servers = []")).run([operator("rh")])

    def test_nothing_to_test_needs_no_catalogue(self) -> None:
        assert list(live(settings("")).run([])) == []


class TestPinnedPeer:
    """Asked once more of the open connection, right before the secret is read."""

    def submission(self, approved: Settings, subject: Operator, **changes: Any) -> Submission:
        endpoint = Endpoint.of(approved.effective(subject))
        values = {name: getattr(endpoint, name) for name in ("host", "port", "encryption", "minimum_tls")}
        values |= {"address": endpoint.address, "ca": endpoint.ca, "private": endpoint.private} | changes
        return Submission(Endpoint(**values), TrustStores())

    def test_connected_where_it_should_be(self) -> None:
        with server() as running:
            approved = catalogue(running)
            with self.submission(approved, operator("rh")) as submission:
                submission.resolve()
                submission.connect()
                require_pinned_peer(submission, operator("rh"), approved)

    def test_not_connected_at_all(self) -> None:
        with server() as running:
            approved = catalogue(running)
            with self.submission(approved, operator("rh")) as submission, pytest.raises(NotPinnedError):
                require_pinned_peer(submission, operator("rh"), approved)

    def test_connected_to_another_address(self) -> None:
        with server() as running, server() as other:
            approved = catalogue(running)
            with self.submission(approved, operator("rh"), address=other.address) as submission:
                submission.resolve()
                submission.connect()
                with pytest.raises(NotPinnedError, match=f"connected to {other.address}, which is not approved"):
                    require_pinned_peer(submission, operator("rh"), approved)
                # Even where the endpoint claims to be the approved one, the address that answered decides.
                submission.endpoint = Endpoint.of(approved.effective(operator("rh")))
                with pytest.raises(NotPinnedError):
                    require_pinned_peer(submission, operator("rh"), approved)

    @pytest.mark.parametrize(
        ("peer", "private", "allowed"),
        [
            (SocketAddress("93.184.216.34", 587), False, True),
            (SocketAddress("93.184.216.34", 25), False, False),
            (SocketAddress("10.0.0.1", 587), False, False),
            (SocketAddress("10.0.0.1", 587), True, True),
            (SocketAddress("169.254.169.254", 587), True, False),
        ],
    )
    def test_where_a_name_was_resolved_its_address_is_judged(
        self, peer: SocketAddress, private: bool, allowed: bool
    ) -> None:
        approved = settings(
            '[[servers]]\nhost = "mail.empresa.test"\nconnections = ["587/starttls"]\nauthentication = ["basic"]\n'
            f'secrets = ["env://OPSMAIL_SECRET_{{OPERATOR}}"]\nprivate = {str(private).lower()}\n'
        )
        submission = self.submission(approved, operator("rh"))
        submission.peer = peer
        if allowed:
            require_pinned_peer(submission, operator("rh"), approved)
        else:
            with pytest.raises(NotPinnedError):
                require_pinned_peer(submission, operator("rh"), approved)

    def test_no_longer_allowed(self) -> None:
        with server() as running:
            approved = catalogue(running)
            submission = self.submission(approved, operator("rh"))
            with pytest.raises(NotPinnedError, match="is not approved"):
                require_pinned_peer(submission, operator("rh"), settings("servers = []"))


class TestTrials:
    def test_what_passed(self) -> None:
        vault = Vault()
        with server() as running:
            result = run(catalogue(running), operator("rh"), vault=vault)["rh"]
        assert (result.outcome, result.failure, result.skipped, result.attempts) == (Outcome.PASSED, None, None, 1)
        assert [stage.stage for stage in result.stages] == [
            Stage.RESOLVE,
            Stage.CONNECT,
            Stage.TLS,
            Stage.AUTHENTICATE,
            Stage.ENVELOPE,
            Stage.SEND,
        ]
        assert all(stage.outcome is Outcome.PASSED for stage in result.stages)
        by_stage = {stage.stage: stage for stage in result.stages}
        assert by_stage[Stage.TLS].tls is not None
        assert by_stage[Stage.AUTHENTICATE].mechanism == "PLAIN"
        assert str(by_stage[Stage.SEND].reply) == "250 2.0.0 Ok: queued as 4F1B2"
        assert f"Message-ID: {result.message_id}".encode() in running.peer.said(secure=True)
        assert result.digest == catalogue(running).effective(operator("rh")).digest
        assert vault.asked == ["env://OPSMAIL_SECRET_RH"]
        assert any("AUTH PLAIN" in line for line in result.transcript)
        assert "s3nh4" not in "\n".join(result.transcript)
        assert running.commands()[-1] == "QUIT"

    @pytest.mark.parametrize(
        ("depth", "last"),
        [
            (Depth.RESOLVE, Stage.RESOLVE),
            (Depth.TLS, Stage.TLS),
            (Depth.AUTHENTICATE, Stage.AUTHENTICATE),
            (Depth.ENVELOPE, Stage.ENVELOPE),
        ],
    )
    def test_as_far_as_was_asked_for(self, depth: Depth, last: Stage) -> None:
        vault = Vault()
        with server() as running:
            result = run(catalogue(running), operator("rh"), vault=vault, depth=depth)["rh"]
            assert (result.outcome, result.stages[-1].stage, result.message_id) == (Outcome.PASSED, last, None)
            assert bool(vault.asked) is depth.reaches(Depth.AUTHENTICATE)
            assert "DATA" not in running.commands()
            assert running.peer.connections == (0 if depth is Depth.RESOLVE else 1)

    def test_implicit_tls(self) -> None:
        with server(implicit=True) as running:
            subject = operator("rh", server={"port": 465, "encryption": "implicit-tls"})
            assert run(catalogue(running), subject)["rh"].outcome is Outcome.PASSED

    def test_a_relay_has_no_stages_that_it_does_not_have(self) -> None:
        vault = Vault()
        with server() as running:
            subject = operator("rh", server={"port": 25, "encryption": "none"}, authentication={"type": "none"})
            result = run(catalogue(running), subject, vault=vault)["rh"]
        assert [stage.stage for stage in result.stages] == [Stage.RESOLVE, Stage.CONNECT, Stage.ENVELOPE, Stage.SEND]
        assert vault.asked == []

    @pytest.mark.parametrize(
        ("answers", "stage", "rule", "outcome"),
        [
            ({"banner": b"554 no\r\n"}, Stage.CONNECT, None, None),
            ({"EHLO": b"250 mail.empresa.test\r\n"}, Stage.TLS, "OM906", Outcome.FAILED),
            ({"AUTH": b"535 5.7.8 no\r\n"}, Stage.AUTHENTICATE, "OM913", Outcome.FAILED),
            ({"MAIL": b"553 5.7.1 not yours\r\n"}, Stage.ENVELOPE, "OM926", Outcome.FAILED),
            ({"RCPT": b"451 4.3.0 later\r\n"}, Stage.ENVELOPE, None, Outcome.INCONCLUSIVE),
            ({"content": b"550 5.7.1 spam\r\n"}, Stage.SEND, None, None),
        ],
    )
    def test_what_failed_and_where(
        self, answers: dict[str, bytes], stage: Stage, rule: str | None, outcome: Outcome | None
    ) -> None:
        with server(answers) as running:
            result = run(catalogue(running), operator("rh"))["rh"]
        assert result.failure is not None
        assert (result.failure.stage, result.stages[-1].stage) == (stage, stage)
        assert result.outcome is result.failure.outcome is result.stages[-1].outcome
        assert result.outcome is (outcome or result.outcome)
        assert rule in (None, result.failure.diagnosis.rule_id)
        assert (result.message_id is not None) is (stage is Stage.SEND)

    def test_one_login_attempt_and_no_other_mechanism(self) -> None:
        with server({"AUTH": b"535 5.7.8 no\r\n"}) as running:
            run(catalogue(running), operator("rh"))
        assert running.commands().count("AUTH") == 1
        assert running.peer.connections == 1

    @pytest.mark.parametrize(("password", "told"), [("", "the vault is sealed"), ("x", "does not have 4 to")])
    def test_a_secret_that_does_not_resolve_here(self, password: str, told: str) -> None:
        with server() as running:
            result = run(catalogue(running), operator("rh"), vault=Vault(password))["rh"]
        assert result.failure is not None
        assert (result.outcome, result.failure.stage) == (Outcome.INCONCLUSIVE, Stage.AUTHENTICATE)
        assert told in str(result.failure.detail)
        diagnosis = result.failure.diagnosis
        assert (diagnosis.rule_id, diagnosis.path, diagnosis.fault) == (
            "OM606",
            "authentication.password",
            Fault.ENVIRONMENT,
        )
        assert "AUTH" not in running.commands()

    def test_no_password_before_the_server_has_shown_who_it_is(self) -> None:
        vault = Vault()
        with server() as running:
            approved = catalogue(running, host="other.empresa.test")
            result = run(approved, operator("rh", server={"host": "other.empresa.test"}), vault=vault)["rh"]
        assert result.failure is not None
        assert (result.failure.stage, result.failure.diagnosis.rule_id) == (Stage.TLS, "OM910")
        assert result.stages[-1].tls is not None  # what was seen of the certificate
        assert vault.asked == []

    @pytest.mark.parametrize("address", ["rh", "rh@"])
    def test_a_sender_that_is_no_address_fails_where_it_is_used(self, address: str) -> None:
        with server() as running:
            result = run(catalogue(running), operator("rh", sender={"address": address}))["rh"]
        assert result.failure is not None
        assert result.failure.stage is Stage.ENVELOPE

    def test_modern_authentication_is_skipped_and_says_so(self) -> None:
        with server() as running:
            approved = catalogue(running)
            results = run(approved, operator("rh", authentication=MODERN), operator("a"))
            assert results["a"].outcome is Outcome.PASSED
            skipped = results["rh"]
            assert (skipped.outcome, skipped.stages) == (Outcome.SKIPPED, ())
            assert "modern authentication" in str(skipped.skipped)
            connections = running.peer.connections
            assert connections == 1
            reached = run(approved, operator("rh", authentication=MODERN), depth=Depth.TLS)["rh"]
            assert reached.outcome is Outcome.PASSED


class TestManyAtOnce:
    def test_so_many_conversations_with_one_server_and_one_with_a_mailbox(self) -> None:
        """Counted by the server: it holds each conversation until as many as may come are there."""
        lock = threading.Lock()
        now: Counter[str] = Counter()
        most: Counter[str] = Counter()
        both = threading.Barrier(2, timeout=10)

        def count(connection: Connection) -> None:
            with lock:
                now["host"] += 1
                most["host"] = max(most["host"], now["host"])
            both.wait()  # two at a time, always: that is also the proof that two are let in
            with lock:
                now["host"] -= 1
            connection.say(b"250 2.1.0 Ok\r\n")

        with server({"MAIL": count}) as running:
            approved = catalogue(running, live="per_host = 2\nconcurrency = 8")
            results = run(approved, *[operator(f"o{number}") for number in range(8)])
        assert {result.outcome for result in results.values()} == {Outcome.PASSED}
        assert most["host"] == 2

    def test_one_mailbox_is_used_by_one_at_a_time(self) -> None:
        lock = threading.Lock()
        open_now: list[int] = [0, 0]

        def enter(connection: Connection) -> None:
            with lock:
                open_now[0] += 1
                open_now[1] = max(open_now)
            connection.say(b"235 2.7.0 ok\r\n")

        def leave(connection: Connection) -> None:
            with lock:
                open_now[0] -= 1
            connection.say(b"221 bye\r\n")

        login = {"type": "basic", "username": "shared@empresa.test"}
        with server({"AUTH": enter, "QUIT": leave}) as running:
            subjects = [
                operator(name, authentication=login | {"password": f"env://OPSMAIL_SECRET_{name.upper()}"})
                for name in ("a", "b", "c", "d")
            ]
            results = run(catalogue(running), *subjects)
        assert {result.outcome for result in results.values()} == {Outcome.PASSED}
        assert open_now == [0, 1]

    def test_results_come_as_they_are_ready(self) -> None:
        """A slow server keeps nobody waiting who is at another one; each result is handed out at once."""
        first_is_out = threading.Event()

        def slow(connection: Connection) -> None:
            assert first_is_out.wait(10)
            connection.say(b"220 late\r\n")

        with server({"banner": slow}) as late, server() as quick:
            approved = catalogue(late, quick)
            order = []
            for result in live(approved).run([operator("a"), operator("b", server=SECOND)]):
                order.append(result.operator)
                first_is_out.set()
        assert order == ["b", "a"]
        assert first_is_out.is_set()

    def test_a_silent_server_takes_its_own_time_only(self) -> None:
        with server({"banner": lambda connection: connection.hold()}) as silent, server() as quick:
            approved = catalogue(silent, quick, live="per_host = 1", seconds=1)
            started = time.monotonic()
            results = run(
                approved,
                operator("a"),
                *[operator(f"b{n}", server=SECOND) for n in range(5)],
            )
            took = time.monotonic() - started
        assert results["a"].failure is not None
        assert results["a"].failure.diagnosis.rule_id == "OM904"
        assert [results[f"b{n}"].outcome for n in range(5)] == [Outcome.PASSED] * 5
        assert took < 6

    def test_a_defect_in_one_ends_the_run_and_hangs_nobody(self) -> None:
        class Defective:
            def resolve(self, reference: SecretReference) -> Secret:
                raise ZeroDivisionError

        started = time.monotonic()
        with server({"MAIL": lambda connection: connection.hold()}) as silent, server() as quick:
            test = LiveTest(
                settings=catalogue(silent, quick),
                secrets=Secrets({"env": Defective()}),
                compose=composed,
                recipient=RECIPIENT,
            )
            none = {"type": "none"}
            subjects = [operator("a", authentication=none), operator("b", server=SECOND)]
            with pytest.raises(ZeroDivisionError):
                list(test.run(subjects))
        assert time.monotonic() - started < 5
        assert live_threads() == []

    def test_who_has_enough_ends_all_conversations(self) -> None:
        held = threading.Event()

        def hold(connection: Connection) -> None:
            held.set()
            connection.hold()

        with server() as quick, server({"banner": hold}) as silent:
            silents = [operator(f"s{n}", server=SECOND) for n in range(20)]
            with closing(live(catalogue(quick, silent)).run([operator("a"), *silents])) as results:
                assert next(results).operator == "a"
                assert held.wait(5)
                started = time.monotonic()
            assert time.monotonic() - started < 1
        assert live_threads() == []


class TestInterruption:
    @pytest.mark.parametrize("where", ["banner", "AUTH", "MAIL"])
    def test_ctrl_c_ends_within_a_second(self, where: str) -> None:
        """In the main thread, while workers wait for a server that says nothing."""
        interrupted: list[float] = []

        def hold(connection: Connection) -> None:
            if not interrupted:
                interrupted.append(time.monotonic())
                press_ctrl_c()
            connection.hold()

        subjects = [operator(f"o{number}") for number in range(20)]
        with server({where: hold}) as silent, pytest.raises(KeyboardInterrupt):  # noqa: PT012 - the end is timed inside
            try:
                list(live(catalogue(silent)).run(subjects))
            finally:
                assert time.monotonic() - interrupted[0] < 1
                assert live_threads() == []

    def test_also_while_a_connection_is_not_even_accepted(self) -> None:
        """A server whose queue is full answers no SYN: `connect` hangs, not `recv`."""
        with socket.socket() as full, ExitStack() as waiting:
            full.bind(("127.0.0.1", 0))
            full.listen(0)
            address = full.getsockname()
            for _ in range(4):
                knocking = waiting.enter_context(socket.socket())
                knocking.setblocking(False)
                knocking.connect_ex(address)
            approved = settings(
                f'[[servers]]\nhost = "{HOST}"\nconnections = ["587/starttls"]\nauthentication = ["none"]\n'
                f'address = "127.0.0.1:{address[1]}"\n'
            )
            timer = threading.Timer(0.3, press_ctrl_c)
            timer.start()
            started = time.monotonic()
            with pytest.raises(KeyboardInterrupt):
                list(live(approved).run([operator("rh", authentication={"type": "none"})]))
            assert time.monotonic() - started < 1.3
            assert live_threads() == []

    def test_what_begins_when_all_is_over_ends_at_once(self) -> None:
        with server() as running:
            conversations = _Conversations()
            conversations.stop()
            submission = Submission(Endpoint.of(catalogue(running).effective(operator("rh"))), TrustStores())
            with conversations.going(submission), submission:
                submission.resolve()
                with pytest.raises(StageError) as caught:
                    submission.connect()
            assert caught.value.kind is Kind.ABORTED


def test_a_login_that_this_version_cannot_make_is_never_passed_over() -> None:
    """`skipped_because` keeps it out of a trial; if it did not, the trial would not be green."""
    with server() as running:
        approved = catalogue(running)
        effective = approved.effective(operator("rh", authentication=MODERN))
        trial = Trial(
            effective=effective,
            recipient=RECIPIENT,
            depth=Depth.SEND,
            compose=composed,
            secrets=Secrets({}),
            confirm=lambda _: None,
            diagnose=ReplyTable.load().diagnose,
        )
        with pytest.raises(TypeError, match="modern"):
            trial.run(Submission(Endpoint.of(effective), TrustStores()), Transcript())


def live_threads() -> list[str]:
    return [thread.name for thread in threading.enumerate() if thread.name.startswith("live")]


def press_ctrl_c() -> None:
    main = threading.main_thread().ident
    assert main is not None
    signal.pthread_kill(main, signal.SIGINT)
