"""`check --diff`: what fixes change, as a unified diff."""

from __future__ import annotations

from collections.abc import Sequence

from opsmail.check.fixing.difference import Difference, DifferenceLine
from opsmail.output.escape import for_terminal
from opsmail.output.style import Style

_COLOURS = {"-": "red", "+": "green"}


def render(differences: Sequence[Difference], style: Style) -> str:
    """Return the changes of all files."""
    lines: list[str] = []
    for item in differences:
        path = for_terminal(item.path)
        lines += (style.paint(f"{sign} {path}", bold=True) for sign in ("---", "+++"))
        for hunk in item.hunks:
            lines.append(style.paint(f"@@ -{_range(hunk.before)} +{_range(hunk.after)} @@", "cyan"))
            lines += (_line(line, style) for line in hunk.lines)
    return "".join(f"{line}\n" for line in lines)


def _line(line: DifferenceLine, style: Style) -> str:
    # Escaped with its sign: what a CI runner obeys only at the start of a line, it does not find there.
    return style.paint(for_terminal(f"{line.sign}{line.text}"), _COLOURS.get(line.sign, ""))


def _range(lines: tuple[int, int]) -> str:
    first, count = lines
    return f"{first}" if count == 1 else f"{first},{count}"
