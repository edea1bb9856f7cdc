"""A message to IT: what has to be confirmed of an operator's settings, and why."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from gettext import NullTranslations

from opsmail.findings import Finding, Severity
from opsmail.messages import Message, msg
from opsmail.operator.model import BasicAuthentication, Encryption, ModernAuthentication, Operator
from opsmail.output.escape import for_program, for_terminal, json_text
from opsmail.scaffold.approval import NOT_APPROVED, approval
from opsmail.settings.catalogue import Catalogue
from opsmail.settings.model import ServerEntry
from opsmail.values import dataclass

SCHEMA = "opsmail/enquiry/v1"

_ENCRYPTIONS = {
    Encryption.STARTTLS: msg("STARTTLS, with TLS 1.2 or newer"),
    Encryption.IMPLICIT_TLS: msg("TLS from the first byte (often called SSL), with TLS 1.2 or newer"),
    Encryption.NONE: msg("none"),
}
_LOGINS = {
    "basic": msg("user and password (basic)"),
    "modern": msg("Microsoft OAuth 2.0 (modern), no password is sent"),
    "none": msg("no login"),
}


@dataclass(frozen=True, slots=True)
class Item:
    """One of the things to confirm.

    Args:
        name: what it is.
        value: what the operator's file says.
        why: why it matters.
        remarks: what the check says of it.
    """

    name: Message
    value: Message
    why: Message
    remarks: tuple[Message, ...]


@dataclass(frozen=True, slots=True)
class Enquiry:
    """A message about one operator.

    Args:
        operator: whose settings.
        items: server, port, authentication, encryption.
        others: what the check says besides.
        entry: what is approved of the server; None for nothing.
        request: the catalogue entry that would approve it, as TOML; None where there is nothing to approve.
        is_wrong: no approval would make it right.
    """

    operator: Operator
    items: tuple[Item, ...]
    others: tuple[Message, ...]
    entry: ServerEntry | None
    request: str | None
    is_wrong: bool

    @classmethod
    def about(cls, operator: Operator, catalogue: Catalogue, findings: Sequence[Finding]) -> Enquiry:
        """Return the message about an operator.

        Args:
            operator: whose settings have to be confirmed.
            catalogue: what is approved.
            findings: what the check says of its file, waived findings left out.
        """
        entry = catalogue.entry(operator.server.host)
        items = tuple(_items(operator, findings))
        told = [remark for item in items for remark in item.remarks]
        others = tuple(remark for remark in map(_remark, findings) if remark not in told)
        is_approved = entry is not None and not list(catalogue.denials(operator))
        is_wrong = any(item.severity is Severity.ERROR and item.rule.id not in NOT_APPROVED for item in findings)
        request = None if is_approved or is_wrong else approval(operator, entry)
        return cls(operator, items, others, entry, request, is_wrong=is_wrong)

    @property
    def subject(self) -> Message:
        """What the message is about."""
        return msg(
            "E-mail settings of `{operator}`: please confirm server, port, authentication and encryption",
            operator=self.operator.operator,
        )

    def body(self) -> Iterator[Message | str]:
        """Yield its lines; what is code is text as it is."""
        yield msg("Hello,")
        yield ""
        yield msg(
            "our business system is to send e-mail as {address}. "
            "Please confirm these four items, or write what is right:",
            address=self.operator.sender.address,
        )
        for number, item in enumerate(self.items, 1):
            yield ""
            yield msg("{number}. {name}: {value}", number=number, name=item.name, value=item.value)
            yield msg("   Why: {why}", why=item.why)
            for remark in item.remarks:
                yield msg("   The check says: {remark}", remark=remark)
        if self.others:
            yield ""
            yield msg("The check says besides:")
            yield from (msg("- {remark}", remark=remark) for remark in self.others)
        yield ""
        yield from self._agreement()
        yield ""
        yield msg(
            "Please send no password: it is stored where only the servers read it, and stands in no file and no mail."
        )

    def _agreement(self) -> Iterator[Message | str]:
        entry = self.entry
        if self.is_wrong:
            yield msg("No approval would make this right: please write what it has to be.")
        elif self.request is not None:
            yield msg("If it is right, this in opsmail.toml approves it (a pull request is welcome):")
            yield ""
            yield from (f"    {line}" for line in self.request.splitlines())
        elif entry is not None and entry.approved_by is not None:
            yield msg("opsmail.toml approves this already: {approved_by}.", approved_by=entry.approved_by)
        else:
            yield msg("opsmail.toml approves this already, but does not say who agreed.")
        if entry is not None and entry.ticket is not None:
            yield msg("The agreement on this server is in ticket {ticket}.", ticket=entry.ticket)
        if entry is not None and entry.review_by is not None:
            yield msg("It has to be looked at again by {date}.", date=entry.review_by)


def as_text(enquiry: Enquiry, language: NullTranslations) -> str:
    """Return the message, its subject first."""

    def say(line: Message | str) -> str:
        return for_terminal(line if isinstance(line, str) else line.render(language))

    subject = msg("Subject: {subject}", subject=enquiry.subject)
    return "".join(f"{say(line)}\n" for line in (subject, "", *enquiry.body()))


def as_json(enquiry: Enquiry) -> str:
    """Return the message and its items for programs; texts stay English."""
    document = {
        "schema": SCHEMA,
        "operator": enquiry.operator.operator,
        "subject": for_program(str(enquiry.subject)),
        "body": [for_program(str(line)) for line in enquiry.body()],
        "items": [
            {
                "name": str(item.name),
                "value": for_program(str(item.value)),
                "why": str(item.why),
                "remarks": [for_program(str(remark)) for remark in item.remarks],
            }
            for item in enquiry.items
        ],
        "others": [for_program(str(remark)) for remark in enquiry.others],
        "request": None if enquiry.request is None else for_program(enquiry.request),
    }
    return json_text(document)


def _items(operator: Operator, findings: Sequence[Finding]) -> Iterator[Item]:
    def remarks(*paths: str) -> tuple[Message, ...]:
        return tuple(_remark(finding) for finding in findings if finding.path.startswith(paths))

    server = operator.server
    yield Item(
        msg("Server"),
        msg("{host}", host=server.host),
        msg("credentials go to this name and to no other, so it has to be exact"),
        remarks("server.host"),
    )
    yield Item(
        msg("Port"),
        msg("{port}", port=server.port),
        msg("it has to fit the encryption: 587 wants STARTTLS, 465 wants TLS from the first byte, 25 is not for this"),
        remarks("server.port"),
    )
    yield Item(
        msg("Authentication"),
        _login(operator),
        msg("the server has to take it for this account"),
        remarks("authentication"),
    )
    yield Item(
        msg("Encryption"),
        _ENCRYPTIONS[server.encryption],
        msg("without it, messages and passwords can be read on the way"),
        remarks("server.encryption", "server.minimum_tls"),
    )


def _login(operator: Operator) -> Message:
    authentication = operator.authentication
    login = _LOGINS[authentication.type]
    if isinstance(authentication, BasicAuthentication):
        return msg("{login}, user {username}", login=login, username=authentication.username)
    if isinstance(authentication, ModernAuthentication):
        return msg(
            "{login}, mailbox {username}, tenant {tenant}, application {client_id}, credential {kind}",
            login=login,
            username=authentication.username,
            tenant=authentication.tenant,
            client_id=authentication.client_id,
            kind=authentication.credential.kind,
        )
    return login


def _remark(finding: Finding) -> Message:
    if finding.help is None:
        return msg("{message} ({rule})", message=finding.message, rule=finding.rule.id)
    return msg("{message} ({rule}); {help}", message=finding.message, rule=finding.rule.id, help=finding.help)
