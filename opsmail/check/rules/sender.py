"""OM5xx: sender."""

from __future__ import annotations

from collections.abc import Iterator

from opsmail.addresses import AddressError, parse_address
from opsmail.check.interface import Context, Mark, Problem, operator_rule
from opsmail.check.rules.suffixes import registered_domain
from opsmail.expressions import expression
from opsmail.findings import Severity
from opsmail.messages import Message, msg
from opsmail.operator.model import Operator

#: Addresses that nobody has to look at twice; all within the lengths of RFC 5321.
_PLAIN_ADDRESS = expression(r"[a-z0-9]{1,20}(?:[._-][a-z0-9]{1,20}){0,2}@(?:[a-z0-9]{1,60}\.){1,3}[a-z]{2,20}")


@operator_rule("OM501", "sender-is-not-account", Severity.ERROR)
def sender_is_not_account(operator: Operator, context: Context) -> Iterator[Problem]:
    """Providers that refuse or replace a sender which is not the account."""
    provider = context.providers.of_host(operator.server.host)
    if provider is None or provider.sender not in ("refused", "rewritten") or not _differs(operator):
        return
    if provider.sender == "rewritten":
        message = msg("{provider} replaces a sender that is not the account", provider=provider.name)
        remedy = msg("use the account's address; if this one is set up as its alias, write `send_as: true`")
    else:
        message = msg("{provider} refuses a sender that is not the account", provider=provider.name)
        remedy = msg("use the account's address; if the right to send as this one was granted, write `send_as: true`")
    yield Problem(
        "sender.address",
        message,
        label=msg("not the account"),
        help=remedy,
        marks=(Mark("authentication.username", msg("the account")),),
        severity=Severity.WARNING if provider.confidence == "community" else None,
    )


@operator_rule("OM502", "sender-differs", Severity.WARNING)
def sender_differs(operator: Operator, context: Context) -> Iterator[Problem]:
    """Many other servers refuse a sender that is not the account, too."""
    provider = context.providers.of_host(operator.server.host)
    if (provider is not None and provider.sender != "unknown") or not _differs(operator):
        return
    yield Problem(
        "sender.address",
        msg("the sender is not the account that logs in"),
        label=msg("not the account"),
        help=msg("many servers refuse this: use the account's address, or, if IT confirms the right, `send_as: true`"),
        marks=(Mark("authentication.username", msg("the account")),),
    )


def _differs(operator: Operator) -> bool:
    """Whether sender and account are two addresses, and nobody said that this is right.

    A user name without a domain is compared with the part before the @.
    """
    username = operator.username
    if username is None or operator.sender.send_as:
        return False
    sender = operator.sender.address.lower()
    if "@" in username:
        return username.lower() != sender
    return username.lower() != sender.partition("@")[0]


@operator_rule("OM503", "invalid-address", Severity.ERROR)
def invalid_address(operator: Operator, context: Context) -> Iterator[Problem]:
    """Addresses as RFC 5321 allows them."""
    for path, text in (("sender.address", operator.sender.address), ("sender.reply_to", operator.sender.reply_to)):
        if text is None or _PLAIN_ADDRESS.fullmatch(text) is not None:
            continue
        try:
            parse_address(text)
        except AddressError as fault:
            yield Problem(
                path,
                fault.message,
                label=msg("not an e-mail address"),
                help=msg("write it as `name@domain`, for example `rh@empresa.com.br`"),
            )


@operator_rule("OM504", "sender-domain", Severity.ERROR, unwaivable=True)
def sender_domain(operator: Operator, context: Context) -> Iterator[Problem]:
    """Operators send from the organisation's own domains."""
    domain = operator.sender.address.rpartition("@")[2].lower()
    entry = context.settings.catalogue.entry(operator.server.host)
    policy = context.settings.file.policy.sender_domains
    if policy and domain not in policy:
        yield _foreign(
            msg("senders from `{domain}` are not approved", domain=domain),
            msg("approved: {domains}; ask IT to add others to `policy.sender_domains`", domains=_listed(policy)),
        )
        return
    here = () if entry is None else entry.sender_domains
    if here and domain not in here:
        yield _foreign(
            msg("senders from `{domain}` are not approved for `{host}`", domain=domain, host=operator.server.host),
            msg("approved for it: {domains}; ask IT to add others to its entry in opsmail.toml", domains=_listed(here)),
        )


def _foreign(message: Message, remedy: Message) -> Problem:
    return Problem("sender.address", message, label=msg("foreign domain"), help=remedy)


def _listed(names: tuple[str, ...]) -> str:
    return ", ".join(f"`{name}`" for name in names)


@operator_rule("OM505", "free-mail-sender", Severity.WARNING)
def free_mail_sender(operator: Operator, context: Context) -> Iterator[Problem]:
    """An address that anyone can have on a company's server, or a company's address on a server for such addresses."""
    domain = operator.sender.address.rpartition("@")[2].lower()
    owner = context.providers.by_mail_domain.get(domain)
    provider = context.providers.of_host(operator.server.host)
    if owner is not None:
        if provider is None or provider.family != owner.family:
            yield Problem(
                "sender.address",
                msg("`{domain}` gives its addresses to anyone, and its mail comes from other servers", domain=domain),
                label=msg("a free address"),
                help=msg("use an address of the organisation's own domain"),
                marks=(Mark("server.host", msg("not a server of {provider}", provider=owner.name)),),
            )
    elif provider is not None and provider.accounts == "personal":
        yield Problem(
            "sender.address",
            msg("{provider} is for its own free addresses", provider=provider.name),
            label=msg("an address of an organisation"),
            help=msg("send it through the organisation's own server"),
            marks=(Mark("server.host", msg("for {domains}", domains=_listed(provider.mail_domains[:3]))),),
        )


@operator_rule("OM506", "reply-to-elsewhere", Severity.NOTE)
def reply_to_elsewhere(operator: Operator, context: Context) -> Iterator[Problem]:
    """Answers go to another organisation."""
    if operator.sender.reply_to is None:
        return
    replies = operator.sender.reply_to.rpartition("@")[2].lower()
    own = operator.sender.address.rpartition("@")[2].lower()
    if replies == own or _is_own(replies, own, operator, context):
        return
    yield Problem(
        "sender.reply_to",
        msg("answers go to `{replies}`, messages come from `{own}`", replies=replies, own=own),
        label=msg("another domain"),
        help=msg("if that is right, nothing has to be done; a domain of your own, IT adds to `policy.sender_domains`"),
        marks=(Mark("sender.address", msg("the sender")),),
    )


def _is_own(replies: str, own: str, operator: Operator, context: Context) -> bool:
    entry = context.settings.catalogue.entry(operator.server.host)
    approved = context.settings.file.policy.sender_domains + (() if entry is None else entry.sender_domains)
    if replies in approved or replies.endswith(f".{own}") or own.endswith(f".{replies}"):
        return True
    registered = registered_domain(replies)
    return registered is not None and registered == registered_domain(own)
