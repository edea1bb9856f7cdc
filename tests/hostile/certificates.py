"""Certificates of every right and wrong kind, and servers' TLS that shows them."""

from __future__ import annotations

import datetime as dt
import ssl
import tempfile
import warnings
from collections.abc import Sequence
from dataclasses import dataclass

from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec, rsa
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat
from cryptography.x509.oid import NameOID

from tests.hostile.peer import HOST


@dataclass(frozen=True)
class Issued:
    """A certificate with its key; `chain` goes from it to the one below the root."""

    certificate: x509.Certificate
    key: ec.EllipticCurvePrivateKey | rsa.RSAPrivateKey
    chain: tuple[x509.Certificate, ...] = ()

    @property
    def pem(self) -> str:
        return self.certificate.public_bytes(Encoding.PEM).decode()


@dataclass(frozen=True)
class Wish:
    """What a certificate should look like."""

    common_name: str = HOST
    names: Sequence[x509.GeneralName] | None = (x509.DNSName(HOST),)
    days: tuple[int, int] = (-1, 30)
    authority: bool = False
    key: ec.EllipticCurvePrivateKey | rsa.RSAPrivateKey | None = None
    constraints: x509.NameConstraints | None = None


def issue(wish: Wish, issuer: Issued | None = None) -> Issued:
    key = wish.key or ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, wish.common_name)])
    now = dt.datetime.now(dt.UTC)
    builder = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name if issuer is None else issuer.certificate.subject)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now + dt.timedelta(days=wish.days[0]))
        .not_valid_after(now + dt.timedelta(days=wish.days[1]))
        .add_extension(x509.BasicConstraints(ca=wish.authority, path_length=None), critical=True)
    )
    if wish.names is not None and not wish.authority:
        builder = builder.add_extension(x509.SubjectAlternativeName(wish.names), critical=False)
    if wish.constraints is not None:
        builder = builder.add_extension(wish.constraints, critical=True)
    if issuer is None:
        return Issued(builder.sign(key, hashes.SHA256()), key)
    certificate = builder.sign(issuer.key, hashes.SHA256())
    return Issued(certificate, key, (certificate, *issuer.chain))


def server_context(issued: Issued, *, ciphers: str | None = None) -> ssl.SSLContext:
    """A server's TLS that shows `issued` with its chain."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    # Before the certificate: a weak key is only loaded at a low level.
    context.set_ciphers(ciphers or "DEFAULT:@SECLEVEL=0")
    pem = issued.key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())
    for certificate in issued.chain or (issued.certificate,):
        pem += certificate.public_bytes(Encoding.PEM)
    with tempfile.NamedTemporaryFile() as file:
        file.write(pem)
        file.flush()
        context.load_cert_chain(file.name)
    return context


def limit_version(context: ssl.SSLContext, newest: ssl.TLSVersion, oldest: ssl.TLSVersion) -> ssl.SSLContext:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", DeprecationWarning)
        context.minimum_version = oldest
        context.maximum_version = newest
    return context
