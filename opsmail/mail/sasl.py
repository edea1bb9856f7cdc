"""SASL mechanisms for SMTP (RFC 4954): which one is used, and what is said in it.

One mechanism is chosen, tried once, and never replaced by another: repeated failures lock accounts. A further mechanism
is one more function from credentials to a `Script` and one more row in `_MECHANISMS`.
"""

from __future__ import annotations

import base64
import binascii
import json
import re
from collections.abc import Callable, Collection
from dataclasses import field

from opsmail.mail.endpoint import BearerCredentials, Credentials
from opsmail.mail.failure import Failure, Kind
from opsmail.mail.reply import SHOWN
from opsmail.messages import msg
from opsmail.values import dataclass

#: RFC 5321 section 4.5.3.1.4: what fits a command line with its CR LF. Longer initial responses wait for the server's
#: challenge.
COMMAND_LINE = 512
#: In characters. What is shorter would be found everywhere when it is looked for in what a server echoes.
SHORTEST_SECRET = 4
#: Of an error that a server tells inside an exchange, in characters of base64.
LONGEST_ERROR = 4_096
# Control characters, and lone surrogates, which have no UTF-8 form: Unicode's categories Cc and Cs.
_UNSENDABLE = re.compile(r"[\x00-\x1f\x7f-\x9f\ud800-\udfff]")

Login = Credentials | BearerCredentials


@dataclass(frozen=True, slots=True)
class Script:
    """What is said in one exchange, before base64.

    Args:
        mechanism: its name as the server offers it.
        responses: the answer to each challenge that is expected, in order.
        initial: whether the first answer may be sent along with the command.
        on_error: the answer to one further challenge that carries an error; None where the mechanism has no such thing.
    """

    mechanism: str
    responses: tuple[bytes, ...] = field(repr=False)
    initial: bool = False
    on_error: bytes | None = None

    @property
    def answers(self) -> tuple[bytes, ...]:
        """Everything that may be said, in order."""
        return self.responses if self.on_error is None else (*self.responses, self.on_error)


def _plain(login: Login) -> Script:
    """RFC 4616: authorisation identity (empty: the same), authentication identity, password, as UTF-8."""
    return Script("PLAIN", (f"\0{login.username}\0{secret_of(login)}".encode(),), initial=True)


def _login(login: Login) -> Script:
    """Never standardised (draft-murchison-sasl-login): two prompts whose wording varies, so their order decides."""
    return Script("LOGIN", (login.username.encode(), secret_of(login).encode()))


def _xoauth2(login: Login) -> Script:
    """Google's and Microsoft's form; in two steps, because real servers refuse long command lines.

    An error is answered by an empty line.
    """
    return Script(
        "XOAUTH2", (f"user={login.username}\x01auth=Bearer {secret_of(login)}\x01\x01".encode(),), on_error=b""
    )


def _oauthbearer(login: Login) -> Script:
    """RFC 7628; the user's name is a saslname (RFC 5801 section 4).

    An error is answered by a lone %x01 (section 3.2.3).
    """
    name = login.username.replace("=", "=3D").replace(",", "=2C")
    return Script("OAUTHBEARER", (f"n,a={name},\x01auth=Bearer {secret_of(login)}\x01\x01".encode(),), on_error=b"\x01")


def secret_of(login: Login) -> str:
    """Return the password or token of `login`."""
    return (login.secret if isinstance(login, Credentials) else login.token).reveal()


def check(login: Login) -> None:
    """Refuse what could end a field of a response early, and secrets too short to be found again in an echo.

    Raises:
        Failure: nothing of it may be sent.
    """
    secret = secret_of(login)
    if len(secret) < SHORTEST_SECRET:
        raise Failure(
            Kind.INVALID_CREDENTIALS,
            msg("the password has fewer than {count} characters; it was not sent", count=SHORTEST_SECRET),
        )
    if not login.username or _UNSENDABLE.search(login.username + secret):
        raise Failure(
            Kind.INVALID_CREDENTIALS,
            msg("the user name is empty, or it or the password has control characters; nothing was sent"),
        )


# In the order in which they are preferred. PLAIN before LOGIN: it is the one with a standard. XOAUTH2 first: both
# providers that want bearer tokens have it, and one of them has nothing else.
_MECHANISMS: dict[type[Login], tuple[tuple[str, Callable[[Login], Script]], ...]] = {
    Credentials: (("PLAIN", _plain), ("LOGIN", _login)),
    BearerCredentials: (("XOAUTH2", _xoauth2), ("OAUTHBEARER", _oauthbearer)),
}


def supported(login: Login) -> tuple[str, ...]:
    """Return the names of the mechanisms that could carry these credentials, the preferred one first."""
    return tuple(name for name, _ in _MECHANISMS[type(login)])


def choose(offered: Collection[str], login: Login) -> Script | None:
    """Return the script of the one mechanism to use, None where the server offers none for these credentials.

    Args:
        offered: names in upper case, from the EHLO reply after TLS.
        login: whose it is.
    """
    return next((script(login) for name, script in _MECHANISMS[type(login)] if name in offered), None)


def encode(response: bytes) -> bytes:
    """Return a response as it goes over the line."""
    return base64.b64encode(response)


def error_text(challenge: str) -> str | None:
    """Return the error in a bearer mechanism's last challenge as compact JSON, or None for what is none.

    RFC 7628 section 3.2.2 has `status`, `scope` and `openid-configuration`; Google and Microsoft write `status` and
    `schemes`. Only short texts and numbers are kept.

    Args:
        challenge: base64, as the server wrote it.
    """
    if len(challenge) > LONGEST_ERROR:
        return None
    try:
        decoded = json.loads(base64.b64decode(challenge, validate=True).decode("utf-8"))
    except (binascii.Error, ValueError, RecursionError):
        return None
    if not isinstance(decoded, dict):
        return None
    kept = {name: value for name, value in decoded.items() if isinstance(value, str | int)}
    text = json.dumps(kept, separators=(",", ":"))
    return text if len(text) <= SHOWN else None
