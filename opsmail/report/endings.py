"""What ends, and when: secrets, certificates, logins that providers retire, agreements with IT, waivers."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from datetime import date
from enum import StrEnum

from opsmail.evidence.facts import TestSend
from opsmail.findings import Finding
from opsmail.messages import Message, msg
from opsmail.operator.digest import canonical_host
from opsmail.operator.model import BasicAuthentication, NoAuthentication, Operator
from opsmail.providers import Providers
from opsmail.settings.model import ServerEntry


class EndingKind(StrEnum):
    """What it is that ends."""

    SECRET = "secret"  # noqa: S105 - the word, and none
    CERTIFICATE = "certificate"
    LOGIN = "login"
    AGREEMENT = "agreement"
    WAIVER = "waiver"


@dataclass(frozen=True, slots=True)
class Ending:
    """Something that ends on a day.

    Args:
        day: the last day on which it holds, in UTC.
        kind: what it is.
        what: in words.
        operators: whom it concerns, by id; several where they share it.
        source: who says so, an address; empty where the repository itself does.
    """

    day: date
    kind: EndingKind
    what: Message
    operators: tuple[str, ...]
    source: str = ""

    @property
    def key(self) -> str:
        """A name that stays the same while the thing is the same, for calendars that are imported again."""
        return f"{self.kind}:{self.what}"


@dataclass(frozen=True, slots=True)
class _Found:
    """One operator's part in an ending."""

    day: date
    kind: EndingKind
    what: Message
    source: str
    operator: str | None


def endings(
    operators: Iterable[Operator],
    servers: Iterable[ServerEntry],
    providers: Providers,
    proofs: Mapping[str, TestSend],
    findings: Iterable[Finding],
) -> tuple[Ending, ...]:
    """Return everything that ends, the soonest first; what several operators share stands there once.

    Args:
        operators: the fleet; of those that nobody may send with nothing is told.
        servers: the catalogue.
        providers: what is known of mail providers.
        proofs: operator to what its newest test send showed.
        findings: of the fleet's check, waived ones included.
    """
    enabled = [operator for operator in operators if operator.enabled]
    found = [*_of_operators(enabled, providers, proofs), *_of_catalogue(servers, enabled), *_of_waivers(findings)]
    shared: dict[tuple[date, EndingKind, Message, str], list[str]] = defaultdict(list)
    for item in found:
        whom = shared[item.day, item.kind, item.what, item.source]
        if item.operator is not None and item.operator not in whom:
            whom.append(item.operator)
    result = [
        Ending(day, kind, what, tuple(sorted(whom)), source) for (day, kind, what, source), whom in shared.items()
    ]
    return tuple(sorted(result, key=lambda ending: (ending.day, ending.kind, str(ending.what))))


def _of_operators(
    operators: Iterable[Operator], providers: Providers, proofs: Mapping[str, TestSend]
) -> Iterator[_Found]:
    for operator in operators:
        name, host = operator.operator, canonical_host(operator.server.host)
        authentication = operator.authentication
        if not isinstance(authentication, NoAuthentication) and authentication.secret_expires is not None:
            what = msg("the secret of `{operator}` ends", operator=name)
            yield _Found(authentication.secret_expires, EndingKind.SECRET, what, "", name)
        provider = providers.of_host(host)
        if isinstance(authentication, BasicAuthentication) and provider is not None and provider.basic_ends is not None:
            what = msg("{provider} ends logins with user and password", provider=provider.name)
            yield _Found(provider.basic_ends, EndingKind.LOGIN, what, provider.basic_ends_source or "", name)
        proof = proofs.get(name)
        if proof is not None and proof.tls is not None and proof.tls.not_after is not None:
            what = msg("the TLS certificate of `{host}` ends", host=f"{host}:{operator.server.port}")
            yield _Found(proof.tls.not_after.date(), EndingKind.CERTIFICATE, what, "", name)


def _of_catalogue(servers: Iterable[ServerEntry], operators: Iterable[Operator]) -> Iterator[_Found]:
    users = defaultdict(list)
    for operator in operators:
        users[canonical_host(operator.server.host)].append(operator.operator)
    for entry in servers:
        if entry.review_by is not None:
            what = msg("the agreement about `{host}` is to be looked at again", host=entry.host)
            for name in users.get(canonical_host(entry.host), [None]):
                yield _Found(entry.review_by, EndingKind.AGREEMENT, what, "", name)


def _of_waivers(findings: Iterable[Finding]) -> Iterator[_Found]:
    for finding in findings:
        if finding.waived is not None:
            what = msg("the waiver of {rule} ends: {reason}", rule=finding.rule.id, reason=finding.waived.reason)
            yield _Found(date.fromisoformat(finding.waived.expires), EndingKind.WAIVER, what, "", finding.operator)
