"""The syntax of e-mail addresses and of the domain names in them: RFC 5321, and RFC 6531 for local parts beyond ASCII.

Whether an address exists is not asked. Names under `.local`, `.test` or of one label are accepted: internal senders use
them.
"""

from __future__ import annotations

import unicodedata
from enum import Enum
from functools import lru_cache

from opsmail.expressions import expression
from opsmail.messages import Message, msg
from opsmail.values import dataclass

#: RFC 5321 section 4.5.3.1, in octets: 64 and 255; 254 is the path limit of 256 without its angle brackets.
MAX_LOCAL = 64
MAX_DOMAIN = 255
MAX_ADDRESS = 254
#: RFC 1035 section 2.3.4: a label, and a name as text (255 octets on the wire hold 253 characters).
MAX_LABEL = 63
MAX_NAME = 253

_ATOM = expression(r"[A-Za-z0-9!#$%&'*+/=?^_`{|}~-]+")
_DOT_ATOM = expression(rf"{_ATOM.pattern}(?:\.{_ATOM.pattern})*")
# All of it but the angle brackets.
_VISIBLE_ASCII = expression(r"[!-;=?-~]+")
_LABEL = expression(r"[A-Za-z0-9](?:[A-Za-z0-9-]*[A-Za-z0-9])?")
#: What a resolver takes for an IPv4 address: it decides by the last label (decimal, octal or hexadecimal).
_NUMERIC = expression(r"[0-9]+|0[xX][0-9A-Fa-f]*")


class Reason(Enum):
    """Why a text is not an address or a domain name; the values are stable."""

    EMPTY = "empty"
    NO_AT = "no-at"
    CONTROL = "control-character"
    SPACE = "space"
    ANGLE_BRACKET = "angle-bracket"
    QUOTED = "quoted-local-part"
    CHARACTER = "character"
    DOT = "dot"
    TOO_LONG = "too-long"
    NOT_NORMALISED = "not-normalised"
    DOMAIN_MISSING = "domain-missing"
    DOMAIN_NOT_ASCII = "domain-not-ascii"
    DOMAIN_LITERAL = "domain-literal"
    DOMAIN_NUMERIC = "domain-numeric"
    DOMAIN_SYNTAX = "domain-syntax"


class AddressError(ValueError):
    """A text that is not an address, or not a domain name.

    Args:
        reason: the stable code of what is wrong.
        message: the same for people. It repeats single characters and code points at most, never the whole text.
    """

    def __init__(self, reason: Reason, message: Message) -> None:
        super().__init__(reason, message)
        self.reason = reason
        self.message = message

    def __str__(self) -> str:
        return str(self.message)


@dataclass(frozen=True, slots=True)
class Address:
    """A mailbox as the envelope names it.

    Args:
        local: what stands before the `@`, as it was written: only its own server may judge its case.
        domain: the domain in lower-case ASCII.
    """

    local: str
    domain: str

    @property
    def needs_smtputf8(self) -> bool:
        """Whether only a server that offers SMTPUTF8 can carry it (RFC 6531)."""
        return not self.local.isascii()

    def __str__(self) -> str:
        return f"{self.local}@{self.domain}"


@lru_cache(maxsize=1024)  # each of a test or a message is asked for again and again
def parse_address(text: str) -> Address:
    """Return the address that `text` writes (RFC 5321 section 4.1.2 without the quoted form, RFC 6531 section 3.3).

    Args:
        text: the bare address, without display name or angle brackets.

    Raises:
        AddressError: the text is not such an address.
    """
    if not text:
        raise AddressError(Reason.EMPTY, msg("the address is empty"))
    # Measured before anything else looks at it, so that no input costs more than its first few hundred characters.
    if len(text) > MAX_ADDRESS or _octets(text) > MAX_ADDRESS:
        raise AddressError(Reason.TOO_LONG, msg("the address is longer than {limit} octets", limit=MAX_ADDRESS))
    _refuse_invisible(text)
    if "@" not in text:
        raise AddressError(Reason.NO_AT, msg("an address has an `@` between the user and the domain"))
    local, _, domain = text.rpartition("@")
    _check_local(local)
    if not domain:
        raise AddressError(Reason.DOMAIN_MISSING, msg("nothing stands after the `@`"))
    return Address(local, parse_domain(domain))


