"""What is known of the server at the other end of a TLS connection."""

from __future__ import annotations

import hashlib
import ssl
from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any

from opsmail.values import dataclass

#: How many names of a certificate are kept; some hold hundreds.
NAMES = 20


@dataclass(frozen=True, slots=True)
class TlsFacts:
    """A TLS session and the certificate that the server showed.

    Args:
        version: such as `TLSv1.3`; empty where the handshake did not get that far.
        cipher: the cipher suite; empty likewise.
        subject: the certificate's subject as `CN=…, O=…`.
        issuer: who issued it, likewise.
        not_before: from when it is valid, None where it could not be read.
        not_after: until when it is valid, likewise.
        san: the names and addresses it is for, at most `NAMES` of them.
        sha256: its fingerprint, hexadecimal.
        days_left: whole days until it ends, by the clock of this machine; None where its end is not known.
    """

    version: str
    cipher: str
    subject: str
    issuer: str
    not_before: datetime | None
    not_after: datetime | None
    san: tuple[str, ...]
    sha256: str
    days_left: int | None = None


def session_facts(session: ssl.SSLObject) -> TlsFacts:
    """Return the facts of a session whose handshake is done and verified."""
    certificate = session.getpeercert() or {}
    der = session.getpeercert(binary_form=True) or b""
    cipher = session.cipher()
    return _facts(certificate, der, session.version() or "", cipher[0] if cipher else "")


def refused_facts(session: ssl.SSLObject) -> TlsFacts | None:
    """Return what the certificate of a failed handshake says, None where this Python cannot tell.

    It is for explaining the refusal only: nothing in it is verified. The `ssl` module has no public access to it before
    Python 3.13, and there only in DER; the object behind it has the parsed form in all versions from 3.10.
    """
    try:
        chain = session._sslobj.get_unverified_chain()  # type: ignore[attr-defined]  # noqa: SLF001 (as said above)
        leaf = chain[0]
        certificate: Mapping[str, Any] = leaf.get_info()
        der = ssl.PEM_cert_to_DER_cert(leaf.public_bytes())
    except (AttributeError, TypeError, IndexError, ValueError, ssl.SSLError):
        return None
    return _facts(certificate, der, "", "")


def _facts(certificate: Mapping[str, Any], der: bytes, version: str, cipher: str) -> TlsFacts:
    not_after = _time(certificate.get("notAfter"))
    return TlsFacts(
        version=version,
        cipher=cipher,
        subject=_name(certificate.get("subject", ())),
        issuer=_name(certificate.get("issuer", ())),
        not_before=_time(certificate.get("notBefore")),
        not_after=not_after,
        san=tuple(_printable(str(value)) for _, value in certificate.get("subjectAltName", ())[:NAMES]),
        sha256=hashlib.sha256(der).hexdigest(),
        days_left=None if not_after is None else (not_after - datetime.now(UTC)).days,
    )


_SHORT = {"commonName": "CN", "organizationName": "O", "organizationalUnitName": "OU", "countryName": "C"}


def _name(pairs: Any) -> str:
    """Return a distinguished name, its most telling part first; a server wrote it, so it is cut and made printable."""
    parts = [(_SHORT.get(key, key), value) for relative in pairs for key, value in relative]
    parts.sort(key=lambda part: part[0] != "CN")
    return _printable(", ".join(f"{key}={value}" for key, value in parts))


def _printable(text: str) -> str:
    text = text[:200]
    return text if text.isprintable() else "".join(character if character.isprintable() else "?" for character in text)


_MONTHS = ("Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec")


def _time(text: str | None) -> datetime | None:
    """Read `Jan  5 09:34:43 2018 GMT`; `ssl.cert_time_to_seconds` does it too, at ten times the cost of a reply."""
    if text is None:
        return None
    try:
        month, day, clock, year, _ = text.split()
        hour, minute, second = clock.split(":")
        return datetime(int(year), _MONTHS.index(month) + 1, int(day), int(hour), int(minute), int(second), tzinfo=UTC)
    except ValueError:
        return None
