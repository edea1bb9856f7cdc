"""Throw-away certificate authorities and the server certificates, good and bad, that the mail server shows."""

from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path

import trustme

WRONG_HOST_NAME = "other.invalid"


@dataclass(frozen=True, slots=True)
class Certificates:
    """PEM files in one folder.

    `ca` is the authority that the tests trust; each of the others holds a private key and its certificate chain.
    """

    ca: Path
    good: Path
    expired: Path
    wrong_name: Path
    unknown_issuer: Path


def issue_certificates(folder: Path, host_name: str) -> Certificates:
    """Write one certificate of each kind into `folder`.

    All are for `host_name` and its neighbours in the domain, so that several servers can be told apart by name; only
    `wrong_name` is for another one.
    """
    trusted, unknown = trustme.CA(), trustme.CA()
    names = (host_name, f"*.{host_name.partition('.')[2]}")
    now = datetime.now(UTC)
    certificates = Certificates(
        ca=folder / "ca.pem",
        good=folder / "good.pem",
        expired=folder / "expired.pem",
        wrong_name=folder / "wrong-name.pem",
        unknown_issuer=folder / "unknown-issuer.pem",
    )
    trusted.cert_pem.write_to_path(certificates.ca)
    yesterday = now - timedelta(days=1)
    leaves = {
        certificates.good: trusted.issue_cert(*names),
        certificates.expired: trusted.issue_cert(*names, not_before=now - timedelta(days=30), not_after=yesterday),
        certificates.wrong_name: trusted.issue_cert(WRONG_HOST_NAME),
        certificates.unknown_issuer: unknown.issue_cert(*names),
    }
    for path, leaf in leaves.items():
        path.touch(mode=0o600)
        leaf.private_key_and_cert_chain_pem.write_to_path(path)
    return certificates