@lru_cache(maxsize=1024)  # a fleet has few domains
def parse_domain(text: str) -> str:
    """Return the domain name that `text` writes, in lower case (RFC 1123 section 2.1, RFC 5890 for A-labels).

    Args:
        text: the name in ASCII; an internationalised name is written in its `xn--` form.

    Raises:
        AddressError: the text is no name: other characters, an IP address in any notation, a trailing dot, too long.
    """
    if not text:
        raise AddressError(Reason.DOMAIN_MISSING, msg("the domain name is empty"))
    if len(text) > MAX_NAME:
        raise AddressError(Reason.TOO_LONG, msg("the domain name is longer than {limit} characters", limit=MAX_NAME))
    _refuse_invisible(text)
    if not text.isascii():
        raise AddressError(Reason.DOMAIN_NOT_ASCII, _suggest_ascii(text))
    if text.startswith("[") or ":" in text:
        raise AddressError(Reason.DOMAIN_LITERAL, msg("a domain name is needed, not an IP address or a port"))
    labels = text.split(".")
    if not all(labels):
        raise AddressError(Reason.DOT, msg("a domain name has no dot at its ends and no two dots in a row"))
    for label in labels:
        if len(label) > MAX_LABEL:
            raise AddressError(
                Reason.TOO_LONG, msg("a part of the domain name is longer than {limit} characters", limit=MAX_LABEL)
            )
        if not _LABEL.fullmatch(label):
            raise AddressError(
                Reason.DOMAIN_SYNTAX,
                msg("the parts of a domain name are letters, digits and hyphens, with no hyphen at their ends"),
            )
    if _NUMERIC.fullmatch(labels[-1]):
        raise AddressError(Reason.DOMAIN_NUMERIC, msg("a domain name is needed, not an IP address or a number"))
    return text.lower()


def _check_local(local: str) -> None:
    if len(local) <= MAX_LOCAL and _DOT_ATOM.fullmatch(local):
        return  # as nearly all are
    if local.startswith('"'):
        raise AddressError(
            Reason.QUOTED, msg("a quoted part before the `@` is not supported: few mail servers accept it")
        )
    if not all(local.split(".")):
        raise AddressError(
            Reason.DOT, msg("the part before the `@` is not empty, has no dot at its ends and no two dots in a row")
        )
    if _octets(local) > MAX_LOCAL:
        raise AddressError(
            Reason.TOO_LONG, msg("the part before the `@` is longer than {limit} octets", limit=MAX_LOCAL)
        )
    for character in local:
        if character.isascii() and character != "." and not _ATOM.fullmatch(character):
            raise AddressError(Reason.CHARACTER, msg("`{character}` cannot stand before the `@`", character=character))
    # RFC 6532 section 3.1: two spellings of one name must not be two mailboxes.
    if not unicodedata.is_normalized("NFC", local):
        raise AddressError(Reason.NOT_NORMALISED, msg("the part before the `@` is not in Unicode normalisation form C"))


def _refuse_invisible(text: str) -> None:
    """Refuse what could end the command line or the path early, or what a reviewer cannot see."""
    if _VISIBLE_ASCII.fullmatch(text):
        return
    for character in text:
        if character in "<>":
            raise AddressError(
                Reason.ANGLE_BRACKET, msg("write the address alone, without angle brackets or a display name")
            )
        category = unicodedata.category(character)
        if category.startswith("Z"):
            raise AddressError(Reason.SPACE, msg("an address has no spaces"))
        if category.startswith("C"):
            raise AddressError(
                Reason.CONTROL,
                msg("the character {code} cannot be part of an address", code=f"U+{ord(character):04X}"),
            )


def _octets(text: str) -> int:
    # Lone surrogates have no UTF-8 form; they are counted here and refused as invisible afterwards.
    return len(text.encode("utf-8", "surrogatepass"))


def _suggest_ascii(text: str) -> Message:
    import idna  # only the way to this error pays for its tables

    try:
        ascii_form = idna.encode(text).decode("ascii")
    except idna.IDNAError:
        return msg("the domain name has characters that cannot be in one")
    return msg("write the domain name in its ASCII form, `{name}`", name=ascii_form)
