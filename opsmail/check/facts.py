"""What rules that compare operators look at: small enough to keep of a hundred thousand, plain enough to hand on."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import fields
from functools import cache
from hashlib import blake2b
from operator import attrgetter
from typing import Any, NamedTuple

from opsmail.check.detection import SECRET_FIELDS
from opsmail.operator.digest import canonical_host
from opsmail.operator.model import ModernAuthentication, Operator
from opsmail.settings.catalogue import environment_name

_LIKENESS_BYTES = 16
#: Stands for a field that is left out: no value holds a character that cannot be seen.
_NOTHING = "\1"


class UsedSecret(NamedTuple):
    """A secret reference of an operator.

    Args:
        path: the field.
        reference: what stands there.
        account: whose secret it is: the application's, which may send for many mailboxes, or the user's.
    """

    path: str
    reference: str
    account: str


class Facts(NamedTuple):
    """One operator, as others are compared with it.

    Args:
        enabled: whether anybody may send with it.
        host: the server, as it is written.
        username: the account that logs in, in lower case; None where nobody does.
        messages_per_minute: its own limit, None for none.
        secrets: its references; values that are none are left out.
        likeness: the same for two operators that differ in nothing but their id.
    """

    enabled: bool
    host: str
    username: str | None
    messages_per_minute: int | None
    secrets: tuple[UsedSecret, ...]
    likeness: bytes

    @classmethod
    def of(cls, operator: Operator) -> Facts:
        """Return the facts of an operator."""
        username, limits = operator.username, operator.limits
        references = [(path, str(item)) for path, item in operator.references() if not item.is_literal]
        return cls(
            operator.enabled,
            operator.server.host,
            None if username is None else username.lower(),
            None if limits is None else limits.messages_per_minute,
            tuple(UsedSecret(path, text, _account(operator, path)) for path, text in references),
            _likeness(operator, references),
        )


def _account(operator: Operator, path: str) -> str:
    authentication = operator.authentication
    if isinstance(authentication, ModernAuthentication) and not path.endswith("token_cache"):
        return f"{authentication.tenant}/{authentication.client_id}".lower()
    return (operator.username or "").lower()


def _likeness(operator: Operator, references: Iterable[tuple[str, str]]) -> bytes:
    """Return a digest of all of an operator but its id, also where the id stands in the name of its secret."""
    name, server = operator.operator, operator.server
    said = [operator.name, operator.role, operator.enabled, canonical_host(server.host)]
    sections: list[Any] = [operator.sender, server, operator.authentication, operator.limits]
    sections.append(getattr(operator.authentication, "credential", None))
    for section in sections:
        if section is not None:
            said += _getter(type(section))(section)  # type: ignore[arg-type]  # mypy takes a class for unhashable
    variable = environment_name(name)
    for path, text in references:
        said += (path, _without(variable, _without(name, text)))
    for label in sorted(operator.labels.items()):
        said += label
    texts = [_NOTHING if value is None else str(value) for value in said]
    return blake2b("\0".join(texts).encode(), digest_size=_LIKENESS_BYTES).digest()


#: What `_likeness` tells in its own way: the host in its canonical form, references without the id.
_TOLD = frozenset(("host", "credential", *(path.rpartition(".")[2] for path in SECRET_FIELDS)))


@cache
def _getter(section: Any) -> Callable[[Any], tuple[Any, ...]]:
    """Return what gives the values of a section; of two at least, of which one is always there."""
    names = [field.name for field in fields(section) if field.name not in _TOLD]
    return attrgetter(*names, "__class__.__name__")


def _without(name: str, text: str) -> str:
    """Return `text` with `name`, where it stands as a word of its own, left out."""
    start = text.find(name)
    while start >= 0:
        end = start + len(name)
        if not (_continues(text[start - 1 : start]) or _continues(text[end : end + 1])):
            text = f"{text[:start]}{{operator}}{text[end:]}"
            end = start + len("{operator}")
        start = text.find(name, end)
    return text


def _continues(character: str) -> bool:
    return character.isascii() and character.isalnum()
