"""What conditions may look at, as types: operators and settings as protocol-buffer messages.

CEL checks the types of what has types. Of plain maps a misspelt path compiles, and is wrong in silence or an error
when the rule runs; of messages it is refused, with its place, before anything runs. The messages follow from the same
dataclasses as reading does. What a file leaves out is null, and `has(…)` asks for it.
"""

from __future__ import annotations

import dataclasses
import re
import types
import typing
from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Annotated, Any, Literal, Union

from google.protobuf import descriptor_pb2, descriptor_pool, message_factory, wrappers_pb2

from opsmail.operator.model import Operator
from opsmail.references import SecretReference
from opsmail.settings.model import SettingsFile

_PACKAGE = "opsmail"
_FIELD = descriptor_pb2.FieldDescriptorProto
#: Python type to the type of a field, and to that of one which can be null.
_LEAVES: Mapping[type, tuple[Any, str]] = {
    str: (_FIELD.TYPE_STRING, ".google.protobuf.StringValue"),
    int: (_FIELD.TYPE_INT64, ".google.protobuf.Int64Value"),
    bool: (_FIELD.TYPE_BOOL, ".google.protobuf.BoolValue"),
}
#: Of the settings, what decides about operators; the store's address, which may hold a password, is not among it.
_SETTINGS = ("policy", "runtime", "servers")
#: Names of labels that are looked at; a message cannot have some ten thousand fields.
_MOST_WORDS = 1000

#: Writes a value into a message.
Fill = Callable[[Any, Any], None]


