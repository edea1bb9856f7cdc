"""Places in a TOML file: tomllib gives values without their lines, so a finding's line comes from this scan."""

from __future__ import annotations

import re

_TABLE = re.compile(r"\s*(\[\[?)\s*([^\[\]#]+?)\s*\]\]?\s*(?:#.*)?$")
_KEY = re.compile(r"""\s*([A-Za-z0-9_."'-]+(?:\s*\.\s*[A-Za-z0-9_"'-]+)*)\s*=""")


def field_line(text: str, path: str) -> int:
    """Return the line (from 1) where the field at dotted `path` is set, or the nearest table around it; 1 when there is none.

    Args:
        text: the file.
        path: names joined by dots, elements of arrays by their index: `servers.1.host`.
    """
    places = _places(text)
    while path:
        if path in places:
            return places[path]
        path = path.rpartition(".")[0]
    return 1


def _places(text: str) -> dict[str, int]:
    places: dict[str, int] = {}
    counts: dict[str, int] = {}
    table = ""
    for number, line in enumerate(text.splitlines(), 1):
        header = _TABLE.match(line)
        if header is not None:
            table = _plain(header[2])
            if header[1] == "[[":
                index = counts.get(table, 0)
                counts[table] = index + 1
                table = f"{table}.{index}"
            places.setdefault(table, number)
            continue
        key = _KEY.match(line)
        if key is not None:
            places.setdefault(f"{table}.{_plain(key[1])}" if table else _plain(key[1]), number)
    return places


def _plain(name: str) -> str:
    return ".".join(part.strip().strip("\"'") for part in name.split("."))
