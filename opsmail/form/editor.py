"""What the form can do: list operators, show one, check what stands in the form, save it, and test it."""

from __future__ import annotations

import hashlib
import os
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import date

from opsmail.check.engine import check
from opsmail.check.fixing.difference import DifferenceLine, difference
from opsmail.check.fixing.rounds import FixedFile
from opsmail.check.interface import Context
from opsmail.errors import RefusedError
from opsmail.findings import Finding
from opsmail.form.values import Values, data_of, values_of
from opsmail.form.writing import NotWritableError, written
from opsmail.live.result import StageResult, TestResult
from opsmail.messages import msg, quoted
from opsmail.operator.model import Operator, claimed_id
from opsmail.providers import Providers
from opsmail.secrets import known_schemes
from opsmail.settings.load import Settings
from opsmail.source.reader import read_document
from opsmail.source.replacing import replace_file
from opsmail.source.tree import SourceFile, name_problem
from opsmail.source.worktree import WorkTree

#: Findings that say that a secret itself stands in the file: it is not written to the disk.
_SECRETS = frozenset(("OM601", "OM602", "OM605"))


@dataclass(frozen=True, slots=True)
class Shown:
    """A file as the form shows it.

    Args:
        path: where it is, from the root.
        values: what stands in the form.
        state: names its content, so that a save notices when somebody else has changed it.
        findings: of its check.
    """

    path: str
    values: Values
    state: str
    findings: tuple[Finding, ...]


@dataclass(frozen=True, slots=True)
class Draft:
    """What stands in the form, as a file.

    Args:
        findings: of its check.
        difference: its lines that differ from the file on the disk, with those around them.
    """

    findings: tuple[Finding, ...]
    difference: tuple[DifferenceLine, ...]


#: Sends a test message as an operator, and tells each stage when it ends.
Send = Callable[[Operator, Callable[[StageResult], None]], TestResult]


class Editor:
    """The operators of a repository, for one person at a form.

    Args:
        tree: the files.
        settings: returns the settings, read anew.
        providers: what is known of mail providers.
        today: returns the day.
        send: sends a test message as an operator; None where that is switched off.
    """

    def __init__(
        self,
        tree: WorkTree,
        settings: Callable[[], Settings],
        providers: Providers,
        today: Callable[[], date],
        send: Send | None,
    ) -> None:
        self._tree = tree
        self._settings = settings
        self._providers = providers
        self._today = today
        self.send = send

    def paths(self) -> Sequence[str]:
        """Return the operator files."""
        return [file for file in self._listed() if name_problem(file) is None]

    def show(self, path: str) -> Shown:
        """Return a file as the form shows it.

        Raises:
            RefusedError: it is none of the operator files, or nothing that a form can show.
        """
        content = self._content(path)
        document, _ = read_document(content)
        if document is None:
            raise RefusedError(
                msg("`{file}` cannot be shown in a form, because it cannot be read", file=path),
                hint=msg("`opsmail check {file}` tells what is wrong in it", file=path),
            )
        return Shown(path, values_of(document.data, document.texts), _state(content), self._findings(path, content))

    def draft(self, path: str | None, values: Values) -> Draft:
        """Return what would be saved.

        Raises:
            RefusedError: it is none of the operator files, or cannot be written.
        """
        path, before, after = self._drafted(path, values)
        change = FixedFile(path, before, after, 1)
        lines: list[DifferenceLine] = []
        if before != after:
            for hunk in difference(change, known_schemes()).hunks:
                lines += hunk.lines
        return Draft(self._findings(path, after), tuple(lines))

    def save(self, path: str | None, values: Values, state: str) -> Shown:
        """Write what stands in the form, and return it as it is shown now.

        Args:
            path: the file; None for a new operator.
            values: what stands in the form.
            state: of the file when it was shown; empty for a new one.

        Raises:
            RefusedError: somebody changed the file meanwhile, it holds a secret, or it cannot be written.
            SourceError: the disk does not take it.
        """
        path, before, after = self._drafted(path, values)
        findings = self._findings(path, after)
        if not _SECRETS.isdisjoint(finding.rule.id for finding in findings):
            raise RefusedError(
                msg("this looks like a password or a key, and is not written into a file"),
                hint=msg(
                    "write where the secret is kept, for example `env://OPSMAIL_SECRET_RH`; change it if it was shared"
                ),
            )
        if before and _state(before) != state:
            raise RefusedError(
                msg("{path} has changed since it was read, so it is left alone", path=path),
                hint=msg("open it again"),
            )
        if before:
            replace_file(self._tree, path, before, after)
        else:
            self._create(path, after)
        return self.show(path)

    def test(self, path: str, watch: Callable[[StageResult], None]) -> TestResult:
        """Send a test message as the operator of a file, as it is on the disk.

        Args:
            path: the file.
            watch: is told of each stage when it ends.

        Raises:
            RefusedError: tests are switched off, or the file has errors.
            OpsmailError: the catalogue does not allow its server or its secret.
        """
        if self.send is None:
            raise RefusedError(
                msg("test messages are switched off"), hint=msg("start the form with `opsmail edit --allow-test`")
            )
        result = check([SourceFile(path, self._content(path))], self._context(), whole=False)
        operators = list(result.operators().values())
        if result.errors() or not operators:
            raise RefusedError(msg("it has errors"), hint=msg("correct and save it first"))
        return self.send(operators[0], watch)

    def _drafted(self, path: str | None, values: Values) -> tuple[str, bytes, bytes]:
        """Return the file, its content as it is, and as it would be."""
        before = b"" if path is None else self._content(path)
        document, _ = read_document(before) if before else (None, [])
        if before and document is None:
            raise NotWritableError(msg("`{file}` cannot be read", file=path), hint=msg("correct the file itself first"))
        data = data_of(values, {} if document is None else document.data)
        if path is None:
            path = self._new_path(claimed_id(data))
        after = written(before.decode("utf-8"), data).encode()
        return path, before, after

    def _new_path(self, name: str | None) -> str:
        folder = self._settings().file.operators[0]
        path = f"{folder}/{name}.yaml"
        if name is None or name_problem(path) is not None:
            raise RefusedError(
                msg("the operator needs an id"), hint=msg("a-z, 0-9, `.`, `_` and `-`, for example `rh-notificacoes`")
            )
        if os.path.lexists(self._tree.root / path):
            raise RefusedError(msg("{path} exists already", path=path), hint=msg("choose another id, or open it"))
        return path

    def _create(self, path: str, content: bytes) -> None:
        place = self._tree.root / path
        try:
            with place.open("xb") as file:
                file.write(content)
        except OSError as error:
            raise RefusedError(
                msg("{path} cannot be written: {reason}", path=path, reason=quoted(error.strerror)),
                hint=msg("make the folder writable for whoever runs opsmail"),
            ) from error

    def _listed(self) -> Sequence[str]:
        return self._tree.operator_files(self._settings().file.operators).paths

    def _content(self, path: str) -> bytes:
        if path not in self._listed():
            raise RefusedError(msg("there is no operator file `{file}`", file=path), hint=msg("choose one of the list"))
        file = self._tree.load(path)
        if file.problem is not None:
            raise RefusedError(file.problem.message, hint=file.problem.help)
        return file.content

    def _context(self) -> Context:
        return Context(self._settings(), self._providers, self._today(), known_schemes())

    def _findings(self, path: str, content: bytes) -> tuple[Finding, ...]:
        return check([SourceFile(path, content)], self._context(), whole=False).findings


def _state(content: bytes) -> str:
    return hashlib.sha256(content).hexdigest()
