"""What a failed stage means: the cause in plain words, the remedy, the field to change, and whose fault it is.

The knowledge is data, `receipt.yaml`, `tokens.yaml` and `replies.yaml` in `opsmail/data`. Their entries are looked at
in this order and the first that fits decides, so the special ones stand before the general ones; the last ones fit
everything.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from enum import StrEnum
from importlib.resources import files
from typing import Any

from opsmail.findings import RuleMeta
from opsmail.mail.endpoint import Endpoint
from opsmail.mail.failure import Kind, Stage, StageError
from opsmail.mail.rules import LIVE_RULES
from opsmail.messages import Message
from opsmail.providers import Providers, load_providers
from opsmail.values import dataclass


class Fault(StrEnum):
    """Whose fault it is. The first two make a test failed, the others inconclusive."""

    CONFIGURATION = "configuration"
    PROVIDER = "provider"
    TRANSIENT = "transient"
    ENVIRONMENT = "environment"

    @property
    def conclusive(self) -> bool:
        """Whether the test shows something about the operator."""
        return self in (Fault.CONFIGURATION, Fault.PROVIDER)


@dataclass(frozen=True, slots=True)
class Diagnosis:
    """What a failure means.

    Args:
        rule: the OM9xx rule.
        cause: why it failed.
        remedy: what to do.
        path: the field to change, dotted; empty where no field of the operator is at fault.
        fault: whose fault it is.
    """

    rule: RuleMeta
    cause: Message
    remedy: Message
    path: str
    fault: Fault

    @property
    def rule_id(self) -> str:
        """The rule's id."""
        return self.rule.id

    @property
    def name(self) -> str:
        """The rule's name."""
        return self.rule.name


@dataclass(frozen=True, slots=True)
class Entry:
    """One row of the table. Every condition that is given must hold; one that is empty always does.

    Args:
        rule: id of the OM9xx rule.
        cause: English template; see `TEMPLATE_ARGUMENTS`.
        remedy: likewise.
        fault: whose fault it is.
        path: the field to change.
        source: where this is known from.
        verified_on: when that was looked at.
        kinds: ways of failing.
        stages: stages.
        commands: the commands that were answered.
        providers: families of providers, see `opsmail.providers`.
        encryptions: how the connection is set up.
        codes: reply codes (`535`) or their classes (`5`).
        enhanced: enhanced status codes.
        texts: pieces of the reply, one of which is in it, in lower case.
        errors: codes of an identity provider's refusal.
        hints: Microsoft's numbers for it.
        outcome_unknown: whether the message may have been taken.
        address_given: whether the catalogue gives the address to connect to.
    """

    rule: str
    cause: str
    remedy: str
    fault: Fault
    path: str
    source: str
    verified_on: str
    kinds: frozenset[Kind] = frozenset()
    stages: frozenset[Stage] = frozenset()
    commands: frozenset[str] = frozenset()
    providers: frozenset[str] = frozenset()
    encryptions: frozenset[str] = frozenset()
    codes: frozenset[int] = frozenset()
    enhanced: frozenset[str] = frozenset()
    texts: tuple[str, ...] = ()
    errors: frozenset[str] = frozenset()
    hints: frozenset[int] = frozenset()
    outcome_unknown: bool = False
    address_given: bool = False

    def fits(self, error: StageError, endpoint: Endpoint, family: str | None) -> bool:
        """Whether this row is about `error`, met at an `endpoint` of a provider's `family`."""
        return (
            (not self.kinds or error.kind in self.kinds)
            and (not self.stages or error.stage in self.stages)
            and (not self.commands or error.command in self.commands)
            and (not self.providers or family in self.providers)
            and (not self.encryptions or endpoint.encryption in self.encryptions)
            and (not self.outcome_unknown or error.outcome_unknown)
            and (not self.address_given or endpoint.address is not None)
            and self._fits_refusal(error)
            and self._fits_reply(error)
        )

    def _fits_refusal(self, error: StageError) -> bool:
        oauth = error.oauth
        if oauth is None:
            return not (self.errors or self.hints)
        return (not self.errors or oauth.error in self.errors) and (
            not self.hints or not self.hints.isdisjoint(oauth.codes)
        )

    def _fits_reply(self, error: StageError) -> bool:
        reply = error.reply
        if reply is None:
            return not (self.codes or self.enhanced or self.texts)
        text = reply.whole_text.lower()
        return (
            (not self.codes or reply.code in self.codes or reply.severity in self.codes)
            and (not self.enhanced or reply.enhanced in self.enhanced)
            and (not self.texts or any(piece in text for piece in self.texts))
        )


#: What templates may name.
TEMPLATE_ARGUMENTS = ("host", "port", "address", "encryption", "reply", "detail")


@dataclass(frozen=True, slots=True)
class ReplyTable:
    """The table of what failures mean.

    Args:
        entries: in the order in which they are tried; the last fits everything.
        providers: who runs which hosts.
    """

    entries: Sequence[Entry]
    providers: Providers

    @classmethod
    def load(cls) -> ReplyTable:
        """Read the table that comes with opsmail; some milliseconds, so do it once something has failed."""
        rows = [row for name in ("receipt.yaml", "tokens.yaml", "replies.yaml") for row in _read(name)["entries"]]
        return cls(tuple(_entry(row) for row in rows), load_providers())

    def diagnose(self, error: StageError, endpoint: Endpoint) -> Diagnosis:
        """Return what `error`, met at `endpoint`, means."""
        family = self.family(endpoint.host)
        entry = next(entry for entry in self.entries if entry.fits(error, endpoint, family))
        arguments = (
            ("host", endpoint.host),
            ("port", endpoint.port),
            ("address", endpoint.address or ""),
            ("encryption", endpoint.encryption.value),
            ("reply", "" if error.reply is None else str(error.reply)),
            ("detail", error.detail),
        )
        return Diagnosis(
            LIVE_RULES[entry.rule],
            Message(entry.cause, arguments),
            Message(entry.remedy, arguments),
            entry.path,
            entry.fault,
        )

    def family(self, host: str) -> str | None:
        """Return who runs a host, also one that is not for sending; None where nothing is known of it."""
        provider = self.providers.of_host(host)
        if provider is None:
            provider, _ = self.providers.by_other_host.get(host, (None, None))
        return None if provider is None else provider.family


#: What of a row is for who reads the table, and for the tests.
_FOR_READERS = frozenset({"example", "also", "confidence"})


def _read(name: str) -> dict[str, Any]:
    import yaml  # not needed until something fails

    text = files("opsmail").joinpath("data", name).read_text(encoding="utf-8")
    data: dict[str, Any] = yaml.load(text, Loader=getattr(yaml, "CSafeLoader", yaml.SafeLoader))  # noqa: S506 (both are safe)
    return data


def _entry(row: Mapping[str, Any]) -> Entry:
    values: dict[str, Any] = {key: value for key, value in row.items() if key not in _FOR_READERS}
    values["fault"] = Fault(values["fault"])
    values["verified_on"] = str(values["verified_on"])
    values["texts"] = tuple(values.get("texts", ()))
    for name, kind in (("kinds", Kind), ("stages", Stage)):
        values[name] = frozenset(kind(value) for value in values.get(name, ()))
    for name in ("commands", "providers", "encryptions", "codes", "enhanced", "errors", "hints"):
        values[name] = frozenset(values.get(name, ()))
    return Entry(**values)