class MessageTypes:
    """The message types of operators and settings.

    Args:
        expressions: where names of labels are looked for. Any name may be a label's, so each that an expression
            mentions becomes a field of its own, null for operators without it; `-` is written `_`.
    """

    def __init__(self, expressions: Iterable[str]) -> None:
        self._text = "\n".join(expressions)
        file = descriptor_pb2.FileDescriptorProto(name="opsmail.proto", package=_PACKAGE, syntax="proto3")
        file.dependency.append(wrappers_pb2.DESCRIPTOR.name)
        self._fill_operator = self._section(file.message_type.add(name="Operator"), [Operator])
        self._fill_settings = self._section(file.message_type.add(name="Settings"), [SettingsFile], _SETTINGS)
        self.pool = descriptor_pool.DescriptorPool()
        self.pool.AddSerializedFile(wrappers_pb2.DESCRIPTOR.serialized_pb)
        self.pool.AddSerializedFile(file.SerializeToString())
        self._operator, self._settings = map(self._class, ("Operator", "Settings"))

    def operator(self, operator: Operator) -> Any:
        """Return the message of an operator."""
        message = self._operator()
        self._fill_operator(message, operator)
        return message

    def settings(self, settings: SettingsFile) -> Any:
        """Return the message of the settings."""
        message = self._settings()
        self._fill_settings(message, settings)
        return message

    def fields(self, name: str) -> list[str]:
        """Return the names of the fields of a message type, as CEL calls the type."""
        return [field.name for field in self.pool.FindMessageTypeByName(name).fields]

    def _class(self, name: str) -> Any:
        return message_factory.GetMessageClass(self.pool.FindMessageTypeByName(f"{_PACKAGE}.{name}"))

    def _section(
        self, message: Any, targets: Sequence[Any], only: Sequence[str] = (), *, nullable: bool = False
    ) -> Fill:
        """Describe a section, that of several kinds with the fields of all, and return what writes one.

        Args:
            message: the description so far.
            targets: the dataclasses of its kinds.
            only: some of their fields; empty for all.
            nullable: the section itself may be left out, and so each of its fields is null then.
        """
        hints = [typing.get_type_hints(target, include_extras=True) for target in targets]
        annotations = {name: annotation for hint in reversed(hints) for name, annotation in hint.items()}
        fills = {
            name: self._field(message, name, annotation, nullable=nullable or not all(name in hint for hint in hints))
            for name, annotation in annotations.items()
            if not only or name in only
        }

        def fill(into: Any, section: Any) -> None:
            for name, write in fills.items():
                value = getattr(section, name, None)
                if value is not None:
                    write(into, value)

        return fill

    def _field(self, message: Any, name: str, annotation: Any, *, nullable: bool) -> Fill:
        members = _members(annotation)
        nullable = nullable or types.NoneType in members
        kinds = [member for member in members if member is not types.NoneType]
        origin, arguments = typing.get_origin(kinds[0]), typing.get_args(kinds[0])
        if origin is tuple:
            return self._list(message, name, _members(arguments[0])[0])
        if origin is not None and origin is not Literal:
            inner = message.nested_type.add(name=_type_name(name))
            _add(message, name, type=_FIELD.TYPE_MESSAGE, type_name=inner.name)
            return _within(name, self._words(inner, name))
        if _is_section(kinds[0]):
            inner = message.nested_type.add(name=_type_name(name))
            _add(message, name, type=_FIELD.TYPE_MESSAGE, type_name=inner.name)
            return _within(name, self._section(inner, kinds, nullable=nullable))
        kind = type(arguments[0]) if origin is Literal else kinds[0]
        plain, wrapper = _LEAVES.get(kind, _LEAVES[str])
        value = _text if plain == _FIELD.TYPE_STRING else _same
        if nullable:
            _add(message, name, type=_FIELD.TYPE_MESSAGE, type_name=wrapper)
            return lambda into, found: setattr(getattr(into, name), "value", value(found))
        _add(message, name, type=plain)
        return lambda into, found: setattr(into, name, value(found))

    def _list(self, message: Any, name: str, element: Any) -> Fill:
        if not _is_section(element):
            _add(message, name, type=_FIELD.TYPE_STRING, label=_FIELD.LABEL_REPEATED)
            return lambda into, found: getattr(into, name).extend(map(_text, found))
        inner = message.nested_type.add(name=_type_name(name))
        _add(message, name, type=_FIELD.TYPE_MESSAGE, type_name=inner.name, label=_FIELD.LABEL_REPEATED)
        write = self._section(inner, [element])

        def fill(into: Any, found: Any) -> None:
            for item in found:
                write(getattr(into, name).add(), item)

        return fill

    def _words(self, message: Any, name: str) -> Fill:
        words = sorted(set(re.findall(rf"\b{name}\s*\.\s*([A-Za-z_][A-Za-z0-9_]*)", self._text)))[:_MOST_WORDS]
        # `fooBar` and `foo_bar` would be one name in JSON, which nobody uses here.
        message.options.deprecated_legacy_json_field_conflicts = True
        for word in words:
            _add(message, word, type=_FIELD.TYPE_MESSAGE, type_name=_LEAVES[str][1])

        def fill(into: Any, found: Mapping[str, Any]) -> None:
            spelt = {key.replace("-", "_"): value for key, value in found.items()} | dict(found)
            for word in words:
                if word in spelt:
                    getattr(into, word).value = _text(spelt[word])

        return fill


def _members(annotation: Any) -> list[Any]:
    """Return the types that an annotation allows, without their metadata."""
    origin = typing.get_origin(annotation)
    if origin is Annotated:
        return _members(typing.get_args(annotation)[0])
    if origin in (Union, types.UnionType):
        return [member for argument in typing.get_args(annotation) for member in _members(argument)]
    return [annotation]


def _is_section(kind: Any) -> bool:
    """Whether it is written as fields; a dataclass with a `__str__` of its own is one text, as in `shape.encode`."""
    return dataclasses.is_dataclass(kind) and "__str__" not in vars(kind)


def _type_name(field: str) -> str:
    # A type and a field of one name do not go together in a message.
    return field.capitalize()


def _add(message: Any, name: str, *, label: Any = _FIELD.LABEL_OPTIONAL, **kind: Any) -> None:
    message.field.add(name=name, number=len(message.field) + 1, label=label, **kind)


def _within(name: str, write: Fill) -> Fill:
    def fill(into: Any, found: Any) -> None:
        inner = getattr(into, name)
        inner.SetInParent()
        write(inner, found)

    return fill


def _text(value: object) -> str:
    """Return a value as files write it; of a password in the place of a reference nothing."""
    if isinstance(value, SecretReference) and value.is_literal:
        return ""
    return str(value)


def _same(value: object) -> Any:
    return value
