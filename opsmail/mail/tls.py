"""The one place where TLS contexts are made, and what a failed handshake means.

There is no way to weaken a context: TLS 1.2 at least, chain and host name verified, the name looked for in the subject
alternative names alone (RFC 7817, RFC 9525). Nothing is taken from the environment: `SSL_CERT_FILE`, `SSL_CERT_DIR` and
`SSLKEYLOGFILE`, which `ssl.create_default_context` obeys, have no effect. Revocation is not checked: neither CRLs nor
OCSP answers are asked for.
"""

from __future__ import annotations

import os
import re
import ssl
import sys
import threading
from collections.abc import Iterable
from pathlib import Path

from opsmail.errors import UsageError
from opsmail.mail.endpoint import TlsVersion
from opsmail.mail.failure import Failure, Kind
from opsmail.mail.peer import TlsFacts
from opsmail.messages import Message, msg

# Forward secrecy and AES or ChaCha20 only; level 2 refuses keys under 112 bits (RSA under 2048) and SHA-1 signatures.
# Written out, because a distribution may build Python with its own default.
_CIPHERS = "@SECLEVEL=2:ECDH+AESGCM:ECDH+CHACHA20:ECDH+AES:DHE+AES:!aNULL:!eNULL:!aDSS:!SHA1:!AESCCM"

_VERSIONS = {TlsVersion.TLS_1_2: ssl.TLSVersion.TLSv1_2, TlsVersion.TLS_1_3: ssl.TLSVersion.TLSv1_3}

#: Where systems keep their roots in one file, for Pythons whose OpenSSL was built to look elsewhere.
BUNDLES = (
    "/etc/ssl/certs/ca-certificates.crt",
    "/etc/pki/ca-trust/extracted/pem/tls-ca-bundle.pem",
    "/etc/pki/tls/certs/ca-bundle.crt",
    "/etc/ssl/ca-bundle.pem",
    "/etc/ssl/cert.pem",
)
_PEM = re.compile(r"-----BEGIN CERTIFICATE-----[A-Za-z0-9+/=\s]*-----END CERTIFICATE-----", re.ASCII)
_HASHED = re.compile(r"[0-9a-f]{8}\.\d+")


class TrustStores:
    """TLS contexts, one for each set of trusted roots and oldest version.

    Reading the system's roots costs tens of milliseconds where they are one file, so whoever sends more than once holds
    one of these.
    """

    def __init__(self) -> None:
        self._contexts: dict[tuple[str | None, TlsVersion], ssl.SSLContext] = {}
        self._lock = threading.Lock()

    def context(self, ca: str | None, minimum: TlsVersion) -> ssl.SSLContext:
        """Return the context that trusts `ca`, or the system's roots when it is None.

        Args:
            ca: certificates in PEM.
            minimum: the oldest TLS version it speaks.

        Raises:
            UsageError: `ca` holds no certificate.
        """
        with self._lock:
            key = (ca, minimum)
            if key not in self._contexts:
                self._contexts[key] = _make(ca, minimum)
            return self._contexts[key]


def _make(ca: str | None, minimum: TlsVersion) -> ssl.SSLContext:
    # PROTOCOL_TLS_CLIENT sets both of the next two; they are said again because everything rests on them.
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    context.check_hostname = True
    context.verify_mode = ssl.CERT_REQUIRED
    context.hostname_checks_common_name = False
    context.minimum_version = _VERSIONS[minimum]
    context.set_ciphers(_CIPHERS)
    context.options |= ssl.OP_NO_COMPRESSION | ssl.OP_NO_RENEGOTIATION
    if ca is None:
        load_system_roots(context)
    else:
        try:
            # Only the blocks: what stands between them may be in any script.
            context.load_verify_locations(cadata="\n".join(_PEM.findall(ca)))
        except (ssl.SSLError, ValueError) as error:
            raise UsageError(
                msg("the certificates given to trust for a server are not PEM"),
                hint=msg("the file starts with `-----BEGIN CERTIFICATE-----`"),
            ) from error
    return context


def load_system_roots(context: ssl.SSLContext, bundles: Iterable[str] = BUNDLES) -> None:
    """Trust what this system trusts, whatever the environment says.

    Args:
        context: gets the roots.
        bundles: files to look for where OpenSSL's own places, fixed when it was built, hold nothing.
    """
    if sys.platform == "win32":  # pragma: no cover (no such system in the tests)
        for store in ("CA", "ROOT"):
            for certificate, encoding, trust in ssl.enum_certificates(store):
                if encoding == "x509_asn" and (trust is True or ssl.Purpose.SERVER_AUTH.oid in trust):
                    context.load_verify_locations(cadata=certificate)
        return
    # Of this tuple only the `openssl_…` members are free of the environment.
    paths = ssl.get_default_verify_paths()
    _load_roots(context, paths.openssl_cafile, paths.openssl_capath, bundles)


