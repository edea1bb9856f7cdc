"""The one place where outcomes become exit codes, and what is said with each."""

from __future__ import annotations

import errno
import importlib
import os
import signal
import sys
import threading
from collections.abc import Callable, Iterator
from pathlib import Path
from types import ModuleType, SimpleNamespace

import click
import pytest
from click.shell_completion import ShellComplete

from opsmail.cli import main
from opsmail.cli.exit_codes import ExitCode
from opsmail.cli.face import COMMANDS, Terminated, exit_code, opsmail, run
from opsmail.errors import OpsmailError, RefusedError, UnavailableError, UsageError
from opsmail.messages import msg

SECRET = "hunter2-canary"


def program(action: Callable[[], object]) -> click.Command:
    """Return a command that does one thing."""

    @click.command("program")
    @click.option("--size", type=int)
    def command(size: int | None) -> object:
        return action()

    return command


def raising(error: BaseException) -> click.Command:
    def action() -> None:
        password = SECRET  # noqa: F841 - what a report must not show
        raise error

    return program(action)


class ChildError(UsageError):
    """A child of an error keeps its exit code."""


class TestExitCodes:
    @pytest.mark.parametrize(
        ("error", "code"),
        [
            (OpsmailError(msg("x")), 1),
            (UsageError(msg("x")), 2),
            (ChildError(msg("x")), 2),
            (RefusedError(msg("x")), 3),
            (UnavailableError(msg("x")), 4),
        ],
    )
    def test_of_foreseeable_failures(self, error: OpsmailError, code: int, capsys: pytest.CaptureFixture[str]) -> None:
        assert exit_code(error) == run([], raising(error)) == code
        assert capsys.readouterr().err == "error: x\n"

    @pytest.mark.parametrize(("value", "code"), [(None, 0), (0, 0), (1, 1), (ExitCode.UNAVAILABLE, 4), ("x", 0)])
    def test_of_what_a_command_returns(self, value: object, code: int) -> None:
        assert run([], program(lambda: value)) == code

    def test_of_a_command_that_has_nothing_to_print_to(self, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setattr("sys.stdout", None)
        assert run([], program(lambda: 0)) == 0

    def test_of_help_and_version(self, capsys: pytest.CaptureFixture[str]) -> None:
        assert run(["--help"], program(lambda: 1)) == 0
        assert run(["--version"]) == 0
        assert capsys.readouterr().out.splitlines()[-1].startswith("opsmail ")

    def test_a_hint_and_further_errors_are_told(self, capsys: pytest.CaptureFixture[str]) -> None:
        error = UsageError(msg("first"), hint=msg("do {what}", what="this"))
        error.further = (UsageError(msg("second"), hint=msg("do that")),)
        error.add_note("noted")
        assert run([], raising(error)) == 2
        assert capsys.readouterr().err.splitlines() == [
            "error: first",
            "       noted",
            "hint: do this",
            "error: second",
            "hint: do that",
        ]


class TestUsage:
    @pytest.mark.parametrize(
        ("arguments", "sentence"),
        [
            (["--size", "x"], "Invalid value for '--size'"),
            (["--size"], "requires an argument"),
            (["x"], "unexpected extra argument"),
        ],
    )
    def test_one_sentence_and_a_hint(
        self, arguments: list[str], sentence: str, capsys: pytest.CaptureFixture[str]
    ) -> None:
        assert run(arguments, program(lambda: 0)) == 2
        told = capsys.readouterr()
        assert told.out == ""
        first, second = told.err.splitlines()
        assert first.startswith("error: ")
        assert sentence in first
        assert second == "hint: see `opsmail --help`"

    @pytest.mark.parametrize(
        ("line", "wrong", "hint"),
        [
            ("--versoin", "option `--versoin`", "did you mean `--version`? See `opsmail --help`"),
            ("check --slect=OM2", "option `--slect`", "did you mean `--select`? See `opsmail check --help`"),
            ("test --recipient x", "option `--recipient`", "did you mean `--to`? See `opsmail test --help`"),
            ("approve --approver x", "option `--approver`", "did you mean `--as`? See `opsmail approve --help`"),
            ("check --zzzzzz", "option `--zzzzzz`", "see `opsmail check --help`"),
            ("-x", "option `-x`", "see `opsmail --help`"),
            ("chek", "command `opsmail chek`", "did you mean `opsmail check`?"),
            ("qqqqqq", "command `opsmail qqqqqq`", "see `opsmail --help`"),
            ("evidence verfy", "command `opsmail evidence verfy`", "did you mean `opsmail evidence verify`?"),
        ],
    )
    def test_the_nearest_name(self, line: str, wrong: str, hint: str, capsys: pytest.CaptureFixture[str]) -> None:
        assert run(line.split()) == 2
        assert capsys.readouterr().err == f"error: there is no {wrong}\nhint: {hint}\n"

    def test_an_option_outside_any_command(self, capsys: pytest.CaptureFixture[str]) -> None:
        assert run([], raising(click.NoSuchOption("--x"))) == 2
        assert capsys.readouterr().err == "error: there is no option `--x`\nhint: see `opsmail --help`\n"

    def test_completion_gets_no_error_for_half_a_word(self) -> None:
        completion = ShellComplete(opsmail, {}, "opsmail", "_OPSMAIL_COMPLETE")
        assert "--version" in [item.value for item in completion.get_completions(["qqqqqq"], "--")]
        assert "--select" in [item.value for item in completion.get_completions(["check"], "--se")]

    def test_what_was_typed_acts_on_no_terminal(self, capsys: pytest.CaptureFixture[str]) -> None:
        assert run(["--x\x1b[31m\u202e\n::error::"]) == 2
        assert all(char == "\n" or char.isprintable() for char in capsys.readouterr().err)

    def test_every_command_has_a_module(self) -> None:
        assert all(module.startswith("opsmail.cli.") for module in COMMANDS.values())


class TestInterruption:
    @pytest.mark.parametrize("error", [KeyboardInterrupt(), click.Abort()])
    def test_by_a_person(self, error: BaseException, capsys: pytest.CaptureFixture[str]) -> None:
        assert run([], raising(error)) == 130
        assert capsys.readouterr().err.strip() == "interrupted; nothing half-done is left"

    @pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGHUP])
    def test_by_a_signal(self, number: signal.Signals, capsys: pytest.CaptureFixture[str]) -> None:
        before = signal.getsignal(number)
        closed = []

        def action() -> None:
            try:
                os.kill(os.getpid(), number)
                signal.pause()
            finally:
                os.kill(os.getpid(), number)  # a second one does not stop what is being closed
                closed.append(True)

        assert run([], program(action)) == 143
        assert closed == [True]
        assert capsys.readouterr().err == "ended on request; nothing half-done is left\n"
        assert signal.getsignal(number) is before

    def test_it_is_no_exception_that_a_command_could_catch(self) -> None:
        assert not issubclass(Terminated, Exception)

    def test_another_thread_leaves_signals_alone(self) -> None:
        codes: list[int] = []
        thread = threading.Thread(target=lambda: codes.append(run([], program(lambda: 0))))
        thread.start()
        thread.join(10)
        assert codes == [0]


