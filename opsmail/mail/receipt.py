"""What the header of a message that arrived tells of its way: TLS, login, sender, SPF, DKIM and DMARC.

Only what servers wrote counts. They put their fields before those that are there already, and the test message leaves
without any: so its last `Received` is the server's that took it from us (RFC 5321, section 4.4), and its first
`Authentication-Results` the receiving server's own (RFC 8601, section 5).
"""

from __future__ import annotations

import re
from email.message import Message
from email.parser import BytesHeaderParser
from email.policy import compat32
from email.utils import parseaddr

from opsmail.addresses import AddressError, parse_address
from opsmail.mail.reply import readable
from opsmail.values import dataclass

#: Of a field, in characters: what is longer is cut before anybody looks into it.
LONGEST_FIELD = 2_000
_COMMENT = re.compile(r"\([^()]*\)")
#: RFC 3848 and RFC 6531, section 4.3: `S` is TLS, `A` a login.
_PROTOCOL = re.compile(r"\bwith\s+((?:E|UTF8)?SMTP(S?)(A?))(?![\w-])", re.IGNORECASE)
# Postfix `(using TLSv1.3 with cipher …)`, Exchange and Google `(version=TLS1_3, cipher=…)`.
_TLS = re.compile(r"\((?:using |version=)TLS ?v?1", re.IGNORECASE)
_VERDICT = re.compile(r"\s*(spf|dkim|dmarc)\s*=\s*([a-z]{1,20})\b", re.IGNORECASE)


@dataclass(frozen=True, slots=True)
class Receipt:
    """How a message arrived.

    Args:
        sender: the bare address that it is from; empty where it cannot be read.
        protocol: how the first server took it, such as `ESMTPSA`; empty where that is not told.
        tls: whether that was over TLS, as that server says.
        authenticated: whether there was a login, likewise.
        verifier: the server that gave the verdicts; empty without any.
        spf: its verdict such as `pass`, None without one.
        dkim: likewise.
        dmarc: likewise.
    """

    sender: str
    protocol: str
    tls: bool
    authenticated: bool
    verifier: str = ""
    spf: str | None = None
    dkim: str | None = None
    dmarc: str | None = None

    @classmethod
    def parse(cls, header: bytes) -> Receipt:
        """Return what a header tells; what it does not tell, or nobody can read, is left empty."""
        fields = BytesHeaderParser(policy=compat32).parsebytes(header)
        taken = _field(fields, "Received", -1)
        match = _PROTOCOL.search(_without_comments(taken))
        verifier, verdicts = _verdicts(_field(fields, "Authentication-Results", 0))
        return cls(
            sender=readable(parseaddr(_field(fields, "From", 0))[1].encode("utf-8", "replace")),
            protocol=match[1].upper() if match is not None else "",
            tls=_TLS.search(taken) is not None or (match is not None and bool(match[2])),
            authenticated="(Authenticated sender: " in taken or (match is not None and bool(match[3])),
            verifier=verifier,
            spf=verdicts.get("spf"),
            dkim=verdicts.get("dkim"),
            dmarc=verdicts.get("dmarc"),
        )

    def is_from(self, address: str) -> bool:
        """Whether it is from `address`, or tells nothing that could be compared."""
        try:
            found, expected = parse_address(self.sender), parse_address(address)
        except AddressError:
            return True
        # Only its own server may tell the case of a local part apart; none is known that does.
        return (found.local.lower(), found.domain) == (expected.local.lower(), expected.domain)


def _field(fields: Message, name: str, index: int) -> str:
    found = fields.get_all(name, [])
    return " ".join(str(found[index])[:LONGEST_FIELD].split()) if found else ""


def _without_comments(text: str) -> str:
    """Return `text` without its comments, nested ones included; each round takes the innermost away."""
    while (shorter := _COMMENT.sub("", text)) != text:
        text = shorter
    return text


def _verdicts(text: str) -> tuple[str, dict[str, str]]:
    """Return who gave which verdict by method; of several for one method a `pass` counts (RFC 8601, section 2.7.1)."""
    server, *results = _without_comments(text).split(";")
    found: dict[str, str] = {}
    for result in results:
        match = _VERDICT.match(result)
        if match is None:
            continue
        method, verdict = match[1].lower(), match[2].lower()
        if method not in found or verdict == "pass":
            found[method] = verdict
    verifier = server.split()[0] if found and server.split() else ""
    return readable(verifier.encode("utf-8", "replace")), found
