"""The operator file, version 1, as frozen values: reading, schema and canonical form follow from this description."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import field
from datetime import date
from enum import StrEnum
from typing import Annotated, Literal

from opsmail.constraints import Doc, Length, Parsed, Pattern, Range, Recurring
from opsmail.expressions import expression
from opsmail.messages import msg
from opsmail.references import EXPRESSION, SecretReference
from opsmail.values import dataclass

OperatorId = Annotated[
    str,
    Pattern(
        r"[a-z0-9][a-z0-9._-]{0,62}",
        msg("an operator id: 1 to 63 of a-z, 0-9, `.`, `_`, `-`, starting with a letter or digit"),
        "rh-notificacoes",
    ),
]
_LIKE_AN_ID = expression(r"[A-Za-z0-9._-]{1,63}")
Text = Annotated[str, Length(1, 200)]
LabelName = Annotated[
    str, Pattern(r"[A-Za-z_][A-Za-z0-9_-]{0,63}", msg("a label's name: letters, digits, `_`, `-`"), "team")
]
_Reference = Annotated[
    SecretReference,
    Parsed(
        SecretReference.parse,
        msg("a secret reference"),
        "env://OPSMAIL_SECRET_RH",
        EXPRESSION,
    ),
]

_Expiry = Annotated[date, Doc("Expiry", "When the password, secret or certificate ends.", ("2027-05-01",))]


class Role(StrEnum):
    """What the business system uses the operator for; the scheduler sends with the master's settings."""

    STANDARD = "standard"
    MASTER = "master"


class Encryption(StrEnum):
    """How the connection is protected: TLS after STARTTLS, TLS from the first byte (RFC 8314), or not at all."""

    STARTTLS = "starttls"
    IMPLICIT_TLS = "implicit-tls"
    NONE = "none"


class TlsVersion(StrEnum):
    """The oldest TLS version that the connection accepts; 1.1 and older are gone (RFC 8997)."""

    TLS_1_2 = "1.2"
    TLS_1_3 = "1.3"


class Cloud(StrEnum):
    """Which Microsoft cloud a tenant lives in."""

    GLOBAL = "global"
    US_GOV = "us-gov"
    US_DOD = "us-dod"
    CHINA = "china"


@dataclass(frozen=True, slots=True, kw_only=True)
class Sender:
    """Who the messages are from."""

    address: Annotated[
        str,
        Length(1, 320),
        Doc(
            "Sender address",
            "The From address. Many servers refuse one that differs from the account.",
            ("rh@empresa.com.br",),
        ),
    ]
    display_name: (
        Annotated[str, Length(1, 64), Doc("Display name", "Shown beside the address.", ("RH Empresa",))] | None
    ) = None
    reply_to: (
        Annotated[
            str,
            Length(1, 320),
            Doc("Reply-To", "Where answers go, when not to the sender.", ("rh-suporte@empresa.com.br",)),
        ]
        | None
    ) = None
    send_as: Annotated[
        bool, Doc("Send As granted", "true: the account has been given the right to send as this address.")
    ] = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Server:
    """Where the messages are handed over."""

    host: Annotated[
        str,
        Length(1, 255),
        Doc("Server", "A DNS name from IT or the provider, never an IP address.", ("smtp.office365.com",)),
    ]
    port: Annotated[
        int,
        Range(1, 65535),
        Doc("Port", "587 with `starttls`, 465 with `implicit-tls`; 25 is not recommended.", (587, 465)),
    ]
    encryption: Annotated[
        Encryption,
        Doc(
            "Encryption",
            "`starttls` (usual on 587), `implicit-tls` (465, called SSL in many forms), or `none`.",
            ("starttls",),
        ),
    ]
    minimum_tls: Annotated[TlsVersion, Doc("Oldest TLS version", "Quote it, so that it stays text.", ("1.2",))] = (
        TlsVersion.TLS_1_2
    )


@dataclass(frozen=True, slots=True, kw_only=True)
class NoAuthentication:
    """No login; only for servers whose catalogue entry allows it."""

    type: Literal["none"]


@dataclass(frozen=True, slots=True, kw_only=True)
class BasicAuthentication:
    """User and password."""

    type: Literal["basic"]
    username: Annotated[
        str,
        Length(1, 320),
        Doc("User", "Usually the full address, for some providers only the part before the @.", ("rh@empresa.com.br",)),
    ]
    password: Annotated[
        _Reference,
        Doc("Password reference", "Where the password is kept, never the password.", ("env://OPSMAIL_SECRET_RH",)),
    ]
    secret_expires: _Expiry | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class ClientSecret:
    """An application's secret."""

    kind: Literal["client-secret"]
    secret: Annotated[
        _Reference, Doc("Client secret reference", "Where the secret's value is kept.", ("env://OPSMAIL_SECRET_RH",))
    ]


