"""Secret references: where a secret is kept, never the secret."""

from __future__ import annotations

from opsmail.expressions import expression
from opsmail.values import dataclass

#: What a reference looks like; valid for Python and ECMAScript alike, so that editors can check it.
EXPRESSION = r"[a-z][a-z0-9+.-]{1,31}://[^\s#]{1,512}(#[^\s#]{1,128})?"
_REFERENCE = expression(EXPRESSION)
#: Locators of the built-in schemes: a password put behind `env://` to silence a finding stays a literal secret.
_LOCATORS = {
    "env": expression(r"[A-Za-z_][A-Za-z0-9_]{0,254}"),
    "file": expression(r"/.+"),
    "keyring": expression(r"[^/]+/.+"),
    "vault": expression(r"[A-Za-z0-9_.-]+/[A-Za-z0-9_./@-]+"),
    "azure-keyvault": expression(r"[A-Za-z0-9.-]+/[A-Za-z0-9-]+"),
    "aws-secretsmanager": expression(r"[A-Za-z0-9/_+=.@:-]+"),
    "gcp-secretmanager": expression(r"[a-z0-9-]+/[A-Za-z0-9_-]+"),
}


@dataclass(frozen=True, slots=True)
class SecretReference:
    """`scheme://locator[#field]`.

    A text that is not of this form may be the secret itself, typed in the wrong place: it is forgotten at once, and
    what remains is the `LITERAL` reference, which resolves nowhere.

    Args:
        scheme: which secret store, lower case; empty for a literal.
        locator: where in that store.
        field: which part of what is found there; None for the whole.
    """

    scheme: str
    locator: str
    field: str | None = None

    @classmethod
    def parse(cls, text: str) -> SecretReference:
        """Return the reference that `text` writes, or `LITERAL` when it is none."""
        if _REFERENCE.fullmatch(text) is None:
            return LITERAL
        scheme, _, rest = text.partition("://")
        locator, separator, field = rest.partition("#")
        if scheme in _LOCATORS and _LOCATORS[scheme].fullmatch(locator) is None:
            return LITERAL
        return cls(scheme, locator, field if separator else None)

    @property
    def is_literal(self) -> bool:
        """Whether the text was not a reference at all."""
        return not self.scheme

    def __str__(self) -> str:
        if self.is_literal:
            return "(not a reference)"
        return f"{self.scheme}://{self.locator}" + (f"#{self.field}" if self.field else "")


LITERAL = SecretReference("", "")
