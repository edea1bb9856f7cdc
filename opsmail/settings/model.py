"""What `opsmail.toml` may say, as frozen values with their defaults."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import field
from datetime import date
from enum import StrEnum
from typing import Annotated

from opsmail.constraints import Doc, Length, OneOrMany, Range
from opsmail.settings.notation import (
    SEVEN_DAYS,
    Connection,
    Domain,
    DurationText,
    Host,
    Origin,
    ProxyUrl,
    Ruleset,
    SocketAddress,
    Text,
    Version,
)
from opsmail.settings.organisation import (
    ExtraSchemas,
    OrganisationRule,
    PackageName,
    RuleId,
    RuleSelector,
    SeverityName,
)
from opsmail.settings.probe import Probe
from opsmail.values import dataclass


class Profile(StrEnum):
    """How much the rules have to say."""

    RECOMMENDED = "recommended"
    STRICT = "strict"
    MINIMAL = "minimal"


class Platform(StrEnum):
    """What the business system runs on."""

    DOTNET_FRAMEWORK = "dotnet-framework"
    DOTNET = "dotnet"
    JAVA = "java"
    PYTHON = "python"
    OTHER = "other"


class AuthenticationType(StrEnum):
    """How operators log in."""

    BASIC = "basic"
    MODERN = "modern"
    NONE = "none"


class StatementKind(StrEnum):
    """What a key may sign."""

    TEST_SEND = "test-send"
    APPROVAL = "approval"
    GENERATION = "generation"
    BREAK_GLASS = "break-glass"


@dataclass(frozen=True, slots=True, kw_only=True)
class Policy:
    """How findings are judged."""

    profile: Annotated[
        Profile,
        Doc(
            "Profile",
            "`recommended`; `strict`: notes are warnings, warnings errors; `minimal`: only what does not work or is "
            "not safe.",
            ("recommended",),
        ),
    ] = Profile.RECOMMENDED
    ignore: Annotated[
        tuple[RuleSelector, ...], Doc("Ignored rules", "Rule ids or the start of them; unwaivable rules stay.")
    ] = ()
    severity: Annotated[Mapping[RuleId, SeverityName], Doc("Severities", "A severity of your own by rule id.")] = field(
        default_factory=dict
    )
    unwaivable: Annotated[tuple[RuleSelector, ...], Doc("Unwaivable", "Adds to the built-in list.")] = ()
    ruleset: Annotated[
        Ruleset,
        Doc("Ruleset", "Rules newer than this are notes until it is raised: an upgrade does not break main.", ("1",)),
    ] = "1"
    plugins: Annotated[
        tuple[PackageName, ...],
        Doc("Rule packages", "Installed packages whose rules are run: what is not named here is not loaded."),
    ] = ()
    sender_domains: Annotated[
        tuple[Domain, ...], Doc("Sender domains", "Domains that operators may send from; empty for any.")
    ] = ()
    deprecation_notice_days: Annotated[
        int, Range(0, 1000), Doc("Notice", "How many days early date-bound rules warn.")
    ] = 60


@dataclass(frozen=True, slots=True, kw_only=True)
class Runtime:
    """What reads the published settings and sends with them."""

    platform: Annotated[Platform, Doc("Platform", "What the business system runs on.", ("dotnet-framework",))] = (
        Platform.OTHER
    )
    version: Annotated[Version, Doc("Version", "The platform's version, in quotes.", ("4.8",))] | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class ServerEntry:
    """A server that IT approved, and what may be done with it."""

    host: Annotated[Host, Doc("Server", "The exact DNS name.", ("smtp.office365.com",))]
    connections: Annotated[
        tuple[Connection, ...], Doc("Connections", "Approved pairs of port and encryption.", (["587/starttls"],))
    ]
    authentication: Annotated[
        tuple[AuthenticationType, ...], Doc("Authentication", "Approved authentication types.", (["basic"],))
    ]
    sender_domains: Annotated[
        tuple[Domain, ...], Doc("Sender domains", "Domains that may send here; empty for any.")
    ] = ()
    secrets: Annotated[
        tuple[Text, ...],
        Doc(
            "Secrets",
            "Which credentials may be sent here; `{operator}` stands for the id.",
            (["env://OPSMAIL_SECRET_{OPERATOR}"],),
        ),
    ] = ()
    tenants: Annotated[tuple[Text, ...], Doc("Tenants", "Modern authentication: which tenants.")] = ()
    client_ids: Annotated[tuple[Text, ...], Doc("Applications", "Modern authentication: which applications.")] = ()
    microsoft_tokens: Annotated[
        bool,
        Doc(
            "Takes Microsoft's tokens",
            "true: modern authentication works here although the server is not Microsoft's own, for example a gateway.",
        ),
    ] = False
    authority: (
        Annotated[
            Origin,
            Doc("Identity provider", "Ask here for tokens instead of at the cloud's own, for example in a test."),
        ]
        | None
    ) = None
    authority_ca: (
        Annotated[Text, Doc("Its CA certificate", "A PEM file: trust this CA for `authority` instead of the system's.")]
        | None
    ) = None
    federated_audience: (
        Annotated[
            Text,
            Doc(
                "Audience of identity tokens",
                "Credential `federated`: whom the CI's identity token is for, when not the cloud's usual audience.",
                ("api://AzureADTokenExchange",),
            ),
        ]
        | None
    ) = None
    federated_token: (
        Annotated[
            Text,
            Doc(
                "Place of identity tokens",
                "Credential `federated`: a reference to the token, where the CI system itself does not give one.",
                ("file:///var/run/secrets/azure/tokens/azure-identity-token",),
            ),
        ]
        | None
    ) = None
    private: Annotated[bool, Doc("Private", "true: the name may resolve to a private address.")] = False
    ca: (
        Annotated[Text, Doc("CA certificate", "A PEM file: trust this CA for this host instead of the system's.")]
        | None
    ) = None
    address: (
        Annotated[SocketAddress, Doc("Address", "Connect here instead; the certificate must still show the name.")]
        | None
    ) = None
    approved_by: Annotated[Text, Doc("Approved by", "Who in IT agreed.")] | None = None
    ticket: Annotated[Text, Doc("Ticket", "Where the agreement is written down.")] | None = None
    review_by: (
        Annotated[date, Doc("Review by", "When the agreement has to be looked at again.", ("2027-06-30",))] | None
    ) = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Live:
    """How test messages are sent."""

    recipient: (
        Annotated[Text, Doc("Recipient", "Where test messages go.", ("opsmail-teste@empresa.com.br",))] | None
    ) = None
    timeout_seconds: Annotated[
        int, Range(1, 600), Doc("Deadline", "Seconds for one operator, all stages together.")
    ] = 30
    run_seconds: (
        Annotated[int, Range(1, 86_400), Doc("Deadline of a run", "Seconds for all operators together.", (1_800,))]
        | None
    ) = None
    concurrency: Annotated[int, Range(1, 256), Doc("Concurrency", "Operators tested at the same time.")] = 16
    per_host: Annotated[int, Range(1, 64), Doc("Per server", "Connections to one server at the same time.")] = 3
    retries: Annotated[
        int, Range(0, 3), Doc("Retries", "Further attempts where the server said `not now` or the connection broke.")
    ] = 3
    subject_prefix: Annotated[
        str, Length(0, 60), Doc("Subject prefix", "Put before the subject of each test message.")
    ] = "[opsmail]"
    proxy: (
        Annotated[ProxyUrl, Doc("Proxy", "The way to identity providers; none is taken from the environment.")] | None
    ) = None
    probe: Annotated[Probe, Doc("Probe mailbox", "Where `--depth receipt` looks whether a message arrived.")] | None = (
        None
    )


@dataclass(frozen=True, slots=True, kw_only=True)
class GateKey:
    """A public key whose statements count."""

    file: Annotated[Text, Doc("Public key", "A PEM file in this repository.", ("keys/ci.pub.pem",))]
    kinds: Annotated[tuple[StatementKind, ...], Doc("Kinds", "What this key may sign.")]
    environments: Annotated[tuple[Text, ...], Doc("Environments", "Where its statements count.")] = ("default",)
    revoked: Annotated[bool, Doc("Revoked", "true: refused, whatever time a statement claims.")] = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Gate:
    """What must be proven before anything is published."""

    require: Annotated[tuple[StatementKind, ...], Doc("Required evidence", "`test-send`, `approval`.")] = (
        StatementKind.TEST_SEND,
    )
    max_age: Annotated[DurationText, Doc("Oldest evidence", "Minutes, hours or days.", ("7d",))] = SEVEN_DAYS
    signing_key: Annotated[Text, Doc("Signing key", "Reference to the private key that signs.")] = (
        "env://OPSMAIL_SIGNING_KEY"
    )
    keys: Annotated[tuple[GateKey, ...], Doc("Keys", "Public keys whose statements count.")] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class StoreSettings:
    """Where the published configuration lives, and how much of it may change at once."""

    url: Annotated[Text, Doc("Store", "Where generations are kept.", ("sqlite:///opsmail.db",))] = (
        "sqlite:///opsmail.db"
    )
    password: (
        Annotated[
            Text,
            Doc(
                "Password",
                "Reference to the password of the user that `url` names; never the password, and never in `url`.",
                ("env://OPSMAIL_STORE_PASSWORD",),
            ),
        ]
        | None
    ) = None
    reader: (
        Annotated[
            Text,
            Doc(
                "Reader",
                "The user that commands log in as which only read, in the place of the one in `url`.",
                ("opsmail_reader",),
            ),
        ]
        | None
    ) = None
    reader_password: (
        Annotated[
            Text,
            Doc("Reader's password", "Reference to the password of `reader`.", ("env://OPSMAIL_READER_PASSWORD",)),
        ]
        | None
    ) = None
    ca: (
        Annotated[
            Text,
            Doc(
                "CA certificate",
                "A PEM file: trust this CA for the server of `url`; needed where that is another machine.",
            ),
        ]
        | None
    ) = None
    max_update_percent: Annotated[
        int, Range(0, 100), Doc("Updates", "Largest share of operators updated by one publish.")
    ] = 30
    max_delete_percent: Annotated[
        int, Range(0, 100), Doc("Deletes", "Largest share of operators deleted by one publish.")
    ] = 10
    min_fleet_for_percent: Annotated[
        int, Range(0, 100_000), Doc("Small fleets", "Shares are judged from this many operators on.")
    ] = 10
    max_changes: Annotated[int, Range(1, 1_000_000), Doc("Changes", "Most operators changed by one publish.")] = 500
    keep_generations: Annotated[
        int,
        Range(1, 1_000_000_000),
        Doc("Kept generations", "So many of the newest generations `opsmail store collect` never takes away."),
    ] = 100
    keep_days: Annotated[
        int,
        Range(0, 36_500),
        Doc("Kept days", "Nor those that were published at any time of so many last days."),
    ] = 365


_NO_SCHEMAS = ExtraSchemas()


@dataclass(frozen=True, slots=True, kw_only=True)
class SettingsFile:
    """The whole of `opsmail.toml` but its environments, which are laid over it before it gets here."""

    operators: Annotated[
        tuple[Text, ...],
        OneOrMany(),
        Doc("Operators", "The folder with operator files, or a list of folders.", ("operators",)),
    ] = ("operators",)
    policy: Annotated[Policy, Doc("Policy", "How findings are judged.")] = Policy()
    runtime: Annotated[Runtime, Doc("Runtime", "What reads the published settings and sends with them.")] = Runtime()
    servers: (
        Annotated[tuple[ServerEntry, ...], Doc("Servers", "The catalogue: which servers IT approved, and for what.")]
        | None
    ) = None
    schema: Annotated[ExtraSchemas, Doc("Schema", "What operator files have to fulfil besides.")] = _NO_SCHEMAS
    rules: Annotated[tuple[OrganisationRule, ...], Doc("Rules", "Rules of your own, as data.")] = ()
    live: Annotated[Live, Doc("Live", "How test messages are sent.")] = Live()
    gate: Annotated[Gate, Doc("Gate", "What must be proven before anything is published.")] = Gate()
    store: Annotated[StoreSettings, Doc("Store", "Where the published configuration lives.")] = StoreSettings()
