from __future__ import annotations

import re
from datetime import UTC, datetime, timedelta, timezone
from email import message_from_bytes, policy
from email.header import decode_header, make_header
from email.message import EmailMessage
from gettext import NullTranslations

import pytest

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
    return Particulars(**(values | changes))  # type: ignore[arg-type]  # values of all kinds


def written(language: NullTranslations | None = None, **changes: object) -> bytes:
    return compose(about(**changes), language).content.data


def read(language: NullTranslations | None = None, **changes: object) -> EmailMessage:
    """The message as a program reads it that follows the standards."""
    message = message_from_bytes(written(language, **changes), policy=policy.default)
    for part in message.walk():
        assert not part.defects
        assert not [value.defects for value in part.values() if value.defects]
    return message


def bodies(message: EmailMessage) -> list[str]:
    return [part.get_content() for part in message.iter_parts() if isinstance(part, EmailMessage)]


def test_what_it_says() -> None:
    message = read(display_name="RH Notificações", reply_to="ajuda@empresa.com.br", run="https://ci/1?a=b&c")
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
    message = read(subject_prefix="")
    assert str(message["From"]) == "rh@empresa.com.br"
    assert message["Reply-To"] is None
    assert message["Subject"] == "Test message of operator rh-notificacoes"
    assert "Run" not in bodies(message)[0]


def test_message_ids_are_ours_and_differ() -> None:
    ids = {compose(about()).message_id for _ in range(20)}
    assert len(ids) == 20
    message = compose(about())
    assert f"\r\nMessage-ID: {message.message_id}\r\n".encode() in message.content.data
    assert all(re.fullmatch(r"<opsmail\.[0-9a-f]{32}@empresa\.com\.br>", text) for text in ids)


@pytest.mark.case("M-35")
def test_it_tells_nothing_of_this_machine(monkeypatch: pytest.MonkeyPatch) -> None:
    import socket

    monkeypatch.setattr(socket, "gethostname", lambda: "runner-42.interno")
    monkeypatch.setattr(socket, "getfqdn", lambda *_: "runner-42.interno")
    data = written(display_name="Notificações", subject_prefix="[é]", run="https://ci/é")
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

    message = read(Shouting())
    assert message["Subject"] == "[opsmail] TEST MESSAGE OF OPERATOR rh-notificacoes"
    assert "SERVER: smtp" in bodies(message)[0]


@pytest.mark.case("M-33")
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
        {"display_name": "RH\0"},
        {"display_name": "RH\x1b[2J"},
        {"subject_prefix": "x\u2028y"},
        {"display_name": "RH\ud800"},
    ],
)
def test_what_cannot_stand_in_a_header(change: dict[str, object]) -> None:
    with pytest.raises(StageError) as caught:
        compose(about(**change))
    assert (caught.value.stage, caught.value.kind) == (Stage.SEND, Kind.INVALID_MESSAGE)


def test_markup_in_a_value_is_text() -> None:
    html = bodies(read(server="<script>alert(1)</script>"))[1]
    assert "<script>" not in html
    assert "&lt;script&gt;" in html


def test_the_time_is_written_in_utc() -> None:
    assert read(when=WHEN.astimezone(UTC))["Date"] == read()["Date"]


LONG = (
    "Notificações do departamento de recursos humanos da empresa, para todos os funcionários – e 日本語",
    "a" * 400,
    "word " * 60 + "end",
)


@pytest.mark.parametrize(
    "name",
    ["RH", 'RH "interno", \\ <x@x.test>; (nota)', "=?utf-8?q?x=0D=0ABcc:_evil@x.test?=", "=?utf-8?b?eA==?= y", *LONG],
)
def test_names_and_subjects_come_out_as_they_went_in(name: str) -> None:
    data, message = written(display_name=name, subject_prefix=name), read(display_name=name, subject_prefix=name)
    (sender,) = message["From"].addresses
    if name in LONG:
        # `email` leaves spaces between the encoded words of a name (RFC 2047 section 6.2: none).
        raw = str(message_from_bytes(data)["From"])
        assert make_header(decode_header(raw.partition("\r\n <")[0])) == name
    else:
        assert sender.display_name == name
    assert sender.addr_spec == "rh@empresa.com.br"
    assert message["Subject"] == f"{name} Test message of operator rh-notificacoes"
    assert message["Bcc"] is None
    assert data.isascii()
    # RFC 5322 section 2.1.1; a digest alone has to stay whole.
    assert all(len(line) <= 78 for line in data.split(b"\r\n") if not line.startswith(b"X-Opsmail-Digest"))
    assert b"\n" not in data.replace(b"\r\n", b"")


def test_an_address_beyond_ascii_needs_a_server_for_it() -> None:
    message = compose(about(sender="joão@empresa.com.br", display_name="João"))
    assert (message.content.smtputf8, message.content.eight_bit) == (True, True)
    assert "<joão@empresa.com.br>".encode() in message.content.data
    assert not compose(about()).content.smtputf8


def test_no_text_ends_a_part_early() -> None:
    message = read(run="--=_x\r\n--\r\n.\r\nContent-Type: x\r\n\r\n\ud800" + "y" * 2000)
    plain, html = bodies(message)
    assert len(list(message.iter_parts())) == 2
    assert "Content-Type: x" in plain
    assert "y" * 2000 in html
