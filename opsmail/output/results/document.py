"""What `test --format json` writes: it is made of these values, and so is its published schema."""

from __future__ import annotations

from typing import Annotated, Literal

from opsmail.constraints import AnyLength, Doc, Pattern, Range
from opsmail.evidence.facts import Depth
from opsmail.live.result import Outcome
from opsmail.mail.diagnosis import Fault
from opsmail.mail.failure import Stage
from opsmail.messages import msg
from opsmail.values import dataclass

SCHEMA: Literal["opsmail/test-results/v1"] = "opsmail/test-results/v1"

_Text = Annotated[str, AnyLength()]
_Count = Annotated[int, Range(0, 2**53)]
_Days = Annotated[int, Range(-1_000_000, 10_000_000)]
_Milliseconds = Annotated[_Count, Doc("Milliseconds", "How long it took.", (412,))]
_Outcome = Annotated[
    Outcome,
    Doc("Outcome", "What was inconclusive proves nothing either way; what was skipped was not tried.", ("passed",)),
]
_Stage = Annotated[Stage, Doc("Stage", "The step of a test send.", ("authenticate",))]


@dataclass(frozen=True, slots=True, kw_only=True)
class Certificate:
    """The certificate that the server showed."""

    subject: Annotated[_Text, Doc("Subject", "Whom it is for.", ("CN=smtp.empresa.com.br",))]
    issuer: Annotated[_Text, Doc("Issuer", "Who issued it.", ("CN=Empresa CA",))]
    not_after: (
        Annotated[
            _Text,
            Doc("Not after", "Until when it is valid, RFC 3339 in UTC; null if unknown.", ("2027-01-31T12:30:00Z",)),
        ]
        | None
    )
    sha256: Annotated[_Text, Doc("Fingerprint", "SHA-256, hexadecimal.", ("ab" * 32,))]
    days_left: Annotated[_Days, Doc("Days left", "Until it ends, by the clock of this machine.", (68,))] | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Tls:
    """A TLS session."""

    version: Annotated[_Text, Doc("Version", "Empty where the handshake did not get that far.", ("TLSv1.3",))]
    cipher: Annotated[_Text, Doc("Cipher suite", "Empty likewise.", ("TLS_AES_256_GCM_SHA384",))]
    certificate: Annotated[Certificate, Doc("Certificate", "What the server showed.")]


@dataclass(frozen=True, slots=True, kw_only=True)
class Reply:
    """What the server answered, without secrets."""

    code: Annotated[int, Range(200, 599), Doc("Code", "Three digits (RFC 5321, section 4.2).", (250,))]
    enhanced: Annotated[_Text, Doc("Enhanced status", "RFC 3463; null where there is none.", ("2.0.0",))] | None
    text: Annotated[_Text, Doc("Text", "Its lines, joined by blanks.", ("Ok: queued as 4F1B2",))]


@dataclass(frozen=True, slots=True, kw_only=True)
class Claims:
    """What a token says of itself; nobody but the mail server verifies it."""

    audiences: Annotated[tuple[_Text, ...], Doc("Audiences", "Whom it is for.", (["https://outlook.office365.com"],))]
    permissions: Annotated[tuple[_Text, ...], Doc("Permissions", "Roles and scopes.", (["SMTP.SendAsApp"],))]
    tenant: Annotated[_Text, Doc("Tenant", "Whose directory it comes from.", ("72f988bf-86f1-41af-91ab-2d7cd011db47",))]
    application: Annotated[_Text, Doc("Application", "Given to whom.", ("11111111-2222-3333-4444-555555555555",))]
    expires: Annotated[_Text, Doc("Expires", "RFC 3339 in UTC.", ("2027-01-31T12:30:00Z",))]


@dataclass(frozen=True, slots=True, kw_only=True)
class OAuth:
    """An identity provider's refusal (RFC 6749, section 5.2)."""

    error: Annotated[_Text, Doc("Error", "Its kind.", ("invalid_client",))]
    codes: Annotated[tuple[_Count, ...], Doc("Codes", "The provider's own numbers, as hints.", ([7000215],))]
    description: Annotated[_Text, Doc("Description", "Its words, without secrets.", ("Invalid client secret.",))]
    correlation_id: Annotated[_Text, Doc("Correlation id", "By which its support finds the request.", ("0f1e2d3c",))]


@dataclass(frozen=True, slots=True, kw_only=True)
class Receipt:
    """How the message arrived in the probe mailbox, as the servers on its way wrote into its header."""

    sender: Annotated[_Text, Doc("Sender", "The address it is from.", ("rh@empresa.com.br",))]
    protocol: Annotated[_Text, Doc("Protocol", "How the first server took it (RFC 3848).", ("ESMTPSA",))]
    tls: Annotated[bool, Doc("TLS", "That was over TLS, says that server.")]
    authenticated: Annotated[bool, Doc("Authenticated", "There was a login, says that server.")]
    verifier: Annotated[_Text, Doc("Verifier", "Whose verdicts the others are (RFC 8601).", ("mx.empresa.com.br",))]
    spf: Annotated[_Text, Doc("SPF", "Its verdict; null without one.", ("pass",))] | None
    dkim: Annotated[_Text, Doc("DKIM", "Its verdict; null without one.", ("pass",))] | None
    dmarc: Annotated[_Text, Doc("DMARC", "Its verdict; null without one.", ("pass",))] | None


