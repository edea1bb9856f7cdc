"""What a file's data are to be after a fix."""

from __future__ import annotations

import copy
from collections.abc import Iterable
from typing import Any

from opsmail.findings import Deletion, FileChange, MarkRemoval, Renaming, Replacement, SchemeReplacement

#: Values change while every path is still right; deletions move the entries behind them.
_ORDER: tuple[type, ...] = (MarkRemoval, Replacement, SchemeReplacement, Renaming, Deletion)


def intended(data: Any, changes: Iterable[FileChange]) -> Any:
    """Return plain data with nothing but `changes` made in them.

    Args:
        data: a mapping or list of plain values; left as it is.
        changes: their paths exist in it, and none lies within another.
    """
    result = copy.deepcopy(data)
    for change in sorted(changes, key=_turn):
        if isinstance(change, MarkRemoval):
            continue
        parent, _, name = change.path.rpartition(".")
        section = _at(result, parent)
        place = int(name) if isinstance(section, list) else name
        if isinstance(change, Replacement):
            section[place] = change.value
        elif isinstance(change, SchemeReplacement):
            section[place] = f"{change.scheme}://{section[place].partition('://')[2]}"
        elif isinstance(change, Renaming):
            fields = [(change.name if key == place else key, value) for key, value in section.items()]
            section.clear()
            section.update(fields)
        else:
            del section[place]
    return result


def _turn(change: FileChange) -> tuple[int, int]:
    entry = -int(change.path.rpartition(".")[2]) if isinstance(change, Deletion) else 0
    return _ORDER.index(type(change)), entry


def _at(data: Any, path: str) -> Any:
    for name in path.split(".") if path else ():
        data = data[int(name)] if isinstance(data, list) else data[name]
    return data
