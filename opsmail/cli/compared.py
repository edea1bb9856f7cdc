"""`check --base` and `--trust`: revisions beside the working tree."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace

from opsmail.check.comparison import compare, decide_alike, judging
from opsmail.check.interface import Context
from opsmail.cli.comparing import Comparing
from opsmail.cli.known import Known
from opsmail.cli.session import Session
from opsmail.errors import UsageError
from opsmail.messages import msg
from opsmail.settings.environments import load_environments
from opsmail.settings.faults import SettingsError
from opsmail.settings.files import DEFAULT_ENVIRONMENT
from opsmail.settings.load import Settings
from opsmail.source.commit import CommitTree
from opsmail.source.git import GitRepository
from opsmail.source.tree import NoFolderError, SourceFile


def compared(session: Session, options: Comparing, judge: str, context: Context, *, waivers: bool) -> Known:
    """Return what a change is checked with: settings that are trusted, and what there was before it.

    Args:
        session: where the change is.
        options: what it is compared with.
        judge: the revision whose settings judge.
        context: the circumstances by the change's own settings.
        waivers: whether they mute findings.

    Raises:
        UsageError: there is no repository, no such revision, or settings that cannot be used.
    """
    repository = GitRepository.find(session.root)
    if repository is None:
        raise UsageError(
            msg("{folder} is not in a git repository, so there is no revision to compare with", folder=session.root),
            hint=msg("run opsmail in a clone, or leave out --base and --trust"),
        )
    own = context.settings
    trusted = _Revision.open(session, repository, judge)
    settings = _judging(session, own, trusted, named=options.trust is not None)
    here = replace(context, settings=settings, written=own)
    if options.base is None:
        return Known(here, judge=trusted.tree)
    base = trusted if options.base == judge else _Revision.open(session, repository, options.base)
    after = load_environments(session.worktree, session.config)
    comparison = compare(here, base.files(own), base.settings, after, waivers=waivers)
    return Known(comparison.context, comparison.known if options.new_only else None, judge=trusted.tree)


@dataclass(frozen=True, slots=True)
class _Revision:
    """A revision that a change is compared with or judged by.

    Args:
        name: as it was typed.
        tree: its files.
        settings: its settings by environment.
    """

    name: str
    tree: CommitTree
    settings: Mapping[str, Settings]

    @classmethod
    def open(cls, session: Session, repository: GitRepository, name: str) -> _Revision:
        tree = CommitTree(repository, repository.commit(name))
        try:
            return cls(name, tree, load_environments(tree, session.config))
        except SettingsError as error:
            raise UsageError(
                msg("the settings of {revision} cannot be used: {reason}", revision=name, reason=error.message),
                hint=msg("correct them in a change that is checked without --base and --trust"),
            ) from error

    def __str__(self) -> str:
        return f"{self.name} ({self.tree.commit[:12]})"

    def effective(self, environment: str) -> Settings:
        """Return the settings of one environment; those of a revision that has none are the same everywhere."""
        default = self.settings[DEFAULT_ENVIRONMENT]
        found = self.settings.get(environment) if default.present else default
        if found is None:
            raise UsageError(
                msg("{revision} has no environment `{name}`", revision=self, name=environment),
                hint=msg("choose one that it has with --env, or check without --base and --trust"),
            )
        return found

    def files(self, own: Settings) -> Iterator[SourceFile]:
        """Yield its operator files; a folder that it does not have yet holds none.

        Args:
            own: the settings of the change; they say where operators are where the revision has no settings.
        """
        default = self.settings[DEFAULT_ENVIRONMENT]
        for folder in (default if default.present else own).file.operators:
            try:
                yield from self.tree.operator_files([folder])
            except NoFolderError:
                continue


def _judging(session: Session, own: Settings, trusted: _Revision, *, named: bool) -> Settings:
    """Return the settings that judge, and say so where that is not plain.

    Args:
        session: where the change is.
        own: the settings of the change.
        trusted: the revision whose settings judge.
        named: whether it was named for that, with --trust.
    """
    effective = trusted.effective(session.environment)
    if named and not effective.present:
        raise UsageError(
            msg("there is no {file} in {revision}, so it cannot judge", file=session.config, revision=trusted),
            hint=msg("name a revision that has settings with --trust, or leave the option out"),
        )
    if named:
        session.console.say(msg("judged by the settings of {revision}", revision=trusted))
    elif not effective.present:
        session.console.say(
            msg(
                "there is no {file} in {revision}, so the change is judged by its own settings",
                file=session.config,
                revision=trusted,
            )
        )
    elif not decide_alike(own, effective):
        session.console.say(
            msg(
                "this change touches settings or waivers: operators are judged by those of {revision}, not by its own",
                revision=trusted,
            )
        )
    return judging(own, effective)
