"""A server that sends the password back must not get it into anything we keep (C-14)."""

from __future__ import annotations

import base64
import json
from collections.abc import Callable
from urllib.parse import quote, quote_plus

import pytest

from opsmail.mail.diagnosis import ReplyTable
from opsmail.mail.endpoint import Credentials
from opsmail.mail.failure import StageError
from opsmail.mail.transcript import Transcript
from opsmail.secrets.interface import Secret
from tests.hostile.conftest import Kit

USER, PASSWORD = "rh@empresa.test", "S3gr&do/ção+42"
BLOB = base64.b64encode(f"\0{USER}\0{PASSWORD}".encode()).decode()

ENCODINGS: dict[str, Callable[[str], str]] = {
    "raw": lambda text: text,
    "base64": lambda text: base64.b64encode(text.encode()).decode(),
    "base64, one before": lambda text: base64.b64encode(b"x" + text.encode()).decode(),
    "base64, two before": lambda text: base64.b64encode(b"xy" + text.encode() + b"z").decode(),
    "base64 for URLs": lambda text: base64.urlsafe_b64encode(b"xy" + text.encode()).decode(),
    "PLAIN response": lambda text: base64.b64encode(f"\0{USER}\0{text}".encode()).decode(),
    "percent": lambda text: quote(text, safe=""),
    "plus": quote_plus,
    "every octet percent": lambda text: "".join(f"%{octet:02x}" for octet in text.encode()),
    "hex": lambda text: text.encode().hex(),
    "HEX": lambda text: text.encode().hex().upper(),
    "JSON": lambda text: json.dumps({"password": text}),
    "latin-1": lambda text: text.encode("latin-1").decode("latin-1"),
}


def forms() -> set[str]:
    found = {encode(PASSWORD) for encode in ENCODINGS.values()}
    return found | {PASSWORD, "ção+42", "S3gr&do"}


@pytest.mark.case("C-14")
@pytest.mark.parametrize("encoding", ENCODINGS)
def test_an_echo_is_taken_out(kit: Kit, encoding: str) -> None:
    echo = ENCODINGS[encoding](PASSWORD).encode("latin-1" if encoding == "latin-1" else "utf-8")
    answer = b"535 5.7.8 cannot accept " + echo + b", sorry: authentication failed (" + echo + b")\r\n"
    transcript = Transcript()
    with kit.submission(kit.scripted({"AUTH": answer}), transcript=transcript) as submission:
        submission.resolve()
        submission.connect()
        submission.secure()
        with pytest.raises(StageError) as caught:
            submission.authenticate(Credentials(USER, Secret(PASSWORD)))
    error = caught.value
    diagnosis = ReplyTable.load().diagnose(error, submission.endpoint)
    assert diagnosis.rule.id == "OM913"
    kept = "\n".join(
        (str(transcript), str(error), repr(error), repr(error.reply), str(diagnosis.cause), repr(diagnosis))
    )
    for form in forms():
        assert form not in kept
    assert "authentication failed" in kept
    assert kept.count("[redacted]") >= 2


@pytest.mark.parametrize("half", range(1, len(BLOB), 3))
def test_an_echo_that_is_wrapped_over_lines(kit: Kit, half: int) -> None:
    answer = f"535-5.7.8 {BLOB[:half]}\r\n535 5.7.8 {BLOB[half:]}\r\n".encode()
    transcript = Transcript()
    with kit.submission(kit.scripted({"AUTH": answer}), transcript=transcript) as submission:
        submission.resolve()
        submission.connect()
        submission.secure()
        with pytest.raises(StageError) as caught:
            submission.authenticate(Credentials(USER, Secret(PASSWORD)))
    assert str(caught.value.reply) == "535 5.7.8 [redacted] [redacted]"
    assert [line.text for line in transcript.lines if line.text.startswith("535")] == [
        "535-5.7.8 [redacted]",
        "535 5.7.8 [redacted]",
    ]


def test_an_echo_long_after_the_login(kit: Kit) -> None:
    answer = f"550 5.7.1 {USER} {PASSWORD} may not send\r\n".encode()
    with kit.submission(kit.scripted({"MAIL": answer})) as submission:
        submission.resolve()
        submission.connect()
        submission.secure()
        submission.authenticate(Credentials(USER, Secret(PASSWORD)))
        with pytest.raises(StageError) as caught:
            submission.envelope(USER, ["teste@empresa.test"])
    assert str(caught.value.reply) == f"550 5.7.1 {USER} [redacted] may not send"
