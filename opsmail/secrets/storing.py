"""How a secret gets to where its reference points: the answer to "where do I type the password?".

The commands take the value from the keyboard without showing it, so that it is in no file, no history of a shell and no
list of processes. Sources: https://cli.github.com/manual/gh_secret_set, https://docs.gitlab.com/cli/variable/set/,
https://learn.microsoft.com/cli/azure/pipelines/variable-group/variable, https://learn.microsoft.com/cli/azure/keyvault/secret,
https://developer.hashicorp.com/vault/docs/commands/kv/put, https://docs.aws.amazon.com/cli/latest/reference/secretsmanager/,
https://cloud.google.com/sdk/gcloud/reference/secrets/versions/add, https://keyring.readthedocs.io,
https://www.freedesktop.org/software/systemd/man/latest/systemd.exec.html
"""

from __future__ import annotations

import shlex
from collections.abc import Callable, Iterator, Mapping, Sequence
from enum import StrEnum
from types import MappingProxyType
from typing import NamedTuple

from opsmail.messages import Message, msg
from opsmail.references import SecretReference
from opsmail.values import dataclass

#: Reads one line that is not shown, and gives it to a program without a line end.
_TYPED = 'read -rs VALUE && printf %s "$VALUE" | {command}; unset VALUE'
_SERVICE_FILE = "/etc/opsmail/secrets.env"
_KEY_FILE = "keys/ci.key"


class Place(StrEnum):
    """Where something has to be done."""

    HERE = "here"
    GITHUB = "github"
    GITLAB = "gitlab"
    AZURE = "azure"
    SERVERS = "servers"
    MANAGER = "manager"


class Step(NamedTuple):
    """One thing to do.

    Args:
        place: where.
        text: what.
        command: what to type for it; None where it is nothing that a command does.
    """

    place: Place
    text: Message
    command: str | None = None


#: The CI systems that have steps of their own.
CI_SYSTEMS = (Place.GITHUB, Place.GITLAB, Place.AZURE)


@dataclass(frozen=True, slots=True)
class Readers:
    """Who looks for a secret, besides the person here.

    Args:
        ci: which CI systems.
        servers: whether the application servers do.
    """

    ci: Sequence[Place]
    servers: bool = True

    def __iter__(self) -> Iterator[Place]:
        yield from self.ci
        if self.servers:
            yield Place.SERVERS


def storing_steps(reference: SecretReference, readers: Readers) -> list[Step]:
    """Return what to do so that a reference resolves; empty for a kind that an installed package adds."""
    steps = _STEPS.get(reference.scheme)
    return [] if steps is None else list(steps(reference, readers))


def signing_key_steps(reference: SecretReference, ci: Sequence[Place]) -> list[Step]:
    """Return what to do with the private key that `opsmail keygen` wrote; only the CI looks for it.

    A key is of several lines, which nobody types: it goes from its file.
    """
    if reference.scheme != "env":
        return storing_steps(reference, Readers(ci, servers=False))
    name = reference.locator
    first = "AZURE_DEVOPS_EXT_PIPELINE_VAR_"
    commands = {
        Place.HERE: f'export {name}="$(cat {_KEY_FILE})"',
        Place.GITHUB: f"gh secret set {name} --env production < {_KEY_FILE}",
        Place.GITLAB: f"glab variable set {name} --scope production --protected --type env_var < {_KEY_FILE}",
        Place.AZURE: f'{first}{name}="$(cat {_KEY_FILE})" '
        f"az pipelines variable-group variable create --group-id ID --name {name} --secret true",
    }
    text = msg("the private key that `opsmail keygen` wrote; delete the file when it is stored")
    return [Step(place, text, commands[place]) for place in (Place.HERE, *ci)]


def _variable(reference: SecretReference, readers: Readers) -> Iterator[Step]:
    name = reference.locator
    yield Step(
        Place.HERE, msg("for this shell only; type the value, it is not shown"), f"read -rs {name} && export {name}"
    )
    for place in readers.ci:
        yield from _CI_VARIABLES[place](name)
    if readers.servers:
        yield Step(
            Place.SERVERS,
            msg(
                "a line {name}=… in a file that only root reads, for example {file}, which the service loads "
                "(systemd: EnvironmentFile={file})",
                name=name,
                file=_SERVICE_FILE,
            ),
            f"touch {_SERVICE_FILE} && chmod 600 {_SERVICE_FILE}",
        )


def _github(name: str) -> Iterator[Step]:
    yield Step(
        Place.GITHUB,
        msg("a secret of the environment `production`; it asks for the value"),
        f"gh secret set {name} --env production",
    )
    yield Step(
        Place.GITHUB,
        msg("a line in `.github/workflows/deploy.yml`, under `env:` of each step that needs it"),
        f"{name}: ${{{{ secrets.{name} }}}}",
    )


