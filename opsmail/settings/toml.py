"""Places in a TOML file: tomllib gives values without their lines, so a finding's line comes from this scan."""

from __future__ import annotations

from collections.abc import Mapping

from opsmail.expressions import expression

#: The first line of a text of several lines.
_OPENING = expression(r"""[^#"'=]+=\s*(?P<quotes>\"{3}|'{3})""")


class FieldLines:
    """The line of each field and table of a TOML file.

    Args:
        text: the file; only well-formed ones have good answers.
    """

    def __init__(self, text: str) -> None:
        self._lines = _scan(text)

    def line(self, path: str, overlay: str = "") -> int:
        """Return the line (from 1) where a field is set, or the nearest table around it; 1 when there is none.

        Args:
            path: names joined by dots, elements of arrays by their index: `servers.1.host`.
            overlay: path of a table whose fields are laid over the file's, and so are looked at first.
        """
        replaced = self._is_replaced(path, overlay)
        while path:
            for candidate in (f"{overlay}.{path}", path) if overlay else (path,):
                if candidate in self._lines and (candidate != path or not replaced):
                    return self._lines[candidate]
            path = path.rpartition(".")[0]
        return 1

    def _is_replaced(self, path: str, overlay: str) -> bool:
        """Whether the field belongs to an array that the overlay has instead of the file's: arrays do not merge."""
        names = path.split(".")
        index = next((position for position, name in enumerate(names) if name.isdecimal()), None)
        if not overlay or index is None:
            return False
        array = ".".join((overlay, *names[:index]))
        return array in self._lines or f"{array}.{names[index]}" in self._lines


def _scan(text: str) -> Mapping[str, int]:
    lines: dict[str, int] = {}
    counts: dict[str, int] = {}
    table = closing = ""
    for number, raw in enumerate(text.split("\n"), 1):
        line = raw.strip()
        if closing:
            closing = "" if closing in line else closing
            continue
        opening = _OPENING.match(line)
        if opening is not None and opening["quotes"] not in line[opening.end() :]:
            closing = opening["quotes"]
        if line.startswith("["):
            header = line.partition("#")[0].rstrip()
            if header.startswith("[[") and header.endswith("]]"):
                name = _resolved(header[2:-2], counts)
                counts[name] = counts.get(name, 0) + 1
                table = f"{name}.{counts[name] - 1}"
                lines.setdefault(table, number)
            elif header.endswith("]"):
                table = _resolved(header[1:-1], counts)
                lines.setdefault(table, number)
        elif "=" in line and not line.startswith("#"):
            key = _plain(line.partition("=")[0])
            lines.setdefault(f"{table}.{key}" if table else key, number)
    return lines


def _resolved(name: str, counts: Mapping[str, int]) -> str:
    """Return a table's path; a table inside an array of tables belongs to the array's last element so far."""
    *around, last = _plain(name).split(".")
    path = ""
    for part in around:
        path = f"{path}.{part}" if path else part
        if path in counts:
            path = f"{path}.{counts[path] - 1}"
    return f"{path}.{last}" if path else last


def _plain(name: str) -> str:
    return ".".join(part.strip().strip("\"'") for part in name.split("."))
