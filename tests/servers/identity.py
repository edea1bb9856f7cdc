"""An OAuth 2.0 authorization server as a tenant's identity provider: npm's `oidc-provider` on https at localhost."""

import base64
import json
import secrets
import subprocess
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import trustme
from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import rsa
from cryptography.hazmat.primitives.serialization import BestAvailableEncryption, Encoding, PublicFormat, pkcs12
from cryptography.x509.oid import NameOID
from jwt.algorithms import RSAAlgorithm

from tests.servers.processes import StartError, UnavailableError, find_program, free_ports

TENANT = "empresa.onmicrosoft.com"
TENANT_ID = "3f2a9c1e-5b7d-4e8f-9a0b-1c2d3e4f5a6b"
MAILBOX, PROBE_MAILBOX = "rh@empresa.test", "teste@empresa.test"
SERVER = Path(__file__).with_name("authorization") / "server.mjs"
SECRET_APP, CERTIFICATE_APP, PERSON_APP = "secret-app", "certificate-app", "person-app"
GRAPH_APP, POWERLESS_APP, PROBE_APP = "graph-app", "powerless-app", "probe-app"
STOP_SECONDS = 10


@dataclass(frozen=True, slots=True)
class SigningKey:
    """What signs tokens."""

    id: str
    key: rsa.RSAPrivateKey = field(repr=False)

    @classmethod
    def generate(cls) -> "SigningKey":
        return cls("opsmail-test", rsa.generate_private_key(65537, 2048))

    @property
    def public_pem(self) -> str:
        return self.key.public_key().public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo).decode()

    @property
    def jwk(self) -> dict[str, Any]:
        return {**RSAAlgorithm.to_jwk(self.key, as_dict=True), "kid": self.id, "use": "sig", "alg": "RS256"}


@dataclass(frozen=True, slots=True)
class Identity:
    """A running authorization server.

    `authority` and `ca_pem` are how the catalogue knows it. The applications prove themselves by `client_secret`, or by
    `pfx` (base64) with its `passphrase`.
    """

    authority: str
    ca_pem: str
    client_secret: str = field(repr=False)
    pfx: str = field(repr=False)
    passphrase: str = field(repr=False)
    port: int


@contextmanager
def run_identity_provider(key: SigningKey) -> Iterator[Identity]:
    """Run the server while the context lasts; raises `UnavailableError` or `StartError`."""
    node = find_program("node", package="nodejs")
    if not (SERVER.parent / "node_modules" / "oidc-provider").is_dir():
        raise UnavailableError("the authorization server is not installed (see tests/servers/install-node.sh).")
    authority = trustme.CA()
    leaf = authority.issue_cert("localhost")
    application = rsa.generate_private_key(65537, 2048)
    secret, passphrase = secrets.token_urlsafe(24), secrets.token_urlsafe(12)
    with free_ports(1) as (port,):
        configuration = {
            "port": port,
            "tenant": TENANT,
            "tenantId": TENANT_ID,
            "certificate": "".join(pem.bytes().decode() for pem in leaf.cert_chain_pems),
            "key": leaf.private_key_pem.bytes().decode(),
            "jwk": key.jwk,
            "clients": _clients(secret, application),
        }
        with _running(node, configuration):
            yield Identity(
                authority=f"https://localhost:{port}",
                ca_pem=authority.cert_pem.bytes().decode(),
                client_secret=secret,
                pfx=_pfx(application, passphrase),
                passphrase=passphrase,
                port=port,
            )


def _clients(secret: str, application: rsa.RSAPrivateKey) -> list[dict[str, Any]]:
    public = {**RSAAlgorithm.to_jwk(application.public_key(), as_dict=True), "use": "sig", "alg": "PS256"}
    by_secret = {"secret": secret, "method": "client_secret_post", "mailbox": MAILBOX, "roles": ["SMTP.SendAsApp"]}
    return [
        {**by_secret, "id": SECRET_APP},
        {**by_secret, "id": GRAPH_APP, "audience": "https://graph.microsoft.com"},
        {**by_secret, "id": POWERLESS_APP, "roles": ["Mail.Read"]},
        {**by_secret, "id": PROBE_APP, "roles": ["IMAP.AccessAsApp"], "mailbox": PROBE_MAILBOX},
        {
            "id": CERTIFICATE_APP,
            "method": "private_key_jwt",
            "jwk": public,
            "mailbox": MAILBOX,
            "roles": ["SMTP.SendAsApp"],
        },
        {"id": PERSON_APP, "method": "none", "mailbox": MAILBOX, "scopes": "SMTP.Send"},
    ]


def _pfx(key: rsa.RSAPrivateKey, passphrase: str) -> str:
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, CERTIFICATE_APP)])
    now = datetime.now(UTC)
    certificate = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - timedelta(days=1))
        .not_valid_after(now + timedelta(days=30))
        .sign(key, hashes.SHA256())
    )
    protection = BestAvailableEncryption(passphrase.encode())
    return base64.b64encode(pkcs12.serialize_key_and_certificates(None, key, certificate, None, protection)).decode()


@contextmanager
def _running(node: Path, configuration: dict[str, Any]) -> Iterator[None]:
    with tempfile.TemporaryFile() as output:
        process = subprocess.Popen([node, SERVER], stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=output)
        assert process.stdin is not None
        assert process.stdout is not None
        try:
            process.stdin.write(json.dumps(configuration).encode() + b"\n")
            process.stdin.flush()
            if process.stdout.readline() != b"ready\n":
                output.seek(0)
                raise StartError(f"the authorization server ended while starting:\n{output.read().decode()}")
            yield
        finally:
            process.stdin.close()
            process.stdout.close()
            process.wait(STOP_SECONDS)
