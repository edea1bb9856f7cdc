"""OM407, OM408, OM409 and OM411: user names and what proves them."""

from __future__ import annotations

from collections.abc import Iterator
from typing import NamedTuple

from opsmail.check.interface import Context, Problem, ProposedFix, operator_rule
from opsmail.findings import FixSafety, Replacement, Severity
from opsmail.messages import Message, msg
from opsmail.operator.model import (
    BasicAuthentication,
    ClientSecret,
    ModernAuthentication,
    NoAuthentication,
    Operator,
)
from opsmail.providers import Provider


@operator_rule("OM407", "username-form", Severity.WARNING)
def username_form(operator: Operator, context: Context) -> Iterator[Problem]:
    """The provider wants another form of user name."""
    username = operator.username
    provider = context.providers.of_host(operator.server.host)
    if username is None or provider is None:
        return
    remedy = _username_remedy(username, provider, operator.sender.address)
    if remedy is None:
        return
    fix = None
    if remedy.name is not None:
        change = Replacement("authentication.username", remedy.name)
        fix = ProposedFix(FixSafety.UNSAFE, msg("write `{name}`", name=remedy.name), (change,))
    form, _, word = provider.username.partition(":")
    messages = {
        "address": msg("{provider} wants the whole address as user name", provider=provider.name),
        "local-part": msg("{provider} wants only what stands before the `@` as user name", provider=provider.name),
        "fixed": msg("at {provider} the user name is the word `{word}`", provider=provider.name, word=word),
    }
    yield Problem("authentication.username", messages[form], label=msg("another form"), help=remedy.help, fix=fix)


class _Remedy(NamedTuple):
    """What to do about a user name, and the right one where it is clear which that is."""

    help: Message
    name: str | None


def _username_remedy(username: str, provider: Provider, sender: str) -> _Remedy | None:
    """Return what to write instead, None where the form is right."""
    form, _, word = provider.username.partition(":")
    local, at, _ = username.partition("@")
    if form == "address" and not at:
        name = sender if sender.lower().startswith(f"{username.lower()}@") else None
        return _Remedy(msg("write `{name}`", name=name or f"{username}@…"), name)
    if form == "local-part" and at:
        return _Remedy(msg("write `{name}`", name=local), local)
    if form == "fixed" and username != word:
        remedy = msg("write `{name}`; what {provider} calls the key is the password", name=word, provider=provider.name)
        return _Remedy(remedy, word)
    return None


@operator_rule("OM408", "app-password", Severity.NOTE)
def app_password(operator: Operator, context: Context) -> Iterator[Problem]:
    """The password that a person logs in with does not work for programs."""
    if not isinstance(operator.authentication, BasicAuthentication):
        return
    provider = context.providers.of_host(operator.server.host)
    if provider is None or not provider.app_password:
        return
    yield Problem(
        "authentication.password",
        msg("{provider} takes only an app password, not the one that people log in with", provider=provider.name),
        label=msg("has to be an app password"),
        help=msg("how to make one: {source}", source=provider.app_password_source or provider.source),
    )


@operator_rule("OM409", "long-lived-secret", Severity.NOTE)
def long_lived_secret(operator: Operator, context: Context) -> Iterator[Problem]:
    """A secret that has to be kept and renewed, where none would be needed."""
    authentication = operator.authentication
    if not isinstance(authentication, ModernAuthentication):
        return
    if not isinstance(authentication.credential, ClientSecret):
        return
    entry = context.settings.catalogue.entry(operator.server.host)
    if entry is None or "federated" not in entry.secrets:
        return  # only where IT has opened the other way
    yield Problem(
        "authentication.credential.kind",
        msg("a client secret has to be kept and renewed; with `federated` there is none"),
        label=msg("a secret"),
        help=msg(
            "change to `kind: federated`, after IT has made the CI's identity one of the application's credentials"
        ),
    )


@operator_rule("OM411", "expiring-credential", Severity.WARNING)
def expiring_credential(operator: Operator, context: Context) -> Iterator[Problem]:
    """The password, secret or certificate ends soon, or has ended."""
    authentication = operator.authentication
    if isinstance(authentication, NoAuthentication) or authentication.secret_expires is None:
        return
    ends = authentication.secret_expires
    if (ends - context.today).days > context.settings.file.policy.deprecation_notice_days:
        return
    ended = ends < context.today
    yield Problem(
        "authentication.secret_expires",
        msg("the credential ended on {date}", date=ends) if ended else msg("the credential ends on {date}", date=ends),
        label=msg("ended") if ended else msg("ends soon"),
        help=msg("make a new one, store it where the reference points, and write the day on which that one ends"),
        severity=Severity.ERROR if ended else None,
    )
