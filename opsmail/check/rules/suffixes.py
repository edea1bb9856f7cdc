"""Public suffixes: under which names anybody can register a domain (publicsuffix.org).

The list comes with the package `publicsuffixlist` and is read only for names that the commonest endings do not settle.
"""

from __future__ import annotations

from functools import cache
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from publicsuffixlist import PublicSuffixList

#: Endings of most names; each is a public suffix without longer ones below it.
_COMMON = (".com", ".net", ".org", ".com.br", ".net.br", ".org.br", ".ind.br")


def is_below_public_suffix(name: str) -> bool:
    """Whether somebody can have registered `name`, or a name around it.

    Args:
        name: in lower-case ASCII, without a final dot.
    """
    return name.endswith(_COMMON) or _list().privatesuffix(name) is not None


def registered_domain(name: str) -> str | None:
    """Return the domain that was registered for `name`, None where it is under no public suffix."""
    domain: str | None = _list().privatesuffix(name)
    return domain


@cache
def _list() -> PublicSuffixList:
    from publicsuffixlist import PublicSuffixList

    return PublicSuffixList(accept_unknown=False, only_icann=True)
