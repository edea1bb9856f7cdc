"""Outputs of `settings`: each effective value with its origin, as text and JSON."""

from __future__ import annotations

import json
import re
from collections.abc import Sequence
from gettext import NullTranslations
from typing import Any

from opsmail.check.detection import looks_secret
from opsmail.messages import Message, msg
from opsmail.output.escape import for_program, for_terminal, json_text
from opsmail.output.style import Style
from opsmail.references import SecretReference
from opsmail.secrets import known_schemes
from opsmail.settings.origins import EffectiveValue, Origin, OriginKind

SCHEMA = "opsmail/settings/v1"

#: A longer value does not push the origins of all others to the right.
_WIDEST = 60
#: The password of an address (RFC 3986, section 3.2.1), up to its last `@`, since not everybody escapes the others;
#: and what is called so behind its `?`.
_IN_ADDRESS = re.compile(r"(?P<before>[A-Za-z][A-Za-z0-9+.-]*://[^\s/?#:@]*):\S*(?=@)")
_PARAMETER = re.compile(
    r"(?P<before>[?&;][^=&;#\s]*(?:pass|pwd|secret|token|key|connect)[^=&;#\s]*=)[^&;#\s]*", re.IGNORECASE
)
_HIDDEN = "***"


def as_text(values: Sequence[EffectiveValue], language: NullTranslations, style: Style) -> str:
    """Return one line for each value: its path, the value as in TOML, and where it comes from."""

    def say(message: Message) -> str:
        return for_terminal(message.render(language))

    rows = []
    for item in values:
        value = say(msg("(not set)")) if item.value is None else for_terminal(_json(_disclosed(item.value)))
        rows.append((for_terminal(item.path), value, say(_told(item.origin)), item.origin))
    widths = [len(f"{path} = {value}") for path, value, _, _ in rows]
    width = max([0, *(width for width in widths if width <= _WIDEST)])
    lines = []
    for (path, value, told, origin), taken in zip(rows, widths, strict=True):
        colour = "" if origin.kind is OriginKind.DEFAULT else "cyan"
        gap = " " * (max(width - taken, 0) + 2)
        lines.append(f"{style.paint(path, bold=True)} = {value}{gap}{style.paint(f'# {told}', colour)}\n")
    return "".join(lines)


def as_json(values: Sequence[EffectiveValue]) -> str:
    """Return the same for programs; values are those of JSON, null where nothing is set."""
    document = {
        "schema": SCHEMA,
        "settings": [
            {"path": item.path, "value": _for_program(_disclosed(item.value)), "origin": _origin(item.origin)}
            for item in values
        ],
    }
    return json_text(document)


def _told(origin: Origin) -> Message:
    match origin.kind:
        case OriginKind.DEFAULT:
            return msg("default")
        case OriginKind.FILE:
            return msg("{file}:{line}", file=origin.name, line=origin.line)
        case OriginKind.OVERLAY:
            return msg("{file}:{line}, environment {name}", file=origin.name, line=origin.line, name=origin.environment)
        case _:
            return msg("{name}", name=origin.name)


def _origin(origin: Origin) -> dict[str, Any]:
    return {
        "kind": origin.kind.value,
        "name": for_program(origin.name),
        "line": origin.line,
        "environment": None if origin.environment is None else for_program(origin.environment),
    }


def _disclosed(value: Any) -> Any:
    """Return a value without what may be a secret in it: settings hold references, and the address of a store."""
    if isinstance(value, list):
        return [_disclosed(item) for item in value]
    if not isinstance(value, str) or SecretReference.parse(value).scheme in known_schemes():
        return value
    hidden = _PARAMETER.sub(rf"\g<before>{_HIDDEN}", _IN_ADDRESS.sub(rf"\g<before>:{_HIDDEN}", value))
    return _HIDDEN if looks_secret(hidden) else hidden


def _json(value: Any) -> str:
    return json.dumps(value, ensure_ascii=False)


def _for_program(value: Any) -> Any:
    if isinstance(value, list):
        return [_for_program(item) for item in value]
    return for_program(value) if isinstance(value, str) else value
