"""What the well-known submission ports speak."""

from __future__ import annotations

from opsmail.operator.model import Encryption

_STARTTLS, _IMPLICIT, _NONE = Encryption.STARTTLS, Encryption.IMPLICIT_TLS, Encryption.NONE
#: Port to what is spoken there, the better one first: RFC 8314 section 3.3 (465), RFC 6409 (587), the rest by custom.
PORT_ENCRYPTIONS = {
    25: (_STARTTLS, _NONE),
    465: (_IMPLICIT,),
    587: (_STARTTLS,),
    2465: (_IMPLICIT,),
    2525: (_STARTTLS,),
    2587: (_STARTTLS,),
}
