"""The steps of `opsmail check`: what is looked at, how the findings are shown, what the exit code is."""

from __future__ import annotations

import os
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import date
from functools import cached_property
from typing import TYPE_CHECKING, NamedTuple

from opsmail.check.cache import Cache, cache_folder, code_stamp, digest
from opsmail.check.memory import Memory
from opsmail.check.result import CheckResult
from opsmail.cli.exit_codes import ExitCode
from opsmail.cli.outputs import Output
from opsmail.cli.session import Session
from opsmail.findings import Severity
from opsmail.messages import msg
from opsmail.output.findings import FORMATS, Report, Summary
from opsmail.settings.files import WAIVERS_NAME
from opsmail.source.tree import Tree, is_around
from opsmail.source.worktree import Listing

if TYPE_CHECKING:
    from opsmail.check.interface import Context
    from opsmail.check.sources import SourceText
    from opsmail.settings.load import Settings

#: The choices of `--fail-on`, each with the least severity that makes the exit code 1.
FAIL_ON = {"error": Severity.ERROR, "warning": Severity.WARNING, "never": None}


@dataclass(frozen=True)
class Scope:
    """What one run looks at.

    Args:
        session: the circumstances.
        paths: the files and folders that a person named, from the root; none for the operators folders.
    """

    session: Session
    paths: tuple[str, ...]

    @classmethod
    def of(cls, session: Session, paths: Sequence[str]) -> Scope:
        """Return the scope of paths as they were typed."""
        return cls(session, tuple(session.relative(path) for path in paths))

    @cached_property
    def settings(self) -> Settings:
        """The settings of the working tree.

        Raises:
            SettingsError: they are wrong.
        """
        return self.session.settings()

    @property
    def tree(self) -> Tree:
        """Where files are read from, again for those outputs that show more than an excerpt."""
        return self.session.worktree

    @property
    def has_settings(self) -> bool:
        """Whether there is a settings file, whatever is in it."""
        return (self.session.root / self.session.config).is_file()

    @property
    def whole(self) -> bool:
        """Whether these are all operator files there are: what is missing from a part of the fleet is not missing."""
        folders = self.settings.file.operators
        return not self.paths or all(any(is_around(path, folder) for path in self.paths) for folder in folders)

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
    """

    scope: Scope
    day: date
    waivers: bool = True
    jobs: int = 0
    cache: bool = True

    def result(self) -> CheckResult:
        """Return what is found; what was found when everything was as it is now is found without looking again.

        Raises:
            SettingsError: the settings are wrong.
        """
        memory = self._memory() if self.cache else None
        known = None if memory is None else memory.recall(self.scope.session.worktree, self.scope.found, self.jobs)
        return self._survey(memory) if known is None else known

    def context(self) -> Context:
        """Return what rules may look at, by the settings of the working tree.

        Raises:
            SettingsError: the settings are wrong.
        """
        from opsmail.check.interface import Context
        from opsmail.providers import load_providers
        from opsmail.secrets import known_schemes

        return Context(self.scope.settings, load_providers(), self.day, known_schemes())

    def _survey(self, memory: Memory | None) -> CheckResult:
        from opsmail.check.survey import survey

        scope, context = self.scope, self.context()
        if memory != self._memory():
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


def show(result: CheckResult, scope: Scope, outputs: Sequence[Output], *, settings: bool) -> None:
    """Write what a run found, and say on standard error what it could not look at.

    Args:
        result: what was found.
        scope: what was looked at.
        outputs: where to.
        settings: whether there are any that judge.
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
        text = FORMATS[output.format](report, session.console.language, output.style(session.console))
        output.write(session.console, text)
    if not result.members:
        session.console.say(msg("no operator file to check"))
    if not settings:
        session.console.say(msg("there is no opsmail.toml, so servers are not compared with a catalogue"))


def _source_texts(tree: Tree) -> Callable[[str], SourceText | None]:
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
