"""Problems of shape as problems of rules: which of OM009 and OM101–OM106 it is, and what would mend it."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Sequence

from opsmail.check.disclosure import Disclosure
from opsmail.check.interface import Problem, ProposedFix
from opsmail.check.rules.encryption import obsolete_name
from opsmail.check.rules.secrets import literal_problem
from opsmail.findings import FixSafety, Renaming, Replacement
from opsmail.messages import Message, msg
from opsmail.operator.model import Operator, claimed_id
from opsmail.references import SecretReference
from opsmail.shape import Problem as ShapeProblem
from opsmail.shape import ProblemKind, join
from opsmail.source.document import Document
from opsmail.source.scalars import is_ambiguous_number, resolve_plain
from opsmail.source.tree import is_named_like, operator_stem

_RULES = {
    ProblemKind.UNKNOWN_FIELD: "OM101",
    ProblemKind.MISSING_FIELD: "OM102",
    ProblemKind.WRONG_TYPE: "OM103",
    ProblemKind.INVALID_VALUE: "OM104",
}


def structure_problems(
    faults: Sequence[ShapeProblem], document: Document, file: str, operator: Operator | None, disclosure: Disclosure
) -> Iterator[tuple[str, Problem]]:
    """Yield the rule and problem of everything that is wrong with a document's shape.

    Args:
        faults: from decoding it.
        document: to see how values are written.
        file: its path, whose stem is the operator's id.
        operator: None when it could not be decoded.
        disclosure: what of it may be shown.
    """
    name = document.data.get("operator")
    secret = disclosure.secret
    if faults:
        fixes = _Fixes(faults, document, disclosure)
        for fault in faults:
            # A password of digits alone is a number to YAML: a literal secret, not a wrong type whose fix repeats it.
            if fault.path not in secret or not _is_literal(document.value(fault.path)):
                yield _translated(fault, document, fixes)
        seen_by_rule = () if operator is None else dict(operator.references())
        for path in sorted(secret):
            if path not in seen_by_rule and _is_literal(document.value(path)):
                yield "OM601", literal_problem(path, claimed_id(document.data) or "rh")
    if not is_named_like(name, file) and not any(fault.path == "operator" for fault in faults):
        stem = operator_stem(file)
        yield (
            "OM105",
            Problem(
                "operator",
                msg("the operator is `{name}`, but the file is `{stem}.yaml`", name=name, stem=stem),
                label=msg("differs from the file's name"),
                help=msg("write `operator: {stem}`, or rename the file", stem=stem),
                fix=_write("operator", stem, FixSafety.UNSAFE),
            ),
        )


def _is_literal(value: object) -> bool:
    """Whether this, in a secret field, is the secret itself."""
    if isinstance(value, str):
        return value != "" and SecretReference.parse(value).is_literal
    return isinstance(value, int | float)


def _translated(fault: ShapeProblem, document: Document, fixes: _Fixes) -> tuple[str, Problem]:
    rule = _RULES[fault.kind]
    written = document.written(fault.path)
    if fault.path == "version" and rule == "OM104":
        return "OM106", _unsupported_version()
    if rule == "OM103" and fault.expected is int and is_ambiguous_number(written):
        return "OM009", _ambiguous(fault, written)
    if fault.path == "server.encryption" and rule == "OM104":
        obsolete = obsolete_name(document.value(fault.path), document.value("server.port"))
        if obsolete is not None:
            return "OM302", obsolete
    fix = fixes.of(fault)
    return rule, Problem(
        fault.path,
        fault.message,
        label=_LABELS[fault.kind],
        help=fault.help or _type_help(fault, fix),
        fix=fix,
        at_key=fault.kind in (ProblemKind.UNKNOWN_FIELD, ProblemKind.MISSING_FIELD),
    )


_LABELS = {
    ProblemKind.UNKNOWN_FIELD: msg("unknown"),
    ProblemKind.MISSING_FIELD: None,
    ProblemKind.WRONG_TYPE: msg("wrong type"),
    ProblemKind.INVALID_VALUE: msg("not valid"),
}


def _unsupported_version() -> Problem:
    return Problem(
        "version",
        msg("this version of the file format is not supported"),
        label=msg("only 1 is known"),
        help=msg("write `version: 1`, or use a newer opsmail"),
    )


def _ambiguous(fault: ShapeProblem, written: str) -> Problem:
    return Problem(
        fault.path,
        msg("`{written}` is read as different numbers by different programs", written=written[:40]),
        label=msg("ambiguous"),
        help=msg("write it in plain decimal digits, without leading zeros, signs, colons or underscores"),
    )


class _Fixes:
    """Finds what would mend a fault.

    Args:
        faults: all of the document.
        document: to see how values are written.
        disclosure: what of it may be shown. Where a value may not, no fix and no advice repeats it.
    """

    def __init__(self, faults: Sequence[ShapeProblem], document: Document, disclosure: Disclosure) -> None:
        self._document = document
        self._disclosure = disclosure
        self._meant = Counter(_meant(fault) for fault in faults if fault.kind is ProblemKind.UNKNOWN_FIELD)

    def of(self, fault: ShapeProblem) -> ProposedFix | None:
        """Return the fix of a fault, None where it is not clear what was meant."""
        if fault.kind is ProblemKind.UNKNOWN_FIELD:
            return self._name(fault)
        written = self._document.written(fault.path)
        value = self._document.value(fault.path)
        if not written or self._disclosure.shown_part(fault.path, value, written) < len(written):
            return None
        return _type_fix(fault, written) if fault.kind is ProblemKind.WRONG_TYPE else _value_fix(fault, value)

    def _name(self, fault: ShapeProblem) -> ProposedFix | None:
        """The field with the nearest name, if there is none yet and nothing else could be it."""
        meant = _meant(fault)
        if fault.nearest is None or meant in self._document.keys or self._meant[meant] > 1:
            return None
        description = msg("write `{text}`", text=fault.nearest)
        return ProposedFix(FixSafety.UNSAFE, description, (Renaming(fault.path, fault.nearest),))


def _meant(fault: ShapeProblem) -> str:
    return join(fault.path.rpartition(".")[0], fault.nearest or "")


def _type_fix(fault: ShapeProblem, written: str) -> ProposedFix | None:
    """Quoting a number where text is wanted, or unquoting one where a number is, cannot change what is meant."""
    quoted = written[0] in "\"'"
    inner = written[1:-1] if quoted else written
    if fault.expected is str and not quoted and not isinstance(resolve_plain(written), str | None):
        return _write(fault.path, written)
    number = resolve_plain(inner)
    if fault.expected is int and quoted and type(number) is int:
        return _write(fault.path, number)
    if fault.expected is bool and inner.lower() in ("true", "false"):
        return _write(fault.path, inner.lower() == "true")
    return None


def _value_fix(fault: ShapeProblem, value: object) -> ProposedFix | None:
    """The nearest value is a guess, unless only the case of its letters differs."""
    if fault.nearest is None:
        return None
    is_same = isinstance(value, str) and value.lower() == fault.nearest
    return _write(fault.path, fault.nearest, FixSafety.SAFE if is_same else FixSafety.UNSAFE)


def _write(path: str, value: str | int | bool, safety: FixSafety = FixSafety.SAFE) -> ProposedFix:  # noqa: FBT001 - a value of the file
    from opsmail.check.fixing.writing import written  # most files need no fix

    text = written(value, "")
    return ProposedFix(safety, msg("write `{text}`", text=text), (Replacement(path, value),))


def _type_help(fault: ShapeProblem, fix: ProposedFix | None) -> Message | None:
    if fix is not None:
        return fix.description
    if fault.expected is bool:
        return msg("write `true` or `false`")
    if fault.expected is int:
        return msg("write a whole number without quotes")
    if fault.expected is str:
        return msg("write a text")
    return None
