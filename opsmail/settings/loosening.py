"""What settings allow that others do not: each field of `opsmail.toml` is compared here, or is said to be harmless.

A test holds the tables at the end against the fields of the settings, so that none is forgotten: a new one gets a line
in `COMPARED`, or in `HARMLESS` with the reason why no value of it lets through what another one stops.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import date
from types import MappingProxyType
from typing import Any

from opsmail.findings import Severity
from opsmail.messages import Message, msg
from opsmail.operator.digest import canonical_host
from opsmail.settings.files import DEFAULT_ENVIRONMENT
from opsmail.settings.load import Settings, canonical_pem
from opsmail.settings.model import (
    Gate,
    GateKey,
    Live,
    Platform,
    Policy,
    Profile,
    Runtime,
    ServerEntry,
    SettingsFile,
    StoreSettings,
)
from opsmail.settings.organisation import ExtraSchemas, OrganisationRule, RuleTest
from opsmail.settings.probe import Probe

#: What a policy makes of a rule, by the rule's id; None where it does not tell it at all.
SeverityOf = Callable[[Policy, str], Severity | None]


@dataclass(frozen=True, slots=True)
class Loosening:
    """One thing that settings allow and the former ones did not.

    Args:
        path: its field in the new settings, dotted, elements of arrays by their index; also where it is gone there.
        message: what it is, in words; without the store's address and without references.
    """

    path: str
    message: Message


def loosenings(old: Settings, new: Settings, severity_of: SeverityOf) -> Iterator[Loosening]:
    """Yield what the new settings allow and the old ones did not; nothing where they are alike or stricter.

    What has no order (another CA, address, reference, store) is told whenever it changes. The first catalogue where
    there was none is stricter. Waivers are no settings: each new one has a finding of its own.

    Args:
        old: of one environment.
        new: likewise.
        severity_of: judges rules by a policy; what rules there are is not known here.
    """
    yield from _section(_Field("", None, old, new, severity_of), old.file, new.file)


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


@dataclass(frozen=True, slots=True)
class _Field:
    """A field while it is compared: where it stands, of which server it is, and the settings around it."""

    path: str
    host: str | None
    old: Settings
    new: Settings
    severity_of: SeverityOf

    def below(self, name: str, host: str | None = None) -> _Field:
        return replace(self, path=f"{self.path}.{name}" if self.path else name, host=host or self.host)

    @property
    def name(self) -> Message:
        if self.host is None:
            return msg("`{field}`", field=self.path)
        return msg("`{field}` of `{host}`", field=self.path.rpartition(".")[2], host=self.host)

    def found(self, message: Message) -> Loosening:
        return Loosening(self.path, message)


_Compare = Callable[[_Field, Any, Any], Iterator[Loosening]]


def _section(field: _Field, old: Any, new: Any) -> Iterator[Loosening]:
    for name, compare in COMPARED[type(new)].items():
        yield from compare(field.below(name), getattr(old, name), getattr(new, name))


# --- values with an order


def _lowered(order: Callable[[Any], Any]) -> _Compare:
    """The less, the looser."""
    return lambda field, old, new: _moved(field, old, new) if order(new) < order(old) else iter(())


def _raised(order: Callable[[Any], Any]) -> _Compare:
    """The more, the looser."""
    return lambda field, old, new: _moved(field, old, new) if order(new) > order(old) else iter(())


def _moved(field: _Field, old: Any, new: Any) -> Iterator[Loosening]:
    yield field.found(msg("{field} goes from `{old}` to `{new}`", field=field.name, old=old, new=new))


def _switched_on(field: _Field, old: bool, new: bool) -> Iterator[Loosening]:  # noqa: FBT001 - two values of one field
    if new and not old:
        yield field.found(msg("{field} is switched on", field=field.name))


def _put_off(field: _Field, old: date | None, new: date | None) -> Iterator[Loosening]:
    if old is not None and new is None:
        yield field.found(msg("{field} is gone, so nobody is reminded", field=field.name))
    elif old is not None and new is not None and new > old:
        yield from _moved(field, old, new)


# --- lists


def _widened(field: _Field, old: Sequence[Any], new: Sequence[Any]) -> Iterator[Loosening]:
    """Each element allows something."""
    for item in dict.fromkeys(new):
        if item not in old:
            yield field.found(msg("{field} gains `{item}`", field=field.name, item=item))


def _domains(field: _Field, old: Sequence[str], new: Sequence[str]) -> Iterator[Loosening]:
    """Each element allows something, and none at all allows everything."""
    if old and not new:
        yield field.found(msg("{field} names no domain any more, so every domain is allowed", field=field.name))
    elif old:
        yield from _widened(field, old, new)


def _narrowed(field: _Field, old: Sequence[Any], new: Sequence[Any]) -> Iterator[Loosening]:
    """Each element demands something."""
    for item in dict.fromkeys(old):
        if item not in new:
            yield field.found(msg("{field} loses `{item}`", field=field.name, item=item))


def _selectors_added(field: _Field, old: Sequence[str], new: Sequence[str]) -> Iterator[Loosening]:
    """Rule ids, or the start of them, that switch something off."""
    yield from _widened(field, old, [item for item in new if not item.startswith(tuple(old))])


def _selectors_removed(field: _Field, old: Sequence[str], new: Sequence[str]) -> Iterator[Loosening]:
    yield from _narrowed(field, [item for item in old if not item.startswith(tuple(new))], new)


def _patterns(field: _Field, old: Sequence[str], new: Sequence[str]) -> Iterator[Loosening]:
    """Patterns of secret references; one that an old one covers lets nothing new through."""
    expressions = ["[^/#]*".join(re.escape(part) for part in pattern.split("*")) for pattern in old]
    yield from _widened(
        field, old, [item for item in new if not any(re.fullmatch(expression, item) for expression in expressions)]
    )


# --- what has no order


def _changed(field: _Field, old: Any, new: Any) -> Iterator[Loosening]:
    if old != new:
        yield field.found(msg("{field} changes", field=field.name))


def _authority(field: _Field, old: str | None, new: str | None) -> Iterator[Loosening]:
    """The certificates count, whatever the file is called and whatever else stands in it."""
    before, after = (
        None if path is None else canonical_pem(side.texts[path]) for path, side in ((old, field.old), (new, field.new))
    )
    if before != after:
        yield field.found(msg("{field} is another one, so other servers can show that they are it", field=field.name))


# --- fields that make sense only together


def _severities(field: _Field, old: Mapping[str, Any], new: Mapping[str, Any]) -> Iterator[Loosening]:
    """By themselves, with the rest of the policy as it is: the profile has its own line."""
    policy = field.new.file.policy
    for rule in sorted(old.keys() | new.keys()):
        before = field.severity_of(replace(policy, severity=old), rule)
        after = field.severity_of(policy, rule)
        if (after or 0) < (before or 0):
            message = msg(
                "{rule} is told as {after} instead of {before}",
                rule=rule,
                after="–" if after is None else after.label,
                before="–" if before is None else before.label,
            )
            yield field.below(rule).found(message)


def _platform(field: _Field, old: Platform, new: Platform) -> Iterator[Loosening]:
    """What a platform cannot do is found only while it is named."""
    if old not in (new, Platform.OTHER):
        yield from _moved(field, old, new)


def _version(field: _Field, old: str | None, new: str | None) -> Iterator[Loosening]:
    if field.old.file.runtime.platform is not field.new.file.runtime.platform or old is None:
        return  # another platform has its own line
    if new is None:
        yield field.found(msg("{field} is gone, so nothing is known to be too old", field=field.name))
    elif _numbers(new) > _numbers(old):
        yield from _moved(field, old, new)


def _numbers(version: str) -> list[int]:
    return [int(number) for number in version.split(".")]


def _servers(
    field: _Field, old: Sequence[ServerEntry] | None, new: Sequence[ServerEntry] | None
) -> Iterator[Loosening]:
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


def _keys(field: _Field, old: Sequence[GateKey], new: Sequence[GateKey]) -> Iterator[Loosening]:
    """A key is its bytes, not its file's name; of two entries for one key the last counts, as where it verifies."""
    before, after = _counting(field.old, old), _counting(field.new, new)
    places = {field.new.texts[key.file]: (index, key.file) for index, key in enumerate(new)}
    for text, counts in after.items():
        gained = counts - before.get(text, frozenset())
        if gained:
            index, file = places[text]
            what = ", ".join(f"`{kind}` in `{environment}`" for kind, environment in sorted(gained))
            yield field.below(f"{index}.file").found(
                msg("the key `{file}` counts where it did not: {what}", file=file, what=what)
            )


