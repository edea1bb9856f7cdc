"""The test of one operator against scripted servers: every stage, as far as it gets, and what it says."""

from __future__ import annotations

import pytest

from opsmail.evidence.facts import Depth
from opsmail.live.result import Outcome
from opsmail.mail.diagnosis import Fault
from opsmail.mail.failure import Stage
from tests.unit.fleets import operator
from tests.unit.live.running import Vault, catalogue, run
from tests.unit.servers import server


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

    @pytest.mark.case("M-21")
    def test_one_login_attempt_and_no_other_mechanism(self) -> None:
        with server({"AUTH": b"535 5.7.8 no\r\n"}) as running:
            run(catalogue(running), operator("rh"))
        assert running.commands().count("AUTH") == 1
        assert running.peer.connections == 1

    @pytest.mark.case("M-20")
    def test_a_server_that_takes_no_passwords_any_more(self) -> None:
        with server({"AUTH": b"550 5.7.30 Basic authentication is not supported for Client Submission\r\n"}) as running:
            result = run(catalogue(running), operator("rh"))["rh"]
        assert result.failure is not None
        diagnosis = result.failure.diagnosis
        assert (result.outcome, diagnosis.rule_id, diagnosis.path) == (Outcome.FAILED, "OM919", "authentication.type")
        assert "modern" in str(diagnosis.remedy)
        assert running.commands().count("AUTH") == 1

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
