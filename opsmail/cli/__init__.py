"""The command line: options to values, a stage, an output, an exit code."""

from __future__ import annotations


def main() -> None:
    """Run the `opsmail` command and end the process with its exit code."""
    import sys

    from opsmail.cli.face import run

    sys.exit(run(sys.argv[1:]))
