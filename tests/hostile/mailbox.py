"""An IMAP server that does what a script says: it finds every message that is looked for, unless told otherwise."""

from __future__ import annotations

import re
import ssl
from collections.abc import Mapping

from tests.hostile.peer import Answer, Connection, Script

#: What the server does, in this order; `login` is its answer to the first response of the exchange.
STEPS = ("handshake", "greeting", "CAPABILITY", "AUTHENTICATE", "login", "EXAMINE", "NOOP", "SEARCH", "FETCH")
#: How a message came: handed over to a good server, and verified by another one.
WAY = (
    b"Received: from mx.empresa.test (mx.empresa.test [192.0.2.2]) by imap.empresa.test with ESMTPS id 2;\r\n"
    b" Tue, 10 Mar 2026 12:00:01 +0000\r\n"
    b"Authentication-Results: mx.empresa.test;\r\n"
    b" spf=pass smtp.mailfrom=rh@empresa.test; dkim=pass header.d=empresa.test;\r\n"
    b" dmarc=pass (p=REJECT) header.from=empresa.test\r\n"
    b"Received: from empresa.test (unknown [192.0.2.1]) (using TLSv1.3 with cipher TLS_AES_256_GCM_SHA384)\r\n"
    b" (Authenticated sender: rh@empresa.test) by smtp.empresa.test (Postfix) with ESMTPSA id 1;\r\n"
    b" Tue, 10 Mar 2026 12:00:00 +0000\r\n"
    b"From: RH <rh@empresa.test>\r\n"
)
#: In these, `%t` is the command's tag and `%m` the Message-ID that is looked for.
GOOD: Mapping[str, bytes] = {
    "greeting": b"* OK [CAPABILITY IMAP4rev1] ready\r\n",
    "CAPABILITY": b"* CAPABILITY IMAP4rev1 AUTH=PLAIN AUTH=XOAUTH2\r\n%t OK done\r\n",
    "AUTHENTICATE": b"+ \r\n",
    "login": b"* CAPABILITY IMAP4rev1\r\n%t OK logged in\r\n",
    "EXAMINE": b"* 1 EXISTS\r\n* OK [UIDVALIDITY 1]\r\n%t OK [READ-ONLY] done\r\n",
    "NOOP": b"%t OK done\r\n",
    "SEARCH": b"* SEARCH 4 17\r\n%t OK done\r\n",
}
_MESSAGE_ID = re.compile(rb'"(.*)"')


def found(header: bytes = WAY, message_id: bytes = b"%m") -> bytes:
    """The answer to FETCH with such a header."""
    whole = header + b"Message-ID: " + message_id + b"\r\n\r\n"
    return b"* 1 FETCH (UID 17 BODY[HEADER.FIELDS (RECEIVED)] {%n}\r\n" + whole + b")\r\n%t OK done\r\n"


def mailbox(tls: ssl.SSLContext, answers: Mapping[str, Answer] | None = None) -> Script:
    """A whole session in which each step's answer may be replaced by other bytes or by an act.

    Args:
        tls: of the server.
        answers: by step.
    """
    replaced = {"FETCH": found()} | dict(answers or {})

    def run(connection: Connection) -> None:
        message_id = b""

        def step(name: str, tag: bytes = b"") -> None:
            answer = replaced.get(name, GOOD.get(name, b""))
            if not isinstance(answer, bytes):
                answer(connection)
                return
            filled = answer.replace(b"%t", tag).replace(b"%m", message_id)
            start = filled.find(b"{%n}\r\n") + 6
            size = filled.rfind(b")\r\n") - start
            connection.say(filled.replace(b"%n", b"%d" % size))

        if "handshake" in replaced:
            step("handshake")
        connection.start_tls(tls)
        step("greeting")
        while True:
            tag, _, command = connection.hear().partition(b" ")
            verb = command.removeprefix(b"UID ").partition(b" ")[0].decode("latin-1")
            if verb == "SEARCH":
                match = _MESSAGE_ID.search(command)
                message_id = match[1] if match is not None else b""
            step(verb, tag)
            if verb == "AUTHENTICATE":
                connection.hear()
                step("login", tag)

    return run
