"""What a server says it can do, in its answer to EHLO."""

from __future__ import annotations

import re
from collections.abc import Mapping

from opsmail.mail.reply import Reply

_KEYWORD = re.compile(r"[A-Za-z0-9][A-Za-z0-9-]{0,63}")
# RFC 4422 section 3.1.
_MECHANISM = re.compile(r"[A-Z0-9_-]{1,20}")


def parse_capabilities(reply: Reply) -> dict[str, str]:
    """Return what the lines after the first offer (RFC 5321 section 4.1.1.1); what is no keyword is passed over."""
    found: dict[str, str] = {}
    for line in reply.lines[1:]:
        keyword, _, parameters = line.partition(" ")
        if keyword.upper().startswith("AUTH="):
            # The form of old Exchange and qmail servers, from before RFC 2554.
            keyword, parameters = "AUTH", f"{keyword[5:]} {parameters}"
        if not _KEYWORD.fullmatch(keyword):
            continue
        key = keyword.upper()
        found[key] = f"{found[key]} {parameters}".strip() if key == "AUTH" and key in found else parameters.strip()
    return found


def mechanisms(capabilities: Mapping[str, str]) -> frozenset[str]:
    """Return the names of the SASL mechanisms that the server offers, in upper case."""
    offered = capabilities.get("AUTH", "").upper().split()
    return frozenset(name for name in offered if _MECHANISM.fullmatch(name))
