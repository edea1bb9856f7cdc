"""The commit that `test`, `plan` and `publish` work on: its blobs, its settings, and the settings that are trusted."""

from __future__ import annotations

from dataclasses import dataclass

from opsmail.check.engine import CheckResult, check
from opsmail.check.interface import Context
from opsmail.cli.session import Session, today
from opsmail.errors import RefusedError
from opsmail.messages import msg
from opsmail.providers import Providers, load_providers
from opsmail.publish.plan import Origin
from opsmail.secrets import known_schemes
from opsmail.settings.load import WAIVERS_NAME, Settings, load_settings
from opsmail.source.git import CommitTree, GitRepository
from opsmail.source.tree import SourceFile

_SHOWN = 5


@dataclass(frozen=True)
class Revision:
    """One commit.

    Args:
        repository: where it is.
        commit: its full id.
        settings: of the commit.
        trusted: whose catalogue decides where credentials may go.
        files: its operator files.
        providers: what is known of mail providers.
    """

    repository: GitRepository
    commit: str
    settings: Settings
    trusted: Settings
    files: tuple[SourceFile, ...]
    providers: Providers

    @classmethod
    def open(cls, session: Session, commit: str | None, trust: str | None = None) -> Revision:
        """Read a commit.

        Args:
            session: the circumstances.
            commit: which; None for HEAD, and then nothing that counts may be uncommitted.
            trust: the revision whose catalogue counts; None for the commit itself.

        Raises:
            RefusedError: no git repository, or uncommitted changes.
        """
        repository = GitRepository.find(session.root)
        if repository is None:
            raise RefusedError(
                msg("{folder} is not in a git repository", folder=str(session.root)),
                hint=msg("only committed settings are tested and published: run `git init`, then commit them"),
            )
        full = repository.commit(commit or "HEAD")
        tree = repository.tree(full)
        settings = load_settings(tree, session.environment, session.config)
        if commit is None:
            _require_clean(repository, full, settings, session.config)
        trusted = settings
        if trust is not None:
            trusted = load_settings(repository.tree(repository.commit(trust)), session.environment, session.config)
        return cls(repository, full, settings, trusted, _files(tree, settings), load_providers())

    def check(self) -> CheckResult:
        """Check the commit's operators, today, under the commit's settings."""
        context = Context(self.settings, self.providers, today(), known_schemes())
        return check(self.files, context)

    def documents(self, result: CheckResult) -> dict[str, bytes]:
        """Return the canonical document of each operator of a check, by id."""
        return {name: self.settings.effective(operator).canonical() for name, operator in result.operators().items()}

    def origin(self) -> Origin:
        """Return what plans and evidence are bound to."""
        return Origin(repository=self.repository.identity(), commit=self.commit, settings_digest=self.settings.digest)


def _files(tree: CommitTree, settings: Settings) -> tuple[SourceFile, ...]:
    return tuple(tree.operator_files(settings.file.operators))


def _require_clean(repository: GitRepository, commit: str, settings: Settings, config: str) -> None:
    """Refuse a working tree that differs from the commit where it counts: the person may believe that the edited file is meant."""
    folders = tuple(f"{folder.rstrip('/')}/" for folder in settings.file.operators)
    named = {config, WAIVERS_NAME, *settings.texts}
    changed = [path for path in repository.changed_files(commit) if path in named or path.startswith(folders)]
    if changed:
        shown = ", ".join(changed[:_SHOWN]) + (", …" if len(changed) > _SHOWN else "")
        raise RefusedError(
            msg("uncommitted changes: {files}", files=shown),
            hint=msg("commit them, or name a commit with --commit"),
        )
