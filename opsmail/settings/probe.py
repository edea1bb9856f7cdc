"""The probe mailbox: where test messages are looked for once they were accepted."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Annotated

from opsmail.constraints import Doc, Length, Range
from opsmail.messages import msg
from opsmail.operator.model import (
    Authentication,
    BasicAuthentication,
    ClientSecret,
    Cloud,
    Encryption,
    Federated,
    ModernAuthentication,
    Operator,
    Sender,
    Server,
)
from opsmail.references import SecretReference
from opsmail.settings.faults import Fault, reference_faults
from opsmail.settings.notation import Host
from opsmail.values import dataclass

#: What the probe is called where operators have their ids: in patterns of the catalogue, and in refusals.
NAME = "live.probe"
_Text = Annotated[str, Length(1, 300)]


@dataclass(frozen=True, slots=True, kw_only=True)
class Probe:
    """An IMAP mailbox, over TLS from the first byte; with a tenant its login is modern, else basic."""

    host: Annotated[Host, Doc("Server", "IMAP server; the catalogue has to approve it.", ("outlook.office365.com",))]
    port: Annotated[int, Range(1, 65535), Doc("Port", "IMAP with TLS from the first byte.", (993,))] = 993
    username: Annotated[_Text, Doc("Mailbox", "Who logs in.", ("opsmail-teste@empresa.com.br",))]
    secret: (
        Annotated[
            _Text,
            Doc(
                "Secret reference",
                "To the password, or with a tenant to the application's secret; without it the CI's identity token.",
                ("env://OPSMAIL_PROBE_PASSWORD",),
            ),
        ]
        | None
    ) = None
    tenant: (
        Annotated[_Text, Doc("Tenant", "Modern authentication: GUID or domain.", ("empresa.onmicrosoft.com",))] | None
    ) = None
    client_id: Annotated[_Text, Doc("Application id", "Modern authentication: the application's.")] | None = None
    cloud: Annotated[Cloud, Doc("Cloud", "Modern authentication: where the tenant lives.", ("global",))] = Cloud.GLOBAL
    wait_seconds: Annotated[
        int, Range(1, 600), Doc("Patience", "Seconds that a message may take to arrive, beside `timeout_seconds`.")
    ] = 60

    def account(self) -> Operator:
        """Return the mailbox in the form of an operator: what may be sent to its server is judged alike."""
        return Operator(
            version=1,
            operator=NAME,
            sender=Sender(address=self.username),
            server=Server(host=self.host, port=self.port, encryption=Encryption.IMPLICIT_TLS),
            authentication=self._authentication(),
        )

    def _authentication(self) -> Authentication:
        reference = None if self.secret is None else SecretReference.parse(self.secret)
        if self.tenant is not None and self.client_id is not None:
            credential = (
                Federated(kind="federated")
                if reference is None
                else ClientSecret(kind="client-secret", secret=reference)
            )
            return ModernAuthentication(
                type="modern",
                username=self.username,
                tenant=self.tenant,
                client_id=self.client_id,
                cloud=self.cloud,
                credential=credential,
            )
        if reference is None:
            raise ValueError("a probe mailbox without a password was let through")
        return BasicAuthentication(type="basic", username=self.username, password=reference)


def probe_faults(probe: Probe | None) -> Iterator[Fault]:
    """Yield what is wrong with a probe mailbox whose fields are right, one by one."""
    if probe is None:
        return
    if (probe.tenant is None) is not (probe.client_id is None):
        lacking = "tenant" if probe.tenant is None else "client_id"
        yield Fault(
            "live.probe",
            msg("`live.probe.{name}` is missing", name=lacking),
            msg("modern authentication needs `tenant` and `client_id`, basic authentication neither"),
        )
    if probe.secret is None and probe.tenant is None:
        yield Fault(
            "live.probe",
            msg("`live.probe.secret` is missing"),
            msg("write where the password is kept, for example `env://OPSMAIL_PROBE_PASSWORD`"),
        )
    yield from reference_faults(
        "live.probe.secret",
        probe.secret,
        msg("write where the secret is kept, for example `env://OPSMAIL_PROBE_PASSWORD`"),
    )
