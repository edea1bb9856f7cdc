from __future__ import annotations

import re
from datetime import UTC, datetime, timedelta, timezone
from email.message import EmailMessage
from gettext import NullTranslations

import pytest

from opsmail.mail.content import write_out
from opsmail.mail.failure import Kind, Stage, StageError
from opsmail.mail.message import Particulars, compose

WHEN = datetime(2026, 11, 23, 12, 0, tzinfo=timezone(timedelta(hours=-3)))
DIGEST = "sha256:" + "0123456789abcdef" * 4


def about(**changes: object) -> Particulars:
    values: dict[str, object] = {
        "operator": "rh-notificacoes",
        "sender": "rh@empresa.com.br",
        "recipient": "teste@empresa.com.br",
        "server": "smtp.empresa.com.br:587/starttls",
        "when": WHEN,
        "digest": DIGEST,
    }
    return Particulars(**(values | changes))  # type: ignore[arg-type]


def bodies(message: EmailMessage) -> list[str]:
    return [part.get_content() for part in message.iter_parts() if isinstance(part, EmailMessage)]


def test_what_it_says() -> None:
    message = compose(about(display_name="RH Notificações", reply_to="ajuda@empresa.com.br", run="https://ci/1?a=b&c"))
    assert str(message["From"]) == "RH Notificações <rh@empresa.com.br>"
    assert message["To"] == "teste@empresa.com.br"
    assert message["Reply-To"] == "ajuda@empresa.com.br"
    assert message["Subject"] == "[opsmail] Test message of operator rh-notificacoes"
    assert message["Date"] == "Mon, 23 Nov 2026 15:00:00 +0000"
    assert message["Auto-Submitted"] == "auto-generated"
    assert message["X-Opsmail-Digest"] == DIGEST
    plain, html = bodies(message)
    for told in ("rh-notificacoes", "rh@empresa.com.br", "smtp.empresa.com.br:587", "2026-11-23 15:00:00 UTC", DIGEST):
        assert told in plain
        assert told in html
    assert "https://ci/1?a=b&c" in plain
    assert "https://ci/1?a=b&amp;c" in html


def test_what_is_not_given_is_not_there() -> None:
    message = compose(about(subject_prefix=""))
    assert str(message["From"]) == "rh@empresa.com.br"
    assert message["Reply-To"] is None
    assert message["Subject"] == "Test message of operator rh-notificacoes"
    assert "Run" not in bodies(message)[0]


def test_message_ids_are_ours_and_differ() -> None:
    ids = {str(compose(about())["Message-ID"]) for _ in range(20)}
    assert len(ids) == 20
    assert all(re.fullmatch(r"<opsmail\.[0-9a-f]{32}@empresa\.com\.br>", text) for text in ids)


def test_it_tells_nothing_of_this_machine(monkeypatch: pytest.MonkeyPatch) -> None:
    import socket

    monkeypatch.setattr(socket, "gethostname", lambda: "runner-42.interno")
    monkeypatch.setattr(socket, "getfqdn", lambda *_: "runner-42.interno")
    data = write_out(compose(about()), smtputf8=False, eight_bit=False).data
    assert b"interno" not in data
    assert data.isascii()
    assert set(re.findall(rb"^([A-Za-z-]+):", data.split(b"\r\n\r\n")[0], re.MULTILINE)) == {
        b"From", b"To", b"Subject", b"X-Opsmail-Digest", b"Date", b"Message-ID", b"Auto-Submitted",
        b"X-Auto-Response-Suppress", b"MIME-Version", b"Content-Type",
    }  # fmt: skip


def test_in_another_language() -> None:
    class Shouting(NullTranslations):
        def gettext(self, message: str) -> str:
            return message.upper().replace("{OPERATOR}", "{operator}")

    message = compose(about(), Shouting())
    assert message["Subject"] == "[opsmail] TEST MESSAGE OF OPERATOR rh-notificacoes"
    assert "SERVER: smtp" in bodies(message)[0]


@pytest.mark.parametrize(
    "change",
    [
        {"sender": "rh@x.test>\r\nRCPT"},
        {"recipient": "a b@x.test"},
        {"reply_to": ""},
        {"display_name": "RH\r\nBcc: evil@x.test"},
        {"subject_prefix": "x\nBcc: evil@x.test"},
        {"operator": "x\ny"},
        {"digest": "x\r\ny"},
    ],
)
def test_what_cannot_stand_in_a_header(change: dict[str, object]) -> None:
    with pytest.raises(StageError) as caught:
        compose(about(**change))
    assert (caught.value.stage, caught.value.kind) == (Stage.SEND, Kind.INVALID_MESSAGE)


def test_markup_in_a_value_is_text() -> None:
    html = bodies(compose(about(server="<script>alert(1)</script>")))[1]
    assert "<script>" not in html
    assert "&lt;script&gt;" in html


def test_the_time_is_written_in_utc() -> None:
    assert compose(about(when=WHEN.astimezone(UTC)))["Date"] == compose(about())["Date"]
