"""What the header of a message that arrived tells, in the words of the servers that write it."""

from __future__ import annotations

import time

import pytest

from opsmail.mail.receipt import Receipt
from tests.hostile.mailbox import WAY

GOOGLE = (
    b"Authentication-Results: mx.google.com;\r\n"
    b"       dkim=fail header.i=@list.test; dkim=pass header.i=@empresa.test header.s=s1;\r\n"
    b"       spf=softfail (google.com: domain of transitioning rh@x.test; does not) smtp.mailfrom=rh@empresa.test\r\n"
    b"Received: by 2002:a05:6402:1234:b0:1 with SMTP id x; Tue, 10 Mar 2026 05:00:01 -0700 (PDT)\r\n"
    b"Received: from empresa.test ([192.0.2.1])\r\n"
    b"        by smtp.gmail.com with ESMTPSA id a1 (version=TLS1_3 cipher=TLS_AES_128_GCM_SHA256 bits=128/128);\r\n"
    b"        Tue, 10 Mar 2026 05:00:00 -0700 (PDT)\r\n"
)
EXCHANGE = (
    b"Received: from A.outlook.com (::1) by B.outlook.com with HTTPS; Tue, 10 Mar 2026 12:00:02 +0000\r\n"
    b"Received: from empresa.test (192.0.2.1) by C.outlook.com (192.0.2.9) with Microsoft SMTP\r\n"
    b" Server (version=TLS1_2, cipher=TLS_ECDHE_RSA_WITH_AES_256_GCM_SHA384) id 15.20; Tue, 10 Mar 2026 12:00:00 Z\r\n"
)


def test_a_message_that_was_sent_and_verified_well() -> None:
    assert Receipt.parse(WAY) == Receipt(
        sender="rh@empresa.test",
        protocol="ESMTPSA",
        tls=True,
        authenticated=True,
        verifier="mx.empresa.test",
        spf="pass",
        dkim="pass",
        dmarc="pass",
    )


@pytest.mark.parametrize(
    ("header", "protocol", "tls", "login"),
    [
        (GOOGLE, "ESMTPSA", True, True),
        (EXCHANGE, "", True, False),
        (b"Received: from a (b [192.0.2.1]) by c (Postfix) with ESMTP id 1; x", "ESMTP", False, False),
        (b"Received: from a by c with SMTP id 1; x", "SMTP", False, False),
        (b"Received: from a by c with ESMTPA id 1; x", "ESMTPA", False, True),
        (b"Received: from a by c with UTF8SMTPSA id 1; x", "UTF8SMTPSA", True, True),
        (b"Received: from a (with ESMTPSA (nested with ESMTPSA)) by c with esmtps; x", "ESMTPS", True, False),
        (b"Received: from a by c with ESMTPSA-like; x", "", False, False),
        (b"Received: (qmail 1 invoked by uid 2); x", "", False, False),
        (b"", "", False, False),
    ],
)
def test_how_the_first_server_took_it(header: bytes, protocol: str, tls: bool, login: bool) -> None:
    receipt = Receipt.parse(header)
    assert (receipt.protocol, receipt.tls, receipt.authenticated) == (protocol, tls, login)


@pytest.mark.parametrize(
    ("header", "verifier", "verdicts"),
    [
        (GOOGLE, "mx.google.com", ("softfail", "pass", None)),
        (b"Authentication-Results: mx.a 1; SPF = Fail", "mx.a", ("fail", None, None)),
        (b"Authentication-Results: mx.a; spf=pass; spf=fail; dkim=fail; dkim=none", "mx.a", ("pass", "fail", None)),
        (b"Authentication-Results: mx.a; none", "", (None, None, None)),
        (b"Authentication-Results: mx.a; spf=pass (x;dmarc=pass); dkim=none", "mx.a", ("pass", "none", None)),
        # What the message brought along is not the receiving server's.
        (
            b"Authentication-Results: mx.a; spf=fail\r\nAuthentication-Results: evil; spf=pass",
            "mx.a",
            ("fail",) + (None,) * 2,
        ),
        (b"Authentication-Results: ; spf=pass", "", ("pass", None, None)),
        (b"Authentication-Results: mx\x1b[31m; dmarc=reject", "mx\\x1b[31m", (None, None, "reject")),
    ],
)
def test_verdicts(header: bytes, verifier: str, verdicts: tuple[str | None, ...]) -> None:
    receipt = Receipt.parse(header)
    assert (receipt.verifier, (receipt.spf, receipt.dkim, receipt.dmarc)) == (verifier, verdicts)


@pytest.mark.parametrize(
    ("sender", "same"),
    [
        (b"rh@empresa.test", True),
        (b'"RH, Empresa" <RH@Empresa.test>', True),
        (b"conta@empresa.test", False),
        (b"rh@empresa.test.evil.test", False),
        (b"undisclosed", True),
        (b"", True),
    ],
)
def test_whom_it_is_from(sender: bytes, same: bool) -> None:
    assert Receipt.parse(b"From: " + sender + b"\r\n").is_from("rh@empresa.test") is same


@pytest.mark.parametrize(
    "header",
    [
        b"\xff\xfe\x00" * 20_000,
        b"Received: " + b"(" * 60_000,
        b"Received: " + b"()" * 30_000 + b"with ESMTPSA",
        b"Authentication-Results: " + b"a;" * 30_000,
        b"From: " + b"<" * 60_000,
        b"From: =?x?q?=FF?= <\xe9@\xe9>\r\nReceived: \xe9\x00",
        b"Received: x\r\n" * 5_000,
    ],
)
def test_any_bytes_are_read_in_time(header: bytes) -> None:
    started = time.monotonic()
    Receipt.parse(header)
    assert time.monotonic() - started < 1
