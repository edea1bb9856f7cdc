"""`--format FORMAT[:FILE]`, the same for every command that has results."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from pathlib import Path

from opsmail.cli.console import Console
from opsmail.errors import UnavailableError, UsageError
from opsmail.messages import msg


@dataclass(frozen=True, slots=True)
class Output:
    """One way in which results are written.

    Args:
        format: its name.
        file: where to; None for standard output.
    """

    format: str
    file: Path | None

    def write(self, console: Console, text: str) -> None:
        """Write a rendered result.

        Raises:
            UnavailableError: the file cannot be written.
        """
        if self.file is None:
            console.result(text)
            return
        try:
            self.file.write_text(text, encoding="utf-8")
        except OSError as error:
            raise UnavailableError(
                msg("{file} cannot be written: {reason}", file=str(self.file), reason=error.strerror or "?"),
                hint=msg("name a file in a folder that exists"),
            ) from error


def parse_outputs(texts: Sequence[str], known: Collection[str]) -> list[Output]:
    """Return the outputs that were asked for.

    Args:
        texts: as they were typed.
        known: the formats of this command.

    Raises:
        UsageError: an unknown format, or two for standard output.
    """
    outputs = []
    for text in texts:
        name, _, file = text.partition(":")
        if name not in known:
            raise UsageError(
                msg("there is no format `{name}`", name=name), hint=msg("known: {names}", names=", ".join(sorted(known)))
            )
        outputs.append(Output(name, Path(file) if file else None))
    if sum(1 for output in outputs if output.file is None) > 1:
        raise UsageError(
            msg("two formats would go to standard output"), hint=msg("give one of them a file: `--format json:findings.json`")
        )
    return outputs
