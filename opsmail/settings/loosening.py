"""What settings allow that others do not: each field of `opsmail.toml` is compared here, or is said to be harmless.

A test holds the tables at the end against the fields of the settings, so that none is forgotten: a new one gets a line
in `COMPARED`, or in `HARMLESS` with the reason why no value of it lets through what another one stops.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from types import MappingProxyType
from typing import Any

from opsmail.messages import msg
from opsmail.operator.digest import canonical_host
from opsmail.settings import comparisons as by
from opsmail.settings.comparisons import Compare, Field, Loosening, SeverityOf
from opsmail.settings.files import DEFAULT_ENVIRONMENT
from opsmail.settings.load import Settings
from opsmail.settings.model import (
    Gate,
    GateKey,
    Live,
    Policy,
    Profile,
    Runtime,
    ServerEntry,
    SettingsFile,
    StoreSettings,
)
from opsmail.settings.organisation import ExtraSchemas, OrganisationRule, RuleTest
from opsmail.settings.probe import Probe


def loosenings(old: Settings, new: Settings, severity_of: SeverityOf) -> Iterator[Loosening]:
    """Yield what the new settings allow and the old ones did not; nothing where they are alike or stricter.

    What has no order (another CA, address, reference, store) is told whenever it changes. The first catalogue where
    there was none is stricter. Waivers are no settings: each new one has a finding of its own.

    Args:
        old: of one environment.
        new: likewise.
        severity_of: judges rules by a policy; what rules there are is not known here.
    """
    yield from _section(Field("", None, old, new, severity_of), old.file, new.file)


def loosenings_anywhere(
    old: Mapping[str, Settings], new: Mapping[str, Settings], severity_of: SeverityOf
) -> Iterator[Loosening]:
    """Yield the loosenings of all environments: what is the default's too once, the others at their overlay.

    Args:
        old: by environment; one that is new is compared with the default.
        new: by environment, the default one first.
        severity_of: see `loosenings`.
    """
    told: set[Loosening] = set()
    for name, settings in new.items():
        for found in loosenings(old.get(name, old[DEFAULT_ENVIRONMENT]), settings, severity_of):
            if name == DEFAULT_ENVIRONMENT:
                told.add(found)
                yield found
            elif found not in told:
                message = msg("in the environment `{name}`: {loosening}", name=name, loosening=found.message)
                yield Loosening(f"environments.{name}.{found.path}", message)


def _section(field: Field, old: Any, new: Any) -> Iterator[Loosening]:
    for name, compare in COMPARED[type(new)].items():
        yield from compare(field.below(name), getattr(old, name), getattr(new, name))


def _servers(field: Field, old: Sequence[ServerEntry] | None, new: Sequence[ServerEntry] | None) -> Iterator[Loosening]:
    if old is None:
        return
    if new is None:
        yield field.found(msg("the catalogue is gone, so no server is refused"))
        return
    known = {canonical_host(entry.host): entry for entry in old}
    for index, entry in enumerate(new):
        before = known.get(canonical_host(entry.host))
        here = field.below(str(index), entry.host)
        if before is None:
            yield here.below("host").found(msg("the server `{host}` is added", host=entry.host))
        else:
            yield from _section(here, before, entry)


#: How each field is compared.
COMPARED: Mapping[type, Mapping[str, Compare]] = MappingProxyType(
    {
        SettingsFile: {
            "policy": _section,
            "runtime": _section,
            "servers": _servers,
            "rules": by.rules,
            "schema": _section,
            "gate": _section,
            "store": _section,
        },
        Policy: {
            "profile": by.lowered((Profile.MINIMAL, Profile.RECOMMENDED, Profile.STRICT).index),
            "ignore": by.selectors_added,
            "severity": by.severities,
            "unwaivable": by.selectors_removed,
            "ruleset": by.lowered(int),
            "plugins": by.changed,
            "sender_domains": by.domains,
            "deprecation_notice_days": by.lowered(int),
        },
        ExtraSchemas: {"extra": by.schemas},
        Runtime: {"platform": by.platform, "version": by.version},
        ServerEntry: {
            "connections": by.widened,
            "authentication": by.widened,
            "sender_domains": by.domains,
            "secrets": by.patterns,
            "tenants": by.widened,
            "client_ids": by.widened,
            "microsoft_tokens": by.switched_on,
            "authority": by.changed,
            "authority_ca": by.authority,
            "federated_audience": by.changed,
            "federated_token": by.changed,
            "private": by.switched_on,
            "ca": by.authority,
            "address": by.changed,
            "review_by": by.put_off,
        },
        Gate: {
            "require": by.narrowed,
            "max_age": by.raised(lambda duration: duration.length),
            "signing_key": by.changed,
            "keys": by.keys,
        },
        StoreSettings: {
            "url": by.changed,
            "password": by.changed,
            "reader": by.changed,
            "reader_password": by.changed,
            "ca": by.authority,
            "max_update_percent": by.raised(int),
            "max_delete_percent": by.raised(int),
            "min_fleet_for_percent": by.raised(int),
            "max_changes": by.raised(int),
            "keep_generations": by.lowered(int),
            "keep_days": by.lowered(int),
        },
    }
)

#: Fields that are compared by what `COMPARED` names for the array around them.
COMPARED_WITHIN: Mapping[type, frozenset[str]] = MappingProxyType(
    {
        ServerEntry: frozenset({"host"}),
        OrganisationRule: frozenset({"id", "when", "require", "severity"}),
        GateKey: frozenset({"file", "kinds", "environments", "revoked"}),
    }
)

#: Fields of which no value lets through what another one stops, and why.
HARMLESS: Mapping[type, Mapping[str, str]] = MappingProxyType(
    {
        SettingsFile: {
            "operators": "says where operators are, not what they may do; the folders of the change are checked",
            "live": "says how test messages are sent, not to which servers",
        },
        ServerEntry: {
            "approved_by": "who agreed; nothing is judged by it",
            "ticket": "where the agreement is written down; nothing is judged by it",
        },
        OrganisationRule: {
            "name": "what it is called",
            "message": "what is said, not when",
            "at": "where it is shown",
            "tests": "what shows that it works, not what it demands",
        },
        RuleTest: {"file": "see `tests` of the rule", "expect": "see `tests` of the rule"},
        Live: {
            "recipient": "test messages hold no secret, and one must have been accepted whoever gets it",
            "timeout_seconds": "a test that is given up has not passed",
            "run_seconds": "a test that is given up or not begun has not passed",
            "concurrency": "how many at a time",
            "per_host": "how many at a time",
            "retries": "how often; a test that did not pass in the end has not passed",
            "subject_prefix": "a text in test messages",
            "proxy": "verified TLS goes through it, which it can keep back and neither read nor answer",
            "probe": "where test messages are looked for; where its secret may go is for the catalogue to say",
        },
        Probe: dict.fromkeys(
            ("host", "port", "username", "secret", "tenant", "client_id", "cloud", "wait_seconds"),
            "see `probe` of the test messages",
        ),
    }
)
