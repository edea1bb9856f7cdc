"""The questions about a new operator, in the order of the administration form, and how they come to be answered."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import NamedTuple

from opsmail.addresses import AddressError, parse_address
from opsmail.errors import UsageError
from opsmail.messages import Message, msg
from opsmail.operator.model import Encryption, Role
from opsmail.references import SecretReference
from opsmail.scaffold.draft import Draft
from opsmail.settings.model import AuthenticationType
from opsmail.shape import nearest, shown
from opsmail.source.characters import unseen_in_value

#: Asks a person one question about a draft, until the answer is one.
Ask = Callable[["Question", Draft], str]
CREDENTIALS = ("client-secret", "certificate", "federated", "managed-identity", "delegated")
_REFERENCES = {"client-secret": "secret", "certificate": "pfx", "delegated": "token_cache"}
_MOST_PORT = 65535


def _nothing(draft: Draft) -> None:
    """Nothing follows from other answers."""


def _always(draft: Draft) -> bool:
    return True


def _open(draft: Draft) -> tuple[str, ...]:
    return ()


def _right(answer: str, draft: Draft) -> None:
    """Whatever is said is right; the check may know better."""


def _one_of(values: Iterable[str]) -> Callable[[Draft], tuple[str, ...]]:
    known = tuple(str(value) for value in values)

    def choices(draft: Draft) -> tuple[str, ...]:
        return known

    return choices


class Question(NamedTuple):
    """One question.

    Args:
        name: of its answer, and of the option that answers it.
        text: what a person is asked.
        likely: the answer that follows from the others; None where there is none.
        applies: whether it has to be answered at all.
        choices: what is offered.
        closed: nothing else is an answer.
        optional: no answer is one, too.
        asked: whether a person is asked where the likely answer is known.
        fault: what is wrong with an answer.
    """

    name: str
    text: Message
    likely: Callable[[Draft], str | None] = _nothing
    applies: Callable[[Draft], bool] = _always
    choices: Callable[[Draft], tuple[str, ...]] = _open
    closed: bool = False
    optional: bool = False
    asked: bool = True
    fault: Callable[[str, Draft], Message | None] = _right

    @property
    def option(self) -> str:
        """The option that answers it."""
        return f"--{self.name.replace('_', '-')}"

    def wrong(self, answer: str, draft: Draft) -> Message | None:
        """Return what is wrong with an answer, None when nothing is."""
        if not answer:
            return None if self.optional else msg("it is empty")
        hidden = unseen_in_value(answer)
        if hidden is not None:
            return hidden
        known = self.choices(draft)
        if self.closed and answer not in known:
            guess = nearest(answer, known)
            if guess is not None:
                return msg("`{answer}` is none of them; did you mean `{guess}`?", answer=shown(answer), guess=guess)
            return msg("it is one of {choices}", choices=_listed(known))
        return self.fault(answer, draft)


def completed(draft: Draft, ask: Ask | None) -> Draft:
    """Answer every question that applies: as was said, else as a person says, else as follows.

    Args:
        draft: with the answers that options gave.
        ask: asks a person; None where there is none.

    Raises:
        UsageError: an option's answer is wrong, or one is missing and nobody can be asked.
    """
    missing: list[Question] = []
    for question in QUESTIONS:
        if not question.applies(draft):
            continue
        if draft.get(question.name):
            _require_right(question, draft)
            continue
        likely = question.likely(draft)
        needed = likely is None and not question.optional
        if ask is not None and (question.asked or needed):
            draft = draft.answered(question.name, ask(question, draft))
        elif likely is not None:
            draft = draft.answered(question.name, likely)
        elif needed:
            missing.append(question)
    if missing:
        raise UsageError(
            msg("not given: {options}", options=", ".join(question.option for question in missing)),
            hint=msg("name them, or run the command in a terminal, where it asks"),
        )
    return draft


def require_used(draft: Draft) -> None:
    """Return when all that was said means something for such an operator.

    Raises:
        UsageError: an option was given in vain.
    """
    vain = [question.option for question in QUESTIONS if draft.get(question.name) and not question.applies(draft)]
    if vain:
        raise UsageError(
            msg(
                "{options} says nothing for authentication `{type}`",
                options=", ".join(vain),
                type=draft.get("authentication"),
            ),
            hint=msg("leave it out, or choose another `--authentication` or `--credential`"),
        )


def _require_right(question: Question, draft: Draft) -> None:
    answer = draft.get(question.name)
    wrong = question.wrong(answer, draft)
    if wrong is not None:
        raise UsageError(
            msg("{option}: {fault}", option=question.option, fault=wrong), hint=msg("see `opsmail new --help`")
        )


def _listed(names: tuple[str, ...]) -> str:
    return ", ".join(f"`{name}`" for name in names)


# --- what is asked


def _provider_fault(answer: str, draft: Draft) -> Message | None:
    """A provider's name and another one's server do not go together."""
    host, provider = draft.get("host"), draft.provider
    if host and provider is not None and draft.providers.of_host(host) is not provider:
        return msg("`{host}` is not a server of {provider}", host=shown(host), provider=provider.name)
    return None


def _address_fault(answer: str, draft: Draft) -> Message | None:
    try:
        parse_address(answer)
    except AddressError as fault:
        return fault.message
    return None


def _port_fault(answer: str, draft: Draft) -> Message | None:
    digits = answer.isascii() and answer.isdecimal() and not answer.startswith("0")
    if digits and len(answer) <= 5 and int(answer) <= _MOST_PORT:
        return None
    return msg("a port is a number from 1 to 65535")


def _reference_fault(answer: str, draft: Draft) -> Message | None:
    if SecretReference.parse(answer).is_literal:
        return msg(
            "this is no reference to a secret, such as `{example}`; if it is the secret itself, change it now: "
            "terminals and shells keep what was typed",
            example=draft.likely_secret,
        )
    return None


def _logs_in(draft: Draft) -> bool:
    return draft.get("authentication") != AuthenticationType.NONE.value


def _is_modern(draft: Draft) -> bool:
    return draft.get("authentication") == AuthenticationType.MODERN.value


def _has_secret(draft: Draft) -> bool:
    return _logs_in(draft) and (not _is_modern(draft) or draft.get("credential") in _REFERENCES)


def secret_field(draft: Draft) -> str:
    """Return the name of the field, of the credential, that holds the reference."""
    return _REFERENCES[draft.get("credential")]


def _likely_role(draft: Draft) -> str:
    return (Role.STANDARD if draft.has_master else Role.MASTER).value


QUESTIONS = (
    Question(
        "provider",
        msg("Mail provider; Enter for a server of your own"),
        applies=lambda draft: bool(draft.get("provider")) or (not draft.hosts and not draft.get("host")),
        choices=lambda draft: tuple(provider.id for provider in draft.providers.all),
        closed=True,
        optional=True,
        fault=_provider_fault,
    ),
    Question(
        "host",
        msg("Server, as IT or the provider names it"),
        lambda draft: draft.likely_host,
        choices=lambda d: d.hosts,
    ),
    Question("address", msg("E-mail address of the sender"), fault=_address_fault),
    Question("display_name", msg("Name shown beside the address; Enter for none"), optional=True),
    Question("name", msg("The operator's name for people"), optional=True, asked=False),
    Question("reply_to", msg("Address for answers"), optional=True, asked=False, fault=_address_fault),
    Question(
        "role",
        msg("Role; exactly one operator is the master, with whose settings the scheduler sends"),
        _likely_role,
        choices=_one_of(Role),
        closed=True,
    ),
    Question("port", msg("Port"), lambda draft: draft.likely_port, fault=_port_fault),
    Question(
        "encryption",
        msg("Encryption; SSL in many forms is implicit-tls"),
        lambda draft: draft.likely_encryption,
        choices=_one_of(Encryption),
        closed=True,
        asked=False,
    ),
    Question(
        "authentication",
        msg("Authentication: user and password (basic), Microsoft OAuth 2.0 (modern) or none"),
        lambda draft: draft.likely_authentication,
        choices=_one_of(AuthenticationType),
        closed=True,
    ),
    Question("username", msg("User that logs in"), lambda draft: draft.likely_username, applies=_logs_in),
    Question(
        "credential",
        msg("How the application proves itself"),
        lambda draft: draft.likely_credential,
        applies=_is_modern,
        choices=_one_of(CREDENTIALS),
        closed=True,
    ),
    Question("tenant", msg("Tenant: GUID or first domain"), lambda draft: draft.likely_tenant, applies=_is_modern),
    Question(
        "client_id", msg("Client id of the registered application"), lambda d: d.likely_client_id, applies=_is_modern
    ),
    Question(
        "secret",
        msg("Where the secret is kept, never the secret itself"),
        lambda draft: draft.likely_secret,
        applies=_has_secret,
        fault=_reference_fault,
    ),
    Question(
        "passphrase",
        msg("Where the passphrase of the certificate is kept"),
        applies=lambda draft: _is_modern(draft) and draft.get("credential") == "certificate",
        optional=True,
        asked=False,
        fault=_reference_fault,
    ),
)
