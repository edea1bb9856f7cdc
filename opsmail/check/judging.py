"""What one run of `check` wants to be told."""

from __future__ import annotations

from typing import NamedTuple


class JudgingOptions(NamedTuple):
    """What one run wants to be told; `test` and `publish` want everything.

    Args:
        select: ids of rules or their beginnings: only those are told. Empty for all.
        ignore: ids or beginnings of rules that are not told, except those that are unwaivable.
        profile: in the place of the policy's; None for that one.
    """

    select: tuple[str, ...] = ()
    ignore: tuple[str, ...] = ()
    profile: str | None = None


EVERYTHING = JudgingOptions()
