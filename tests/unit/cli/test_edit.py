"""`opsmail edit`: the form in a process of its own, until Ctrl-C."""

from __future__ import annotations

import http.client
import signal
import socket
import subprocess
import sys
from pathlib import Path

import pytest

from opsmail.cli.face import run
from opsmail.form.server import FormServer
from opsmail.live.result import Outcome, StageResult, TestResult
from tests.builders import SETTINGS, operator_text, write_files
from tests.unit.cli.checkout import Checkout
from tests.unit.servers import Server

SECONDS = 30


@pytest.fixture
def repository(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    return write_files(tmp_path, {"opsmail.toml": SETTINGS, "operators/rh.yaml": operator_text()})


def test_it_serves_until_it_is_interrupted(repository: Path) -> None:
    command = [sys.executable, "-P", "-m", "opsmail", "edit"]
    with subprocess.Popen(
        command, cwd=repository, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
    ) as process:
        try:
            assert process.stdout is not None
            address = process.stdout.readline().strip()
            place = address.removeprefix("http://").partition("/")[0]
            host, _, port = place.partition(":")
            assert host == "127.0.0.1"
            connection = http.client.HTTPConnection(host, int(port), timeout=SECONDS)
            connection.request("GET", "/", headers={"Host": place})
            assert connection.getresponse().status == 200
            connection.close()
        finally:
            process.send_signal(signal.SIGINT)
            out, err = process.communicate(timeout=SECONDS)
    assert (process.returncode, out) == (130, "")
    assert err.splitlines()[0] == "the address works once, in the browser of this machine; Ctrl-C ends the form"


def test_a_port_that_somebody_else_has(repository: Path, capfd: pytest.CaptureFixture[str]) -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        port = taken.getsockname()[1]
        assert run(["edit", "--port", str(port)]) == 4
    assert capfd.readouterr().err.startswith(f"error: port {port} cannot be used: ")


def test_wrong_settings_are_told_before_anything_is_served(repository: Path, capfd: pytest.CaptureFixture[str]) -> None:
    (repository / "opsmail.toml").write_text("x = 1\n", "utf-8")
    assert run(["edit"]) == 2
    assert capfd.readouterr().out == ""


def test_a_test_message_is_sent_under_the_committed_settings(
    checkout: Checkout, relay: Server, monkeypatch: pytest.MonkeyPatch
) -> None:
    checkout.fleet(relay, "a")
    checkout.edit("opsmail.toml", relay.address, "127.0.0.1:9")  # not committed, so it decides nothing
    sent: list[TestResult] = []
    watched: list[StageResult] = []

    def once(server: FormServer, poll_interval: float) -> None:
        sent.append(server.editor.test("operators/a.yaml", watched.append))

    opened: list[str] = []
    monkeypatch.setattr("webbrowser.open", opened.append)
    monkeypatch.setattr(FormServer, "serve_forever", once)
    said = checkout.run("edit", "--allow-test", "--open")
    assert opened == said.out.splitlines()
    assert [result.outcome for result in sent] == [Outcome.PASSED]
    assert tuple(watched) == sent[0].stages
    assert "DATA" in relay.commands()


def test_test_messages_need_a_repository_and_a_recipient(repository: Path, capfd: pytest.CaptureFixture[str]) -> None:
    assert run(["edit", "--allow-test"]) == 3
    assert "is not in a git repository" in capfd.readouterr().err


def test_without_a_terminal_or_when_told_so_no_browser_opens(
    repository: Path, monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]
) -> None:
    opened: list[str] = []
    monkeypatch.setattr("webbrowser.open", opened.append)
    monkeypatch.setattr(FormServer, "serve_forever", lambda *_, **__: None)
    assert run(["edit", "--no-open"]) == 0
    assert capfd.readouterr().out.startswith("http://127.0.0.1:")
    assert opened == []