@dataclass(frozen=True, slots=True, kw_only=True)
class StageResult:
    """One stage of a test."""

    stage: _Stage
    outcome: _Outcome
    milliseconds: _Milliseconds
    tls: Annotated[Tls, Doc("TLS", "The session, from the stage that made it.")] | None = None
    mechanism: Annotated[_Text, Doc("Mechanism", "SASL's, from the login.", ("PLAIN",))] | None = None
    reply: Annotated[Reply, Doc("Reply", "The server's answer, from stages that end with one.")] | None = None
    claims: Annotated[Claims, Doc("Claims", "What the token says, from the stage that got it.")] | None = None
    receipt: Annotated[Receipt, Doc("Receipt", "How the message arrived, from the stage that looked.")] | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Failure:
    """Why a test did not pass."""

    stage: _Stage
    rule: Annotated[
        str, Pattern("OM(606|9[0-9]{2})", msg("a rule of live tests"), "OM915"), Doc("Rule", "Its id.", ("OM915",))
    ]
    name: Annotated[_Text, Doc("Name", "The rule's name; never renamed.", ("smtp-auth-disabled-tenant",))]
    fault: Annotated[
        Fault, Doc("Fault", "Whose it is: `configuration` and `provider` make a test failed.", ("configuration",))
    ]
    detail: Annotated[_Text, Doc("Detail", "What happened, in English.", ("the server answered 535 5.7.139 …",))]
    reply: Annotated[Reply, Doc("Reply", "What the server said; null where it said nothing.")] | None
    challenge: Annotated[_Text, Doc("Challenge", "The error inside a bearer exchange (RFC 7628); null without.")] | None
    oauth: Annotated[OAuth, Doc("OAuth", "What the identity provider said; null where it said nothing.")] | None
    cause: Annotated[_Text, Doc("Cause", "Why.", ("SMTP AUTH is switched off for the tenant",))]
    remedy: Annotated[_Text, Doc("Remedy", "What to do.", ("switch it on for this mailbox",))]
    path: Annotated[
        _Text, Doc("Field", "The one to change, dotted; empty where none is at fault.", ("authentication.type",))
    ]


@dataclass(frozen=True, slots=True, kw_only=True)
class Result:
    """The test of one operator."""

    operator: Annotated[_Text, Doc("Operator", "Its id.", ("rh-notificacoes",))]
    digest: Annotated[_Text, Doc("Digest", "Of the effective operator that was tested.", ("sha256:" + "d1" * 32,))]
    outcome: _Outcome
    depth: Annotated[Depth, Doc("Depth", "How far the test was to go.", ("send",))]
    attempts: Annotated[_Count, Doc("Attempts", "How often it was tried.", (1,))]
    milliseconds: _Milliseconds
    stages: Annotated[tuple[StageResult, ...], Doc("Stages", "In their order, as far as the test got.")]
    failure: Annotated[Failure, Doc("Failure", "Why it did not pass; null where it did, or was skipped.")] | None
    skipped: (
        Annotated[
            _Text,
            Doc(
                "Skipped",
                "Why it was not tried; null where it was.",
                ("the same login has just been refused for `rh`",),
            ),
        ]
        | None
    )
    evidence: Annotated[
        tuple[_Text, ...],
        Doc("Evidence", "Files with the statements that were signed.", ([".opsmail/evidence/0f1e.dsse.json"],)),
    ]


@dataclass(frozen=True, slots=True, kw_only=True)
class Summary:
    """How many results there are of each outcome."""

    passed: Annotated[_Count, Doc("Passed", "The provider took the message.", (3,))]
    failed: Annotated[_Count, Doc("Failed", "The settings or the provider have to change.", (1,))]
    inconclusive: Annotated[_Count, Doc("Inconclusive", "Another try may pass.", (0,))]
    skipped: Annotated[_Count, Doc("Skipped", "Not tried, so not passed.", (0,))]


@dataclass(frozen=True, slots=True, kw_only=True)
class Document:
    """The results of a run of `opsmail test`."""

    schema: Annotated[Literal["opsmail/test-results/v1"], Doc("Schema", "What this document is.")]
    complete: Annotated[bool, Doc("Complete", "false: the run was interrupted, or is still going on.")]
    summary: Annotated[Summary, Doc("Summary", "The figures of the run.")]
    results: Annotated[tuple[Result, ...], Doc("Results", "In the order of names.")]
