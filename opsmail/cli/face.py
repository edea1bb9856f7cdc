"""The face of every command: the group that loads them, and the one place where outcomes become exit codes."""

from __future__ import annotations

import errno
import importlib
import os
import signal
import sys
from collections.abc import Sequence
from types import FrameType
from typing import Any

import click

from opsmail import __version__
from opsmail.cli.console import Console, abandon
from opsmail.cli.exit_codes import ExitCode
from opsmail.cli.groups import Group
from opsmail.cli.language import asked, language, language_option, spoken
from opsmail.errors import OpsmailError, RefusedError, UnavailableError, UsageError
from opsmail.messages import msg, quoted
from opsmail.shape import nearest, shown

#: Command to the module that defines it, in the order of the help.
COMMANDS = {
    "init": "opsmail.cli.init",
    "new": "opsmail.cli.new",
    "check": "opsmail.cli.check",
    "rule": "opsmail.cli.rule",
    "policy": "opsmail.cli.policy",
    "ask-it": "opsmail.cli.ask_it",
    "import": "opsmail.cli.importing",
    "settings": "opsmail.cli.settings",
    "edit": "opsmail.cli.edit",
    "secrets": "opsmail.cli.secrets",
    "test": "opsmail.cli.test",
    "login": "opsmail.cli.login",
    "approve": "opsmail.cli.approve",
    "plan": "opsmail.cli.plan",
    "publish": "opsmail.cli.publish",
    "rollback": "opsmail.cli.rollback",
    "hold": "opsmail.cli.hold",
    "release": "opsmail.cli.release",
    "drift": "opsmail.cli.drift",
    "history": "opsmail.cli.history",
    "show": "opsmail.cli.show",
    "why": "opsmail.cli.why",
    "diff": "opsmail.cli.diff",
    "report": "opsmail.cli.report",
    "export": "opsmail.cli.export",
    "status": "opsmail.cli.status",
    "store": "opsmail.cli.store",
    "keygen": "opsmail.cli.keygen",
    "evidence": "opsmail.cli.evidence",
    "schema": "opsmail.cli.schema",
    "demo": "opsmail.cli.demo",
}


class CommandGroup(Group):
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
    invoke_without_command=True,
    context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 100},
    epilog="Start with `opsmail demo`, `opsmail init` for a new repository, or `opsmail check` in one with operators.",
)
@language_option
@click.version_option(__version__, "-V", "--version", prog_name="opsmail", message="%(prog)s %(version)s")
@click.pass_context
def opsmail(ctx: click.Context) -> None:
    """Operator e-mail settings as code: checked in review, proven by a real test send, published in one step."""
    if ctx.invoked_subcommand is None:
        click.echo(ctx.get_help(), err=True)
        ctx.exit(ExitCode.USAGE)


class Terminated(BaseException):
    """The process was asked to end; raised so that everything open is closed on the way out."""


def run(arguments: Sequence[str], program: click.Command = opsmail) -> int:
    """Run one command.

    Args:
        arguments: the command line without the program's name.
        program: what takes them.

    Returns:
        The exit code.
    """
    previous = _listen()
    try:
        return _outcome(arguments, program, Console(language(asked(arguments))))
    finally:
        for number, handler in previous.items():
            signal.signal(number, handler)


def _outcome(  # noqa: PLR0911 - one return for each outcome
    arguments: Sequence[str], program: click.Command, console: Console
) -> int:
    try:
        code = program.main(args=list(arguments), prog_name="opsmail", standalone_mode=False, obj=console.language)
        if sys.stdout is not None:
            sys.stdout.flush()
        return int(code) if isinstance(code, int) else ExitCode.DONE
    except click.ClickException as error:
        with spoken(console.language):
            told = _usage_error(error)
        console.error(told)
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
    except (BrokenPipeError, SystemExit) as error:
        # click ends the process by itself when it has helped a shell to complete, and when nobody reads what it prints.
        if isinstance(error, SystemExit) and not error.code:
            return ExitCode.DONE
        abandon(1)
        return ExitCode.BROKEN_PIPE
    except MemoryError:
        console.say(msg("not enough memory"))
        return ExitCode.UNAVAILABLE
    except OSError as error:
        if error.errno not in _OUT_OF_OUR_HANDS:
            return report_defect(console, error)
        abandon(1)
        console.say(msg("the system refuses: {reason}", reason=quoted(os.strerror(error.errno))))
        return ExitCode.UNAVAILABLE
    except Exception as error:  # noqa: BLE001 - the last line of defence: whatever gets here is a defect of opsmail and is told as one
        return report_defect(console, error)


