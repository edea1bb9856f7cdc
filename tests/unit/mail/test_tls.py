from __future__ import annotations

import ssl
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
import trustme

from opsmail.errors import UsageError
from opsmail.mail.endpoint import TlsVersion
from opsmail.mail.failure import Kind
from opsmail.mail.peer import TlsFacts, _facts, refused_facts
from opsmail.mail.tls import TrustStores, _load_roots, handshake_failure


def empty() -> ssl.SSLContext:
    return ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)


@pytest.mark.parametrize("ca", ["", "nonsense", "-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n", "é"])
def test_a_ca_that_is_none(ca: str) -> None:
    with pytest.raises(UsageError, match="not PEM"):
        TrustStores().context(ca, TlsVersion.TLS_1_2)


def test_a_ca_with_notes_between_its_certificates() -> None:
    first, second = (trustme.CA().cert_pem.bytes().decode() for _ in range(2))
    context = TrustStores().context(f"# Certificação interna\n{first}\n# reserva é\n{second}", TlsVersion.TLS_1_2)
    assert context.cert_store_stats()["x509_ca"] == 2


def test_roots_in_a_hashed_folder_are_not_read_now(tmp_path: Path) -> None:
    (tmp_path / "0a1b2c3d.0").write_text("not a certificate, and nobody looks")
    context = empty()
    _load_roots(context, str(tmp_path / "missing.pem"), str(tmp_path), ())
    assert context.cert_store_stats()["x509_ca"] == 0


@pytest.mark.parametrize("place", ["file", "bundle"])
def test_roots_in_one_file(tmp_path: Path, place: str) -> None:
    bundle = tmp_path / "bundle.pem"
    trustme.CA().cert_pem.write_to_path(bundle)
    context = empty()
    missing = str(tmp_path / "missing")
    if place == "file":
        _load_roots(context, str(bundle), missing, ())
    else:
        _load_roots(context, missing, str(tmp_path), (missing, str(bundle)))
    assert context.cert_store_stats()["x509_ca"] == 1


def test_no_roots_anywhere(tmp_path: Path) -> None:
    context = empty()
    _load_roots(context, str(tmp_path / "a"), str(tmp_path / "b"), (str(tmp_path / "c"),))
    assert context.cert_store_stats()["x509"] == 0


def test_the_systems_roots() -> None:
    context = TrustStores().context(None, TlsVersion.TLS_1_3)
    assert context.minimum_version is ssl.TLSVersion.TLSv1_3
    assert context.security_level == 2


def error(reason: str | None, kind: type[ssl.SSLError] = ssl.SSLError, code: int = 0) -> ssl.SSLError:
    made = kind(1, "text")
    made.reason = reason  # type: ignore[assignment]  # as OpenSSL sets it
    if isinstance(made, ssl.SSLCertVerificationError):
        made.verify_code = code
        made.verify_message = "why"
    return made


FACTS = TlsFacts(
    "", "", "CN=x", "CN=root", datetime(2026, 1, 1, tzinfo=UTC), datetime(2026, 2, 1, tzinfo=UTC), ("a",), ""
)
NO_DATES = TlsFacts("", "", "", "", None, None, (), "")


@pytest.mark.parametrize(
    ("reason", "kind"),
    [
        ("TLSV1_ALERT_PROTOCOL_VERSION", Kind.TLS_TOO_OLD),
        ("UNSUPPORTED_PROTOCOL", Kind.TLS_TOO_OLD),
        ("WRONG_VERSION_NUMBER", Kind.NOT_TLS),
        ("DH_KEY_TOO_SMALL", Kind.CERTIFICATE_WEAK),
        ("SSLV3_ALERT_HANDSHAKE_FAILURE", Kind.TLS_FAILED),
        (None, Kind.TLS_FAILED),
    ],
)
def test_handshake_errors(reason: str | None, kind: Kind) -> None:
    failure = handshake_failure(error(reason), "x.test", None)
    assert failure.kind is kind
    assert "None" not in str(failure.detail)


@pytest.mark.parametrize(
    ("code", "kind"),
    [
        (10, Kind.CERTIFICATE_EXPIRED),
        (9, Kind.CERTIFICATE_NOT_YET_VALID),
        (62, Kind.CERTIFICATE_WRONG_NAME),
        (64, Kind.CERTIFICATE_WRONG_NAME),
        (66, Kind.CERTIFICATE_WEAK),
        (67, Kind.CERTIFICATE_WEAK),
        (68, Kind.CERTIFICATE_WEAK),
        (18, Kind.CERTIFICATE_UNTRUSTED),
        (20, Kind.CERTIFICATE_UNTRUSTED),
        (999, Kind.CERTIFICATE_UNTRUSTED),
    ],
)
@pytest.mark.parametrize("facts", [None, FACTS, NO_DATES])
def test_certificate_errors(code: int, kind: Kind, facts: TlsFacts | None) -> None:
    failure = handshake_failure(error("CERTIFICATE_VERIFY_FAILED", ssl.SSLCertVerificationError, code), "x.test", facts)
    assert failure.kind is kind
    assert failure.tls is facts
    if facts is FACTS and code in (9, 10):
        assert "2026-01-01 – 2026-02-01" in str(failure.detail)


class Session:
    """A session object of another Python."""

    def __init__(self, chain: Any) -> None:
        self._sslobj = self
        self._chain = chain

    def get_unverified_chain(self) -> Any:
        return self._chain


@pytest.mark.parametrize("chain", [None, [], [object()]])
def test_a_python_that_does_not_show_refused_certificates(chain: Any) -> None:
    assert refused_facts(Session(chain)) is None  # type: ignore[arg-type]  # a stand-in
    assert refused_facts(object()) is None  # type: ignore[arg-type]  # a stand-in


@pytest.mark.parametrize(
    "date", [None, "nonsense", "Jan  1 00:00:00 99999 GMT", "Foo  1 00:00:00 2026 GMT", "Jan 32 00:00:00 2026 GMT"]
)
def test_dates_that_cannot_be_read(date: str | None) -> None:
    assert _facts({"notAfter": date}, b"", "", "").not_after is None


def test_dates() -> None:
    assert _facts({"notAfter": "Feb  5 09:34:43 2028 GMT"}, b"", "", "").not_after == datetime(
        2028, 2, 5, 9, 34, 43, tzinfo=UTC
    )


def test_names_are_cut_and_printable() -> None:
    facts = _facts(
        {"subject": ((("commonName", "x\x1b" + "y" * 300),),), "subjectAltName": (("DNS", "a\nb"),)}, b"", "", ""
    )
    assert facts.subject == "CN=x?" + "y" * 195
    assert facts.san == ("a?b",)
