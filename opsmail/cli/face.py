"""The face of every command: the group that loads them, and the one place where outcomes become exit codes."""

from __future__ import annotations

import importlib
import os
import signal
import sys
import tempfile
import traceback
from collections.abc import Sequence
from types import FrameType
from typing import Any

import click

from opsmail import __version__
from opsmail.cli.console import Console
from opsmail.cli.exit_codes import ExitCode
from opsmail.errors import OpsmailError, RefusedError, UnavailableError, UsageError
from opsmail.messages import msg

#: Command to the module that defines it, in the order of the help.
COMMANDS = {
    "check": "opsmail.cli.check",
    "rule": "opsmail.cli.rule",
    "test": "opsmail.cli.test",
    "plan": "opsmail.cli.plan",
    "publish": "opsmail.cli.publish",
    "history": "opsmail.cli.history",
    "show": "opsmail.cli.show",
    "keygen": "opsmail.cli.keygen",
    "evidence": "opsmail.cli.evidence",
    "schema": "opsmail.cli.schema",
    "demo": "opsmail.cli.demo",
}


class CommandGroup(click.Group):
    """Loads a command's module when it is asked for, so that `check` does not pay for `test`."""

    def list_commands(self, ctx: click.Context) -> list[str]:
        """Return the names in the order of the help."""
        return list(COMMANDS)

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        """Return the command, None when there is none of that name."""
        module = COMMANDS.get(cmd_name)
        if module is None:
            return None
        command: click.Command = importlib.import_module(module).command
        return command


@click.group(
    cls=CommandGroup,
    context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 100},
    epilog="Start with `opsmail demo`, or `opsmail check` in a repository with an operators folder.",
)
@click.version_option(__version__, "-V", "--version", prog_name="opsmail", message="%(prog)s %(version)s")
def opsmail() -> None:
    """Operator e-mail settings as code: checked in review, proven by a real test send, published in one step."""


class Terminated(BaseException):
    """The process was asked to end; raised so that everything open is closed on the way out."""


def run(arguments: Sequence[str]) -> int:
    """Run one command.

    Args:
        arguments: the command line without the program's name.

    Returns:
        The exit code.
    """
    console = Console()
    previous = _listen()
    try:
        code = opsmail.main(args=list(arguments), prog_name="opsmail", standalone_mode=False)
        sys.stdout.flush()
        return int(code) if isinstance(code, int) else ExitCode.DONE
    except click.exceptions.Exit as wanted:
        return wanted.exit_code
    except click.UsageError as error:
        error.show()
        return ExitCode.USAGE
    except click.ClickException as error:
        error.show()
        return ExitCode.USAGE
    except OpsmailError as error:
        console.error(error)
        return exit_code(error)
    except (KeyboardInterrupt, click.Abort):
        console.say(msg("interrupted; nothing half-done is left"))
        return ExitCode.INTERRUPTED
    except Terminated:
        console.say(msg("ended on request; nothing half-done is left"))
        return ExitCode.TERMINATED
    except BrokenPipeError:
        _abandon_output()
        return ExitCode.BROKEN_PIPE
    except OSError as error:
        if error.filename is not None or not _is_output(error):
            return _defect(console)
        _abandon_output()
        console.say(msg("the output cannot be written: {reason}", reason=error.strerror or str(error)))
        return ExitCode.UNAVAILABLE
    except Exception:  # the last line of defence: whatever gets here is a defect of opsmail and is told as one
        return _defect(console)
    finally:
        for number, handler in previous.items():
            signal.signal(number, handler)


def exit_code(error: OpsmailError) -> int:
    """Return the exit code of a foreseeable failure."""
    if isinstance(error, UsageError):
        return ExitCode.USAGE
    if isinstance(error, RefusedError):
        return ExitCode.REFUSED
    if isinstance(error, UnavailableError):
        return ExitCode.UNAVAILABLE
    return ExitCode.FINDINGS


def _listen() -> dict[signal.Signals, Any]:
    def end(number: int, frame: FrameType | None) -> None:
        raise Terminated

    numbers = [signal.SIGTERM] + ([signal.SIGHUP] if hasattr(signal, "SIGHUP") else [])
    try:
        return {number: signal.signal(number, end) for number in numbers}
    except ValueError:  # not in the main thread: whoever embeds opsmail keeps its own handlers
        return {}


def _is_output(error: OSError) -> bool:
    import errno

    return error.errno in (errno.ENOSPC, errno.EIO, errno.EBADF)


def _abandon_output() -> None:
    """Keep the interpreter from writing what is left when it ends: it would fail again, with a traceback."""
    with open(os.devnull, "w", encoding="utf-8") as nowhere:
        os.dup2(nowhere.fileno(), 1)


def _defect(console: Console) -> int:
    """Write a report of a defect: the place in the code, never values, since one of them may be a secret."""
    kind, error, trace = sys.exc_info()
    name = kind.__name__ if kind is not None else "?"
    frames = [f"{frame.filename}:{frame.lineno} in {frame.name}" for frame in traceback.extract_tb(trace)]
    report = "\n".join([f"opsmail {__version__}", f"python {sys.version.split()[0]}", name, *frames, ""])
    try:
        descriptor, path = tempfile.mkstemp(prefix="opsmail-defect-", suffix=".txt", text=True)
        with os.fdopen(descriptor, "w", encoding="utf-8") as file:
            file.write(report)
    except OSError:
        path = "-"
        console.say(msg("{report}", report=report))
    console.say(msg("a defect in opsmail: {name}", name=name))
    console.say(msg("the report is in {path}; it holds places in the code and no values. Please send it to the project", path=path))
    del error
    return ExitCode.DEFECT
