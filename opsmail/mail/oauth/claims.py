"""What an access token says of itself, compared with what SMTP needs before it is used.

The signature is not looked at: that is for the server to do. The aim is a plain word instead of its opaque
`535 5.7.3`.
"""

from __future__ import annotations

import base64
import binascii
import json
import math
import re
from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any

from opsmail.mail.failure import Failure, Kind
from opsmail.mail.oauth.clouds import CloudFacts
from opsmail.mail.reply import readable
from opsmail.messages import msg
from opsmail.values import dataclass

#: What Exchange Online asks of an application's token and of a person's.
ROLE, SCOPE = "SMTP.SendAsApp", "SMTP.Send"
#: What it asks of an application that reads a mailbox.
IMAP_ROLE = "IMAP.AccessAsApp"
#: In characters. Longer ones reach no server: RFC 4954 section 4 lets it stop at 12,288 octets of base64.
LONGEST_TOKEN = 9_000
#: How far the clocks here and there may differ, in seconds.
SKEW = 300
# RFC 6750 section 2.1: what a bearer token consists of. A control character would end a field of the SASL response.
_BEARER = re.compile(r"[A-Za-z0-9._~+/-]+=*")
_GUID = re.compile(r"[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}")
#: The tenants of personal accounts, whose tokens only Microsoft can read.
PERSONAL = frozenset({"consumers", "9188040d-6c67-4c5b-b112-36a304b66dad"})


@dataclass(frozen=True, slots=True)
class Claims:
    """What a token says, as far as anybody here asks.

    Args:
        audiences: whom it is for.
        permissions: roles of an application, or scopes of a person.
        tenant: the directory's GUID; empty where it is not told.
        application: the client id; empty likewise.
        expires: until when it is valid.
        not_before: from when; None where it is not told.
    """

    audiences: tuple[str, ...]
    permissions: tuple[str, ...]
    tenant: str
    application: str
    expires: datetime
    not_before: datetime | None


def require_bearer(token: object) -> str:
    """Return `token` when it can be sent as one.

    Raises:
        Failure: it is no text, too long, or has characters that no token has.
    """
    if not isinstance(token, str) or len(token) > LONGEST_TOKEN or not _BEARER.fullmatch(token):
        raise Failure(Kind.TOKEN_MALFORMED, msg("what the identity provider gave is no access token; it was not used"))
    return token


def payload(token: str) -> Mapping[str, Any] | None:
    """Return what a JWT (RFC 7519) says, None for what is none."""
    parts = token.split(".")
    if len(parts) != 3:
        return None
    try:
        octets = base64.b64decode(parts[1] + "=" * (-len(parts[1]) % 4), altchars=b"-_", validate=True)
        value = json.loads(octets.decode("utf-8"))
    except (binascii.Error, ValueError, RecursionError):
        return None
    return value if isinstance(value, dict) else None


def read_claims(token: str) -> Claims:
    """Return what a token says.

    Raises:
        Failure: it is no JWT, or its claims are not of the kind that RFC 7519 and Microsoft write.
    """
    claims = payload(token)
    expires = _moment(claims, "exp")
    if claims is None or expires is None:
        raise Failure(
            Kind.TOKEN_MALFORMED, msg("what the identity provider gave is no token that could be looked into")
        )
    scopes = claims.get("scp")
    return Claims(
        audiences=_texts(claims.get("aud")),
        permissions=(*_texts(claims.get("roles")), *(scopes.split() if isinstance(scopes, str) else ())),
        tenant=_text(claims.get("tid")),
        application=_text(claims.get("appid")) or _text(claims.get("azp")),
        expires=expires,
        not_before=_moment(claims, "nbf"),
    )


def judge(claims: Claims, facts: CloudFacts, tenant: str, permission: str, now: datetime) -> None:
    """Return when a token with these claims is one for a mailbox.

    Args:
        claims: what it says.
        facts: of the cloud.
        tenant: the operator's; compared where it is a GUID, because a domain is another name for one.
        permission: `ROLE`, `SCOPE` or `IMAP_ROLE`.
        now: the time here.

    Raises:
        Failure: it is not; the kind says in which way.
    """
    if not any(audience.rstrip("/") in facts.audiences for audience in claims.audiences):
        raise Failure(
            Kind.TOKEN_WRONG_AUDIENCE,
            msg(
                "the token is for {found}, the server wants one for {wanted}",
                found=_listed(claims.audiences),
                wanted=facts.resource,
            ),
        )
    if permission not in claims.permissions:
        raise Failure(
            Kind.TOKEN_MISSING_ROLE,
            msg("the token lacks {wanted}; it has {found}", wanted=permission, found=_listed(claims.permissions)),
        )
    if _GUID.fullmatch(tenant.lower()) and tenant.lower() != claims.tenant.lower():
        raise Failure(
            Kind.TOKEN_WRONG_TENANT,
            msg("the token is of tenant {found}, not of {wanted}", found=_shown(claims.tenant), wanted=tenant),
        )
    _judge_time(claims, now)


def _judge_time(claims: Claims, now: datetime) -> None:
    begins, ends = claims.not_before, claims.expires
    if ends <= now:
        moment = msg("the token ended at {time}", time=f"{ends:%Y-%m-%d %H:%M:%S}")
    elif begins is not None and (begins - now).total_seconds() > SKEW:
        moment = msg("the token begins at {time}", time=f"{begins:%Y-%m-%d %H:%M:%S}")
    else:
        return
    here = f"{now:%Y-%m-%d %H:%M:%S}"
    raise Failure(Kind.TOKEN_NOT_VALID_NOW, msg("{moment}, and it is {now} UTC here", moment=moment, now=here))


def _moment(claims: Mapping[str, Any] | None, name: str) -> datetime | None:
    value = None if claims is None else claims.get(name)
    if isinstance(value, bool) or not isinstance(value, int | float) or not math.isfinite(value):
        return None
    # Beyond year 9999 a date has no form; such a token ends as late as one can say.
    return datetime.fromtimestamp(min(max(value, 0), 253_402_300_799), UTC)


def _text(value: object) -> str:
    return value if isinstance(value, str) else ""


def _texts(value: object) -> tuple[str, ...]:
    values = value if isinstance(value, list) else [value]
    return tuple(item for item in values if isinstance(item, str))


def _shown(text: str) -> str:
    return readable(text.encode("utf-8", "replace"))[:100] or "-"


def _listed(values: tuple[str, ...]) -> str:
    return ", ".join(_shown(value) for value in values[:10]) or "-"
