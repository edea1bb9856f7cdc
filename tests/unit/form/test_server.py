"""The form's server refuses whatever does not come from its own page, with the session's key."""

from __future__ import annotations

import http.client
import json
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import Any

import pytest

from opsmail.errors import RefusedError
from opsmail.evidence.facts import Depth
from opsmail.form.server import FormServer
from opsmail.live.result import Outcome, StageResult, TestResult
from opsmail.mail.failure import Stage
from opsmail.messages import msg
from opsmail.operator.model import Operator
from tests.unit.form.serving import RH, editor_of, served


@pytest.fixture
def server(tmp_path: Path) -> Iterator[FormServer]:
    with served(editor_of(tmp_path)) as running:
        yield running


class Page:
    """What a browser's page does: requests from the page's own address, as JSON."""

    def __init__(self, server: FormServer) -> None:
        self.server = server
        self.key = ""

    def begin(self) -> int:
        status, answer = self.post("/begin", {"once": self.server.address.partition("#")[2]})
        self.key = answer.get("key", "")
        return status

    def post(self, path: str, body: Any, headers: Mapping[str, str | None] | None = None) -> tuple[int, Any]:
        sent = {
            "Host": self.server.place,
            "Origin": f"http://{self.server.place}",
            "Content-Type": "application/json",
            "Authorization": f"Bearer {self.key}",
            **(headers or {}),
        }
        content = body if isinstance(body, bytes) else json.dumps(body).encode()
        return self.send("POST", path, content, {name: value for name, value in sent.items() if value is not None})

    def send(self, method: str, path: str, content: bytes, headers: Mapping[str, str]) -> tuple[int, Any]:
        connection = http.client.HTTPConnection("127.0.0.1", self.server.server_address[1], timeout=10)
        try:
            connection.putrequest(method, path, skip_host=True, skip_accept_encoding=True)
            for name, value in headers.items():
                connection.putheader(name, value)
            if content and "Content-Length" not in headers:
                connection.putheader("Content-Length", str(len(content)))
            connection.endheaders(content)
            response = connection.getresponse()
            text = response.read()
            assert response.headers["Cache-Control"] == "no-store"
            assert response.headers["X-Frame-Options"] == "DENY"
            is_json = response.headers["Content-Type"] == "application/json"
            return response.status, json.loads(text) if is_json else text.decode()
        finally:
            connection.close()


@pytest.fixture
def page(server: FormServer) -> Page:
    page = Page(server)
    assert page.begin() == 200
    return page


def test_the_page_has_no_data_and_needs_no_key(server: FormServer) -> None:
    status, text = Page(server).send("GET", "/", b"", {"Host": server.place})
    assert status == 200
    assert "Content-Security-Policy" in text
    assert "empresa" not in text


def test_an_operator_from_the_list_to_the_file(page: Page, tmp_path: Path) -> None:
    assert page.post("/operators", {})[1]["paths"] == [RH]
    _, shown = page.post("/show", {"path": RH})
    values = {**shown["values"], "server.port": "465"}
    _, draft = page.post("/check", {"path": RH, "values": values})
    assert next((item["path"], item["rule"]) for item in draft["findings"]) == ("server.port", "OM201")
    assert {"sign": "+", "text": "  port: 465"} in draft["difference"]
    status, saved = page.post("/save", {"path": RH, "values": values, "state": shown["state"]})
    assert (status, saved["values"]["server.port"]) == (200, "465")
    assert "port: 465" in (tmp_path / RH).read_text("utf-8")


def test_what_is_refused_is_said_with_what_to_do(page: Page) -> None:
    status, answer = page.post("/show", {"path": "/etc/passwd"})
    assert (status, answer["hint"]) == (409, "choose one of the list")
    status, answer = page.post("/test", {"path": RH})
    assert (status, answer["error"]) == (409, "test messages are switched off")


