"""Environment variables, one on a line, as POSIX shells, systemd and the readers of `.env` files take them.

A name consists of `MAIL_OPERATORS`, the operator and the field, parted by two underscores, which .NET reads as a
hierarchy, too (https://learn.microsoft.com/aspnet/core/fundamentals/configuration/#non-prefixed-environment-variables).
"""

from __future__ import annotations

from opsmail.errors import RefusedError
from opsmail.messages import msg
from opsmail.output.exports.lines import leaves, require_line
from opsmail.settings.catalogue import environment_name
from opsmail.transfer.published import Fleet

_PREFIX = "MAIL_OPERATORS"
#: What double quotes do not keep as it is (POSIX.1-2017, XCU 2.2.3).
_ACTIVE = str.maketrans({character: f"\\{character}" for character in '\\"$`'})


def render(fleet: Fleet) -> str:
    """Return the lines of a fleet.

    Raises:
        RefusedError: two fields would have one name, or one is more than a line.
    """
    lines = {"MAIL_GENERATION": str(fleet.generation)}
    owners: dict[str, str] = {}
    for operator, effective in fleet.operators.items():
        for path, value in leaves(effective.document()["operator"]):
            name = "__".join([_PREFIX, *(environment_name(part) for part in (operator, *path.split(".")))])
            if name in lines:
                raise RefusedError(
                    msg(
                        "`{first}` of {one} and `{second}` of {other} have the same name as variables, {name}",
                        first=owners[name].partition(" ")[2],
                        one=owners[name].partition(" ")[0],
                        second=path,
                        other=operator,
                        name=name,
                    ),
                    hint=msg("export as JSON, or give one of them another name"),
                )
            lines[name] = require_line(value, operator, path)
            owners[name] = f"{operator} {path}"
    return "".join(f"{name}={_quoted(value)}\n" for name, value in lines.items())


def _quoted(value: str) -> str:
    """Return a value in quotes within which nothing acts."""
    return f'"{value.translate(_ACTIVE)}"' if "'" in value else f"'{value}'"
