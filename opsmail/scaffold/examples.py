"""What a new repository starts with: catalogue entries for the chosen providers, and an operator for each login."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import replace
from gettext import NullTranslations
from typing import Any

from opsmail.errors import UsageError
from opsmail.messages import Message, msg
from opsmail.operator.model import Operator
from opsmail.providers import Provider, Providers
from opsmail.scaffold.approval import server_entry
from opsmail.scaffold.draft import Draft
from opsmail.scaffold.operator_file import operator_data, operator_text, require_valid
from opsmail.scaffold.questions import completed
from opsmail.settings.catalogue import Catalogue
from opsmail.settings.model import AuthenticationType, ServerEntry
from opsmail.settings.notation import ApprovedConnection
from opsmail.shape import encode, nearest, shown
from opsmail.values import dataclass

#: A server of the company's own, among the providers.
OWN_SERVER = "own-server"
#: What most companies have.
USUAL = ("microsoft-365", OWN_SERVER)
_DOMAIN = "example.com"
_OWN_HOST = "smtp.example.com"
_CLIENT_ID = "00000000-0000-0000-0000-000000000000"
_VARIABLE = "env://OPSMAIL_SECRET_{OPERATOR}"
#: The refresh token of a person's account is written, too.
_KEYRING = "keyring://opsmail/{operator}"


@dataclass(frozen=True, slots=True)
class Example:
    """A catalogue entry with placeholders.

    Args:
        entry: what it approves.
        provider: whose server it is; None for the company's own.
    """

    entry: ServerEntry
    provider: Provider | None

    @property
    def authentication(self) -> str:
        """The login that it approves."""
        return self.entry.authentication[0].value

    @property
    def address(self) -> str:
        """A sender that the server takes."""
        personal = self.provider is not None and self.provider.accounts == "personal"
        domain = self.provider.mail_domains[0] if self.provider is not None and personal else _DOMAIN
        return f"{operator_id(self.authentication)}@{domain}"


def examples(ids: Sequence[str], providers: Providers) -> tuple[Example, ...]:
    """Return the catalogue for some providers.

    Args:
        ids: of the providers, `OWN_SERVER` among them.
        providers: all that are known.

    Raises:
        UsageError: one of them is not known.
    """
    by_id: dict[str, Provider | None] = {provider.id: provider for provider in providers.all}
    by_id[OWN_SERVER] = None
    for name in ids:
        if name not in by_id:
            guess = nearest(name, list(by_id))
            raise UsageError(
                msg("there is no provider `{name}`", name=shown(name)),
                hint=msg("did you mean `{guess}`?", guess=guess)
                if guess is not None
                else msg("known: {names}", names=", ".join(by_id)),
            )
    return tuple(_example(by_id[name]) for name in dict.fromkeys(ids))


def _example(provider: Provider | None) -> Example:
    if provider is None:
        return Example(_entry(_OWN_HOST, ("587/starttls", "465/implicit-tls"), secrets=(_VARIABLE,)), None)
    host = provider.example_host or provider.hosts[0]
    # Neither port 25 nor a connection in clear is what to start with.
    connections = [pair for pair in provider.connections if not pair.startswith("25/")]
    if provider.family != "microsoft":
        return Example(_entry(host, connections, secrets=(_VARIABLE,)), provider)
    people = provider.accounts == "personal"
    entry = replace(
        _entry(host, connections, secrets=(_KEYRING if people else _VARIABLE,)),
        authentication=(AuthenticationType.MODERN,),
        tenants=("consumers" if people else f"example.{provider.tenant_domains[0]}",),
        client_ids=(_CLIENT_ID,),
    )
    return Example(entry, provider)


def _entry(host: str, connections: Sequence[str], *, secrets: tuple[str, ...]) -> ServerEntry:
    return ServerEntry(
        host=host,
        connections=tuple(map(ApprovedConnection.parse, connections)),
        authentication=(AuthenticationType.BASIC,),
        secrets=secrets,
    )


def catalogue_text(chosen: Sequence[Example], language: NullTranslations | None = None) -> str:
    """Return the catalogue as `opsmail.toml` holds it, with what has to be put in the place of placeholders."""
    return "".join(
        "".join(f"# {message.render(language)}\n" for message in _remarks(example)) + server_entry(_set(example)) + "\n"
        for example in chosen
    )


def _set(example: Example) -> dict[str, Any]:
    return {name: value for name, value in encode(example.entry).items() if value not in (None, False, [])}


def _remarks(example: Example) -> Iterator[Message]:
    provider = example.provider
    if provider is None:
        yield msg("The company's own server: put its name here, and what IT says of its ports.")
        yield msg('For a private address add `private = true`, for a certificate of your own `ca = "ca/company.pem"`.')
        return
    yield msg("{provider}: {source}", provider=provider.name, source=provider.source)
    others = [host for host in provider.hosts if host != example.entry.host]
    if others:
        yield msg("It has other servers, too: {hosts}.", hosts=", ".join(others))
    if example.entry.client_ids:
        yield msg("Put your tenant and the application that is registered in Entra in the place of these.")
    if provider.app_password and provider.app_password_source is not None:
        yield msg("It wants an app password: {source}", source=provider.app_password_source)


def operator_id(authentication: str) -> str:
    """Return the id of the example with this login."""
    return f"example-{authentication}"


def example_operators(
    chosen: Sequence[Example], providers: Providers, folder: str, language: NullTranslations | None = None
) -> Iterator[tuple[Operator, str]]:
    """Yield an operator, and its file's text, for each login that the catalogue has; the first is the master.

    Args:
        chosen: the catalogue.
        providers: all that are known.
        folder: of the files, from the repository's root.
        language: of the comments.
    """
    catalogue = Catalogue(tuple(example.entry for example in chosen))
    by_login: dict[str, Example] = {}
    for example in chosen:
        by_login.setdefault(example.authentication, example)
    for index, (login, example) in enumerate(by_login.items()):
        answers = {"host": example.entry.host, "address": example.address}
        if example.provider is not None and example.provider.username == "any":
            answers["username"] = "example"
        draft = completed(Draft(operator_id(login), providers, catalogue, has_master=index > 0, answers=answers), None)
        data = operator_data(draft)
        yield require_valid(data), operator_text(data, draft, folder, language)
