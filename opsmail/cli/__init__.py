"""The command line: options to values, a stage, an output, an exit code."""

from __future__ import annotations


def main() -> None:
    """Run the `opsmail` command and end the process with its exit code."""
    import gc
    import sys

    # What commands make holds no cycles; looking for some again and again takes a tenth of the time of a large check.
    gc.set_threshold(100_000)
    try:
        from opsmail.cli.face import run

        code = run(sys.argv[1:])
    except KeyboardInterrupt:  # while the modules were being loaded
        code = 130
    # The end of the process frees everything: nobody gains by its looking for cycles first.
    gc.freeze()
    sys.exit(code)
