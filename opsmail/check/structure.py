"""Problems of shape as problems of rules: which of OM009 and OM101–OM106 it is, and what would mend it."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Sequence

from opsmail.check.interface import Problem, ProposedFix, Replacement
from opsmail.check.rules.encryption import obsolete_name
from opsmail.check.rules.secrets import literal_problem
from opsmail.findings import FixSafety
from opsmail.messages import Message, msg
from opsmail.operator.model import Operator, claimed_id
from opsmail.references import SecretReference
from opsmail.shape import Problem as ShapeProblem
from opsmail.shape import ProblemKind
from opsmail.source.document import Document
from opsmail.source.scalars import is_ambiguous_number, resolve_plain

_RULES = {
    ProblemKind.UNKNOWN_FIELD: "OM101",
    ProblemKind.MISSING_FIELD: "OM102",
    ProblemKind.WRONG_TYPE: "OM103",
    ProblemKind.INVALID_VALUE: "OM104",
}


def structure_problems(
    faults: Sequence[ShapeProblem], document: Document, file: str, operator: Operator | None, secret: Collection[str]
) -> Iterator[tuple[str, Problem]]:
    """Yield the rule and problem of everything that is wrong with a document's shape.

    Args:
        faults: from decoding it.
        document: to see how values are written.
        file: its path, whose stem is the operator's id.
        operator: None when it could not be decoded.
        secret: paths of the fields that hold secret references.
    """
    name = document.data.get("operator")
    for fault in faults:
        # A password of digits alone is a number to YAML: a literal secret, not a wrong type whose fix repeats it.
        if fault.path not in secret or not _is_literal(document.value(fault.path)):
            yield _translated(fault, document)
    if faults:
        seen_by_rule = () if operator is None else dict(operator.references())
        for path in sorted(secret):
            if path not in seen_by_rule and _is_literal(document.value(path)):
                yield "OM601", literal_problem(path, claimed_id(document.data) or "rh")
    stem = file.rpartition("/")[2].removesuffix(".yaml")
    if isinstance(name, str) and name != stem and not any(fault.path == "operator" for fault in faults):
        yield (
            "OM105",
            Problem(
                "operator",
                msg("the operator is `{name}`, but the file is `{stem}.yaml`", name=name, stem=stem),
                label=msg("differs from the file's name"),
                help=msg("write `operator: {stem}`, or rename the file", stem=stem),
            ),
        )


def _is_literal(value: object) -> bool:
    """Whether this, in a secret field, is the secret itself."""
    if isinstance(value, str):
        return value != "" and SecretReference.parse(value).is_literal
    return isinstance(value, int | float)


def _translated(fault: ShapeProblem, document: Document) -> tuple[str, Problem]:
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
    return rule, Problem(
        fault.path,
        fault.message,
        label=_LABELS[fault.kind],
        help=fault.help or _type_help(fault, written),
        fix=_type_fix(fault, written),
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


def _type_fix(fault: ShapeProblem, written: str) -> ProposedFix | None:
    """Quoting a number where text is wanted, or unquoting one where a number is, cannot change what is meant."""
    if fault.kind is not ProblemKind.WRONG_TYPE or not written:
        return None
    quoted = written[0] in "\"'"
    inner = written[1:-1] if quoted else written
    if fault.expected is str and not quoted and not isinstance(resolve_plain(written), str | None):
        return _write(fault.path, f'"{written}"')
    if fault.expected is int and quoted and type(resolve_plain(inner)) is int:
        return _write(fault.path, inner)
    if fault.expected is bool and inner.lower() in ("true", "false"):
        return _write(fault.path, inner.lower())
    return None


def _write(path: str, text: str) -> ProposedFix:
    return ProposedFix(FixSafety.SAFE, msg("write `{text}`", text=text), (Replacement(path, text),))


def _type_help(fault: ShapeProblem, written: str) -> Message | None:
    fix = _type_fix(fault, written)
    if fix is not None:
        return fix.description
    if fault.expected is bool:
        return msg("write `true` or `false`")
    if fault.expected is int:
        return msg("write a whole number without quotes")
    if fault.expected is str:
        return msg("write a text")
    return None
