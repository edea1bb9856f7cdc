"""OM6xx: secrets."""

from __future__ import annotations

from collections.abc import Iterator

from opsmail.check.interface import Context, Problem, ProposedFix, operator_rule
from opsmail.findings import FixSafety, SchemeReplacement, Severity
from opsmail.messages import msg
from opsmail.operator.model import Operator
from opsmail.references import SecretReference
from opsmail.settings.catalogue import environment_name
from opsmail.shape import nearest


@operator_rule("OM601", "literal-secret", Severity.ERROR, unwaivable=True)
def literal_secret(operator: Operator, context: Context) -> Iterator[Problem]:
    """A value stands where the place of a secret should be named.

    The value is forgotten while reading; nothing here can show it.
    """
    for path, reference in operator.references():
        if reference.is_literal:
            yield literal_problem(path, operator.operator)


def literal_problem(path: str, operator: str) -> Problem:
    """Return the problem of a secret field that holds a value.

    Args:
        path: the field.
        operator: the operator's id, for the example.
    """
    return Problem(
        path,
        msg("this looks like the secret itself, not a reference to it"),
        label=msg("the value is not shown"),
        help=msg(
            "change that password now: taking it out of the file is not enough, git keeps it; then write where the new "
            "one is kept, for example `env://OPSMAIL_SECRET_{operator}`",
            operator=environment_name(operator),
        ),
        at_key=True,  # the value's own place would tell its length
    )


@operator_rule("OM602", "unknown-secret-scheme", Severity.ERROR)
def unknown_secret_scheme(operator: Operator, context: Context) -> Iterator[Problem]:
    """A reference that nothing here can resolve."""
    for path, reference in operator.references():
        if reference.is_literal or reference.scheme in context.schemes:
            continue
        guess = nearest(reference.scheme, sorted(context.schemes))
        yield Problem(
            path,
            msg("unknown kind of secret reference `{scheme}`", scheme=reference.scheme),
            label=msg("unknown"),
            help=msg("did you mean `{guess}://`?", guess=guess)
            if guess
            else msg("known here: {schemes}", schemes=", ".join(f"`{name}://`" for name in sorted(context.schemes))),
            fix=_scheme_fix(path, reference, guess),
        )


def _scheme_fix(path: str, reference: SecretReference, guess: str | None) -> ProposedFix | None:
    """Write the nearest kind, where what follows fits it; else the whole may be a password."""
    if guess is None or SecretReference.parse(f"{guess}://{reference.locator}").is_literal:
        return None
    return ProposedFix(FixSafety.UNSAFE, msg("write `{name}`", name=f"{guess}://"), (SchemeReplacement(path, guess),))


@operator_rule("OM604", "secret-not-for-server", Severity.ERROR, unwaivable=True)
def secret_not_for_server(operator: Operator, context: Context) -> Iterator[Problem]:
    """The catalogue says which credentials may be sent to which server, for which operator."""
    for denial in context.settings.catalogue.credential_denials(operator):
        yield Problem(denial.path, denial.message, label=msg("not approved here"), help=denial.help)
