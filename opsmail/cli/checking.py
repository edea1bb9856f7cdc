"""The steps of `opsmail check`: what is looked at, how the findings are shown, what the exit code is."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from opsmail.check.engine import CheckResult
from opsmail.check.sources import CheckedSources
from opsmail.cli.exit_codes import ExitCode
from opsmail.cli.outputs import Output
from opsmail.cli.session import Session
from opsmail.findings import Severity
from opsmail.messages import msg
from opsmail.output.findings import FORMATS, Report, Summary
from opsmail.secrets import known_schemes
from opsmail.settings.load import Settings
from opsmail.source.tree import SourceFile, Tree, is_around

#: The choices of `--fail-on`, each with the least severity that makes the exit code 1.
FAIL_ON = {"error": Severity.ERROR, "warning": Severity.WARNING, "never": None}


@dataclass(frozen=True, slots=True)
class Scope:
    """What one run looks at.

    Args:
        settings: of the working tree.
        tree: where files are read from, again for those outputs that show more than an excerpt.
        files: read as they are asked for.
        whole: these are all operator files there are.
    """

    settings: Settings
    tree: Tree
    files: Iterable[SourceFile]
    whole: bool

    @classmethod
    def of(cls, session: Session, paths: Sequence[str]) -> Scope:
        """Return the files and folders that a person named, or all operator files.

        Args:
            session: the circumstances.
            paths: as they were typed; none for the operators folders.

        Raises:
            SettingsError: the settings are wrong.
        """
        settings = session.settings()
        folders = settings.file.operators
        tree = session.worktree
        if not paths:
            return cls(settings, tree, tree.operator_files(folders), whole=True)
        named = [session.relative(path) for path in paths]
        # What is missing from a part of the fleet is not missing.
        whole = all(any(is_around(path, folder) for path in named) for folder in folders)
        return cls(settings, tree, tree.files(named, folders), whole)


def show(result: CheckResult, scope: Scope, outputs: Sequence[Output], session: Session) -> None:
    """Write what a run found, and say on standard error what it could not look at."""
    report = Report(
        result.findings,
        Summary.of(result.findings, result.members, baselined=result.baselined, old=result.old),
        result.members,
        CheckedSources(scope.tree, known_schemes()),
        session.environment,
    )
    for output in outputs:
        text = FORMATS[output.format](report, session.console.language, output.style(session.console))
        output.write(session.console, text)
    if not result.members:
        session.console.say(msg("no operator file to check"))
    if not scope.settings.present:
        session.console.say(msg("there is no opsmail.toml, so servers are not compared with a catalogue"))


def outcome(result: CheckResult, fail_on: str) -> ExitCode:
    """Return the exit code.

    Args:
        result: what was found.
        fail_on: one of `FAIL_ON`.
    """
    least = FAIL_ON[fail_on]
    failing = least is not None and any(
        finding.waived is None and finding.severity >= least for finding in result.findings
    )
    return ExitCode.FINDINGS if failing else ExitCode.DONE
