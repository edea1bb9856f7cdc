"""Every effective setting with where it comes from."""

from __future__ import annotations

import dataclasses
import tomllib
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import Any

from opsmail.settings.files import DEFAULT_ENVIRONMENT
from opsmail.settings.load import Settings
from opsmail.settings.toml import FieldLines
from opsmail.shape import encode


class OriginKind(StrEnum):
    """What decided about a value."""

    DEFAULT = "default"
    FILE = "file"
    OVERLAY = "environment"
    VARIABLE = "variable"
    OPTION = "option"


@dataclass(frozen=True, slots=True)
class Origin:
    """Where a value comes from.

    Args:
        kind: what decided.
        name: the file, the environment variable or the option; empty for a default.
        line: in the file, from 1; None elsewhere.
        environment: whose overlay in the file it is; None elsewhere.
    """

    kind: OriginKind
    name: str = ""
    line: int | None = None
    environment: str | None = None


@dataclass(frozen=True, slots=True)
class EffectiveValue:
    """One setting.

    Args:
        path: names joined by dots, elements of arrays by their index: `servers.1.host`.
        value: as plain data; None where nothing is set.
        origin: where it comes from.
    """

    path: str
    value: Any
    origin: Origin


def effective_values(settings: Settings) -> Iterator[EffectiveValue]:
    """Yield every setting in the order of the model: those of tables one by one, a list of texts as one."""
    origins = _Origins(settings)
    for path, value in _values(settings.file, ""):
        yield EffectiveValue(path, encode(value), origins.of(path))


def _values(value: object, path: str) -> Iterator[tuple[str, object]]:
    parts = _parts(value)
    if not parts:
        yield path, value
        return
    prefix = f"{path}." if path else ""
    for name, part in parts:
        yield from _values(part, f"{prefix}{name}")


def _parts(value: object) -> Sequence[tuple[str, object]]:
    """Return what a table or an array of tables consists of; nothing for all else, and where it is empty."""
    if isinstance(value, Mapping):
        return list(value.items())
    if _is_table(value):
        return [(field.name, getattr(value, field.name)) for field in dataclasses.fields(value)]  # type: ignore[arg-type]  # a dataclass, as _is_table says
    if isinstance(value, tuple) and all(_is_table(item) for item in value):
        return [(str(index), item) for index, item in enumerate(value)]
    return ()


def _is_table(value: object) -> bool:
    # What has a text form of its own, such as `587/starttls`, is one value; see `opsmail.shape.encode`.
    return dataclasses.is_dataclass(value) and "__str__" not in vars(type(value))


class _Origins:
    def __init__(self, settings: Settings) -> None:
        self._file = settings.name
        self._environment = settings.environment
        self._overlay_path = f"environments.{settings.environment}"
        self._base = tomllib.loads(settings.text)
        overlays = self._base.get("environments", {})
        is_default = settings.environment == DEFAULT_ENVIRONMENT
        self._overlay: object = {} if is_default else overlays[settings.environment]
        self._lines = FieldLines(settings.text)

    def of(self, path: str) -> Origin:
        """Return where the value at `path` comes from."""
        names = path.split(".")
        if _is_set(self._overlay, names):
            line = self._lines.line(path, self._overlay_path)
            return Origin(OriginKind.OVERLAY, self._file, line, self._environment)
        if _is_set(self._base, names) and not self._is_replaced(names):
            return Origin(OriginKind.FILE, self._file, self._lines.line(path))
        return Origin(OriginKind.DEFAULT)

    def _is_replaced(self, names: Sequence[str]) -> bool:
        """Whether the overlay has an array of its own around the value: arrays do not merge."""
        return any(isinstance(_found(self._overlay, names[:count]), list) for count in range(1, len(names)))


def _is_set(data: object, names: Sequence[str]) -> bool:
    return _found(data, names) is not None


def _found(data: object, names: Sequence[str]) -> object:
    """Return what stands in parsed TOML, which has no null, at a path; None for nothing."""
    for name in names:
        if isinstance(data, dict):
            data = data.get(name)
        elif isinstance(data, list) and name.isdecimal() and int(name) < len(data):
            data = data[int(name)]
        else:
            return None
    return data
