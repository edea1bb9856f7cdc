"""Where the secrets of imported operators will be kept: as the catalogue says, or as `--secrets` does."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from types import MappingProxyType

from opsmail.errors import UsageError
from opsmail.messages import msg
from opsmail.providers import Providers
from opsmail.references import SecretReference
from opsmail.scaffold.draft import Draft
from opsmail.secrets import known_schemes
from opsmail.settings.catalogue import Catalogue, pattern_fault, reference_of, usable_references
from opsmail.shape import nearest, shown

#: Where secrets of a scheme are kept, if the catalogue does not say it.
_USUAL: Mapping[str, str] = MappingProxyType(
    {
        "env": "env://OPSMAIL_SECRET_{OPERATOR}",
        "file": "file:///run/secrets/opsmail-{operator}",
        "keyring": "keyring://opsmail/{operator}",
        "vault": "vault://secret/opsmail/{operator}#password",
        "aws-secretsmanager": "aws-secretsmanager://opsmail/{operator}",
    }
)


@dataclass(frozen=True, slots=True)
class Keeping:
    """Decides where secrets are kept; see `opsmail.transfer.operators.Credentials`.

    Args:
        catalogue: what IT approved.
        providers: what is known of mail providers.
        wanted: a scheme, or a pattern of references; None for what the catalogue says.
    """

    catalogue: Catalogue
    providers: Providers
    wanted: str | None

    def __post_init__(self) -> None:
        """Refuse what gives no reference.

        Raises:
            UsageError: there is no such scheme, or the pattern is none.
        """
        if self.wanted is None or self.wanted in _USUAL:
            return
        example = "vault://secret/opsmail/{operator}#password"
        if "://" in self.wanted:
            scheme = self.wanted.partition("://")[0]
            known = scheme in known_schemes() and pattern_fault(self.wanted) is None
            # Two names, so that a pattern without a place for them is noticed.
            first, second = (reference_of(self.wanted, name) for name in ("a", "b"))
            if not known or first.is_literal or first == second:
                raise UsageError(
                    msg("--secrets: this is no pattern of references with a place for the operator's name"),
                    hint=msg("for example `{example}`", example=example),
                )
            return
        if self.wanted in known_schemes():
            raise UsageError(
                msg("--secrets: of `{scheme}` it has to be said where", scheme=self.wanted),
                hint=msg(
                    "write a pattern, for example `{example}`", example="azure-keyvault://vault-name/opsmail-{operator}"
                ),
            )
        guess = nearest(self.wanted, sorted(_USUAL))
        raise UsageError(
            msg("--secrets: there is no scheme `{scheme}`", scheme=shown(self.wanted)),
            hint=msg("did you mean `{guess}`?", guess=guess)
            if guess is not None
            else msg("known: {names}", names=", ".join(sorted(known_schemes()))),
        )

    def kind(self, operator: str, host: str) -> str:
        """Return the kind of the credential of modern authentication."""
        return self._draft(operator, host, "").likely_credential

    def reference(self, operator: str, host: str, kind: str) -> SecretReference:
        """Return where a secret is kept."""
        draft = self._draft(operator, host, kind)
        if self.wanted is None:
            return SecretReference.parse(draft.likely_secret)
        if "://" in self.wanted:
            return reference_of(self.wanted, operator)
        approved = () if draft.entry is None else usable_references(draft.entry, operator)
        fitting = (item for item in approved if item.scheme == self.wanted and str(item) not in self.catalogue.reserved)
        return next(fitting, reference_of(_USUAL[self.wanted], operator))

    def _draft(self, operator: str, host: str, kind: str) -> Draft:
        answers = {"host": host, "credential": kind}
        return Draft(operator, self.providers, self.catalogue, has_master=True, answers=answers)
