"""The proof of a fix: the file read again holds just what was meant, and the finding is gone."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable, Sequence
from dataclasses import replace
from typing import Any

from opsmail.check.fixing.edits import splice
from opsmail.check.fixing.intention import intended
from opsmail.findings import Edit, FileChange, Finding, Fix, MarkRemoval
from opsmail.source.document import MAX_REPEATED
from opsmail.source.reader import read_document
from opsmail.source.tree import MAX_BYTES

#: Gives the findings that the file would have with other content.
Look = Callable[[bytes], Iterable[Finding]]

_MARK = "\ufeff"


def proven(findings: Iterable[Finding], content: bytes, look: Look, top: type = dict) -> tuple[Finding, ...]:
    """Return findings without the fixes that cannot be proven.

    A proof costs another look at the file. So that no file costs more than a few times what it costs without, the
    number of those that are tried has an end; fixing the first of them brings the others' turn.

    Args:
        findings: of one file.
        content: the file's bytes.
        look: finds again, without proofs.
        top: what the document is, `dict` or `list`.
    """
    tries = max(1, min(MAX_REPEATED, MAX_BYTES // (len(content) + 1)))
    result = []
    for finding in findings:
        kept = finding
        if finding.fix is not None:
            if tries == 0 or not _ends(finding, finding.fix, content, look, top):
                kept = replace(finding, fix=None)
            tries = max(0, tries - 1)
        result.append(kept)
    return tuple(result)


def fixed_content(content: bytes, fixes: Sequence[Fix], top: type = dict) -> bytes | None:
    """Return a file with fixes applied; None where what is read from it would not be exactly what they mean.

    Args:
        content: the file's bytes.
        fixes: made for just these; their edits do not overlap.
        top: what the document is, `dict` or `list`.
    """
    changes = [change for fix in fixes for change in fix.changes]
    after = _spliced(content, changes, [edit for fix in fixes for edit in fix.edits])
    before = _data(content, top)
    if before is None or json.dumps(intended(before, changes)) != json.dumps(_data(after, top)):
        return None
    return after


def _ends(finding: Finding, fix: Fix, content: bytes, look: Look, top: type) -> bool:
    after = fixed_content(content, [fix], top)
    if after is None:
        return False
    return not any(other.rule.id == finding.rule.id and other.path == finding.path for other in look(after))


def _spliced(content: bytes, changes: Sequence[FileChange], edits: Sequence[Edit]) -> bytes:
    text = content.decode("utf-8")
    mark = _MARK if text.startswith(_MARK) else ""
    after = splice(text.removeprefix(_MARK), edits)
    return (after if any(isinstance(change, MarkRemoval) for change in changes) else mark + after).encode()


def _data(content: bytes, top: type) -> Any:
    """Return the data of a file, None where it cannot be read; a list without entries leaves nothing to read."""
    document, problems = read_document(content, top)
    if document is None and top is list and [problem.rule for problem in problems] == ["OM001"]:
        return []
    return None if document is None else document.data
