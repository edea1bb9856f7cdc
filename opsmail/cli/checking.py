"""The steps of `opsmail check`: what is looked at, how the findings are shown, what the exit code is."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterable, Sequence
from datetime import date
from functools import cached_property
from typing import TYPE_CHECKING, NamedTuple

from opsmail.check.cache import Cache, cache_folder, code_stamp, digest
from opsmail.check.judging import EVERYTHING, JudgingOptions
from opsmail.check.memory import Memory
from opsmail.check.result import CheckResult
from opsmail.cli.exit_codes import ExitCode
from opsmail.cli.outputs import Output
from opsmail.cli.session import Session
from opsmail.cli.stdin import GivenFile, given_file, is_given
from opsmail.findings import Severity
from opsmail.messages import msg
from opsmail.output.findings import FORMATS, STATISTICS, Report, Summary
from opsmail.settings.files import WAIVERS_NAME
from opsmail.source.tree import SourceFile, is_around
from opsmail.source.worktree import Listing
from opsmail.values import dataclass

if TYPE_CHECKING:
    from opsmail.check.interface import Context, TrySecrets
    from opsmail.check.sources import Files, SourceText
    from opsmail.settings.load import Settings

#: The choices of `--fail-on`, each with the least severity that makes the exit code 1.
FAIL_ON = {"error": Severity.ERROR, "warning": Severity.WARNING, "never": None}


@dataclass(frozen=True)
class Scope:
    """What one run looks at.

    Args:
        session: the circumstances.
        paths: the files and folders that a person named, from the root; none for the operators folders.
        from_stdin: standard input is looked at, and nothing else.
        stdin_name: the file whose place it takes, as it was typed; None for that of the operator that it describes.
    """

    session: Session
    paths: tuple[str, ...]
    from_stdin: bool = False
    stdin_name: str | None = None

    @classmethod
    def of(cls, session: Session, paths: Sequence[str], stdin_name: str | None = None) -> Scope:
        """Return the scope of paths as they were typed, `-` for standard input.

        Raises:
            UsageError: standard input and something else, or a name for what is not read.
        """
        if is_given(paths, stdin_name):
            return cls(session, (), from_stdin=True, stdin_name=stdin_name)
        return cls(session, tuple(session.relative(path) for path in paths))

    @cached_property
    def settings(self) -> Settings:
        """The settings of the working tree.

        Raises:
            SettingsError: they are wrong.
        """
        return self.session.settings()

    @cached_property
    def given(self) -> SourceFile | None:
        """What standard input gave, in the place of a file; None where it is not looked at."""
        if not self.from_stdin:
            return None
        return given_file(self.session, self.settings.file.operators[0], self.stdin_name)

    @property
    def tree(self) -> Files:
        """Where files are read from, again for those outputs that show more than an excerpt."""
        tree = self.session.worktree
        return tree if self.given is None else GivenFile(self.given, tree)

    @property
    def has_settings(self) -> bool:
        """Whether there is a settings file, whatever is in it."""
        return (self.session.root / self.session.config).is_file()

    @property
    def whole(self) -> bool:
        """Whether these are all operator files there are: what is missing from a part of the fleet is not missing."""
        if self.from_stdin:
            return False
        folders = self.settings.file.operators
        return not self.paths or all(any(is_around(path, folder) for path in self.paths) for folder in folders)

    @property
    def sources(self) -> Iterable[SourceFile]:
        """What is looked at, wherever it comes from."""
        return self.files if self.given is None else (self.given,)

    @property
    def files(self) -> Listing:
        """The files, read as they are asked for."""
        return self.found(self.settings.file.operators)

    def found(self, folders: Sequence[str]) -> Listing:
        """Return the files, where these are the operators folders."""
        tree = self.session.worktree
        return tree.files(self.paths, folders) if self.paths else tree.operator_files(folders)


class Run(NamedTuple):
    """How a scope is checked.

    Args:
        scope: what is looked at.
        day: that date-bound rules judge by.
        waivers: whether `waivers.yaml` mutes findings.
        jobs: how many processes to use; 0 for as many as the files are worth.
        cache: whether results of earlier runs are used, and this one's kept.
        judging: which findings are told.
    """

    scope: Scope
    day: date
    waivers: bool = True
    jobs: int = 0
    cache: bool = True
    judging: JudgingOptions = EVERYTHING

    def result(self) -> CheckResult:
        """Return what is found; what was found when everything was as it is now is found without looking again.

        Raises:
            SettingsError: the settings are wrong.
        """
        # A finding that is not told may be the reason why nothing of a file is to be kept.
        memory = self._memory() if self.cache and self.judging == EVERYTHING else None
        known = None if memory is None else memory.recall(self.scope.session.worktree, self.scope.found, self.jobs)
        return self._survey(memory) if known is None else known

    def context(self, try_secrets: TrySecrets | None = None) -> Context:
        """Return what rules may look at, by the settings of the working tree.

        Args:
            try_secrets: tells which secrets do not resolve here; None where no secret is to be touched.

        Raises:
            SettingsError: the settings are wrong.
        """
        from opsmail.check.interface import Context
        from opsmail.providers import load_providers
        from opsmail.secrets import known_schemes

        return Context(
            self.scope.settings,
            load_providers(),
            self.day,
            known_schemes(),
            judging=self.judging,
            try_secrets=try_secrets,
        )

    def _survey(self, memory: Memory | None) -> CheckResult:
        from opsmail.check.survey import survey

        scope, context = self.scope, self.context()
        if memory is not None and memory != self._memory():
            memory = None  # what decides was changed meanwhile
        return survey(scope.files, context, whole=scope.whole, waivers=self.waivers, jobs=self.jobs, memory=memory)

    def _memory(self) -> Memory | None:
        """Return the memory of runs in the same circumstances; None where nothing can be kept."""
        folder = cache_folder(os.environ)
        if folder is None:
            return None
        session = self.scope.session
        told = (str(session.root), session.config, session.environment, self.scope.paths, self.day, self.waivers)
        files = [session.worktree.read(name) for name in (session.config, WAIVERS_NAME)]
        parts = [code_stamp(), repr(told).encode("utf-8", "surrogateescape")]
        parts += (b"" if content is None else b"=" + content for content in files)
        return Memory(Cache(folder), digest(*parts).hex())


def show(
    result: CheckResult, scope: Scope, outputs: Sequence[Output], *, settings: bool, statistics: bool = False
) -> None:
    """Write what a run found, and say on standard error what it could not look at.

    Args:
        result: what was found.
        scope: what was looked at.
        outputs: where to.
        settings: whether there are any that judge.
        statistics: standard output has figures instead of findings.
    """
    session = scope.session
    report = Report(
        result.findings,
        Summary.of(result.findings, result.members, baselined=result.baselined, old=result.old),
        result.members,
        _source_texts(scope.tree),
        session.environment,
    )
    for output in outputs:
        formats = STATISTICS if statistics and output.file is None else FORMATS
        text = formats[output.format](report, session.console.language, output.style(session.console))
        output.write(session.console, text)
    if not result.members:
        session.console.say(msg("no operator file to check"))
    if not settings:
        session.console.say(msg("there is no opsmail.toml, so servers are not compared with a catalogue"))


def _source_texts(tree: Files) -> Callable[[str], SourceText | None]:
    """Return what gives the text of a file; most outputs do not ask."""

    def text(path: str) -> SourceText | None:
        from opsmail.check.sources import CheckedSources
        from opsmail.secrets import known_schemes

        return CheckedSources(tree, known_schemes())(path)

    return text


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
