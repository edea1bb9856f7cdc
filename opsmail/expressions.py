"""Regular expressions that are compiled when they are first used.

Compiling takes longer than looking at many files, and most expressions are needed only for what is wrong in one.
"""

from __future__ import annotations

import re
from typing import Any, cast


class _Uncompiled:
    """Stands for a compiled expression and becomes one: what was looked up once is found directly from then on."""

    def __init__(self, pattern: str, flags: int) -> None:
        self.pattern = pattern
        self._flags = flags

    def __getattr__(self, name: str) -> Any:
        value = getattr(re.compile(self.pattern, self._flags), name)
        setattr(self, name, value)
        return value


def expression(pattern: str, flags: int = 0) -> re.Pattern[str]:
    """Return what `re.compile` returns, except that a mistake in the pattern is told by its first use.

    Args:
        pattern: the regular expression.
        flags: as `re` names them.
    """
    return cast("re.Pattern[str]", _Uncompiled(pattern, flags))
