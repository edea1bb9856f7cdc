"""Results of `import`: the files, what a person has to look at, and which secrets have to be put where."""

from __future__ import annotations

from collections.abc import Iterator
from gettext import NullTranslations
from typing import Any

from opsmail.findings import Finding
from opsmail.messages import Message, msg
from opsmail.output.escape import for_program, for_terminal, json_text
from opsmail.output.results import secrets
from opsmail.output.results.secrets import KnownSecret
from opsmail.output.style import Style
from opsmail.transfer.header import Header
from opsmail.transfer.operators import Imported
from opsmail.values import dataclass

SCHEMA = "opsmail/import/v1"


@dataclass(frozen=True, slots=True)
class Report:
    """What came of a table.

    Args:
        header: what its columns were taken for.
        operators: by the file of each.
        findings: what the check says of the files.
        secrets: what has to be put where.
        written: whether the files were; not so in a dry run.
    """

    header: Header
    operators: dict[str, Imported]
    findings: tuple[Finding, ...]
    secrets: tuple[KnownSecret, ...]
    written: bool


def as_text(report: Report, language: NullTranslations, style: Style) -> str:
    """Return the files with what a person has to look at, and then the secrets, as `opsmail secrets` shows them."""

    def say(message: Message) -> str:
        return for_terminal(message.render(language))

    def lines() -> Iterator[str]:
        for file, imported in report.operators.items():
            row = msg("row {number}", number=imported.row)
            yield f"{style.paint(for_terminal(file), bold=True)}  {say(row)}"
            for remark in imported.remarks:
                yield f"  {style.paint(for_terminal(remark.path), 'yellow')}: {say(remark.message)}"

    text = "".join(f"{line}\n" for line in lines())
    return f"{text}\n{secrets.as_text(report.secrets, language, style)}" if report.secrets else text


def as_json(report: Report) -> str:
    """Return the same for programs; texts stay English."""
    header = report.header
    return json_text(
        {
            "schema": SCHEMA,
            "written": report.written,
            "columns": {
                "read": {for_program(name): path for path, name in header.names.items()},
                "secret": [for_program(str(name)) for name in header.secret],
                "unknown": [for_program(str(name)) for name in header.unknown],
            },
            "operators": [_operator(file, imported) for file, imported in report.operators.items()],
            "findings": [
                {
                    "rule": finding.rule.id,
                    "severity": finding.severity.name.lower(),
                    "operator": finding.operator,
                    "path": finding.path,
                    "message": for_program(str(finding.message)),
                }
                for finding in report.findings
            ],
            "secrets": [secrets.document(secret) for secret in report.secrets],
        }
    )


def _operator(file: str, imported: Imported) -> dict[str, Any]:
    return {
        "operator": imported.operator,
        "file": file,
        "row": imported.row,
        "needs": [
            {"path": for_program(remark.path), "message": for_program(str(remark.message))}
            for remark in imported.remarks
        ],
    }