def _load_roots(context: ssl.SSLContext, file: str, folder: str, bundles: Iterable[str]) -> None:
    if _is_hashed(folder):
        # Looked up by name when a chain is verified: nothing is read now, and the file beside it holds the same roots.
        context.load_verify_locations(capath=folder)
        return
    for bundle in (file, *bundles):
        if Path(bundle).is_file():
            context.load_verify_locations(cafile=bundle)
            return


def _is_hashed(folder: str) -> bool:
    try:
        with os.scandir(folder) as entries:
            return any(_HASHED.fullmatch(entry.name) for entry in entries)
    except OSError:
        return False


# OpenSSL's X509_V_ERR_ numbers (x509_vfy.h); the `ssl` module has no names for them.
_EXPIRED, _NOT_YET_VALID, _WRONG_NAME, _WRONG_ADDRESS = 10, 9, 62, 64
_WEAK = frozenset({66, 67, 68})
_TOO_OLD = frozenset({"TLSV1_ALERT_PROTOCOL_VERSION", "UNSUPPORTED_PROTOCOL", "WRONG_SSL_VERSION", "VERSION_TOO_LOW"})
_NOT_TLS = frozenset(
    {"WRONG_VERSION_NUMBER", "HTTP_REQUEST", "HTTPS_PROXY_REQUEST", "UNKNOWN_PROTOCOL", "PACKET_LENGTH_TOO_LONG"}
)
_WEAK_REASONS = frozenset(
    {"DH_KEY_TOO_SMALL", "EE_KEY_TOO_SMALL", "CA_KEY_TOO_SMALL", "CA_MD_TOO_WEAK", "WRONG_SIGNATURE_TYPE"}
)


def handshake_failure(error: ssl.SSLError, host: str, facts: TlsFacts | None) -> Failure:
    """Return what `error`, raised by a handshake with `host`, means.

    Args:
        error: as the `ssl` module raised it.
        host: the name that was expected.
        facts: what the refused certificate says, where that is known.
    """
    if isinstance(error, ssl.SSLCertVerificationError):
        return Failure(*_certificate_failure(error, host, facts), tls=facts)
    reason = error.reason or ""
    if reason in _TOO_OLD:
        return Failure(Kind.TLS_TOO_OLD, msg("the server speaks no TLS version as new as required"))
    if reason in _NOT_TLS:
        return Failure(Kind.NOT_TLS, msg("the server did not answer with TLS"))
    if reason in _WEAK_REASONS:
        return Failure(Kind.CERTIFICATE_WEAK, msg("the server's key is too weak ({reason})", reason=reason))
    return Failure(Kind.TLS_FAILED, msg("the TLS handshake failed ({reason})", reason=reason or type(error).__name__))


def _certificate_failure(
    error: ssl.SSLCertVerificationError, host: str, facts: TlsFacts | None
) -> tuple[Kind, Message]:
    code = error.verify_code
    if code == _EXPIRED:
        return Kind.CERTIFICATE_EXPIRED, msg("a certificate of the server has expired ({dates})", dates=_dates(facts))
    if code == _NOT_YET_VALID:
        return Kind.CERTIFICATE_NOT_YET_VALID, msg(
            "a certificate of the server is not valid yet ({dates})", dates=_dates(facts)
        )
    if code in (_WRONG_NAME, _WRONG_ADDRESS):
        shown = ", ".join(facts.san) if facts and facts.san else "-"
        return Kind.CERTIFICATE_WRONG_NAME, msg(
            "the certificate is not for {host}; the names in it: {names}", host=host, names=shown
        )
    if code in _WEAK:
        return Kind.CERTIFICATE_WEAK, msg("a key or signature of the server's certificates is too weak")
    issuer = facts.issuer if facts else "-"
    return Kind.CERTIFICATE_UNTRUSTED, msg(
        "the certificate does not lead to a trusted root: {reason} (issuer: {issuer})",
        reason=error.verify_message,
        issuer=issuer,
    )


def _dates(facts: TlsFacts | None) -> str:
    if facts is None or facts.not_before is None or facts.not_after is None:
        return "-"
    return f"{facts.not_before:%Y-%m-%d} – {facts.not_after:%Y-%m-%d}"
