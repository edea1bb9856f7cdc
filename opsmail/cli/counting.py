"""`check --statistics`: where figures go instead of findings."""

from __future__ import annotations

from collections.abc import Sequence

from opsmail.cli.outputs import Output
from opsmail.errors import UsageError
from opsmail.messages import msg
from opsmail.output.findings import STATISTICS


def counting_outputs(outputs: Sequence[Output], *, diff: bool) -> list[Output]:
    """Return the outputs of a run with `--statistics`: standard output has the figures, files the findings as ever.

    Args:
        outputs: those that were asked for.
        diff: standard output is taken by the difference.

    Raises:
        UsageError: figures are not written there, or not in the format that was asked for.
    """
    if diff:
        raise UsageError(
            msg("--statistics and --diff both go to standard output"), hint=msg("run the command once with each")
        )
    screen = next((output for output in outputs if output.file is None), None)
    if screen is None:
        return [*outputs, Output("text", None)]
    if screen.format not in STATISTICS:
        raise UsageError(
            msg("--statistics has no format `{name}`", name=screen.format),
            hint=msg("known: {names}", names=", ".join(STATISTICS)),
        )
    return list(outputs)