def test_a_test_message_is_told_stage_by_stage(tmp_path: Path) -> None:
    passed = StageResult(Stage.RESOLVE, Outcome.PASSED, 7)

    def send(operator: Operator, watch: Callable[[StageResult], None]) -> TestResult:
        watch(passed)
        return TestResult(operator.operator, "sha256:" + "ab" * 32, Outcome.PASSED, Depth.SEND, (passed,))

    with served(editor_of(tmp_path, send)) as running:
        page = Page(running)
        page.begin()
        status, text = page.post("/test", {"path": RH})
    stage = {"stage": "resolve", "outcome": "passed", "milliseconds": 7}
    assert status == 200
    assert [json.loads(line) for line in text.splitlines()] == [stage, {"passed": True, "stages": [stage]}]


def test_a_test_message_that_ends_in_the_middle_says_why(tmp_path: Path) -> None:
    def send(operator: Operator, watch: Callable[[StageResult], None]) -> TestResult:
        watch(StageResult(Stage.RESOLVE, Outcome.PASSED, 7))
        raise RefusedError(msg("the run was stopped"), hint=msg("try again"))

    with served(editor_of(tmp_path, send)) as running:
        page = Page(running)
        page.begin()
        status, text = page.post("/test", {"path": RH})
    assert status == 200
    assert json.loads(text.splitlines()[-1]) == {"error": "the run was stopped", "hint": "try again"}


def test_the_key_in_the_address_works_once(server: FormServer) -> None:
    first, second = Page(server), Page(server)
    assert (first.begin(), second.begin()) == (200, 403)
    assert second.post("/operators", {})[0] == 401
    assert first.post("/operators", {})[0] == 200


@pytest.mark.parametrize("once", ["", "x", "é", 1, None])
def test_a_wrong_key_begins_nothing(server: FormServer, once: object) -> None:
    assert Page(server).post("/begin", {"once": once})[0] == 403
    assert Page(server).begin() == 200


@pytest.mark.parametrize(
    ("headers", "status"),
    [
        ({"Authorization": None}, 401),
        ({"Authorization": "Bearer "}, 401),
        ({"Authorization": "Bearer wrong"}, 401),
        ({"Origin": None}, 403),
        ({"Origin": "null"}, 403),
        ({"Origin": "https://evil.example"}, 403),
        ({"Origin": "http://127.0.0.1"}, 403),
        ({"Host": "evil.example"}, 421),
        ({"Host": "localhost"}, 421),
        ({"Host": None}, 421),
        ({"Content-Type": "text/plain"}, 415),
        ({"Content-Type": None}, 415),
        ({"Content-Length": "x"}, 411),
        ({"Content-Length": "-1"}, 411),
        ({"Content-Length": "65537"}, 413),
        ({"Content-Length": "9" * 400}, 413),
        ({"Transfer-Encoding": "chunked"}, 411),
    ],
)
def test_requests_from_elsewhere_do_nothing(
    page: Page, tmp_path: Path, headers: dict[str, str | None], status: int
) -> None:
    before = (tmp_path / RH).read_bytes()
    found, _ = page.post("/save", {"path": RH, "values": {}, "state": ""}, headers)
    assert found == status
    assert (tmp_path / RH).read_bytes() == before


@pytest.mark.parametrize("body", [b"", b"{", b"[]", b"1", b'"x"', b"\xff", b"[" * 60_000])
def test_what_is_no_request(page: Page, body: bytes) -> None:
    assert page.post("/operators", body)[0] in (400, 411)


@pytest.mark.parametrize("values", [None, [], {"a": 1}, {"a": None}, {str(number): "" for number in range(200)}])
def test_values_that_the_page_never_sends(page: Page, values: object) -> None:
    assert page.post("/check", {"path": RH, "values": values})[0] == 409


@pytest.mark.parametrize(
    ("method", "path", "status"), [("GET", "/x", 404), ("GET", "/operators", 404), ("PUT", "/", 501)]
)
def test_other_requests(server: FormServer, method: str, path: str, status: int) -> None:
    connection = http.client.HTTPConnection("127.0.0.1", server.server_address[1], timeout=10)
    connection.request(method, path, headers={"Host": server.place})
    assert connection.getresponse().status == status
    connection.close()


def test_an_action_that_is_none(page: Page) -> None:
    assert page.post("/delete", {})[0] == 404
