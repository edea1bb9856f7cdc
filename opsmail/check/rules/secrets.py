"""OM6xx: secrets."""

from __future__ import annotations

from collections.abc import Iterator

from opsmail.check.interface import Context, Fleet, FleetProblem, Problem, ProposedFix, fleet_rule, operator_rule
from opsmail.findings import FixSafety, SchemeReplacement, Severity
from opsmail.messages import msg
from opsmail.operator.model import Operator
from opsmail.references import SecretReference
from opsmail.secrets.interface import NeededSecret
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


@fleet_rule("OM606", "unresolvable-secret", Severity.ERROR, by_facts=True)
def unresolvable_secret(fleet: Fleet, context: Context) -> Iterator[FleetProblem]:
    """A reference is right and nothing is there, here where the check runs.

    Asked for the whole fleet at once, so that many secrets are tried at the same time.
    """
    if context.try_secrets is None:
        return
    needed = [
        (member.file, path, secret)
        for member in fleet.members
        if member.operator is not None
        for path, secret in triable_secrets(member.operator, context)
    ]
    errors = context.try_secrets(dict.fromkeys(secret for _, _, secret in needed))
    for file, path, secret in needed:
        error = errors.get(secret)
        if error is not None:
            help_ = error.hint or msg("store the secret there, or correct the reference")
            yield FleetProblem(file, Problem(path, error.message, label=msg("does not resolve here"), help=help_))


def triable_secrets(operator: Operator, context: Context) -> Iterator[tuple[str, NeededSecret]]:
    """Yield what may be read for an operator: a change must not find out about secrets that are not approved for it."""
    catalogue = context.settings.catalogue
    if catalogue.servers is not None and catalogue.entry(operator.server.host) is None:
        return
    denied = {denial.path for denial in catalogue.credential_denials(operator)}
    for path, reference in operator.references():
        is_known = not reference.is_literal and reference.scheme in context.schemes
        if is_known and path not in denied and str(reference) not in catalogue.reserved:
            yield path, NeededSecret(reference, is_password=path == "authentication.password")
