"""Results of `secrets`: each reference, who needs it, whether it resolves here, and how the secret gets there."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from enum import StrEnum
from gettext import NullTranslations
from typing import Any

from opsmail.messages import Message, msg
from opsmail.output.escape import for_program, for_terminal, json_text
from opsmail.output.style import Style
from opsmail.references import SecretReference
from opsmail.secrets.storing import Place, Step
from opsmail.values import dataclass

SCHEMA = "opsmail/secrets/v1"


class State(StrEnum):
    """Whether a secret can be had here."""

    RESOLVES = "resolves"
    MISSING = "missing"
    UNREACHABLE = "unreachable"
    NOT_TRIED = "not-tried"


@dataclass(frozen=True, slots=True)
class KnownSecret:
    """A reference; of the secret itself nothing is known but whether it is there.

    Args:
        reference: where it is kept.
        operators: who needs it, each with the field.
        settings: which settings need it.
        state: whether it resolves here.
        reason: why not, or why nobody tried; None where it does.
        steps: what to do so that it resolves.
    """

    reference: SecretReference
    operators: tuple[tuple[str, str], ...]
    settings: tuple[str, ...]
    state: State
    reason: Message | None
    steps: tuple[Step, ...]


_STATES = {
    State.RESOLVES: (msg("resolves here"), "green"),
    State.MISSING: (msg("does not resolve here"), "red"),
    State.UNREACHABLE: (msg("could not be asked for here"), "yellow"),
    State.NOT_TRIED: (msg("not tried"), "yellow"),
}
_PLACES = {
    Place.HERE: msg("here"),
    Place.GITHUB: msg("GitHub"),
    Place.GITLAB: msg("GitLab"),
    Place.AZURE: msg("Azure"),
    Place.SERVERS: msg("servers"),
    Place.MANAGER: msg("secret manager"),
}


def as_text(secrets: Sequence[KnownSecret], language: NullTranslations, style: Style) -> str:
    """Return a paragraph for each secret."""

    def say(message: Message) -> str:
        return for_terminal(message.render(language))

    def lines(secret: KnownSecret) -> Iterator[str]:
        state, colour = _STATES[secret.state]
        yield f"{style.paint(for_terminal(str(secret.reference)), bold=True)}  {style.paint(say(state), colour)}"
        if secret.reason is not None:
            yield f"  {say(secret.reason)}"
        users = [f"{operator} ({path})" for operator, path in secret.operators]
        users += [f"opsmail.toml ({path})" for path in secret.settings]
        yield f"  {say(msg('needed by: {users}', users=', '.join(users)))}"
        for step in secret.steps:
            yield f"  {style.paint(say(_PLACES[step.place]), bold=True)}: {say(step.text)}"
            if step.command is not None:
                yield f"    {for_terminal(step.command)}"

    return "\n".join("".join(f"{line}\n" for line in lines(secret)) for secret in secrets)


def as_json(secrets: Sequence[KnownSecret]) -> str:
    """Return the same for programs; texts stay English."""
    return json_text({"schema": SCHEMA, "secrets": [document(secret) for secret in secrets]})


def document(secret: KnownSecret) -> dict[str, Any]:
    """Return one of them as plain data."""
    return {
        "reference": for_program(str(secret.reference)),
        "operators": [{"operator": operator, "path": path} for operator, path in secret.operators],
        "settings": list(secret.settings),
        "state": secret.state.value,
        "reason": None if secret.reason is None else for_program(str(secret.reason)),
        "steps": [
            {
                "place": step.place.value,
                "text": for_program(str(step.text)),
                "command": None if step.command is None else for_program(step.command),
            }
            for step in secret.steps
        ],
    }
