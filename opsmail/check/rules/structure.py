"""The rules that are found by reading, decoding and waiving rather than by a function of their own."""

from __future__ import annotations

from opsmail.findings import RuleMeta, Severity

_E, _W = Severity.ERROR, Severity.WARNING

STRUCTURE_RULES = {
    meta.id: meta
    for meta in (
        RuleMeta("OM001", "unreadable-file", _E, unwaivable=True),
        RuleMeta("OM002", "invalid-yaml", _E, unwaivable=True),
        RuleMeta("OM003", "duplicate-key", _E, unwaivable=True),
        RuleMeta("OM004", "not-one-document", _E, unwaivable=True),
        RuleMeta("OM005", "unsupported-yaml", _E, unwaivable=True),
        RuleMeta("OM006", "not-utf8", _E, unwaivable=True),
        RuleMeta("OM007", "too-large", _E, unwaivable=True),
        RuleMeta("OM008", "not-a-plain-file", _E, unwaivable=True),
        RuleMeta("OM009", "ambiguous-scalar", _E, unwaivable=True),
        RuleMeta("OM010", "invisible-character", _E, unwaivable=True),
        RuleMeta("OM101", "unknown-field", _E),
        RuleMeta("OM102", "missing-field", _E),
        RuleMeta("OM103", "wrong-type", _E),
        RuleMeta("OM104", "invalid-value", _E),
        RuleMeta("OM105", "file-name-mismatch", _E),
        RuleMeta("OM106", "unsupported-version", _E),
        RuleMeta("OM107", "organisation-schema", _E),
        RuleMeta("OM302", "obsolete-name", _E),
        RuleMeta("OM801", "invalid-waiver", _E, unwaivable=True),
        RuleMeta("OM802", "expired-waiver", _E, unwaivable=True),
        RuleMeta("OM803", "unused-waiver", _W, unwaivable=True),
        RuleMeta("OM804", "new-waiver", Severity.NOTE, unwaivable=True),
    )
}
