"""Files by themselves: read, decoded, judged by the rules for single operators."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from functools import cached_property
from typing import TYPE_CHECKING, Any, NamedTuple

from opsmail.check.facts import Facts
from opsmail.check.interface import Context, Problem
from opsmail.check.result import Member
from opsmail.check.rules.running import OperatorChecks
from opsmail.check.rules.secrets import literal_secret
from opsmail.check.rules.structure import STRUCTURE_RULES
from opsmail.check.ruleset import RuleSet
from opsmail.check.severity import Judge
from opsmail.findings import Finding, RuleMeta
from opsmail.operator.model import Operator, claimed_id
from opsmail.shape import Decoder
from opsmail.shape import Problem as ShapeProblem
from opsmail.source.document import Document, ReadProblem
from opsmail.source.reader import read_document
from opsmail.source.tree import SourceFile, is_named_like

if TYPE_CHECKING:
    from opsmail.check.disclosure import Disclosure
    from opsmail.check.placing import FilePlacer

#: So many files at a time gain what is to be gained by checking several at once.
BATCH = 50


class CheckedFile(NamedTuple):
    """What one file gave by itself.

    Args:
        member: the operator as part of the fleet.
        findings: of this file by itself.
        readable: whether it could be read as YAML at all.
    """

    member: Member
    findings: tuple[Finding, ...]
    readable: bool


class FileChecker:
    """Checks files by themselves; made once, because it prepares what all files share.

    Args:
        context: settings, providers, day and secret schemes.
        rules: which rules.
        keep: members keep their operators.
    """

    def __init__(self, context: Context, rules: RuleSet, *, keep: bool = True) -> None:
        self.context = context
        self.rules = rules
        self.judge = Judge(context.settings.file.policy, context.judging)
        self._keep = keep
        self._operator_checks = OperatorChecks(rules.operators, context)
        self._decoder = Decoder(Operator)
        # A number in a secret field is of the wrong shape and a literal secret at the same time.
        self._structure_rules = {**STRUCTURE_RULES, literal_secret.meta.id: literal_secret.meta}

    @cached_property
    def disclosure(self) -> Disclosure:
        """What may be shown of operator files; it and what else makes findings is loaded for the first of them."""
        from opsmail.check.disclosure import Disclosure

        return Disclosure.of(Operator, self.context.schemes)

    def check(self, files: Sequence[SourceFile]) -> list[CheckedFile]:
        """Return what each file gave; never raises for anything that is in one.

        Each step is taken for all files before the next one: the same code on many files in a row takes a quarter less
        than one file after the other. `BATCH` files are enough for that.
        """
        return [self._proven(file, checked) for file, checked in self._looked_at(files)]

    def _looked_at(self, files: Iterable[SourceFile]) -> list[tuple[SourceFile, CheckedFile]]:
        """Return what each file gave, with fixes as they are proposed."""
        items = [_read(file) for file in files]
        read = [item for item in items if item.document is not None]
        for item in read:
            item.operator, item.faults = self._decoder.decode(item.document.data)
        for item in read:
            item.found += self._structure(item)
        for rule in self.rules.documents:
            for item in read:
                item.found += [(rule.meta, problem) for problem in rule.check(item.document)]
        operators = [(item, item.operator) for item in read if item.operator is not None]
        found = self._operator_checks.problems([operator for _, operator in operators])
        for (item, operator), problems in zip(operators, found, strict=True):
            item.found += problems
            item.facts = Facts.of(operator)
        return [(item.file, self._checked(item)) for item in items]

    def _proven(self, file: SourceFile, checked: CheckedFile) -> CheckedFile:
        if all(finding.fix is None for finding in checked.findings):
            return checked
        from opsmail.check.fixing.proof import proven  # most files need none

        def look(content: bytes) -> tuple[Finding, ...]:
            ((_, again),) = self._looked_at([file._replace(content=content)])
            return again.findings

        return checked._replace(findings=proven(checked.findings, file.content, look))

    def _checked(self, item: _Item) -> CheckedFile:
        findings = self._placed(item) if item.unread or item.found else ()
        if item.document is None:
            return CheckedFile(Member(item.file.path, None, None, None), findings, readable=False)
        data = item.document.data
        role = data.get("role")
        member = Member(
            item.file.path,
            item.operator if self._keep else None,
            claimed_id(data),
            role if isinstance(role, str) else None,
            item.facts,
        )
        return CheckedFile(member, findings, readable=True)

    def placer(self, file: SourceFile) -> FilePlacer:
        """Return what places findings in a file that was checked before."""
        from opsmail.check.placing import FilePlacer

        document = None if file.problem is not None else read_document(file.content)[0]
        return FilePlacer(file.path, file.content, document, self.disclosure)

    def _structure(self, item: _Item) -> list[tuple[RuleMeta, Problem]]:
        document = item.document
        if not item.faults and is_named_like(document.data.get("operator"), item.file.path):
            return []
        from opsmail.check.structure import structure_problems

        problems = structure_problems(item.faults, document, item.file.path, item.operator, self.disclosure)
        return [(self._structure_rules[rule_id], problem) for rule_id, problem in problems]

    def _placed(self, item: _Item) -> tuple[Finding, ...]:
        from opsmail.check.placing import FilePlacer

        placer = FilePlacer(item.file.path, item.file.content, item.document, self.disclosure)
        placed = [placer.place_reading(STRUCTURE_RULES[problem.rule], problem, self.judge) for problem in item.unread]
        placed += [placer.place(*found, self.judge) for found in item.found]
        return tuple(finding for finding in placed if finding is not None)


class _Item:
    """A file on its way through the steps.

    Args:
        file: where it starts.
        document: what could be read of it.
        unread: what the reader has to say.
    """

    __slots__ = ("document", "facts", "faults", "file", "found", "operator", "unread")

    def __init__(self, file: SourceFile, document: Document | None, unread: Sequence[ReadProblem]) -> None:
        self.file = file
        # Only what has a document takes the steps that need one.
        self.document: Any = document
        self.unread = unread
        self.operator: Operator | None = None
        self.faults: Sequence[ShapeProblem] = ()
        self.found: list[tuple[RuleMeta, Problem]] = []
        self.facts: Facts | None = None


def _read(file: SourceFile) -> _Item:
    if file.problem is not None:
        return _Item(file, None, [file.problem])
    return _Item(file, *read_document(file.content))
