"""What of a file may be shown: only what opsmail understands and knows not to be secret.

A password may have been typed anywhere: into a field with a misspelt name, as the name itself, into a comment. So a
part of a file is shown because it is known to be harmless, never because nothing speaks against it.
"""

from __future__ import annotations

import dataclasses
import types
import typing
from collections import defaultdict
from collections.abc import Container, Iterator, Mapping
from enum import StrEnum
from typing import Annotated, Any, Literal, Union

from opsmail.check.detection import OLD_ENCRYPTION_NAME, holds_secret, looks_like_token
from opsmail.references import SecretReference
from opsmail.shape import may_show, shown_name
from opsmail.values import dataclass


@dataclass(frozen=True, slots=True)
class Disclosure:
    """The fields of one kind of file, and whether their values may be shown.

    Args:
        names: path of each section to the names of its fields; the whole file is the section "".
        public: paths of the values that may be shown; a last `*` stands for any name.
        secret: paths of the fields that hold secret references.
        choices: paths of the fields with a fixed set of values, to those.
        schemes: those that are known. A reference with another one may be a password with `://` in it.
    """

    names: Mapping[str, tuple[str, ...]]
    public: frozenset[str]
    secret: frozenset[str]
    choices: Mapping[str, tuple[str, ...]]
    schemes: Container[str] = frozenset()

    @classmethod
    def of(cls, target: type, schemes: Container[str] = frozenset()) -> Disclosure:
        """Return what may be shown of a file that `target`, an annotated dataclass, describes."""
        names: dict[str, dict[str, None]] = defaultdict(dict)
        public, secret = set(), set()
        choices: dict[str, list[str]] = defaultdict(list)
        for path, annotation in _fields(target, ""):
            section, _, name = path.rpartition(".")
            names[section][name] = None
            if annotation is SecretReference:
                secret.add(path)
            elif annotation is not dict:
                public.add(path)
                choices[path] += _choices(annotation)
        return cls(
            {path: tuple(found) for path, found in names.items()},
            frozenset(public),
            frozenset(secret),
            {path: tuple(found) for path, found in choices.items() if found},
            schemes,
        )

    def shows_key(self, path: str) -> bool:
        """Whether the name of the field at `path` may be shown."""
        section, _, name = path.rpartition(".")
        known = self.names.get(section)
        if known is None or name.isdecimal():  # an element of a list where none belongs
            return False
        if looks_like_token(name):
            return False
        return "*" in known or shown_name(name, known) is not None

    def shown_part(self, path: str, value: object, written: str) -> int:
        """Return how many characters of a value, as it is written, may be shown.

        Args:
            path: its field.
            value: what it means.
            written: how it stands in the file, quotes included.
        """
        if path in self.secret:
            return self._shown_reference(value, written)
        if holds_secret(path, str(value)) or not self._is_choice(path, str(value)):
            return 0
        section, _, name = path.rpartition(".")
        is_free = f"{section}.*" in self.public and not name.isdecimal()
        return len(written) if path in self.public or is_free else 0

    def _is_choice(self, path: str, value: str) -> bool:
        """Whether a field with a few values has one of those, or one of them misspelt or by an old name."""
        allowed = self.choices.get(path)
        return allowed is None or may_show(value, allowed) or OLD_ENCRYPTION_NAME.fullmatch(value) is not None

    def _shown_reference(self, value: object, written: str) -> int:
        reference = SecretReference.parse(value) if isinstance(value, str) else None
        if reference is None or reference.is_literal:
            return 0
        if reference.scheme in self.schemes:
            return len(written)
        return written.index("://") + len("://")


def _choices(annotation: Any) -> list[str]:
    if isinstance(annotation, type) and issubclass(annotation, StrEnum):
        return [item.value for item in annotation]
    return [str(item) for item in typing.get_args(annotation)] if typing.get_origin(annotation) is Literal else []


def _fields(target: Any, prefix: str) -> Iterator[tuple[str, Any]]:
    """Yield the path of each field below a dataclass with its bare type; `dict` stands for a section."""
    for name, hint in typing.get_type_hints(target, include_extras=True).items():
        yield from _field(hint, prefix + name)


def _field(annotation: Any, path: str) -> Iterator[tuple[str, Any]]:
    origin, arguments = typing.get_origin(annotation), typing.get_args(annotation)
    if origin is Annotated:
        yield from _field(arguments[0], path)
    elif origin in (Union, types.UnionType):
        for member in arguments:
            if member is not type(None):
                yield from _field(member, path)
    elif origin is not None and isinstance(origin, type) and issubclass(origin, Mapping):
        yield path, dict
        yield f"{path}.*", str
    elif dataclasses.is_dataclass(annotation) and annotation is not SecretReference:
        yield path, dict
        yield from _fields(annotation, f"{path}.")
    else:
        yield path, annotation