def _gitlab(name: str) -> Iterator[Step]:
    yield Step(
        Place.GITLAB,
        msg("a variable of the environment `production`, protected and masked"),
        _TYPED.format(command=f"glab variable set {name} --scope production --protected --masked"),
    )


def _azure(name: str) -> Iterator[Step]:
    yield Step(
        Place.AZURE,
        msg("a secret of the variable group `opsmail-production`; it asks for the value"),
        f"az pipelines variable-group variable create --group-id ID --name {name} --secret true",
    )
    yield Step(
        Place.AZURE,
        msg("a line in `azure-pipelines.yml`, under `env:` of each step that needs it"),
        f"{name}: $({name})",
    )


_CI_VARIABLES: Mapping[Place, Callable[[str], Iterator[Step]]] = MappingProxyType(
    {Place.GITHUB: _github, Place.GITLAB: _gitlab, Place.AZURE: _azure}
)


def _file(reference: SecretReference, readers: Readers) -> Iterator[Step]:
    path = shlex.quote(reference.locator)
    command = _TYPED.format(command=f"(umask 077 && cat > {path})")
    yield Step(Place.HERE, msg("a file that only its owner reads (mode 0600)"), command)
    for place in readers.ci:
        yield Step(place, msg("the job writes the same file before `opsmail test`, from a secret of its own"))
    if readers.servers:
        yield Step(
            Place.SERVERS,
            msg("the same file, owned by whoever runs the service; containers mount it from their secrets"),
            command,
        )


def _keyring(reference: SecretReference, readers: Readers) -> Iterator[Step]:
    service, _, user = reference.locator.partition("/")
    yield Step(
        Place.HERE,
        msg("the keyring of whoever runs opsmail; it asks for the value"),
        f"keyring set {shlex.quote(service)} {shlex.quote(user)}",
    )
    for place in readers:
        yield Step(place, msg("there is no keyring: use another kind of reference for what runs there"))


def _vault(reference: SecretReference, readers: Readers) -> Iterator[Step]:
    mount, _, path = reference.locator.partition("/")
    place = f"-mount={shlex.quote(mount)} {shlex.quote(path)} {shlex.quote(f'{reference.field}=-')}"
    yield Step(
        Place.MANAGER,
        msg("the field of a secret that is there; for a new secret write `put` in the place of `patch`"),
        _TYPED.format(command=f"vault kv patch {place}"),
    )
    login = msg("a login that may read it: VAULT_ADDR, and VAULT_TOKEN, AppRole or the CI's identity token")
    yield from _logins(login, readers)


def _azure_keyvault(reference: SecretReference, readers: Readers) -> Iterator[Step]:
    vault, _, name = reference.locator.partition("/")
    yield Step(
        Place.MANAGER,
        msg("a new version of the secret in the vault"),
        _TYPED.format(
            command=f"az keyvault secret set --vault-name {shlex.quote(vault)} --name {shlex.quote(name)} "
            "--file /dev/stdin --output none"
        ),
    )
    login = msg(
        "an identity with the role Key Vault Secrets User: a managed one, or one that the CI's token stands for"
    )
    yield from _logins(login, readers)


def _aws(reference: SecretReference, readers: Readers) -> Iterator[Step]:
    name = shlex.quote(reference.locator)
    if reference.field is None:
        text = msg("a new version of the secret; a new secret is made by `create-secret --name {name}`", name=name)
        command = f"aws secretsmanager put-secret-value --secret-id {name} --secret-string file:///dev/stdin"
        yield Step(Place.MANAGER, text, _TYPED.format(command=command))
    else:
        yield Step(
            Place.MANAGER,
            msg("the entry `{field}` of the JSON object that the secret is, in the console", field=reference.field),
        )
    yield from _logins(msg("a role that may do secretsmanager:GetSecretValue on it"), readers)


def _gcp(reference: SecretReference, readers: Readers) -> Iterator[Step]:
    project, _, name = (shlex.quote(part) for part in reference.locator.partition("/"))
    yield Step(
        Place.MANAGER,
        msg("a new version of the secret; a new secret is made by `gcloud secrets create`"),
        _TYPED.format(command=f"gcloud secrets versions add {name} --project={project} --data-file=-"),
    )
    yield from _logins(msg("an account with the role Secret Manager Secret Accessor"), readers)


def _logins(text: Message, readers: Readers) -> Iterator[Step]:
    for place in readers:
        yield Step(place, text)


_STEPS: Mapping[str, Callable[[SecretReference, Readers], Iterator[Step]]] = MappingProxyType(
    {
        "env": _variable,
        "file": _file,
        "keyring": _keyring,
        "vault": _vault,
        "azure-keyvault": _azure_keyvault,
        "aws-secretsmanager": _aws,
        "gcp-secretmanager": _gcp,
    }
)