def exit_code(error: OpsmailError) -> int:
    """Return the exit code of a foreseeable failure."""
    if isinstance(error, UsageError):
        return ExitCode.USAGE
    if isinstance(error, RefusedError):
        return ExitCode.REFUSED
    if isinstance(error, UnavailableError):
        return ExitCode.UNAVAILABLE
    return ExitCode.FINDINGS


#: What the machine may refuse anywhere: a full disk, a closed output, too many open files.
_OUT_OF_OUR_HANDS = frozenset(
    (
        errno.ENOSPC,
        errno.EDQUOT,
        errno.EFBIG,
        errno.EIO,
        errno.EROFS,
        errno.EBADF,
        errno.EAGAIN,
        errno.EMFILE,
        errno.ENFILE,
        errno.ENOMEM,
        errno.EACCES,
        errno.EPERM,
    )
)


def _usage_error(error: click.ClickException) -> UsageError:
    """Return click's finding in our form: one sentence and a hint."""
    context = getattr(error, "ctx", None)
    command = "opsmail" if context is None else context.command_path
    hint = msg("see `{command} --help`", command=command)
    if not isinstance(error, click.NoSuchOption):
        return UsageError(msg("{sentence}", sentence=error.format_message()), hint=hint)
    known = {} if context is None else _options(context)
    guess = nearest(error.option_name.lstrip("-"), list(known))
    if guess is not None:
        hint = msg("did you mean `{guess}`? See `{command} --help`", guess=known[guess], command=command)
    return UsageError(msg("there is no option `{option}`", option=shown(error.option_name)), hint=hint)


def _options(context: click.Context) -> dict[str, str]:
    """Return the long options of a command by the words for them: what they are called, and what they are about.

    `--to` is about the recipient: the command calls its value so.
    """
    long = {
        item: [option for option in item.opts if option.startswith("--")]
        for item in context.command.get_params(context)
    }
    about = {str(item.name).replace("_", "-"): options[0] for item, options in long.items() if options}
    return about | {option.removeprefix("--"): option for options in long.values() for option in options}


def _listen() -> dict[signal.Signals, Any]:
    def end(number: int, frame: FrameType | None) -> None:
        # What is open is being closed: a second signal must not stop that.
        for other in numbers:
            signal.signal(other, signal.SIG_IGN)
        raise Terminated

    numbers = (signal.SIGTERM, signal.SIGHUP)
    try:
        return {number: signal.signal(number, end) for number in numbers}
    except ValueError:  # not in the main thread: whoever embeds opsmail keeps its own handlers
        return {}


def report_defect(console: Console, error: BaseException) -> int:
    """Write a report of a defect: the places in the code, never values, since one of them may be a secret.

    Args:
        console: where to say so.
        error: what got through.

    Returns:
        The exit code.
    """
    import tempfile
    import traceback

    places = [f"{frame.filename}:{frame.lineno} in {frame.name}" for frame in traceback.extract_tb(error.__traceback__)]
    lines = [f"opsmail {__version__}", f"python {sys.version.split()[0]}", type(error).__name__, *places]
    console.say(msg("a defect in opsmail: {name}", name=type(error).__name__))
    try:
        descriptor, path = tempfile.mkstemp(prefix="opsmail-defect-", suffix=".txt")
        with os.fdopen(descriptor, "w", encoding="utf-8", errors="backslashreplace") as file:
            file.write("\n".join([*lines, ""]))
    except OSError:
        for line in lines:
            console.say(msg("{line}", line=line))
        return ExitCode.DEFECT
    console.say(
        msg(
            "the report is in {path}; it holds places in the code and no values. Please send it to the project",
            path=path,
        )
    )
    return ExitCode.DEFECT
