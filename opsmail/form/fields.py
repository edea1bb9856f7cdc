"""The fields of the form, in the order of the administration forms that people know, as the model describes them."""

from __future__ import annotations

import types
import typing
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import MISSING, dataclass, field, fields, is_dataclass
from datetime import date
from enum import Enum, StrEnum
from functools import cache
from typing import Annotated, Any, Literal

from opsmail.constraints import Doc
from opsmail.operator.model import Operator
from opsmail.references import SecretReference

#: What is left out of it stays as it is in the file: `version` is always 1, and `labels` are no fixed fields.
_ORDER = (
    "operator",
    "name",
    "role",
    "enabled",
    "authentication.type",
    "server.host",
    "server.port",
    "sender.address",
    "sender.display_name",
    "sender.reply_to",
    "sender.send_as",
    "authentication.username",
    "authentication.password",
    "authentication.tenant",
    "authentication.client_id",
    "authentication.cloud",
    "authentication.credential.kind",
    "authentication.credential.secret",
    "authentication.credential.pfx",
    "authentication.credential.passphrase",
    "authentication.credential.client_id",
    "authentication.credential.token_cache",
    "authentication.secret_expires",
    "server.encryption",
    "server.minimum_tls",
    "limits.messages_per_minute",
)


class Input(StrEnum):
    """How a value is entered."""

    TEXT = "text"
    NUMBER = "number"
    DATE = "date"
    CHOICE = "choice"
    CHECK = "check"


@dataclass(frozen=True, slots=True)
class Field:
    """One field of the form.

    Args:
        path: dotted, as in the file.
        title: a few words, English.
        help: a sentence or two, English; pieces between backticks are code.
        input: how it is entered.
        choices: what can be chosen.
        example: a valid value; empty where there is none.
        default: what it means where it is left out; None where it must be given, or means nothing.
        required: whether it must be given where it applies.
        applies: the field that decides whether there is such a field, to its values with which there is.
    """

    path: str
    title: str
    help: str
    input: Input
    choices: tuple[str, ...] = ()
    example: str = ""
    default: str | bool | None = None
    required: bool = False
    applies: Mapping[str, tuple[str, ...]] = field(default_factory=dict)

    def is_in(self, values: Mapping[str, str | bool]) -> bool:
        """Whether there is such a field with these values."""
        return all(values.get(path) in allowed for path, allowed in self.applies.items())


@cache
def form_fields() -> tuple[Field, ...]:
    """Return the fields, in their order."""
    found: dict[str, Field] = {}
    for item in _described(Operator, "", {}):
        known = found.get(item.path)
        found[item.path] = item if known is None else _joined(known, item)
    return tuple(found[path] for path in _ORDER)


def _joined(one: Field, other: Field) -> Field:
    """Return a field that several kinds of a section have: it is there with each of them."""
    applies = {
        path: tuple(dict.fromkeys((*allowed, *other.applies.get(path, ())))) for path, allowed in one.applies.items()
    }
    choices = tuple(dict.fromkeys((*one.choices, *other.choices)))
    return Field(one.path, one.title, one.help, one.input, choices, one.example, one.default, one.required, applies)


def _described(target: Any, prefix: str, applies: Mapping[str, tuple[str, ...]]) -> Iterator[Field]:
    hints = typing.get_type_hints(target, include_extras=True)
    for item in fields(target):
        path = f"{prefix}{item.name}"
        annotation, doc = _unwrapped(hints[item.name])
        members = [member for member in _members(annotation) if is_dataclass(member) and member is not SecretReference]
        if members:
            for member in members:
                tag = _tag(member)
                inner = applies if tag is None else {**applies, f"{path}.{tag[0]}": (tag[1],)}
                if tag is not None:
                    yield _choice_of(f"{path}.{tag[0]}", tag[1], doc, applies)
                yield from _described(member, f"{path}.", inner)
        elif doc is not None:
            yield _field(path, annotation, doc, item, applies)


def _choice_of(path: str, value: str, doc: Doc | None, applies: Mapping[str, tuple[str, ...]]) -> Field:
    title, help_ = ("", "") if doc is None else (doc.title, doc.description)
    return Field(path, title, help_, Input.CHOICE, (value,), required=True, applies=applies)


def _field(path: str, annotation: Any, doc: Doc, item: Any, applies: Mapping[str, tuple[str, ...]]) -> Field:
    kinds = {bool: Input.CHECK, int: Input.NUMBER, date: Input.DATE}
    is_choice = isinstance(annotation, type) and issubclass(annotation, Enum)
    has_default = item.default not in (None, MISSING)
    default = item.default if isinstance(item.default, bool) else str(item.default) if has_default else None
    return Field(
        path,
        doc.title,
        doc.description,
        Input.CHOICE if is_choice else kinds.get(annotation, Input.TEXT),
        tuple(choice.value for choice in annotation) if is_choice else (),
        str(doc.examples[0]) if doc.examples and not is_choice else "",
        default,
        item.default is MISSING and item.default_factory is MISSING,
        applies,
    )


def _unwrapped(annotation: Any) -> tuple[Any, Doc | None]:
    """Return the type without what is said of it, and its description."""
    doc = None
    while True:
        if typing.get_origin(annotation) is Annotated:
            annotation, *said = typing.get_args(annotation)
            doc = next((item for item in said if isinstance(item, Doc)), doc)
            continue
        inner = [item for item in _members(annotation) if item is not types.NoneType]
        if len(inner) != 1 or inner[0] is annotation:
            return annotation, doc
        annotation = inner[0]


def _members(annotation: Any) -> Sequence[Any]:
    origin = typing.get_origin(annotation)
    return typing.get_args(annotation) if origin in (typing.Union, types.UnionType) else (annotation,)


def _tag(section: Any) -> tuple[str, str] | None:
    """Return the field that tells a kind of section from the others, and its value for this one."""
    for name, hint in typing.get_type_hints(section).items():
        if typing.get_origin(hint) is Literal:
            return name, str(typing.get_args(hint)[0])
    return None
