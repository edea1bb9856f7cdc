"""What statements say: where they come from, what a test send showed, who approved."""

from __future__ import annotations

import re
from datetime import UTC, datetime
from enum import StrEnum
from typing import Annotated

from opsmail.constraints import Doc, Length, Parsed, Pattern, Range
from opsmail.messages import msg
from opsmail.values import dataclass


class Depth(StrEnum):
    """How far a test send went; each includes those before it, in this order."""

    RESOLVE = "resolve"
    TLS = "tls"
    AUTHENTICATE = "authenticate"
    ENVELOPE = "envelope"
    SEND = "send"
    RECEIPT = "receipt"

    def reaches(self, other: Depth) -> bool:
        """Tell whether this depth includes `other`."""
        return _ORDER.index(self) >= _ORDER.index(other)


_ORDER = tuple(Depth)


_TIME = r"[0-9]{4}-[0-9]{2}-[0-9]{2}T[0-9]{2}:[0-9]{2}:[0-9]{2}Z"


def format_time(time: datetime) -> str:
    """Return an RFC 3339 time in UTC, cut to whole seconds; ValueError for a `time` without a time zone."""
    if time.tzinfo is None:
        raise ValueError("a time without a time zone")
    return time.astimezone(UTC).replace(microsecond=0, tzinfo=None).isoformat() + "Z"


def parse_time(text: str) -> datetime:
    """Return the time that `format_time` wrote; ValueError for anything else."""
    if re.fullmatch(_TIME, text) is None:
        raise ValueError("not a time in UTC")
    return datetime.fromisoformat(text)


_Line = Annotated[str, Pattern(r"[^\u0000-\u001f\u007f-\u009f]{1,500}", msg("one line of text"), "text")]
_Name = Annotated[str, Length(0, 1000)]
_Hex = Annotated[str, Pattern(r"[0-9a-f]{64}", msg("a SHA-256"), "0" * 64)]
_Time = Annotated[datetime, Parsed(parse_time, msg("a time in UTC"), "2026-01-31T09:30:00Z", _TIME)]
_Link = Annotated[str, Pattern(r"https?://[!-~]{1,500}", msg("a link"), "https://ci.example/runs/1")]
_Commit = Annotated[str, Pattern(r"[0-9a-f]{40}|[0-9a-f]{64}", msg("a git commit"), "0" * 40)]
_Settings = Annotated[str, Pattern(r"sha256:[0-9a-f]{64}", msg("a SHA-256"), "sha256:" + "0" * 64)]


@dataclass(frozen=True, slots=True, kw_only=True)
class Context:
    """What every statement says of where it comes from.

    Args:
        repository: which repository, without credentials.
        environment: for which environment.
        settings_digest: the settings it was made under, `sha256:` and hex.
        time: when, to the second.
        version: of opsmail.
        commit: the git commit, full.
        run: a link to the run that made it; None where there is none.
    """

    repository: Annotated[_Line, Doc("Repository", "Without credentials.", ("github.com/empresa/operators",))]
    environment: Annotated[_Line, Doc("Environment", "For which one it was made.", ("production",))]
    settings_digest: Annotated[_Settings, Doc("Settings digest", "Of the settings.", ("sha256:" + "cd" * 32,))]
    time: Annotated[_Time, Doc("Time", "When it was made, RFC 3339 in UTC.", ("2026-03-10T12:00:00Z",))]
    version: Annotated[_Line, Doc("Version", "Of opsmail.", ("0.1.0",))]
    commit: Annotated[_Commit, Doc("Commit", "The git commit, full.", ("ef" * 20,))]
    run: Annotated[_Link, Doc("Run", "The CI run that made it.", ("https://ci.empresa.com.br/runs/1",))] | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Tls:
    """The session and the server's certificate, as the test saw them.

    Args:
        version: such as `TLSv1.3`.
        cipher: the suite.
        subject: the certificate's.
        issuer: the certificate's.
        not_after: until when it is valid; None where that is not known.
        sha256: its fingerprint, hexadecimal.
    """

    version: Annotated[_Line, Doc("Version", "Of TLS.", ("TLSv1.3",))]
    cipher: Annotated[_Line, Doc("Cipher suite", "Of the session.", ("TLS_AES_256_GCM_SHA384",))]
    subject: Annotated[_Name, Doc("Subject", "Whom the certificate is for.", ("CN=smtp.empresa.com.br",))] = ""
    issuer: Annotated[_Name, Doc("Issuer", "Who issued it.", ("CN=Empresa CA",))] = ""
    not_after: Annotated[_Time, Doc("Not after", "Until when it is valid.", ("2027-01-31T12:30:00Z",))] | None = None
    sha256: Annotated[_Hex, Doc("Fingerprint", "SHA-256, hexadecimal.", ("ab" * 32,))]


@dataclass(frozen=True, slots=True, kw_only=True)
class ServerReply:
    """The server's answer to the message.

    Args:
        code: three digits.
        enhanced: RFC 3463 status such as `2.0.0`; None without one.
        text: what it said, with its queue id.
    """

    code: Annotated[int, Range(200, 599), Doc("Code", "Three digits (RFC 5321, section 4.2).", (250,))]
    enhanced: Annotated[_Line, Doc("Enhanced status", "RFC 3463.", ("2.0.0",))] | None = None
    text: Annotated[_Name, Doc("Text", "What it said, with its queue id.", ("Ok: queued as 4F1B2",))] = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class TestSend:
    """What a passed test send showed. Only what passed is signed.

    Args:
        depth: how far it went.
        stages: those that passed, in their order.
        tls: None where the connection was not to be encrypted.
        mechanism: the SASL mechanism; None without a login.
        reply: the last answer; None where the test ended before one.
        message_id: the test message's; None where none was sent.
        recipient: whom it was for; None where the test ended before one was named.
    """

    __test__ = False  # not a test case, whatever pytest thinks of the name

    depth: Annotated[Depth, Doc("Depth", "How far it went.", ("send",))]
    stages: Annotated[tuple[_Line, ...], Doc("Stages", "Those that passed.", (["resolve", "connect", "tls"],))]
    tls: Annotated[Tls, Doc("TLS", "The session, where the connection was to be encrypted.")] | None = None
    mechanism: Annotated[_Line, Doc("Mechanism", "SASL's, where there was a login.", ("PLAIN",))] | None = None
    reply: Annotated[ServerReply, Doc("Reply", "The server's last answer, where there was one.")] | None = None
    message_id: Annotated[_Line, Doc("Message-ID", "The test message's.", ("<1@opsmail.test>",))] | None = None
    recipient: Annotated[_Line, Doc("Recipient", "Whom it was for.", ("opsmail-teste@empresa.com.br",))] | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Approval:
    """Who approved; that it is not the author of the commit is for whoever asks for approvals to see.

    Args:
        approver: an e-mail address or account.
        role: in which capacity.
    """

    approver: Annotated[_Line, Doc("Approver", "An e-mail address or account.", ("ti@empresa.com.br",))]
    role: Annotated[_Line, Doc("Role", "In which capacity.", ("IT",))]
