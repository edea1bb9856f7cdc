"""A new operator while its questions are being answered: what is known so far, and what follows from it."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import replace

from opsmail.operator.model import Encryption
from opsmail.operator.ports import PORT_ENCRYPTIONS
from opsmail.providers import Provider, Providers
from opsmail.references import SecretReference
from opsmail.settings.catalogue import Catalogue, environment_name, usable_references
from opsmail.settings.model import ServerEntry
from opsmail.settings.notation import ApprovedConnection
from opsmail.values import dataclass

_WITHOUT_SECRET = ("federated", "managed-identity")
_MICROSOFT = "microsoft"
_USUAL = ("587/starttls", "465/implicit-tls")


@dataclass(frozen=True, slots=True)
class Draft:
    """A new operator.

    Args:
        operator: its id.
        providers: what is known of mail providers.
        catalogue: what IT approved.
        has_master: whether another operator is the master.
        answers: what was said so far, by the name of the question.
    """

    operator: str
    providers: Providers
    catalogue: Catalogue
    has_master: bool
    answers: Mapping[str, str]

    def answered(self, name: str, answer: str) -> Draft:
        """Return the draft with one more answer."""
        return replace(self, answers={**self.answers, name: answer})

    def get(self, name: str) -> str:
        """Return an answer, empty where there is none."""
        return self.answers.get(name, "")

    @property
    def provider(self) -> Provider | None:
        """Whose server it is: the provider that was named, else the one that the host belongs to."""
        named = self.get("provider")
        if named:
            return next((provider for provider in self.providers.all if provider.id == named), None)
        return self.providers.of_host(self.get("host"))

    @property
    def entry(self) -> ServerEntry | None:
        """What IT approved of the server."""
        return self.catalogue.entry(self.get("host"))

    # --- what follows

    @property
    def hosts(self) -> tuple[str, ...]:
        """The servers to choose from: those that IT approved, of the named provider; without a catalogue, its own."""
        provider = self.provider
        if self.catalogue.servers is None:
            return () if provider is None else tuple(host for host in provider.hosts if "*" not in host)
        approved = (entry.host for entry in self.catalogue.servers)
        return tuple(host for host in approved if provider is None or self.providers.of_host(host) is provider)

    @property
    def likely_host(self) -> str | None:
        """The server, where there is little doubt."""
        hosts, provider = self.hosts, self.provider
        if provider is None:
            return hosts[0] if len(hosts) == 1 else None
        if hosts:
            return hosts[0]
        return next((host for host in provider.hosts if "*" not in host), None)

    @property
    def _connections(self) -> Iterator[ApprovedConnection]:
        """Those that fit what was said so far, the best first: encrypted before clear, submission before port 25."""
        entry, provider = self.entry, self.provider
        served = [ApprovedConnection.parse(pair) for pair in (_USUAL if provider is None else provider.connections)]
        pairs = served
        if entry is not None:
            pairs = [pair for pair in served if pair in entry.connections] or list(entry.connections)
        for pair in sorted(pairs, key=lambda pair: (pair.encryption is Encryption.NONE, pair.port == 25)):
            if self.get("port") in ("", str(pair.port)) and self.get("encryption") in ("", pair.encryption.value):
                yield pair

    @property
    def likely_port(self) -> str | None:
        """The port of the best connection."""
        return next((str(pair.port) for pair in self._connections), None)

    @property
    def likely_encryption(self) -> str | None:
        """The encryption that belongs to the port."""
        known = next((pair.encryption for pair in self._connections), None)
        port = self.get("port")
        if known is None and port.isdecimal():
            known = next(iter(PORT_ENCRYPTIONS.get(int(port), ())), None)
        return None if known is None else known.value

    @property
    def is_microsoft(self) -> bool:
        """Whether the server is one of Microsoft's."""
        return self.provider is not None and self.provider.family == _MICROSOFT

    @property
    def likely_authentication(self) -> str:
        """The login that IT approved; else what the provider wants."""
        if self.entry is None or not self.entry.authentication:
            return "modern" if self.is_microsoft else "basic"
        approved = [kind.value for kind in self.entry.authentication]
        return "modern" if self.is_microsoft and "modern" in approved else approved[0]

    @property
    def likely_credential(self) -> str:
        """One without a stored secret where IT opened that way; a person's where the provider serves people."""
        approved = () if self.entry is None else self.entry.secrets
        without = next((kind for kind in _WITHOUT_SECRET if kind in approved), None)
        if without is not None:
            return without
        personal = self.provider is not None and self.provider.accounts == "personal"
        return "delegated" if personal else "client-secret"

    @property
    def likely_username(self) -> str | None:
        """The account, in the form that the provider wants; None where no address tells it."""
        form = "address" if self.provider is None else self.provider.username
        if form.startswith("fixed:"):
            return form.partition(":")[2]
        forms = {"address": self.get("address"), "local-part": self.get("address").partition("@")[0]}
        return forms.get(form)

    @property
    def likely_tenant(self) -> str | None:
        """The tenant that IT approved; of people's accounts, the one that stands for all of them."""
        if self.entry is not None and self.entry.tenants:
            return self.entry.tenants[0]
        personal = self.provider is not None and self.provider.accounts == "personal"
        return "consumers" if personal and self.get("credential") == "delegated" else None

    @property
    def likely_client_id(self) -> str | None:
        """The application that IT approved."""
        return self.entry.client_ids[0] if self.entry is not None and self.entry.client_ids else None

    @property
    def likely_secret(self) -> str:
        """Where the catalogue says that this operator's secret is."""
        references = () if self.entry is None else usable_references(self.entry, self.operator)
        free = [reference for reference in references if str(reference) not in self.catalogue.reserved]
        if self.get("credential") == "delegated":
            # A refresh token is written, too, which an environment variable cannot be.
            kept = next((reference for reference in free if reference.scheme in ("keyring", "file")), None)
            return str(kept or SecretReference("keyring", f"opsmail/{self.operator}"))
        usual = SecretReference("env", f"OPSMAIL_SECRET_{environment_name(self.operator)}")
        return str(next(iter(free), usual))
