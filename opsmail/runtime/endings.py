"""What ends of what is published: secrets, and logins that providers retire."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import date
from enum import StrEnum

from opsmail.operator.digest import canonical_host
from opsmail.providers import Providers


class EndingKind(StrEnum):
    """What it is that ends."""

    SECRET = "secret"  # noqa: S105 - the word, and none
    LOGIN = "login"


@dataclass(frozen=True, slots=True)
class Ending:
    """Something that ends on a day.

    Args:
        day: the last day on which it holds, in UTC.
        kind: what it is.
        operator: whose.
    """

    day: date
    kind: EndingKind
    operator: str

    def days(self, today: date) -> int:
        """Return how many days are left after `today`; less than 0 where it has ended."""
        return (self.day - today).days


def endings(documents: Mapping[str, bytes], providers: Providers) -> tuple[Ending, ...]:
    """Return what ends of published operators, the soonest first; nothing of those that are switched off.

    Args:
        documents: operator to published document.
        providers: what is known of mail providers.
    """
    found: list[Ending] = []
    for name, document in documents.items():
        try:
            found += _of(name, document, providers)
        except (ValueError, LookupError, TypeError, AttributeError):
            # What cannot be read is told to whoever wants to send with it.
            continue
    return tuple(sorted(found, key=lambda ending: (ending.day, ending.operator, ending.kind)))


def _of(name: str, document: bytes, providers: Providers) -> Iterator[Ending]:
    # Reading each as an operator takes seconds for 10,000; what is asked here stands in two fields.
    operator = json.loads(document)["operator"]
    if not operator["enabled"]:
        return
    authentication = operator["authentication"]
    expires = authentication.get("secret_expires")
    if expires is not None:
        yield Ending(date.fromisoformat(expires), EndingKind.SECRET, name)
    provider = providers.of_host(canonical_host(operator["server"]["host"]))
    if authentication["type"] == "basic" and provider is not None and provider.basic_ends is not None:
        yield Ending(provider.basic_ends, EndingKind.LOGIN, name)
