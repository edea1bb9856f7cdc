"""`check --fix`, `--unsafe-fixes` and `--diff`."""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterable, Sequence
from typing import TYPE_CHECKING, Any, TypeVar

import click

from opsmail.check.result import CheckResult
from opsmail.cli.options import bundled
from opsmail.cli.outputs import Output, parse_outputs
from opsmail.cli.session import Session
from opsmail.errors import OpsmailError, UsageError
from opsmail.findings import FixSafety
from opsmail.messages import Message, msg, msgn
from opsmail.output.findings import FORMATS
from opsmail.output.style import Style
from opsmail.source.tree import SourceFile
from opsmail.values import dataclass

if TYPE_CHECKING:
    from opsmail.check.fixing.rounds import Concern, Fixed, FixedFile, Look

Function = TypeVar("Function", bound=Callable[..., Any])


@dataclass(frozen=True, slots=True)
class FixingOptions:
    """What to do about findings that have a fix.

    Args:
        fix: write the fixes.
        unsafe: the unsafe ones too.
        diff: show what would change, and write nothing.
    """

    fix: bool = False
    unsafe: bool = False
    diff: bool = False

    def parsed_outputs(self, formats: Sequence[str]) -> list[Output]:
        """Return the outputs of `--format`; with `--diff`, standard output is taken.

        Raises:
            UsageError: an unknown format, or two things for one place.
        """
        if not self.diff:
            return parse_outputs(formats or ("text",), FORMATS)
        outputs = parse_outputs(formats, FORMATS)
        if any(output.file is None for output in outputs):
            raise UsageError(
                msg("the difference goes to standard output, and the findings cannot go there too"),
                hint=msg("give them a file: `--format json:findings.json`"),
            )
        return outputs

    @property
    def safeties(self) -> frozenset[FixSafety]:
        """The fixes that are wanted."""
        return frozenset(FixSafety) if self.unsafe else frozenset({FixSafety.SAFE})


def fixing_options(function: Function) -> Function:
    """Add `--fix`, `--unsafe-fixes` and `--diff`, and pass what they say as `fixing`."""

    @click.option("--fix", is_flag=True, help="Write the safe fixes into the files; what is left is reported.")
    @click.option(
        "--unsafe-fixes",
        "unsafe",
        is_flag=True,
        help="With `--fix` or `--diff`: also take fixes that may change what is meant. Look at them with `--diff`.",
    )
    @click.option(
        "--diff",
        is_flag=True,
        help="Write nothing; show what `--fix` would change. The exit code is 1 when it would change something.",
    )
    def wrapper(*arguments: Any, fix: bool, unsafe: bool, diff: bool, **options: Any) -> Any:
        return function(*arguments, fixing=FixingOptions(fix, unsafe, diff), **options)

    return bundled(function, wrapper)


@dataclass(frozen=True, slots=True)
class Fixable:
    """What a run looks at.

    Args:
        files: the operator files.
        waivers: the content of the `waivers.yaml` beside them; None for no such file.
        look: checks such files as the command's other options want it.
        concern: tells which of the findings the run is about.
    """

    files: Iterable[SourceFile]
    waivers: bytes | None
    look: Look
    concern: Concern


@dataclass(frozen=True, slots=True)
class Looked:
    """What a run found, and whether it showed a difference."""

    result: CheckResult
    differs: bool = False


def look_and_fix(scope: Fixable, fixing: FixingOptions, session: Session) -> Looked:
    """Check files, and do with them what the options say.

    Args:
        scope: the files, and how they are checked.
        fixing: which fixes, and what to do with them.
        session: the circumstances.

    Returns:
        What was found: after fixing what is left, with `--diff` what there is.

    Raises:
        OpsmailError: a file cannot be written; the others are.
    """
    if not (fixing.fix or fixing.diff):
        if fixing.unsafe:
            session.console.say(
                msg("`--unsafe-fixes` changes nothing by itself: add `--fix`, or `--diff` to look first")
            )
        return Looked(scope.look(scope.files, scope.waivers))
    # Loaded here, because most runs fix nothing.
    from opsmail.check.fixing.rounds import fix_all

    fixed = fix_all(scope.files, scope.waivers, scope.look, fixing.safeties, scope.concern)
    if fixing.diff:
        _show(fixed, session)
        return Looked(fixed.found, differs=bool(fixed.files))
    _write(fixed, session)
    return Looked(fixed.left)


def _show(fixed: Fixed, session: Session) -> None:
    from opsmail.check.fixing.difference import difference
    from opsmail.output.differences import render
    from opsmail.secrets import known_schemes

    if fixed.files:
        schemes = known_schemes()
        style = Style(session.console.colors(sys.stdout))
        session.console.result(render([difference(file, schemes) for file in fixed.files], style))
    session.console.say(msg("would fix {what}", what=_counted(fixed.files)))


def _write(fixed: Fixed, session: Session) -> None:
    from opsmail.source.replacing import replace_file

    errors: list[OpsmailError] = []
    written = []
    for file in fixed.files:
        try:
            replace_file(session.worktree, file.path, file.before, file.after)
        except OpsmailError as error:
            errors.append(error)
        else:
            written.append(file)
    session.console.say(msg("fixed {what}", what=_counted(written)))
    if errors:
        errors[0].further = tuple(errors[1:])
        raise errors[0]
    if not fixed.is_complete:
        session.console.say(msg("more can be fixed: run the command again"))


def _counted(files: Sequence[FixedFile]) -> Message:
    return msg(
        "{findings} in {files}",
        findings=msgn("{count} finding", "{count} findings", sum(file.fixes for file in files)),
        files=msgn("{count} file", "{count} files", len(files)),
    )