def test_an_interruption_while_modules_are_loaded(monkeypatch: pytest.MonkeyPatch) -> None:
    class Loading(ModuleType):
        def __getattr__(self, name: str) -> object:
            raise KeyboardInterrupt

    monkeypatch.setitem(sys.modules, "opsmail.cli.face", Loading("opsmail.cli.face"))
    monkeypatch.setattr("gc.freeze", lambda: None)  # this process goes on
    with pytest.raises(SystemExit) as caught:
        main()
    assert caught.value.code == 130


def test_the_process_ends_with_the_exit_code(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr("sys.argv", ["opsmail"])
    frozen: list[bool] = []
    monkeypatch.setattr("gc.freeze", lambda: frozen.append(True))  # this process goes on
    with pytest.raises(SystemExit) as caught:
        main()
    assert caught.value.code == 2
    assert frozen
    told = capsys.readouterr()
    assert told.out == ""
    assert told.err.startswith("Usage: opsmail [OPTIONS] [COMMAND] [ARGS]...")
    assert all(f"  {name} " in told.err for name in COMMANDS)


@pytest.mark.parametrize(("safe", "left"), [(True, ["checkout", "library"]), (False, ["library"])])
def test_as_a_module_it_takes_nothing_from_the_folder_it_runs_in(
    monkeypatch: pytest.MonkeyPatch, *, safe: bool, left: list[str]
) -> None:
    paths = ["checkout", "library"]
    flags = {name: getattr(sys.flags, name) for name in dir(sys.flags) if not name.startswith("_")}
    monkeypatch.setattr(sys, "flags", SimpleNamespace(**{**flags, "safe_path": safe}))
    monkeypatch.setattr(sys, "path", paths)
    ran: list[bool] = []
    monkeypatch.setattr("opsmail.cli.main", lambda: ran.append(True))
    monkeypatch.delitem(sys.modules, "opsmail.__main__", raising=False)
    importlib.import_module("opsmail.__main__")
    assert ran
    assert paths == left


@pytest.fixture
def standard_output() -> Iterator[None]:
    """Give file descriptor 1 back: a command that cannot write gives it up."""
    kept = os.dup(1)
    yield
    os.dup2(kept, 1)
    os.close(kept)


@pytest.mark.usefixtures("standard_output")
class TestSystem:
    @pytest.mark.parametrize("error", [BrokenPipeError(errno.EPIPE, "x"), SystemExit(1)])
    def test_nobody_reads(self, error: BaseException, capsys: pytest.CaptureFixture[str]) -> None:
        assert run([], raising(error)) == 141
        assert capsys.readouterr().err == ""

    @pytest.mark.parametrize("number", [errno.ENOSPC, errno.EIO, errno.EMFILE, errno.EROFS, errno.EACCES, errno.EBADF])
    def test_the_machine_refuses(self, number: int, capsys: pytest.CaptureFixture[str]) -> None:
        assert run([], raising(OSError(number, SECRET, f"/{SECRET}"))) == 4
        told = capsys.readouterr().err
        assert told == f"the system refuses: {os.strerror(number)}\n"

    def test_a_shell_was_helped_to_complete(self) -> None:
        assert run([], raising(SystemExit(0))) == 0

    def test_no_memory(self, capsys: pytest.CaptureFixture[str]) -> None:
        assert run([], raising(MemoryError())) == 4
        assert capsys.readouterr().err == "not enough memory\n"

    def test_standard_error_is_full_too(self, monkeypatch: pytest.MonkeyPatch) -> None:
        with Path("/dev/full").open("w", encoding="utf-8", buffering=1) as full:
            monkeypatch.setattr("sys.stderr", full)
            assert run([], raising(UsageError(msg("x")))) == 2
            monkeypatch.undo()
            with pytest.raises(OSError, match="No space"):
                full.flush()
            os.dup2(os.open(os.devnull, os.O_WRONLY), full.fileno())


@pytest.mark.case("L-13")
class TestDefects:
    @pytest.mark.parametrize(
        "error",
        [ValueError(SECRET), KeyError(SECRET), RecursionError(SECRET), AssertionError(SECRET), OSError(SECRET)]
        + [FileNotFoundError(errno.ENOENT, SECRET, SECRET)],
    )
    def test_a_report_without_values(
        self, error: Exception, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
    ) -> None:
        monkeypatch.setattr("tempfile.tempdir", str(tmp_path))
        assert run([], raising(error)) == 70
        (report,) = tmp_path.iterdir()
        text = report.read_text("utf-8")
        told = capsys.readouterr().err
        assert type(error).__name__ in told
        assert str(report) in told
        assert "Traceback" not in told
        assert type(error).__name__ in text
        assert f"{__file__}:" in text
        assert SECRET not in text + told
        assert report.stat().st_mode & 0o777 == 0o600

    @pytest.mark.case("L-18")
    def test_the_report_is_for_its_owner_alone(self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setattr("tempfile.tempdir", str(tmp_path))
        before = os.umask(0)
        try:
            assert run([], raising(ValueError(SECRET))) == 70
        finally:
            os.umask(before)
        (report,) = tmp_path.iterdir()
        assert report.stat().st_mode & 0o777 == 0o600

    def test_told_at_once_where_nothing_can_be_written(
        self, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
    ) -> None:
        monkeypatch.setattr("tempfile.tempdir", "/nowhere/at/all")
        assert run([], raising(ValueError(SECRET))) == 70
        told = capsys.readouterr().err.splitlines()
        assert told[0] == "a defect in opsmail: ValueError"
        assert any(f"{__file__}:" in line for line in told)
        assert SECRET not in "".join(told)
