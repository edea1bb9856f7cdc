"""How two values of a field of the settings are compared: what the new one allows and the old one does not."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import replace
from datetime import date
from typing import Any

from opsmail.findings import Severity
from opsmail.messages import Message, msg
from opsmail.settings.load import Settings, canonical_pem
from opsmail.settings.model import GateKey, Platform, Policy
from opsmail.settings.organisation import OrganisationRule
from opsmail.values import dataclass

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


@dataclass(frozen=True, slots=True)
class Field:
    """A field while it is compared: where it stands, of which server it is, and the settings around it."""

    path: str
    host: str | None
    old: Settings
    new: Settings
    severity_of: SeverityOf

    def below(self, name: str, host: str | None = None) -> Field:
        """Return a field of this section; with `host`, of that server's entry."""
        return replace(self, path=f"{self.path}.{name}" if self.path else name, host=host or self.host)

    @property
    def name(self) -> Message:
        """How it is called in words."""
        if self.host is None:
            return msg("`{field}`", field=self.path)
        return msg("`{field}` of `{host}`", field=self.path.rpartition(".")[2], host=self.host)

    def found(self, message: Message) -> Loosening:
        """Return what it allows."""
        return Loosening(self.path, message)


Compare = Callable[[Field, Any, Any], Iterator[Loosening]]


# --- values with an order


def lowered(order: Callable[[Any], Any]) -> Compare:
    """The less, the looser."""
    return lambda field, old, new: _moved(field, old, new) if order(new) < order(old) else iter(())


def raised(order: Callable[[Any], Any]) -> Compare:
    """The more, the looser."""
    return lambda field, old, new: _moved(field, old, new) if order(new) > order(old) else iter(())


def _moved(field: Field, old: Any, new: Any) -> Iterator[Loosening]:
    yield field.found(msg("{field} goes from `{old}` to `{new}`", field=field.name, old=old, new=new))


def switched_on(field: Field, old: bool, new: bool) -> Iterator[Loosening]:  # noqa: FBT001 - two values of one field
    """Something is allowed that was not."""
    if new and not old:
        yield field.found(msg("{field} is switched on", field=field.name))


def put_off(field: Field, old: date | None, new: date | None) -> Iterator[Loosening]:
    """The later, the looser."""
    if old is not None and new is None:
        yield field.found(msg("{field} is gone, so nobody is reminded", field=field.name))
    elif old is not None and new is not None and new > old:
        yield from _moved(field, old, new)


# --- lists


def widened(field: Field, old: Sequence[Any], new: Sequence[Any]) -> Iterator[Loosening]:
    """Each element allows something."""
    for item in dict.fromkeys(new):
        if item not in old:
            yield field.found(msg("{field} gains `{item}`", field=field.name, item=item))


def domains(field: Field, old: Sequence[str], new: Sequence[str]) -> Iterator[Loosening]:
    """Each element allows something, and none at all allows everything."""
    if old and not new:
        yield field.found(msg("{field} names no domain any more, so every domain is allowed", field=field.name))
    elif old:
        yield from widened(field, old, new)


def narrowed(field: Field, old: Sequence[Any], new: Sequence[Any]) -> Iterator[Loosening]:
    """Each element demands something."""
    for item in dict.fromkeys(old):
        if item not in new:
            yield field.found(msg("{field} loses `{item}`", field=field.name, item=item))


def selectors_added(field: Field, old: Sequence[str], new: Sequence[str]) -> Iterator[Loosening]:
    """Rule ids, or the start of them, that switch something off."""
    yield from widened(field, old, [item for item in new if not item.startswith(tuple(old))])


def selectors_removed(field: Field, old: Sequence[str], new: Sequence[str]) -> Iterator[Loosening]:
    """Rule ids, or the start of them, that switch something on."""
    yield from narrowed(field, [item for item in old if not item.startswith(tuple(new))], new)


def patterns(field: Field, old: Sequence[str], new: Sequence[str]) -> Iterator[Loosening]:
    """Patterns of secret references; one that an old one covers lets nothing new through."""
    expressions = ["[^/#]*".join(re.escape(part) for part in pattern.split("*")) for pattern in old]
    yield from widened(
        field, old, [item for item in new if not any(re.fullmatch(expression, item) for expression in expressions)]
    )


# --- what has no order


def changed(field: Field, old: Any, new: Any) -> Iterator[Loosening]:
    """Whichever of two is the looser, it is another one."""
    if old != new:
        yield field.found(msg("{field} changes", field=field.name))


def authority(field: Field, old: str | None, new: str | None) -> Iterator[Loosening]:
    """The certificates count, whatever the file is called and whatever else stands in it."""
    before, after = (
        None if path is None else canonical_pem(side.texts[path]) for path, side in ((old, field.old), (new, field.new))
    )
    if before != after:
        yield field.found(msg("{field} is another one, so other servers can show that they are it", field=field.name))


# --- fields that make sense only together


def severities(field: Field, old: Mapping[str, Any], new: Mapping[str, Any]) -> Iterator[Loosening]:
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


def platform(field: Field, old: Platform, new: Platform) -> Iterator[Loosening]:
    """What a platform cannot do is found only while it is named."""
    if old not in (new, Platform.OTHER):
        yield from _moved(field, old, new)


def version(field: Field, old: str | None, new: str | None) -> Iterator[Loosening]:
    """What an older version cannot do is found only while it is named."""
    if field.old.file.runtime.platform is not field.new.file.runtime.platform or old is None:
        return  # another platform has its own line
    if new is None:
        yield field.found(msg("{field} is gone, so nothing is known to be too old", field=field.name))
    elif _numbers(new) > _numbers(old):
        yield from _moved(field, old, new)


def _numbers(version: str) -> list[int]:
    return [int(number) for number in version.split(".")]


def keys(field: Field, old: Sequence[GateKey], new: Sequence[GateKey]) -> Iterator[Loosening]:
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


def rules(field: Field, old: Sequence[OrganisationRule], new: Sequence[OrganisationRule]) -> Iterator[Loosening]:
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


def schemas(field: Field, old: Sequence[str], new: Sequence[str]) -> Iterator[Loosening]:
    """A schema is its text, and what it refers to in the others: it cannot be told which of two is stricter."""
    yield from narrowed(field, old, new)
    for index, path in enumerate(new):
        if path in old and field.old.texts[path] != field.new.texts[path]:
            yield field.below(str(index)).found(msg("the schema `{path}` changes", path=path))
