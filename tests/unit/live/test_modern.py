"""Tests of operators with modern authentication: the stage `token`, and what the server makes of what it brings."""

from __future__ import annotations

import base64
import signal
import threading
import time
from contextlib import closing
from dataclasses import replace
from typing import Any

import pytest

from opsmail.evidence.facts import Depth
from opsmail.live.result import Outcome, TestResult
from opsmail.mail.failure import Stage
from opsmail.settings.load import Settings
from tests.hostile.peer import GOOD, Answer, Connection
from tests.unit.fleets import operator
from tests.unit.live.running import MODERN, Vault, catalogue, live, run
from tests.unit.mail.oauth.identity import Provider, granted, http, identity, jwt, proxy, refused
from tests.unit.servers import Server, server

ERROR = base64.b64encode(b'{"status":"401","schemes":"bearer"}')
XOAUTH2 = GOOD["EHLO-TLS"].replace(b"PLAIN LOGIN", b"XOAUTH2")


def takes(connection: Connection) -> None:
    connection.say(b"334 \r\n")
    connection.hear()
    connection.say(b"235 2.7.0 ok\r\n")


def refuses(connection: Connection) -> None:
    connection.say(b"334 \r\n")
    connection.hear()
    connection.say(b"334 " + ERROR + b"\r\n")
    assert connection.hear() == b""
    connection.say(b"535 5.7.3 Authentication unsuccessful\r\n")


def answers(auth: Answer = takes) -> dict[str, Answer]:
    return {"EHLO-TLS": XOAUTH2, "AUTH": auth}


def approved(running: Server, provider: Provider) -> Settings:
    return catalogue(running, more=f'authority = "{provider.authority}"\nauthority_ca = "identity.pem"\n')


def outcome_of(provider: Provider, auth: Answer = takes, **more: Any) -> tuple[TestResult, Server]:
    with server(answers(auth)) as running:
        result = run(approved(running, provider), operator("rh", authentication=MODERN), **more)["rh"]
    return result, running


def test_the_settings_name_a_proxy() -> None:
    with identity() as provider, proxy(provider=provider) as way, server(answers()) as running:
        more = f'authority = "{provider.authority}"\nauthority_ca = "identity.pem"\n'
        settings = catalogue(running, more=more, live=f'proxy = "http://localhost:{way.port}"')
        result = run(settings, operator("rh", authentication=MODERN), vault=Vault("client-secret"))["rh"]
        assert result.outcome is Outcome.PASSED
        assert (provider.peer.connections, way.connections) == (0, 2)
        assert way.said(secure=False).startswith(f"CONNECT {provider.authority[8:]} HTTP/1.1\r\n".encode())


def test_a_token_and_then_the_login() -> None:
    token = jwt()
    with identity(granted(token)) as provider:
        result, running = outcome_of(provider, vault=Vault("client-secret"))
    assert (result.outcome, result.failure) == (Outcome.PASSED, None)
    stages = {stage.stage: stage for stage in result.stages}
    assert list(stages) == [
        Stage.RESOLVE, Stage.CONNECT, Stage.TLS, Stage.TOKEN, Stage.AUTHENTICATE, Stage.ENVELOPE, Stage.SEND,
    ]  # fmt: skip
    assert stages[Stage.TOKEN].claims is not None
    assert stages[Stage.AUTHENTICATE].mechanism == "XOAUTH2"
    said = base64.b64encode(f"user=rh@empresa.test\x01auth=Bearer {token}\x01\x01".encode())
    assert b"AUTH XOAUTH2\r\n" + said + b"\r\n" in running.peer.said(secure=True)
    shown = "\n".join(result.transcript) + repr(result)
    assert token not in shown
    assert said.decode() not in shown


def test_not_so_far_no_token() -> None:
    with identity() as provider:
        result, _ = outcome_of(provider, depth=Depth.TLS)
    assert (result.outcome, result.stages[-1].stage, provider.asked) == (Outcome.PASSED, Stage.TLS, [])


def test_the_server_s_reason_is_kept() -> None:
    with identity() as provider:
        result, _ = outcome_of(provider, refuses)
    assert result.failure is not None
    assert (result.failure.stage, result.failure.diagnosis.rule_id) == (Stage.AUTHENTICATE, "OM913")
    assert result.failure.challenge == '{"status":"401","schemes":"bearer"}'
    assert result.transcript.count("C: AUTH XOAUTH2") == 1


@pytest.mark.parametrize(
    ("token", "rule", "outcome"),
    [
        (refused("invalid_client", 7000215), "OM913", Outcome.FAILED),
        (refused("invalid_client", 7000222), "OM923", Outcome.FAILED),
        (refused("unauthorized_client", 700016), "OM924", Outcome.FAILED),
        (refused("invalid_grant", 65001), "OM922", Outcome.FAILED),
        (refused("access_denied", 53003), "OM918", Outcome.FAILED),
        (refused("something_else", 1), "OM925", Outcome.FAILED),
        (refused("temporarily_unavailable", 90055, status=429), "OM930", Outcome.INCONCLUSIVE),
        (granted(jwt(aud="https://graph.microsoft.com")), "OM920", Outcome.FAILED),
        (granted(jwt(roles=[])), "OM921", Outcome.FAILED),
        (granted(jwt(exp=1)), "OM925", Outcome.INCONCLUSIVE),
        (http(503, "<h1>"), "OM925", Outcome.INCONCLUSIVE),
    ],
)
def test_no_token_no_login(token: bytes, rule: str, outcome: Outcome) -> None:
    with identity(token) as provider:
        result, running = outcome_of(provider)
    assert result.failure is not None
    assert (result.failure.stage, result.failure.diagnosis.rule_id, result.outcome) == (Stage.TOKEN, rule, outcome)
    assert "AUTH" not in running.commands()


def test_a_secret_that_does_not_resolve_here() -> None:
    with identity() as provider:
        result, _ = outcome_of(provider, vault=Vault(""))
    assert result.failure is not None
    assert (result.failure.stage, result.failure.diagnosis.rule_id) == (Stage.TOKEN, "OM606")
    assert result.failure.diagnosis.path == "authentication.credential.secret"


def test_ctrl_c_ends_within_a_second_while_a_token_is_asked_for() -> None:
    main = threading.main_thread().ident
    assert main is not None
    pressed: list[float] = []

    def hold(connection: Connection) -> None:
        pressed.append(time.monotonic())
        signal.pthread_kill(main, signal.SIGINT)
        connection.hold()

    with identity(hold) as provider, server(answers()) as running:
        # Two mailboxes: the one asks, the other waits for what comes of it.
        subjects = [
            operator("rh", authentication=MODERN),
            operator("b", authentication=MODERN | {"username": "b@empresa.test"}),
        ]
        settings = approved(running, provider)
        (entry,) = settings.file.servers or ()
        shared = replace(entry, secrets=("env://OPSMAIL_SECRET_RH",))
        settings = replace(settings, file=replace(settings.file, servers=(shared,)))
        coming = live(settings, Vault("client-secret")).run(subjects)
        with pytest.raises(KeyboardInterrupt), closing(coming):
            next(coming)
        assert time.monotonic() - pressed[0] < 1
        assert len(provider.forms()) == 1
