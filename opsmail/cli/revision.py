"""The commit that `test`, `plan` and `publish` work on: its blobs, and the settings that it is judged by."""

from __future__ import annotations

from opsmail.check.engine import check
from opsmail.check.interface import Context
from opsmail.check.result import CheckResult
from opsmail.cli.session import Session, today
from opsmail.errors import RefusedError
from opsmail.messages import msg
from opsmail.providers import load_providers
from opsmail.publish.plan import Origin
from opsmail.secrets import known_schemes
from opsmail.settings.files import WAIVERS_NAME
from opsmail.settings.load import Settings, load_settings
from opsmail.source.commit import CommitTree
from opsmail.source.git import GitRepository
from opsmail.source.tree import SourceFile
from opsmail.values import dataclass

_SHOWN = 5


@dataclass(frozen=True, slots=True)
class Revision:
    """One commit.

    Args:
        repository: where it is.
        settings: what it is judged by: its own, or those of a revision that is trusted more.
        files: its operator files.
        origin: what plans and evidence are bound to.
    """

    repository: GitRepository
    settings: Settings
    files: tuple[SourceFile, ...]
    origin: Origin

    @classmethod
    def open(cls, session: Session, commit: str | None, trust: str | None = None) -> Revision:
        """Read a commit.

        Args:
            session: the circumstances.
            commit: which; None for HEAD, and then nothing that counts may be uncommitted.
            trust: the revision whose settings count, catalogue and waivers included; None for the commit's own.

        Raises:
            RefusedError: no git repository, or uncommitted changes.
            UnknownRevisionError: there is no such commit.
        """
        repository = _repository(session)
        full = repository.commit(commit or "HEAD")
        tree = CommitTree(repository, full)
        trusted = tree if trust is None else CommitTree(repository, repository.commit(trust))
        settings = load_settings(trusted, session.environment, session.config)
        if trust is not None:
            session.console.say(
                msg("judged by the settings of {revision} ({commit})", revision=trust, commit=trusted.commit[:12])
            )
        if commit is None:
            _require_clean(tree, settings, session.config)
        origin = Origin(repository=repository.identity(full), commit=full, settings_digest=settings.digest)
        return cls(repository, settings, tuple(tree.operator_files(settings.file.operators)), origin)

    def check(self) -> CheckResult:
        """Check the commit's operators, today."""
        context = Context(self.settings, load_providers(), today(), known_schemes())
        return check(self.files, context)

    def documents(self, result: CheckResult) -> dict[str, bytes]:
        """Return the canonical document of each operator of a check, by id."""
        return {name: self.settings.effective(operator).canonical() for name, operator in result.operators().items()}


def _require_clean(tree: CommitTree, settings: Settings, config: str) -> None:
    """Refuse a working tree that differs where it counts: the person may believe that the edited file is meant."""
    changed = tree.changed_files([*settings.file.operators, config, WAIVERS_NAME, *settings.texts])
    if changed:
        shown = ", ".join(changed[:_SHOWN]) + (", …" if len(changed) > _SHOWN else "")
        raise RefusedError(
            msg("uncommitted changes: {files}", files=shown),
            hint=msg("commit them, or name a commit with --commit"),
        )


def committed_settings(session: Session) -> Settings:
    """Return the settings of HEAD, whatever stands in the working tree.

    Raises:
        RefusedError: no git repository.
        UnknownRevisionError: nothing is committed yet.
    """
    repository = _repository(session)
    return load_settings(CommitTree(repository, repository.commit("HEAD")), session.environment, session.config)


def _repository(session: Session) -> GitRepository:
    repository = GitRepository.find(session.root)
    if repository is None:
        raise RefusedError(
            msg("{folder} is not in a git repository", folder=session.root),
            hint=msg("only committed settings are tested and published: run `git init`, then commit them"),
        )
    return repository