@dataclass(frozen=True, slots=True, kw_only=True)
class Certificate:
    """An application's certificate with its key, as PFX."""

    kind: Literal["certificate"]
    pfx: Annotated[
        _Reference, Doc("PFX reference", "Where the base64 of the PFX is kept.", ("file:///run/secrets/rh-pfx",))
    ]
    passphrase: Annotated[_Reference, Doc("Passphrase reference", "Where the PFX's passphrase is kept.")] | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Federated:
    """The CI's own identity token stands for a secret; nothing is stored."""

    kind: Literal["federated"]


@dataclass(frozen=True, slots=True, kw_only=True)
class ManagedIdentity:
    """The identity of the Azure machine that runs opsmail."""

    kind: Literal["managed-identity"]
    client_id: (
        Annotated[Text, Doc("Client id", "Of a user-assigned identity; without it, the machine's own is used.")] | None
    ) = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Delegated:
    """A person signed in once; the refresh token is kept in a secret place."""

    kind: Literal["delegated"]
    token_cache: Annotated[
        _Reference, Doc("Token cache reference", "Where the refresh token is kept.", ("keyring://opsmail/rh",))
    ]


Credential = ClientSecret | Certificate | Federated | ManagedIdentity | Delegated


@dataclass(frozen=True, slots=True, kw_only=True)
class ModernAuthentication:
    """Microsoft OAuth 2.0; no password is sent."""

    type: Literal["modern"]
    username: Annotated[str, Length(1, 320), Doc("Mailbox", "The account to send from.", ("rh@empresa.com.br",))]
    tenant: Annotated[Text, Doc("Tenant", "The directory's GUID or domain.", ("empresa.onmicrosoft.com",))]
    client_id: Annotated[Text, Doc("Application id", "The registered application's client id.")]
    cloud: Annotated[Cloud, Doc("Cloud", "Which Microsoft cloud the tenant lives in.", ("global",))] = Cloud.GLOBAL
    credential: Annotated[Credential, Doc("Credential", "How the application proves itself."), Recurring()]
    secret_expires: _Expiry | None = None


Authentication = BasicAuthentication | ModernAuthentication | NoAuthentication


@dataclass(frozen=True, slots=True, kw_only=True)
class Limits:
    """What the operator keeps to."""

    messages_per_minute: (
        Annotated[int, Range(1, 100_000), Doc("Messages a minute", "At most so many.", (30,))] | None
    ) = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Operator:
    """One sending identity of a business system."""

    version: Annotated[Literal[1], Doc("Format version", "Always 1.", (1,))]
    operator: Annotated[
        OperatorId, Doc("Operator id", "Equal to the file's name without `.yaml`.", ("rh-notificacoes",))
    ]
    name: Annotated[Text, Doc("Name", "Shown to people.", ("Notificações do RH",))] | None = None
    role: Annotated[
        Role, Doc("Role", "Exactly one operator is the `master`: the scheduler sends with its settings.")
    ] = Role.STANDARD
    enabled: Annotated[bool, Doc("Enabled", "false: published, but nobody may send with it.")] = True
    sender: Annotated[Sender, Doc("Sender", "Who the messages are from.")]
    server: Annotated[Server, Doc("Server", "Where the messages are handed over."), Recurring()]
    authentication: Annotated[Authentication, Doc("Authentication", "How the operator logs in.")]
    limits: Annotated[Limits, Doc("Limits", "What the operator keeps to."), Recurring()] | None = None
    labels: Annotated[
        Mapping[LabelName, Text], Doc("Labels", "Free text by name, for your own rules and reports.", ({"team": "rh"},))
    ] = field(default_factory=dict)

    @property
    def username(self) -> str | None:
        """The account that logs in; None where nobody does."""
        return None if isinstance(self.authentication, NoAuthentication) else self.authentication.username

    def references(self) -> Iterator[tuple[str, SecretReference]]:
        """Yield each secret reference with its path."""
        authentication = self.authentication
        if isinstance(authentication, BasicAuthentication):
            yield "authentication.password", authentication.password
        elif isinstance(authentication, ModernAuthentication):
            for name in ("secret", "pfx", "passphrase", "token_cache"):
                reference = getattr(authentication.credential, name, None)
                if reference is not None:
                    yield f"authentication.credential.{name}", reference


def claimed_id(data: Mapping[str, object]) -> str | None:
    """Return the id that a file claims, valid or not quite; None for what cannot be shown as one."""
    claimed = data.get("operator")
    return claimed if isinstance(claimed, str) and _LIKE_AN_ID.fullmatch(claimed) else None