def _counting(settings: Settings, keys: Sequence[GateKey]) -> Mapping[str, frozenset[tuple[str, str]]]:
    """Return for each key's text the kinds and environments in which its statements count."""
    return {
        settings.texts[key.file]: frozenset(
            (kind.value, environment) for kind in key.kinds for environment in key.environments if not key.revoked
        )
        for key in keys
    }


def _rules(field: _Field, old: Sequence[OrganisationRule], new: Sequence[OrganisationRule]) -> Iterator[Loosening]:
    """Which of two conditions is stricter cannot be told: another one is told whichever it is."""
    after = {rule.id: (index, rule) for index, rule in enumerate(new)}
    for before in old:
        if before.id not in after:
            yield field.found(msg("the rule {id} is gone", id=before.id))
            continue
        index, rule = after[before.id]
        here = field.below(str(index))
        if (rule.when, rule.require) != (before.when, before.require):
            yield here.below("require").found(msg("the rule {id} demands something else", id=rule.id))
        if Severity[rule.severity.name] < Severity[before.severity.name]:
            yield from _moved(here.below("severity"), before.severity, rule.severity)


def _schemas(field: _Field, old: Sequence[str], new: Sequence[str]) -> Iterator[Loosening]:
    """A schema is its text, and what it refers to in the others: it cannot be told which of two is stricter."""
    yield from _narrowed(field, old, new)
    for index, path in enumerate(new):
        if path in old and field.old.texts[path] != field.new.texts[path]:
            yield field.below(str(index)).found(msg("the schema `{path}` changes", path=path))


