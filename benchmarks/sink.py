"""A mail server in a process of its own: STARTTLS, a login that takes anything, and messages that nobody keeps.

`python -m benchmarks.sink CERTIFICATE` prints its port, and once standard input ends, how many messages came.
"""

from __future__ import annotations

import asyncio
import logging
import ssl
import sys
from functools import partial
from typing import Any

from aiosmtpd.smtp import SMTP, AuthResult, Envelope, Session


class _Sink:
    """Counts."""

    def __init__(self) -> None:
        self.messages = 0

    async def handle_DATA(self, server: SMTP, session: Session, envelope: Envelope) -> str:  # noqa: N802 - aiosmtpd's own name
        """Take a message."""
        self.messages += 1
        return "250 2.0.0 Ok: queued"


def _take(*_: Any) -> AuthResult:
    return AuthResult(success=True)


async def _serve(certificate: str) -> int:
    tls = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    tls.load_cert_chain(certificate)
    sink = _Sink()
    loop = asyncio.get_running_loop()
    protocol = partial(
        SMTP, sink, loop=loop, tls_context=tls, require_starttls=True, auth_required=True, authenticator=_take
    )
    server = await loop.create_server(protocol, "127.0.0.1", 0, backlog=256)
    print(server.sockets[0].getsockname()[1], flush=True)
    await loop.run_in_executor(None, sys.stdin.read)
    server.close()
    return sink.messages


if __name__ == "__main__":
    logging.disable(logging.WARNING)  # one for each login
    print(asyncio.run(_serve(sys.argv[1])))
