"""`opsmail secrets`."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

import click

from opsmail.check.engine import check
from opsmail.check.interface import Context
from opsmail.check.result import Member
from opsmail.check.rules.secrets import triable_secrets
from opsmail.cli.choosing import named
from opsmail.cli.exit_codes import ExitCode
from opsmail.cli.groups import Command
from opsmail.cli.options import session_options
from opsmail.cli.outputs import format_option, parse_outputs
from opsmail.cli.session import Session, today
from opsmail.messages import Message, msg, msgn
from opsmail.operator.model import Operator
from opsmail.output.results import secrets as results
from opsmail.output.results.secrets import KnownSecret, State
from opsmail.providers import load_providers
from opsmail.references import SecretReference
from opsmail.scaffold.pipelines import SYSTEMS
from opsmail.secrets import known_schemes, open_secrets
from opsmail.secrets.interface import NeededSecret, SecretError, SecretStoreUnreachable
from opsmail.secrets.storing import CI_SYSTEMS, Place, Readers, Step, signing_key_steps, storing_steps
from opsmail.secrets.trial import SecretTrial


@click.command("secrets", cls=Command, epilog="Example:  opsmail secrets rh-notificacoes --ci github")
@click.argument("operator", required=False)
@click.option(
    "--ci",
    type=click.Choice([place.value for place in CI_SYSTEMS]),
    help="The CI system to tell the steps for.  [default: those whose files are here]",
)
@format_option("text or json")
@session_options
def command(operator: str | None, ci: str | None, formats: tuple[str, ...], session: Session) -> int:
    """Show every secret that operators need: who needs it, whether it resolves here, and how it gets there.

    A secret is named by its reference and never shown. OPERATOR narrows them to those of one. The exit code is 0
    whether or not they resolve here; `opsmail check --resolve` fails where they do not.
    """
    outputs = parse_outputs(formats or ("text",), ("text", "json"))
    settings = session.settings()
    context = Context(settings, load_providers(), today(), known_schemes())
    checked = check(session.worktree.operator_files(settings.file.operators), context)
    members = named([] if operator is None else [operator], checked)
    operators = [member.operator for member in members if member.operator is not None]
    secrets = _known(operators, context, operator is None, ci_systems(session.root, ci))
    for output in outputs:
        text = (
            results.as_json(secrets)
            if output.format == "json"
            else results.as_text(secrets, session.console.language, output.style(session.console))
        )
        output.write(session.console, text)
    _say_what_is_not_shown(session, members)
    return ExitCode.DONE


def _known(operators: Sequence[Operator], context: Context, everything: bool, ci: Sequence[Place]) -> list[KnownSecret]:
    """Return the secrets of operators; with `everything` those of the settings, too."""
    uses: dict[SecretReference, list[tuple[str, str]]] = {}
    needed: dict[SecretReference, list[NeededSecret]] = {}
    for operator in operators:
        for path, reference in operator.references():
            if not reference.is_literal:
                uses.setdefault(reference, []).append((operator.operator, path))
        for _, secret in triable_secrets(operator, context):
            needed.setdefault(secret.reference, []).append(secret)
    own: dict[SecretReference, list[str]] = {}
    for path, reference in context.settings.references() if everything else ():
        own.setdefault(reference, []).append(path)
        uses.setdefault(reference, [])
        is_password = path in {"store.password", "store.reader_password"}
        needed.setdefault(reference, []).append(NeededSecret(reference, is_password))
    outcomes = SecretTrial(open_secrets()).outcomes([secret for several in needed.values() for secret in several])
    secrets = []
    for reference, users in uses.items():
        state, reason = _state(reference, [outcomes[secret] for secret in needed.get(reference, ())], context)
        paths = tuple(own.get(reference, ()))
        steps = tuple(_steps(reference, paths, Readers(ci)))
        secrets.append(KnownSecret(reference, tuple(users), paths, state, reason, steps))
    return secrets


def _steps(reference: SecretReference, paths: Sequence[str], readers: Readers) -> Sequence[Step]:
    """Return how a secret gets to where it is looked for; a token of the CI's own is put there by the CI."""
    if "gate.signing_key" in paths:
        return signing_key_steps(reference, readers.ci)
    if any(path.endswith(".federated_token") for path in paths):
        return ()
    # Of the probe's mailbox only the test reads.
    servers = readers.servers and list(paths) != ["live.probe.secret"]
    return storing_steps(reference, replace(readers, servers=servers))


def _state(
    reference: SecretReference, outcomes: Sequence[SecretError | None], context: Context
) -> tuple[State, Message | None]:
    """Return whether a secret can be had, and why not; every use of it has to be right."""
    if not outcomes and reference.scheme not in context.schemes:
        return State.NOT_TRIED, msg("nothing here resolves `{scheme}://`", scheme=reference.scheme)
    if not outcomes:
        return State.NOT_TRIED, msg("the catalogue does not approve it for the server")
    error = next((error for error in outcomes if error is not None), None)
    if error is None:
        return State.RESOLVES, None
    return State.UNREACHABLE if isinstance(error, SecretStoreUnreachable) else State.MISSING, error.message


def ci_systems(root: Path, chosen: str | None) -> list[Place]:
    """Return the CI systems that the steps are told for: all of them where nothing says which."""
    if chosen is not None:
        return [Place(chosen)]
    present = [place for place in CI_SYSTEMS if any((root / path).exists() for path in SYSTEMS[place][1])]
    return present or list(CI_SYSTEMS)


def _say_what_is_not_shown(session: Session, members: Sequence[Member]) -> None:
    """Tell of files without an operator, and of fields with a value where a reference belongs."""
    unreadable = sum(member.operator is None for member in members)
    if unreadable:
        session.console.say(
            msgn(
                "{count} file cannot be taken as an operator: `opsmail check` tells why",
                "{count} files cannot be taken as operators: `opsmail check` tells why",
                unreadable,
            )
        )
    for member in members:
        for path, reference in () if member.operator is None else member.operator.references():
            if reference.is_literal:
                session.console.say(
                    msg(
                        "{operator}: {path} holds a value where a reference belongs: change that secret now",
                        operator=member.name,
                        path=path,
                    )
                )