#: How each field is compared.
COMPARED: Mapping[type, Mapping[str, _Compare]] = MappingProxyType(
    {
        SettingsFile: {
            "policy": _section,
            "runtime": _section,
            "servers": _servers,
            "rules": _rules,
            "schema": _section,
            "gate": _section,
            "store": _section,
        },
        Policy: {
            "profile": _lowered((Profile.MINIMAL, Profile.RECOMMENDED, Profile.STRICT).index),
            "ignore": _selectors_added,
            "severity": _severities,
            "unwaivable": _selectors_removed,
            "ruleset": _lowered(int),
            "plugins": _changed,
            "sender_domains": _domains,
            "deprecation_notice_days": _lowered(int),
        },
        ExtraSchemas: {"extra": _schemas},
        Runtime: {"platform": _platform, "version": _version},
        ServerEntry: {
            "connections": _widened,
            "authentication": _widened,
            "sender_domains": _domains,
            "secrets": _patterns,
            "tenants": _widened,
            "client_ids": _widened,
            "microsoft_tokens": _switched_on,
            "authority": _changed,
            "authority_ca": _authority,
            "federated_audience": _changed,
            "federated_token": _changed,
            "private": _switched_on,
            "ca": _authority,
            "address": _changed,
            "review_by": _put_off,
        },
        Gate: {
            "require": _narrowed,
            "max_age": _raised(lambda duration: duration.length),
            "signing_key": _changed,
            "keys": _keys,
        },
        StoreSettings: {
            "url": _changed,
            "password": _changed,
            "ca": _authority,
            "max_update_percent": _raised(int),
            "max_delete_percent": _raised(int),
            "min_fleet_for_percent": _raised(int),
            "max_changes": _raised(int),
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
