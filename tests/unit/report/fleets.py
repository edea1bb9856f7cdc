"""Fleets for reports: operator files, what a test send showed of them, and the report on both."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from datetime import UTC, datetime

from opsmail.evidence.facts import Context, Depth, TestSend, Tls
from opsmail.evidence.statement import Statement
from opsmail.providers import load_providers
from opsmail.report.fleet import Fleet, Served, fleet
from tests.builders import run_check, settings_of

NOW = datetime(2026, 6, 1, 12, tzinfo=UTC)


def digest_of(content: str, settings: str | None = None) -> str:
    """Return the digest of the effective operator of a file."""
    (operator,) = run_check({"x.yaml": content}, settings).operators().values()
    return settings_of(settings).effective(operator).digest


def proof(
    name: str,
    digest: str,
    *,
    day: int = 1,
    environment: str = "default",
    encrypted: bool = True,
    ends: datetime | None = datetime(2026, 7, 1, tzinfo=UTC),
) -> Statement:
    """Return the evidence of a test send on a day of May, to a server whose certificate ends in July."""
    tls = Tls(version="TLSv1.3", cipher="TLS_AES_256_GCM_SHA384", not_after=ends, sha256="ab" * 32)
    context = Context(
        repository="example.org/x",
        environment=environment,
        settings_digest="sha256:" + "cd" * 32,
        time=datetime(2026, 5, day, tzinfo=UTC),
        version="1",
        commit="ab" * 20,
    )
    facts = TestSend(depth=Depth.SEND, stages=("send",), tls=tls if encrypted else None)
    return Statement.test_send(name, digest, context, facts)


def report_on(
    files: Mapping[str, str],
    *,
    settings: str | None = None,
    evidence: Iterable[Statement] = (),
    served: Served | None = None,
    waivers: str | None = None,
) -> Fleet:
    """Return the report on a fleet of files, by their names in the operators folder."""
    result = run_check(files, settings, waivers=waivers, day=NOW.date())
    return fleet(result, settings_of(settings), load_providers(), evidence, served, NOW)
