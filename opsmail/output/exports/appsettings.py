"""A file `appsettings.json` for .NET, in which keys are compared without case.

Source: https://learn.microsoft.com/dotnet/core/extensions/configuration-providers#json-configuration-provider
"""

from __future__ import annotations

from typing import Any

from opsmail.errors import RefusedError
from opsmail.messages import msg
from opsmail.output.escape import json_text
from opsmail.transfer.published import Fleet

#: Labels are called as people call them.
_FREE = "labels"


def render(fleet: Fleet) -> str:
    """Return the JSON of a fleet: `MailOperators:<operator>:Server:Host`.

    Raises:
        RefusedError: two labels of an operator differ by case only.
    """
    operators = {}
    for name, effective in fleet.operators.items():
        _require_distinct(effective.operator.labels, name)
        operators[name] = _section(effective.document()["operator"])
    return json_text({"MailGeneration": fleet.generation, "MailOperators": operators})


def _section(section: dict[str, Any]) -> dict[str, Any]:
    return {
        _name(name): _section(value) if isinstance(value, dict) and name != _FREE else value
        for name, value in section.items()
    }


def _name(name: str) -> str:
    """Return a field's name as .NET writes names: `reply_to` is `ReplyTo`."""
    return "".join(part.capitalize() for part in name.split("_"))


def _require_distinct(labels: Any, operator: str) -> None:
    seen: dict[str, str] = {}
    for label in labels:
        other = seen.setdefault(label.lower(), label)
        if other != label:
            raise RefusedError(
                msg(
                    "{operator}: the labels `{first}` and `{second}` are one key to .NET",
                    operator=operator,
                    first=other,
                    second=label,
                ),
                hint=msg("export as JSON, or give one of them another name"),
            )
